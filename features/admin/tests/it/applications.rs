//! `/api/v1/applications` and their secrets.

use crate::world::{As, World, id, worlds};
use http::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

fn shop() -> Value {
    json!({ "client_id": "shop", "metadata": { "name": "Shop", "redirect_uris": ["https://shop.example/cb"] } })
}

/// Whether the protocol lets the application in by this secret now.
async fn accepts(world: &World, application: &str, secret: &str) -> bool {
    let tenant = world.fresh().await;
    let found = world.directory.application_by_id(&tenant, id(application)).await.unwrap().unwrap();
    found.active && found.accepts_secret(&tenant, secret, world.env.now())
}

#[tokio::test]
async fn an_application_is_made_with_a_secret_shown_once_and_disabled_not_erased() {
    for world in worlds().await {
        let caller = world.key("", &["applications:read", "applications:write"]).await;
        let reply = world.post(&caller, "/applications", shop()).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text);
        let made = reply.json();
        let (secret, app) = (made["client_secret"].as_str().unwrap(), &made["application"]);
        let app_id = app["id"].as_str().unwrap();
        assert!(accepts(&world, app_id, secret).await);
        let path = format!("/applications/{app_id}");
        let read = world.get(&caller, &path).await;
        assert!(!read.text.contains(secret));
        assert_eq!(read.ok(), *app, "what was answered is what is stored");
        assert_eq!(world.post(&caller, "/applications", shop()).await.code(), "taken");

        let patch = json!({ "metadata": { "name": null, "require_pkce": true } });
        let changed = world.patch(&caller, &path, patch).await.ok();
        assert_eq!(changed["metadata"]["require_pkce"], true);
        assert_eq!((&changed["metadata"]["name"], &changed["version"]), (&Value::Null, &json!(2)));
        let public = json!({ "metadata": { "token_endpoint_auth_method": "none" } });
        world.patch(&caller, &path, public).await.ok();
        assert!(!accepts(&world, app_id, secret).await, "a public application keeps no secret");

        assert_eq!(world.delete(&caller, &path).await.status, StatusCode::NO_CONTENT);
        assert_eq!(world.get(&caller, &path).await.ok()["state"], "disabled");
        world.remove().await;
    }
}

#[tokio::test]
async fn metadata_that_makes_no_sense_are_refused_with_their_field() {
    for world in worlds().await {
        let operator = As::operator();
        for (metadata, field) in [
            (json!({ "redirect_uris": ["https://a.example/#x"] }), "metadata.redirect_uris"),
            (json!({ "redirect_uris": ["https://a.example/"], "colour": "red" }), "metadata.colour"),
            (json!({ "redirect_uris": ["https://a.example/"], "client_id": "x" }), "metadata.client_id"),
            (json!({ "redirect_uris": ["https://a.example/"], "lifetimes": { "code": 3600 } }), "metadata"),
            (json!({ "redirect_uris": ["https://a.example/"], "name": "" }), "metadata.name"),
            (json!({ "redirect_uris": [] }), "metadata"),
        ] {
            let reply = world.post(&operator, "/applications", json!({ "metadata": metadata })).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{metadata}: {}", reply.text);
            assert_eq!(reply.json()["fields"][0]["field"], field, "{}", reply.text);
        }
        assert_eq!(world.get(&operator, "/applications").await.ok()["items"], json!([]));
        world.remove().await;
    }
}

#[tokio::test]
async fn a_rotated_secret_overlaps_with_those_before_and_then_stands_alone() {
    for world in worlds().await {
        let caller = world.key("", &["applications:read", "applications:write"]).await;
        let made = world.post(&caller, "/applications", shop()).await.ok();
        let (first, app) =
            (made["client_secret"].as_str().unwrap(), made["application"]["id"].as_str().unwrap());
        let path = format!("/applications/{app}/secrets");
        let second = world.post(&caller, &path, json!({ "overlap": 3600 })).await.ok();
        let second = second["client_secret"].as_str().unwrap();
        assert!(accepts(&world, app, first).await && accepts(&world, app, second).await);
        world.clock.advance(Duration::from_secs(3_601));
        assert!(!accepts(&world, app, first).await && accepts(&world, app, second).await);
        let listed = world.get(&caller, &path).await;
        assert!(!listed.text.contains(second) && !listed.text.contains("mac"), "{}", listed.text);
        let listed = listed.ok();
        let newest = listed["items"][1]["id"].as_str().unwrap();
        assert!(listed["items"][0]["expires_at"].is_string() && listed["items"][1]["expires_at"].is_null());
        assert_eq!(world.delete(&caller, &format!("{path}/{newest}")).await.status, StatusCode::NO_CONTENT);
        assert!(!accepts(&world, app, second).await);
        assert_eq!(world.post(&caller, &path, json!({ "overlap": 99_999_999 })).await.code(), "invalid");
        world.remove().await;
    }
}

#[tokio::test]
async fn abuse_67_a_secret_is_removed_under_its_own_application_only() {
    for world in worlds().await {
        let operator = As::operator();
        let made = world.post(&operator, "/applications", shop()).await.ok();
        let (secret, app) =
            (made["client_secret"].as_str().unwrap(), made["application"]["id"].as_str().unwrap());
        let other = json!({ "metadata": { "redirect_uris": ["https://b.example/cb"] } });
        let other = world.post(&operator, "/applications", other).await.ok();
        let other = other["application"]["id"].as_str().unwrap();
        let listed = world.get(&operator, &format!("/applications/{app}/secrets")).await.ok();
        let id = listed["items"][0]["id"].as_str().unwrap();
        let foreign = world.delete(&operator, &format!("/applications/{other}/secrets/{id}")).await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND);
        assert!(accepts(&world, app, secret).await);
        world.remove().await;
    }
}
