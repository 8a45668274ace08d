//! `/recover`: a forgotten password.

use crate::world::{ANOTHER, APPLICATION, PASSWORD, on_each};

on_each!(a_forgotten_password_is_replaced_by_code_or_by_link, |world| {
    let alice = world.alice().await;
    for by_link in [false, true] {
        let mut with_cookie = world.browser();
        with_cookie.get("/recover").await;
        for mut browser in [world.browser(), with_cookie.speaking_json()] {
            let password = format!("{ANOTHER} {}", world.now().micros());
            let page = browser.get("/recover").await.is(200, "recover");
            let page = browser.submit(&page, &[("identifier", "alice@example.com")]).await.is(200, "code");
            let page = if by_link {
                let link = world.link("alice@example.com").await;
                let landing = browser.get(&link).await.is(200, "link");
                browser.submit(&landing, &[]).await
            } else {
                let code = world.code("alice@example.com").await;
                browser.submit(&page, &[("code", &code)]).await
            };
            let page = page.is(200, "new-password");
            browser.post(&page, &[("password", &password)]).await.leads_to("/account");
            assert_eq!(world.flow_versions().await[0], 3);
            world.browser().sign_in("alice", &password).await;
            assert!(world.mail("alice@example.com").await.code.is_none(), "the person is told");
            world.wait(600);
        }
    }
    assert_eq!(world.sessions(alice).await.len(), 2, "each recovery ended what was before");
    let mut cookieless = world.program();
    cookieless.keeps_cookies = false;
    let page = cookieless.get("/recover").await;
    let page = cookieless.post(&page, &[("identifier", "alice")]).await.is(200, "code");
    let code = world.code("alice@example.com").await;
    let page = cookieless.post(&page, &[("code", &code)]).await.is(200, "new-password");
    cookieless.post(&page, &[("password", PASSWORD)]).await.leads_to("/account");
    cookieless.post(&page.without("device"), &[("password", ANOTHER)]).await.is(403, "error");
});

on_each!(a_recovery_ends_every_session_and_grant_of_before, |world| {
    let alice = world.alice().await;
    let mut home = world.signed_in("alice", PASSWORD).await;
    let mut app = world.browser();
    let page = app.get("/authorize").await;
    let before =
        app.post(&page, &[("identifier", "alice"), ("password", PASSWORD)]).await.leads_to(APPLICATION);
    let mut browser = world.browser();
    let page = browser.get("/authorize?consent=email").await;
    let from = page.body.split("/recover?from=").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let page = browser.get(&format!("/recover?from={from}")).await.is(200, "recover");
    let page = browser.submit(&page, &[("identifier", "alice")]).await.is(200, "code");
    let code = world.code("alice@example.com").await;
    let page = browser.submit(&page, &[("code", &code)]).await.is(200, "new-password");
    // The application's question comes afterwards, and the new password is asked for once.
    let page = browser.submit(&page, &[("password", ANOTHER)]).await.is(200, "consent");
    assert!(world.sessions(alice).await.is_empty(), "everything of before is dead already");
    let after = browser.post(&page, &[("decision", "allow")]).await.leads_to(APPLICATION);
    assert!(!world.grant_lives(&before.location).await && world.grant_lives(&after.location).await);
    assert_eq!(world.sessions(alice).await.len(), 1);
    assert!(!home.is_signed_in().await && !app.is_signed_in().await && browser.is_signed_in().await);
    let page = home.get("/signin").await;
    home.post(&page, &[("identifier", "alice"), ("password", PASSWORD)]).await.is(422, "identify");
});

on_each!(abuse_19_a_recovery_fixes_whom_it_is_for, |world| {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let phc = world.phc(bob).await;
    let mut browser = world.browser();
    let page = browser.get("/recover").await;
    let page = browser.submit(&page, &[("identifier", "alice")]).await.is(200, "code");
    let code = world.code("alice@example.com").await;
    let bobs = [("identifier", "bob"), ("email", "bob@example.com"), ("username", "bob"), ("person", "bob")];
    let with = |field| bobs.into_iter().chain([field]).collect::<Vec<_>>();
    let page = browser.submit(&page, &with(("code", code.as_str()))).await.is(200, "new-password");
    // Naming somebody else once more is no step of it.
    for step in ["recover", "identify", "password"] {
        browser.submit(&page.with("step", step), &with(("password", ANOTHER))).await.is(200, "new-password");
    }
    browser.post(&page, &with(("password", ANOTHER))).await.leads_to("/account");
    assert_eq!(world.phc(bob).await, phc);
    assert_eq!((world.sessions(alice).await.len(), world.sessions(bob).await.len()), (1, 0));
    world.browser().sign_in("alice", ANOTHER).await;
});

on_each!(a_new_password_must_satisfy_the_policy, |world| {
    world.alice().await;
    let mut browser = world.program();
    let page = browser.get("/recover").await;
    let page = browser.submit(&page, &[("identifier", "alice")]).await;
    let code = world.code("alice@example.com").await;
    let page = browser.submit(&page, &[("code", &code)]).await.is(200, "new-password");
    for (password, message) in [
        ("", "error-password-missing"),
        ("short", "error-password-short"),
        ("password1", "error-password-common"),
        ("alice@example.com", "error-password-similar"),
        ("Alice Example", "error-password-similar"),
    ] {
        browser.post(&page, &[("password", password)]).await.is(422, "new-password").says(message);
    }
    browser.post(&page, &[("password", "päßwörter für alle")]).await.leads_to("/account");
});
