//! Back-channel logout: who is told of which end of a session, when and how often.

use crate::{
    logout_receiver::{Background, Receiver, checked},
    world::{Browser, CALLBACK, World, claims, on_each},
};
use axum::http::StatusCode;
use base::Event;
use oauth::params::encode;
use serde_json::Value;
use store::{
    Unit,
    rows::{
        grant,
        person::{self, Raise},
        session,
    },
};

const BYE: &str = "https://shop.example/bye";

/// The application is told at this receiver from now on.
async fn tell(world: &World, client: &str, receiver: &Receiver) {
    let url = receiver.url.clone();
    world.change(client, move |_, client| client.backchannel_logout_uri = Some(url.parse().unwrap())).await;
}

async fn tokens(world: &World, browser: &Browser, client: &str, scope: &str) -> Value {
    let params = [("client_id", client), ("redirect_uri", CALLBACK), ("scope", scope)];
    let code = world.authorize(&browser.cookie, &params).await.param("code").unwrap();
    let answer = world.redeem(client, &code).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

fn id_token(tokens: &Value) -> &str {
    tokens["id_token"].as_str().unwrap()
}

async fn logout(world: &World, browser: &Browser, hint: &str) {
    let params = [("id_token_hint", hint), ("post_logout_redirect_uri", BYE)];
    let answer = world.get(&format!("/logout?{}", encode(params)), &browser.cookie).await;
    assert_eq!(answer.location(), BYE);
}

/// A unit about this person as another capability writes it.
fn elsewhere(world: &World, kind: &'static str, browser: &Browser) -> Unit {
    let event = Event::new(world.env(), kind).person(browser.person).session(browser.session);
    Unit::new(event.id, vec![world.tenant.event(world.env(), event, None)])
}

/// Commits it, and numbers its event where that is nobody's by-product.
async fn happens(world: &World, unit: Unit) {
    world.commit(unit).await;
    while world.db.number_events().await.unwrap() > 0 {}
}

async fn ends(world: &World, browser: &Browser) {
    let mut unit = elsewhere(world, "session.ended", browser);
    session::end(&mut unit, world.tenant.id, (browser.session, browser.person), world.now());
    happens(world, unit).await;
}

async fn person_row(world: &World, browser: &Browser) -> person::PersonRow {
    person::by_id(&world.db, world.tenant.id, browser.person).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn applications_of_the_session_are_told_before_the_browser_is_back() {
    on_each(async |world| {
        let (mut web, mut steady) = (Receiver::new(&[]).await, Receiver::new(&[]).await);
        tell(world, "web", &web).await;
        tell(world, "steady", &steady).await;
        let alice = world.signed_in("alice@example.com").await;
        let bob = world.signed_in("bob@example.com").await;
        let first = tokens(world, &alice, "web", "openid").await;
        let again = tokens(world, &alice, "web", "openid").await;
        tokens(world, &alice, "steady", "openid").await;
        tokens(world, &bob, "web", "openid").await;
        let sid = claims(id_token(&first))["sid"].clone();
        assert_eq!(sid, claims(id_token(&again))["sid"]);

        logout(world, &alice, id_token(&first)).await;
        let told = checked(world, &web.arrived().unwrap(), "web").await;
        assert_eq!((&told["sub"], &told["sid"]), (&alice.sub.as_str().into(), &sid));
        let other = checked(world, &steady.arrived().unwrap(), "steady").await;
        assert_eq!(other["sid"], sid);
        assert_ne!(other["jti"], told["jti"]);
        // Once for each application, and nobody is told of somebody else.
        assert!(web.arrived().is_none() && steady.arrived().is_none());

        // The event of the logout tells nobody a second time: the next to come is Bob's.
        let background = Background::start(world);
        ends(world, &bob).await;
        let next = checked(world, &web.token().await, "web").await;
        assert_eq!(next["sub"], bob.sub.as_str());
        background.stop().await;
        assert!(web.arrived().is_none() && steady.arrived().is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_is_tried_again_under_the_same_jti() {
    on_each(async |world| {
        let mut web = Receiver::new(&[503, 400, 302]).await;
        tell(world, "web", &web).await;
        let alice = world.signed_in("alice@example.com").await;
        let hint = tokens(world, &alice, "web", "openid").await;
        logout(world, &alice, id_token(&hint)).await;
        let first = checked(world, &web.arrived().unwrap(), "web").await;
        let background = Background::start(world);
        for wait in [5, 10, 20] {
            world.pass(wait);
            let again = checked(world, &web.token().await, "web").await;
            assert_eq!((&again["jti"], &again["sid"]), (&first["jti"], &first["sid"]));
            assert_ne!(again["iat"], first["iat"]);
        }
        background.stop().await;
        assert!(web.arrived().is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_change_tells_of_all_sessions_but_its_own() {
    on_each(async |world| {
        let mut web = Receiver::new(&[]).await;
        tell(world, "web", &web).await;
        let here = world.signed_in("alice@example.com").await;
        let there = world.session(here.person, here.sub.clone()).await;
        let mine = claims(id_token(&tokens(world, &here, "web", "openid").await))["sid"].clone();
        let theirs = claims(id_token(&tokens(world, &there, "web", "openid").await))["sid"].clone();
        let background = Background::start(world);

        let row = person_row(world, &here).await;
        let own = session::by_id(&world.db, world.tenant.id, here.session).await.unwrap().unwrap();
        let mut unit = elsewhere(world, "password.changed", &here);
        person::raise(&mut unit, world.tenant.id, (row.id, row.epoch), Raise::Sessions, world.now());
        session::restamp(&mut unit, world.tenant.id, &own, &[7; 32]);
        grant::restamp(&mut unit, world.tenant.id, own.id, row.epoch);
        happens(world, unit).await;
        assert_eq!(checked(world, &web.token().await, "web").await["sid"], theirs);

        ends(world, &here).await;
        assert_eq!(checked(world, &web.token().await, "web").await["sid"], mine);
        background.stop().await;
        assert!(web.arrived().is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_whose_tokens_outlive_the_session_hears_of_its_end() {
    on_each(async |world| {
        let mut web = Receiver::new(&[]).await;
        tell(world, "web", &web).await;
        let alice = world.signed_in("alice@example.com").await;
        let sid =
            claims(id_token(&tokens(world, &alice, "web", "openid offline_access").await))["sid"].clone();
        let background = Background::start(world);
        ends(world, &alice).await;
        let told = checked(world, &web.token().await, "web").await;
        assert_eq!((&told["sub"], &told["sid"]), (&alice.sub.as_str().into(), &sid));

        // What happens to the person afterwards is no news of that session.
        let row = person_row(world, &alice).await;
        let mut unit = elsewhere(world, "person.suspended", &alice);
        person::raise(&mut unit, world.tenant.id, (row.id, row.epoch), Raise::Everything, world.now());
        happens(world, unit).await;
        background.stop().await;
        assert!(web.arrived().is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_person_who_is_erased_already_is_still_told_of() {
    on_each(async |world| {
        let mut web = Receiver::new(&[]).await;
        tell(world, "web", &web).await;
        let alice = world.signed_in("alice@example.com").await;
        let sid = claims(id_token(&tokens(world, &alice, "web", "openid").await))["sid"].clone();
        let row = person_row(world, &alice).await;
        let mut unit = elsewhere(world, "person.deleted", &alice);
        person::delete(&mut unit, world.tenant.id, &row, world.now());
        world.commit(unit).await;
        let mut unit = world.unit("person.erased");
        person::erase(&mut unit, world.tenant.id, row.id, world.now());
        session::drop_of_person(&mut unit, world.tenant.id, row.id);
        grant::drop_of_person(&mut unit, world.tenant.id, row.id);
        happens(world, unit).await;

        let background = Background::start(world);
        let told = checked(world, &web.token().await, "web").await;
        assert_eq!((&told["sub"], &told["sid"]), (&alice.sub.as_str().into(), &sid));
        background.stop().await;
        assert!(web.arrived().is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_tell_once() {
    on_each(async |world| {
        let mut web = Receiver::new(&[]).await;
        tell(world, "web", &web).await;
        let nodes = [Background::start(world), Background::start(world)];
        let mut told = std::collections::BTreeSet::new();
        for name in ["alice", "bob", "carol", "dave"] {
            let browser = world.signed_in(&format!("{name}@example.com")).await;
            tokens(world, &browser, "web", "openid").await;
            ends(world, &browser).await;
        }
        for _ in 0..4 {
            let token = checked(world, &web.token().await, "web").await;
            assert!(told.insert(token["sub"].as_str().unwrap().to_owned()));
        }
        for node in nodes {
            node.stop().await;
        }
        assert!(web.arrived().is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_is_accepted() {
    on_each(async |world| {
        store::prepare_all(&world.db, &oidc::statements()).await.unwrap();
    })
    .await;
}
