//! `/register`: the address, its code, then the rest.

use crate::{
    browser::{Browser, Page},
    world::{ANOTHER, APPLICATION, PASSWORD, World, on_each, worlds},
};

const CAROL: &str = "carol@example.com";

/// A registration whose address is proven.
async fn proven(world: &World, mut browser: Browser, email: &str) -> (Browser, Page) {
    let page = browser.get("/register").await.is(200, "register");
    let page = browser.submit(&page, &[("email", email)]).await.is(200, "code");
    let code = world.code(email).await;
    let page = browser.submit(&page, &[("code", &code)]).await;
    (browser, page)
}

on_each!(somebody_registers_in_three_posts_and_each_form, |world| {
    let mut cookieless = world.program();
    cookieless.keeps_cookies = false;
    for (index, browser) in [world.browser(), world.program(), cookieless].into_iter().enumerate() {
        let email = format!("carol{index}@example.com");
        let before = world.shape().await;
        let (mut browser, page) = proven(&world, browser, &email).await;
        assert_eq!(world.count("person").await, before["person"], "no account before it is whole");
        let page = page.is(200, "details");
        let username = format!("carol{index}");
        let fields = [("name", "Carol"), ("username", username.as_str()), ("password", PASSWORD)];
        browser.post(&page, &fields).await.leads_to("/account");
        let carol = world.whose(&email).await.unwrap();
        assert_eq!(world.whose(&username).await, Some(carol));
        assert_eq!(world.sessions(carol).await.len(), 1);
        assert_eq!(world.flow_versions().await[0], 3, "three POSTs, three units");
        let grown = world.grown(&before).await;
        assert_eq!(
            (grown["person"], grown["credential"], grown["mail"], grown["flow"]),
            (1, 1, 1, 1),
            "{grown:?}"
        );
        assert_eq!(grown["event"], 2, "the account and its session");
        world.browser().sign_in(&username, PASSWORD).await;
    }
});

on_each!(a_registration_for_an_application_ends_there, |world| {
    let mut browser = world.browser();
    let page = browser.get("/authorize").await;
    let from = page.body.split("/register?from=").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let page = browser.get(&format!("/register?from={from}")).await.is(200, "register");
    let page = browser.submit(&page, &[("email", CAROL)]).await.is(200, "code");
    let code = world.code(CAROL).await;
    let page = browser.submit(&page, &[("code", &code)]).await.is(200, "details");
    let ended = browser.post(&page, &[("password", PASSWORD)]).await.leads_to(APPLICATION);
    assert!(world.grant_lives(&ended.location).await);
});

on_each!(whoever_has_an_account_already_ends_up_signed_in_to_it, |world| {
    let alice = world.alice().await;
    let (browser, page) = proven(&world, world.browser(), "Alice@EXAMPLE.com").await;
    page.leads_to("/account");
    assert_eq!((world.sessions(alice).await.len(), world.count("person").await), (1, 1));
    assert!(world.phc(alice).await.is_some(), "a proven address keeps its password");
    assert!(browser.clone().is_signed_in().await);
});

on_each!(two_registrations_of_one_address_make_one_account, |world| {
    let (mut one, first) = proven(&world, world.browser(), CAROL).await;
    world.wait(30);
    let (mut two, second) = proven(&world, world.browser(), CAROL).await;
    let (first, second) = (first.is(200, "details"), second.is(200, "details"));
    let fields = [("password", PASSWORD)];
    let (a, b) = tokio::join!(one.post(&first, &fields), two.post(&second, &fields));
    a.leads_to("/account");
    b.leads_to("/account");
    let carol = world.whose(CAROL).await.unwrap();
    assert_eq!((world.count("person").await, world.sessions(carol).await.len()), (1, 2));
});

on_each!(a_double_click_at_the_end_makes_one_account, |world| {
    let (browser, page) = proven(&world, world.browser(), CAROL).await;
    let click = || {
        let (mut browser, page) = (browser.clone(), page.clone());
        async move { browser.post(&page, &[("username", "carol"), ("password", PASSWORD)]).await }
    };
    let (a, b, c) = tokio::join!(click(), click(), click());
    for answer in [a, b, c] {
        answer.leads_to("/account");
    }
    assert_eq!((world.count("person").await, world.count("session").await), (1, 1));
});

