//! `/account/password`, `/account/email`, `/account/delete`: changes of an account.

use crate::{
    browser::{Browser, Page},
    world::{ANOTHER, APPLICATION, PASSWORD, World, on_each},
};
use std::time::Duration;

on_each!(a_changed_password_keeps_this_session_and_ends_all_others, |world| {
    let alice = world.alice().await;
    let mut here = world.browser();
    let page = here.get("/authorize").await;
    let own =
        here.post(&page, &[("identifier", "alice"), ("password", PASSWORD)]).await.leads_to(APPLICATION);
    let mut there = world.browser();
    let page = there.get("/authorize").await;
    let foreign =
        there.post(&page, &[("identifier", "alice"), ("password", PASSWORD)]).await.leads_to(APPLICATION);
    let mut thief = world.browser();
    let page = thief.get("/authorize?consent=email").await;
    let consent =
        thief.submit(&page, &[("identifier", "alice"), ("password", PASSWORD)]).await.is(200, "consent");

    let former = here.clone();
    let page = here.get("/account/password").await.is(200, "change-password");
    here.post(&page, &[("password", PASSWORD), ("new_password", ANOTHER)])
        .await
        .leads_to("/account?done=password");
    assert_eq!(world.sessions(alice).await.len(), 1);
    assert!(here.is_signed_in().await && !there.is_signed_in().await);
    assert_ne!(here.session_cookie(), former.session_cookie());
    assert!(!former.clone().is_signed_in().await, "a former handle may be a thief's");
    assert!(world.grant_lives(&own.location).await && !world.grant_lives(&foreign.location).await);
    // A thief who waits at the second step with the old password gets no further.
    thief.submit(&consent, &[("decision", "allow")]).await.is(200, "password");
    assert_eq!(world.count("grant").await, 2);

    let told = world.mail("alice@example.com").await;
    assert!(told.code.is_none() && told.text.contains("http://localhost:8080/recover"), "{}", told.text);
    world.browser().sign_in("alice", ANOTHER).await;
});

on_each!(a_password_is_changed_only_with_the_present_one_and_by_the_policy, |world| {
    let alice = world.alice().await;
    let mut browser = world.signed_in("alice", PASSWORD).await.speaking_json();
    let phc = world.phc(alice).await;
    let page = browser.get("/account/password").await.is(200, "change-password");
    for (present, new, message) in [
        ("", ANOTHER, "error-password-missing"),
        ("wrong", ANOTHER, "error-current-password"),
        (PASSWORD, PASSWORD, "error-password-same"),
        (PASSWORD, "short", "error-password-short"),
        (PASSWORD, "password1", "error-password-common"),
        (PASSWORD, "aliceexample", "error-password-similar"),
        (PASSWORD, "", "error-password-missing"),
    ] {
        let answer = browser.post(&page, &[("password", present), ("new_password", new)]).await;
        answer.is(422, "change-password").says(message);
    }
    assert_eq!(world.phc(alice).await, phc);
    // Guesses here are counted with those at the door.
    for _ in 0..9 {
        browser.post(&page, &[("password", "wrong"), ("new_password", ANOTHER)]).await;
    }
    let answer = browser.post(&page, &[("password", PASSWORD), ("new_password", ANOTHER)]).await;
    answer.is(429, "change-password").says("error-too-many");
});

on_each!(a_change_asks_first_who_is_there, |world| {
    world.alice().await;
    for (path, step) in [
        ("/account/password", "change-password"),
        ("/account/email", "change-email"),
        ("/account/delete", "delete"),
    ] {
        let mut browser = world.browser();
        let page = browser.get(path).await.is(200, "identify");
        browser.post(&page, &[("identifier", "alice"), ("password", PASSWORD)]).await.leads_to(path);
        browser.get(path).await.is(200, step);
    }
});

on_each!(an_address_is_changed_after_a_fresh_proof_only, |world| {
    world.alice().await;
    let mut browser = world.signed_in("alice", PASSWORD).await;
    let page = browser.get("/account/email").await.is(200, "change-email");
    world.wait(600);
    // Fresh when the page was made is not fresh for ever.
    browser.submit(&page, &[("email", "alice@new.example")]).await.is(200, "password");
    assert_eq!(world.count("mail").await, 0);
    browser.speaking_json().get("/account/email").await.is(200, "password").says("notice-prove-again");
    let page = browser.get("/account/email").await.is(200, "password");
    let page = browser.submit(&page, &[("password", PASSWORD)]).await.is(200, "change-email");
    let page = browser.submit(&page, &[("email", "alice@new.example")]).await.is(200, "code");
    let code = world.code("alice@new.example").await;
    browser.post(&page, &[("code", &code)]).await.leads_to("/account?done=email");
    assert!(
        world.whose("alice@example.com").await.is_none() && world.whose("alice@new.example").await.is_some()
    );
    let told = world.mail("alice@example.com").await;
    assert!(!told.text.contains("alice@new.example") && told.code.is_none(), "masked: {}", told.text);
    world.browser().sign_in("alice@new.example", PASSWORD).await;
});

