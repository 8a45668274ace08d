//! Tokens that let applications be registered.

use crate::world::{As, worlds};
use http::StatusCode;
use serde_json::json;

const PATH: &str = "/initial-access-tokens";

#[tokio::test]
async fn one_is_shown_once_listed_and_taken_back() {
    for world in worlds().await {
        let caller = world.key("", &["applications:read", "applications:write"]).await;
        let made = world.post(&caller, PATH, json!({ "uses": 3 })).await;
        assert_eq!(made.status, StatusCode::CREATED);
        let made = made.ok();
        assert!(made["secret"].as_str().unwrap().starts_with("ia_"));
        let id = made["token"]["id"].as_str().unwrap();
        let listed = world.get(&caller, PATH).await.ok();
        assert_eq!((&listed["items"][0]["id"], &listed["items"][0]["uses_left"]), (&json!(id), &json!(3)));
        assert!(!listed.to_string().contains(made["secret"].as_str().unwrap()));
        let acme = world.key("/t/acme", &["applications:read", "applications:write"]).await;
        assert_eq!(world.delete(&acme, &format!("{PATH}/{id}")).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.delete(&caller, &format!("{PATH}/{id}")).await.status, StatusCode::NO_CONTENT);
        assert_eq!(world.delete(&caller, &format!("{PATH}/{id}")).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.get(&caller, PATH).await.ok()["items"], json!([]));
        world.remove().await;
    }
}

#[tokio::test]
async fn uses_and_end_are_bounded() {
    for world in worlds().await {
        let operator = As::operator();
        for (body, field) in [
            (json!({ "uses": 0 }), "uses"),
            (json!({ "uses": 10_001 }), "uses"),
            (json!({ "expires_at": "2020-01-01T00:00:00Z" }), "expires_at"),
            (json!({ "expires_at": "2100-01-01T00:00:00Z" }), "expires_at"),
        ] {
            let refused = world.post(&operator, PATH, body).await;
            assert_eq!(refused.code(), "invalid");
            assert_eq!(refused.json()["fields"][0]["field"], field);
        }
        assert_eq!(world.get(&operator, PATH).await.ok()["items"], json!([]));
        world.remove().await;
    }
}
