//! The edge: what every request passes, in one step, since each step costs every request.
//!
//! In: a request id, the client's address, the limits of size and time. Out: header hygiene,
//! one log line, the counters. Around it: a panic is a clean 500.

use super::arriving::{Arriving, Late};
use super::metrics::{InFlight, Metrics};
use super::refusal::{Form, Refusal, is_api};
use crate::serve::{Answers, PeerAddr};
use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use base::net::{ClientAddr, MalformedForwardedFor, Network, canonical, client};
use base::{Env, RequestId};
use http::header::{
    CONTENT_LENGTH, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use hyper::body::Body as _;
use std::net::{IpAddr, Ipv4Addr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use tracing::Instrument as _;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The tenant that answered, for the log: an extension that wiring sets on the response. A slug
/// or id, nothing that a client chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TenantLabel(pub(crate) Arc<str>);

/// What the edge needs to know.
pub(crate) struct EdgeOptions {
    /// Randomness for request ids.
    pub(crate) env: Env,
    /// Where requests are counted.
    pub(crate) metrics: Arc<Metrics>,
    /// The proxies that are believed.
    pub(crate) proxies: Vec<Network>,
    /// Whether the issuer is https, so that browsers may be told to insist on it.
    pub(crate) https: bool,
    /// Largest body, in bytes.
    pub(crate) most_body: usize,
    /// Largest body for the admin API, which takes documents such as templates of mails.
    pub(crate) most_api_body: usize,
    /// Longest time that a body may take to arrive, less than `time`.
    pub(crate) body_time: Duration,
    /// Longest time to an answer.
    pub(crate) time: Duration,
}

impl EdgeOptions {
    /// The usual limits: 64 KiB, and 256 KiB for the admin API, within 20 s, and 30 s to the answer.
    pub(crate) fn new(env: Env, metrics: Arc<Metrics>) -> Self {
        Self {
            env,
            metrics,
            proxies: Vec::new(),
            https: false,
            most_body: 64 * 1024,
            most_api_body: 256 * 1024,
            body_time: Duration::from_secs(20),
            time: Duration::from_secs(30),
        }
    }
}

/// The edge of one server, around whatever answers behind it.
#[derive(Clone)]
pub(crate) struct Edge<A>(Arc<EdgeOptions>, A);

impl<A: Answers> Answers for Edge<A> {
    async fn answer(&self, mut request: Request) -> Response {
        let peer = request
            .extensions()
            .get::<PeerAddr>()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| canonical(peer.0.ip()));
        let id = self.request_id(request.headers(), peer);
        let trusted = self.trusts(peer);
        let mut record = Record::begin(&self.0.metrics, &request, (&id, trusted), peer);
        let (form, version) = (Form::of(&request), request.version());
        request.extensions_mut().insert(id.clone());
        let answer = match self.admit(request, peer, &mut record) {
            Ok(request) => self.limited(request).instrument(record.span.clone()).await,
            Err(refusal) => Err(refusal),
        };
        let mut response = answer.unwrap_or_else(|refusal| refusal.respond((form, version), &id));
        self.finish(&mut response, &id);
        record.end(&response);
        response
    }
}

impl<A: Answers> Edge<A> {
    /// An edge with these settings around this.
    pub(crate) fn new(options: EdgeOptions, inner: A) -> Self {
        Self(Arc::new(options), inner)
    }

    fn trusts(&self, peer: IpAddr) -> bool {
        self.0.proxies.iter().any(|network| network.contains(peer))
    }

    /// The id that a trusted proxy gave, if it is one that may stand in a log; else a fresh one.
    fn request_id(&self, headers: &HeaderMap, peer: IpAddr) -> RequestId {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let given = headers.get(REQUEST_ID).filter(|_| self.trusts(peer)).and_then(|id| id.to_str().ok());
        match given.filter(|id| (8..=64).contains(&id.len()) && id.bytes().all(plain)) {
            Some(id) => RequestId(id.to_owned()),
            None => RequestId(format!("{:032x}", u128::from_be_bytes(self.0.env.bytes()))),
        }
    }

    /// Finds the client's address and refuses a body that says itself that it is too large.
    fn admit(&self, mut request: Request, peer: IpAddr, record: &mut Record) -> Result<Request, Refusal> {
        let forwarded = request.headers().get_all(FORWARDED_FOR).iter().map(HeaderValue::as_bytes);
        let client = client(peer, forwarded, &self.0.proxies)
            .map_err(|MalformedForwardedFor| Refusal::ForwardedFor)?;
        record.client = client;
        request.extensions_mut().insert(client);
        let announced = request
            .headers()
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > self.most_body(request.uri().path()) as u64) {
            return Err(Refusal::TooLarge);
        }
        Ok(request)
    }

    fn most_body(&self, path: &str) -> usize {
        if is_api(path) { self.0.most_api_body } else { self.0.most_body }
    }

    /// Puts the limits on the body, if there is one.
    fn bounded(&self, request: Request) -> (Request, Option<Late>) {
        if request.body().is_end_stream() {
            return (request, None);
        }
        let (parts, body) = request.into_parts();
        let most = self.most_body(parts.uri.path());
        let body = Arriving::new(body, most, self.0.body_time);
        let late = body.late();
        (Request::from_parts(parts, Body::new(body)), Some(late))
    }

    /// Runs the feature within the time limit. A panic ends here; units of the database are all or
    /// nothing, so nothing is left half done. A body that came too slowly is answered here too, since
    /// each feature would say it in its own way, or call it too large.
    async fn limited(&self, request: Request) -> Result<Response, Refusal> {
        let (request, late) = self.bounded(request);
        let is_late = || late.as_ref().is_some_and(Late::is_set);
        let mut running = pin!(self.1.answer(request));
        let guarded =
            std::future::poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(cx))) {
                Ok(_) if is_late() => Poll::Ready(Err(Refusal::TooSlow)),
                Ok(poll) => poll.map(Ok),
                Err(_) => Poll::Ready(Err(Refusal::Defect)),
            });
        tokio::time::timeout(self.0.time, guarded).await.unwrap_or(Err(Refusal::TimedOut))
    }

    /// Headers that every answer has; pages may set stricter ones themselves.
    fn finish(&self, response: &mut Response, id: &RequestId) {
        let headers = response.headers_mut();
        headers.entry(X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
        // Who may frame a page says its policy; this header could only name everybody or nobody.
        if !policy(headers).contains("frame-ancestors *") {
            headers.entry(X_FRAME_OPTIONS).or_insert(HeaderValue::from_static("DENY"));
        }
        headers.entry(REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
        if self.0.https {
            headers.entry(STRICT_TRANSPORT_SECURITY).or_insert(HeaderValue::from_static("max-age=31536000"));
        }
        if let Ok(id) = HeaderValue::from_str(&id.0) {
            headers.insert(REQUEST_ID, id);
        }
    }
}

fn policy(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_SECURITY_POLICY).and_then(|policy| policy.to_str().ok()).unwrap_or_default()
}

