//! The log: one JSON object or one line of text an entry, on stderr.
//!
//! Only our own crates log below `warn`: what libraries say there shows headers and statements.

use super::traces::{TARGET, Traces};
use std::io::IsTerminal as _;
use tracing::{Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::{fmt::MakeWriter, layer::SubscriberExt as _};

const OURS: &[&str] =
    &["keyward", "request", "base", "store", "web", "work", "signin", "oidc", "account", "apply", "demo"];

/// Logs to stderr from now on, and makes panics log entries. A second call changes nothing.
/// Spans go to `traces`, if there are any.
pub(crate) fn start(level: Level, json: bool, traces: Option<Traces>) {
    let subscriber = subscriber(level, json, std::io::stderr, traces);
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

/// What writes entries of this level and above.
pub(crate) fn subscriber<W>(
    level: Level,
    json: bool,
    writer: W,
    traces: Option<Traces>,
) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let level = level.as_str().to_ascii_lowercase();
    let others = if level == "error" { "error" } else { "warn" };
    let ours = OURS.iter().map(|name| format!(",{name}={level}")).collect::<String>();
    let spans = if traces.is_some() { format!(",{TARGET}=info") } else { String::new() };
    let entries = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(format!("{others}{ours}{spans}")))
        .with_writer(writer)
        // Where the log's disk is full, a complaint about that would be a panic, and end the program.
        .log_internal_errors(false);
    if json {
        Box::new(
            entries
                .json()
                .flatten_event(true)
                .with_current_span(false)
                .with_span_list(false)
                .finish()
                .with(traces),
        )
    } else {
        Box::new(entries.with_ansi(std::io::stderr().is_terminal()).finish().with(traces))
    }
}

/// A message made at run time may hold anything, so only one written in the source is logged.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let message = fixed(panic.payload());
    tracing::error!(target: "keyward", place, message, "a defect: this part of the program gave up");
}

/// The message of a panic, if it stands in the source word for word.
fn fixed(payload: &dyn std::any::Any) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("a message with values")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_panic_message_with_values_is_not_logged() {
        assert_eq!(super::fixed(&"index out of bounds"), "index out of bounds");
        assert_eq!(super::fixed(&"canary".to_owned()), "a message with values");
    }
}
