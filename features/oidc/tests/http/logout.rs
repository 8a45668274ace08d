use crate::world::{Answer, Browser, World, claims, on_each};
use axum::http::StatusCode;
use oauth::{client::SubjectType, params::encode};

const BYE: &str = "https://shop.example/bye";

async fn logout(world: &World, cookie: &str, params: &[(&str, &str)]) -> Answer {
    world.get(&format!("/logout?{}", encode(params.iter().copied())), cookie).await
}

async fn is_signed_in(world: &World, browser: &Browser) -> bool {
    let answer = world.authorize(&browser.cookie, &[("prompt", "none")]).await;
    let error = answer.param("error");
    assert!(error.is_none() || error.as_deref() == Some("login_required"), "{error:?}");
    answer.param("code").is_some()
}

async fn id_token(world: &World, browser: &Browser) -> String {
    world.tokens(browser, "openid").await["id_token"].as_str().unwrap().to_owned()
}

/// The hidden fields of a page.
fn hidden(page: &str) -> Vec<(String, String)> {
    let value = |field: &str, name: &str| {
        let (_, rest) = field.split_once(&format!("{name}=\""))?;
        Some(rest.split('"').next().unwrap().replace("&#x2f;", "/"))
    };
    let inputs = page.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap());
    inputs.filter_map(|field| Some((value(field, "name")?, value(field, "value")?))).collect()
}

