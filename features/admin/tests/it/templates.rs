//! `/api/v1/templates`.

use crate::world::{As, World, worlds};
use http::StatusCode;
use serde_json::{Value, json};

async fn operator(world: &World) -> As {
    world.key("", &["settings:read", "settings:write"]).await
}

async fn put(world: &World, caller: &As, name: &str, source: &str) -> crate::world::Reply {
    let body = json!({ "source": source });
    world.call(caller, ("PUT", &format!("/templates/{name}")), Some(body), &[]).await
}

#[tokio::test]
async fn the_list_names_every_template_with_what_it_may_mention() {
    for world in worlds().await {
        let caller = operator(&world).await;
        put(&world, &caller, "mail-recover.de.subject", "{{ code }}").await.ok();
        let list = world.get(&caller, "/templates").await.ok();
        let named =
            |name: &str| list["items"].as_array().unwrap().iter().find(|item| item["name"] == name).cloned();
        assert_eq!(named("password.html").unwrap()["own"], false);
        assert_eq!(named("mail-recover.de.subject").unwrap()["own"], true);
        let mail = named("mail-verify-address.html").unwrap();
        let variables: Vec<&str> =
            mail["variables"].as_array().unwrap().iter().map(|v| v["name"].as_str().unwrap()).collect();
        assert_eq!(&variables[..4], ["code", "link", "minutes", "application"]);
        world.remove().await;
    }
}

#[tokio::test]
async fn templates_are_set_read_and_taken_back() {
    for world in worlds().await {
        let caller = operator(&world).await;
        for name in ["_footer.html", "mail-recover.txt", "mail-recover.ar.txt"] {
            let before = world.get(&caller, &format!("/templates/{name}")).await.ok();
            assert_eq!((&before["own"], &before["source"]), (&json!(false), &before["default"]), "{name}");
            let source = "{% if code is defined %}{{ code }}{% endif %}";
            let source = if name.starts_with('_') { "<p>Hello</p>" } else { source };
            let set = put(&world, &caller, name, source).await.ok();
            assert_eq!((&set["source"], &set["own"]), (&json!(source), &json!(true)));
            assert_eq!(world.get(&caller, &format!("/templates/{name}")).await.ok(), set);
            assert_eq!(world.fresh().await.settings.templates[name], source);
            let path = format!("/templates/{name}");
            assert_eq!(world.delete(&caller, &path).await.status, StatusCode::NO_CONTENT);
            assert_eq!(world.delete(&caller, &path).await.code(), "not-found");
            assert_eq!(world.get(&caller, &path).await.ok(), before);
        }
        assert_eq!(put(&world, &caller, "a%2Fb", "x").await.code(), "not-found");
        assert_eq!(put(&world, &caller, "mail-nothing.html", "x").await.code(), "not-found");
        world.remove().await;
    }
}

#[tokio::test]
async fn a_template_that_breaks_is_not_kept_and_the_answer_names_the_place() {
    for world in worlds().await {
        let caller = operator(&world).await;
        for (name, source, message) in [
            ("mail-recover.html", "<p>\n{{ cod }}</p>", "line 2: there is no variable \"cod\""),
            ("mail-recover.html", "{% include \"_base.html\" %}", "line 1: \"include\""),
            ("mail-recover.txt", "Welcome", "neither the code nor the link"),
            ("password.html", "<main></main>", "is missing"),
        ] {
            let reply = put(&world, &caller, name, source).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST);
            let field = &reply.json()["fields"][0];
            assert_eq!(field["field"], "source");
            assert!(field["message"].as_str().unwrap().contains(message), "{}", reply.text);
        }
        assert!(world.fresh().await.settings.templates.is_empty());
        world.remove().await;
    }
}

#[tokio::test]
async fn a_preview_writes_nothing() {
    for world in worlds().await {
        let caller = world.key("", &["settings:read"]).await;
        let preview = |name: &'static str, body: Value| {
            let (world, caller) = (&world, &caller);
            async move { world.post(caller, &format!("/templates/{name}/preview"), body).await.ok() }
        };
        let shown =
            preview("mail-recover.txt", json!({ "source": "Type {{ code }}.", "locale": "de" })).await;
        assert_eq!((&shown["text"], &shown["problems"]), (&json!("Type 417026."), &json!([])));
        assert!(shown["html"].as_str().unwrap().contains("lang=\"de\""));
        let broken = preview("mail-recover.subject", json!({ "source": "{{ x }}" })).await;
        assert!(broken["problems"][0].as_str().unwrap().contains("no variable \"x\""));
        assert!(broken["subject"].as_str().unwrap().contains("417026"), "{broken}");
        let page = preview("password.html", json!({})).await;
        assert!(page["subject"].is_null() && page["html"].as_str().unwrap().contains("name=\"password\""));
        assert!(world.fresh().await.settings.templates.is_empty());
        let unknown =
            world.post(&caller, "/templates/mail-recover.txt/preview", json!({ "locale": "xx" })).await;
        assert_eq!(unknown.code(), "invalid");
        world.remove().await;
    }
}

#[tokio::test]
async fn a_mail_with_sample_data_goes_to_people_of_the_tenant_only() {
    for world in worlds().await {
        let caller = operator(&world).await;
        world.user("alice").await;
        let send = |name: &'static str, body: Value| {
            let (world, caller) = (&world, &caller);
            async move { world.post(caller, &format!("/templates/{name}/send"), body).await }
        };
        assert_eq!(send("mail-recover.html", json!({})).await.code(), "invalid");
        assert_eq!(
            send("mail-recover.html", json!({ "to": "eve@elsewhere.example" })).await.code(),
            "invalid"
        );
        assert_eq!(send("password.html", json!({ "to": "alice@example.com" })).await.code(), "wrong-state");
        assert_eq!(store::rows::mail::waiting(world.directory.db()).await.unwrap(), 0);
        let sent = send("mail-recover.html", json!({ "to": "Alice@example.com" })).await;
        assert_eq!(sent.status, StatusCode::NO_CONTENT, "{}", sent.text);
        assert_eq!(store::rows::mail::waiting(world.directory.db()).await.unwrap(), 1);
        world.remove().await;
    }
}
