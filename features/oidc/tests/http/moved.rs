//! A tenant that got another issuer: what it issued before is honoured until it expires.

use crate::world::{Answer, ISSUER, SECRET, World, basic, claims, on_each, query, request};
use axum::http::{Method, StatusCode, header};
use oauth::params::encode;
use store::{NewTenant, rows::tenant};

const NEW: &str = "https://login.example";

async fn move_to(world: &World, id: base::Id<base::id::Tenant>, issuer: &str) {
    let row = tenant::by_id(&world.db, id).await.unwrap().unwrap();
    let mut unit = world.unit("tenant.moved");
    tenant::change_issuer(&mut unit, &row, issuer, "login.example", world.now());
    world.commit(unit).await;
    world.site.directory().forget(id);
}

async fn at(world: &World, issuer: &str, path: &str, accept: &str) -> Answer {
    visit(world, issuer, path, (accept, "")).await
}

async fn visit(world: &World, issuer: &str, path: &str, (accept, cookie): (&str, &str)) -> Answer {
    let mut request = request(Method::GET, path, &[("accept", accept), ("cookie", cookie)], "");
    let host = issuer.strip_prefix("https://").unwrap();
    request.headers_mut().insert(header::HOST, host.parse().unwrap());
    world.call(request).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_the_former_issuer_work_until_they_expire() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let before = world.tokens(&alice, "openid offline_access").await;
        let text = |tokens: &serde_json::Value, name: &str| tokens[name].as_str().unwrap().to_owned();
        move_to(world, world.tenant.id, NEW).await;

        let (access, hint) = (text(&before, "access_token"), text(&before, "id_token"));
        assert_eq!(world.userinfo(&access).await.status, StatusCode::OK);
        let web = [("authorization", &*basic("web", SECRET))];
        let seen = world.post("/introspect", &web, &[("token", &access)]).await.json();
        assert_eq!((&seen["active"], &seen["iss"]), (&true.into(), &ISSUER.into()));
        let page = async |path: &str| visit(world, NEW, path, ("text/html", &alice.cookie)).await;
        let silent = [("prompt", "none"), ("id_token_hint", hint.as_str())];
        let silent = page(&format!("/authorize?{}", query(&silent))).await;
        assert!(silent.param("code").is_some(), "{}", silent.location());
        assert_eq!(silent.param("iss").as_deref(), Some(NEW));

        let after = world.refresh("web", &text(&before, "refresh_token")).await.json();
        assert_eq!(claims(&text(&after, "access_token"))["iss"], NEW, "new tokens name the new one");
        let out = page(&format!("/logout?{}", encode([("id_token_hint", hint.as_str())]))).await;
        assert!(out.text.contains("id=\"signed-out\""), "the hint is of this session: {}", out.text);

        let bob = world.signed_in("bob@example.com").await;
        let code = visit(world, NEW, &format!("/authorize?{}", query(&[])), ("text/html", &bob.cookie)).await;
        let of_bob = text(&world.redeem("web", &code.param("code").unwrap()).await.json(), "access_token");
        move_to(world, world.tenant.id, "https://third.example").await;
        assert_eq!(world.userinfo(&of_bob).await.status, StatusCode::OK, "nor is any issuer forgotten");
        world.pass(600);
        assert_eq!(world.userinfo(&of_bob).await.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_metadata_names_the_issuer_that_was_asked() {
    on_each(async |world| {
        let acme = NewTenant {
            slug: "acme".into(),
            name: "Acme".into(),
            issuer: format!("{ISSUER}/t/acme"),
            settings: "{}".into(),
        };
        world.pass(1);
        let acme = world.site.directory().create_tenant(acme).await.unwrap();
        move_to(world, world.tenant.id, NEW).await;
        move_to(world, acme.id, &format!("{NEW}/t/acme")).await;
        for (base, oauth) in [("", ""), ("/t/acme", "/t/acme")] {
            for issuer in [ISSUER, NEW] {
                for path in [
                    format!("{base}/.well-known/openid-configuration"),
                    format!("/.well-known/oauth-authorization-server{oauth}"),
                ] {
                    let answer = at(world, issuer, &path, "application/json").await;
                    assert_eq!(answer.status, StatusCode::OK, "{issuer}{path}");
                    let document = answer.json();
                    assert_eq!(document["issuer"], format!("{issuer}{base}"), "{issuer}{path}");
                    assert_eq!(document["jwks_uri"], format!("{NEW}{base}/jwks"));
                    assert_eq!(document["token_endpoint"], format!("{NEW}{base}/token"));
                }
                let keys = at(world, issuer, &format!("{base}/jwks"), "*/*").await;
                assert_eq!(keys.json()["keys"].as_array().unwrap().len(), 2, "ES256 and RS256");
            }
            let page = at(world, ISSUER, &format!("{base}/authorize?x=1"), "text/html").await;
            assert_eq!(page.status, StatusCode::TEMPORARY_REDIRECT);
            assert_eq!(page.header("location"), format!("{NEW}{base}/authorize?x=1"));
        }
        let unknown = at(world, "https://other.example", "/.well-known/openid-configuration", "*/*").await;
        assert_eq!(unknown.json()["issuer"], NEW);
    })
    .await;
}