/// A change of alice's address that waits for its code.
async fn change(world: &World, browser: &mut Browser, email: &str) -> Page {
    let page = browser.get("/account/email").await.is(200, "change-email");
    let page = browser.submit(&page, &[("email", email)]).await.is(200, "code");
    assert_eq!(world.mail(email).await.to, email);
    page
}

on_each!(abuse_22_of_two_changes_of_address_each_proves_only_its_own, |world| {
    let alice = world.alice().await;
    let mut browser = world.signed_in("alice", PASSWORD).await;
    let mut beside = browser.clone();
    let (mine, victims) = ("mine@example.com", "victim@example.com");
    let (first, second) =
        (change(&world, &mut browser, mine).await, change(&world, &mut beside, victims).await);
    let code = world.code(mine).await;
    beside.post(&second, &[("code", &code), ("email", victims)]).await.is(422, "code");
    browser.post(&first, &[("code", &code), ("email", victims)]).await.leads_to("/account?done=email");
    assert_eq!((world.whose(mine).await, world.whose(victims).await), (Some(alice), None));
    // At once: one after the other, whichever is first.
    let (third, fourth) = (
        change(&world, &mut browser, "c@example.com").await,
        change(&world, &mut beside, "d@example.com").await,
    );
    let (c, d) = (world.code("c@example.com").await, world.code("d@example.com").await);
    let (c, d) = ([("code", c.as_str())], [("code", d.as_str())]);
    let (one, other) = tokio::join!(browser.post(&third, &c), beside.post(&fourth, &d));
    one.leads_to("/account?done=email");
    other.leads_to("/account?done=email");
    let owners = [world.whose("c@example.com").await, world.whose("d@example.com").await];
    assert_eq!(owners.iter().flatten().count(), 1, "one address at a time");
    assert_eq!(world.whose(mine).await, None);
});

on_each!(an_address_that_somebody_has_is_told_after_it_was_proven, |world| {
    world.alice().await;
    let mut browser = world.signed_in("alice", PASSWORD).await.speaking_json();
    let page = browser.get("/account/email").await.is(200, "change-email");
    let same = browser.post(&page, &[("email", "ALICE@example.com")]).await;
    same.is(422, "change-email").says("error-email-unchanged");
    browser.post(&page, &[("email", "a@b,c@d")]).await.is(422, "change-email").says("error-email-invalid");
    let bob = world.bob().await;
    let page = change(&world, &mut browser, "bob@example.com").await;
    let code = world.code("bob@example.com").await;
    browser.post(&page, &[("code", &code)]).await.is(422, "code").says("error-email-taken");
    assert_eq!(world.whose("bob@example.com").await, Some(bob));
});

on_each!(abuse_30_of_a_deleted_account_nothing_lives, |world| {
    let alice = world.alice().await;
    let mut here = world.browser();
    let page = here.get("/authorize").await;
    let grant =
        here.post(&page, &[("identifier", "alice"), ("password", PASSWORD)]).await.leads_to(APPLICATION);
    let mut there = world.signed_in("alice", PASSWORD).await;
    let mut waiting = world.browser();
    let page = waiting.get("/recover").await;
    let code_page = waiting.submit(&page, &[("identifier", "alice")]).await.is(200, "code");
    let code = world.code("alice@example.com").await;
    let link = world.link("alice@example.com").await;
    let mut at_consent = world.browser();
    let page = at_consent.get("/authorize?consent=email").await;
    let consent = at_consent.submit(&page, &[("identifier", "alice"), ("password", PASSWORD)]).await;

    let page = here.get("/account/delete").await.is(200, "delete");
    here.post(&page, &[("password", "wrong")]).await.is(422, "delete");
    here.post(&page, &[("password", PASSWORD)]).await.leads_to("/signin/deleted");
    here.get("/signin/deleted").await.is(200, "signed-out");
    assert!(here.session_cookie().is_empty());
    assert!(!here.is_signed_in().await && !there.is_signed_in().await);
    assert!(world.sessions(alice).await.is_empty() && !world.grant_lives(&grant.location).await);
    waiting.post(&code_page, &[("code", &code)]).await.is(422, "code");
    let landing = waiting.get(&link).await;
    waiting.submit(&landing, &[]).await.is(200, "code");
    at_consent.submit(&consent, &[("decision", "allow")]).await.is(200, "password");
    let page = there.get("/signin").await;
    there.post(&page, &[("identifier", "alice"), ("password", PASSWORD)]).await.is(422, "identify");
    assert!(world.mail("alice@example.com").await.code.is_none(), "the person is told");
    assert_eq!(world.count("grant").await, 1);
});

