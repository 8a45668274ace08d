//! `/api/v1/resource-servers` and `/api/v1/scopes`.

use crate::world::{As, World, worlds};
use http::StatusCode;
use serde_json::{Value, json};

const ORDERS: &str = "https://orders.example";

fn orders() -> Value {
    json!({ "audience": ORDERS, "name": "Orders", "access_token_lifetime": 60,
        "scopes": [{ "name": "orders.read", "description": { "en": "See your orders" } }] })
}

/// The last event of this kind.
async fn event(world: &World, kind: &str) -> Value {
    let events = world.get(&As::operator(), &format!("/events?kind={kind}")).await.ok();
    events["items"][0].clone()
}

#[tokio::test]
async fn a_resource_server_is_declared_changed_and_removed() {
    for world in worlds().await {
        let caller = world.key("", &["resources:read", "resources:write"]).await;
        let reply = world.post(&caller, "/resource-servers", orders()).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text);
        let made = reply.json();
        let path = format!("/resource-servers/{}", made["id"].as_str().unwrap());
        assert_eq!(world.get(&caller, &path).await.ok(), made, "what was answered is what is stored");
        assert_eq!(world.post(&caller, "/resource-servers", orders()).await.code(), "taken");
        assert_eq!(world.fresh().await.catalogue.servers[0].access_token_lifetime, Some(60));

        let patch = json!({ "name": null, "access_token_signed_response_alg": "EdDSA" });
        let tag = [("if-match", "\"7\"")];
        let stale = world.call(&caller, ("PATCH", &path), Some(patch.clone()), &tag).await;
        assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
        let changed = world.patch(&caller, &path, patch.clone()).await.ok();
        assert_eq!((&changed["name"], &changed["version"]), (&Value::Null, &json!(2)));
        assert_eq!(world.patch(&caller, &path, patch).await.ok()["version"], 2, "nothing is left to change");
        let tenant = world.fresh().await;
        let algorithm = tenant.catalogue.servers[0].access_token_signed_response_alg.unwrap();
        assert!(tenant.signing_key(algorithm).is_some(), "the key is there before a token needs it");
        let told = event(&world, "resource-server.updated").await;
        assert_eq!(told["detail"]["changed"]["name"], json!({ "old": "Orders", "new": null }), "{told}");

        assert_eq!(world.delete(&caller, &path).await.status, StatusCode::NO_CONTENT);
        assert_eq!(world.get(&caller, &path).await.status, StatusCode::NOT_FOUND);
        assert!(world.fresh().await.catalogue.servers.is_empty());
        let told = event(&world, "resource-server.removed").await;
        assert_eq!(told["detail"]["audience"], ORDERS, "{told}");
        world.remove().await;
    }
}

#[tokio::test]
async fn a_scope_is_declared_with_its_claims_changed_and_removed() {
    for world in worlds().await {
        let caller = world.key("", &["resources:read", "resources:write"]).await;
        let scope = json!({ "name": "loyalty", "description": "See your points",
            "claims": { "points": "loyalty_points", "tier": { "value": "gold", "targets": ["access_token"] } } });
        let made = world.post(&caller, "/scopes", scope.clone()).await.ok();
        let path = format!("/scopes/{}", made["id"].as_str().unwrap());
        assert_eq!(world.get(&caller, &path).await.ok(), made);
        assert_eq!(world.post(&caller, "/scopes", scope).await.code(), "taken");
        let patch = json!({ "claims": { "tier": null, "since": "member_since" } });
        let changed = world.patch(&caller, &path, patch).await.ok();
        assert_eq!(changed["claims"], json!({ "points": "loyalty_points", "since": "member_since" }));
        let taken_away = json!({ "description": null, "claims": { "since": null, "nowhere": null } });
        let changed = world.patch(&caller, &path, taken_away).await.ok();
        assert_eq!(changed["claims"], json!({ "points": "loyalty_points" }));
        for (described, then) in [
            (json!({ "en": "Points", "de": "Punkte" }), json!({ "en": "Points", "de": "Punkte" })),
            (json!({ "de": null, "fr": null }), json!({ "en": "Points" })),
            (json!("Points"), json!("Points")),
            (json!({ "en": "Points", "fr": null }), json!({ "en": "Points" })),
        ] {
            let changed = world.patch(&caller, &path, json!({ "description": described })).await.ok();
            assert_eq!(changed["description"], then);
        }
        // What is no member cannot be taken away either.
        for patch in [
            json!({ "name": "other" }),
            json!({ "colour": null }),
            json!({ "claims": { "tier": { "attribute": "tier", "colour": null } } }),
        ] {
            assert_eq!(world.patch(&caller, &path, patch.clone()).await.code(), "invalid", "{patch}");
        }
        assert_eq!(event(&world, "scope.updated").await["detail"]["name"], "loyalty");
        assert_eq!(world.delete(&caller, &path).await.status, StatusCode::NO_CONTENT);
        assert!(world.fresh().await.catalogue.scopes.is_empty());
        world.remove().await;
    }
}