/// What is logged and counted of one request, also when its client has gone before the answer.
struct Record {
    started: Instant,
    metrics: Arc<Metrics>,
    _in_flight: InFlight,
    id: RequestId,
    method: &'static str,
    route: Option<MatchedPath>,
    client: ClientAddr,
    tenant: Option<TenantLabel>,
    status: StatusCode,
    span: tracing::Span,
}

/// The status in the log when the client went away before its answer.
const CLIENT_GONE: u16 = 499;

impl Record {
    fn begin(
        metrics: &Arc<Metrics>,
        request: &Request,
        (id, trusted): (&RequestId, bool),
        peer: IpAddr,
    ) -> Self {
        Self {
            started: Instant::now(),
            metrics: Arc::clone(metrics),
            _in_flight: metrics.enter(),
            id: id.clone(),
            method: method(request.method()),
            route: None,
            client: ClientAddr(peer),
            tenant: None,
            status: StatusCode::from_u16(CLIENT_GONE).unwrap_or_default(),
            span: span(request, trusted),
        }
    }

    /// Whoever answers names route and tenant in extensions of the response.
    fn end(mut self, response: &Response) {
        self.status = response.status();
        self.tenant = response.extensions().get::<TenantLabel>().cloned();
        self.route = response.extensions().get::<MatchedPath>().cloned();
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let taken = self.started.elapsed();
        let route = self.route.as_ref().map_or("none", MatchedPath::as_str);
        self.metrics.answered(route, self.status, taken);
        self.span.record("http.route", route);
        self.span.record("http.response.status_code", u64::from(self.status.as_u16()));
        tracing::info!(
            target: "request",
            request_id = %self.id.0,
            tenant = self.tenant.as_ref().map_or("", |tenant| &*tenant.0),
            method = self.method,
            route,
            status = self.status.as_u16(),
            micros = u64::try_from(taken.as_micros()).unwrap_or(u64::MAX),
            network = %self.client.network(),
        );
    }
}

/// The first span of a request's trace, or none where nothing is traced.
fn span(request: &Request, trusted: bool) -> tracing::Span {
    tracing::info_span!(
        target: "trace",
        "request",
        traceparent = request.headers().get("traceparent").and_then(|value| value.to_str().ok()),
        trusted,
        "http.request.method" = method(request.method()),
        "http.route" = tracing::field::Empty,
        "http.response.status_code" = tracing::field::Empty,
    )
}

/// A method as it may be logged: a client can invent others, with anything in them.
fn method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
