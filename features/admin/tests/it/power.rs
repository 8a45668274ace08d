//! Nobody gains by the API what they lack.

use crate::world::{As, ORDINARY, worlds};
use http::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn abuse_68_no_call_gives_a_key_a_permission_that_it_lacks() {
    for world in worlds().await {
        let operator = As::operator();
        // An administrator, a key and an application that may do everything.
        let boss = world.user("boss").await;
        let path = format!("/users/{boss}/administrator");
        world.call(&operator, ("PUT", &path), Some(json!({ "scopes": ORDINARY })), &[]).await.ok();
        let strong = json!({ "name": "strong", "scopes": ORDINARY });
        let strong = world.post(&operator, "/api-keys", strong).await.ok();
        let strong_id = strong["key"]["id"].as_str().unwrap();
        let machine = |scopes: &str| {
            json!({ "metadata": { "grant_types": ["client_credentials"], "scopes": scopes.split(' ').collect::<Vec<_>>(),
                "audiences": ["http://localhost:8080/api/v1"] } })
        };
        let app = world.post(&operator, "/applications", machine(&ORDINARY.join(" "))).await.ok();
        let app = app["application"]["id"].as_str().unwrap();
        let harmless = json!({ "metadata": { "redirect_uris": ["https://a.example/cb"] } });
        let harmless = world.post(&operator, "/applications", harmless).await.ok();
        let harmless = harmless["application"]["id"].as_str().unwrap();
        let anna = world.user("anna").await;

        // Whoever lacks one permission, whichever, gets at it by none of these.
        for lacking in ORDINARY {
            let rest: Vec<&str> = ORDINARY.iter().copied().filter(|scope| scope != lacking).collect();
            let caller = world.key("", &rest).await;
            let with = json!([lacking]);
            let attempts: Vec<(&str, String, Option<Value>)> = vec![
                ("POST", "/api-keys".into(), Some(json!({ "name": "x", "scopes": with }))),
                ("PATCH", format!("/api-keys/{strong_id}"), Some(json!({ "name": "mine" }))),
                ("DELETE", format!("/api-keys/{strong_id}"), None),
                ("PUT", format!("/users/{anna}/administrator"), Some(json!({ "scopes": with }))),
                ("PUT", format!("/users/{boss}/administrator"), Some(json!({ "scopes": ["users:read"] }))),
                ("DELETE", format!("/users/{boss}/administrator"), None),
                (
                    "POST",
                    format!("/users/{boss}/identifiers"),
                    Some(json!({ "value": "me@evil.example", "verified": true })),
                ),
                ("DELETE", format!("/users/{boss}/identifiers/email/boss@example.com"), None),
                ("PATCH", format!("/users/{boss}"), Some(json!({ "locale": "de" }))),
                ("POST", format!("/users/{boss}/require-password-change"), None),
                ("DELETE", format!("/users/{boss}"), None),
                ("DELETE", format!("/users/{boss}/sessions"), None),
                ("DELETE", format!("/users/{boss}/sessions/ses_{}", "A".repeat(22)), None),
                ("POST", "/applications".into(), Some(machine(lacking))),
                ("PATCH", format!("/applications/{app}"), Some(json!({ "metadata": { "name": "x" } }))),
                ("POST", format!("/applications/{app}/secrets"), Some(json!({}))),
                ("PATCH", format!("/applications/{harmless}"), Some(machine(lacking))),
            ];
            for (method, path, body) in attempts {
                let reply = world.call(&caller, (method, &path), body, &[]).await;
                assert_eq!(
                    reply.status,
                    StatusCode::FORBIDDEN,
                    "without {lacking}: {method} {path}: {}",
                    reply.text
                );
                assert!(["beyond-caller", "insufficient-scope"].contains(&reply.code().as_str()));
            }
        }
        let read = world.get(&operator, &format!("/users/{boss}")).await.ok();
        assert_eq!(read["version"], 2, "raised once, when they were made administrator");
        let administrators = world.get(&operator, "/administrators").await.ok();
        assert_eq!(administrators["items"].as_array().unwrap().len(), 1);
        world.remove().await;
    }
}

#[tokio::test]
async fn a_key_makes_keys_of_its_own_scopes_and_revokes_itself() {
    for world in worlds().await {
        let caller = world.key("", &["api-keys:write", "users:read"]).await;
        let less = json!({ "name": "less", "scopes": ["users:read"] });
        assert_eq!(world.post(&caller, "/api-keys", less).await.status, StatusCode::CREATED);
        let keys = world.get(&As::operator(), "/api-keys").await.ok();
        let own = keys["items"][0]["id"].as_str().unwrap();
        assert_eq!(world.delete(&caller, &format!("/api-keys/{own}")).await.status, StatusCode::NO_CONTENT);
        assert_eq!(world.get(&caller, "/users").await.status, StatusCode::UNAUTHORIZED);
        world.remove().await;
    }
}
