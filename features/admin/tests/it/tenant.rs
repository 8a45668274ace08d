//! `/api/v1/settings`, `/keys`, `/tenants`.

use crate::world::{As, worlds};
use http::StatusCode;
use jose::Algorithm;
use serde_json::{Value, json};

#[tokio::test]
async fn settings_are_patched_checked_and_in_force_at_once() {
    for world in worlds().await {
        let caller = world.key("", &["settings:read", "settings:write"]).await;
        let patch = json!({ "registration": false, "theme": { "light": { "accent": "#3a4fd8" } } });
        let changed = world.patch(&caller, "/settings", patch).await.ok();
        assert_eq!((&changed["registration"], &changed["usernames"]), (&json!(false), &json!(true)));
        assert!(!world.directory.tenant(world.tenant.id).await.unwrap().unwrap().settings.registration);
        for (wrong, field) in [
            (json!({ "colour": 1 }), "colour"),
            (json!({ "locale": 1 }), "locale"),
            (json!({ "templates": {} }), "templates"),
            (json!({ "theme": { "light": { "accent": "red" } } }), "theme"),
            (json!({ "theme": { "shadow": 1 } }), "theme"),
            (json!({ "session_idle": 864000, "session_absolute": 3600 }), "session_idle"),
        ] {
            let reply = world.patch(&caller, "/settings", wrong.clone()).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{wrong}");
            assert_eq!(reply.json()["fields"][0]["field"], field, "{}", reply.text);
        }
        let back = world.patch(&caller, "/settings", json!({ "registration": null })).await.ok();
        assert_eq!(back["registration"], true);
        world.remove().await;
    }
}

#[tokio::test]
async fn a_signing_key_is_published_before_it_signs() {
    for world in worlds().await {
        let caller = world.key("", &["keys:read", "keys:write"]).await;
        let kid = |tenant: &std::sync::Arc<store::Tenant>| {
            tenant.signing_key(Algorithm::Es256).unwrap().kid().to_owned()
        };
        let states = |keys: &Value| -> Vec<String> {
            let keys = keys["items"].as_array().unwrap().iter().filter(|key| key["algorithm"] == "ES256");
            keys.map(|key| key["state"].as_str().unwrap().to_owned()).collect()
        };
        let first = kid(&world.tenant);
        let body = json!({ "algorithm": "ES256" });
        let published = world.post(&caller, "/keys/rotate", body.clone()).await.ok();
        assert_eq!(states(&published), ["current", "next"]);
        assert_eq!(kid(&world.fresh().await), first, "it does not sign yet");
        assert_eq!(
            world.fresh().await.published_keys(world.env.now()).count(),
            3,
            "but is published, beside RS256"
        );
        let rotated = world.post(&caller, "/keys/rotate", body).await.ok();
        assert_eq!(states(&rotated), ["retired", "current", "next"]);
        assert_ne!(kid(&world.fresh().await), first);
        let first_of_another =
            world.post(&caller, "/keys/rotate", json!({ "algorithm": "EdDSA" })).await.ok();
        assert!(first_of_another.to_string().contains("EdDSA"));
        assert!(world.fresh().await.signing_key(Algorithm::EdDsa).is_some(), "the first one signs at once");
        for wrong in ["HS256", "none", ""] {
            assert_eq!(
                world.post(&caller, "/keys/rotate", json!({ "algorithm": wrong })).await.code(),
                "invalid"
            );
        }
        world.remove().await;
    }
}