on_each!(abuse_30_the_address_is_free_at_once_and_the_user_name_after_90_days, |world| {
    let alice = world.alice().await;
    let mut browser = world.signed_in("alice", PASSWORD).await;
    let page = browser.get("/account/delete").await.is(200, "delete");
    browser.post(&page, &[("password", PASSWORD)]).await.leads_to("/signin/deleted");
    let deleted = world.now();
    let mut next = world.program();
    let page = next.get("/register").await;
    let page = next.post(&page, &[("email", "alice@example.com")]).await.is(200, "code");
    let code = world.code("alice@example.com").await;
    let page = next.post(&page, &[("code", &code)]).await.is(200, "details");
    let fields = [("username", "alice"), ("password", PASSWORD)];
    next.post(&page, &fields).await.is(422, "details").says("error-username-taken");
    next.post(&page, &[("password", PASSWORD)]).await.leads_to("/account");
    let other = world.whose("alice@example.com").await.unwrap();
    assert_ne!(other, alice);

    for (early, free) in [(1, false), (0, true)] {
        let at = deleted.plus(Duration::from_secs(90 * 86_400)).minus(Duration::from_secs(early));
        world.until(at);
        let mut browser = world.program();
        let email = format!("x{early}@example.com");
        let page = browser.get("/register").await;
        let page = browser.post(&page, &[("email", &email)]).await.is(200, "code");
        let code = world.code(&email).await;
        let page = browser.post(&page, &[("code", &code)]).await.is(200, "details");
        let answer = browser.post(&page, &fields).await;
        if free {
            answer.leads_to("/account");
        } else {
            answer.is(422, "details").says("error-username-taken");
        }
    }
    assert!(world.whose("alice").await.is_some_and(|person| person != alice && person != other));
});

on_each!(whoever_forgot_the_password_before_a_change_comes_back_to_it, |world| {
    let alice = world.alice().await;
    let mut browser = world.signed_in("alice", PASSWORD).await;
    world.wait(600);
    let page = browser.get("/account/email").await.is(200, "password");
    let from = page.body.split("/recover?from=").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let page = browser.get(&format!("/recover?from={from}")).await.is(200, "recover");
    let page = browser.submit(&page, &[("identifier", "alice")]).await.is(200, "code");
    let code = world.code("alice@example.com").await;
    let page = browser.submit(&page, &[("code", &code)]).await.is(200, "new-password");
    browser.post(&page, &[("password", ANOTHER)]).await.leads_to("/account/email");
    browser.get("/account/email").await.is(200, "change-email");
    assert_eq!(world.sessions(alice).await.len(), 1);
});

on_each!(not_you_in_a_change_begins_it_anew, |world| {
    world.alice().await;
    let mut browser = world.signed_in("alice", PASSWORD).await;
    world.wait(600);
    let page = browser.get("/account/email").await.is(200, "password");
    let answer = browser.post(&page, &[("action", "restart")]).await;
    browser.get(&answer.location).await.leads_to("/account/email");
    assert_eq!(world.count("mail").await, 0);
});

on_each!(one_of_two_people_deletes_an_account_and_the_other_stays, |world| {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let mut browser = world.signed_in("alice", PASSWORD).await;
    let page = browser.get("/authorize?fresh=1").await;
    browser.post(&page, &[("identifier", "bob"), ("password", PASSWORD)]).await.leads_to(APPLICATION);
    let page = browser.get("/account/delete").await.is(200, "delete");
    browser.post(&page, &[("password", PASSWORD)]).await.leads_to("/signin/deleted");
    assert_eq!((world.sessions(alice).await.len(), world.sessions(bob).await.len()), (1, 0));
    assert!(browser.is_signed_in().await);
});
