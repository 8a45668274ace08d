//! `/api/v1/api-keys`.

use crate::world::{As, worlds};
use http::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn a_key_is_shown_once_used_until_it_ends_and_revoked() {
    for world in worlds().await {
        let operator = As::operator();
        let new = json!({ "name": "deploy", "scopes": ["users:read"], "expires_at": "2026-12-01T00:00:00Z" });
        let made = world.post(&operator, "/api-keys", new).await.ok();
        let secret = made["secret"].as_str().unwrap();
        assert!(secret.starts_with("ak_"));
        let path = format!("/api-keys/{}", made["key"]["id"].as_str().unwrap());
        let caller = As::token(secret);
        assert_eq!(world.get(&caller, "/users").await.status, StatusCode::OK);
        let read = world.get(&operator, &path).await;
        assert!(!read.text.contains(secret) && read.json()["used_at"].is_string());
        assert_eq!(world.get(&caller.clone().at_acme(), "/users").await.status, StatusCode::UNAUTHORIZED);
        for wrong in
            [secret.replace("ak_", "at_"), format!("{secret}A"), secret[..secret.len() - 1].to_owned()]
        {
            assert_eq!(world.get(&As::token(&wrong), "/users").await.status, StatusCode::UNAUTHORIZED);
        }

        world.clock.advance(Duration::from_secs(30 * 86_400));
        assert_eq!(world.get(&caller, "/users").await.status, StatusCode::UNAUTHORIZED, "expired");
        world.patch(&operator, &path, json!({ "expires_at": null, "name": "later" })).await.ok();
        assert_eq!(world.get(&caller, "/users").await.status, StatusCode::OK);
        assert_eq!(world.delete(&operator, &path).await.status, StatusCode::NO_CONTENT);
        assert_eq!(world.get(&caller, "/users").await.status, StatusCode::UNAUTHORIZED, "revoked");
        assert_eq!(world.patch(&operator, &path, json!({ "name": "x" })).await.code(), "wrong-state");
        assert_eq!(world.get(&operator, &path).await.ok()["name"], "later");
        world.remove().await;
    }
}

#[tokio::test]
async fn keys_of_unknown_or_no_scopes_and_keys_that_ended_are_refused() {
    for world in worlds().await {
        let operator = As::operator();
        for wrong in [
            json!({ "name": "x", "scopes": [] }),
            json!({ "name": "x", "scopes": ["users:everything"] }),
            json!({ "name": "", "scopes": ["users:read"] }),
            json!({ "name": "x", "scopes": ["users:read"], "expires_at": "2020-01-01T00:00:00Z" }),
            json!({ "name": "x", "scopes": ["users:read"], "expires_at": "tomorrow" }),
            json!({ "name": "x", "scopes": ["users:read"], "secret": "ak_mine" }),
        ] {
            assert_eq!(world.post(&operator, "/api-keys", wrong.clone()).await.code(), "invalid", "{wrong}");
        }
        let acme = As::operator().at_acme();
        let server = json!({ "name": "x", "scopes": ["tenants:read"] });
        assert_eq!(world.post(&acme, "/api-keys", server).await.code(), "invalid");
        let none = json!({ "items": [], "next": Value::Null, "count": Value::Null });
        assert_eq!(world.get(&operator, "/api-keys").await.ok(), none);
        world.remove().await;
    }
}
