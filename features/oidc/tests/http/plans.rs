//! Modules of the OpenID plans and checks of OAuch that have no other place: each is a request as the
//! suite would make it.

use crate::world::{CALLBACK, SECRET, basic, claims, on_each, redemption};
use axum::http::StatusCode;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_without_nonce_succeeds_and_the_id_token_has_none() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        for params in [[("nonce", ""), ("scope", "openid")], [("nonce", ""), ("response_mode", "form_post")]]
        {
            let answer = world.authorize(&alice.cookie, &params).await;
            if answer.status != StatusCode::SEE_OTHER {
                assert!(answer.text.contains("name=\"code\""), "{}", answer.text);
                continue;
            }
            let tokens = world.redeem("web", &answer.param("code").unwrap()).await.json();
            assert!(claims(tokens["id_token"].as_str().unwrap()).get("nonce").is_none());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_without_redirect_uri_is_a_page_however_many_are_registered() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        for registered in [&[CALLBACK][..], &[CALLBACK, "https://shop.example/other"]] {
            world
                .change("web", |_, client| {
                    client.redirect_uris = registered.iter().map(|uri| uri.parse().unwrap()).collect();
                })
                .await;
            for prompt in ["", "none", "login"] {
                for mode in ["", "form_post"] {
                    let params = [("redirect_uri", ""), ("prompt", prompt), ("response_mode", mode)];
                    let answer = world.authorize(&alice.cookie, &params).await;
                    assert!(answer.is_error_page(), "{registered:?} {prompt}: {}", answer.text);
                    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
                    assert!(!answer.text.contains("code="), "nobody is told a code");
                }
            }
        }
        let second = [("redirect_uri", "https://shop.example/other")];
        assert!(world.authorize(&alice.cookie, &second).await.param("code").is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_framed_by_nobody() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let pages = [
            world.authorize(&alice.cookie, &[("redirect_uri", "https://evil.tld/")]).await,
            world.authorize(&alice.cookie, &[("response_mode", "form_post")]).await,
            world.get("/logout", &alice.cookie).await,
            world.get("/logout?post_logout_redirect_uri=https://evil.tld/", &alice.cookie).await,
        ];
        for page in pages {
            let policy = page.header("content-security-policy");
            assert!(page.text.contains("<html") && policy.contains("frame-ancestors 'none'"), "{policy}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_in_an_address_are_not_read() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let code = world.code(&alice, "openid").await;
        let own = format!("client_id=web&client_secret={SECRET}");
        let fields = redemption(&code);
        let answer = world.post(&format!("/token?{own}"), &[], &fields).await;
        assert!(matches!(answer.error().as_str(), "invalid_client" | "invalid_request"), "{}", answer.text);
        // Nor the rest of the request, nor what stands in both places.
        let header = basic("web", SECRET);
        let path = format!("/token?grant_type=authorization_code&code={code}");
        let answer = world.post(&path, &[("authorization", &header)], &[("redirect_uri", CALLBACK)]).await;
        assert_eq!(answer.error(), "invalid_request");
        for path in ["/introspect", "/revoke"] {
            let answer = world.post(&format!("{path}?{own}"), &[], &[("token", &code)]).await;
            assert!(answer.status.is_client_error(), "{path}: {}", answer.text);
        }
        assert_eq!(world.redeem("web", &code).await.status, StatusCode::OK, "the code was not touched");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_endpoint_ignores_what_it_does_not_know() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let header = basic("web", SECRET);
        let unknown = [("extra", "1"), ("foo[bar]", "<script>"), ("", "x"), ("audience_hint", "y")];
        let code = world.code(&alice, "openid").await;
        let fields: Vec<_> = redemption(&code).into_iter().chain(unknown).collect();
        let answer = world.post("/token", &[("authorization", &header)], &fields).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let token = answer.json()["refresh_token"].as_str().unwrap().to_owned();
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", &token)];
        let fields: Vec<_> = refresh.into_iter().chain(unknown).collect();
        let answer = world.post("/token", &[("authorization", &header)], &fields).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert!(answer.json().get("extra").is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_tokens_without_saying_who_it_is() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let code = world.code(&alice, "openid").await;
        let tokens = world.redeem("web", &code).await.json();
        let refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
        let fresh = world.code(&alice, "openid").await;
        let by_code = redemption(&fresh).to_vec();
        let by_refresh = vec![("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        for grant in [by_code, by_refresh] {
            for client in
                [vec![], vec![("client_id", "web")], vec![("client_id", "web"), ("client_secret", "")]]
            {
                let fields: Vec<_> = grant.iter().copied().chain(client).collect();
                let answer = world.post("/token", &[], &fields).await;
                let error = answer.error();
                assert!(
                    matches!(error.as_str(), "invalid_client" | "invalid_request"),
                    "{fields:?}: {error}"
                );
            }
        }
        // Whoever could not say who it is has ended nothing either.
        assert_eq!(world.redeem("web", &fresh).await.status, StatusCode::OK);
        assert_eq!(world.refresh("web", &refresh).await.status, StatusCode::OK);
        assert_eq!(world.userinfo(tokens["access_token"].as_str().unwrap()).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_got_in_a_race_end_with_their_application() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let first = world.tokens(&alice, "openid offline_access").await;
        let refresh = first["refresh_token"].as_str().unwrap().to_owned();
        let mut all = vec![first];
        let callers: Vec<_> = (0..10)
            .map(|_| {
                let fields =
                    oauth::params::encode([("grant_type", "refresh_token"), ("refresh_token", &refresh)]);
                let headers = [
                    ("content-type", "application/x-www-form-urlencoded"),
                    ("authorization", &basic("web", SECRET)),
                ];
                let request = crate::world::request(axum::http::Method::POST, "/token", &headers, &fields);
                tokio::spawn(crate::world::send(world.router.clone(), request))
            })
            .collect();
        for caller in callers {
            all.push(caller.await.unwrap().json());
        }
        for tokens in &all {
            let access = tokens["access_token"].as_str().unwrap();
            assert_eq!(world.userinfo(access).await.status, StatusCode::OK);
        }
        world.change("web", |row, _| row.state = "disabled".into()).await;
        for tokens in &all {
            let access = tokens["access_token"].as_str().unwrap();
            assert_eq!(world.userinfo(access).await.status, StatusCode::UNAUTHORIZED);
            let refresh = tokens["refresh_token"].as_str().unwrap();
            assert_eq!(world.refresh("web", refresh).await.error(), "invalid_client");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_20_the_session_of_before_never_stands_for_a_new_sign_in() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        world.pass(100);
        let aged = world.authorize(&alice.cookie, &[("max_age", "101")]).await;
        let tokens = world.redeem("web", &aged.param("code").unwrap()).await.json();
        let id_token = claims(tokens["id_token"].as_str().unwrap());
        assert_eq!(id_token["auth_time"], world.now().seconds() - 100, "and it says when that was");
        assert_eq!(id_token["amr"], json!(["pwd"]));
        for param in [("max_age", "99"), ("max_age", "0"), ("prompt", "login"), ("prompt", "login consent")] {
            let answer = world.authorize(&alice.cookie, &[param]).await;
            assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "the sign-in"), "{param:?}");
            let begun = world.begun().unwrap();
            let rules = world.rules(&begun.request, Some(alice.person), world.now().micros()).await;
            assert!(rules.fresh_after > world.now().micros() - 100_000_000, "{param:?}");
        }
        // A silent request is told so, by error and not by an old answer.
        for params in [[("prompt", "none"), ("max_age", "99")], [("prompt", "none"), ("max_age", "0")]] {
            let answer = world.authorize(&alice.cookie, &params).await;
            assert_eq!(answer.param("error").as_deref(), Some("login_required"), "{params:?}");
            assert_eq!(answer.param("state").as_deref(), Some("st4te"));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_44_no_token_is_exchanged_for_another() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let tokens = world.tokens(&alice, "openid").await;
        let access = tokens["access_token"].as_str().unwrap();
        let document = world.get("/.well-known/openid-configuration", "").await.json();
        let offered = document["grant_types_supported"].as_array().unwrap();
        for grant in [
            "urn:ietf:params:oauth:grant-type:token-exchange",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "urn:ietf:params:oauth:grant-type:saml2-bearer",
            "urn:ietf:params:oauth:grant-type:device_code",
            "urn:openid:params:grant-type:ciba",
            "password",
            "implicit",
        ] {
            assert!(!offered.contains(&json!(grant)), "{grant}");
            let fields = [
                ("grant_type", grant),
                ("subject_token", access),
                ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
                ("assertion", access),
                ("device_code", access),
                ("username", "alice@example.com"),
                ("password", "x"),
            ];
            for client in ["web", "robot", "partner"] {
                let answer =
                    world.post("/token", &[("authorization", &basic(client, SECRET))], &fields).await;
                assert_eq!(answer.error(), "unsupported_grant_type", "{client} {grant}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_51_a_token_is_for_what_its_application_may_ask_for_and_was_given() {
    on_each(async |world| {
        const API: &str = "https://api.example";
        const OTHER: &str = "https://other.example";
        world.change("web", |_, client| client.audiences = vec![API.to_owned(), OTHER.to_owned()]).await;
        let alice = world.signed_in("alice@example.com").await;
        for foreign in [
            "https://evil.tld",
            "https://api.example/",
            "https://api.example.evil.tld",
            "HTTPS://API.EXAMPLE",
        ] {
            let answer = world.authorize(&alice.cookie, &[("resource", foreign)]).await;
            assert_eq!(answer.param("error").as_deref(), Some("invalid_target"), "{foreign}");
            // The partner has no such audience at all.
            let other = [("client_id", "partner"), ("resource", API)];
            assert_eq!(
                world.authorize(&alice.cookie, &other).await.param("error").unwrap(),
                "invalid_target"
            );
        }
        let header = basic("web", SECRET);
        let token = async |fields: &[(&str, &str)], resource: &str| {
            let asked = Some(("resource", resource)).filter(|(_, value)| !value.is_empty());
            let fields: Vec<_> = fields.iter().copied().chain(asked).collect();
            world.post("/token", &[("authorization", &header)], &fields).await
        };
        let answer =
            world.authorize(&alice.cookie, &[("resource", API), ("scope", "openid offline_access")]).await;
        let code = answer.param("code").unwrap();
        let tokens = token(&redemption(&code), "").await.json();
        let audience =
            |tokens: &serde_json::Value| claims(tokens["access_token"].as_str().unwrap())["aud"].to_string();
        assert!(
            audience(&tokens).contains(API) && !audience(&tokens).contains(OTHER),
            "{}",
            audience(&tokens)
        );
        let refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        for wider in [OTHER, "https://evil.tld"] {
            assert_eq!(token(&fields, wider).await.error(), "invalid_target", "{wider}");
        }
        let again = token(&fields, API).await.json();
        assert_eq!(audience(&again), format!("\"{API}\""));
        // What the application may no longer ask for is in no token any more.
        world.change("web", |_, client| client.audiences = vec![OTHER.to_owned()]).await;
        let refresh = again["refresh_token"].as_str().unwrap().to_owned();
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        assert_eq!(token(&fields, API).await.error(), "invalid_target");
        assert!(!audience(&token(&fields, "").await.json()).contains(API));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_33_secrets_that_are_made_here_have_256_random_bits() {
    on_each(async |world| {
        crate::register::allow(world, json!({ "client_registration": "open" })).await;
        let mut all = std::collections::BTreeSet::new();
        for _ in 0..20 {
            let headers = [("content-type", "application/json")];
            let body = json!({ "redirect_uris": ["https://rp.example/cb"] }).to_string();
            let request = crate::world::request(axum::http::Method::POST, "/register", &headers, &body);
            let secret = world.call(request).await.json()["client_secret"].as_str().unwrap().to_owned();
            let bytes =
                base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, &secret).unwrap();
            assert!(bytes.len() >= 32, "{}", bytes.len());
            // Two have no beginning and no end in common.
            assert!(all.insert(secret[..8].to_owned()) && all.insert(secret[secret.len() - 8..].to_owned()));
        }
    })
    .await;
}
