//! A browser: it keeps cookies and sends forms as a page gave them.

use crate::world::{FIREFOX, World};
use axum::body::Body;
use base::{Handle, HandleKind, MockClock, id};
use http::{Request, StatusCode, header, request::Builder};
use http_body_util::BodyExt as _;
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use store::Tenant;
use tower::ServiceExt as _;

/// A browser that visits one tenant.
#[derive(Clone)]
pub(crate) struct Browser {
    router: axum::Router,
    clock: Arc<MockClock>,
    base: String,
    tenant: String,
    cookies: BTreeMap<String, String>,
    /// Headers of each request.
    pub(crate) headers: BTreeMap<&'static str, String>,
}

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) location: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Browser {
    /// A browser that has been here before, but is not signed in.
    pub(crate) fn new(world: &World, tenant: &Tenant) -> Self {
        let device = Handle::new(HandleKind::Device, world.env.id::<id::Device>(), world.env.rng());
        let name = tenant.id.to_string();
        let mut browser = Self {
            router: world.router.clone(),
            clock: Arc::clone(&world.clock),
            base: tenant.base_path().to_owned(),
            tenant: name.strip_prefix("ten_").unwrap().to_owned(),
            cookies: BTreeMap::new(),
            headers: BTreeMap::from([("sec-fetch-site", "same-origin".to_owned())]),
        };
        browser.set("kwd", &device.reveal());
        browser
    }

    /// Sets the cookie of this kind.
    pub(crate) fn set(&mut self, kind: &str, value: &str) {
        self.cookies.insert(format!("{kind}-{}", self.tenant), value.to_owned());
    }

    /// The cookie of this kind; empty without it.
    pub(crate) fn cookie(&self, kind: &str) -> &str {
        self.cookies.get(&format!("{kind}-{}", self.tenant)).map_or("", String::as_str)
    }

    /// GET.
    pub(crate) async fn get(&mut self, path: &str) -> Reply {
        let request = self.request("GET", path).header(header::ACCEPT, "text/html");
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// GET of the JSON form.
    pub(crate) async fn json(&mut self, path: &str) -> Value {
        let request = self.request("GET", path).header(header::ACCEPT, "application/json");
        self.send(request.body(Body::empty()).unwrap()).await.json()
    }

    /// POST of a form with the token that its page holds.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let token = self.token().await;
        let fields: Vec<_> = [("csrf", token.as_str())].into_iter().chain(fields.iter().copied()).collect();
        self.post_only(path, &fields).await
    }

    /// POST of exactly these fields.
    pub(crate) async fn post_only(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let pair = |(name, value): &(&str, &str)| format!("{name}={}", encode(value));
        let body = fields.iter().map(pair).collect::<Vec<_>>().join("&");
        let request = self
            .request("POST", path)
            .header(header::ACCEPT, "text/html")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// POST of JSON, asking for JSON, with the token that the page holds.
    pub(crate) async fn post_json(&mut self, path: &str, mut body: Value) -> Reply {
        body["csrf"] = self.token().await.into();
        let request = self
            .request("POST", path)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// The hidden token of this browser's forms.
    pub(crate) async fn token(&mut self) -> String {
        let page = self.json("/account/profile").await;
        let fields = page["fields"].as_array().unwrap();
        let csrf = fields.iter().find(|field| field["name"] == "csrf").unwrap();
        csrf["value"].as_str().unwrap().to_owned()
    }

    fn request(&self, method: &str, path: &str) -> Builder {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(header::HOST, "localhost:8080")
            .header(header::USER_AGENT, FIREFOX)
            .header(header::COOKIE, cookies.join("; "));
        self.headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
    }

    async fn send(&mut self, request: Request<Body>) -> Reply {
        let answer = tokio::time::timeout(Duration::from_secs(60), self.router.clone().oneshot(request));
        self.clock.advance(Duration::from_millis(1));
        let (parts, body) = answer.await.unwrap().unwrap().into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
        }
        let location = parts.headers.get(header::LOCATION).map(|value| value.to_str().unwrap().to_owned());
        let body = body.collect().await.unwrap().to_bytes();
        Reply {
            status: parts.status,
            location: location.unwrap_or_default(),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }
}

fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
