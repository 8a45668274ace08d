//! `/flow/{id}`: whose a flow is, how often it begins, where it goes on.

use crate::{
    browser::{Browser, Page},
    world::{ANOTHER, APPLICATION, PASSWORD, World, on_each},
};
use std::time::Duration;

/// Every name that a step has, and none.
const STEPS: [&str; 15] = [
    "choose",
    "identify",
    "password",
    "code",
    "register",
    "details",
    "recover",
    "new-password",
    "change-password",
    "change-email",
    "delete",
    "consent",
    "done",
    "denied",
    "",
];

/// Everything that any later step asks for, none of it a proof of anything.
const LATER: [(&str, &str); 9] = [
    ("password", ANOTHER),
    ("new_password", ANOTHER),
    ("code", "000000"),
    ("decision", "allow"),
    ("account", "ses_AAAAAAAAAAAAAAAAAAAAAA"),
    ("name", "Mallory"),
    ("username", "mallory"),
    ("person", "alice@example.com"),
    ("amr", "pwd"),
];

async fn begun(world: &World, start: &str) -> (Browser, Page) {
    let mut browser = world.browser();
    let page = browser.get(start).await;
    (browser, page)
}

/// A flow in which alice was named and has proven nothing.
async fn named(world: &World, start: &str) -> (Browser, Page) {
    let (mut browser, page) = begun(world, start).await;
    let field = if start == "/register" { "email" } else { "identifier" };
    let page = browser.submit(&page, &[(field, "alice@example.com")]).await;
    assert!(["password", "code"].contains(&page.step.as_str()), "{}", page.body);
    (browser, page)
}

on_each!(abuse_01_no_later_steps_form_and_no_selector_gets_anywhere_before_its_step, |world| {
    let alice = world.alice().await;
    let phc = world.phc(alice).await;
    for start in ["/signin", "/register", "/recover", "/authorize?consent=email"] {
        for (mut browser, page) in [begun(&world, start).await, named(&world, start).await] {
            for step in STEPS {
                // Each is the flow's own page but for the step that it says it is of.
                let forged = if step.is_empty() { page.without("step") } else { page.with("step", step) };
                let answer = browser.submit(&forged, &LATER).await;
                assert_eq!(answer.step, page.step, "{start} as {step}: {}", answer.body);
            }
            for action in ["another", "resend", "restart"] {
                let fields: Vec<_> = LATER.into_iter().chain([("action", action)]).collect();
                let answer = browser.submit(&page, &fields).await;
                let before = ["identify", "password", "register", "recover", "code"];
                assert!(
                    before.contains(&answer.step.as_str()),
                    "{start} {action}: {} {}",
                    answer.status,
                    answer.body
                );
            }
        }
    }
    assert!(world.sessions(alice).await.is_empty());
    assert_eq!((world.count("grant").await, world.count("person").await), (0, 1));
    assert_eq!(world.phc(alice).await, phc);
});

on_each!(abuse_01_a_password_is_set_only_by_the_flow_that_redeemed_its_own_mail, |world| {
    let alice = world.alice().await;
    let phc = world.phc(alice).await;
    let (mut browser, page) = named(&world, "/recover").await;
    let code = world.code("alice@example.com").await;
    // The code of one flow is worth nothing in another, not even in the same browser.
    let mut other = browser.get("/recover").await;
    other = browser.submit(&other, &[("identifier", "alice")]).await.is(200, "code");
    browser.post(&other, &[("code", &code)]).await.is(422, "code");
    browser.post(&other.with("step", "new-password"), &[("password", ANOTHER)]).await;
    assert_eq!(world.phc(alice).await, phc);
    let page = browser.submit(&page, &[("code", &code)]).await.is(200, "new-password");
    browser.post(&page, &[("password", ANOTHER)]).await.leads_to("/account");
    assert_ne!(world.phc(alice).await, phc);
});

on_each!(abuse_03_a_flow_of_one_browser_never_completes_in_another, |world| {
    let alice = world.alice().await;
    for cookies in [true, false] {
        let (mut hers, page) = named(&world, "/signin").await;
        let mut his = world.browser();
        let own = his.get("/signin").await;
        his.keeps_cookies = cookies;
        if !cookies {
            his.cookies.clear();
        }
        for csrf in [page.hidden("csrf"), own.hidden("csrf"), ""] {
            his.get(&page.action).await.is(403, "error");
            his.post(&page.with("csrf", csrf), &[("password", PASSWORD)]).await.is(403, "error");
            let forged = page.with("csrf", csrf).with("request", own.hidden("request"));
            his.post(&forged, &[("password", PASSWORD)]).await.is(403, "error");
        }
        assert!(world.sessions(alice).await.is_empty());
        hers.get(&page.action).await.is(200, "password");
    }
});

