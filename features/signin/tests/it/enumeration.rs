//! Known and unknown accounts: the same answers, the same reads and writes, the same number of hashes.

use crate::{
    browser::{Browser, Page},
    world::{PASSWORD, World, on_each},
};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// What is filled in; `?` stands for the name.
type Form = &'static [(&'static str, &'static str)];

/// What somebody outside sees, and what it cost.
#[derive(Debug, PartialEq)]
struct Seen {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    rows: BTreeMap<&'static str, i64>,
    reads: u64,
    hashes: u64,
}

/// How many statements were read so far.
fn reads(world: &World) -> u64 {
    world.db.watch().reads.classes().iter().map(|(_, count)| count).sum()
}

/// Takes out what is random or was typed.
fn plain(text: &str, page: &Page, typed: &str) -> String {
    let mut text = text.replace(&page.action, "ACTION");
    for (name, value) in page.hidden.iter().filter(|(name, _)| name != "step") {
        text = text.replace(value, name);
    }
    let mut parts = text.split("from=");
    let mut plain = parts.next().unwrap().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').unwrap();
        plain.push_str("from=");
        plain.push_str(&part[end..]);
    }
    plain.replace(typed, "TYPED")
}

async fn seen(
    world: &World,
    browser: &mut Browser,
    (page, typed): (&Page, &str),
    fields: &[(&str, &str)],
) -> (Seen, Page) {
    let (rows, hashes) = (world.shape().await, world.pool.hashes());
    // What is read anew once in a while, tenants and applications, is read now.
    world.browser().get("/authorize").await;
    let before = reads(world);
    let answer = browser.post(page, fields).await;
    let reads = reads(world) - before;
    let grown = world.grown(&rows).await;
    let next = if answer.location.is_empty() { answer.clone() } else { browser.get(&answer.location).await };
    let headers = answer
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), plain(value.to_str().unwrap(), &next, typed)));
    // Lengths follow what was typed, which is as long for both.
    let seen = Seen {
        status: answer.status.as_u16(),
        headers: headers.collect(),
        body: plain(&next.body, &next, typed),
        rows: grown,
        reads,
        hashes: world.pool.hashes() - hashes,
    };
    (seen, next)
}

/// The answers to a whole journey of somebody who is not who they say.
async fn journey(world: &World, start: &str, typed: &str, posts: &[Form]) -> Vec<Seen> {
    let mut browser = world.browser();
    let mut page = browser.get(start).await;
    let mut all = Vec::new();
    for fields in posts {
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| (*name, if *value == "?" { typed } else { value })).collect();
        let (one, next) = seen(world, &mut browser, (&page, typed), &fields).await;
        all.push(one);
        page = next;
        // The same time for both, enough to send a code again.
        world.wait(30);
    }
    all
}

on_each!(abuse_15_an_unknown_account_answers_writes_and_costs_like_a_known_one, |world| {
    world.alice().await;
    world.person(("robert@example.com", Some("operator")), Some("robert"), PASSWORD).await;
    let known_and_not = [("alice@example.com", "alyce@example.com"), ("robert", "rupert")];
    let journeys: [(&str, &[Form]); 5] = [
        (
            "/signin",
            &[
                &[("identifier", "?")],
                &[("password", "wrong")],
                &[("password", "\u{1}")],
                &[("password", "")],
            ],
        ),
        ("/signin", &[&[("identifier", "?"), ("password", "wrong")]]),
        (
            "/authorize?consent=email",
            &[&[("identifier", "?"), ("password", "wrong")], &[("identifier", "?")]],
        ),
        (
            "/recover",
            &[
                &[("identifier", "?")],
                &[("code", "000000")],
                &[("action", "resend")],
                &[("action", "another")],
            ],
        ),
        (
            "/register",
            &[&[("email", "?")], &[("code", "000000")], &[("action", "resend")], &[("action", "another")]],
        ),
    ];
    for (known, unknown) in known_and_not {
        for (start, posts) in journeys {
            let one = journey(&world, start, known, posts).await;
            let other = journey(&world, start, unknown, posts).await;
            assert_eq!(one.len(), posts.len());
            for (at, (one, other)) in one.iter().zip(&other).enumerate() {
                assert_eq!(one, other, "{start}, POST {at}");
            }
            let checked = start == "/signin" || start.starts_with("/authorize");
            let hashes: u64 = one.iter().map(|seen| seen.hashes).sum();
            assert!((hashes > 0) == checked, "{start} {hashes}");
        }
    }
    let decoys = world.mails().await.iter().filter(|mail| mail.decoy).count();
    assert_eq!(decoys, 4, "two recoveries of unknown accounts, two mails each");
});

on_each!(abuse_15_recoveries_and_wrong_passwords_answer_later_than_anybody_is_looked_up, |world| {
    world.alice().await;
    for typed in ["alice@example.com", "alyce@example.com"] {
        let recovery = vec![
            vec![("identifier", typed)],
            vec![("code", "000000")],
            vec![("code", "")],
            vec![("action", "resend")],
        ];
        let password = vec![vec![("identifier", typed), ("password", "wrong")]];
        for (start, posts) in [("/recover", recovery), ("/signin", password)] {
            let mut browser = world.program();
            let mut page = browser.get(start).await;
            for post in posts {
                let begun = Instant::now();
                page = browser.post(&page, &post).await;
                assert!(begun.elapsed() >= Duration::from_millis(25), "{typed}, {post:?}");
            }
        }
    }
});

on_each!(abuse_15_a_decoys_own_code_opens_nothing, |world| {
    let mut browser = world.program();
    let page = browser.get("/recover").await;
    let page = browser.post(&page, &[("identifier", "nobody@example.com")]).await.is(200, "code");
    let code = world.code("nobody@example.com").await;
    browser.post(&page, &[("code", &code)]).await.is(422, "code").says("error-code-wrong");
});

on_each!(abuse_15_an_exhausted_unknown_account_answers_like_a_known_one, |world| {
    world.alice().await;
    let mut answers = Vec::new();
    for typed in ["alice", "alyce"] {
        let mut browser = world.browser();
        let page = browser.get("/signin").await;
        let page = browser.submit(&page, &[("identifier", typed)]).await.is(200, "password");
        let mut statuses = Vec::new();
        for _ in 0..12 {
            let (seen, _) = seen(&world, &mut browser, (&page, typed), &[("password", "wrong")]).await;
            statuses.push((seen.status, seen.hashes, seen.rows, seen.body));
        }
        answers.push(statuses);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0][11].0, 429);
    // That it is suspended is told to those only who know the password.
    let bob = world.bob().await;
    world.set_state(bob, "suspended").await;
    let mut browser = world.browser();
    let page = browser.get("/signin").await;
    browser.post(&page, &[("identifier", "bob"), ("password", "wrong")]).await.is(422, "identify");
    browser.post(&page, &[("identifier", "bob"), ("password", PASSWORD)]).await.is(403, "error");
});
