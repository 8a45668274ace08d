//! A visit: one request of one browser to one tenant, with what every page needs of it.

use crate::{
    cookies::{self, SetCookies},
    error::Problem,
    locale::{Locale, Wishes},
    render::{self, Chrome, Language, Page},
    site::Site,
    submission::Submission,
    tenancy::Addressed,
};
use axum::{
    extract::{FromRef, FromRequestParts},
    response::{IntoResponse, Response},
};
use base::{Env, Error, Handle, HandleKind, Kind, Origin, RequestId, Time, net::ClientAddr};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header, request::Parts};
use std::sync::{Arc, Mutex, PoisonError};
use store::{Db, Mac, Tenant};

pub(crate) const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
    base-uri 'none'; frame-ancestors 'none'";

/// One request of a browser.
pub struct Visit {
    /// What all requests share.
    pub site: Site,
    /// Whose pages these are.
    pub tenant: Arc<Tenant>,
    /// Leads to the line in the log.
    pub request_id: RequestId,
    /// The client's address, if the server knows it.
    pub client: Option<ClientAddr>,
    /// The language of the answer.
    pub locale: Locale,
    /// Whether JSON is wanted in place of a page.
    pub json: bool,
    /// The request's address below the tenant.
    pub uri: Uri,
    /// The request's headers.
    pub headers: HeaderMap,
    device: Handle,
    brought: Brought,
    cookies: Mutex<SetCookies>,
}

/// How a client says which device it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Brought {
    /// Not at all: it is new, or keeps no cookies.
    Nothing,
    /// By its cookie.
    Cookie,
    /// In the body, since it keeps no cookies.
    Body,
}

impl Visit {
    /// The present moment.
    pub fn now(&self) -> Time {
        self.site.env().now()
    }

    /// Clock and randomness.
    pub fn env(&self) -> &Env {
        self.site.env()
    }

    /// The database.
    pub fn db(&self) -> &Db {
        self.site.db()
    }

    /// Where the request comes from, for events and sessions.
    pub fn origin(&self) -> Origin {
        let agent = self.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Origin {
            address: self.client.map(|client| client.to_string()),
            agent: agent.map(|agent| agent.chars().take(400).collect()),
        }
    }

    /// The hash by which the store knows this device.
    pub fn device(&self) -> [u8; 32] {
        self.device.hash()
    }

    /// Whether the client named its device: if not, it is new, or keeps no cookies.
    pub fn brought_device(&self) -> bool {
        self.brought != Brought::Nothing
    }

    /// The device's handle, for a client without cookies that must name it in the body.
    pub fn device_handle(&self) -> String {
        self.device.reveal()
    }

    /// Takes the device from the body, for clients without cookies: JSON only.
    pub fn adopt_device(&mut self, submission: &Submission) {
        if submission.json
            && !self.brought_device()
            && let Some(device) = Handle::parse(HandleKind::Device, submission.get("device"))
        {
            self.device = device;
            self.brought = Brought::Body;
        }
    }

