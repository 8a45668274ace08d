//! What a network may try: secrets, initial access tokens, registrations.

use crate::{
    register::allow,
    world::{Answer, SECRET, World, basic, on_each, request, send as answer_of},
};
use axum::{
    Router,
    http::{Method, StatusCode},
};
use base::net::ClientAddr;
use oauth::params::encode;
use serde_json::json;
use std::time::Duration;
use work::{Limits, Rate};

const HERE: &str = "192.0.2.1";
const THERE: &str = "198.51.100.7";
const FORM: &str = "application/x-www-form-urlencoded";

async fn send(
    world: &World,
    from: &str,
    (path, kind): (&str, &str),
    authorization: &str,
    body: &str,
) -> Answer {
    let headers = [("content-type", kind), ("authorization", authorization)];
    let mut request = request(Method::POST, path, &headers, body);
    request.extensions_mut().insert(ClientAddr(from.parse().unwrap()));
    world.call(request).await
}

async fn with_secret(world: &World, from: &str, path: &str, client: &str, secret: &str) -> Answer {
    let body = encode([("grant_type", "client_credentials"), ("token", "x")]);
    send(world, from, (path, FORM), &basic(client, secret), &body).await
}

async fn register(world: &World, from: &str, authorization: &str) -> Answer {
    let body = json!({ "redirect_uris": ["https://rp.example/cb"] }).to_string();
    send(world, from, ("/register", "application/json"), authorization, &body).await
}

fn is_held_up(answer: &Answer) -> bool {
    answer.status == StatusCode::TOO_MANY_REQUESTS && answer.header("retry-after").parse::<u64>().unwrap() > 0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_25_a_network_guesses_so_many_secrets_and_locks_nobody_else_out() {
    on_each(async |world| {
        let paths = ["/token", "/introspect", "/revoke"];
        for (turn, path) in paths.into_iter().cycle().take(20).enumerate() {
            let answer = with_secret(world, HERE, path, "robot", "guess").await;
            assert_eq!((turn, answer.error().as_str()), (turn, "invalid_client"));
        }
        for path in paths {
            for secret in ["guess", SECRET] {
                let answer = with_secret(world, HERE, path, "robot", secret).await;
                assert!(is_held_up(&answer), "{path} {secret}: {} {}", answer.status, answer.text);
            }
        }
        let there = with_secret(world, THERE, "/token", "robot", SECRET).await;
        assert_eq!(there.status, StatusCode::OK, "its own network is not held up");
        let other = with_secret(world, HERE, "/introspect", "web", SECRET).await;
        assert_eq!(other.status, StatusCode::OK, "nor is another application of that network");
        world.pass(6);
        assert_eq!(with_secret(world, HERE, "/token", "robot", SECRET).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_at_many_applications_are_counted_together() {
    on_each(async |world| {
        for number in 0..120 {
            let answer = with_secret(world, HERE, "/token", &format!("nobody-{number}"), "guess").await;
            assert_eq!(answer.error(), "invalid_client");
        }
        assert!(is_held_up(&with_secret(world, HERE, "/token", "web", SECRET).await));
        let public = encode([("client_id", "spa"), ("token", "x")]);
        let public = send(world, HERE, ("/revoke", FORM), "", &public).await;
        assert_eq!(public.status, StatusCode::OK, "whoever proves nothing guesses nothing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn initial_access_tokens_are_not_guessed_without_end() {
    on_each(async |world| {
        allow(world, json!({ "client_registration": "token" })).await;
        for _ in 0..120 {
            assert_eq!(register(world, HERE, "Bearer ia_guess").await.status, StatusCode::UNAUTHORIZED);
        }
        assert!(is_held_up(&register(world, HERE, "Bearer ia_guess").await));
        assert_eq!(register(world, THERE, "Bearer ia_guess").await.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_registers_so_many_applications() {
    on_each(async |world| {
        allow(world, json!({ "client_registration": "open" })).await;
        for _ in 0..100 {
            assert_eq!(register(world, HERE, "").await.status, StatusCode::CREATED);
        }
        assert!(is_held_up(&register(world, HERE, "").await));
        assert_eq!(register(world, THERE, "").await.status, StatusCode::CREATED);
        world.pass(6);
        assert_eq!(register(world, HERE, "").await.status, StatusCode::CREATED);
    })
    .await;
}

/// A machine asks for a token at a server with these limits.
async fn token(router: &Router, from: &str, client: &str) -> Answer {
    let headers = [("content-type", FORM), ("authorization", &*basic(client, SECRET))];
    let mut request =
        request(Method::POST, "/token", &headers, &encode([("grant_type", "client_credentials")]));
    request.extensions_mut().insert(ClientAddr(from.parse().unwrap()));
    answer_of(router.clone(), request).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_beyond_its_rate_is_held_up_and_another_is_not() {
    on_each(async |world| {
        let few = Rate { per_minute: 6, burst: 3 };
        let router = world.limited(Limits { application: few, ..Limits::default() });
        for from in [HERE, THERE, HERE] {
            assert_eq!(token(&router, from, "robot").await.status, StatusCode::OK);
        }
        assert!(is_held_up(&token(&router, THERE, "robot").await), "from whatever network");
        assert!(!is_held_up(&token(&router, HERE, "web").await));
        world.clock.advance(Duration::from_secs(10));
        assert_eq!(
            token(&router, HERE, "robot").await.status,
            StatusCode::OK,
            "one returns after ten seconds"
        );
        assert!(is_held_up(&token(&router, HERE, "robot").await));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_beyond_its_rate_is_held_up_before_anything_is_read() {
    on_each(async |world| {
        let few = Rate { per_minute: 6, burst: 3 };
        let router = world.limited(Limits { tenant: few, ..Limits::default() });
        for client in ["robot", "web", "robot"] {
            assert!(!is_held_up(&token(&router, HERE, client).await), "{client}");
        }
        let reads = || world.db.watch().reads.classes().iter().map(|(_, count)| count).sum::<u64>();
        let before = reads();
        for client in ["robot", "nobody"] {
            assert!(is_held_up(&token(&router, THERE, client).await), "{client}");
        }
        assert_eq!(reads(), before);
    })
    .await;
}
