//! Attempts: as many as the account has, whoever makes them and however.

use crate::{
    browser::{Browser, Page},
    world::{PASSWORD, World, on_each, unlimited},
};
use std::time::Duration;
use work::{Limits, Rate};

const BURST: usize = 10;

async fn guess(world: &World, identifier: &str, password: &str) -> Page {
    let mut browser = world.program();
    let page = browser.get("/signin").await;
    browser.post(&page, &[("identifier", identifier), ("password", password)]).await
}

async fn exhaust(world: &World, identifier: &str) {
    for _ in 0..BURST {
        guess(world, identifier, "wrong").await.is(422, "identify");
    }
    guess(world, identifier, "wrong").await.is(429, "identify").says("error-too-many");
}

on_each!(abuse_11_guesses_at_once_are_no_more_than_the_burst, |world| {
    world.alice().await;
    let hashes = world.pool.hashes();
    let guesses: Vec<_> = (0..50)
        .map(|index| {
            let mut browser = world.program();
            tokio::spawn(async move {
                let page = browser.get("/signin").await;
                let password = format!("guess number {index}");
                browser.post(&page, &[("identifier", "alice"), ("password", &password)]).await
            })
        })
        .collect();
    let mut told = 0;
    for guess in guesses {
        let answer = guess.await.unwrap();
        match answer.status.as_u16() {
            422 => told += 1,
            429 => assert!(answer.headers.contains_key("retry-after") || answer.step == "identify"),
            503 => {}
            status => panic!("{status} {}", answer.body),
        }
    }
    assert!(told <= BURST, "{told} guesses were answered");
    // At most three more were on their way when the last attempt went.
    assert!(world.pool.hashes() - hashes <= 13, "{}", world.pool.hashes() - hashes);
    for _ in told..BURST {
        guess(&world, "alice", "wrong").await.is(422, "identify");
    }
    guess(&world, "alice", PASSWORD).await.is(429, "identify");
});

on_each!(no_hash_is_made_when_no_attempt_is_left, |world| {
    world.alice().await;
    exhaust(&world, "alice").await;
    let hashes = world.pool.hashes();
    guess(&world, "alice", PASSWORD).await.is(429, "identify").says("error-too-many");
    assert_eq!(world.pool.hashes(), hashes);
});

on_each!(attempts_return_with_time_and_with_nothing_else, |world| {
    world.alice().await;
    for _ in 0..BURST - 1 {
        guess(&world, "alice", "wrong").await.is(422, "identify");
    }
    guess(&world, "alice", PASSWORD).await.leads_to("/account");
    guess(&world, "alice", "wrong").await.is(422, "identify");
    guess(&world, "alice", "wrong").await.is(429, "identify");
    // The first attempt was some milliseconds before the last.
    world.wait(355);
    guess(&world, "alice", "wrong").await.is(429, "identify");
    world.wait(5);
    guess(&world, "alice", PASSWORD).await.leads_to("/account");
    guess(&world, "alice", "wrong").await.is(422, "identify");
    guess(&world, "alice", "wrong").await.is(429, "identify");
    world.wait(3_600);
    exhaust(&world, "alice").await;
});

on_each!(abuse_11_a_stranger_locks_nobody_out_of_a_device_of_their_own, |world| {
    world.alice().await;
    let mut home = world.signed_in("alice", PASSWORD).await;
    home.cookies.retain(|name, _| name.starts_with("kwd-"));
    exhaust(&world, "alice").await;
    guess(&world, "alice", PASSWORD).await.is(429, "identify");
    home.sign_in("alice", PASSWORD).await;
    // The own device has no more attempts than others.
    let mut stolen = home.speaking_json();
    stolen.cookies.retain(|name, _| name.starts_with("kwd-"));
    let page = stolen.get("/signin").await;
    let wrong = [("identifier", "alice"), ("password", "wrong")];
    for _ in 0..BURST {
        stolen.post(&page, &wrong).await.is(422, "identify");
    }
    stolen.post(&page, &wrong).await.is(429, "identify");
    // And it counts for nobody else's account.
    world.bob().await;
    exhaust(&world, "bob").await;
    let both = [("identifier", "bob"), ("password", PASSWORD)];
    stolen.post(&page, &both).await.is(429, "identify");
});

