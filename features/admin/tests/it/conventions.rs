//! What all endpoints share: versions, repeats, media types, methods.

use crate::world::{As, worlds};
use http::StatusCode;
use serde_json::json;

#[tokio::test]
async fn a_change_of_an_older_version_is_refused() {
    for world in worlds().await {
        let operator = As::operator();
        let path = format!("/users/{}", world.user("alice").await);
        let patch = |name: &str| Some(json!({ "attributes": { "nickname": name } }));
        let first = world.call(&operator, ("PATCH", &path), patch("A"), &[("if-match", "\"1\"")]).await;
        assert_eq!(first.headers["etag"], "\"2\"");
        let late = world.call(&operator, ("PATCH", &path), patch("B"), &[("if-match", "\"1\"")]).await;
        assert_eq!(
            (late.status, late.code().as_str()),
            (StatusCode::PRECONDITION_FAILED, "precondition-failed")
        );
        for garbage in ["garbage", "1", "\"1\", x", "W/1"] {
            let reply = world.call(&operator, ("PATCH", &path), patch("B"), &[("if-match", garbage)]).await;
            assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "malformed"));
        }
        let any = world.call(&operator, ("PATCH", &path), patch("C"), &[("if-match", "*")]).await;
        assert_eq!(any.status, StatusCode::OK);
        let settings =
            world.call(&operator, ("PATCH", "/settings"), Some(json!({})), &[("if-match", "\"99\"")]).await;
        assert_eq!(settings.status, StatusCode::PRECONDITION_FAILED);
        world.remove().await;
    }
}

#[tokio::test]
async fn a_creation_repeated_under_its_key_gives_the_same_answer_and_makes_nothing() {
    for world in worlds().await {
        let caller = world.key("", &["applications:write", "applications:read"]).await;
        let other = world.key("", &["applications:write"]).await;
        let body = |name: &str| {
            Some(json!({ "metadata": { "name": name, "redirect_uris": ["https://a.example/cb"] } }))
        };
        let key = [("idempotency-key", "order-1")];
        let first = world.call(&caller, ("POST", "/applications"), body("a"), &key).await;
        assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
        let again = world.call(&caller, ("POST", "/applications"), body("a"), &key).await;
        assert_eq!((again.status, &again.text), (first.status, &first.text));
        assert_eq!(again.headers["location"], first.headers["location"]);
        let reused = world.call(&caller, ("POST", "/applications"), body("b"), &key).await;
        assert_eq!(reused.code(), "idempotency-key-reused");
        let foreign = world.call(&other, ("POST", "/applications"), body("a"), &key).await;
        assert_ne!(foreign.text, first.text, "another caller's key is another key");
        assert_eq!(world.get(&caller, "/applications").await.ok()["items"].as_array().unwrap().len(), 2);
        world.clock.advance(std::time::Duration::from_secs(90_000));
        let later = world.call(&caller, ("POST", "/applications"), body("a"), &key).await;
        assert_ne!(later.text, first.text, "a day later it is forgotten");
        let unit = admin::purge(world.env.id(), world.env.now());
        assert!(world.db.commit(unit).await.unwrap().done());
        world.remove().await;
    }
}

#[tokio::test]
async fn changes_of_many_callers_at_once_all_come_to_be_or_are_told_that_they_did_not() {
    for world in worlds().await {
        let operator = As::operator();
        let create = |number: usize| {
            let body = json!({ "client_id": format!("app-{}", number / 2),
                "metadata": { "redirect_uris": ["https://a.example/cb"] } });
            world.post(&operator, "/applications", body)
        };
        let (a, b, c, d) = tokio::join!(create(0), create(1), create(2), create(3));
        let mut codes = [a, b, c, d].map(|reply| reply.status.as_u16());
        codes.sort_unstable();
        assert_eq!(codes, [201, 201, 409, 409]);
        assert_eq!(world.get(&operator, "/applications").await.ok()["items"].as_array().unwrap().len(), 2);

        let key = [("idempotency-key", "at-once")];
        let user = || Some(json!({ "username": "alice" }));
        let repeat = || world.call(&operator, ("POST", "/users"), user(), &key);
        let (first, second) = tokio::join!(repeat(), repeat());
        assert_eq!((first.status, &first.text), (second.status, &second.text));
        assert_eq!(first.status, StatusCode::CREATED);
        world.remove().await;
    }
}

#[tokio::test]
async fn other_methods_media_types_and_addresses_are_refused_as_problems() {
    for world in worlds().await {
        let operator = As::operator();
        let method = world.call(&operator, ("PUT", "/users"), None, &[]).await;
        assert_eq!(
            (method.status, method.code().as_str()),
            (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed")
        );
        assert_eq!(world.get(&operator, "/nowhere").await.code(), "not-found");
        assert_eq!(world.get(&operator, "/users/usr_x").await.code(), "not-found");
        let form = world.call(&operator, ("POST", "/users"), None, &[("content-type", "text/plain")]).await;
        assert_eq!(
            (form.status, form.code().as_str()),
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type")
        );
        let long = json!({ "username": "x".repeat(300_000) });
        let long = world.post(&operator, "/users", long).await;
        assert_eq!((long.status, long.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "too-large"));
        let list = world.post(&operator, "/users", json!([])).await;
        assert_eq!(list.status, StatusCode::BAD_REQUEST);
        let problem = world.get(&As::nobody(), "/problems/taken").await.ok();
        assert_eq!(problem["status"], 409);
        let refused = world.get(&As::nobody(), "/users").await.json();
        assert_eq!(refused["type"], "http://localhost:8080/api/v1/problems/unauthenticated");
        world.remove().await;
    }
}
