//! `/account/profile`.

use crate::world::{World, worlds};
use base::IdentifierKind;
use http::StatusCode;
use serde_json::json;
use store::rows::identifier;

const PATH: &str = "/account/profile";

#[tokio::test]
async fn what_is_sent_is_saved_and_recorded() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let mut browser = world.sign_in(alice).await;
        let fields = [
            ("name", " Alice Müller "),
            ("given_name", "Alice"),
            ("locale", "de"),
            ("locality", "Berlin"),
            ("country", "Deutschland"),
        ];
        let reply = browser.post(PATH, &fields).await;
        assert_eq!(
            (reply.status, reply.location.as_str()),
            (StatusCode::SEE_OTHER, "/account/profile?done=saved")
        );
        let expected = json!({ "name": "Alice Müller", "given_name": "Alice", "locale": "de",
            "phone_number": "+49151", "address": { "locality": "Berlin", "country": "Deutschland" } });
        assert_eq!(world.attributes(alice).await, expected);
        let row = world.person(&world.tenant, alice).await;
        assert_eq!((row.locale.as_deref(), row.attributes.contains("Berlin")), (Some("de"), false));

        let (kind, body) = world.events(alice).await.remove(0);
        assert_eq!(kind, "person.updated");
        assert_eq!(
            body["detail"]["changed"]["name"],
            json!({ "old": "alice Example", "new": "Alice Müller" })
        );
        assert_eq!(body["detail"]["changed"]["locale"], json!({ "old": null, "new": "de" }));
        assert_eq!(body["detail"]["changed"]["address"]["new"]["locality"], "Berlin");

        let page = browser.get(&reply.location).await.body;
        for told in ["Alice Müller", "Berlin", "Gespeichert."] {
            assert!(page.contains(told), "{told}");
        }
        world.remove().await;
    }
}

#[tokio::test]
async fn an_empty_field_is_emptied_and_one_not_sent_stays() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let mut browser = world.sign_in(alice).await;
        browser.post(PATH, &[("locality", "Berlin"), ("nickname", "Al")]).await;
        browser.post(PATH, &[("name", ""), ("locality", "")]).await;
        assert_eq!(world.attributes(alice).await, json!({ "nickname": "Al", "phone_number": "+49151" }));
        browser.post_json(PATH, json!({ "nickname": null })).await;
        assert_eq!(world.attributes(alice).await, json!({ "phone_number": "+49151" }));
        world.remove().await;
    }
}

#[tokio::test]
async fn what_changes_nothing_writes_nothing() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let mut browser = world.sign_in(alice).await;
        let before = world.person(&world.tenant, alice).await.version;
        let fields = [("name", "alice Example"), ("locale", ""), ("region", ""), ("username", "alice")];
        assert_eq!(browser.post(PATH, &fields).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.person(&world.tenant, alice).await.version, before);
        world.remove().await;
    }
}

#[tokio::test]
async fn abuse_21_nobody_verifies_their_own_address() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let mut browser = world.sign_in(alice).await;
        let before = world.attributes(alice).await;
        let injected = [
            ("email", "root@example.com"),
            ("email_verified", "true"),
            ("phone_number", "+1"),
            ("phone_number_verified", "true"),
            ("sub", "1"),
            ("state", "admin"),
            ("address", "x"),
            ("roles", "admin"),
            ("person", "usr_x"),
        ];
        assert_eq!(browser.post(PATH, &injected).await.status, StatusCode::SEE_OTHER);
        let body = json!({ "email_verified": true, "proof": "code" });
        assert_eq!(browser.post_json(PATH, body).await.json()["step"], "redirect");
        assert_eq!(world.attributes(alice).await, before);
        let identifiers = identifier::of_person(&world.db, world.tenant.id, alice).await.unwrap();
        assert_eq!(identifiers.iter().filter(|row| row.is_proven_email()).count(), 1);
        world.remove().await;
    }
}

