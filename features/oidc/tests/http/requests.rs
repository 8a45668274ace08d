//! What holds at every endpoint.

use crate::world::{SECRET, VERIFIER, on_each, redemption};
use axum::http::StatusCode;

/// Every kind of artefact at every endpoint that takes another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_02_an_artefact_is_refused_where_another_is_expected() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let tokens = world.tokens(&alice, "openid offline_access").await;
        let token = |name: &str| tokens[name].as_str().unwrap().to_owned();
        let code = world.code(&alice, "openid").await;
        let session = alice.handle.reveal();
        let artefacts = [
            ("code", code.clone()),
            ("access", token("access_token")),
            ("refresh", token("refresh_token")),
            ("id", token("id_token")),
            ("session", session.clone()),
            ("session as code", session.replace("se_", "ac_")),
            ("session as refresh", session.replace("se_", "rt_")),
            ("code as refresh", code.replace("ac_", "rt_")),
            ("refresh as code", token("refresh_token").replace("rt_", "ac_")),
        ];
        for (name, artefact) in &artefacts {
            if *name != "code" {
                assert_eq!(world.redeem("web", artefact).await.error(), "invalid_grant", "{name} as code");
            }
            if *name != "refresh" {
                assert_eq!(
                    world.refresh("web", artefact).await.error(),
                    "invalid_grant",
                    "{name} as refresh"
                );
            }
            if *name != "access" {
                let answer = world.userinfo(artefact).await;
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name} as access");
            }
            if *name != "id" {
                let answer = world.authorize(&alice.cookie, &[("id_token_hint", artefact)]).await;
                assert_eq!(answer.param("error").as_deref(), Some("invalid_request"), "{name} as hint");
            }
        }
        // None of it has harmed what is genuine.
        assert_eq!(world.redeem("web", &code).await.status, StatusCode::OK);
        assert_eq!(world.userinfo(&token("access_token")).await.status, StatusCode::OK);
        assert_eq!(world.refresh("web", &token("refresh_token")).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_33_nothing_shorter_longer_or_changed_is_accepted() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let tokens = world.tokens(&alice, "openid").await;
        let refresh = tokens["refresh_token"].as_str().unwrap();
        let access = tokens["access_token"].as_str().unwrap();
        let code = world.code(&alice, "openid").await;
        let changed = |text: &str| {
            let mut all: Vec<String> = (0..text.len())
                .step_by(7)
                .map(|end| text[..end].to_owned())
                .filter(|cut| !cut.is_empty())
                .collect();
            all.push(text[..text.len() - 1].to_owned());
            all.extend(["A", "=", ".", "%00"].map(|tail| format!("{text}{tail}")));
            all.push(text.to_uppercase());
            for at in (3..text.len()).step_by(5) {
                let mut bytes = text.as_bytes().to_vec();
                bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
                all.push(String::from_utf8(bytes).unwrap());
            }
            all
        };
        for forged in changed(refresh) {
            assert_eq!(world.refresh("web", &forged).await.error(), "invalid_grant", "{forged}");
        }
        for forged in changed(&code) {
            assert_eq!(world.redeem("web", &forged).await.error(), "invalid_grant", "{forged}");
        }
        for forged in changed(access) {
            assert_ne!(world.userinfo(&forged).await.status, StatusCode::OK, "{forged}");
        }
        // A token that fails its check changes nothing.
        assert_eq!(world.userinfo(access).await.status, StatusCode::OK);
        assert_eq!(world.refresh("web", refresh).await.status, StatusCode::OK);
        assert_eq!(world.redeem("web", &code).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_50_no_answer_repeats_a_secret() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let code = world.code(&alice, "openid").await;
        let tokens = world.redeem("web", &code).await;
        let value = tokens.json();
        let refresh = value["refresh_token"].as_str().unwrap().to_owned();
        let access = value["access_token"].as_str().unwrap().to_owned();
        let session = alice.handle.reveal();
        let mut answers = vec![
            world.get("/.well-known/openid-configuration", &alice.cookie).await,
            world.get("/jwks", &alice.cookie).await,
            world.userinfo(&access).await,
            world.redeem("web", &format!("{code}x")).await,
            world.refresh("web", &format!("{refresh}x")).await,
            world.userinfo(&format!("{access}x")).await,
            world.authorize(&alice.cookie, &[("redirect_uri", "https://evil.tld/")]).await,
            world.get(&format!("/authorize?client_id=nobody&code={code}&client_secret={SECRET}"), "").await,
            world.get("/logout?post_logout_redirect_uri=x", &alice.cookie).await,
        ];
        let mut wrong = redemption(&code).to_vec();
        wrong.extend([("client_id", "web"), ("client_secret", "wrong-canary")]);
        answers.push(world.post("/token", &[], &wrong).await);
        for answer in &answers {
            let all = format!("{}{:?}", answer.text, answer.headers);
            for secret in [SECRET, VERIFIER, "wrong-canary", &refresh, &access, &code, &session] {
                // What the browser itself sent in its address may stand in the links of the page.
                let own = secret == SECRET || secret == code;
                assert!(own && answer.is_error_page() || !all.contains(secret), "{secret} in {all}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_database_programs_get_json_and_people_a_page() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let tokens = world.tokens(&alice, "openid").await;
        let code = world.code(&alice, "openid").await;
        world.db.close().await;
        let answers = [
            world.redeem("web", &code).await,
            world.refresh("web", tokens["refresh_token"].as_str().unwrap()).await,
            world.userinfo(tokens["access_token"].as_str().unwrap()).await,
        ];
        for answer in answers {
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(answer.error(), "temporarily_unavailable");
            assert!(!answer.header("retry-after").is_empty());
        }
        let page = world.authorize(&alice.cookie, &[]).await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(page.is_error_page());
        // What is in memory still serves.
        assert_eq!(world.get("/jwks", "").await.status, StatusCode::OK);
    })
    .await;
}