on_each!(abuse_12_all_names_of_an_account_share_one_count, |world| {
    world.alice().await;
    let names = [
        "alice",
        "ALICE",
        " alice ",
        "ａｌｉｃｅ",
        "alice@example.com",
        "Alice@Example.COM",
        " alice@example.com",
        "ALICE@EXAMPLE.COM",
        "aLiCe",
        "alice\u{a0}",
    ];
    for name in names {
        guess(&world, name, "wrong").await.is(422, "identify");
    }
    for name in names {
        guess(&world, name, PASSWORD).await.is(429, "identify");
    }
});

on_each!(abuse_12_spellings_of_an_unknown_name_share_one_count, |world| {
    for name in
        ["nobody@example.com", "NOBODY@example.com", " nobody@EXAMPLE.com "].iter().cycle().take(BURST)
    {
        guess(&world, name, "wrong").await.is(422, "identify");
    }
    guess(&world, "Nobody@Example.Com", "wrong").await.is(429, "identify");
});

/// A recovery of that account that waits for its code.
async fn recovery(world: &World, mut browser: Browser, identifier: &str) -> (Browser, Page) {
    let page = browser.get("/recover").await;
    let page = browser.post(&page, &[("identifier", identifier)]).await;
    assert!(world.count("challenge").await > 0);
    (browser, page)
}

on_each!(abuse_11_codes_are_limited_by_account_over_all_flows_and_names, |world| {
    world.alice().await;
    let mut home = world.signed_in("alice", PASSWORD).await.speaking_json();
    home.cookies.retain(|name, _| name.starts_with("kwd-"));
    for identifier in ["alice", "alice@example.com"] {
        let (mut browser, page) = recovery(&world, world.program(), identifier).await;
        for _ in 0..5 {
            browser.post(&page, &[("code", "000000")]).await.is(422, "code");
        }
    }
    let (mut browser, page) = recovery(&world, world.program(), "alice").await;
    let code = world.code("alice@example.com").await;
    browser.post(&page, &[("code", &code)]).await.is(429, "code").says("error-wait");
    // A stranger's guesses do not keep the person from recovering at home.
    let (mut home, page) = recovery(&world, home, "alice").await;
    let code = world.code("alice@example.com").await;
    home.post(&page, &[("code", &code)]).await.is(200, "new-password");
});

on_each!(abuse_11_mails_to_an_account_are_limited_over_all_flows_and_names, |world| {
    world.alice().await;
    for identifier in ["alice", "alice@example.com", "ALICE", "Alice@example.com", "alice"] {
        recovery(&world, world.program(), identifier).await.1.is(200, "code");
    }
    for identifier in ["alice", "alice@example.com"] {
        recovery(&world, world.program(), identifier).await.1.is(429, "recover").says("error-wait");
    }
    assert_eq!(world.count("mail").await, 5);
    world.wait(120);
    recovery(&world, world.program(), "alice").await.1.is(200, "code");
});

on_each!(abuse_11_a_flood_is_held_up_before_anybody_is_looked_up, |world| {
    world.alice().await;
    let few = Rate { per_minute: 6, burst: 3 };
    let everything = [
        Limits { network: few, ..unlimited() },
        Limits { application: few, ..unlimited() },
        Limits { tenant: few, ..unlimited() },
    ];
    for limits in everything {
        let mut program = world.limited(limits);
        program.address = Some(base::net::ClientAddr("192.0.2.1".parse().unwrap()));
        let page = program.get("/authorize").await.is(200, "identify");
        let wrong = [("identifier", "nobody@example.com"), ("password", "wrong")];
        for _ in 0..3 {
            program.post(&page, &wrong).await.is(422, "identify");
        }
        let hashes = world.pool.hashes();
        let rows = world.count("attempt").await;
        let alice = program.post(&page, &[("identifier", "alice"), ("password", "wrong")]).await;
        assert_eq!(alice.status, 429, "{}", alice.body);
        assert!(alice.headers.contains_key("retry-after"));
        assert_eq!((world.pool.hashes(), world.count("attempt").await), (hashes, rows));
        world.wait(3_600);
    }
});

on_each!(a_clock_set_back_closes_no_account, |world| {
    world.alice().await;
    world.wait(86_400);
    exhaust(&world, "alice").await;
    world.clock.set_back(Duration::from_secs(86_400));
    guess(&world, "alice", "wrong").await.is(422, "identify");
    guess(&world, "alice", PASSWORD).await.is(429, "identify").says("error-too-many");
    world.wait(360);
    guess(&world, "alice", PASSWORD).await.leads_to("/account");
});