on_each!(a_taken_user_name_keeps_the_proof_and_asks_again, |world| {
    world.alice().await;
    let (mut browser, page) = proven(&world, world.program(), CAROL).await;
    let page = page.is(200, "details");
    for taken in ["alice", "ALICE", "ａｌｉｃｅ"] {
        let fields = [("username", taken), ("password", PASSWORD), ("name", "Carol")];
        let refused = browser.post(&page, &fields).await.is(422, "details").says("error-username-taken");
        assert!(refused.body.contains("Carol") && !refused.body.contains(PASSWORD));
    }
    browser.post(&page, &[("username", "carol"), ("password", PASSWORD)]).await.leads_to("/account");
});

on_each!(two_who_want_one_user_name_at_once_are_told_apart, |world| {
    let (mut one, first) = proven(&world, world.program(), CAROL).await;
    let (mut two, second) = proven(&world, world.program(), "dave@example.com").await;
    let fields = [("username", "shared"), ("password", PASSWORD)];
    let (a, b) = tokio::join!(one.post(&first, &fields), two.post(&second, &fields));
    let mut ended: Vec<_> = [a, b].iter().map(|page| page.step.clone()).collect();
    ended.sort();
    assert_eq!(ended, ["details", "redirect"], "one has it, the other is asked again");
});

on_each!(asking_for_user_names_is_limited, |world| {
    world.alice().await;
    let (mut browser, page) = proven(&world, world.program(), CAROL).await;
    for _ in 0..20 {
        browser.post(&page, &[("username", "alice"), ("password", PASSWORD)]).await.is(422, "details");
    }
    let page = browser.post(&page, &[("username", "alice"), ("password", PASSWORD)]).await;
    page.is(429, "details").says("error-wait");
});

on_each!(abuse_21_an_address_set_unproven_yields_to_whoever_proves_it, |world| {
    let mallory = world.person((CAROL, None), Some("mallory"), PASSWORD).await;
    let mut planted = world.signed_in("mallory", PASSWORD).await;
    let (_, page) = proven(&world, world.browser(), CAROL).await;
    page.leads_to("/account");
    assert_eq!(world.whose(CAROL).await, Some(mallory), "the account goes over");
    assert_eq!(world.phc(mallory).await, None, "the earlier password is dropped");
    assert!(!planted.is_signed_in().await);
    assert_eq!(world.sessions(mallory).await.len(), 1);
    let page = planted.get("/signin").await;
    planted.post(&page, &[("identifier", "mallory"), ("password", PASSWORD)]).await.is(422, "identify");
});

on_each!(abuse_21_only_the_very_address_that_got_the_code_is_proven, |world| {
    let mut browser = world.browser();
    let page = browser.get("/register").await;
    let page = browser.submit(&page, &[("email", "mine@example.com")]).await.is(200, "code");
    let code = world.code("mine@example.com").await;
    let victim = [
        ("code", code.as_str()),
        ("email", "victim@example.com"),
        ("address", "victim@example.com"),
        ("email_verified", "true"),
    ];
    let page = browser.submit(&page, &victim).await.is(200, "details");
    let fields = [("email", "victim@example.com"), ("address", "victim@example.com"), ("password", PASSWORD)];
    browser.post(&page, &fields).await.leads_to("/account");
    assert!(world.whose("mine@example.com").await.is_some());
    assert!(world.whose("victim@example.com").await.is_none());
});

on_each!(abuse_27_an_address_is_one_address_or_refused, |world| {
    let mut browser = world.program();
    let page = browser.get("/register").await;
    for typed in [
        "a@example.com,b@example.com",
        "a@example.com, b@example.com",
        "a@example.com b@example.com",
        "a@example.com\r\nBcc: b@example.com",
        "a@example.com\nx",
        "a@b@example.com",
        "a\u{ff20}example.com,b@example.com",
        "<a@example.com>",
        "\"<b>\"@example.com\r\n",
        "a@exa<mple.com",
        "a@",
        "@example.com",
    ] {
        browser.post(&page, &[("email", typed)]).await.is(422, "register");
    }
    assert_eq!((world.count("mail").await, world.count("flow").await), (0, 0));
    browser.post(&page, &[("email", "")]).await.is(422, "register").says("error-email-missing");
    browser.post(&page, &[("email", "nobody")]).await.is(422, "register").says("error-email-invalid");
});

