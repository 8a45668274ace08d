//! `/logo/{application}/{version}`, and what the pages show of an application.

use crate::{
    browser::encode,
    world::{PASSWORD, World, on_each},
};
use axum::body::Body;
use base::{Event, Id, id};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use store::{
    Unit,
    rows::application::{self, ApplicationRow},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tower::ServiceExt;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

/// Somebody else's host.
struct Host {
    uri: String,
    asked: Arc<AtomicUsize>,
}

impl Host {
    /// One that answers every request with this, or never.
    async fn start(answer: Option<(&'static str, &'static [u8])>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/logo.png", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let Some((status, body)) = answer else {
                    open.push(stream);
                    continue;
                };
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await.unwrap();
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status}\r\ncontent-type: text/html\r\ncontent-length: {length}\r\n\r\n"
                );
                stream.write_all(head.as_bytes()).await.unwrap();
                stream.write_all(body).await.unwrap();
            }
        });
        Self { uri, asked }
    }
}

impl World {
    async fn shop(&self, logo: &str, state: &str) -> Id<id::Application> {
        let row = ApplicationRow {
            id: self.env.id(),
            client_id: format!("shop-{state}-{logo}"),
            name: "Shop".to_owned(),
            state: state.to_owned(),
            metadata: json!({ "client_id": "shop", "logo_uri": logo }).to_string(),
            version: 1,
        };
        let event = Event::new(&self.env, "application.created");
        let mut unit = Unit::new(event.id, vec![self.tenant.event(&self.env, event, None)]);
        application::insert(&mut unit, self.tenant.id, &row, self.now());
        assert!(self.db.commit(unit).await.unwrap().done());
        row.id
    }

    async fn picture(&self, path: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
        let request = Request::get(path).header(header::HOST, "localhost:8080").body(Body::empty()).unwrap();
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        (parts.status, parts.headers, body.collect().await.unwrap().to_bytes().to_vec())
    }
}

/// The address of the logo on a page.
fn logo(body: &str) -> Option<String> {
    let (_, rest) = body.split_once("id=\"client-logo\"")?;
    let (_, rest) = rest.split_once("src=\"")?;
    Some(rest.split_once('"')?.0.to_owned())
}

fn start(application: Id<id::Application>, host: &Host) -> String {
    format!("/authorize?consent=email&application={application}&logo={}", encode(&host.uri))
}

on_each!(the_logo_comes_from_our_own_origin_on_every_page_of_the_request, |world| {
    world.alice().await;
    let host = Host::start(Some(("200 OK", PNG))).await;
    let shop = world.shop(&host.uri, "active").await;
    let mut browser = world.browser();
    let page = browser.get(&start(shop, &host)).await.is(200, "identify");
    let path = logo(&page.body).unwrap();
    assert!(path.starts_with(&format!("/logo/{shop}/")), "{path}");
    assert!(!page.body.contains(&host.uri), "the browser is not led there");
    assert!(page.body.contains("id=\"client-policy\" href=\"https://app.example/policy\""));
    assert!(page.body.contains("id=\"client-terms\" href=\"https://app.example/terms?a=1&amp;b=2\""));
    for _ in 0..3 {
        let (status, headers, bytes) = world.picture(&path).await;
        assert_eq!((status, bytes.as_slice()), (StatusCode::OK, PNG));
        assert_eq!(headers["content-type"], "image/png", "whatever its host calls it");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["content-security-policy"], "default-src 'none'; sandbox");
        assert!(headers.get(header::SET_COOKIE).is_none());
    }
    assert_eq!(host.asked.load(Ordering::SeqCst), 1);
    let consent =
        browser.submit(&page, &[("identifier", "alice"), ("password", PASSWORD)]).await.is(200, "consent");
    assert_eq!(logo(&consent.body), Some(path.clone()));
    let told: Value = {
        let mut program = world.program();
        serde_json::from_str(&program.get(&start(shop, &host)).await.body).unwrap()
    };
    let (policy, terms) = ("https://app.example/policy", "https://app.example/terms?a=1&b=2");
    assert_eq!(told["client"], json!({ "name": "Shop", "logo": path, "policy": policy, "terms": terms }));
});

on_each!(what_is_no_picture_leaves_the_page_as_it_is, |world| {
    let large: &'static [u8] = PNG.repeat(10_000).leak();
    for answer in [
        ("200 OK", b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>".as_slice()),
        ("200 OK", b"<!doctype html>"),
        ("404 Not Found", PNG),
        ("302 Found", PNG),
        ("200 OK", large),
    ] {
        let host = Host::start(Some(answer)).await;
        let shop = world.shop(&host.uri, "active").await;
        let mut browser = world.browser();
        let page = browser.get(&start(shop, &host)).await.is(200, "identify");
        let (status, headers, bytes) = world.picture(&logo(&page.body).unwrap()).await;
        assert_eq!(status, StatusCode::OK, "no broken picture");
        assert_eq!(headers["content-type"], "image/gif");
        assert_eq!(headers["cache-control"], "no-store");
        assert!(bytes.len() < 64);
        let again = browser.get(&start(shop, &host)).await.is(200, "identify");
        assert_eq!(logo(&again.body), None);
        assert!(again.body.contains("id=\"client-policy\""));
        // Somebody may have mended it meanwhile.
        world.wait(600);
        assert!(logo(&browser.get(&start(shop, &host)).await.body).is_some());
    }
});

on_each!(no_page_waits_for_a_logo, |world| {
    let host = Host::start(None).await;
    let shop = world.shop(&host.uri, "active").await;
    let pages = tokio::time::timeout(std::time::Duration::from_secs(4), async {
        for _ in 0..3 {
            let page = world.browser().get(&start(shop, &host)).await.is(200, "identify");
            assert!(logo(&page.body).is_some());
        }
    });
    pages.await.expect("the host does not answer, and the pages are there");
    assert!(host.asked.load(Ordering::SeqCst) <= 1);
});

on_each!(only_the_logo_that_is_registered_is_fetched, |world| {
    let host = Host::start(Some(("200 OK", PNG))).await;
    let shop = world.shop(&host.uri, "active").await;
    let closed = world.shop(&host.uri, "disabled").await;
    let page = world.browser().get(&start(shop, &host)).await;
    let path = logo(&page.body).unwrap();
    for wrong in [
        format!("/logo/{shop}/AAAAAAAAAAAAAAAA"),
        path.replace(&shop.to_string(), &closed.to_string()),
        path.replace(&shop.to_string(), &world.env.id::<id::Application>().to_string()),
        format!("/logo/nothing/{}", path.rsplit('/').next().unwrap()),
    ] {
        assert_eq!(world.picture(&wrong).await.0, StatusCode::NOT_FOUND, "{wrong}");
    }
});