on_each!(abuse_03_a_page_sealed_for_one_browser_signs_nobody_in_from_another, |world| {
    let alice = world.alice().await;
    let (_, page) = begun(&world, "/signin").await;
    let mut his = world.browser();
    his.get("/signin").await;
    // From elsewhere, or by a program that does not say whence, it is refused.
    his.headers[0].1 = "cross-site".parse().unwrap();
    let both = [("identifier", "alice"), ("password", PASSWORD)];
    his.post(&page, &both).await.is(403, "error");
    his.headers.clear();
    his.post(&page, &both).await.is(403, "error");
    assert_eq!((world.count("flow").await, world.sessions(alice).await.len()), (0, 0));
});

on_each!(a_page_sealed_for_another_device_is_shown_again_with_what_was_typed, |world| {
    world.alice().await;
    // Two tabs before the first cookie: the later device stays.
    let mut browser = world.program();
    let mut html = world.browser();
    let first = html.get("/signin").await;
    html.cookies.clear();
    html.get("/register").await;
    browser.cookies = html.cookies.clone();
    let typed = [("identifier", "alice"), ("password", PASSWORD)];
    let again = browser.post(&first, &typed).await.is(422, "identify").says("notice-send-once-more");
    assert!(again.body.contains("\"alice\"") && !again.body.contains(PASSWORD), "{}", again.body);
    assert_eq!(again.action, first.action);
    assert_eq!(world.count("flow").await, 0, "it was only shown");
    browser.post(&again, &typed).await.leads_to("/account");
});

on_each!(a_double_click_makes_one_flow_and_one_mail, |world| {
    world.alice().await;
    for (start, field) in [("/register", "email"), ("/recover", "identifier"), ("/signin", "identifier")] {
        let before = world.shape().await;
        let (browser, page) = begun(&world, start).await;
        let clicks = (0..5).map(|_| {
            let (mut browser, page) = (browser.clone(), page.clone());
            tokio::spawn(async move { browser.post(&page, &[(field, "alice@example.com")]).await })
        });
        for click in clicks.collect::<Vec<_>>() {
            let answer = click.await.unwrap();
            assert_eq!((answer.status.as_u16(), &answer.location), (303, &page.action), "{}", answer.body);
        }
        let grown = world.grown(&before).await;
        let mails = i64::from(start != "/signin");
        assert_eq!((grown["flow"], grown.get("mail").copied().unwrap_or(0)), (1, mails), "{start} {grown:?}");
    }
});

on_each!(a_double_click_at_the_end_signs_in_once, |world| {
    let alice = world.alice().await;
    let (browser, page) = named(&world, "/signin").await;
    let click = || {
        let (mut browser, page) = (browser.clone(), page.clone());
        async move { browser.post(&page, &[("password", PASSWORD)]).await.leads_to("/account") }
    };
    tokio::join!(click(), click(), click());
    assert_eq!(world.sessions(alice).await.len(), 1);
});

on_each!(a_finished_flow_opened_again_begins_anew, |world| {
    world.alice().await;
    for (start, again) in
        [("/signin", "/account"), ("/authorize?consent=email", "/authorize?again=1&consent=email")]
    {
        let mut browser = world.browser();
        let page = browser.get(start).await;
        let password = browser.submit(&page, &[("identifier", "alice")]).await.is(200, "password");
        let mut last = browser.submit(&password, &[("password", PASSWORD)]).await;
        if last.step == "consent" {
            last = browser.post(&last, &[("decision", "allow")]).await;
        }
        assert!(!last.location.is_empty());
        for page in
            [browser.get(&page.action).await, browser.post(&password, &[("password", PASSWORD)]).await]
        {
            assert_eq!(page.location, again);
        }
        assert_eq!(world.flow_versions().await[0], if start == "/signin" { 2 } else { 3 });
    }
});

on_each!(the_back_button_leads_to_where_the_flow_is, |world| {
    world.alice().await;
    let (mut browser, first) = begun(&world, "/register").await;
    let code = browser.submit(&first, &[("email", "carol@example.com")]).await.is(200, "code");
    let mails = world.count("mail").await;
    browser.submit(&first, &[("email", "dave@example.com")]).await.is(200, "code");
    assert_eq!(world.count("mail").await, mails, "an old page sends nothing");
    let typed = world.code("carol@example.com").await;
    browser.submit(&code, &[("code", &typed)]).await.is(200, "details");
    browser.submit(&code, &[("code", &typed)]).await.is(200, "details");
});

on_each!(not_you_drops_what_was_proven, |world| {
    let alice = world.alice().await;
    world.bob().await;
    let mut browser = world.browser();
    let page = browser.get("/authorize?consent=email").await;
    let page =
        browser.submit(&page, &[("identifier", "alice"), ("password", PASSWORD)]).await.is(200, "consent");
    let page = browser.submit(&page, &[("action", "restart")]).await.is(200, "identify");
    browser.submit(&page.with("step", "consent"), &[("decision", "allow")]).await.is(200, "identify");
    let page =
        browser.submit(&page, &[("identifier", "bob"), ("password", PASSWORD)]).await.is(200, "consent");
    browser.post(&page, &[("decision", "allow")]).await.leads_to(APPLICATION);
    assert!(world.sessions(alice).await.is_empty());
});

