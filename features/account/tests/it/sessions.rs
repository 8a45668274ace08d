//! `/account/sessions`, `/account/sign-out`, `/account/signed-out`.

use crate::world::worlds;
use base::{Handle, HandleKind, Id, id};
use http::StatusCode;

const PATH: &str = "/account/sessions";

/// The session that a browser's cookie names first.
fn named(cookie: &str) -> Id<id::Session> {
    Handle::parse(HandleKind::Session, cookie.split('.').next().unwrap()).unwrap().row()
}

#[tokio::test]
async fn living_sessions_are_listed_with_device_and_network() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let (elsewhere, _) = world.session(&world.tenant, alice).await;
        let strangers = world.session(&world.tenant, world.register("bob").await).await.0;
        let mut browser = world.sign_in(alice).await;
        let body = browser.get(PATH).await.body;
        for told in ["Firefox on Linux", "this device", "192.0.2.7", &elsewhere.to_string()] {
            assert!(body.contains(told), "{told}");
        }
        assert!(!body.contains(&strangers.to_string()));
        world.remove().await;
    }
}

#[tokio::test]
async fn one_session_is_ended() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let (phone, _) = world.session(&world.tenant, alice).await;
        let (laptop, _) = world.session(&world.tenant, alice).await;
        let application = world.application("partner", "Partner").await;
        let grant = world.grant((alice, phone), application, false).await;
        let mut browser = world.sign_in(alice).await;
        let reply = browser.post(PATH, &[("session", &phone.to_string())]).await;
        assert_eq!(
            (reply.status, reply.location.as_str()),
            (StatusCode::SEE_OTHER, "/account/sessions?done=one")
        );
        assert!(!world.is_alive(phone).await && world.is_alive(laptop).await);
        assert!(!world.grant_lives(grant).await);
        assert_eq!(world.events(alice).await[0].0, "session.ended");
        let page = browser.get(&reply.location).await.body;
        assert!(page.contains("Signed out there.") && !page.contains(&phone.to_string()));
        let again = browser.post(PATH, &[("session", &phone.to_string())]).await;
        assert_eq!(again.status, StatusCode::SEE_OTHER);
        world.remove().await;
    }
}

#[tokio::test]
async fn other_peoples_sessions_are_not_there() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let bob = world.register("bob").await;
        let (bobs, _) = world.session(&world.tenant, bob).await;
        let acmes = world.register_in(&world.acme, "alice").await;
        let (foreign, _) = world.session(&world.acme, acmes).await;
        let mut browser = world.sign_in(alice).await;
        let ids =
            [bobs.to_string(), foreign.to_string(), alice.to_string(), String::new(), "x".repeat(9_000)];
        for id in ids {
            assert_eq!(browser.post(PATH, &[("session", &id)]).await.status, StatusCode::NOT_FOUND);
        }
        assert!(world.is_alive(bobs).await);
        let mut neighbour = world.sign_in_at(&world.acme, acmes).await;
        let reply = neighbour.post(PATH, &[("session", &bobs.to_string())]).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND);
        let reply = neighbour.post(PATH, &[("session", &foreign.to_string())]).await;
        assert_eq!(reply.location, "/t/acme/account/sessions?done=one");
        world.remove().await;
    }
}

#[tokio::test]
async fn ending_the_others_keeps_this_one_and_its_grants() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let (phone, _) = world.session(&world.tenant, alice).await;
        let mut browser = world.sign_in(alice).await;
        let this = named(browser.cookie("kws"));
        let application = world.application("partner", "Partner").await;
        let phones = world.grant((alice, phone), application, false).await;
        let offline = world.grant((alice, phone), application, true).await;
        let own = world.grant((alice, this), application, false).await;
        let mut thief = browser.clone();
        let reply = browser.post(PATH, &[("session", "others")]).await;
        assert_eq!(reply.location, "/account/sessions?done=others&count=1");
        assert!(!world.is_alive(phone).await && world.is_alive(this).await);
        assert!(!world.grant_lives(phones).await && !world.grant_lives(offline).await);
        assert!(world.grant_lives(own).await);
        assert!(browser.get(&reply.location).await.body.contains("Signed out in one other place."));
        assert_eq!(thief.get(PATH).await.body, "sign in for /account/sessions");
        assert_eq!(world.events(alice).await[0].0, "person.signed-out-everywhere");
        world.remove().await;
    }
}

#[tokio::test]
async fn signing_out_everywhere_ends_everything() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let bob = world.register("bob").await;
        let (phone, _) = world.session(&world.tenant, alice).await;
        let (bobs, handle) = world.session(&world.tenant, bob).await;
        let mut browser = world.sign_in(alice).await;
        let this = named(browser.cookie("kws"));
        browser.set("kws", &format!("{}.{}", browser.cookie("kws"), handle.reveal()));
        let application = world.application("partner", "Partner").await;
        let bound = world.grant((alice, this), application, false).await;
        let offline = world.grant((alice, phone), application, true).await;
        let bobs_grant = world.grant((bob, bobs), application, true).await;
        let reply = browser.post(PATH, &[("session", "all")]).await;
        assert_eq!((reply.status, reply.location.as_str()), (StatusCode::SEE_OTHER, "/account/signed-out"));
        assert!(!world.is_alive(this).await && !world.is_alive(phone).await && world.is_alive(bobs).await);
        assert!(!world.grant_lives(bound).await && !world.grant_lives(offline).await);
        assert!(world.grant_lives(bobs_grant).await);
        assert_eq!(browser.cookie("kws"), handle.reveal());
        let page = browser.get(&reply.location).await.body;
        assert!(page.contains("id=\"signed-out\"") && page.contains("href=\"/account\""));
        world.remove().await;
    }
}

#[tokio::test]
async fn everywhere_at_the_same_time_from_two_browsers_is_done_once() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let mut one = world.sign_in(alice).await;
        let mut two = world.sign_in(alice).await;
        let (this, that) = (named(one.cookie("kws")), named(two.cookie("kws")));
        let (token, other) = (one.token().await, two.token().await);
        let (first, second) =
            ([("csrf", token.as_str()), ("session", "all")], [("csrf", other.as_str()), ("session", "all")]);
        tokio::join!(one.post_only(PATH, &first), two.post_only(PATH, &second));
        assert!(!world.is_alive(this).await && !world.is_alive(that).await);
        let events = world.events(alice).await;
        assert_eq!(events.iter().filter(|(kind, _)| kind == "person.signed-out-everywhere").count(), 1);
        world.remove().await;
    }
}

#[tokio::test]
async fn signing_out_here_leaves_the_rest() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let (phone, _) = world.session(&world.tenant, alice).await;
        let (_, handle) = world.session(&world.tenant, world.register("bob").await).await;
        let mut browser = world.sign_in(alice).await;
        let this = named(browser.cookie("kws"));
        browser.set("kws", &format!("{}.{}", browser.cookie("kws"), handle.reveal()));
        let token = browser.token().await;
        let reply = browser.post("/account/sign-out", &[("session", "this")]).await;
        assert_eq!((reply.status, reply.location.as_str()), (StatusCode::SEE_OTHER, "/account/signed-out"));
        assert!(!world.is_alive(this).await && world.is_alive(phone).await);
        assert_eq!(browser.cookie("kws"), handle.reveal());
        assert!(browser.get("/account").await.body.contains("bob@example.com"));
        browser.set("kws", "");
        let again = browser.post_only("/account/sign-out", &[("csrf", &token)]).await;
        assert_eq!(again.location, "/account/signed-out");
        world.remove().await;
    }
}
