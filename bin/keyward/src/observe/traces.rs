//! Traces (OpenTelemetry): requests with what they wait for, sent to a collector by OTLP over HTTP
//! in JSON. Spans of the target `trace` are recorded, with the few attributes of [`ATTRIBUTES`] and
//! nothing else, so that no secret and nothing personal gets into them.
//!
//! A trace begins at a request, or goes on from its `traceparent` (W3C Trace Context), and at what
//! the server asks or tells others of its own accord. What else is outside of a traced request is
//! not recorded. A collector that is slow or away loses spans and
//! holds nothing up.

use crate::config::{self, collector};
use crate::failure::Failure;
use base::{Clock as _, Env, SystemClock};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    fmt,
    future::Future,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::sync::mpsc;
use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context};
use work::outbound::{Limits, Outbound, Policy};

/// The target of spans that are traced.
pub(crate) const TARGET: &str = "trace";
/// The span that a trace begins with.
pub(crate) const REQUEST: &str = "request";
const OUTBOUND: &str = "outbound";
/// What may be told of a span.
const ATTRIBUTES: [&str; 4] =
    ["http.request.method", "http.route", "http.response.status_code", "server.address"];
/// Spans that wait for the collector; more are dropped.
const WAITING: usize = 4_096;
/// Spans in one message, and how long the first of them waits for others.
const BATCH: usize = 512;
const PAUSE: Duration = Duration::from_secs(1);

/// The trace and span that a request comes from or goes out with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parent {
    trace: [u8; 16],
    span: [u8; 8],
    sampled: bool,
}

impl Parent {
    /// Reads `traceparent` (W3C Trace Context, section 3.2.2).
    fn read(header: &str) -> Option<Self> {
        let mut parts = header.trim().split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let known = version == "00" && parts.next().is_none();
        let [version] = hex(version)?;
        let [flags] = hex::<1>(flags)?;
        let (trace, span) = (hex(trace)?, hex(span)?);
        let good = version != 0xff && (known || version != 0) && trace != [0; 16] && span != [0; 8];
        good.then_some(Self { trace, span, sampled: flags & 1 == 1 })
    }
}

/// As many bytes from lower-case hexadecimal digits.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != 2 * N || !text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A span on its way.
struct Span {
    name: &'static str,
    trace: [u8; 16],
    id: [u8; 8],
    parent: Option<[u8; 8]>,
    began: i64,
    ended: i64,
    attributes: Vec<(&'static str, Value)>,
}

/// Records spans; a layer of the log's subscriber.
pub(crate) struct Traces {
    env: Env,
    percent: u8,
    open: Mutex<HashMap<u64, Span>>,
    done: mpsc::Sender<Span>,
    dropped: Arc<AtomicU64>,
}

/// Where recorded spans come out.
pub(crate) struct Recorded {
    done: mpsc::Receiver<Span>,
    /// Spans that were dropped because too many waited or the collector did not take them.
    pub(crate) dropped: Arc<AtomicU64>,
}

impl Traces {
    /// Records this share of the requests.
    pub(crate) fn new(env: Env, percent: u8) -> (Self, Recorded) {
        let (done, recorded) = mpsc::channel(WAITING);
        let dropped = Arc::new(AtomicU64::new(0));
        let own = Self { env, percent, open: Mutex::default(), done, dropped: Arc::clone(&dropped) };
        (own, Recorded { done: recorded, dropped })
    }

    fn open(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Span>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first span of a trace, if this one is recorded. Strangers may name a trace, but not decide
    /// that it is recorded.
    fn begin(&self, seen: &Seen) -> Option<Place> {
        let given = seen.traceparent.as_deref().and_then(Parent::read);
        let trace = given.map_or_else(|| self.env.bytes(), |parent| parent.trace);
        let draw = u64::from(trace.iter().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte)));
        let sampled = match given {
            Some(parent) if seen.trusted => parent.sampled,
            Some(parent) if !parent.sampled => false,
            _ => draw * 100 < u64::from(self.percent) * 256,
        };
        sampled.then(|| (trace, given.map(|parent| parent.span)))
    }
}

/// The trace, and the span above.
type Place = ([u8; 16], Option<[u8; 8]>);

/// `traceparent` of the span that runs now, if it is recorded.
pub(crate) fn traceparent() -> Option<String> {
    tracing::Span::current()
        .with_subscriber(|(id, dispatch)| {
            let open = dispatch.downcast_ref::<Traces>()?.open();
            let span = open.get(&id.into_u64())?;
            Some(format!("00-{}-{}-01", digits(&span.trace), digits(&span.id)))
        })
        .flatten()
}

