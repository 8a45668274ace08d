//! `/health/live`: the process answers. `/health/ready`: it can do its work, or why not.

use crate::serve::Shutdown;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// Answers whether one part can work; the text says why not, without secrets.
pub(crate) type Check =
    Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// The parts that must work before requests make sense.
pub(crate) struct Readiness {
    checks: Vec<(&'static str, Check)>,
    stop: Shutdown,
}

/// A check that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(2);

impl Readiness {
    /// Ready until the server stops.
    pub(crate) fn new(stop: Shutdown) -> Self {
        Self { checks: Vec::new(), stop }
    }

    /// Adds a part, such as `("database", || async { … })`.
    pub(crate) fn with<F, R>(mut self, part: &'static str, check: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.checks.push((part, Box::new(move || Box::pin(check()))));
        self
    }

    /// The parts that do not work, with the reason.
    async fn reasons(&self) -> Vec<(&'static str, String)> {
        let mut reasons = Vec::new();
        if self.stop.is_near() {
            reasons.push(("server", "stopping".to_owned()));
        }
        for (part, check) in &self.checks {
            match tokio::time::timeout(PATIENCE, check()).await {
                Ok(Ok(())) => {}
                Ok(Err(reason)) => reasons.push((part, reason)),
                Err(_) => reasons.push((part, "no answer in 2 seconds".to_owned())),
            }
        }
        reasons
    }
}

/// Always 200: whoever reads this is being answered.
pub(super) async fn live() -> Response {
    answer(StatusCode::OK, serde_json::json!({"live": true}))
}

/// 200 when every part works, else 503 with what does not.
pub(super) async fn ready(State(readiness): State<Arc<Readiness>>) -> Response {
    let reasons = readiness.reasons().await;
    if reasons.is_empty() {
        return answer(StatusCode::OK, serde_json::json!({"ready": true}));
    }
    let reasons: Vec<_> = reasons
        .into_iter()
        .map(|(part, reason)| serde_json::json!({"part": part, "reason": reason}))
        .collect();
    answer(StatusCode::SERVICE_UNAVAILABLE, serde_json::json!({"ready": false, "reasons": reasons}))
}

fn answer(status: StatusCode, body: serde_json::Value) -> Response {
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
