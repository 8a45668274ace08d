//! The one guarded HTTP client for everything that the server asks or tells others: clients' keys
//! by URL, sector documents, logos, logout tokens, webhooks.
//!
//! The URL comes from people whom we do not trust, so it must not reach what only we can reach. A
//! name is resolved once, every address is checked, and the connection goes to a checked one. No
//! redirects, no proxy of the environment, no cookies; an end to every wait and every size. What
//! is allowed beyond that stands in the [`Policy`] and is logged at each use, unless the client is
//! [`quiet`](Outbound::quiet).

/// An event, of level debug where nobody wants to hear of it.
macro_rules! tell {
    ($quiet:expr, $level:ident, $($event:tt)+) => {
        if $quiet { tracing::debug!($($event)+) } else { tracing::$level!($($event)+) }
    };
}

mod address;
mod connect;
mod documents;
mod exchange;
mod policy;
mod slots;
mod target;
#[cfg(test)]
mod tests;

use base::Error;
use bytes::Bytes;
pub use connect::{Resolve, Resolving, SystemResolver};
pub use documents::{Document, Documents};
use http_body_util::Full;
use hyper::{Method, Request, header};
pub use policy::{Destination, Exception, NotAnException, Policy};
use slots::Slots;
use std::{sync::Arc, time::Duration};
use target::Target;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tracing::{Instrument as _, Span};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// How long an exchange may take and how much may come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the call to the last byte, waiting for a free place included.
    pub total: Duration,
    /// For the connection, and again for TLS on it.
    pub connect: Duration,
    /// The longest body, in bytes.
    pub body: usize,
}

impl Default for Limits {
    /// 5 s in all, 2 s to connect, 64 kB.
    fn default() -> Self {
        Self { total: Duration::from_secs(5), connect: Duration::from_secs(2), body: 64 * 1024 }
    }
}

/// What came back, of whatever status but a redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The status.
    pub status: u16,
    /// The media type as sent, with its parameters.
    pub content_type: Option<String>,
    /// The body.
    pub body: Bytes,
    /// How long it stays fresh (RFC 9111, section 5.2.2); zero if it must not be kept.
    pub max_age: Option<Duration>,
}

/// Why nothing came back. The sentences may be shown to whoever named the URL: they do not tell
/// an address that is refused from one that does not exist or does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// Not a URL that may be asked at all.
    #[error("The URL must begin with https, name a host by name or plain address and hold no user name.")]
    Url,
    /// The policy forbids the address, the port or the scheme.
    #[error("The host of the URL cannot be reached from here, or may not be.")]
    Refused,
    /// The name has no address.
    #[error("The host of the URL cannot be reached from here, or may not be.")]
    Unresolved,
    /// No address took the connection, or it broke.
    #[error("The host of the URL cannot be reached from here, or may not be.")]
    Unreachable,
    /// The certificate or the handshake is not good.
    #[error("No secure connection to the host of the URL could be made; its certificate may not be valid.")]
    Tls,
    /// It took too long.
    #[error("The host of the URL did not answer in time.")]
    Timeout,
    /// The answer was a redirect.
    #[error("The URL answers with a redirect, which is not followed.")]
    Redirect,
    /// The body is too long.
    #[error("The answer is too long.")]
    TooLarge,
    /// Not HTTP as we speak it.
    #[error("The answer is not understood.")]
    Malformed,
    /// Not the status that was hoped for.
    #[error("The URL answers with status {0}.")]
    Status(u16),
    /// Too many requests are on their way.
    #[error("Too many requests to other hosts are on their way. Please try again in a moment.")]
    Busy,
}

/// The client. A clone shares policy and limits with its origin.
#[derive(Clone)]
pub struct Outbound(Arc<Inner>);

struct Inner {
    policy: Policy,
    resolver: Arc<dyn Resolve>,
    tls: TlsConnector,
    slots: Slots,
    trace: Option<Trace>,
    quiet: bool,
}

/// The trace that a request belongs to (W3C Trace Context, `traceparent`), if it is traced.
pub type Trace = fn() -> Option<String>;

impl Outbound {
    /// A client under this policy that resolves names as the machine does.
    ///
    /// # Errors
    /// Kind `Invalid` if the policy's authorities cannot be read.
    pub fn new(policy: Policy) -> Result<Self, Error> {
        Self::with_resolver(policy, Arc::new(SystemResolver))
    }

    /// A client that asks `resolver` for addresses.
    ///
    /// # Errors
    /// Kind `Invalid` if the policy's authorities cannot be read.
    pub fn with_resolver(policy: Policy, resolver: Arc<dyn Resolve>) -> Result<Self, Error> {
        let tls = connect::tls(policy.ca_file.as_deref())?;
        let slots = Slots::default();
        Ok(Self(Arc::new(Inner { policy, resolver, tls, slots, trace: None, quiet: false })))
    }