on_each!(abuse_27_what_was_typed_is_text_in_pages_and_mails, |world| {
    let evil = "<img/src=x>&amp;\"'";
    let (mut browser, page) = proven(&world, world.browser(), CAROL).await;
    let page = browser.post(&page, &[("name", evil), ("username", evil), ("password", "short")]).await;
    assert!(page.clone().is(422, "details").body.contains("&lt;img"));
    assert!(!page.body.contains("<img/src"), "{}", page.body);
    browser.post(&page, &[("name", "a\r\nb"), ("password", PASSWORD)]).await.is(422, "details");
    browser.post(&page, &[("name", evil), ("password", PASSWORD)]).await.leads_to("/account");
    let page = browser.get("/account/password").await.is(200, "change-password");
    assert!(!page.body.contains("<img/src"), "{}", page.body);
    let page = browser.post(&page, &[("password", PASSWORD), ("new_password", ANOTHER)]).await;
    page.leads_to("/account?done=password");
    for typed in ["x&y@example.com", "a'b@example.com", "{{7*7}}@example.com"] {
        let mut browser = world.browser();
        let page = browser.get("/register").await;
        browser.submit(&page, &[("email", typed)]).await;
    }
    for mail in world.mails().await {
        assert!(!mail.html.contains("<img/src") && !mail.html.contains("x&y"), "{}", mail.html);
        assert!(!mail.to.contains(['\r', '\n']) && !mail.subject.contains(['\r', '\n']));
        assert!(!mail.text.contains("49@"));
    }
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_29_where_registration_is_off_nobody_registers() {
    for world in worlds(r#"{"registration": false}"#).await {
        world.alice().await;
        let mut browser = world.browser();
        let page = browser.get("/signin").await.is(200, "identify");
        assert!(!page.body.contains("/register?from="), "it is not offered");
        browser.get("/register").await.is(403, "error");
        let from = page.body.split("/recover?from=").nth(1).unwrap().split('"').next().unwrap().to_owned();
        browser.get(&format!("/register?from={from}")).await.is(403, "error");
        let fields = [("email", CAROL), ("code", "000000"), ("password", PASSWORD), ("goal", "register")];
        for step in ["register", "code", "details", ""] {
            let forged = if step.is_empty() { page.without("step") } else { page.with("step", step) };
            browser.submit(&forged, &fields).await;
        }
        assert_eq!((world.count("mail").await, world.count("person").await), (0, 1));
        world.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_length_of_a_password_is_the_tenants() {
    for world in worlds(r#"{"password_min": 12, "usernames": false}"#).await {
        let (mut browser, page) = proven(&world, world.program(), CAROL).await;
        let page = page.is(200, "details");
        assert!(!page.body.contains("\"username\""), "user names are not offered");
        let short = browser.post(&page, &[("password", "elevenchars")]).await;
        short.is(422, "details").says("error-password-short");
        // A user name sent all the same counts for nothing.
        browser.post(&page, &[("username", "carol"), ("password", PASSWORD)]).await.leads_to("/account");
        assert_eq!(world.whose("carol").await, None);
        world.remove().await;
    }
}

on_each!(a_password_is_told_what_is_wrong_with_it, |world| {
    let (mut browser, page) = proven(&world, world.program(), CAROL).await;
    let long = "x".repeat(300);
    for (password, message) in [
        ("", "error-password-missing"),
        ("seven77", "error-password-short"),
        ("password", "error-password-common"),
        ("carol@example.com", "error-password-similar"),
        ("carolcarol", "error-password-similar"),
        (long.as_str(), "error-password-long"),
    ] {
        browser
            .post(&page, &[("password", password), ("name", "Carol")])
            .await
            .is(422, "details")
            .says(message);
    }
    // Spaces and every script are welcome, by code point.
    browser.post(&page, &[("password", "пароль из слов")]).await.leads_to("/account");
    let mut other = world.browser();
    other.sign_in(CAROL, "пароль из слов").await;
});
