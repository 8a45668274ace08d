//! What a POST may look like, and where it may come from.

use crate::{
    browser::{Browser, Page, encode},
    world::{ISSUER, PASSWORD, World, on_each},
};
use http::HeaderValue;

/// A browser at each step of the sign-in, with the page that it is shown.
async fn stages(world: &World) -> Vec<(Browser, Page)> {
    let mut stages = Vec::new();
    for (start, posts) in [
        ("/signin", 0),
        ("/signin", 1),
        ("/register", 0),
        ("/register", 1),
        ("/register", 2),
        ("/recover", 0),
        ("/recover", 1),
        ("/recover", 2),
    ] {
        let mut browser = world.browser();
        let mut page = browser.get(start).await;
        for _ in 0..posts {
            let code = world.mails().await.pop().and_then(|mail| mail.code).unwrap_or_default();
            let named = [("identifier", "alice"), ("email", "carol@example.com"), ("code", code.as_str())];
            page = browser.submit(&page, &named).await;
        }
        stages.push((browser, page));
    }
    let mut browser = world.browser();
    let page = browser.get("/authorize?consent=email").await;
    let page = browser.submit(&page, &[("identifier", "alice"), ("password", PASSWORD)]).await;
    stages.push((browser, page));
    for change in ["/account/password", "/account/email", "/account/delete"] {
        let mut browser = world.signed_in("alice", PASSWORD).await;
        let page = browser.get(change).await;
        stages.push((browser, page));
    }
    let steps: Vec<_> = stages.iter().map(|(_, page)| page.step.as_str()).collect();
    let all = [
        "identify",
        "password",
        "register",
        "code",
        "details",
        "recover",
        "code",
        "new-password",
        "consent",
        "change-password",
        "change-email",
        "delete",
    ];
    assert_eq!(steps, all);
    stages
}

