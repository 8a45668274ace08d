//! `/metrics` in the text format of Prometheus: requests, latency, this process, and whatever
//! counters wiring adds. Labels are names from our source, never values from a request.

use super::process::Process;
use crate::config;
use crate::serve::PeerAddr;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use base::Secret;
use base::net::{Network, canonical};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Bounds of the latency histogram in seconds: a page, a password hash, a queue, a time-out.
const BOUNDS: [f64; 10] = [0.000_5, 0.002, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    class: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

type Latency = Family<Route, Histogram, fn() -> Histogram>;

/// All metrics of one server.
pub(crate) struct Metrics {
    registry: Mutex<Registry>,
    added: Arc<Added>,
    requests: Family<Answered, Counter>,
    latency: Latency,
    in_flight: Gauge,
}

/// How a number behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

type Label = (&'static str, &'static str);

/// A number that others keep, about to be added.
#[must_use = "nothing is added without a value"]
pub(crate) struct Series<'a> {
    added: &'a Added,
    name: &'static str,
    help: &'static str,
    kind: Kind,
}

impl Series<'_> {
    /// Its only value, such as `move || commits.load(Relaxed)`.
    pub(crate) fn value(self, read: impl Fn() -> u64 + Send + Sync + 'static) {
        self.added.add(&self, Vec::new(), Sample::Number(Box::new(read)));
    }

    /// Its value for some labels, such as `&[("outcome", "refused")]`; again for the next.
    pub(crate) fn labelled(&self, labels: &[Label], read: impl Fn() -> u64 + Send + Sync + 'static) -> &Self {
        self.added.add(self, labels.to_vec(), Sample::Number(Box::new(read)));
        self
    }

    /// Its distribution: all of it together, and how many are in each class.
    fn classes(self, read: impl Fn() -> (f64, Vec<(f64, u64)>) + Send + Sync + 'static) {
        self.added.add(&self, Vec::new(), Sample::Classes(Box::new(read)));
    }
}

