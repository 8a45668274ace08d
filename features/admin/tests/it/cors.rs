//! Scripts of other origins.

use crate::world::{As, worlds};
use http::StatusCode;
use serde_json::json;

const CONSOLE: &str = "https://console.example";

#[tokio::test]
async fn only_origins_that_an_application_for_this_api_declares_may_call() {
    for world in worlds().await {
        let caller = world.key("", &["users:read"]).await;
        for (client_id, origin, audience) in [
            ("console", CONSOLE, "http://localhost:8080/api/v1"),
            ("shop", "https://shop.example", "https://api.example"),
        ] {
            let metadata = json!({ "redirect_uris": [format!("{origin}/cb")], "allowed_origins": [origin],
                "audiences": [audience] });
            let body = json!({ "client_id": client_id, "metadata": metadata });
            world.post(&As::operator(), "/applications", body).await.ok();
        }
        let asked = |origin| [("origin", origin), ("access-control-request-method", "PATCH")];
        let nobody = As::nobody();
        let preflight = world.call(&nobody, ("OPTIONS", "/users"), None, &asked(CONSOLE)).await;
        assert_eq!(preflight.status, StatusCode::NO_CONTENT);
        assert_eq!(preflight.headers["access-control-allow-origin"], CONSOLE);
        assert!(preflight.headers["access-control-allow-methods"].to_str().unwrap().contains("PATCH"));
        let told = world.call(&caller, ("GET", "/users"), None, &[("origin", CONSOLE)]).await;
        assert_eq!(told.headers["access-control-allow-origin"], CONSOLE);
        assert_eq!(told.headers["vary"], "Origin");
        let refused = world.call(&nobody, ("GET", "/users"), None, &[("origin", CONSOLE)]).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert_eq!(refused.headers["access-control-allow-origin"], CONSOLE, "a console reads why not");
        for foreign in
            ["https://shop.example", "https://evil.example", "null", "https://console.example.evil"]
        {
            let preflight = world.call(&nobody, ("OPTIONS", "/users"), None, &asked(foreign)).await;
            assert_eq!(preflight.status, StatusCode::METHOD_NOT_ALLOWED, "{foreign}");
            let told = world.call(&caller, ("GET", "/users"), None, &[("origin", foreign)]).await;
            assert!(!told.headers.contains_key("access-control-allow-origin"), "{foreign}");
        }
        let elsewhere =
            world.call(&nobody.clone().at_acme(), ("OPTIONS", "/users"), None, &asked(CONSOLE)).await;
        assert_eq!(elsewhere.status, StatusCode::METHOD_NOT_ALLOWED, "another tenant's");
        for reply in [&preflight, &told, &refused] {
            assert!(!reply.headers.contains_key("access-control-allow-credentials"));
        }
        let listed = world.get(&As::operator(), "/applications").await.ok();
        let console = listed["items"].as_array().unwrap().iter().find(|app| app["client_id"] == "console");
        let path = format!("/applications/{}", console.unwrap()["id"].as_str().unwrap());
        world.delete(&As::operator(), &path).await.ok();
        let gone = world.call(&nobody, ("OPTIONS", "/users"), None, &asked(CONSOLE)).await;
        assert_eq!(gone.status, StatusCode::METHOD_NOT_ALLOWED, "its application is disabled");
        world.remove().await;
    }
}