#[tokio::test]
async fn what_cannot_be_saved_is_told_beside_its_field() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let mut browser = world.sign_in(alice).await;
        let long = "x".repeat(201);
        let reply = browser.post(PATH, &[("name", &long), ("locality", "Köln")]).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(reply.body.contains("Use at most 200 characters.") && reply.body.contains("Köln"));
        for (field, value, error) in [
            ("name", "a\u{202e}b", "error-unreadable"),
            ("given_name", "a\u{7}b", "error-unreadable"),
            ("locale", "tlh", "error-choice"),
            ("username", "a b@", "error-username-invalid"),
        ] {
            let reply = browser.post_json(PATH, json!({ field: value })).await;
            assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
            assert_eq!(reply.json()["messages"][0]["id"], error, "{field}");
        }
        let hostile = "<script>alert(1)</script>{{ 7*7 }}";
        let reply = browser.post(PATH, &[("name", hostile), ("country", &long)]).await;
        assert!(!reply.body.contains("<script>alert"));
        assert_eq!(world.attributes(alice).await["name"], "alice Example");
        world.remove().await;
    }
}

async fn owner(world: &World, name: &str) -> Option<base::Id<base::id::Person>> {
    let row = identifier::find(&world.db, world.tenant.id, IdentifierKind::Username, name).await.unwrap();
    row.map(|row| row.person)
}

#[tokio::test]
async fn a_user_name_is_changed_if_it_is_free() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let bob = world.register("bob").await;
        world.register_in(&world.acme, "carol").await;
        let mut browser = world.sign_in(alice).await;
        let reply = browser.post(PATH, &[("username", "BOB"), ("name", "Eve")]).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(reply.body.contains("Somebody already has this user name."));
        assert_eq!(world.attributes(alice).await["name"], "alice Example");
        assert_eq!((owner(&world, "bob").await, owner(&world, "alice").await), (Some(bob), Some(alice)));

        let reply = browser.post(PATH, &[("username", "Carol")]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER);
        assert_eq!((owner(&world, "carol").await, owner(&world, "alice").await), (Some(alice), None));
        let reply = browser.post(PATH, &[("username", "CAROL")]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER);
        assert!(browser.get(PATH).await.body.contains("CAROL"));
        world.remove().await;
    }
}

#[tokio::test]
async fn asking_for_user_names_is_limited_also_in_parallel() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        world.register("bob").await;
        let mut browser = world.sign_in(alice).await;
        let token = browser.token().await;
        let mut callers = Vec::new();
        for _ in 0..30 {
            let (mut browser, token) = (browser.clone(), token.clone());
            callers.push(tokio::spawn(async move {
                browser.post_only(PATH, &[("csrf", &token), ("username", "bob")]).await.status
            }));
        }
        let mut told = 0;
        for caller in callers {
            told += u32::from(caller.await.unwrap() == StatusCode::UNPROCESSABLE_ENTITY);
        }
        assert_eq!(told, 20);
        let reply = browser.post(PATH, &[("username", "free")]).await;
        assert_eq!(reply.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(reply.headers.contains_key("retry-after"));
        world.wait(30);
        assert_eq!(browser.post(PATH, &[("username", "free")]).await.status, StatusCode::SEE_OTHER);
        world.remove().await;
    }
}

#[tokio::test]
async fn two_changes_at_once_are_both_saved() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let mut one = world.sign_in(alice).await;
        let mut two = world.sign_in(alice).await;
        let (first, second) = tokio::join!(
            one.post(PATH, &[("given_name", "Alice")]),
            two.post(PATH, &[("family_name", "Example")]),
        );
        assert_eq!((first.status, second.status), (StatusCode::SEE_OTHER, StatusCode::SEE_OTHER));
        let stored = world.attributes(alice).await;
        assert_eq!((&stored["given_name"], &stored["family_name"]), (&"Alice".into(), &"Example".into()));
        world.remove().await;
    }
}
