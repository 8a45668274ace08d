//! Every endpoint of the document, as nobody, with too small a scope, and from another tenant. As a
//! customer: `tokens.rs`.

use crate::world::{As, ORDINARY, World, worlds};
use http::StatusCode;
use serde_json::{Value, json};

/// Method, path with ids of things that exist in the first tenant, scope, whether it takes a body.
pub(crate) async fn endpoints(world: &World) -> Vec<(String, String, String, bool)> {
    let operator = As::operator();
    let user = world.user("alice").await;
    let app = json!({ "client_id": "shop", "metadata": { "redirect_uris": ["https://shop.example/cb"] } });
    let app = world.post(&operator, "/applications", app).await.ok();
    let app = app["application"]["id"].as_str().unwrap().to_owned();
    let secrets = world.get(&operator, &format!("/applications/{app}/secrets")).await.ok();
    let keys =
        world.post(&operator, "/api-keys", json!({ "name": "k", "scopes": ["users:read"] })).await.ok();
    let server = json!({ "audience": "https://orders.example", "scopes": [{ "name": "orders.read" }] });
    let server = world.post(&operator, "/resource-servers", server).await.ok();
    let scope = world.post(&operator, "/scopes", json!({ "name": "loyalty" })).await.ok();
    let initial = world.post(&operator, "/initial-access-tokens", json!({})).await.ok();
    let document = world.get(&As::nobody(), "/openapi.json").await.ok();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let filled = path
            .replace("{user}", &user)
            .replace("{application}", &app)
            .replace("{secret}", secrets["items"][0]["id"].as_str().unwrap())
            .replace("{token}", initial["token"]["id"].as_str().unwrap())
            .replace("{key}", keys["key"]["id"].as_str().unwrap())
            .replace("{server}", server["id"].as_str().unwrap())
            .replace("{scope}", scope["id"].as_str().unwrap())
            .replace("{tenant}", &world.acme.id.to_string())
            .replace("{session}", "ses_AAAAAAAAAAAAAAAAAAAAAA")
            .replace("{grant}", "gra_AAAAAAAAAAAAAAAAAAAAAA")
            .replace("{kind}", "email")
            .replace("{value}", "alice@example.com")
            .replace("{template}", "_footer.html");
        assert!(!filled.contains('{'), "{filled}");
        for (method, operation) in methods.as_object().unwrap() {
            if method != "parameters" {
                let scope = operation["x-scope"].as_str().unwrap().to_owned();
                let takes = operation.get("requestBody").is_some();
                all.push((method.to_uppercase(), filled.clone(), scope, takes));
            }
        }
    }
    all
}

fn body(takes: bool) -> Option<Value> {
    takes.then(|| json!({}))
}

/// Everything that a caller without any right might have changed.
async fn state(world: &World) -> String {
    let mut state = String::new();
    let own = ["/users", "/applications", "/resource-servers", "/scopes", "/api-keys"];
    for path in
        own.into_iter().chain(["/settings", "/keys", "/tenants", "/administrators", "/initial-access-tokens"])
    {
        state.push_str(&world.get(&As::operator(), path).await.text);
    }
    state
}

#[tokio::test]
async fn abuse_25_nobody_is_refused_by_every_endpoint_whatever_the_body_says() {
    for world in worlds().await {
        let endpoints = endpoints(&world).await;
        assert!(endpoints.len() > 40, "{}", endpoints.len());
        let before = state(&world).await;
        for (method, path, _, takes) in endpoints {
            let body = takes.then(|| json!({ "user": "usr_x", "userId": "1", "scopes": ["users:write"] }));
            for caller in [As::nobody(), As::token("ak_nonsense"), As::token("a.b.c"), As::nobody().at_acme()]
            {
                let reply = world.call(&caller, (&method, &path), body.clone(), &[]).await;
                assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{method} {path}");
                assert_eq!(reply.code(), "unauthenticated");
                assert_eq!(reply.headers["www-authenticate"], "Bearer");
            }
        }
        assert_eq!(state(&world).await, before);
        world.remove().await;
    }
}

#[tokio::test]
async fn a_key_without_the_scope_is_told_which_one_is_missing() {
    for world in worlds().await {
        let endpoints = endpoints(&world).await;
        let all: Vec<&str> = ORDINARY.iter().copied().chain(["tenants:read", "tenants:write"]).collect();
        let mut lacking = Vec::new();
        for scope in &all {
            let others: Vec<&str> = all.iter().copied().filter(|other| other != scope).collect();
            lacking.push((*scope, world.key("", &others).await));
        }
        let before = state(&world).await;
        for (method, path, scope, takes) in endpoints {
            let (_, caller) = lacking.iter().find(|(name, _)| *name == scope).unwrap();
            let reply = world.call(caller, (&method, &path), body(takes), &[]).await;
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{method} {path}: {}", reply.text);
            assert_eq!(reply.code(), "insufficient-scope");
            assert_eq!(reply.json()["scope"], scope);
        }
        // Only the last uses of keys differ.
        let used = |text: String| {
            let parts = text
                .split("\"used_at\":")
                .map(|part| part.split_once(',').map_or(part, |(_, r)| r).to_owned());
            parts.collect::<String>()
        };
        assert_eq!(used(state(&world).await), used(before));
        world.remove().await;
    }
}

#[tokio::test]
async fn abuse_66_ids_of_another_tenant_name_nothing() {
    for world in worlds().await {
        let endpoints = endpoints(&world).await;
        let acme = world.key("/t/acme", ORDINARY).await;
        let here = As { base: "", ..acme.clone() };
        let before = state(&world).await;
        for (method, path, _, takes) in endpoints {
            let reply = world.call(&here, (&method, &path), body(takes), &[]).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "a key of another tenant: {method} {path}");
            if path.contains('_') && !path.contains("/templates/") {
                let reply = world.call(&acme, (&method, &path), Some(filled(&path)), &[]).await;
                assert_eq!(reply.status, StatusCode::NOT_FOUND, "{method} {path}: {}", reply.text);
            }
        }
        assert_eq!(state(&world).await, before);
        assert_eq!(world.get(&acme, "/tenants").await.status, StatusCode::NOT_FOUND);
        world.remove().await;
    }
}

/// A body that would be accepted, so that only the id decides.
fn filled(path: &str) -> Value {
    match path.rsplit('/').next().unwrap() {
        "administrator" => json!({ "scopes": ["users:read"] }),
        "identifiers" => json!({ "value": "new@example.com" }),
        _ => json!({}),
    }
}

#[tokio::test]
async fn the_document_describes_itself_completely() {
    for world in worlds().await {
        let document = world.get(&As::nobody(), "/openapi.json").await.ok();
        assert_eq!(document["openapi"], "3.1.0");
        assert_eq!(document["servers"][0]["url"], "http://localhost:8080/api/v1");
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#/components/").skip(1) {
            let name = reference.split('"').next().unwrap();
            let found = document.pointer(&format!("/components/{name}"));
            assert!(found.is_some_and(|schema| !schema.is_null()), "{name}");
        }
        let ids: Vec<&str> =
            text.split("\"operationId\":\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        let unique: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len());
        world.remove().await;
    }
}

#[tokio::test]
async fn every_code_has_a_section_in_the_documentation_and_every_scope_a_line() {
    let page = include_str!("../../../../docs/admin-api.md");
    for code in admin::CODES {
        assert!(page.contains(&format!("### {}\n", code.name)), "{}", code.name);
    }
    for permission in admin::Permission::ALL {
        assert!(page.contains(&format!("| `{permission}` |")), "{permission}");
    }
}
