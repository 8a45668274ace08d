//! `POST /token` with `refresh_token`.

use crate::world::{SECRET, World, basic, claims, on_each, request, send};
use axum::http::{Method, StatusCode};
use oauth::params::encode;
use serde_json::Value;
use store::rows;

const DAY: u64 = 86_400;

fn refresh_of(tokens: &Value) -> String {
    tokens["refresh_token"].as_str().unwrap().to_owned()
}

async fn refreshed(world: &World, token: &str) -> Value {
    let answer = world.refresh("web", token).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_is_rotated_and_the_one_before_has_a_grace() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let tokens = world.tokens(&alice, "openid email").await;
        let first = refresh_of(&tokens);
        world.pass(100);
        let next = refreshed(world, &first).await;
        let second = refresh_of(&next);
        assert_ne!(first, second);
        let (old, new) =
            (claims(tokens["id_token"].as_str().unwrap()), claims(next["id_token"].as_str().unwrap()));
        for same in ["sub", "auth_time", "aud", "sid"] {
            assert_eq!(old[same], new[same], "{same}");
        }
        assert!(new.get("nonce").is_none());
        world.pass(29);
        assert_eq!(refresh_of(&refreshed(world, &first).await), second, "the same successor");
        world.pass(1);
        assert_eq!(world.refresh("web", &first).await.error(), "invalid_grant");
        // It was stolen or lost: nobody keeps anything.
        assert_eq!(world.refresh("web", &second).await.error(), "invalid_grant");
        assert_eq!(
            world.userinfo(next["access_token"].as_str().unwrap()).await.status,
            StatusCode::UNAUTHORIZED
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_two_rotations_old_ends_the_grant_within_the_grace_too() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let first = refresh_of(&world.tokens(&alice, "openid").await);
        let second = refresh_of(&refreshed(world, &first).await);
        let third = refresh_of(&refreshed(world, &second).await);
        let before = rows::mail::waiting(&world.db).await.unwrap();
        assert_eq!(world.refresh("web", &first).await.error(), "invalid_grant");
        assert_eq!(world.refresh("web", &third).await.error(), "invalid_grant");
        // The person is told, once.
        assert_eq!(rows::mail::waiting(&world.db).await.unwrap(), before + 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_set_back_makes_no_grace_longer() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let first = refresh_of(&world.tokens(&alice, "openid").await);
        world.pass(DAY);
        let second = refresh_of(&refreshed(world, &first).await);
        world.clock.set_back(std::time::Duration::from_secs(DAY));
        let third = refresh_of(&refreshed(world, &second).await);
        world.pass(10);
        world.clock.set_back(std::time::Duration::from_secs(20));
        assert_eq!(refresh_of(&refreshed(world, &second).await), third, "a little is no matter");
        world.clock.set_back(std::time::Duration::from_secs(DAY / 2));
        assert_eq!(world.refresh("web", &second).await.error(), "invalid_grant");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_32_fifty_refreshes_at_once_rotate_once() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let first = refresh_of(&world.tokens(&alice, "openid").await);
        let body = encode([("grant_type", "refresh_token"), ("refresh_token", first.as_str())]);
        let calls: Vec<_> = (0..50)
            .map(|_| {
                let headers = [
                    ("content-type", "application/x-www-form-urlencoded"),
                    ("authorization", &basic("web", SECRET)),
                ];
                tokio::spawn(send(world.router.clone(), request(Method::POST, "/token", &headers, &body)))
            })
            .collect();
        let mut successors = Vec::new();
        for call in calls {
            let answer = call.await.unwrap();
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            successors.push(refresh_of(&answer.json()));
        }
        successors.sort();
        successors.dedup();
        assert_eq!(successors.len(), 1);
        refreshed(world, &successors[0]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_without_rotation_keeps_its_token() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let code = world.authorize(&alice.cookie, &[("client_id", "steady")]).await.param("code").unwrap();
        let token = refresh_of(&world.redeem("steady", &code).await.json());
        for _ in 0..3 {
            world.pass(6 * DAY);
            world.authorize(&alice.cookie, &[("prompt", "none")]).await;
            let answer = world.refresh("steady", &token).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            assert_eq!(refresh_of(&answer.json()), token);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_dies_unused_after_14_days_and_in_any_case_after_30() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let idle = refresh_of(&world.tokens(&alice, "openid offline_access").await);
        let mut used = refresh_of(&world.tokens(&alice, "openid offline_access").await);
        for _ in 0..2 {
            world.pass(13 * DAY);
            used = refresh_of(&refreshed(world, &used).await);
        }
        assert_eq!(world.refresh("web", &idle).await.error(), "invalid_grant");
        world.pass(4 * DAY);
        assert_eq!(world.refresh("web", &used).await.error(), "invalid_grant");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_45_a_refresh_never_gives_more_than_is_allowed_now() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let web = basic("web", SECRET);
        let token = refresh_of(&world.tokens(&alice, "openid email profile").await);
        let narrowed = async |token: &str, scope: &str| {
            let fields = [("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)];
            world.post("/token", &[("authorization", &web)], &fields).await
        };
        assert_eq!(narrowed(&token, "openid phone").await.error(), "invalid_scope");
        let less = narrowed(&token, "openid").await.json();
        assert_eq!(less["scope"], "openid");
        let all = refreshed(world, &refresh_of(&less)).await;
        assert_eq!(all["scope"], "email openid profile", "what was granted stays granted");

        world.change("web", |_, client| client.scopes = Some("openid email".parse().unwrap())).await;
        let fewer = refreshed(world, &refresh_of(&all)).await;
        assert_eq!(fewer["scope"], "email openid");
        world.change("web", |_, client| client.scopes = Some("other".parse().unwrap())).await;
        let nothing = world.refresh("web", &refresh_of(&fewer)).await;
        assert_eq!(nothing.error(), "invalid_scope");
        world
            .change("web", |_, client| {
                client.scopes = None;
                client.grant_types = [oauth::client::GrantType::AuthorizationCode].into();
            })
            .await;
        assert_eq!(world.refresh("web", &refresh_of(&fewer)).await.error(), "unauthorized_client");
        let code = world.code(&alice, "openid offline_access").await;
        let tokens = world.redeem("web", &code).await.json();
        assert!(tokens.get("refresh_token").is_none(), "refresh tokens follow the grant types");
    })
    .await;
}