#[tokio::test]
async fn declarations_that_make_no_sense_are_refused_with_their_field() {
    for world in worlds().await {
        let operator = As::operator();
        for (path, body, field) in [
            ("/resource-servers", json!({}), "audience"),
            ("/resource-servers", json!({ "audience": "http://localhost:8080/api/v1" }), "audience"),
            ("/resource-servers", json!({ "audience": ORDERS, "colour": 1 }), "colour"),
            ("/resource-servers", json!({ "audience": ORDERS, "scopes": ["a b"] }), "scopes[0].name"),
            ("/scopes", json!({ "name": "a", "claims": { "sub": "x" } }), "claims.sub"),
            ("/scopes", json!({ "name": "a", "claims": { "x": {} } }), "claims.x"),
            ("/scopes", json!({ "name": "a", "claims": { "x": 5 } }), "claims.x"),
        ] {
            let reply = world.post(&operator, path, body.clone()).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body}: {}", reply.text);
            assert_eq!(reply.json()["fields"][0]["field"], field, "{}", reply.text);
            assert!(!reply.text.contains("struct"), "no word of the program's own: {}", reply.text);
        }
        for path in ["/resource-servers", "/scopes"] {
            assert_eq!(world.get(&operator, path).await.ok()["items"], json!([]));
        }
        world.remove().await;
    }
}

#[tokio::test]
async fn lists_go_on_where_the_page_before_ended() {
    for world in worlds().await {
        let operator = As::operator();
        for name in ["c", "a", "b"] {
            world.post(&operator, "/scopes", json!({ "name": name })).await.ok();
        }
        let first = world.get(&operator, "/scopes?limit=2").await.ok();
        let next = format!("/scopes?limit=2&cursor={}", first["next"].as_str().unwrap());
        let second = world.get(&operator, &next).await.ok();
        let names = |page: &Value| {
            let items = page["items"].as_array().unwrap().iter();
            items.map(|item| item["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!((names(&first), names(&second)), (vec!["c".into(), "a".into()], vec!["b".into()]));
        assert_eq!(second["next"], Value::Null);
        let foreign = format!("/resource-servers?limit=2&cursor={}", first["next"].as_str().unwrap());
        assert_eq!(world.get(&operator, &foreign).await.code(), "malformed");
        world.remove().await;
    }
}

#[tokio::test]
async fn claims_of_an_application_are_part_of_its_metadata() {
    for world in worlds().await {
        let operator = As::operator();
        let with = |claims: Value| json!({ "metadata": { "redirect_uris": ["https://a.example/cb"], "claims": claims } });
        let made =
            world.post(&operator, "/applications", with(json!({ "number": "customer_no" }))).await.ok();
        assert_eq!(made["application"]["metadata"]["claims"], json!({ "number": "customer_no" }));
        let reserved = world.post(&operator, "/applications", with(json!({ "aud": "customer_no" }))).await;
        assert_eq!(reserved.code(), "invalid");
        let wrong = world.post(&operator, "/applications", with(json!({ "x": 1 }))).await;
        assert_eq!(wrong.json()["fields"][0]["field"], "metadata.claims");
        world.remove().await;
    }
}
