//! `/signin`: identifier, password, session.

use crate::world::{ANOTHER, APPLICATION, PASSWORD, on_each};
use std::time::Duration;

on_each!(somebody_signs_in_by_either_identifier_and_either_form, |world| {
    let alice = world.alice().await;
    for (round, identifier) in
        ["alice@example.com", "alice", " Alice ", "ALICE@Example.COM"].into_iter().enumerate()
    {
        let mut cookieless = world.program();
        cookieless.keeps_cookies = false;
        for mut browser in [world.browser(), world.program(), cookieless] {
            let page = browser.get("/signin").await.is(200, "identify");
            let page = browser.submit(&page, &[("identifier", identifier)]).await.is(200, "password");
            let page = browser.post(&page, &[("password", PASSWORD)]).await.leads_to("/account");
            assert!(page.headers["set-cookie"].to_str().unwrap().starts_with("kws-"), "{:?}", page.headers);
        }
        assert_eq!(world.sessions(alice).await.len(), 3 * (round + 1));
    }
});

on_each!(a_browser_that_fills_both_fields_needs_one_post_and_one_unit, |world| {
    let alice = world.alice().await;
    let before = world.shape().await;
    let mut browser = world.browser();
    let page = browser.get("/signin").await;
    browser.post(&page, &[("identifier", "alice"), ("password", PASSWORD)]).await.leads_to("/account");
    assert_eq!(world.flow_versions().await, [1]);
    assert_eq!(world.sessions(alice).await.len(), 1);
    let grown = world.grown(&before).await;
    assert_eq!((grown["event"], grown["flow"], grown["session"]), (1, 1, 1), "{grown:?}");
});

on_each!(a_sign_in_commits_twice_and_a_get_never, |world| {
    world.alice().await;
    let before = world.shape().await;
    let mut browser = world.browser();
    let page = browser.get("/signin").await;
    for path in ["/register", "/recover", "/authorize", "/account/password"] {
        browser.get(path).await;
    }
    assert!(world.grown(&before).await.is_empty(), "a GET wrote something");
    let page = browser.submit(&page, &[("identifier", "alice")]).await.is(200, "password");
    let before = world.shape().await;
    browser.get(&page.action).await.is(200, "password");
    assert!(world.grown(&before).await.is_empty(), "a GET wrote something");
    browser.post(&page, &[("password", PASSWORD)]).await.leads_to("/account");
    assert_eq!(world.flow_versions().await, [2], "two POSTs, two units");
});

on_each!(a_wrong_password_is_told_beside_the_field_and_changes_nothing, |world| {
    let alice = world.alice().await;
    let mut browser = world.program();
    let page = browser.get("/signin").await;
    browser
        .post(&page, &[("identifier", "alice"), ("password", "wrong")])
        .await
        .is(422, "identify")
        .says("error-password-wrong");
    let page = browser.submit(&page, &[("identifier", "alice")]).await.is(200, "password");
    let page =
        browser.post(&page, &[("password", "wrong")]).await.is(422, "password").says("error-password-wrong");
    let page =
        browser.post(&page, &[("password", "")]).await.is(422, "password").says("error-password-missing");
    assert!(world.sessions(alice).await.is_empty() && browser.session_cookie().is_empty());
    browser.post(&page, &[("password", PASSWORD)]).await.leads_to("/account");
});

on_each!(an_application_gets_a_grant_of_the_session, |world| {
    let alice = world.alice().await;
    let mut browser = world.browser();
    let page = browser.get("/authorize?consent=email").await.is(200, "identify");
    let page =
        browser.submit(&page, &[("identifier", "alice"), ("password", PASSWORD)]).await.is(200, "consent");
    assert!(world.sessions(alice).await.is_empty(), "no session before the last fact");
    let page = browser.post(&page, &[("decision", "")]).await.is(422, "consent");
    let ended = browser.post(&page, &[("decision", "allow")]).await.leads_to(APPLICATION);
    assert!(world.grant_lives(&ended.location).await);
    assert_eq!(world.flow_versions().await, [2]);
});

on_each!(whoever_denies_an_application_is_not_signed_in, |world| {
    let alice = world.alice().await;
    let mut browser = world.browser();
    let page = browser.get("/authorize?consent=email").await;
    let page =
        browser.submit(&page, &[("identifier", "alice"), ("password", PASSWORD)]).await.is(200, "consent");
    browser.post(&page, &[("decision", "deny")]).await.leads_to(&format!("{APPLICATION}?error=Declined"));
    assert!(world.sessions(alice).await.is_empty());
    assert_eq!(world.count("grant").await, 0);
});