on_each!(facts_of_another_version_restart_the_flow_kindly, |world| {
    world.alice().await;
    let (mut browser, page) = named(&world, "/signin").await;
    world.age_facts().await;
    browser.get(&page.action).await.leads_to("/account");
    browser.post(&page, &[("password", PASSWORD)]).await.leads_to("/account");
    assert!(!browser.is_signed_in().await);
});

on_each!(abuse_23_a_flow_ends_exactly_an_hour_after_its_first_post, |world| {
    world.alice().await;
    let (mut browser, page) = begun(&world, "/signin").await;
    let begun = world.now();
    let page = browser.submit(&page, &[("identifier", "alice")]).await.is(200, "password");
    let end = begun.plus(Duration::from_secs(3_600));
    world.until(end.minus(Duration::from_micros(1)));
    browser.clone().get(&page.action).await.is(200, "password");
    world.until(end.plus(Duration::from_millis(1)));
    browser.get(&page.action).await.leads_to("/account");
    browser.post(&page, &[("password", PASSWORD)]).await.leads_to("/account");
    assert!(!browser.is_signed_in().await, "too late");

    let (mut browser, page) = named(&world, "/signin").await;
    // The POST that made the row was two requests ago, a millisecond each.
    world.until(world.now().plus(Duration::from_secs(3_600)).minus(Duration::from_micros(2_001)));
    browser.post(&page, &[("password", PASSWORD)]).await.leads_to("/account");
    assert!(browser.is_signed_in().await, "just in time");
});

on_each!(abuse_23_a_sealed_request_ends_exactly_after_an_hour, |world| {
    world.alice().await;
    let both = [("identifier", "alice"), ("password", PASSWORD)];
    for (early, signed_in) in [(1, true), (0, false)] {
        let begun = world.now();
        let mut browser = world.browser();
        let page = browser.get("/signin").await;
        world.until(begun.plus(Duration::from_secs(3_600)).minus(Duration::from_micros(early)));
        browser.post(&page, &both).await.leads_to("/account");
        assert_eq!(browser.is_signed_in().await, signed_in);
    }
});

on_each!(without_cookies_a_form_is_refused_and_says_why, |world| {
    world.alice().await;
    let mut browser = world.browser();
    browser.keeps_cookies = false;
    let page = browser.get("/signin").await;
    let page = browser.post(&page, &[("identifier", "alice")]).await.is(403, "error");
    assert!(page.body.contains("cookie"), "{}", page.body);
    assert_eq!(world.count("flow").await, 0);
});

on_each!(abuse_02_a_handle_of_one_kind_is_good_nowhere_else, |world| {
    let alice = world.alice().await;
    let mut browser = world.signed_in("alice", PASSWORD).await;
    let page = browser.get("/register").await;
    let request = page.hidden("request").to_owned();
    let page = browser.submit(&page, &[("email", "new@example.com")]).await.is(200, "code");
    let link = world.link("new@example.com").await.strip_prefix("/link/").unwrap().to_owned();
    let flow = page.action.strip_prefix("/flow/").unwrap().to_owned();
    let (session, device) = (browser.session_cookie().to_owned(), browser.device_cookie().to_owned());
    let id = world.sessions(alice).await[0].id.to_string();
    let csrf = page.hidden("csrf").to_owned();
    let all = [
        ("link", link),
        ("flow", flow),
        ("session", session),
        ("device", device),
        ("id", id),
        ("csrf", csrf),
        ("request", request),
    ];
    for (kind, value) in &all {
        let mut stranger = world.browser();
        let own = stranger.get("/signin").await;
        if *kind != "link" {
            browser.get(&format!("/link/{value}")).await.is(410, "error");
        }
        if *kind != "flow" {
            let answer = browser.get(&format!("/flow/{value}")).await;
            assert!(["404", "410"].contains(&answer.status.as_str()), "{kind} as flow: {}", answer.status);
        }
        if *kind != "session" {
            stranger.set("kws", value);
            assert!(!stranger.is_signed_in().await, "{kind} as session");
        }
        if *kind != "device" {
            stranger.set("kwd", value);
            stranger.post(&own, &[("identifier", "alice")]).await.is(403, "error");
            let mut program = world.program();
            program.keeps_cookies = false;
            let own = program.get("/signin").await.with("device", value);
            program.post(&own, &[("identifier", "alice")]).await.is(403, "error");
        }
        if *kind != "request" {
            let own = browser.get("/authorize?fresh=1").await.with("request", value);
            browser.post(&own, &[("identifier", "alice")]).await.is(410, "error");
        }
        if *kind != "csrf" {
            let own = browser.get("/authorize?fresh=1").await.with("csrf", value);
            browser.post(&own, &[("identifier", "alice")]).await.is(403, "error");
        }
        browser.post(&page, &[("code", value)]).await.is(422, "code");
        // Five wrong answers and a code is dead: the next kind gets a fresh one.
        world.wait(120);
        browser.post(&page, &[("action", "resend")]).await.leads_to(&page.action);
    }
});
