use crate::world::{claims, on_each, request};
use axum::http::{Method, StatusCode};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_claims_of_the_granted_scopes_are_given() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let now = world.now().seconds();
        let tokens = world.tokens(&alice, "openid profile email phone address").await;
        let answer = world.userinfo(tokens["access_token"].as_str().unwrap()).await;
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("access-control-allow-origin"), "", "nobody asked from another origin");
        assert_eq!(
            answer.json(),
            json!({ "sub": alice.sub, "name": "Alice Example", "given_name": "Alice", "birthdate": "2000-02-29",
                "preferred_username": "alice", "updated_at": now, "email": "alice@example.com",
                "email_verified": true, "phone_number": "+4915112345678", "phone_number_verified": false,
                "address": { "locality": "Berlin" } })
        );
        let little = world.tokens(&alice, "openid").await;
        let info = world.userinfo(little["access_token"].as_str().unwrap()).await;
        assert_eq!(info.json(), json!({ "sub": alice.sub }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_comes_by_header_or_by_form_and_never_by_address() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let tokens = world.tokens(&alice, "openid").await;
        let token = tokens["access_token"].as_str().unwrap();
        let bearer = format!("Bearer {token}");
        let by_header = request(Method::POST, "/userinfo", &[("authorization", &bearer)], "");
        assert_eq!(world.call(by_header).await.status, StatusCode::OK);
        let form = [("access_token", token)];
        assert_eq!(world.post("/userinfo", &[], &form).await.status, StatusCode::OK);
        let twice = world.post("/userinfo", &[("authorization", &bearer)], &form).await;
        assert_eq!((twice.status, twice.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_request"));
        let by_address = world.get(&format!("/userinfo?access_token={token}"), "").await;
        assert_eq!(by_address.status, StatusCode::UNAUTHORIZED);
        assert_eq!(by_address.header("www-authenticate"), "Bearer");
        // Cookies say nothing here.
        assert_eq!(world.get("/userinfo", &alice.cookie).await.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_43_a_token_is_good_until_it_expires_and_only_with_openid() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let tokens = world.tokens(&alice, "openid").await;
        let token = tokens["access_token"].as_str().unwrap();
        assert_eq!(claims(token)["exp"].as_i64(), Some(world.now().seconds() + 600));
        let email = world.tokens(&alice, "email").await;
        assert!(email.get("id_token").is_none());
        let refused = world.userinfo(email["access_token"].as_str().unwrap()).await;
        assert_eq!((refused.status, refused.error().as_str()), (StatusCode::FORBIDDEN, "insufficient_scope"));
        world.pass(599);
        assert_eq!(world.userinfo(token).await.status, StatusCode::OK);
        world.pass(1);
        let late = world.userinfo(token).await;
        assert_eq!((late.status, late.error().as_str()), (StatusCode::UNAUTHORIZED, "invalid_token"));
        assert!(late.header("www-authenticate").starts_with("Bearer error=\"invalid_token\""));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_66_a_token_of_one_tenant_is_nothing_to_another() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let tokens = world.tokens(&alice, "openid").await;
        let other = store::NewTenant {
            slug: "acme".into(),
            name: "Acme".into(),
            issuer: format!("{}/t/acme", crate::world::ISSUER),
            settings: "{}".into(),
        };
        world.pass(1);
        world.site.directory().create_tenant(other).await.unwrap();
        let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
        let call = request(Method::GET, "/t/acme/userinfo", &[("authorization", &bearer)], "");
        assert_eq!(world.call(call).await.status, StatusCode::UNAUTHORIZED);
        let document = world.get("/t/acme/.well-known/openid-configuration", "").await.json();
        assert_eq!(document["token_endpoint"], format!("{}/t/acme/token", crate::world::ISSUER));
        let rooted = world.get("/.well-known/oauth-authorization-server/t/acme", "").await.json();
        assert_eq!(rooted["issuer"], document["issuer"]);
        assert!(
            world.get(&format!("/t/acme/authorize?{}", crate::world::query(&[])), "").await.is_error_page()
        );
    })
    .await;
}
