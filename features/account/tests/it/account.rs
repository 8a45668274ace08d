//! The door, `/` and `/account`.

use crate::{browser::Browser, world::worlds};
use http::{StatusCode, header};

const PAGES: [&str; 5] =
    ["/account", "/account/profile", "/account/sessions", "/account/activity", "/account/applications"];

#[tokio::test]
async fn without_a_session_every_page_is_the_sign_in() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let mut browser = Browser::new(&world, &world.tenant);
        for page in PAGES {
            assert_eq!(browser.get(page).await.body, format!("sign in for {page}"));
        }
        browser.set("kws", "se_rubbish");
        assert_eq!(browser.get("/account").await.body, "sign in for /account");
        let mut browser = world.sign_in(alice).await;
        assert_ne!(browser.get("/account").await.body, "sign in for /account");
        world.wait(u64::from(world.tenant.settings.session_idle));
        assert_eq!(browser.get("/account").await.body, "sign in for /account");
        world.remove().await;
    }
}

#[tokio::test]
async fn a_session_of_another_tenant_opens_nothing() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let (_, handle) = world.session(&world.tenant, alice).await;
        let mut browser = Browser::new(&world, &world.acme);
        browser.set("kws", &handle.reveal());
        for page in PAGES {
            assert_eq!(browser.get(page).await.body, format!("sign in for {page}"));
        }
        world.remove().await;
    }
}

#[tokio::test]
async fn the_root_leads_to_the_account() {
    for world in worlds().await {
        let reply = Browser::new(&world, &world.tenant).get("/").await;
        assert_eq!((reply.status, reply.location.as_str()), (StatusCode::SEE_OTHER, "/account"));
        let reply = Browser::new(&world, &world.acme).get("/").await;
        assert_eq!(reply.location, "/t/acme/account");
        world.remove().await;
    }
}

#[tokio::test]
async fn home_greets_and_sums_up() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let _elsewhere = world.sign_in(alice).await;
        let mut browser = world.sign_in(alice).await;
        let reply = browser.get("/account").await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(reply.headers[header::CACHE_CONTROL], "no-store");
        for told in ["Hello, alice Example", "alice@example.com", "Signed in in 2 places", "None connected"] {
            assert!(reply.body.contains(told), "{told}");
        }
        assert!(browser.get("/account?done=password").await.body.contains("Your password is changed."));
        assert!(browser.get("/account?done=email").await.body.contains("Your e-mail address is changed."));
        let page = browser.json("/account?done=%3Cscript%3E").await;
        assert_eq!((&page["step"], page["messages"].as_array().unwrap().len()), (&"account".into(), 0));
        world.remove().await;
    }
}

#[tokio::test]
async fn every_page_has_a_json_form() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let mut browser = world.sign_in(alice).await;
        for page in PAGES {
            let step = page.rsplit('/').next().unwrap();
            assert_eq!(browser.json(page).await["step"], step);
        }
        world.remove().await;
    }
}

#[tokio::test]
async fn the_language_is_the_persons_unless_the_address_names_one() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let mut browser = world.sign_in(alice).await;
        browser.headers.insert("accept-language", "ar".to_owned());
        assert!(browser.get("/account").await.body.contains("lang=\"ar\""));
        browser.post("/account/profile", &[("locale", "de")]).await;
        assert!(browser.get("/account").await.body.contains("<html lang=\"de\""));
        assert!(browser.get("/account?ui_locales=en").await.body.contains("<html lang=\"en\""));
        assert!(browser.get("/account?ui_locales=xx").await.body.contains("<html lang=\"de\""));
        world.remove().await;
    }
}

#[tokio::test]
async fn a_post_from_elsewhere_changes_nothing() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let mut browser = world.sign_in(alice).await;
        let token = browser.token().await;
        let before = world.person(&world.tenant, alice).await;
        let posts = [
            ("/account/profile", ("name", "Mallory")),
            ("/account/sessions", ("session", "all")),
            ("/account/applications", ("application", "app_x")),
            ("/account/sign-out", ("session", "this")),
        ];
        for (path, field) in posts {
            for csrf in ["", "b3J3aWdzZWNyZXQ"] {
                let reply = browser.post_only(path, &[("csrf", csrf), field]).await;
                assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path}");
            }
            assert_eq!(browser.post_only(path, &[field]).await.status, StatusCode::FORBIDDEN, "{path}");
            let mut foreign = browser.clone();
            for site in ["cross-site", "same-site", "none"] {
                foreign.headers.insert("sec-fetch-site", site.to_owned());
                let reply = foreign.post_only(path, &[("csrf", &token), field]).await;
                assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path} {site}");
            }
            foreign.headers.remove("sec-fetch-site");
            for origin in ["http://evil.example", "null", "http://localhost:8081"] {
                foreign.headers.insert("origin", origin.to_owned());
                let reply = foreign.post_only(path, &[("csrf", &token), field]).await;
                assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path} {origin}");
            }
        }
        assert!(before == world.person(&world.tenant, alice).await);
        assert!(browser.get("/account").await.body.contains("Hello, alice"));
        world.remove().await;
    }
}

#[tokio::test]
async fn a_form_without_a_session_is_answered_by_the_sign_in() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let mut browser = world.sign_in(alice).await;
        let token = browser.token().await;
        browser.set("kws", "");
        let reply = browser.post_only("/account/profile", &[("csrf", &token), ("name", "Mallory")]).await;
        assert_eq!(reply.body, "sign in for /account/profile");
        assert_eq!(world.attributes(alice).await["name"], "alice Example");
        world.remove().await;
    }
}

#[tokio::test]
async fn what_is_no_form_is_refused_clearly() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let mut browser = world.sign_in(alice).await;
        let huge = "x".repeat(70_000);
        let reply = browser.post("/account/profile", &[("name", &huge)]).await;
        assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
        let reply = browser.post("/account/profile", &[("name", "a\0b")]).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        let reply = browser.post("/account/profile", &[("name", "a"), ("name", "b")]).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        let reply = browser.post_json("/account/profile", serde_json::json!({ "name": ["a"] })).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        assert_eq!(browser.get("/account/sign-out").await.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(world.attributes(alice).await["name"], "alice Example");
        world.remove().await;
    }
}