async fn confirm(world: &World, cookie: &str, page: &Answer, site: &str) -> Answer {
    let fields = hidden(&page.text);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(fields.len(), 2, "{}", page.text);
    let headers = [("cookie", cookie), ("sec-fetch-site", site), ("accept", "text/html")];
    world.post("/logout/confirm", &headers, &fields).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hint_with_a_pairwise_subject_is_of_the_person_whom_it_names() {
    on_each(async |world| {
        world.change("web", |_, client| client.subject_type = SubjectType::Pairwise).await;
        let (alice, bob) =
            (world.signed_in("alice@example.com").await, world.signed_in("bob@example.com").await);
        let hint = id_token(world, &alice).await;
        assert_ne!(claims(&hint)["sub"], alice.sub);
        let other = logout(world, &bob.cookie, &[("id_token_hint", &hint)]).await;
        assert!(
            !other.text.contains("id=\"signed-out\"") && is_signed_in(world, &bob).await,
            "it is about another"
        );
        let both = world.cookie(&[&bob.handle, &alice.handle]);
        let params =
            [("id_token_hint", hint.as_str()), ("client_id", "web"), ("post_logout_redirect_uri", BYE)];
        assert_eq!(logout(world, &both, &params).await.location(), BYE);
        assert!(!is_signed_in(world, &alice).await && is_signed_in(world, &bob).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hint_of_this_session_ends_it_at_once() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let tokens = world.tokens(&alice, "openid").await;
        let hint = tokens["id_token"].as_str().unwrap();
        world.pass(10_000);
        let state = "s".repeat(128);
        let params = [("id_token_hint", hint), ("post_logout_redirect_uri", BYE), ("state", &state)];
        let answer = logout(world, &alice.cookie, &params).await;
        assert_eq!(answer.location(), format!("{BYE}?state={state}"));
        let cookies: Vec<_> =
            answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()).collect();
        assert!(
            cookies.iter().any(|cookie| cookie.contains("kws-") && cookie.contains("Max-Age=0")),
            "{cookies:?}"
        );
        assert!(!is_signed_in(world, &alice).await);
        let refused = world.refresh("web", tokens["refresh_token"].as_str().unwrap()).await;
        assert_eq!(refused.error(), "invalid_grant");

        // Nobody is signed in any more: there is nothing to ask.
        let again =
            logout(world, &alice.cookie, &[("id_token_hint", hint), ("post_logout_redirect_uri", BYE)]).await;
        assert_eq!(again.location(), BYE);
        let page = logout(world, &alice.cookie, &[]).await;
        assert!(page.text.contains("id=\"signed-out\""), "{}", page.text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_hint_the_person_is_asked() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let bob = world.signed_in("bob@example.com").await;
        let bobs = id_token(world, &bob).await;
        for params in [
            vec![],
            vec![("state", "x")],
            vec![("client_id", "web"), ("post_logout_redirect_uri", BYE)],
            vec![("id_token_hint", "nonsense"), ("client_id", "web"), ("post_logout_redirect_uri", BYE)],
            vec![("id_token_hint", bobs.as_str()), ("post_logout_redirect_uri", BYE)],
        ] {
            let page = logout(world, &alice.cookie, &params).await;
            assert_eq!(page.status, StatusCode::OK, "{params:?}");
            assert!(page.text.contains("id=\"confirm\""), "{params:?}");
            assert!(is_signed_in(world, &alice).await, "{params:?}");
        }
        let page =
            logout(world, &alice.cookie, &[("client_id", "web"), ("post_logout_redirect_uri", BYE)]).await;
        assert!(page.text.contains("Web shop") && page.text.contains("alice@example.com"));
        for (cookie, site) in
            [(alice.cookie.as_str(), "cross-site"), (bob.cookie.as_str(), "same-origin"), ("", "same-origin")]
        {
            let refused = confirm(world, cookie, &page, site).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN);
        }
        assert!(is_signed_in(world, &alice).await && is_signed_in(world, &bob).await);
        assert_eq!(confirm(world, &alice.cookie, &page, "same-origin").await.location(), BYE);
        assert!(!is_signed_in(world, &alice).await && is_signed_in(world, &bob).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hint_that_is_not_ours_leads_nowhere() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let token = id_token(world, &alice).await;
        let (_, rest) = token.split_once('.').unwrap();
        let (payload, _) = rest.split_once('.').unwrap();
        let none = format!("eyJhbGciOiJub25lIn0.{payload}.");
        // As the certification asks: no redirect, whoever the request says it is of.
        for hint in [none.as_str(), "nonsense"] {
            let params = [("id_token_hint", hint), ("post_logout_redirect_uri", BYE), ("state", "x")];
            let page = logout(world, &alice.cookie, &params).await;
            assert!(page.status == StatusCode::OK && page.text.contains("id=\"confirm\""), "{}", page.text);
        }
        assert!(is_signed_in(world, &alice).await);
        let params =
            [("id_token_hint", none.as_str()), ("client_id", "web"), ("post_logout_redirect_uri", BYE)];
        let page = logout(world, &alice.cookie, &params).await;
        let done = confirm(world, &alice.cookie, &page, "same-origin").await;
        assert!(done.text.contains("id=\"signed-out\""), "{}", done.text);
        assert!(!is_signed_in(world, &alice).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_36_an_address_that_is_not_registered_is_a_page() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let hint = id_token(world, &alice).await;
        for uri in [
            "https://evil.tld/",
            "https://shop.example/bye?x=1",
            "https://shop.example/bye/",
            "https://shop.example@evil.tld/bye",
            "javascript:alert(1)",
            "//evil.tld",
        ] {
            let answer =
                logout(world, &alice.cookie, &[("id_token_hint", &hint), ("post_logout_redirect_uri", uri)])
                    .await;
            assert!(answer.is_error_page(), "{uri}");
        }
        assert!(logout(world, &alice.cookie, &[("post_logout_redirect_uri", BYE)]).await.is_error_page());
        let other = [("id_token_hint", hint.as_str()), ("client_id", "partner")];
        assert!(logout(world, &alice.cookie, &other).await.is_error_page());
        assert!(is_signed_in(world, &alice).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_reads_and_sets_no_cookies() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let hint = id_token(world, &alice).await;
        let fields = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE)];
        let posted = world.post("/logout", &[("cookie", &alice.cookie)], &fields).await;
        assert!(posted.location().starts_with("/logout?sealed="));
        assert!(posted.headers.get("set-cookie").is_none());
        assert!(is_signed_in(world, &alice).await);
        assert_eq!(world.get(posted.location(), &alice.cookie).await.location(), BYE);
        assert!(!is_signed_in(world, &alice).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_04_other_sessions_of_the_browser_stay() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let bob = world.signed_in("bob@example.com").await;
        let hint = id_token(world, &bob).await;
        let both = world.cookie(&[&alice.handle, &bob.handle]);
        let answer = logout(world, &both, &[("id_token_hint", &hint)]).await;
        assert!(answer.text.contains("id=\"signed-out\""));
        let kept = answer.headers.get_all("set-cookie").iter().find_map(|cookie| {
            cookie.to_str().unwrap().contains("kws-").then(|| cookie.to_str().unwrap().to_owned())
        });
        let kept = kept.unwrap();
        assert!(kept.contains(&alice.handle.reveal()) && !kept.contains(&bob.handle.reveal()));
        assert!(is_signed_in(world, &alice).await && !is_signed_in(world, &bob).await);
    })
    .await;
}