    /// The same client, which tells whom it asks the trace that a request belongs to.
    #[must_use]
    pub fn traced(self, trace: Trace) -> Self {
        self.with(|inner| inner.trace = Some(trace))
    }

    /// The same client for somebody who asks again and again, and says themselves how it goes: what it
    /// would log is logged at level debug.
    #[must_use]
    pub fn quiet(self) -> Self {
        self.with(|inner| inner.quiet = true)
    }

    fn with(self, change: impl FnOnce(&mut Inner)) -> Self {
        let Inner { policy, resolver, tls, trace, quiet, .. } = &*self.0;
        let mut inner = Inner {
            policy: policy.clone(),
            resolver: Arc::clone(resolver),
            tls: tls.clone(),
            slots: Slots::default(),
            trace: *trace,
            quiet: *quiet,
        };
        change(&mut inner);
        Self(Arc::new(inner))
    }

    /// Fetches a document. Every status but 3xx is an answer.
    ///
    /// # Errors
    /// If the URL may not be asked, or no whole answer came within the limits.
    pub async fn get(&self, url: &str, limits: Limits) -> Result<Fetched, OutboundError> {
        self.send(url, Outgoing { method: Method::GET, content_type: None, body: Bytes::new() }, limits).await
    }

    /// Posts a form. Every status but 3xx is an answer.
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn post_form(
        &self,
        url: &str,
        fields: &[(&str, &str)],
        limits: Limits,
    ) -> Result<Fetched, OutboundError> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.post(url, FORM, body.into(), limits).await
    }

    /// Posts a JSON text as it stands. Every status but 3xx is an answer.
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn post_json(
        &self,
        url: &str,
        json: impl Into<Bytes>,
        limits: Limits,
    ) -> Result<Fetched, OutboundError> {
        self.post(url, JSON, json.into(), limits).await
    }

    async fn post(
        &self,
        url: &str,
        content_type: &'static str,
        body: Bytes,
        limits: Limits,
    ) -> Result<Fetched, OutboundError> {
        let outgoing = Outgoing { method: Method::POST, content_type: Some(content_type), body };
        self.send(url, outgoing, limits).await
    }

    async fn send(&self, url: &str, outgoing: Outgoing, limits: Limits) -> Result<Fetched, OutboundError> {
        let target = Target::parse(url)?;
        // What is not traced has no span either: traces would be sent about the sending of traces.
        let span = self.0.trace.map_or_else(Span::none, |_| {
            let host = target.host.to_string();
            tracing::info_span!(target: "trace", "outbound", "server.address" = host)
        });
        self.exchange(target, outgoing, limits).instrument(span).await
    }

    async fn exchange(
        &self,
        target: Target,
        outgoing: Outgoing,
        limits: Limits,
    ) -> Result<Fetched, OutboundError> {
        let request = outgoing.request(&target, self.0.trace.and_then(|trace| trace()))?;
        let deadline = Instant::now() + limits.total;
        let _slot = timeout_at(deadline, self.0.slots.take(&target.host.to_string()))
            .await
            .map_err(|_| OutboundError::Busy)?;
        let outcome = timeout_at(deadline, self.0.exchange(&target, request, limits))
            .await
            .unwrap_or(Err(OutboundError::Timeout));
        if let Err(error) = &outcome {
            let (host, port) = (&target.host, target.port);
            tell!(self.0.quiet, info, %host, port, ?error, "an outward request failed");
        }
        outcome
    }
}

impl Inner {
    async fn exchange(
        &self,
        target: &Target,
        request: Request<Full<Bytes>>,
        limits: Limits,
    ) -> Result<Fetched, OutboundError> {
        let addresses = connect::checked(&self.policy, self.resolver.as_ref(), target, self.quiet).await?;
        let stream = connect::tcp(&addresses, target.port, limits.connect).await?;
        if target.https {
            let stream = connect::secured(&self.tls, target, stream, limits.connect, self.quiet).await?;
            exchange::talk(stream, request, limits.body).await
        } else {
            exchange::talk(stream, request, limits.body).await
        }
    }
}

struct Outgoing {
    method: Method,
    content_type: Option<&'static str>,
    body: Bytes,
}

impl Outgoing {
    fn request(self, target: &Target, trace: Option<String>) -> Result<Request<Full<Bytes>>, OutboundError> {
        let mut request = Request::builder()
            .method(self.method)
            .uri(&target.path)
            .header(header::HOST, target.authority())
            .header(header::USER_AGENT, "Keyward")
            .header(header::ACCEPT, "application/json, */*;q=0.5")
            .header(header::CONNECTION, "close");
        if let Some(trace) = trace {
            request = request.header("traceparent", trace);
        }
        if let Some(content_type) = self.content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        request.body(Full::new(self.body)).map_err(|_| OutboundError::Url)
    }
}
