//! `/demo` and `/demo/second` against a server on a port of its own.

use crate::support::{Bend, ISSUER, NOW, Place};
use http::StatusCode;
use oauth::Params;

const CODE: &[(&str, &str)] = &[("code", "co_good_0123456789")];

#[tokio::test]
async fn a_visitor_signs_in_sees_the_tokens_and_signs_out() {
    let place = Place::new().await;
    let mut alice = place.browser();
    let home = alice.get("/demo").await;
    assert_eq!(home.status, StatusCode::OK);
    for link in ["/demo/login", "/demo/register", "/demo/second", "/dev/mail"] {
        assert!(home.text.contains(&format!("href=\"{link}\"")), "{link} in {}", home.text);
    }
    let page = alice.sign_in("/demo").await.text;
    for shown in
        ["Alice Example", "id=\"sub\">usr_1<", "alice@example.com", "scope&quot;", "&quot;nonce&quot;"]
    {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    for request in ["/.well-known/openid-configuration", "/authorize?", "/demo/callback?", "/token", "/jwks"]
    {
        assert!(page.contains(&format!("{ISSUER}{request}")), "{request} in {page}");
    }
    assert!(page.contains("&quot;access_token&quot;:&quot;ey") && page.contains("code=co_good_…"), "{page}");
    assert!(!page.contains("co_good_0") && !page.contains("s3cret"), "{page}");
    let out = alice.get("/demo/logout").await;
    let logout = out.location.strip_prefix(&format!("{ISSUER}/logout?")).unwrap();
    let logout = Params::parse(logout.as_bytes()).unwrap();
    assert!(logout.first("id_token_hint").is_some_and(|token| token.split('.').count() == 3));
    assert_eq!(logout.first("post_logout_redirect_uri"), Some("https://id.example.com/demo"));
    assert!(!alice.get("/demo").await.text.contains("Alice Example"));
    assert_eq!(alice.get("/demo/logout").await.location, "/demo");
}

#[tokio::test]
async fn the_server_is_reached_where_it_listens_under_the_name_of_its_issuer() {
    let place = Place::new().await;
    place.browser().sign_in("/demo").await;
    let seen = place.server.seen.lock().unwrap().clone();
    let wanted = ["GET /.well-known/openid-configuration", "POST /token", "GET /jwks", "GET /userinfo"];
    assert_eq!(seen, wanted.map(|request| format!("{request} id.example.com")));
}

#[tokio::test]
async fn the_second_application_has_no_secret_and_a_session_of_its_own() {
    let place = Place::new().await;
    let mut alice = place.browser();
    alice.sign_in("/demo").await;
    assert!(!alice.get("/demo/second").await.text.contains("Alice Example"));
    assert!(alice.sign_in("/demo/second").await.text.contains("Alice Example"));
    alice.get("/demo/second/logout").await;
    assert!(alice.get("/demo").await.text.contains("Alice Example"));
}

#[tokio::test]
async fn a_request_has_state_nonce_and_a_challenge_and_creates_an_account_on_demand() {
    let place = Place::new().await;
    let mut alice = place.browser();
    let (first, second) = (alice.begin("/demo/login").await, alice.begin("/demo/register").await);
    for name in ["state", "nonce", "code_challenge"] {
        assert!(first.first(name).is_some_and(|value| value.len() == 43), "{name}");
        assert_ne!(first.first(name), second.first(name), "{name}");
    }
    assert_eq!(first.first("code_challenge_method"), Some("S256"));
    assert_eq!((first.first("prompt"), second.first("prompt")), (None, Some("create")));
}

#[tokio::test]
async fn the_session_gets_a_fresh_id_at_sign_in_and_two_tabs_both_come_back() {
    let place = Place::new().await;
    let mut alice = place.browser();
    let one = alice.begin("/demo/login").await;
    let before = alice.cookies["demo"].clone();
    let two = alice.begin("/demo/login").await;
    assert_eq!(alice.cookies["demo"], before);
    let back = alice.come_back(&two, CODE).await;
    assert!(
        back.set_cookies.iter().any(|cookie| {
            cookie.ends_with("; Path=/demo; Max-Age=28800; HttpOnly; SameSite=Lax; Secure")
        })
    );
    let mut thief = place.browser();
    thief.cookies.insert("demo".into(), before);
    assert!(!thief.get("/demo").await.text.contains("Alice Example"));
    place.server.authorize(&format!("{ISSUER}/authorize?{}", one.encode()));
    assert_eq!(alice.come_back(&one, CODE).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_refusal_is_shown_with_the_way_to_start_again() {
    let place = Place::new().await;
    let mut alice = place.browser();
    let asked = alice.begin("/demo/login").await;
    let denied = [("error", "access_denied"), ("error_description", "The person said no.")];
    let page = alice.come_back(&asked, &denied).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("The server refused with access_denied: The person said no. You can start"));
    assert!(page.text.contains("href=\"/demo/login\""));
    assert!(page.text.contains("/authorize?"), "what was said so far");
}

#[tokio::test]
async fn a_state_that_is_used_lost_or_foreign_changes_nothing() {
    let place = Place::new().await;
    let mut alice = place.browser();
    let asked = alice.begin("/demo/login").await;
    let foreign = place.browser().come_back(&asked, CODE).await;
    assert_eq!(foreign.status, StatusCode::BAD_REQUEST);
    alice.come_back(&asked, CODE).await;
    let again = alice.come_back(&asked, CODE).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert!(again.text.contains("This sign-in is already over") && again.text.contains("Alice Example"));
    let asked = alice.begin("/demo/login").await;
    place.restart();
    let lost = alice.come_back(&asked, CODE).await;
    assert_eq!(lost.status, StatusCode::BAD_REQUEST);
    assert!(lost.text.contains("This sign-in is already over") && lost.text.contains("href=\"/demo/login\""));
    let tokens = place.server.seen.lock().unwrap().iter().filter(|seen| seen.contains("/token")).count();
    assert_eq!(tokens, 1, "only the one good answer reached the token endpoint");
}

#[tokio::test]
async fn an_answer_of_another_issuer_never_reaches_the_token_endpoint() {
    let place = Place::new().await;
    let mut alice = place.browser();
    for iss in [Some("https://evil.example"), None] {
        let asked = alice.begin("/demo/login").await;
        let mut query = vec![("state", asked.first("state").unwrap()), ("code", "co_good_0123456789")];
        query.extend(iss.map(|iss| ("iss", iss)));
        let page = alice.get(&format!("/demo/callback?{}", oauth::params::encode(query))).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert!(page.text.contains("comes from another server"), "{}", page.text);
    }
    assert!(!place.server.seen.lock().unwrap().iter().any(|seen| seen.contains("/token")));
}

#[tokio::test]
async fn an_id_token_that_does_not_hold_signs_nobody_in() {
    let place = Place::new().await;
    let cases: [(Bend, &str); 8] = [
        (|claims| claims["iss"] = "https://evil.example".into(), "the issuer is not the expected one"),
        (|claims| claims["aud"] = "demo-second".into(), "meant for another audience"),
        (|claims| claims["aud"] = serde_json::json!(["demo", "x"]), "issued to another application"),
        (|claims| claims["azp"] = "demo-second".into(), "issued to another application"),
        (|claims| claims["nonce"] = "guessed".into(), "its nonce is not the one"),
        (|claims| claims["exp"] = (NOW - 5).into(), "the token has expired"),
        (|claims| claims["at_hash"] = "AAAA".into(), "belongs to another access token"),
        (|claims| claims["sub"] = "".into(), "it names no subject"),
    ];
    for (bend, sentence) in cases {
        *place.server.id_token.lock().unwrap() = bend;
        let mut alice = place.browser();
        let asked = alice.begin("/demo/login").await;
        let page = alice.come_back(&asked, CODE).await;
        assert_eq!(page.status, StatusCode::BAD_GATEWAY);
        assert!(page.text.contains(sentence), "{sentence} in {}", page.text);
        assert!(!alice.get("/demo").await.text.contains("Alice Example"));
    }
}

#[tokio::test]
async fn userinfo_of_somebody_else_signs_nobody_in() {
    let place = Place::new().await;
    *place.server.userinfo.lock().unwrap() = |answer| answer["sub"] = "usr_2".into();
    let mut alice = place.browser();
    let asked = alice.begin("/demo/login").await;
    assert!(alice.come_back(&asked, CODE).await.text.contains("about somebody else"));
}

#[tokio::test]
async fn what_the_server_refuses_on_the_back_channel_is_shown() {
    let place = Place::new().await;
    let mut alice = place.browser();
    let asked = alice.begin("/demo/login").await;
    let page = alice.come_back(&asked, &[("code", "co_spent")]).await;
    assert!(page.text.contains("The server refused with invalid_grant: the code is spent."));
    assert!(page.text.contains("→ 400"));
}

#[tokio::test]
async fn a_server_that_is_away_or_another_is_named() {
    let place = Place::new().await;
    *place.server.metadata.lock().unwrap() = |metadata| metadata["issuer"] = "http://localhost:8080".into();
    let page = place.browser().get("/demo/login").await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY);
    assert!(page.text.contains("The server says that it is http://localhost:8080"));
    *place.server.metadata.lock().unwrap() = |metadata| metadata["token_endpoint"] = "https://evil/t".into();
    let mut alice = place.browser();
    let asked = alice.begin("/demo/login").await;
    assert!(alice.come_back(&asked, CODE).await.text.contains("names the endpoint https://evil/t"));
    let _taken = place.unplug();
    let page = place.browser().get("/demo/login").await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY);
    assert!(page.text.contains("openid-configuration did not answer"));
}