    /// Sets a cookie with the answer.
    pub fn set_cookie(&self, cookie: String) {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner).0.push(cookie);
    }

    /// Sets a cookie with the answer, in place of one of the same name.
    pub(crate) fn replace_cookie(&self, cookie: String) {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let name = cookie.split('=').next().unwrap_or_default();
        cookies.0.retain(|set| set.split('=').next() != Some(name));
        cookies.0.push(cookie);
    }

    /// Whether the answer sets a cookie of this name.
    pub(crate) fn sets_cookie(&self, name: &str) -> bool {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        cookies.0.iter().any(|set| set.split('=').next() == Some(name))
    }

    /// The hidden token that binds a form to this browser.
    ///
    /// # Errors
    /// Kind `Internal` if the tenant has no key for it.
    pub fn csrf(&self) -> Result<String, Error> {
        use base64::Engine as _;
        let (_, key) = self.tenant.mac(Mac::Request)?;
        let tag = key.sign(&[b"csrf", &self.device.hash()]);
        Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(tag))
    }

    /// Refuses a POST that did not come from our own page in this browser.
    ///
    /// Browsers say where a POST comes from, in `Sec-Fetch-Site` or at least in `Origin`; programs
    /// that send neither have only the token, which is bound to the device cookie.
    ///
    /// # Errors
    /// Kind `Forbidden` with the code `error-cookies` if the browser brought no device cookie, else
    /// `error-foreign`.
    pub fn check_csrf(&self, submission: &Submission) -> Result<(), Error> {
        if !self.is_same_origin() {
            return Err(foreign("the POST came from another origin"));
        }
        if !self.brought_device() {
            return Err(Error::new(
                Kind::Forbidden,
                "error-cookies",
                "Your browser sent no cookie. Allow cookies for this site and try again.",
            ));
        }
        if !base::mac::equal(self.csrf()?.as_bytes(), submission.get("csrf").as_bytes()) {
            return Err(foreign("the token is not this browser's"));
        }
        Ok(())
    }

    /// Whether the browser itself said that the POST came from a page of ours.
    pub fn said_same_origin(&self) -> bool {
        let said = self.headers.contains_key("sec-fetch-site") || self.headers.contains_key("origin");
        said && self.is_same_origin()
    }

    fn is_same_origin(&self) -> bool {
        let text = |name: &str| self.headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        match (text("sec-fetch-site"), text("origin")) {
            (Some(site), _) => site == "same-origin",
            (None, Some(origin)) => origin == self.tenant.origin(),
            (None, None) => true,
        }
    }

    /// An address of this tenant: its base path before `path`.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.tenant.base_path())
    }

    /// What surrounds the page; `own` is its address, for the links to other languages.
    pub fn chrome(&self, own: &str) -> Chrome {
        let joint = if own.contains('?') { '&' } else { '?' };
        let language = |locale: Locale| Language {
            locale,
            href: format!("{}{joint}ui_locales={}", without_locale(own), locale.code()),
        };
        Chrome {
            locale: self.locale,
            languages: Locale::ALL.into_iter().map(language).collect(),
            ..self.site.chrome(&self.tenant)
        }
    }

    /// The page, as HTML or JSON. `own` is its address.
    pub fn page<P: Page>(&self, status: StatusCode, page: &P, own: &str) -> Response {
        self.page_within(status, page, &self.chrome(own))
    }

    /// The page within these surroundings.
    pub fn page_within<P: Page>(&self, status: StatusCode, page: &P, chrome: &Chrome) -> Response {
        if self.json {
            let mut body = render::json(page, chrome);
            // A client without cookies finds here what binds it to its flow.
            if self.brought != Brought::Cookie
                && let Some(fields) = body.get_mut("fields").and_then(|fields| fields.as_array_mut())
            {
                let device =
                    serde_json::json!({"name": "device", "type": "hidden", "value": self.device_handle()});
                fields.insert(0, device);
            }
            return self.finish((status, axum::Json(body)).into_response());
        }
        let html = render::render(page, chrome);
        let mut response = (status, axum::response::Html(html)).into_response();
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        self.finish(response)
    }

    /// A redirect to `location` that a POST may answer with (303), or its JSON.
    pub fn see_other(&self, location: &str) -> Response {
        if self.json {
            let body = serde_json::json!({ "step": "redirect", "location": location });
            return self.finish(axum::Json(body).into_response());
        }
        let Ok(value) = HeaderValue::from_str(location) else {
            return self.error(&Error::internal("a redirect to what is no header value"));
        };
        self.finish((StatusCode::SEE_OTHER, [(header::LOCATION, value)]).into_response())
    }

    /// The error as a page, or as JSON.
    pub fn error(&self, error: &Error) -> Response {
        crate::error::log(error, &self.request_id);
        let page = crate::error::page(error, &self.request_id, &self.at("/account"));
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = self.page(status, &page, "/account");
        crate::error::retry_after(error, &mut response);
        response
    }

    /// Puts the cookies on the answer, and keeps it out of every cache.
    pub fn finish(&self, mut response: Response) -> Response {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if !self.brought_device() && !self.json {
            cookies.0.insert(0, cookies::set_device(&self.tenant, &self.device));
        }
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        (cookies, response).into_response()
    }
}

fn foreign(private: &'static str) -> Error {
    Error::new(
        Kind::Forbidden,
        "error-foreign",
        "This form did not come from our page in this browser. Open the page again and repeat what you did.",
    )
    .because(private)
}

/// The address without an earlier choice of language.
fn without_locale(own: &str) -> String {
    let Some((path, query)) = own.split_once('?') else { return own.to_owned() };
    let kept: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("ui_locales=")).collect();
    format!("{path}?{}", kept.join("&"))
}

/// A parameter of the request's query, decoded.
pub fn query(uri: &Uri, name: &str) -> Option<String> {
    let params = oauth::Params::parse(uri.query().unwrap_or_default().as_bytes()).ok()?;
    params.first(name).map(str::to_owned)
}

impl<S> FromRequestParts<S> for Visit
where
    Site: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Self::of(parts, Site::from_ref(state)).map_err(|error| Problem::of(error, parts))
    }
}

impl Visit {
    fn of(parts: &Parts, site: Site) -> Result<Self, Error> {
        let addressed = parts.extensions.get::<Addressed>().cloned();
        let tenant = addressed.map_or(Ok(None), |addressed| addressed.0)?.filter(|tenant| tenant.active);
        let tenant = tenant.ok_or_else(Error::not_found)?;
        let chosen = query(&parts.uri, "ui_locales");
        let header = |name: header::HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let wishes = Wishes {
            ui_locales: chosen.as_deref(),
            cookie: cookies::locale(&parts.headers),
            accept_language: header(header::ACCEPT_LANGUAGE),
            ..Wishes::default()
        };
        let fallback = Locale::from_tag(&tenant.settings.locale).unwrap_or_default();
        let brought = cookies::device(&parts.headers, &tenant);
        let visit = Self {
            locale: Locale::negotiate(&wishes, fallback),
            json: header(header::ACCEPT).is_some_and(|accept| accept.starts_with("application/json")),
            request_id: parts.extensions.get::<RequestId>().cloned().unwrap_or(RequestId(String::new())),
            client: parts.extensions.get::<ClientAddr>().copied(),
            uri: parts.uri.clone(),
            headers: parts.headers.clone(),
            brought: if brought.is_some() { Brought::Cookie } else { Brought::Nothing },
            device: brought.unwrap_or_else(|| {
                Handle::new(HandleKind::Device, site.env().id::<base::id::Device>(), site.env().rng())
            }),
            cookies: Mutex::default(),
            tenant,
            site,
        };
        if chosen.is_some_and(|tags| tags.split_whitespace().any(|tag| Locale::from_tag(tag).is_some())) {
            visit.set_cookie(cookies::set_locale(&visit.tenant, visit.locale.code()));
        }
        Ok(visit)
    }
}
