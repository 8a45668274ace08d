//! What operators see of a running server: logs, request ids, metrics and health; and the edge
//! that every request passes on its way to a feature. Mounts `/health/live`, `/health/ready` and
//! `/metrics`. Must not decide anything about people, and never writes a secret, code, token or
//! query string anywhere.

mod arriving;
mod edge;
mod health;
mod log;
mod metrics;
pub(crate) mod process;
mod refusal;
mod route;
#[cfg(test)]
mod tests;
pub(crate) mod traces;
pub(crate) mod watched;

pub(crate) use edge::{Edge, EdgeOptions, TenantLabel};
pub(crate) use health::Readiness;
pub(crate) use log::start as start_log;
pub(crate) use metrics::{Access, Metrics};
pub(crate) use route::RouteName;

use axum::Router;
use axum::routing::get;
use std::sync::Arc;

/// Routes for orchestrators and metric readers.
pub(crate) fn routes(readiness: Arc<Readiness>, metrics: Arc<Metrics>, access: Access) -> Router {
    Router::new()
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .with_state(readiness)
        .merge(metrics::routes(metrics, access))
        .layer(RouteName)
}

/// Whether [`routes`] has this path.
pub(crate) fn has_route(path: &str) -> bool {
    matches!(path, "/health/live" | "/health/ready" | "/metrics")
}

/// `/metrics` alone, for an address of its own.
pub(crate) fn metrics_routes(metrics: Arc<Metrics>, access: Access) -> Router {
    metrics::routes(metrics, access)
}
