//! The admin API: everything that the program knows, managed over REST at `/api/v1` below each
//! issuer. Objects of the whole server (tenants) are at the first tenant only.
//!
//! It owns the tables of API keys, administrators and kept answers, and mounts `/api/v1/…` with its
//! OpenAPI document at `/api/v1/openapi.json`. Each resource declares its endpoints in a table, from
//! which both the router and the document are made. It reads no cookies, and no secret or hash leaves
//! it but in the one answer that makes it.

mod administrators;
mod api_keys;
mod applications;
mod call;
mod caller;
mod cors;
mod cursor;
mod declared;
mod endpoint;
mod events;
mod idempotency;
mod initial_tokens;
mod keys;
mod kinds;
mod listed;
mod openapi;
mod power;
mod refusal;
mod resource_servers;
mod rows;
mod scope;
mod scopes;
mod secrets;
mod serve;
mod settings;
mod shape;
mod stamp;
mod templates;
mod tenants;
mod tokens;
mod users;

pub use caller::Caller;
pub use refusal::{CODES, Code};
pub use scope::{Permission, Permissions};
pub use tokens::{InitialToken, InitialTokens, Tokens};

use axum::{
    Json, Router,
    extract::{Path, Request, State},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter, any, get, on},
};
use base::{Id, Time, id};
use endpoint::Verb;
use std::{collections::BTreeMap, sync::Arc};
use store::{Migration, Unit};
use web::Site;
use work::HashPool;

/// The tables of this crate.
pub const MIGRATIONS: &[Migration] =
    &[Migration { id: "20261125000300_admin", sql: include_str!("../migrations/20261125000300_admin.sql") }];

/// Every statement of this crate, for the check that both engines accept them.
#[must_use]
pub fn statements() -> Vec<&'static str> {
    rows::statements()
}

/// The OpenAPI document of the API below this issuer.
#[must_use]
pub fn described(issuer: &str) -> serde_json::Value {
    openapi::document(issuer)
}

/// A unit that deletes a batch of kept answers whose day ended before this moment. Doing it twice
/// does no harm.
#[must_use]
pub fn purge(unit: Id<id::Event>, end: Time) -> Unit {
    rows::answer::purge(unit, end)
}

/// What the API stands on.
#[derive(Clone)]
pub struct Admin {
    /// What all requests share.
    pub site: Site,
    /// Where passwords are hashed.
    pub pool: HashPool,
    /// Who makes tokens.
    pub tokens: Arc<dyn Tokens>,
}

/// The routes of the API, below `/api/v1`.
pub fn routes(state: Admin) -> Router {
    let mut paths: BTreeMap<&str, MethodRouter<Admin>> = BTreeMap::new();
    for endpoint in endpoint::all() {
        let filter = match endpoint.method {
            Verb::Get => MethodFilter::GET,
            Verb::Post => MethodFilter::POST,
            Verb::Put => MethodFilter::PUT,
            Verb::Patch => MethodFilter::PATCH,
            Verb::Delete => MethodFilter::DELETE,
        };
        let answer =
            move |State(admin): State<Admin>, request: Request| serve::serve(admin, endpoint, request);
        let methods = paths.remove(endpoint.path).unwrap_or_default();
        paths.insert(endpoint.path, methods.merge(on(filter, answer)));
    }
    let mut router = Router::new();
    for (path, methods) in paths {
        router = router.route(&format!("/api/v1{path}"), methods.fallback(serve::wrong_method));
    }
    router
        .route("/api/v1/openapi.json", get(document).fallback(serve::wrong_method))
        .route("/api/v1/problems/{code}", get(problem).fallback(serve::wrong_method))
        .route("/api/v1/{*rest}", any(serve::nowhere))
        .layer(from_fn_with_state((state.clone(), cors::Origins::default()), cors::share))
        .with_state(state)
}

/// `GET /api/v1/openapi.json`.
async fn document(request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match serve::tenant(&parts) {
        Ok(tenant) => Json(openapi::document(&tenant.issuer)).into_response(),
        Err(_) => serve::nowhere(Request::from_parts(parts, axum::body::Body::empty())).await,
    }
}

/// `GET /api/v1/problems/{code}`: what a refusal's `type` leads to.
async fn problem(Path(name): Path<String>, request: Request) -> Response {
    match CODES.iter().find(|code| code.name == name) {
        Some(code) => {
            let body = serde_json::json!({ "code": code.name, "status": code.status, "title": code.title });
            Json(body).into_response()
        }
        None => serve::nowhere(request).await,
    }
}
