//! What the operator watches beyond requests: sign-ins, hashing, admission, the store, mails, keys.
//! `docs/metrics.md` is made from what this registers.

use super::Metrics;
use signin::{Method, Outcome, Tally};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};
use std::time::Duration;
use store::{Directory, rows};
use work::{Admission, HashPool, Limit, MailSignal};

/// How often the mails that wait are counted.
const COUNT_EVERY: Duration = Duration::from_secs(10);

/// The parts that are watched.
pub(crate) struct Watched {
    pub(crate) directory: Directory,
    pub(crate) pool: HashPool,
    pub(crate) mail: MailSignal,
    pub(crate) admission: Admission,
    pub(crate) tally: Tally,
    pub(crate) dropped_spans: Arc<AtomicU64>,
}

impl Watched {
    /// Adds their numbers.
    pub(crate) fn register(self, metrics: &Metrics) {
        self.sign_ins(metrics);
        self.hashing(metrics);
        self.store(metrics);
        self.mails(metrics);
        self.refusals(metrics);
        let directory = self.directory;
        metrics
            .gauge("signing_key_age_seconds", "Age of the oldest key that signs, of the tenants in memory")
            .value(move || directory.oldest_signing_key().as_secs());
        let dropped = self.dropped_spans;
        metrics
            .counter("dropped_spans", "Spans of traces that the collector did not get")
            .value(move || dropped.load(Relaxed));
    }

    fn sign_ins(&self, metrics: &Metrics) {
        let series = metrics.counter("sign_ins", "Sign-ins that ended, by the method of the last proof");
        for (method, outcome) in Method::ALL.into_iter().flat_map(|m| Outcome::ALL.map(|o| (m, o))) {
            let tally = self.tally.clone();
            let labels = [("method", method.name()), ("outcome", outcome.name())];
            series.labelled(&labels, move || tally.count(method, outcome));
        }
    }

    fn refusals(&self, metrics: &Metrics) {
        let series = metrics.counter(
            "admission_refusals",
            "Callers who were told to come again (429, by the hash limits 503), by the limit",
        );
        for limit in Limit::ALL {
            let admission = self.admission.clone();
            series.labelled(&[("limit", limit.name())], move || admission.refused(limit));
        }
        let [full, late] = [(); 2].map(|()| self.pool.clone());
        series.labelled(&[("limit", "hash_queue")], move || full.refused());
        series.labelled(&[("limit", "hash_deadline")], move || late.late());
    }

    fn hashing(&self, metrics: &Metrics) {
        let [hashes, waiting, arenas] = [(); 3].map(|()| self.pool.clone());
        metrics.counter("password_hashes", "Password hashes computed").value(move || hashes.hashes());
        metrics
            .gauge("hash_queue_milliseconds", "Password hashing that waits, in milliseconds of work")
            .value(move || waiting.queue_ms());
        metrics
            .gauge("hash_arenas", "Threads that hold the memory of a hash")
            .value(move || arenas.arenas() as u64);
    }

    fn store(&self, metrics: &Metrics) {
        let [reads, commits, conflicts, failures] = [(); 4].map(|()| self.directory.db().clone());
        metrics.timing(
            "store_read_duration_seconds",
            "Time of a read by a key or of a few rows",
            move || (reads.watch().reads.total(), reads.watch().reads.classes()),
        );
        metrics.timing(
            "store_commit_duration_seconds",
            "Time of a unit of writes, until it is on the disk; their number is that of commits",
            move || (commits.watch().commits.total(), commits.watch().commits.classes()),
        );
        metrics
            .counter("store_conflicts", "Units that lost against another and changed nothing")
            .value(move || conflicts.watch().conflicts());
        metrics
            .counter("store_failures", "Reads and units that the database did not carry out")
            .value(move || failures.watch().failures());
    }

    fn mails(&self, metrics: &Metrics) {
        let [sent, failed] = [(); 2].map(|()| self.mail.clone());
        metrics.counter("mails_sent", "Mails delivered by this node").value(move || sent.sent());
        metrics.counter("mails_failed", "Mails given up by this node").value(move || failed.failed());
        let waiting = Arc::new(AtomicU64::new(0));
        tokio::spawn(count(self.directory.clone(), Arc::clone(&waiting)));
        metrics
            .gauge("mail_queue", "Mails of all nodes that wait, counted every ten seconds")
            .value(move || waiting.load(Relaxed));
    }
}