on_each!(abuse_03_the_handle_changes_at_reauthentication_and_the_former_lives_a_minute, |world| {
    let alice = world.alice().await;
    let mut browser = world.signed_in("alice", PASSWORD).await;
    let before = browser.clone();
    world.wait(60);
    let page = browser.get("/authorize?fresh=1").await.is(200, "identify");
    browser.post(&page, &[("identifier", "alice"), ("password", PASSWORD)]).await.leads_to(APPLICATION);
    let sessions = world.sessions(alice).await;
    assert_eq!(sessions.len(), 1, "the same session goes on");
    assert_ne!(browser.session_cookie(), before.session_cookie());
    let former_until = sessions[0].previous_until.unwrap();
    world.until(former_until.minus(Duration::from_millis(2)));
    assert!(before.clone().is_signed_in().await);
    world.until(former_until);
    assert!(!before.clone().is_signed_in().await);
    assert!(browser.is_signed_in().await);
});

on_each!(abuse_03_a_session_planted_before_the_sign_in_stays_somebody_elses, |world| {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let mallory = world.signed_in("bob", PASSWORD).await;
    let mut browser = world.browser();
    browser.get("/signin").await;
    browser.set("kws", mallory.session_cookie());
    let page = browser.get("/authorize?fresh=1").await.is(200, "identify");
    browser.post(&page, &[("identifier", "alice"), ("password", PASSWORD)]).await.leads_to(APPLICATION);
    assert_eq!((world.sessions(alice).await.len(), world.sessions(bob).await.len()), (1, 1));
    assert!(browser.session_cookie().split('.').next().unwrap() != mallory.session_cookie());
});

on_each!(abuse_04_two_people_in_one_browser_share_nothing, |world| {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let mut browser = world.browser();
    let page = browser.get("/authorize").await;
    let of_alice =
        browser.post(&page, &[("identifier", "alice"), ("password", PASSWORD)]).await.leads_to(APPLICATION);
    let device = browser.device_cookie().to_owned();
    browser.cookies.retain(|name, _| !name.starts_with("kws-"));
    let page = browser.get("/authorize").await.is(200, "identify");
    let of_bob =
        browser.post(&page, &[("identifier", "bob"), ("password", PASSWORD)]).await.leads_to(APPLICATION);
    assert_eq!(browser.device_cookie(), device);
    let (hers, his) = (world.sessions(alice).await, world.sessions(bob).await);
    assert_eq!((hers.len(), his.len()), (1, 1));
    assert_ne!(hers[0].id, his[0].id);
    // The end of one is not the end of the other.
    world.sign_out_everywhere(alice).await;
    assert!(!world.grant_lives(&of_alice.location).await && world.grant_lives(&of_bob.location).await);
    assert!(browser.is_signed_in().await);
});

on_each!(two_people_stay_signed_in_beside_each_other, |world| {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let mut browser = world.signed_in("alice", PASSWORD).await;
    let page = browser.get("/authorize?fresh=1").await.is(200, "identify");
    browser.post(&page, &[("identifier", "bob"), ("password", PASSWORD)]).await.leads_to(APPLICATION);
    assert_eq!(browser.session_cookie().split('.').count(), 2);
    world.sign_out_everywhere(bob).await;
    assert!(browser.is_signed_in().await, "alice's session is still named");
    world.sign_out_everywhere(alice).await;
    assert!(!browser.is_signed_in().await);
});

on_each!(abuse_07_who_is_suspended_gets_no_further_at_any_step, |world| {
    let alice = world.alice().await;
    let mut at_password = world.browser();
    let page = at_password.get("/signin").await;
    let password = at_password.submit(&page, &[("identifier", "alice")]).await.is(200, "password");
    let mut at_consent = world.browser();
    let page = at_consent.get("/authorize?consent=email").await;
    let consent =
        at_consent.submit(&page, &[("identifier", "alice"), ("password", PASSWORD)]).await.is(200, "consent");
    let mut at_code = world.browser();
    let page = at_code.get("/recover").await;
    let code = at_code.submit(&page, &[("identifier", "alice")]).await.is(200, "code");
    let typed = world.code("alice@example.com").await;
    let mut at_new_password = world.browser();
    let page = at_new_password.get("/recover").await;
    let page = at_new_password.submit(&page, &[("identifier", "alice")]).await;
    let other = world.code("alice@example.com").await;
    let new = at_new_password.submit(&page, &[("code", &other)]).await.is(200, "new-password");
    let mut at_home = world.signed_in("alice", PASSWORD).await;
    let change = at_home.get("/account/password").await.is(200, "change-password");

    world.set_state(alice, "suspended").await;
    at_password.post(&password, &[("password", PASSWORD)]).await.is(403, "error");
    let page = at_consent.submit(&consent, &[("decision", "allow")]).await.is(200, "password");
    at_consent.post(&page, &[("password", PASSWORD)]).await.is(403, "error");
    at_code.post(&code, &[("code", &typed)]).await.is(422, "code");
    at_new_password.submit(&new, &[("password", ANOTHER)]).await.is(200, "code");
    at_home
        .post(&change, &[("password", PASSWORD), ("new_password", ANOTHER)])
        .await
        .leads_to("/account/password");
    assert!(!at_home.is_signed_in().await);
    assert!(world.sessions(alice).await.is_empty());

    // Lifting it revives nothing.
    world.set_state(alice, "active").await;
    assert!(!at_home.is_signed_in().await && world.sessions(alice).await.is_empty());
    assert_eq!(world.count("grant").await, 0);
    world.signed_in("alice", PASSWORD).await;
});

