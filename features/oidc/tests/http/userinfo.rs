use crate::{
    introspect::{shop, tokens_of},
    world::{ISSUER, SECRET, claims, on_each, part, query, request},
};
use axum::http::{Method, StatusCode};
use jose::Algorithm;
use oauth::{Client, client::ConsentMode};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_claims_of_the_granted_scopes_are_given() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let now = world.now().seconds();
        let tokens = world.tokens(&alice, "openid profile email phone address").await;
        let answer = world.userinfo(tokens["access_token"].as_str().unwrap()).await;
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("access-control-allow-origin"), "", "nobody asked from another origin");
        assert_eq!(
            answer.json(),
            json!({ "sub": alice.sub, "name": "Alice Example", "given_name": "Alice", "birthdate": "2000-02-29",
                "preferred_username": "alice", "updated_at": now, "email": "alice@example.com",
                "email_verified": true, "phone_number": "+4915112345678", "phone_number_verified": false,
                "address": { "locality": "Berlin" } })
        );
        let little = world.tokens(&alice, "openid").await;
        let info = world.userinfo(little["access_token"].as_str().unwrap()).await;
        assert_eq!(info.json(), json!({ "sub": alice.sub }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_comes_by_header_or_by_form_and_never_by_address() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let tokens = world.tokens(&alice, "openid").await;
        let token = tokens["access_token"].as_str().unwrap();
        let bearer = format!("Bearer {token}");
        let by_header = request(Method::POST, "/userinfo", &[("authorization", &bearer)], "");
        assert_eq!(world.call(by_header).await.status, StatusCode::OK);
        let form = [("access_token", token)];
        assert_eq!(world.post("/userinfo", &[], &form).await.status, StatusCode::OK);
        let twice = world.post("/userinfo", &[("authorization", &bearer)], &form).await;
        assert_eq!((twice.status, twice.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_request"));
        let by_address = world.get(&format!("/userinfo?access_token={token}"), "").await;
        assert_eq!(by_address.status, StatusCode::UNAUTHORIZED);
        assert_eq!(by_address.header("www-authenticate"), "Bearer");
        // Cookies say nothing here.
        assert_eq!(world.get("/userinfo", &alice.cookie).await.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_43_a_token_is_good_until_it_expires_and_only_with_openid() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let tokens = world.tokens(&alice, "openid").await;
        let token = tokens["access_token"].as_str().unwrap();
        assert_eq!(claims(token)["exp"].as_i64(), Some(world.now().seconds() + 600));
        let email = world.tokens(&alice, "email").await;
        assert!(email.get("id_token").is_none());
        let refused = world.userinfo(email["access_token"].as_str().unwrap()).await;
        assert_eq!((refused.status, refused.error().as_str()), (StatusCode::FORBIDDEN, "insufficient_scope"));
        world.pass(599);
        assert_eq!(world.userinfo(token).await.status, StatusCode::OK);
        world.pass(1);
        let late = world.userinfo(token).await;
        assert_eq!((late.status, late.error().as_str()), (StatusCode::UNAUTHORIZED, "invalid_token"));
        assert!(late.header("www-authenticate").starts_with("Bearer error=\"invalid_token\""));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_66_a_token_of_one_tenant_is_nothing_to_another() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let tokens = world.tokens(&alice, "openid").await;
        let other = store::NewTenant {
            slug: "acme".into(),
            name: "Acme".into(),
            issuer: format!("{}/t/acme", ISSUER),
            settings: "{}".into(),
        };
        world.pass(1);
        world.site.directory().create_tenant(other).await.unwrap();
        let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
        let call = request(Method::GET, "/t/acme/userinfo", &[("authorization", &bearer)], "");
        assert_eq!(world.call(call).await.status, StatusCode::UNAUTHORIZED);
        let document = world.get("/t/acme/.well-known/openid-configuration", "").await.json();
        assert_eq!(document["token_endpoint"], format!("{}/t/acme/token", ISSUER));
        let rooted = world.get("/.well-known/oauth-authorization-server/t/acme", "").await.json();
        assert_eq!(rooted["issuer"], document["issuer"]);
        assert!(world.get(&format!("/t/acme/authorize?{}", query(&[])), "").await.is_error_page());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_is_signed_where_the_application_asked_for_it() {
    on_each(async |world| {
        for (id, algorithm) in [
            ("rs", Algorithm::Rs256),
            ("ps", Algorithm::Ps256),
            ("ed", Algorithm::EdDsa),
            ("es", Algorithm::Es256),
        ] {
            let client = Client {
                userinfo_signed_response_alg: Some(algorithm),
                id_token_signed_response_alg: algorithm,
                require_auth_time: true,
                ..shop(id)
            };
            world.application(&client, Some(SECRET)).await;
            let alice = world.signed_in(&format!("{id}-alice@example.com")).await;
            let tokens = tokens_of(world, id, &alice, "openid").await;
            let id_token = tokens["id_token"].as_str().unwrap();
            assert_eq!(part(id_token, 0)["alg"], algorithm.as_str());
            let hash = algorithm.half_hash(tokens["access_token"].as_str().unwrap());
            assert_eq!(claims(id_token)["at_hash"], hash);
            assert!(claims(id_token)["auth_time"].is_i64());
            let answer = world.userinfo(tokens["access_token"].as_str().unwrap()).await;
            assert_eq!(answer.header("content-type"), "application/jwt");
            assert_eq!(answer.header("cache-control"), "no-store");
            assert_eq!(part(&answer.text, 0)["alg"], algorithm.as_str());
            assert_eq!(claims(&answer.text), json!({ "sub": alice.sub, "iss": ISSUER, "aud": id }));
            // It is no ID token, although the same key signed it.
            let hint = [("client_id", id), ("prompt", "none"), ("id_token_hint", answer.text.as_str())];
            let refused = world.authorize(&alice.cookie, &hint).await;
            assert_eq!(refused.param("error").unwrap(), "invalid_request");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_of_declared_origins_read_the_answers() {
    on_each(async |world| {
        let client = Client { allowed_origins: vec!["https://ui.example".parse().unwrap()], ..shop("shop") };
        world.application(&client, Some(SECRET)).await;
        let alice = world.signed_in("alice@example.com").await;
        let tokens = tokens_of(world, "shop", &alice, "openid").await;
        let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
        let basic = crate::world::basic("shop", SECRET);
        for (origin, shared) in [
            ("https://ui.example", "https://ui.example"),
            ("https://ui.example.evil.tld", ""),
            ("http://ui.example", ""),
            ("null", ""),
            // Of a confidential application no redirect URI is a place of scripts.
            ("https://shop.example", ""),
        ] {
            let headers = [("authorization", bearer.as_str()), ("origin", origin)];
            let info = world.call(request(Method::GET, "/userinfo", &headers, "")).await;
            let headers = [("authorization", basic.as_str()), ("origin", origin)];
            let mut answers = vec![info];
            for path in ["/introspect", "/revoke", "/token"] {
                answers.push(world.post(path, &headers, &[("token", "x")]).await);
            }
            for answer in answers {
                assert_eq!(answer.header("access-control-allow-origin"), shared, "{origin}");
                assert!(answer.headers.get("access-control-allow-credentials").is_none());
                assert!(shared.is_empty() || answer.header("vary") == "Origin");
            }
        }
        for path in ["/introspect", "/revoke", "/token", "/userinfo"] {
            let asked = [("origin", "https://ui.example"), ("access-control-request-method", "POST")];
            let answer = world.call(request(Method::OPTIONS, path, &asked, "")).await;
            assert_eq!(answer.status, StatusCode::NO_CONTENT, "{path}");
            assert!(answer.headers.get("access-control-allow-credentials").is_none());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consent_and_age_are_as_the_application_is_set() {
    on_each(async |world| {
        let skip = Client { first_party: false, consent: Some(ConsentMode::Skip), ..shop("skip") };
        let always = Client { consent: Some(ConsentMode::Always), ..shop("always") };
        let aged = Client { default_max_age: Some(60), ..shop("aged") };
        for client in [skip, always, aged] {
            world.application(&client, Some(SECRET)).await;
        }
        let alice = world.signed_in("alice@example.com").await;
        let silently = async |client: &str| {
            let answer = world.authorize(&alice.cookie, &[("client_id", client), ("prompt", "none")]).await;
            answer.param("error").unwrap_or_default()
        };
        assert_eq!(silently("skip").await, "");
        assert_eq!(silently("always").await, "consent_required");
        assert_eq!(silently("aged").await, "");
        let tokens = tokens_of(world, "skip", &alice, "openid").await;
        let refreshed = world.refresh("skip", tokens["refresh_token"].as_str().unwrap()).await;
        assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.text);
        world.authorize(&alice.cookie, &[("client_id", "always")]).await;
        let begun = world.begun().unwrap();
        assert!(!world.rules(&begun.request, Some(alice.person), 0).await.consent.is_empty());
        assert!(world.finish(&begun.request, &alice).await.param("code").is_some());
        assert_eq!(silently("always").await, "consent_required", "each time anew");
        world.pass(61);
        assert_eq!(silently("aged").await, "login_required");
    })
    .await;
}
