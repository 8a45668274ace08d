//! OpenID Connect and OAuth 2.0 for applications.
//!
//! Mounts `/authorize`, `/token`, `/userinfo`, `/introspect`, `/revoke`, `/register`,
//! `/register/{client_id}`, `/logout`, `/logout/confirm`, `/session/check`, `/jwks`,
//! `/.well-known/openid-configuration` and `/.well-known/oauth-authorization-server`, and answers
//! as [`Requests`] to the sign-in that runs a flow for an application.
//!
//! What a request means is decided in `pure/oauth`; who signs in and what they agree to is settled
//! by the sign-in behind [`Journeys`]. This crate must not show a page that asks for a proof, and
//! must not accept at one endpoint what was made for another.

mod access_token;
mod answer;
mod assertion;
mod authorize;
mod call;
mod carry;
mod client;
mod destination;
mod discovery;
mod events;
mod grants;
mod guesses;
mod introspect;
mod issue;
mod keys;
mod logout;
mod mint;
mod notice;
mod person;
mod refresh_token;
mod register;
mod remembered;
mod request;
mod revoke;
mod rows;
mod session_check;
mod subject;
mod token;
mod userinfo;

pub use access_token::opened;
pub use destination::Requests;
pub use notice::notices;
pub use register::{InitialAccess, drop_initial_access, initial_access, initial_access_tokens, registered};
pub use rows::{MIGRATIONS, statements};

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRef},
    routing::{get, post},
};
use remembered::Remembered;
use std::sync::Arc;
use web::{Site, intent::Journeys};
use work::{
    Admission,
    outbound::{Documents, Outbound},
};

/// The most bytes of a form; what a request may have is decided below that.
const MOST_BYTES: usize = 64 * 1024;

/// What the endpoints share.
#[derive(Clone)]
pub struct Oidc {
    /// The site.
    pub site: Site,
    /// The sign-in.
    pub journeys: Arc<dyn Journeys>,
    /// Documents of others: keys of applications, lists of their addresses.
    pub documents: Documents,
    /// Tells applications of ended sessions.
    pub outbound: Outbound,
    /// How much a network may do.
    pub admission: Admission,
}

/// What the endpoints share, and what they remember.
#[derive(Clone)]
struct Shared(Arc<(Oidc, Remembered)>);

impl std::ops::Deref for Shared {
    type Target = Oidc;

    fn deref(&self) -> &Oidc {
        &self.0.0
    }
}

impl Oidc {
    fn delivery(&self) -> notice::Delivery {
        notice::Delivery::new(self.site.clone(), self.outbound.clone())
    }
}

impl FromRef<Shared> for Oidc {
    fn from_ref(shared: &Shared) -> Self {
        (**shared).clone()
    }
}

impl FromRef<Shared> for Site {
    fn from_ref(shared: &Shared) -> Self {
        shared.site.clone()
    }
}

/// The routes, below a tenant.
pub fn routes(oidc: Oidc) -> Router {
    Router::new()
        .route("/authorize", get(authorize::get).post(authorize::post))
        .route("/token", post(token::post).options(token::preflight))
        .route("/userinfo", get(userinfo::get).post(userinfo::post).options(userinfo::preflight))
        .route("/introspect", post(introspect::post).options(introspect::preflight))
        .route("/revoke", post(revoke::post).options(revoke::preflight))
        .route("/register", post(register::post))
        .route("/register/{client_id}", get(register::get).put(register::put).delete(register::delete))
        .route("/logout", get(logout::get).post(logout::post))
        .route("/logout/confirm", post(logout::confirm))
        .route("/session/check", get(session_check::page))
        .route("/jwks", get(discovery::jwks))
        .route("/.well-known/openid-configuration", get(discovery::metadata))
        .route("/.well-known/oauth-authorization-server", get(discovery::metadata))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .with_state(Shared(Arc::new((oidc, Remembered::default()))))
}