impl<S: Subscriber> Layer<S> for Traces {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let metadata = attributes.metadata();
        if metadata.target() != TARGET {
            return;
        }
        let mut seen = Seen::default();
        attributes.record(&mut seen);
        let above = match attributes.parent() {
            Some(parent) => Some(parent.into_u64()),
            None if attributes.is_contextual() => context.current_span().id().map(Id::into_u64),
            None => None,
        };
        let inherited: Option<Place> =
            above.and_then(|above| self.open().get(&above).map(|span| (span.trace, Some(span.id))));
        let place = match (inherited, above, metadata.name()) {
            (None, _, REQUEST) | (None, None, OUTBOUND) => self.begin(&seen),
            (place, ..) => place,
        };
        let Some((trace, parent)) = place else { return };
        let began = SystemClock.now().micros();
        let span = Span {
            name: metadata.name(),
            trace,
            id: self.env.bytes(),
            parent,
            began,
            ended: began,
            attributes: seen.attributes,
        };
        self.open().insert(id.into_u64(), span);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        if let Some(span) = self.open().get_mut(&id.into_u64()) {
            let mut seen = Seen::default();
            values.record(&mut seen);
            span.attributes.extend(seen.attributes);
        }
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        let Some(mut span) = self.open().remove(&id.into_u64()) else { return };
        span.ended = SystemClock.now().micros().max(span.began);
        if self.done.try_send(span).is_err() {
            self.dropped.fetch_add(1, Relaxed);
        }
    }
}

