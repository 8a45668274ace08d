//! What every page shares: the tenant and language of a request, cookies and CSRF defence, living
//! sessions, rendering, and the edge where errors become pages.
//!
//! It mounts nothing but assets and decides nothing about people; the capabilities do.

pub mod assets;
pub mod cookies;
pub mod error;
pub mod intent;
pub mod locale;
pub mod pages;
pub mod render;
pub mod sessions;
mod site;
mod submission;
pub mod templates;
pub mod tenancy;
pub mod theme;
mod visit;

pub use error::Problem;
pub use sessions::Living;
pub use site::Site;
pub use submission::Submission;
pub use visit::{Visit, query};

use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

/// The routes of what the pages are made of: `/assets/…`.
pub fn routes(site: Site) -> Router {
    Router::new().route("/assets/{file}", get(asset)).with_state(site)
}

async fn asset(State(site): State<Site>, Path(file): Path<String>, visit: Visit) -> Response {
    let path = format!("/assets/{file}");
    let theme = site.chrome(&visit.tenant).theme;
    let theme = theme.stylesheet().filter(|sheet| sheet.path == path);
    let found = match theme {
        Some(sheet) => Some(("text/css; charset=utf-8", sheet.body.clone().into_bytes())),
        None => assets::asset(&path).map(|(kind, bytes)| (kind, bytes.to_vec())),
    };
    let Some((kind, bytes)) = found else { return StatusCode::NOT_FOUND.into_response() };
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, assets::CACHE_CONTROL)], bytes).into_response()
}

/// What answers where no route is: a page for people, JSON for programs.
pub async fn not_found(visit: Visit) -> Response {
    visit.error(&base::Error::not_found())
}
