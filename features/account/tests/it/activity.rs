//! `/account/activity`.

use crate::world::worlds;
use http::StatusCode;
use serde_json::json;

const PATH: &str = "/account/activity";

#[tokio::test]
async fn events_are_told_in_sentences_with_device_and_place() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let bob = world.register("bob").await;
        for (kind, detail) in [
            ("password.changed", json!({})),
            ("session.ended", json!({ "reason": "revoked" })),
            ("consent.given", json!({})),
            ("grant.created", json!({})),
            ("person.unheard_of", json!({})),
        ] {
            world.wait(1);
            world.commit(world.unit(kind, alice, detail).await).await;
        }
        world.commit(world.unit("email.changed", bob, json!({})).await).await;
        let mut browser = world.sign_in(alice).await;
        let body = browser.get(PATH).await.body;
        for told in ["Password changed", "Firefox on Linux", "192.0.2.7", "24 November 2026"] {
            assert!(body.contains(told), "{told}");
        }
        let page = browser.json(PATH).await;
        let told: Vec<_> = page["messages"].as_array().unwrap().iter().map(|m| m["id"].clone()).collect();
        assert_eq!(
            told,
            [
                "activity-signed-in",
                "activity-changed",
                "activity-access-given",
                "activity-session-ended",
                "activity-password-changed",
                "activity-registered",
            ]
        );
        world.remove().await;
    }
}

#[tokio::test]
async fn older_entries_follow_page_by_page() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let mut browser = world.sign_in(alice).await;
        for number in 0..70 {
            world.wait(1);
            let kind = if number % 2 == 0 { "grant.created" } else { "password.changed" };
            world.commit(world.unit(kind, alice, json!({})).await).await;
        }
        for _ in 0..20 {
            world.wait(1);
            world.commit(world.unit("email.changed", alice, json!({})).await).await;
        }
        let count = |page: &serde_json::Value| page["messages"].as_array().unwrap().len();
        let first = browser.json(PATH).await;
        assert_eq!(count(&first), 50);
        let older = first["actions"][0]["href"].as_str().unwrap().to_owned();
        let second = browser.json(&older).await;
        assert_eq!(count(&second), 7);
        assert!(second["actions"].as_array().unwrap().is_empty());
        world.remove().await;
    }
}

#[tokio::test]
async fn a_place_that_is_none_is_refused() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let mut browser = world.sign_in(alice).await;
        for before in ["1", "usr_AAAA", "'%20OR%201=1"] {
            let reply = browser.get(&format!("{PATH}?before={before}")).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{before}");
        }
        world.remove().await;
    }
}