async fn count(directory: Directory, waiting: Arc<AtomicU64>) {
    loop {
        if let Ok(count) = rows::mail::waiting(directory.db()).await {
            waiting.store(u64::try_from(count).unwrap_or(0), Relaxed);
        }
        tokio::time::sleep(COUNT_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::{Env, SealingKey};
    use store::{Engine, scratch::Scratch};
    use work::HashSettings;

    const HEAD: &str = "# Metrics

<!-- Made from bin/keyward/src/observe/; `KEYWARD_BLESS=1 cargo test -p keyward metrics_page` writes it anew. -->

`/metrics` tells Prometheus how the server is doing, in the text format of OpenMetrics. Who may read
it say [`server.metrics_listen` and `server.metrics_token`](configuration.md#metrics_listen); with neither set only
this machine itself may, and behind a proxy that runs on it nobody. Every node tells its own numbers, since its start;
add them up. Labels are names from this page, never anything from a request: a route is its pattern
(`/flow/{id}`), and there is none by tenant, client or person.

| name | kind | labels | what |
|---|---|---|---|
";

    const TAIL: &str = "
Of a histogram there are `_bucket`, `_sum` and `_count`.

## What to look at

| question | expression |
|---|---|
| Do sign-ins fail? | `sum(rate(keyward_sign_ins_total{outcome=\"refused\"}[5m])) / sum(rate(keyward_sign_ins_total[5m]))` |
| Is there more hashing than CPU? | `keyward_hash_queue_milliseconds > 250`, `rate(keyward_admission_refusals_total{limit=~\"hash_.*\"}[5m]) > 0` |
| Is somebody trying passwords? | `rate(keyward_admission_refusals_total{limit=~\"account\\|guesses\\|network\"}[5m])` with many refused sign-ins |
| Is the disk slow? | `histogram_quantile(0.99, sum by (le) (rate(keyward_store_commit_duration_seconds_bucket[5m])))` |
| Is the database away? | `rate(keyward_store_failures_total[5m]) > 0` |
| Do mails go out? | `keyward_mail_queue` grows, `rate(keyward_mails_failed_total[1h]) > 0` |
| Do people wait? | `histogram_quantile(0.99, sum by (le, route) (rate(keyward_http_request_duration_seconds_bucket[5m])))` |
| Do keys change? | `keyward_signing_key_age_seconds` above the tenant's rotation age |

## Traces

With [`traces.endpoint`](configuration.md) set, spans go to an OpenTelemetry collector by OTLP over
HTTP (JSON): one a request (`METHOD route`), and below it `store.read`, `store.commit`, `hash` and
`outbound`. Attributes are `http.request.method`, `http.route`, `http.response.status_code` and
`server.address`, nothing else: no address, query, header, id or text of anybody. A `traceparent`
(W3C) is continued, and handed on by outward requests (clients' keys, documents, notices of a
logout); those that no request waits for begin a trace of their own. `traces.sample_percent` decides what is
recorded; a proxy named in `server.proxies` decides by its own flag. A collector that is away holds
nothing up; what it misses is counted by `keyward_dropped_spans_total`.
";

    fn page(text: &str) -> String {
        let mut rows = Vec::new();
        for line in text.lines().filter_map(|line| line.strip_prefix("# HELP ")) {
            let (name, help) = line.split_once(' ').unwrap();
            let kind = text.lines().find_map(|line| line.strip_prefix(&format!("# TYPE {name} "))).unwrap();
            let name = if kind == "counter" { format!("{name}_total") } else { name.to_owned() };
            let sample = text.lines().find(|line| {
                line.starts_with(&format!("{name}{{")) || line.starts_with(&format!("{name}_count{{"))
            });
            let labels =
                sample.and_then(|line| line.split_once('{')?.1.split_once("} ")).unwrap_or(("", "")).0;
            let names: Vec<_> = labels.split(',').filter_map(|label| label.split_once('=')).collect();
            let names: Vec<_> = names.iter().map(|(name, _)| format!("`{name}`")).collect();
            let help = help.trim_end_matches('.');
            rows.push(format!("| `{name}` | {kind} | {} | {help} |\n", names.join(", ")));
        }
        rows.sort();
        format!("{HEAD}{}{TAIL}", rows.concat())
    }

    #[tokio::test]
    async fn the_metrics_page_is_made_from_what_is_served() {
        let scratch = Scratch::new(Engine::Sqlite).await.unwrap();
        let db = scratch.open().await.unwrap();
        store::migrate(&db, &crate::wiring::migrations()).await.unwrap();
        let env = Env::system();
        let key = SealingKey::generate(env.rng());
        let watched = Watched {
            directory: Directory::new(db.clone(), env.clone(), key),
            pool: HashPool::start(env, HashSettings { threads: 1, ..HashSettings::default() }).unwrap(),
            mail: MailSignal::default(),
            admission: Admission::new(work::Limits::default()),
            tally: Tally::default(),
            dropped_spans: Arc::default(),
        };
        let metrics = Metrics::new();
        watched.register(&metrics);
        metrics.answered("/token", http::StatusCode::OK, Duration::from_millis(3));
        let (text, path) = (metrics.text(), concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md"));
        assert!(text.contains("keyward_store_commit_duration_seconds_bucket{le=\"+Inf\"} "), "{text}");
        assert!(text.contains("process_resident_memory_bytes "), "{text}");
        if std::env::var_os("KEYWARD_BLESS").is_some() {
            std::fs::write(path, page(&text)).unwrap();
        }
        assert!(
            std::fs::read_to_string(path).unwrap_or_default() == page(&text),
            "docs/metrics.md is out of date: KEYWARD_BLESS=1 cargo test -p keyward metrics_page"
        );
        scratch.remove(db).await.unwrap();
    }
}
