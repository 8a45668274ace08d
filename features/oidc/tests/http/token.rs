use crate::world::{
    CALLBACK, ISSUER, SECRET, VERIFIER, basic, claims, on_each, part, redemption, request, send,
};
use axum::http::{Method, StatusCode};
use oauth::params::encode;
use serde_json::json;
use store::rows::{
    application, key,
    person::{self, Raise},
    session,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_path_ends_in_tokens_that_say_who_it_is() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        world.pass(5);
        let answer = world.redeem("web", &world.code(&alice, "openid email").await).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("pragma"), "no-cache");
        let tokens = answer.json();
        assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(600)));
        assert_eq!(tokens["scope"], "email openid");

        let id_token = tokens["id_token"].as_str().unwrap();
        let access_token = tokens["access_token"].as_str().unwrap();
        assert_eq!(part(id_token, 0)["alg"], "RS256");
        let now = world.now().seconds();
        let at_hash = jose::Algorithm::Rs256.half_hash(access_token);
        let sid = alice.session.to_string();
        assert_eq!(
            claims(id_token),
            json!({ "iss": ISSUER, "sub": alice.sub, "aud": "web", "exp": now + 600, "iat": now,
                "auth_time": now - 5, "nonce": "n0nce", "acr": "1", "amr": ["pwd"], "sid": sid, "at_hash": at_hash })
        );
        let header = part(access_token, 0);
        assert_eq!((&header["alg"], &header["typ"]), (&json!("ES256"), &json!("at+jwt")));
        let access = claims(access_token);
        assert_eq!(
            (&access["iss"], &access["sub"], &access["aud"], &access["client_id"], &access["scope"], &access["sid"]),
            (&json!(ISSUER), &json!(alice.sub), &json!(ISSUER), &json!("web"), &json!("email openid"), &json!(sid))
        );
        let info = world.userinfo(access_token).await.json();
        assert_eq!(info, json!({ "sub": alice.sub, "email": "alice@example.com", "email_verified": true }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_asked_for_one_by_one_are_in_the_id_token() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let wish = r#"{"id_token":{"name":{"essential":true},"loyalty":null},"userinfo":{"birthdate":null}}"#;
        let code = world.authorize(&alice.cookie, &[("claims", wish)]).await.param("code").unwrap();
        let tokens = world.redeem("web", &code).await.json();
        let id_token = claims(tokens["id_token"].as_str().unwrap());
        assert_eq!(id_token["name"], "Alice Example");
        assert!(id_token.get("loyalty").is_none() && id_token.get("email").is_none());
        let info = world.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
        assert_eq!(info, json!({ "sub": alice.sub, "birthdate": "2000-02-29" }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_that_never_asks_for_userinfo_has_its_claims_in_the_id_token() {
    on_each(async |world| {
        world.change("web", |_, client| client.userinfo_in_id_token = true).await;
        let alice = world.signed_in("alice@example.com").await;
        let tokens = world.tokens(&alice, "openid email").await;
        let id_token = claims(tokens["id_token"].as_str().unwrap());
        assert_eq!(
            (&id_token["email"], &id_token["email_verified"]),
            (&json!("alice@example.com"), &json!(true))
        );
        assert!(id_token.get("name").is_none(), "that is of another scope");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_32_a_code_of_fifty_callers_at_once_succeeds_once() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        world.tokens(&alice, "openid").await;
        let code = world.code(&alice, "openid").await;
        let body = encode(redemption(&code));
        let calls: Vec<_> = (0..50)
            .map(|_| {
                let headers = [
                    ("content-type", "application/x-www-form-urlencoded"),
                    ("authorization", &basic("web", SECRET)),
                ];
                tokio::spawn(send(world.router.clone(), request(Method::POST, "/token", &headers, &body)))
            })
            .collect();
        let mut won = Vec::new();
        for call in calls {
            let answer = call.await.unwrap();
            match answer.status {
                StatusCode::OK => won.push(answer.json()),
                _ => assert_eq!(answer.error(), "invalid_grant"),
            }
        }
        assert_eq!(won.len(), 1);
        // The others were replays: nobody keeps anything.
        let token = won[0]["access_token"].as_str().unwrap();
        assert!(!world.grants_live(token).await);
        assert_eq!(world.userinfo(token).await.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_used_again_after_30_seconds_or_an_hour_ends_its_grant() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        for later in [0, 30, 3_600] {
            let code = world.code(&alice, "openid").await;
            let tokens = world.redeem("web", &code).await.json();
            let access = tokens["access_token"].as_str().unwrap();
            world.pass(later.min(500));
            assert_eq!(world.userinfo(access).await.status, StatusCode::OK);
            world.pass(later.saturating_sub(500));
            assert_eq!(world.redeem("web", &code).await.error(), "invalid_grant");
            assert_eq!(world.userinfo(access).await.status, StatusCode::UNAUTHORIZED);
            let refresh = tokens["refresh_token"].as_str().unwrap();
            assert_eq!(world.refresh("web", refresh).await.error(), "invalid_grant");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_31_a_code_of_one_application_is_nothing_to_another() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let code = world.code(&alice, "openid").await;
        assert_eq!(world.redeem("steady", &code).await.error(), "invalid_grant");
        let tokens = world.redeem("web", &code).await.json();
        // Somebody else's replay ends nothing, and neither does one without the verifier.
        assert_eq!(world.redeem("steady", &code).await.error(), "invalid_grant");
        let web = basic("web", SECRET);
        let fields =
            [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK)];
        let bare = world.post("/token", &[("authorization", &web)], &fields).await;
        assert_eq!(bare.error(), "invalid_grant");
        let refresh = tokens["refresh_token"].as_str().unwrap();
        assert_eq!(world.refresh("steady", refresh).await.error(), "invalid_grant");
        assert_eq!(world.userinfo(tokens["access_token"].as_str().unwrap()).await.status, StatusCode::OK);
        assert_eq!(world.refresh("web", refresh).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_34_the_verifier_belongs_to_the_challenge() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let code = world.code(&alice, "openid").await;
        let web = basic("web", SECRET);
        let other = "x".repeat(43);
        for verifier in ["", &other] {
            let mut fields = redemption(&code).to_vec();
            fields[3].1 = verifier;
            let answer = world.post("/token", &[("authorization", &web)], &fields).await;
            assert_eq!(answer.error(), "invalid_grant", "{verifier:?}");
        }
        assert_eq!(world.redeem("web", &code).await.status, StatusCode::OK);
        let bare = [("code_challenge", ""), ("code_challenge_method", "")];
        let code = world.authorize(&alice.cookie, &bare).await.param("code").unwrap();
        assert_eq!(world.redeem("web", &code).await.error(), "invalid_grant", "a verifier nobody asked for");
        let mut fields = redemption(&code).to_vec();
        fields.truncate(3);
        fields[2].1 = "https://shop.example/other";
        let answer = world.post("/token", &[("authorization", &web)], &fields).await;
        assert_eq!(answer.error(), "invalid_grant", "another redirect_uri");
        fields[2].1 = CALLBACK;
        let answer = world.post("/token", &[("authorization", &web)], &fields).await;
        assert_eq!(answer.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_23_a_code_lives_sixty_seconds() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let (in_time, late) = (world.code(&alice, "openid").await, world.code(&alice, "openid").await);
        world.pass(59);
        assert_eq!(world.redeem("web", &in_time).await.status, StatusCode::OK);
        world.pass(1);
        assert_eq!(world.redeem("web", &late).await.error(), "invalid_grant");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_07_30_nothing_works_for_whoever_is_locked_out() {
    enum End {
        Suspend,
        SignOutEverywhere,
        Session,
    }
    on_each(async |world| {
        for (number, end) in [End::Suspend, End::SignOutEverywhere, End::Session].into_iter().enumerate() {
            let alice = world.signed_in(&format!("alice{number}@example.com")).await;
            let bound = world.tokens(&alice, "openid").await;
            let offline = world.tokens(&alice, "openid offline_access").await;
            let code = world.code(&alice, "openid").await;
            let row = person::by_id(&world.db, world.tenant.id, alice.person).await.unwrap().unwrap();
            let mut unit = world.unit("person.changed");
            match end {
                End::Suspend => person::set_state(&mut unit, world.tenant.id, &row, "suspended", world.now()),
                End::SignOutEverywhere => {
                    let person = (row.id, row.epoch);
                    person::raise(&mut unit, world.tenant.id, person, Raise::Everything, world.now());
                }
                End::Session => {
                    session::end(&mut unit, world.tenant.id, (alice.session, row.id), world.now());
                }
            }
            world.commit(unit).await;
            assert_eq!(world.redeem("web", &code).await.error(), "invalid_grant");
            let login = world.authorize(&alice.cookie, &[("prompt", "none")]).await;
            assert_eq!(login.param("error").as_deref(), Some("login_required"));
            let survives = matches!(end, End::Session);
            for (tokens, lives) in [(bound, false), (offline, survives)] {
                let info = world.userinfo(tokens["access_token"].as_str().unwrap()).await;
                assert_eq!(info.status == StatusCode::OK, lives);
                let refreshed = world.refresh("web", tokens["refresh_token"].as_str().unwrap()).await;
                assert_eq!(refreshed.status == StatusCode::OK, lives, "{}", refreshed.text);
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_08_a_disabled_application_has_no_tokens() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let tokens = world.tokens(&alice, "openid offline_access").await;
        let code = world.code(&alice, "openid").await;
        world.change("web", |row, _| row.state = "disabled".into()).await;
        for answer in [
            world.redeem("web", &code).await,
            world.refresh("web", tokens["refresh_token"].as_str().unwrap()).await,
        ] {
            assert_eq!(
                (answer.status, answer.error().as_str()),
                (StatusCode::UNAUTHORIZED, "invalid_client")
            );
        }
        let info = world.userinfo(tokens["access_token"].as_str().unwrap()).await;
        assert_eq!(info.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_proves_who_it_is_in_one_way() {
    on_each(async |world| {
        let fields = [("grant_type", "client_credentials")];
        let wrong = world.post("/token", &[("authorization", &basic("robot", "wrong"))], &fields).await;
        assert_eq!((wrong.status, wrong.error().as_str()), (StatusCode::UNAUTHORIZED, "invalid_client"));
        assert!(wrong.header("www-authenticate").starts_with("Basic "));
        assert_eq!(wrong.header("cache-control"), "no-store");
        let unknown = world.post("/token", &[("authorization", &basic("nobody", "wrong"))], &fields).await;
        assert_eq!(unknown.text, wrong.text, "unknown and wrong look alike");

        let post = |secret| [fields[0], ("client_id", "robot"), ("client_secret", secret)];
        let wrong = world.post("/token", &[], &post("wrong")).await;
        assert_eq!((wrong.status, wrong.header("www-authenticate")), (StatusCode::UNAUTHORIZED, ""));
        assert_eq!(world.post("/token", &[], &post(SECRET)).await.status, StatusCode::OK);

        let robot = basic("robot", SECRET);
        let both = world.post("/token", &[("authorization", &robot)], &post(SECRET)).await;
        assert_eq!((both.status, both.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_request"));
        for client in ["robot", "web", "nobody"] {
            let none = world.post("/token", &[], &[fields[0], ("client_id", client)]).await;
            assert_eq!(none.error(), "invalid_client", "{client}");
        }
        let spa = [("grant_type", "refresh_token"), ("client_id", "spa"), ("client_secret", "x")];
        assert_eq!(world.post("/token", &[], &spa).await.error(), "invalid_client");

        let json = [("content-type", "application/json"), ("authorization", robot.as_str())];
        let answer = world.call(request(Method::POST, "/token", &json, r#"{"grant_type":"x"}"#)).await;
        assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_request"));
        let query = world.get("/token?grant_type=client_credentials", "").await;
        assert_eq!(query.status, StatusCode::METHOD_NOT_ALLOWED);
        for (grant, error) in [
            ("password", "unsupported_grant_type"),
            ("implicit", "unsupported_grant_type"),
            ("authorization_code", "unauthorized_client"),
            ("", "invalid_request"),
        ] {
            let answer = world.post("/token", &[("authorization", &robot)], &[("grant_type", grant)]).await;
            assert_eq!(answer.error(), error, "{grant}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_gets_a_token_of_its_own() {
    on_each(async |world| {
        let robot = basic("robot", SECRET);
        let grant = async |scope| {
            let fields = [("grant_type", "client_credentials"), ("scope", scope)];
            world.post("/token", &[("authorization", &robot)], &fields).await
        };
        let tokens = grant("orders.read").await.json();
        assert!(tokens.get("refresh_token").is_none() && tokens.get("id_token").is_none());
        let access = tokens["access_token"].as_str().unwrap();
        let said = claims(access);
        assert_eq!((&said["sub"], &said["client_id"]), (&json!("robot"), &json!("robot")));
        assert_eq!((&said["scope"], &said["aud"]), (&json!("orders.read"), &json!(ISSUER)));
        assert_eq!(grant("").await.json()["scope"], "orders.read orders.write");
        assert_eq!(grant("openid").await.error(), "invalid_scope");
        assert_eq!(grant("admin").await.error(), "invalid_scope");
        let info = world.userinfo(access).await;
        assert_eq!((info.status, info.error().as_str()), (StatusCode::FORBIDDEN, "insufficient_scope"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_scripts_of_a_public_application_read_its_answers() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let ask = [("client_id", "spa"), ("redirect_uri", "https://spa.example/cb")];
        let redeem = async |origin| {
            let code = world.authorize(&alice.cookie, &ask).await.param("code").unwrap();
            let fields = [
                ("grant_type", "authorization_code"),
                ("client_id", "spa"),
                ("code", &code),
                ("redirect_uri", "https://spa.example/cb"),
                ("code_verifier", VERIFIER),
            ];
            world.post("/token", &[("origin", origin)], &fields).await
        };
        let own = redeem("https://spa.example").await;
        assert_eq!(own.status, StatusCode::OK, "{}", own.text);
        assert_eq!(own.header("access-control-allow-origin"), "https://spa.example");
        assert_eq!(own.header("access-control-allow-credentials"), "");
        for origin in ["https://evil.tld", "https://spa.exampl", "https://spa.example.evil.tld", "null"] {
            assert_eq!(redeem(origin).await.header("access-control-allow-origin"), "", "{origin}");
        }
        let web = world.redeem("web", &world.code(&alice, "openid").await).await;
        assert_eq!(web.header("access-control-allow-origin"), "");
        for path in ["/token", "/userinfo"] {
            let asked = [("origin", "https://spa.example"), ("access-control-request-method", "POST")];
            let answer = world.call(request(Method::OPTIONS, path, &asked, "")).await;
            assert_eq!(answer.status, StatusCode::NO_CONTENT);
            assert!(answer.header("access-control-allow-headers").contains("authorization"));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_secret_is_made_anew_under_the_newest_key() {
    on_each(async |world| {
        let tenant = world.tenant.id;
        let id = world.env().id();
        let place = base::Aad::new(&tenant, "key.sealed", &id);
        let newer = key::KeyRow {
            id,
            purpose: "client-secret".into(),
            algorithm: "HS256".into(),
            version: 2,
            state: key::KeyState::Current,
            sealed: world.tenant.key.seal(&base::SystemRng, place, &[7; 32]),
            public: None,
            created_at: world.now(),
            changed_at: world.now(),
        };
        let mut unit = world.unit("key.created");
        key::insert(&mut unit, tenant, &newer);
        world.commit(unit).await;
        world.site.directory().forget(tenant);

        let robot = [("authorization", basic("robot", SECRET))];
        let robot = [(robot[0].0, robot[0].1.as_str())];
        let ask = async || world.post("/token", &robot, &[("grant_type", "client_credentials")]).await;
        assert_eq!(ask().await.status, StatusCode::OK);
        let id = application::by_client_id(&world.db, tenant, "robot").await.unwrap().unwrap().id;
        while application::secrets(&world.db, tenant, id).await.unwrap()[0].key_version != 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(ask().await.status, StatusCode::OK);
    })
    .await;
}