#[tokio::test]
async fn a_compromised_key_is_replaced_at_once_and_taken_back_where_that_is_wanted() {
    for world in worlds().await {
        let caller = world.key("", &["keys:read", "keys:write"]).await;
        let rotate = async |more: Value| {
            let mut body = json!({ "algorithm": "ES256" });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let keys = world.post(&caller, "/keys/rotate", body).await.ok();
            let of_it = keys["items"].as_array().unwrap().iter().filter(|key| key["algorithm"] == "ES256");
            of_it.cloned().collect::<Vec<_>>()
        };
        let states = |keys: &[Value]| {
            keys.iter().map(|key| key["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let keys = rotate(json!({ "now": true })).await;
        assert_eq!(states(&keys), ["retired", "current"]);
        let [retired, current] = keys.as_slice() else { panic!("{keys:?}") };
        assert_eq!((&retired["published"], &retired["rotates_at"]), (&json!(true), &Value::Null));
        assert!(retired["published_until"].is_string() && current["published_until"].is_null());
        assert!(current["rotates_at"].is_string() && current["age_days"] == 0);
        rotate(json!({})).await;
        assert_eq!(states(&rotate(json!({ "now": true })).await), ["retired", "retired", "current"]);

        let before = world.fresh().await;
        rotate(json!({})).await;
        let keys = rotate(json!({ "withdraw": true })).await;
        assert_eq!(states(&keys), ["withdrawn", "withdrawn", "withdrawn", "withdrawn", "current"]);
        assert!(keys[..4].iter().all(|key| key["published"] == false));
        let after = world.fresh().await;
        assert_eq!(after.published_keys(world.env.now()).count(), 2, "JWKS has none of them");
        let signed =
            before.signing_key(Algorithm::Es256).unwrap().sign(jose::Typ::IdToken, &json!({ "iss": "x" }));
        let signed = signed.unwrap();
        assert!(jose::verify(&signed, before.verifying_keys(), jose::Typ::IdToken).is_ok());
        assert!(jose::verify(&signed, after.verifying_keys(), jose::Typ::IdToken).is_err());
        let stored = store::rows::key::signing(&world.db, world.tenant.id).await.unwrap();
        let of_it = stored.iter().filter(|key| key.algorithm == "ES256");
        let kept: Vec<bool> = of_it.map(|key| !key.sealed.is_empty()).collect();
        assert_eq!(kept, [false, false, false, false, true], "their private halves are gone");
        let told = world.get(&As::operator(), "/events?kind=key.rotated").await.text;
        assert!(told.contains("withdrawn") && told.contains("taken over"), "{told}");
        world.remove().await;
    }
}

#[tokio::test]
async fn tenants_are_made_and_changed_at_the_first_tenant_only() {
    for world in worlds().await {
        let caller = world.key("", &["tenants:read", "tenants:write", "users:read"]).await;
        let made = world.post(&caller, "/tenants", json!({ "slug": "beta", "name": "Beta" })).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let made = made.json();
        assert_eq!(made["issuer"], "http://localhost:8080/t/beta");
        let path = format!("/tenants/{}", made["id"].as_str().unwrap());
        let key = json!({ "name": "first", "scopes": ["users:read"] });
        let key = world.post(&caller, &format!("{path}/api-keys"), key).await.ok();
        let beta = As { base: "/t/beta", ..As::token(key["secret"].as_str().unwrap()) };
        assert_eq!(world.get(&beta, "/users").await.status, StatusCode::OK);
        let more = json!({ "name": "more", "scopes": ["users:write"] });
        assert_eq!(world.post(&caller, &format!("{path}/api-keys"), more).await.code(), "beyond-caller");

        assert_eq!(world.post(&caller, "/tenants", json!({ "slug": "beta" })).await.code(), "taken");
        for wrong in [
            json!({ "slug": "Beta" }),
            json!({ "slug": "x", "issuer": "http://evil.example" }),
            json!({ "slug": "x", "settings": { "locale": 1 } }),
        ] {
            assert_eq!(world.post(&caller, "/tenants", wrong.clone()).await.code(), "invalid", "{wrong}");
        }
        world.patch(&caller, &path, json!({ "state": "disabled" })).await.ok();
        assert_eq!(world.get(&beta, "/users").await.status, StatusCode::NOT_FOUND);
        let own = format!("/tenants/{}", world.tenant.id);
        assert_eq!(world.patch(&caller, &own, json!({ "state": "disabled" })).await.code(), "wrong-state");
        assert_eq!(world.get(&caller, "/tenants?limit=2").await.ok()["items"].as_array().unwrap().len(), 2);
        world.remove().await;
    }
}

#[tokio::test]
async fn a_tenant_is_made_in_one_unit_with_the_answer_for_a_repeat() {
    for world in worlds().await {
        let caller = world.key("", &["tenants:read", "tenants:write", "events:read"]).await;
        let (body, key) = (json!({ "slug": "more" }), [("idempotency-key", "once")]);
        let post = async || world.call(&caller, ("POST", "/tenants"), Some(body.clone()), &key).await;
        let (one, other) = tokio::join!(post(), post());
        let (one, other, again) = (one.ok(), other.ok(), post().await.ok());
        assert_eq!((&one, &one), (&other, &again));
        assert_eq!(world.post(&caller, "/tenants", body.clone()).await.code(), "taken");
        let added = world.get(&caller, "/events?kind=tenant.added").await.ok();
        assert_eq!(added["items"].as_array().unwrap().len(), 1);
        // The event of the API and the tenant itself are of one commit: neither is there without the other.
        let of: Vec<i64> = world
            .db
            .many("SELECT count(*) FROM event WHERE kind IN ('tenant.added', 'tenant.created')", vec![])
            .await
            .unwrap();
        assert_eq!(of, [4], "three tenants were made, one of them here");
        world.remove().await;
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_a_problem_wherever_it_is_sent() {
    for world in worlds().await {
        let operator = As::operator();
        let body = json!({ "name": "x".repeat(3 * 1024 * 1024) });
        for (method, path) in
            [("POST", "/users"), ("PATCH", "/settings"), ("POST", "/tenants"), ("POST", "/api-keys")]
        {
            let reply = world.call(&operator, (method, path), Some(body.clone()), &[]).await;
            assert_eq!((reply.status.as_u16(), reply.code().as_str()), (413, "too-large"), "{method} {path}");
        }
        assert_eq!(world.call(&operator, ("POST", "/nowhere"), Some(body), &[]).await.code(), "not-found");
        world.remove().await;
    }
}