/// What a span was given.
#[derive(Default)]
struct Seen {
    traceparent: Option<String>,
    trusted: bool,
    attributes: Vec<(&'static str, Value)>,
}

impl Seen {
    fn keep(&mut self, field: &Field, value: Value) {
        if let Some(name) = ATTRIBUTES.iter().find(|name| **name == field.name()) {
            self.attributes.push((name, value));
        }
    }
}

impl Visit for Seen {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "traceparent" {
            self.traceparent = Some(value.to_owned());
        }
        self.keep(field, json!({ "stringValue": value }));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.keep(field, json!({ "intValue": value.to_string() }));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == "trusted" {
            self.trusted = value;
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

/// The collector, as it is asked.
pub(crate) struct Collector {
    client: Outbound,
    url: String,
    service: String,
}

impl Collector {
    /// That of a configuration.
    pub(crate) fn of(traces: &config::Traces, ca_file: Option<PathBuf>) -> Result<Self, Failure> {
        let allow = collector(&traces.endpoint).into_iter().collect();
        // A collector is asked every second; `export` says what changes.
        let client = Outbound::new(Policy { allow, ca_file, allow_http: true })?.quiet();
        let url = format!("{}/v1/traces", traces.endpoint);
        Ok(Self { client, url, service: traces.service.clone() })
    }
}

/// Sends what is recorded until `stop`, and then what is left.
pub(crate) async fn export(
    mut recorded: Recorded,
    collector: Collector,
    stop: impl Future<Output = ()> + Send,
) {
    let mut stop = std::pin::pin!(stop);
    let (mut failed, mut ends) = (false, false);
    while !ends {
        let mut batch = Vec::new();
        ends = tokio::select! {
            () = &mut stop => true,
            count = recorded.done.recv_many(&mut batch, BATCH) => count == 0,
        };
        // Once `stop` has come it must not be asked again.
        if !ends {
            ends = tokio::select! { () = &mut stop => true, () = tokio::time::sleep(PAUSE) => false };
        }
        loop {
            while batch.len() < BATCH
                && let Ok(span) = recorded.done.try_recv()
            {
                batch.push(span);
            }
            if batch.is_empty() {
                break;
            }
            let sent = send(&collector, &batch).await;
            tell(&sent, failed);
            failed = sent.is_err();
            if failed {
                recorded.dropped.fetch_add(batch.len() as u64, Relaxed);
            }
            if failed || !ends {
                break;
            }
            batch.clear();
        }
    }
}

/// Says when the collector begins to fail, and when it takes traces again.
fn tell(sent: &Result<(), String>, failed: bool) {
    match sent {
        Err(reason) if !failed => tracing::warn!(reason, "the collector does not take traces"),
        Ok(()) if failed => tracing::info!("the collector takes traces again"),
        _ => {}
    }
}

async fn send(collector: &Collector, batch: &[Span]) -> Result<(), String> {
    let message = message(&collector.service, batch).to_string();
    match collector.client.post_json(&collector.url, message, Limits::default()).await {
        Ok(answer) if answer.status < 300 => Ok(()),
        Ok(answer) => Err(format!("it answers {}", answer.status)),
        Err(error) => Err(error.to_string()),
    }
}

/// An `ExportTraceServiceRequest` in the JSON form of OTLP 1.
fn message(service: &str, batch: &[Span]) -> Value {
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let version = env!("CARGO_PKG_VERSION");
    json!({ "resourceSpans": [{
        "resource": { "attributes": [text("service.name", service), text("service.version", version)] },
        "scopeSpans": [{
            "scope": { "name": "keyward", "version": version },
            "spans": batch.iter().map(Span::json).collect::<Vec<_>>(),
        }],
    }]})
}

impl Span {
    fn json(&self) -> Value {
        let attribute = |wanted: &str| self.attributes.iter().rfind(|(name, _)| *name == wanted);
        let part = |wanted| attribute(wanted).and_then(|(_, value)| value.get("stringValue")?.as_str());
        let name = match (self.name, part("http.request.method"), part("http.route")) {
            (REQUEST, Some(method), Some(route)) => format!("{method} {route}"),
            (name, ..) => name.to_owned(),
        };
        let status =
            attribute("http.response.status_code").and_then(|(_, value)| value.get("intValue")?.as_str());
        let kind = match self.name {
            REQUEST => 2,
            OUTBOUND => 3,
            _ => 1,
        };
        let attributes: Vec<Value> =
            self.attributes.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
        let mut span = json!({
            "traceId": digits(&self.trace),
            "spanId": digits(&self.id),
            "name": name,
            "kind": kind,
            "startTimeUnixNano": format!("{}000", self.began),
            "endTimeUnixNano": format!("{}000", self.ended),
            "attributes": attributes,
            "status": if status.is_some_and(|status| status.starts_with('5')) { json!({ "code": 2 }) } else { json!({}) },
        });
        if let (Some(parent), Some(span)) = (self.parent, span.as_object_mut()) {
            span.insert("parentSpanId".to_owned(), digits(&parent).into());
        }
        span
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt as _;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    /// What is recorded while `work` runs.
    fn recorded(percent: u8, work: impl FnOnce()) -> Vec<Value> {
        let (traces, mut recorded) = Traces::new(Env::system(), percent);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(traces), work);
        std::iter::from_fn(|| recorded.done.try_recv().ok()).map(|span| span.json()).collect()
    }

    fn request(traceparent: Option<&str>, trusted: bool) -> tracing::Span {
        tracing::info_span!(
            target: "trace", "request", traceparent, trusted,
            "http.request.method" = "GET", "http.route" = tracing::field::Empty,
            "http.response.status_code" = tracing::field::Empty,
        )
    }

    #[test]
    fn a_request_goes_on_with_the_trace_that_it_names_and_what_it_waits_for_stands_below() {
        let spans = recorded(100, || {
            let span = request(Some(GIVEN), false);
            span.in_scope(|| {
                let told = traceparent().unwrap();
                assert!(told.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && told.ends_with("-01"));
                assert!(!told.contains("00f067aa0ba902b7"), "the span is ours");
                tracing::info_span!(target: "trace", "store.read", email = "canary@example.com")
                    .in_scope(|| {});
            });
            span.record("http.route", "/authorize").record("http.response.status_code", 503_u64);
        });
        assert_eq!(spans.len(), 2);
        let (read, request) = (&spans[0], &spans[1]);
        assert_eq!(request["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(request["parentSpanId"], "00f067aa0ba902b7");
        assert_eq!((&request["name"], &request["kind"]), (&json!("GET /authorize"), &json!(2)));
        assert_eq!(request["status"]["code"], 2);
        assert_eq!((&read["name"], &read["parentSpanId"]), (&json!("store.read"), &request["spanId"]));
        assert!(!json!(spans).to_string().contains("canary"));
    }

    #[test]
    fn what_is_not_sampled_or_outside_of_a_request_is_not_recorded() {
        let unsampled = GIVEN.replace("-01", "-00");
        assert!(recorded(100, || drop(request(Some(&unsampled), false))).is_empty());
        assert!(recorded(0, || drop(request(Some(GIVEN), false))).is_empty(), "a stranger does not decide");
        assert_eq!(recorded(0, || drop(request(Some(GIVEN), true))).len(), 1, "a proxy of ours does");
        assert!(recorded(100, || drop(tracing::info_span!(target: "trace", "store.read"))).is_empty());
        assert!(recorded(100, || drop(request(None, false)))[0].get("parentSpanId").is_none());
    }

    #[test]
    fn what_the_server_tells_others_of_its_own_accord_is_a_trace_but_not_below_a_request_that_is_none() {
        let outbound = || tracing::info_span!(target: "trace", "outbound", "server.address" = "shop.example");
        let spans = recorded(100, || {
            let told = outbound().in_scope(traceparent).unwrap();
            assert!(told.starts_with("00-") && told.ends_with("-01"), "{told}");
        });
        assert_eq!((spans.len(), &spans[0]["name"]), (1, &json!("outbound")));
        assert!(spans[0].get("parentSpanId").is_none());
        let unsampled = GIVEN.replace("-01", "-00");
        let below = || {
            request(Some(&unsampled), true).in_scope(|| assert_eq!(outbound().in_scope(traceparent), None));
        };
        assert!(recorded(100, below).is_empty());
        assert!(recorded(0, || assert_eq!(outbound().in_scope(traceparent), None)).is_empty());
    }

    #[test]
    fn a_malformed_traceparent_begins_a_trace_of_its_own() {
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
        ] {
            assert_eq!(Parent::read(bad), None, "{bad}");
        }
        assert!(Parent::read("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more").is_some());
    }
}
