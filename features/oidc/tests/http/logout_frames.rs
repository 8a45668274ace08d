//! Front-channel logout: the page after a logout loads the applications' addresses in frames.

use crate::world::{Answer, CALLBACK, ISSUER, World, claims, on_each};
use axum::http::StatusCode;
use oauth::params::encode;
use serde_json::Value;

const BYE: &str = "https://shop.example/bye";

async fn framed(world: &World, client: &str, uri: &'static str) {
    world.change(client, |_, client| client.frontchannel_logout_uri = Some(uri.parse().unwrap())).await;
}

async fn tokens(world: &World, cookie: &str, client: &str) -> Value {
    let params = [("client_id", client), ("redirect_uri", CALLBACK), ("scope", "openid")];
    let code = world.authorize(cookie, &params).await.param("code").unwrap();
    world.redeem(client, &code).await.json()
}

fn frame_sources(page: &Answer) -> String {
    let policy = page.header("content-security-policy");
    let (_, sources) = policy.split_once("frame-src ").unwrap();
    sources.split(';').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_loads_each_application_in_a_frame_and_goes_on() {
    on_each(async |world| {
        framed(world, "web", "https://shop.example/out?x=1").await;
        framed(world, "steady", "https://shop.example:8443/out").await;
        framed(world, "partner", "https://partner.example/out").await;
        let alice = world.signed_in("alice@example.com").await;
        let hint = tokens(world, &alice.cookie, "web").await["id_token"].as_str().unwrap().to_owned();
        tokens(world, &alice.cookie, "steady").await;
        let params = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE), ("state", "a&b")];
        let page = world.get(&format!("/logout?{}", encode(params)), &alice.cookie).await;

        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        let sid = claims(&hint)["sid"].as_str().unwrap().to_owned();
        let told = encode([("iss", ISSUER), ("sid", sid.as_str())]).replace('&', "&amp;");
        for frame in ["https://shop.example/out?x=1&amp;", "https://shop.example:8443/out?"] {
            assert!(page.text.contains(&format!("<iframe src=\"{frame}{told}\"")), "{}", page.text);
        }
        // The partner has nothing of this session.
        assert_eq!(page.text.matches("<iframe").count(), 2);
        assert_eq!(frame_sources(&page), "https://shop.example https://shop.example:8443");
        let (head, _) = page.text.split_once("</head>").unwrap();
        let refresh = format!("<meta http-equiv=\"refresh\" content=\"2;url={BYE}?state=a%26b\">");
        assert!(head.contains(&refresh), "{head}");
        assert!(page.text.contains(&format!("href=\"{BYE}?state=a%26b\"")), "{}", page.text);
        assert!(page.header("cache-control").contains("no-store"));
        let again = world.authorize(&alice.cookie, &[("prompt", "none")]).await;
        assert_eq!(again.param("error").unwrap(), "login_required");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_way_back_the_page_stays_and_programs_get_no_page() {
    on_each(async |world| {
        framed(world, "web", "https://shop.example/out").await;
        let alice = world.signed_in("alice@example.com").await;
        let hint = tokens(world, &alice.cookie, "web").await["id_token"].as_str().unwrap().to_owned();
        let path = format!("/logout?{}", encode([("id_token_hint", hint.as_str())]));
        let page = world.get(&path, &alice.cookie).await;
        assert!(page.text.contains("<iframe") && page.text.contains("id=\"signed-out\""));
        assert!(!page.text.contains("http-equiv=\"refresh\""));

        let bob = world.signed_in("bob@example.com").await;
        let hint = tokens(world, &bob.cookie, "web").await["id_token"].as_str().unwrap().to_owned();
        let query = encode([("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE)]);
        let headers = [("cookie", bob.cookie.as_str()), ("accept", "application/json")];
        let method = axum::http::Method::GET;
        let answer =
            world.call(crate::world::request(method, &format!("/logout?{query}"), &headers, "")).await;
        assert_eq!(answer.json()["location"], BYE);
    })
    .await;
}
