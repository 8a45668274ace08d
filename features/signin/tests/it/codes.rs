//! Codes and `/link/{token}`: once, in time, where they were asked for.

use crate::{
    browser::{Browser, Page},
    world::{ANOTHER, PASSWORD, World, on_each},
};
use std::time::Duration;

const CAROL: &str = "carol@example.com";
const LIFE: Duration = Duration::from_secs(600);

/// A registration that waits for its code, speaking JSON.
async fn waiting(world: &World) -> (Browser, Page) {
    let mut browser = world.browser();
    let page = browser.get("/register").await.is(200, "register");
    let mut browser = browser.speaking_json();
    let page = browser.post(&page, &[("email", CAROL)]).await.is(200, "code");
    (browser, page)
}

on_each!(abuse_23_a_code_is_good_for_exactly_ten_minutes, |world| {
    for (early, good) in [(1, true), (0, false)] {
        let sent = world.now().plus(Duration::from_millis(1));
        let (mut browser, page) = waiting(&world).await;
        let code = world.code(CAROL).await;
        world.until(sent.plus(LIFE).minus(Duration::from_micros(early)));
        let answer = browser.post(&page, &[("code", &code)]).await;
        if good {
            answer.is(200, "details");
        } else {
            answer.is(422, "code").says("error-code-expired");
        }
    }
});

on_each!(abuse_23_a_link_is_good_for_exactly_ten_minutes, |world| {
    for (early, good) in [(1, true), (0, false)] {
        let sent = world.now().plus(Duration::from_millis(1));
        let mut browser = world.browser();
        let page = browser.get("/register").await;
        browser.submit(&page, &[("email", CAROL)]).await.is(200, "code");
        let link = world.link(CAROL).await;
        let page = browser.get(&link).await.is(200, "link");
        world.until(sent.plus(LIFE).minus(Duration::from_micros(early)));
        let answer = browser.submit(&page, &[]).await;
        if good {
            answer.is(200, "details");
        } else {
            answer.is(410, "error");
            browser.get(&link).await.is(410, "error");
        }
    }
});

on_each!(abuse_05_a_link_is_good_once_and_opening_it_burns_nothing, |world| {
    let mut browser = world.browser();
    let page = browser.get("/register").await;
    browser.submit(&page, &[("email", CAROL)]).await.is(200, "code");
    let link = world.link(CAROL).await;
    let before = world.shape().await;
    for _ in 0..3 {
        browser.get(&link).await.is(200, "link");
    }
    assert!(world.grown(&before).await.is_empty());
    let page = browser.get(&link).await;
    browser.submit(&page, &[]).await.is(200, "details");
    browser.post(&page, &[]).await.is(410, "error");
    browser.get(&link).await.is(410, "error");
});

on_each!(a_link_in_another_browser_shows_the_code_and_proves_nothing, |world| {
    let (mut browser, page) = waiting(&world).await;
    let (link, code) = (world.link(CAROL).await, world.code(CAROL).await);
    let mut phone = world.browser();
    let landing = phone.get(&link).await.is(200, "link");
    assert!(landing.body.contains(&code) && landing.action.is_empty(), "{}", landing.body);
    // Nor if it is clicked there all the same.
    let csrf = phone.get("/signin").await.hidden("csrf").to_owned();
    let mut forged = landing.with("csrf", &csrf);
    forged.action = link;
    phone.post(&forged, &[]).await.is(403, "error");
    browser.post(&page, &[("code", &code)]).await.is(200, "details");
});

on_each!(abuse_05_code_and_link_die_on_a_newer_one, |world| {
    let (mut browser, page) = waiting(&world).await;
    let (code, link) = (world.code(CAROL).await, world.link(CAROL).await);
    browser.post(&page, &[("action", "resend")]).await.is(422, "code").says("error-code-wait");
    world.wait(30);
    let mut html = browser.clone();
    let landing = html.get(&link).await.is(200, "link");
    browser.post(&page, &[("action", "resend")]).await.is(200, "code").says("notice-code-sent");
    assert_eq!(world.count("mail").await, 2);
    browser.post(&page, &[("code", &code)]).await.is(422, "code");
    browser.get(&link).await.is(410, "error");
    html.post(&landing, &[]).await.is(410, "error");
    let newer = world.code(CAROL).await;
    browser.post(&page, &[("code", &newer)]).await.is(200, "details");
});

on_each!(another_address_leaves_the_former_link_without_use, |world| {
    let mut browser = world.browser();
    let page = browser.get("/register").await;
    let page = browser.submit(&page, &[("email", CAROL)]).await.is(200, "code");
    let link = world.link(CAROL).await;
    let landing = browser.get(&link).await.is(200, "link");
    let page = browser.submit(&page, &[("action", "another")]).await.is(200, "register");
    browser.post(&landing, &[]).await.is(410, "error");
    browser.submit(&page, &[("email", "dave@example.com")]).await.is(200, "code");
    browser.post(&landing, &[]).await.is(410, "error");
});