on_each!(abuse_08_a_session_that_ended_carries_nobody_to_the_end_of_a_flow, |world| {
    let alice = world.alice().await;
    let mut browser = world.signed_in("alice", PASSWORD).await;
    let first = browser.get("/authorize?consent=email").await.is(200, "consent");
    let mut beside = browser.clone();
    let begun = beside.get("/authorize?consent=email").await;
    let begun = beside.submit(&begun, &[("decision", "perhaps")]).await.is(422, "consent");
    let email = browser.get("/account/email").await.is(200, "change-email");
    let session = world.sessions(alice).await[0].id;
    world.end_session(session, alice).await;
    browser.submit(&first, &[("decision", "allow")]).await.is(200, "identify");
    beside.submit(&begun, &[("decision", "allow")]).await.is(200, "identify");
    browser.post(&email, &[("email", "thief@example.com")]).await.leads_to("/account/email");
    assert!(world.sessions(alice).await.is_empty());
    assert_eq!((world.count("grant").await, world.count("mail").await), (0, 0));
});

on_each!(a_hash_is_made_anew_when_parameters_rise, |world| {
    let alice = world.alice().await;
    let before = world.phc(alice).await.unwrap();
    world.signed_in("alice", PASSWORD).await;
    assert_eq!(world.phc(alice).await.unwrap(), before, "nothing rose");
    world.dearer().sign_in("alice", PASSWORD).await;
    let after = world.phc(alice).await.unwrap();
    assert!(before.contains("t=1") && after.contains("t=2"), "{before} {after}");
    world.dearer().sign_in("alice", PASSWORD).await;
    assert_eq!(world.phc(alice).await.unwrap(), after);
});

on_each!(a_password_that_an_operator_wants_replaced_lets_nobody_in, |world| {
    let alice = world.alice().await;
    world.expire_password(alice).await;
    for identifier in ["alice", "alice@example.com"] {
        let mut browser = world.browser().speaking_json();
        let page = browser.get("/signin").await.is(200, "identify");
        let refused = browser.post(&page, &[("identifier", identifier), ("password", PASSWORD)]).await;
        refused.is(422, "identify").says("error-password-expired");
    }
    assert!(world.sessions(alice).await.is_empty());
    let mut browser = world.browser();
    let page = browser.get("/recover").await;
    let page = browser.submit(&page, &[("identifier", "alice")]).await.is(200, "code");
    let code = world.code("alice@example.com").await;
    let page = browser.submit(&page, &[("code", &code)]).await.is(200, "new-password");
    browser.post(&page, &[("password", ANOTHER)]).await.leads_to("/account");
    world.browser().sign_in("alice", ANOTHER).await;
});

on_each!(one_of_the_accounts_of_this_browser_is_chosen_and_no_other, |world| {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let carol = world.person(("carol@example.com", Some("operator")), Some("carol"), PASSWORD).await;
    let mut browser = world.signed_in("alice", PASSWORD).await;
    let page = browser.get("/authorize?fresh=1").await;
    browser.post(&page, &[("identifier", "bob"), ("password", PASSWORD)]).await.leads_to(APPLICATION);
    world.signed_in("carol", PASSWORD).await;
    let (hers, his) =
        (world.sessions(alice).await[0].id.to_string(), world.sessions(bob).await[0].id.to_string());
    let foreign = world.sessions(carol).await[0].id.to_string();
    let page = browser.get("/authorize?choose=1&consent=email").await.is(200, "choose");
    assert!(page.body.contains(&hers) && page.body.contains(&his) && !page.body.contains(&foreign));
    for nobody in [foreign.as_str(), "", "ses_", "alice"] {
        browser.post(&page, &[("account", nobody)]).await.is(422, "choose");
    }
    let consent = browser.submit(&page, &[("account", &hers)]).await.is(200, "consent");
    assert!(consent.body.contains("alice@example.com"), "{}", consent.body);
    browser.post(&consent, &[("decision", "allow")]).await.leads_to(APPLICATION);
    assert_eq!(world.sessions(alice).await.len(), 1, "no further session");
    // The one chosen answers first from now on.
    assert_eq!(browser.session_cookie().split('.').count(), 2);
    let page = browser.get("/authorize?choose=1").await.is(200, "choose");
    browser.submit(&page, &[("action", "another")]).await.is(200, "identify");
    // One that ended since cannot be chosen.
    let page = browser.get("/authorize?choose=1").await.is(200, "choose");
    world.sign_out_everywhere(bob).await;
    browser.post(&page, &[("account", &his)]).await.is(422, "choose");
});
