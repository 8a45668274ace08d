//! A browser: it keeps cookies, reads pages or their JSON, and sends back what they hold unseen.

use crate::world::World;
use axum::{Router, body::Body};
use base::{MockClock, net::ClientAddr};
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tower::ServiceExt as _;

/// A browser.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) router: Router,
    clock: Arc<MockClock>,
    pub(crate) cookies: BTreeMap<String, String>,
    /// Whether it keeps and sends cookies.
    pub(crate) keeps_cookies: bool,
    /// Whether it speaks JSON.
    json: bool,
    /// Headers of each request beside those of its own.
    pub(crate) headers: Vec<(&'static str, HeaderValue)>,
    pub(crate) address: Option<ClientAddr>,
}

/// An answer, read as a page of ours.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// Where it leads; empty if nowhere.
    pub(crate) location: String,
    /// Its step; empty if it is none of ours.
    pub(crate) step: String,
    /// Where its form goes.
    pub(crate) action: String,
    /// What its form holds unseen.
    pub(crate) hidden: Vec<(String, String)>,
}

impl Page {
    /// The hidden field of this name; empty without it.
    pub(crate) fn hidden(&self, name: &str) -> &str {
        self.hidden.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The same page without this hidden field.
    pub(crate) fn without(&self, name: &str) -> Self {
        let mut page = self.clone();
        page.hidden.retain(|(known, _)| known != name);
        page
    }

    /// The same page with this hidden field, in place of its own.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut page = self.without(name);
        page.hidden.push((name.to_owned(), value.to_owned()));
        page
    }

    /// Checks status and step.
    #[track_caller]
    pub(crate) fn is(self, status: u16, step: &str) -> Self {
        assert_eq!(
            (self.status.as_u16(), self.step.as_str()),
            (status, step),
            "{} {}",
            self.location,
            self.body
        );
        self
    }

    /// Checks that it leads there.
    #[track_caller]
    pub(crate) fn leads_to(self, start: &str) -> Self {
        assert!(self.location.starts_with(start), "{} {:?} {}", self.status, self.location, self.body);
        self
    }

    /// Checks that a page in JSON says this.
    #[track_caller]
    pub(crate) fn says(self, id: &str) -> Self {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        let ids: Vec<_> = body["messages"].as_array().unwrap().iter().map(|message| &message["id"]).collect();
        assert_eq!(ids, [id], "{}", self.body);
        self
    }
}

impl Browser {
    pub(crate) fn new(world: &World, json: bool) -> Self {
        Self {
            router: world.router.clone(),
            clock: Arc::clone(&world.clock),
            cookies: BTreeMap::new(),
            keeps_cookies: true,
            json,
            headers: vec![("sec-fetch-site", HeaderValue::from_static("same-origin"))],
            address: None,
        }
    }

    /// The same browser, asking for JSON.
    pub(crate) fn speaking_json(&self) -> Self {
        Self { json: true, ..self.clone() }
    }

    /// GET.
    pub(crate) async fn get(&mut self, path: &str) -> Page {
        let request = self.request("GET", path).body(Body::empty()).unwrap();
        self.send(request).await
    }

    /// Sends the page's form with these fields filled in.
    pub(crate) async fn post(&mut self, page: &Page, fields: &[(&str, &str)]) -> Page {
        let hidden = page.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let all: Vec<_> = hidden.chain(fields.iter().copied()).collect();
        if !self.json {
            let pair = |(name, value): &(&str, &str)| format!("{name}={}", encode(value));
            let body = all.iter().map(pair).collect::<Vec<_>>().join("&");
            return self.post_raw(&page.action, "application/x-www-form-urlencoded", body).await;
        }
        let fields: Map<String, Value> =
            all.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        self.post_raw(&page.action, "application/json", Value::Object(fields).to_string()).await
    }

