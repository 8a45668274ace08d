//! `/api/v1/events`, and what must not stand in any answer.

use crate::world::{As, worlds};
use http::StatusCode;
use serde_json::{Value, json};
use store::Engine;

#[tokio::test]
async fn events_are_filtered_by_kind_person_application_and_time() {
    for world in worlds().await {
        let caller = world.key("", &["events:read"]).await;
        let (alice, _bert) = (world.user("alice").await, world.user("bert").await);
        let noon = world.env.now().plus(std::time::Duration::from_secs(3_600));
        world.clock.advance(std::time::Duration::from_secs(7_200));
        let path = format!("/users/{alice}/suspend");
        world.call(&As::operator(), ("POST", &path), None, &[("user-agent", "curl/8")]).await.ok();
        let kinds = async |query: &str| -> Vec<String> {
            let page = world.get(&caller, &format!("/events?{query}")).await.ok();
            let kinds = page["items"].as_array().unwrap().iter();
            kinds.map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(kinds(&format!("user={alice}")).await, ["person.suspended", "person.created"]);
        assert_eq!(kinds("kind=person.created").await.len(), 2);
        assert_eq!(kinds(&format!("since={noon}")).await, ["person.suspended"]);
        assert_eq!(kinds(&format!("until={noon}&kind=person.suspended")).await, [""; 0]);
        assert_eq!(kinds("application=app_AAAAAAAAAAAAAAAAAAAAAA").await.len(), 0);
        let page = world.get(&caller, "/events?limit=1").await.ok();
        assert_eq!(page["items"][0]["agent"], "curl/8");
        assert_eq!(page["items"][0]["actor"], "operator");
        assert_eq!(page["items"][0]["detail"]["changed"]["state"]["new"], "suspended");
        let next = page["next"].as_str().unwrap();
        assert_eq!(kinds(&format!("limit=1&cursor={next}")).await, ["person.created"]);

        let export = world.get(&caller, "/events/export?kind=person.created").await;
        assert_eq!(export.headers["content-type"], "application/x-ndjson");
        let lines: Vec<Value> = export.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        let export = world.get(&caller, "/events/export?limit=1").await;
        assert!(export.headers.contains_key("keyward-next-cursor"));
        world.remove().await;
    }
}

#[tokio::test]
async fn the_chain_is_verified_and_a_changed_event_is_found() {
    for world in worlds().await {
        let caller = world.key("", &["events:read"]).await;
        world.user("alice").await;
        while world.db.number_events().await.unwrap() > 0 {}
        let verified = world.get(&caller, "/events/verify").await.ok();
        assert_eq!((&verified["intact"], &verified["broken"]), (&json!(true), &Value::Null));
        assert!(verified["events"].as_i64().unwrap() >= 3);
        assert_eq!(
            world.get(&As::operator().at_acme(), "/events/verify").await.status,
            StatusCode::NOT_FOUND
        );
        if world.db.engine() == Engine::Sqlite {
            const TAMPER: &str = "UPDATE event SET kind = 'person.nothing' WHERE kind = 'person.created'";
            let unit = store::Unit::marked(world.env.id(), "SELECT 1 WHERE 1 = 0", Vec::new());
            let unit = unit.write(TAMPER, Vec::new(), store::Expect::Rows(1));
            assert!(world.db.commit(unit).await.unwrap().done());
            let broken = world.get(&caller, "/events/verify").await.ok();
            assert_eq!(broken["intact"], false);
        }
        world.remove().await;
    }
}

#[tokio::test]
async fn what_is_about_an_erased_person_cannot_be_told_any_more() {
    for world in worlds().await {
        let operator = As::operator();
        let user = world.user("alice").await;
        world.delete(&operator, &format!("/users/{user}")).await.ok();
        let event = base::Event::new(&world.env, "person.erased");
        let mut unit = store::Unit::new(event.id, vec![world.tenant.event(&world.env, event, None)]);
        store::rows::person::erase(&mut unit, world.tenant.id, crate::world::id(&user), world.env.now());
        assert!(world.db.commit(unit).await.unwrap().done());
        let page = world.get(&operator, &format!("/events?user={user}")).await;
        assert!(!page.text.contains("alice"));
        assert_eq!(page.ok()["items"][0]["detail"], Value::Null);
        world.remove().await;
    }
}

#[tokio::test]
async fn abuse_50_no_secret_or_hash_stands_in_any_answer_list_event_or_export() {
    for world in worlds().await {
        let operator = As::operator();
        let new = json!({ "username": "alice", "password": "canary-password-4711" });
        let user = world.post(&operator, "/users", new).await.ok()["id"].as_str().unwrap().to_owned();
        let app = json!({ "client_id": "shop", "metadata": { "redirect_uris": ["https://shop.example/cb"],
            "token_endpoint_auth_method": "client_secret_jwt" } });
        let app = world.post(&operator, "/applications", app).await.ok();
        let app_id = app["application"]["id"].as_str().unwrap();
        let rotated = world.post(&operator, &format!("/applications/{app_id}/secrets"), json!({})).await.ok();
        let key = json!({ "name": "k", "scopes": ["users:read"] });
        let key = world
            .call(&operator, ("POST", "/api-keys"), Some(key), &[("idempotency-key", "once")])
            .await
            .ok();
        world.post(&operator, "/keys/rotate", json!({ "algorithm": "ES256" })).await.ok();
        let canaries = [
            "canary-password-4711",
            "$argon2",
            app["client_secret"].as_str().unwrap(),
            rotated["client_secret"].as_str().unwrap(),
            key["secret"].as_str().unwrap(),
            "\"d\":",
            "\"mac\"",
            "sealed",
        ];
        let document = world.get(&As::nobody(), "/openapi.json").await.ok();
        let mut read = 0;
        for (path, methods) in document["paths"].as_object().unwrap() {
            let path = path
                .replace("{user}", &user)
                .replace("{application}", app_id)
                .replace("{key}", key["key"]["id"].as_str().unwrap())
                .replace("{tenant}", &world.tenant.id.to_string());
            if methods.get("get").is_none() || path.contains('{') {
                continue;
            }
            let reply = world.get(&operator, &path).await;
            assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text);
            read += 1;
            for canary in canaries {
                assert!(!reply.text.contains(canary), "{canary} in {path}: {}", reply.text);
            }
        }
        assert!(read > 15, "{read}");
        world.remove().await;
    }
}
