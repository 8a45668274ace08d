//! Values that cannot be accepted: each is named by its place, in words.

use crate::world::{As, Reply, worlds};
use serde_json::json;

fn told(reply: &Reply, field: &str) -> String {
    assert_eq!(reply.code(), "invalid", "{}", reply.text);
    let body = reply.json();
    let fields = body["fields"].as_array().unwrap_or_else(|| panic!("{}", reply.text));
    let found = fields.iter().find(|entry| entry["field"] == field);
    found.unwrap_or_else(|| panic!("{field}: {}", reply.text))["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_wrong_is_said_where_it_stands() {
    for world in worlds().await {
        let all = As::operator();
        for (patch, field, words) in [
            (json!({ "client_policy": { "bogus": true } }), "client_policy.bogus", "is unknown. Known here"),
            (json!({ "client_policy": 1 }), "client_policy", "must be a group of keys with values"),
            (json!({ "client_registration": "all" }), "client_registration", "must be one of"),
            (json!({ "locale": "fr" }), "locale", "must be a language of the pages: en, de, ar"),
            (
                json!({ "theme": { "logo": "javascript:alert(1)" } }),
                "theme",
                "logo must be a picture in place",
            ),
            (json!({ "theme": { "logo": "https://cdn.example/a.png" } }), "theme", "logo must be"),
            (json!({ "theme": "dark" }), "theme", "must be a group of keys"),
            (json!({ "bogus": 1 }), "bogus", "is unknown. Known here"),
        ] {
            let message = told(&world.patch(&all, "/settings", patch.clone()).await, field);
            assert!(message.contains(words), "{patch}: {message}");
        }
        let logo = json!({ "theme": { "logo": "data:image/png;base64,iVBORw0KGgo=" } });
        world.patch(&all, "/settings", logo).await.ok();
        for (body, field, words) in [
            (json!({ "emial": "a@b.example" }), "emial", "is unknown. Known here: email"),
            (json!({ "email": 1 }), "email", "must be text"),
            (
                json!({ "email": "a@b.example", "email_verified": "yes" }),
                "email_verified",
                "must be true or false",
            ),
            (
                json!({ "email": "a@b.example", "password": "1" }),
                "password",
                "must have at least 8 characters",
            ),
            (json!({ "email": "a@b.example", "password": "password123" }), "password", "many people use"),
            (json!({ "username": "margarete", "password": "margarete1" }), "password", "own data"),
        ] {
            let reply = world.post(&all, "/users", body.clone()).await;
            assert!(!reply.text.contains("struct"), "{}", reply.text);
            let message = told(&reply, field);
            assert!(message.contains(words), "{body}: {message}");
        }
        let reply = world.post(&all, "/users", json!([])).await;
        assert!(!reply.status.is_success() && !reply.text.contains("struct"), "{}", reply.text);
        assert_eq!(
            told(&world.post(&all, "/api-keys", json!({ "name": "x" })).await, "scopes"),
            "must be given"
        );
        for (path, field, words) in [
            ("/users?limit=0", "limit", "must be a number from 1 to 200"),
            ("/events?kind=signin.refusd", "kind", "signin.refused"),
            ("/events?user=alice", "user", "must be an id that begins with usr_"),
            ("/events?since=today", "since", "must be a time such as"),
        ] {
            let message = told(&world.get(&all, path).await, field);
            assert!(message.contains(words), "{path}: {message}");
        }
        world.get(&all, "/events?kind=signin.refused").await.ok();
        world.remove().await;
    }
}

#[tokio::test]
async fn a_created_person_is_recorded_with_what_they_sign_in_with() {
    for world in worlds().await {
        let all = As::operator();
        world.post(&all, "/users", json!({ "email": "Ann@b.example", "username": "ann" })).await.ok();
        let events = world.get(&all, "/events?kind=person.created").await.ok();
        let changed = &events["items"][0]["detail"]["changed"];
        assert_eq!(
            (&changed["email"]["new"], &changed["username"]["new"]),
            (&json!("Ann@b.example"), &json!("ann"))
        );
        world.remove().await;
    }
}
