//! `/session/check`: the state of the session, which an application watches in a frame.

use crate::world::{Answer, CALLBACK, World, on_each};
use axum::http::StatusCode;
use oauth::{logout::session_state, params::encode};
use store::rows::{application, person, tenant};

async fn switch_on(world: &World) {
    let mut row = tenant::by_id(&world.db, world.tenant.id).await.unwrap().unwrap();
    row.settings = "{\"session_management\":true}".to_owned();
    let mut unit = world.unit("tenant.changed");
    tenant::update(&mut unit, &row, world.now());
    world.commit(unit).await;
    world.site.directory().forget(world.tenant.id);
}

/// What the answer makes of the browser's state: name, value and the rest.
fn state_cookie(answer: &Answer) -> (String, String, String) {
    let mut cookies = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let cookie = cookies.rfind(|cookie| cookie.starts_with("__Host-kwb-")).unwrap();
    let (pair, rest) = cookie.split_once("; ").unwrap();
    let (name, value) = pair.split_once('=').unwrap();
    (name.to_owned(), value.to_owned(), rest.to_owned())
}

/// What the script of the page computes for the application `web`.
async fn computed(world: &World, browser_state: &str, salt: &str) -> String {
    let row = application::by_client_id(&world.db, world.tenant.id, "web").await.unwrap().unwrap();
    let client = serde_json::from_str(&row.metadata).unwrap();
    session_state(&client, &"https://shop.example".parse().unwrap(), browser_state, salt)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_carries_the_state_until_the_session_changes() {
    on_each(async |world| {
        switch_on(world).await;
        let alice = world.signed_in("alice@example.com").await;
        let answer = world.authorize(&alice.cookie, &[]).await;
        let state = answer.param("session_state").unwrap();
        let (name, value, rest) = state_cookie(&answer);
        assert!(rest.contains("Path=/; Secure; SameSite=None") && !rest.contains("HttpOnly"), "{rest}");
        let (_, salt) = state.split_once('.').unwrap();
        assert_eq!(state, computed(world, &value, salt).await);

        // Another answer, another salt, the same state of the browser.
        let again = world.authorize(&alice.cookie, &[]).await;
        assert_eq!(state_cookie(&again).1, value);
        assert_ne!(again.param("session_state").unwrap(), state);
        let bob = world.signed_in("bob@example.com").await;
        assert_ne!(state_cookie(&world.authorize(&bob.cookie, &[]).await).1, value);

        let tokens = world.redeem("web", &again.param("code").unwrap()).await.json();
        let hint = tokens["id_token"].as_str().unwrap();
        let both = world.cookie(&[&alice.handle, &bob.handle]);
        let query =
            encode([("id_token_hint", hint), ("post_logout_redirect_uri", "https://shop.example/bye")]);
        let answer = world.get(&format!("/logout?{query}"), &both).await;
        assert_eq!(state_cookie(&answer).0, name);
        assert_eq!(state_cookie(&answer).1, state_cookie(&world.authorize(&bob.cookie, &[]).await).1);

        let document = world.get("/.well-known/openid-configuration", "").await.json();
        assert_eq!(document["check_session_iframe"], "https://id.example/session/check");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_that_ends_carries_the_state_too() {
    on_each(async |world| {
        switch_on(world).await;
        let alice = world.signed_in("alice@example.com").await;
        world.authorize(&alice.cookie, &[("prompt", "login"), ("redirect_uri", CALLBACK)]).await;
        let begun = world.begun().unwrap();
        let answer = world.finish(&begun.request, &alice).await;
        let state = answer.param("session_state").unwrap();
        let (_, salt) = state.split_once('.').unwrap();
        assert_eq!(state, computed(world, &state_cookie(&answer).1, salt).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_was_ended_from_elsewhere_is_not_shown_any_more() {
    on_each(async |world| {
        switch_on(world).await;
        let (alice, bob) =
            (world.signed_in("alice@example.com").await, world.signed_in("bob@example.com").await);
        let (name, shown, _) = state_cookie(&world.authorize(&alice.cookie, &[]).await);
        let of_bob = state_cookie(&world.authorize(&bob.cookie, &[]).await).1;
        let with_state = |cookie: String| format!("{cookie}; {name}={shown}");
        let both = with_state(world.cookie(&[&alice.handle, &bob.handle]));
        let has_state = |answer: &Answer| {
            answer
                .headers
                .get_all("set-cookie")
                .iter()
                .any(|cookie| cookie.to_str().unwrap().starts_with(&name))
        };
        assert!(!has_state(&world.get("/logout", &both).await), "it is shown rightly");

        // As an operator suspends somebody.
        let mut unit = world.unit("person.suspended");
        let guard = (alice.person, 1);
        person::raise(&mut unit, world.tenant.id, guard, person::Raise::Everything, world.now());
        world.commit(unit).await;
        assert_eq!(state_cookie(&world.get("/logout", &both).await).1, of_bob, "another answers now");
        let alone = world.get("/logout", &with_state(alice.cookie.clone())).await;
        let (_, value, rest) = state_cookie(&alone);
        assert!(value.is_empty() && rest.contains("Max-Age=0"), "{rest}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_may_be_framed_by_anybody_and_runs_one_script() {
    on_each(async |world| {
        switch_on(world).await;
        let page = world.get("/session/check", "").await;
        assert_eq!(page.status, StatusCode::OK);
        let policy = page.header("content-security-policy");
        assert!(policy.contains("frame-ancestors *") && policy.contains("script-src 'sha256-"), "{policy}");
        assert!(page.text.contains("data-cookie=\"__Host-kwb-"), "{}", page.text);
        assert!(page.headers.get("set-cookie").is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_has_not_asked_for_it_has_none_of_it() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let answer = world.authorize(&alice.cookie, &[]).await;
        assert!(answer.param("code").is_some() && answer.param("session_state").is_none());
        let mut cookies = answer.headers.get_all("set-cookie").iter();
        assert!(!cookies.any(|cookie| cookie.to_str().unwrap().contains("kwb-")));
        assert_eq!(world.get("/session/check", "").await.status, StatusCode::NOT_FOUND);
        let document = world.get("/.well-known/openid-configuration", "").await.json();
        assert!(document.get("check_session_iframe").is_none());
        assert_eq!(document["backchannel_logout_session_supported"], true);
        assert_eq!(document["frontchannel_logout_session_supported"], true);
    })
    .await;
}
