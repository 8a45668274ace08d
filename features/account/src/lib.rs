//! The account portal: what a customer sees and changes of their own account.
//!
//! It owns the pages and mounts them at `/account` (home), `/account/profile`, `/account/sessions`,
//! `/account/activity`, `/account/applications`, `/account/sign-out` and `/account/signed-out`, and
//! leads there from `/`. Changing the password or the address and deleting the account are journeys
//! and belong to the sign-in.
//!
//! Who somebody is comes from their session alone, never from a path or a body. It proves nobody,
//! and it marks nothing as verified.

mod activity;
mod applications;
mod device;
mod home;
mod me;
mod profile;
mod sessions;
mod visitor;

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRef},
    response::Response,
    routing::{get, post},
};
use std::sync::Arc;
use web::{Site, Visit, intent::Journeys};

/// The largest form of ours, in bytes, is far below this.
const LARGEST_BODY: usize = 64 * 1024;

/// What the portal stands on.
#[derive(Clone)]
pub struct Account {
    /// What all pages share.
    pub site: Site,
    /// Where whoever is not signed in is sent.
    pub journeys: Arc<dyn Journeys>,
}

impl FromRef<Account> for Site {
    fn from_ref(account: &Account) -> Self {
        account.site.clone()
    }
}

/// The routes of the portal.
pub fn routes(state: Account) -> Router {
    Router::new()
        .route("/", get(root))
        .route("/account", get(home::page))
        .route("/account/profile", get(profile::page).post(profile::save))
        .route("/account/sessions", get(sessions::page).post(sessions::end))
        .route("/account/activity", get(activity::page))
        .route("/account/applications", get(applications::page).post(applications::take_back))
        .route("/account/sign-out", post(sessions::sign_out))
        .route("/account/signed-out", get(sessions::signed_out))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(state)
}

async fn root(visit: Visit) -> Response {
    visit.see_other(&visit.at("/account"))
}