    /// POST of exactly this.
    pub(crate) async fn post_raw(&mut self, path: &str, kind: &str, body: String) -> Page {
        let mut request = self.request("POST", path);
        if !kind.is_empty() {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Sends the form and goes where the answer leads.
    pub(crate) async fn submit(&mut self, page: &Page, fields: &[(&str, &str)]) -> Page {
        let page = self.post(page, fields).await;
        self.follow(page).await
    }

    async fn follow(&mut self, page: Page) -> Page {
        if page.location.starts_with("/flow/") { self.get(&page.location).await } else { page }
    }

    /// Signs in, by two POSTs.
    pub(crate) async fn sign_in(&mut self, identifier: &str, password: &str) -> Page {
        let page = self.get("/signin").await.is(200, "identify");
        let page = self.submit(&page, &[("identifier", identifier)]).await.is(200, "password");
        self.post(&page, &[("password", password)]).await.leads_to("/account")
    }

    /// The handles of its sessions.
    pub(crate) fn session_cookie(&self) -> &str {
        let found = self.cookies.iter().find(|(name, _)| name.starts_with("kws-"));
        found.map_or("", |(_, value)| value)
    }

    /// The handle of its device.
    pub(crate) fn device_cookie(&self) -> &str {
        let found = self.cookies.iter().find(|(name, _)| name.starts_with("kwd-"));
        found.map_or("", |(_, value)| value)
    }

    /// Sets the cookie of this kind, for the tenant whose device cookie it has.
    pub(crate) fn set(&mut self, kind: &str, value: &str) {
        let device = self.cookies.keys().find(|name| name.starts_with("kwd-")).unwrap();
        let name = device.replacen("kwd", kind, 1);
        self.cookies.insert(name, value.to_owned());
    }

    /// Whether somebody is signed in here.
    pub(crate) async fn is_signed_in(&mut self) -> bool {
        let page = self.get("/signin").await;
        page.step != "identify"
    }

    fn request(&self, method: &str, path: &str) -> http::request::Builder {
        let accept = if self.json { "application/json" } else { "text/html" };
        let mut request = Request::builder().method(method).uri(path).header(header::ACCEPT, accept);
        let named = |name: &str| self.headers.iter().any(|(known, _)| *known == name);
        if !named("host") {
            request = request.header(header::HOST, "localhost:8080");
        }
        if !self.cookies.is_empty() && !named("cookie") {
            let cookies: Vec<_> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        let request =
            self.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        self.address.iter().fold(request, |request, address| request.extension(*address))
    }

    async fn send(&mut self, request: Request<Body>) -> Page {
        let answer = tokio::time::timeout(Duration::from_secs(60), self.router.clone().oneshot(request));
        let (parts, body) = answer.await.unwrap().unwrap().into_parts();
        self.clock.advance(Duration::from_millis(1));
        for cookie in parts.headers.get_all(header::SET_COOKIE).iter().filter(|_| self.keeps_cookies) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        read(parts.status, parts.headers, body)
    }
}

fn read(status: StatusCode, headers: HeaderMap, body: String) -> Page {
    let location = headers.get(header::LOCATION).map(|value| value.to_str().unwrap().to_owned());
    let mut page = Page {
        status,
        headers,
        location: location.unwrap_or_default(),
        step: String::new(),
        action: String::new(),
        hidden: Vec::new(),
        body,
    };
    if let Ok(json) = serde_json::from_str::<Value>(&page.body) {
        read_json(&mut page, &json);
    } else {
        read_html(&mut page);
    }
    page
}

fn read_json(page: &mut Page, json: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    page.step = text(&json["step"]);
    page.action = text(&json["action"]);
    if page.step == "redirect" {
        page.location = text(&json["location"]);
    }
    let fields = json["fields"].as_array().into_iter().flatten();
    page.hidden = fields
        .filter(|field| field["type"] == "hidden")
        .map(|field| (text(&field["name"]), text(&field["value"])))
        .collect();
}

/// The form that goes to a flow or a link is the page's own; others sign out or change a language.
fn read_html(page: &mut Page) {
    page.step = between(&page.body, "data-step=\"", "\"").unwrap_or_default();
    for form in page.body.split("<form ").skip(1) {
        let form = form.split("</form>").next().unwrap();
        let action = between(form, "action=\"", "\"").unwrap_or_default();
        if page.action.is_empty() && (action.starts_with("/flow/") || action.starts_with("/link/")) {
            page.action = action;
            let inputs = form.split("<input type=\"hidden\" ").skip(1);
            page.hidden = inputs
                .map(|input| {
                    (between(input, "name=\"", "\"").unwrap(), between(input, "value=\"", "\"").unwrap())
                })
                .collect();
        }
    }
}

fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    let (found, _) = rest.split_once(after)?;
    Some(unescape(found))
}

fn unescape(text: &str) -> String {
    let pairs =
        [("&#x2f;", "/"), ("&quot;", "\""), ("&#x27;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

pub(crate) fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