fn form(page: &Page, fields: &[(&str, &str)]) -> String {
    let hidden = page.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let pairs = hidden.chain(fields.iter().copied()).map(|(name, value)| format!("{name}={}", encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

on_each!(abuse_17_empty_partial_repeated_and_strange_posts_never_advance, |world| {
    world.alice().await;
    const FORM: &str = "application/x-www-form-urlencoded";
    for (mut browser, page) in stages(&world).await {
        let before = world.shape().await;
        let whole = form(&page, &[]);
        let json = format!("{{\"csrf\":\"{}\",\"password\":[\"{PASSWORD}\"]}}", page.hidden("csrf"));
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        let multipart = "--x\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nx\r\n--x--";
        let posts = [
            (FORM, String::new()),
            ("", String::new()),
            ("", whole.clone()),
            ("text/plain", whole.clone()),
            ("multipart/form-data; boundary=x", multipart.to_owned()),
            (FORM, whole.clone()),
            (FORM, form(&page.without("csrf"), &[])),
            (FORM, form(&page.without("step"), &[])),
            (FORM, form(&page.without("request"), &[("action", "no such thing")])),
            (FORM, format!("{whole}&password={0}&password={0}", encode(PASSWORD))),
            (FORM, format!("{whole}&csrf={}", page.hidden("csrf"))),
            (FORM, format!("{whole}&code=%00")),
            (FORM, "%ff%fe=%ff".to_owned()),
            ("application/json", "{".to_owned()),
            ("application/json", "[]".to_owned()),
            ("application/json", "{}".to_owned()),
            ("application/json", json),
            ("application/json", deep),
            (FORM, format!("{whole}&name={}", "x".repeat(4_000_000))),
        ];
        for (kind, body) in posts {
            let shown: String = body.chars().take(80).collect();
            let answer = browser.post_raw(&page.action, kind, body).await;
            assert!(answer.status.is_client_error(), "{} {kind} {shown}: {}", page.step, answer.status);
            let forth =
                answer.location.is_empty() && ["error", "", &page.step].contains(&answer.step.as_str());
            assert!(forth, "{} {kind} {shown}: {}", page.step, answer.body);
        }
        let answer = browser.get(&format!("{}?{whole}&password={}", page.action, encode(PASSWORD))).await;
        assert!(answer.step == page.step || answer.status == 410, "{} by GET: {}", page.step, answer.step);
        let grown = world.grown(&before).await;
        assert!(grown.is_empty(), "{}: {grown:?}", page.step);
    }
});

on_each!(a_post_from_elsewhere_is_refused_at_every_step, |world| {
    world.alice().await;
    for (browser, page) in stages(&world).await {
        let before = world.shape().await;
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "none"),
            ("sec-fetch-site", "Same-Origin"),
            ("sec-fetch-site", ""),
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://localhost:8080.evil.example"),
            ("origin", "http://localhost:80800"),
            ("origin", ""),
        ] {
            let mut browser = browser.clone();
            browser.headers = vec![(name, HeaderValue::from_static(value))];
            browser.post(&page, &[("password", PASSWORD), ("identifier", "alice")]).await.is(403, "error");
        }
        let mut own = browser.clone();
        own.post(&page.without("csrf"), &[("password", PASSWORD)]).await.is(403, "error");
        own.post(&page.with("csrf", "AAAA"), &[("password", PASSWORD)]).await.is(403, "error");
        assert!(world.grown(&before).await.is_empty(), "{}", page.step);
    }
    // Ours is good, and so is a program that says nothing.
    for headers in [vec![("origin", HeaderValue::from_static(ISSUER))], Vec::new()] {
        let mut browser = world.browser();
        browser.headers = headers;
        browser.sign_in("alice", PASSWORD).await;
    }
});

on_each!(abuse_18_malformed_headers_open_nothing, |world| {
    let alice = world.alice().await;
    let strange = || HeaderValue::from_bytes(b"\xff\xfe=\xff; ;;==").unwrap();
    for name in ["sec-fetch-site", "origin"] {
        let mut browser = world.browser();
        let page = browser.get("/signin").await;
        browser.headers = vec![(name, strange())];
        browser.post(&page, &[("identifier", "alice"), ("password", PASSWORD)]).await.is(403, "error");
    }
    let mut browser = world.browser();
    let page = browser.get("/signin").await;
    browser.headers.push(("cookie", strange()));
    browser.post(&page, &[("identifier", "alice"), ("password", PASSWORD)]).await.is(403, "error");
    assert!(world.sessions(alice).await.is_empty());
    // What only describes the client is left out, and the password is still asked for.
    for name in ["user-agent", "accept-language", "x-forwarded-for", "forwarded", "referer"] {
        let mut browser = world.browser();
        browser.headers.push((name, strange()));
        let page = browser.get("/signin").await.is(200, "identify");
        browser.post(&page, &[("identifier", "alice"), ("password", "wrong")]).await.is(422, "identify");
        browser.headers.pop();
        browser.headers.push((name, HeaderValue::from_static("unknown, , 999.1.2.3, [::1")));
        browser.post(&page, &[("identifier", "alice"), ("password", "")]).await.is(303, "");
        assert!(world.sessions(alice).await.is_empty());
    }
    // An unreadable session beside a good one takes nothing from it.
    let mut browser = world.signed_in("alice", PASSWORD).await;
    let good = browser.session_cookie().to_owned();
    browser.set("kws", &format!("se_AAAA.{good}.%%%"));
    assert!(browser.is_signed_in().await);
});

on_each!(abuse_28_links_in_mails_are_the_issuers_whatever_the_headers, |world| {
    world.alice().await;
    for (start, field, value) in
        [("/register", "email", "carol@example.com"), ("/recover", "identifier", "alice")]
    {
        for (name, poison) in [
            ("host", "evil.example"),
            ("host", "localhost:8080@evil.example"),
            ("host", "localhost:8081"),
            ("forwarded", "host=evil.example;proto=https"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-prefix", "//evil.example"),
            ("x-original-url", "//evil.example/"),
            ("origin", "https://evil.example"),
            ("referer", "https://evil.example/"),
        ] {
            let mut browser = world.browser();
            let page = browser.get(start).await;
            browser.headers.push((name, HeaderValue::from_static(poison)));
            let answer = browser.post(&page, &[(field, value)]).await;
            assert!(
                !answer.location.contains("evil") && !answer.body.contains("evil.example"),
                "{name}: {poison}"
            );
            let mail = world.mails().await.pop().expect("a mail");
            for text in [&mail.text, &mail.html, &mail.links[0]] {
                assert!(
                    !text.contains("evil.example") && text.contains(&format!("{ISSUER}/link/")),
                    "{name}: {text}"
                );
            }
            assert!(mail.links.iter().all(|link| link.starts_with(&format!("{ISSUER}/link/"))));
            world.wait(120);
        }
    }
    let before = world.mails().await.len();
    assert_eq!(before, 20, "each sent its mail");
});

on_each!(each_step_says_in_json_what_its_form_holds, |world| {
    world.alice().await;
    for (browser, page) in stages(&world).await {
        let mut program = browser.speaking_json();
        let answer = program.post(&page, &[]).await;
        let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(
            (json["step"].as_str(), json["action"].as_str()),
            (Some(page.step.as_str()), Some(page.action.as_str()))
        );
        assert!(!json["messages"].as_array().unwrap().is_empty(), "{json}");
        assert!(json["actions"].as_array().is_some_and(|actions| !actions.is_empty()), "{json}");
        let names = |page: &Page| page.hidden.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&answer), names(&page));
        for field in json["fields"].as_array().unwrap() {
            let name = format!("name=\"{}\"", field["name"].as_str().unwrap());
            assert!(page.body.contains(&name), "{name} is not in the page of {}", page.step);
        }
    }
});

on_each!(every_answer_stays_out_of_caches_and_names_its_policy, |world| {
    world.alice().await;
    let mut pages: Vec<Page> = stages(&world).await.into_iter().map(|(_, page)| page).collect();
    let mut browser = world.browser();
    pages.push(browser.get("/link/ln_none").await);
    pages.push(browser.get("/flow/none").await);
    for page in pages {
        assert_eq!(page.headers["cache-control"], "no-store", "{}", page.step);
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    }
});

on_each!(who_somebody_is_must_be_said_and_make_sense, |world| {
    for start in ["/signin", "/recover"] {
        let mut browser = world.program();
        let page = browser.get(start).await;
        let step = page.step.clone();
        for (typed, message) in [
            ("", "error-identifier-missing"),
            (" \t", "error-identifier-missing"),
            ("a b", "error-identifier-invalid"),
            ("a@b@example.com", "error-identifier-invalid"),
            ("a\u{202e}b", "error-identifier-invalid"),
        ] {
            browser.post(&page, &[("identifier", typed)]).await.is(422, &step).says(message);
        }
    }
    assert_eq!((world.count("flow").await, world.count("mail").await), (0, 0));
});