on_each!(a_code_has_five_tries, |world| {
    let (mut browser, page) = waiting(&world).await;
    let code = world.code(CAROL).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..4 {
        browser.post(&page, &[("code", wrong)]).await.is(422, "code").says("error-code-wrong");
    }
    browser.post(&page, &[("code", wrong)]).await.is(422, "code").says("error-code-used-up");
    browser.post(&page, &[("code", &code)]).await.is(422, "code").says("error-code-expired");
    browser.get(&world.link(CAROL).await).await.is(410, "error");
});

on_each!(a_right_code_clicked_several_times_leads_on_every_time, |world| {
    world.alice().await;
    for _ in 0..10 {
        let mut browser = world.browser();
        let page = browser.get("/recover").await;
        let page = browser.submit(&page, &[("identifier", "alice")]).await.is(200, "code");
        let code = world.code("alice@example.com").await;
        let click = || {
            let (mut browser, page, code) = (browser.clone(), page.clone(), code.clone());
            async move { browser.submit(&page, &[("code", &code)]).await.is(200, "new-password") }
        };
        tokio::join!(click(), click(), click(), click(), click(), click());
        world.wait(600);
    }
});

on_each!(a_code_under_many_tries_at_once_has_five, |world| {
    let (browser, page) = waiting(&world).await;
    let code: u32 = world.code(CAROL).await.parse().unwrap();
    let tries = (1..=30).map(|by| {
        let (mut browser, page) = (browser.clone(), page.clone());
        let wrong = format!("{:06}", (code + by) % 1_000_000);
        tokio::spawn(async move { browser.post(&page, &[("code", &wrong)]).await })
    });
    let mut told = 0;
    for answer in tries.collect::<Vec<_>>() {
        let answer = answer.await.unwrap();
        told +=
            u32::from(answer.body.contains("error-code-wrong") || answer.body.contains("error-code-used-up"));
    }
    assert!(told <= 5, "{told}");
    let code = format!("{code:06}");
    let (mut browser, page) = (browser.clone(), page.clone());
    if told == 5 {
        browser.post(&page, &[("code", &code)]).await.is(422, "code").says("error-code-expired");
    }
});

on_each!(abuse_05_recovery_codes_die_when_the_password_changes, |world| {
    let alice = world.alice().await;
    let mut thief = world.browser();
    let page = thief.get("/recover").await;
    let at_code = thief.submit(&page, &[("identifier", "alice")]).await.is(200, "code");
    let code = world.code("alice@example.com").await;
    let link = world.link("alice@example.com").await;
    let mut second = world.browser();
    let page = second.get("/recover").await;
    let page = second.submit(&page, &[("identifier", "alice")]).await;
    let other = world.code("alice@example.com").await;
    let at_password = second.submit(&page, &[("code", &other)]).await.is(200, "new-password");

    let mut home = world.signed_in("alice", PASSWORD).await;
    let page = home.get("/account/password").await.is(200, "change-password");
    home.post(&page, &[("password", PASSWORD), ("new_password", ANOTHER)])
        .await
        .leads_to("/account?done=password");
    let phc = world.phc(alice).await;

    thief.post(&at_code, &[("code", &code)]).await.is(422, "code");
    let landing = thief.get(&link).await.is(200, "link");
    thief.submit(&landing, &[]).await.is(200, "code");
    // Nor does a thief get on who was past the code already.
    second.submit(&at_password, &[("password", "a thief was here once")]).await.is(200, "code");
    assert_eq!(world.phc(alice).await, phc);
    assert_eq!(world.sessions(alice).await.len(), 1);
});

on_each!(abuse_05_a_recovery_code_to_a_former_address_proves_nothing, |world| {
    let alice = world.alice().await;
    let mut thief = world.browser();
    let page = thief.get("/recover").await;
    let page = thief.submit(&page, &[("identifier", "alice")]).await.is(200, "code");
    let code = world.code("alice@example.com").await;
    let mut home = world.signed_in("alice", PASSWORD).await;
    let change = home.get("/account/email").await.is(200, "change-email");
    let change = home.submit(&change, &[("email", "alice@new.example")]).await.is(200, "code");
    let own = world.code("alice@new.example").await;
    home.post(&change, &[("code", &own)]).await.leads_to("/account?done=email");
    thief.post(&page, &[("code", &code)]).await.is(422, "code");
    // Asked for again, it goes to where the person is now.
    world.wait(30);
    thief.post(&page, &[("action", "resend")]).await.leads_to(&page.action);
    let newest = world.mails().await.pop().unwrap();
    assert_eq!(newest.to, "alice@new.example");
    assert_eq!(world.sessions(alice).await.len(), 1);
});