/// A request under way, counted until it is dropped.
pub(super) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// The metrics of HTTP and of this process.
    pub(crate) fn new() -> Self {
        let mut all = Registry::default();
        all.register_collector(Box::new(Process));
        let registry = all.sub_registry_with_prefix("keyward");
        let requests = Family::default();
        let latency = Latency::new_with_constructor(|| Histogram::new(BOUNDS));
        let in_flight = Gauge::default();
        let added = Arc::new(Added::default());
        registry.register(
            "http_requests",
            "Requests answered, by route and class of status",
            requests.clone(),
        );
        registry.register(
            "http_request_duration_seconds",
            "Time from request to answer, by route",
            latency.clone(),
        );
        registry.register("http_requests_in_flight", "Requests under way", in_flight.clone());
        registry.register_collector(Box::new(Arc::clone(&added)));
        let metrics = Self { registry: Mutex::new(all), added, requests, latency, in_flight };
        let version = ("version", env!("CARGO_PKG_VERSION"));
        metrics.gauge("build_info", "The version that runs").labelled(&[version], || 1);
        metrics
    }

    /// Adds a number that only grows; `_total` is put behind its name, `keyward_` before it. Its
    /// value is read at each request for `/metrics`.
    pub(crate) fn counter(&self, name: &'static str, help: &'static str) -> Series<'_> {
        Series { added: &self.added, name, help, kind: Kind::Counter }
    }

    /// Adds a number that goes up and down, likewise.
    pub(crate) fn gauge(&self, name: &'static str, help: &'static str) -> Series<'_> {
        Series { added: &self.added, name, help, kind: Kind::Gauge }
    }

    /// Adds a distribution of times, likewise.
    pub(crate) fn timing(
        &self,
        name: &'static str,
        help: &'static str,
        read: impl Fn() -> (f64, Vec<(f64, u64)>) + Send + Sync + 'static,
    ) {
        Series { added: &self.added, name, help, kind: Kind::Histogram }.classes(read);
    }

    pub(super) fn enter(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    pub(super) fn answered(&self, route: &str, status: StatusCode, taken: Duration) {
        let route = route.to_owned();
        self.latency.get_or_create(&Route { route: route.clone() }).observe(taken.as_secs_f64());
        self.requests.get_or_create(&Answered { route, class: class(status) }).inc();
    }

    /// The text that Prometheus reads.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing into a String cannot fail; a metric that does not encode is left out.
        let _ = prometheus_client::encoding::text::encode(&mut text, &registry);
        text
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        499 => "gone",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

/// Numbers that others keep, by name, read when somebody asks.
#[derive(Default)]
struct Added(Mutex<BTreeMap<&'static str, Numbers>>);

struct Numbers {
    kind: Kind,
    help: &'static str,
    samples: Vec<(Vec<Label>, Sample)>,
}

enum Sample {
    Number(Read<u64>),
    Classes(Read<Classes>),
}

/// Reads a number where it is kept.
type Read<T> = Box<dyn Fn() -> T + Send + Sync>;
/// A sum, and how many there are up to each bound.
type Classes = (f64, Vec<(f64, u64)>);

impl Added {
    fn add(&self, series: &Series<'_>, labels: Vec<Label>, sample: Sample) {
        let fresh = Numbers { kind: series.kind, help: series.help, samples: Vec::new() };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(series.name).or_insert(fresh).samples.push((labels, sample));
    }
}

impl fmt::Debug for Added {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Added")
    }
}

impl Collector for Added {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (name, numbers) in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let kind = match numbers.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
                Kind::Histogram => MetricType::Histogram,
            };
            let mut metric = encoder.encode_descriptor(name, numbers.help, None, kind)?;
            for (labels, sample) in &numbers.samples {
                let mut place = metric.encode_family(labels)?;
                match (sample, numbers.kind) {
                    (Sample::Classes(read), _) => {
                        let (total, classes) = read();
                        let count = classes.iter().map(|(_, count)| count).sum();
                        place.encode_histogram::<NoLabelSet>(total, count, &classes, None)?;
                    }
                    (Sample::Number(read), Kind::Counter) => ConstCounter::new(read()).encode(place)?,
                    (Sample::Number(read), _) => {
                        ConstGauge::new(i64::try_from(read()).unwrap_or(i64::MAX)).encode(place)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Who may read the metrics.
pub(crate) enum Access {
    /// Everybody who reaches the address.
    Open,
    /// Whoever has this token.
    Token(Secret<String>),
    /// This machine itself, but not through one of these proxies.
    ThisMachine(Vec<Network>),
}

impl Access {
    /// Who may read them beside the pages, by the configuration: whoever has the token; without
    /// one this machine.
    pub(crate) fn of(server: &config::Server) -> Self {
        match &server.metrics_token {
            Some(token) => Self::Token(token.clone()),
            None => Self::ThisMachine(server.proxies.clone()),
        }
    }

    /// Who may read them at an address of their own: everybody on this machine, or whoever has the
    /// token.
    pub(crate) fn at(address: std::net::SocketAddr, server: &config::Server) -> Self {
        if address.ip().is_loopback() { Self::Open } else { Self::of(server) }
    }

    fn allows(&self, request: &Request) -> bool {
        match self {
            Self::Open => true,
            Self::Token(token) => bearer(request.headers()).is_some_and(|given| {
                aws_lc_rs::constant_time::verify_slices_are_equal(given.as_bytes(), token.expose().as_bytes())
                    .is_ok()
            }),
            Self::ThisMachine(proxies) => {
                let peer = request.extensions().get::<PeerAddr>().map(|peer| canonical(peer.0.ip()));
                let forwarded = request
                    .headers()
                    .keys()
                    .any(|name| name.as_str().starts_with("x-forwarded-") || name == header::FORWARDED);
                !forwarded
                    && peer.is_some_and(|peer| {
                        peer.is_loopback() && !proxies.iter().any(|network| network.contains(peer))
                    })
            }
        }
    }
}

/// The token of a request. The name of the scheme is case-insensitive, and spaces follow it (RFC 9110,
/// sections 11.1 and 11.4).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim_start_matches(' '))
}

pub(super) fn routes(metrics: Arc<Metrics>, access: Access) -> Router {
    Router::new().route("/metrics", get(read)).with_state(Arc::new((metrics, access)))
}

async fn read(State(shared): State<Arc<(Arc<Metrics>, Access)>>, request: Request) -> Response {
    let (metrics, access) = &*shared;
    if !access.allows(&request) {
        let help = "Send the token of server.metrics_token as `Authorization: Bearer`, or read this from the machine itself where none is set.\n";
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], help).into_response();
    }
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], metrics.text()).into_response()
}
