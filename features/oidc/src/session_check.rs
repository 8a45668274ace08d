//! `/session/check` (OpenID Connect Session Management 1.0): a page that applications hold in a
//! frame and ask whether the browser's session is still the one that they know. It exists where the
//! tenant has switched it on, and on https only, since its cookie goes to the frames of other sites.
//!
//! The state of the browser is a cookie of its own, made of the session and told to nobody but the
//! page's script. It opens nothing.

use crate::call::{Call, Failure};
use axum::{
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use base::{Error, Id, id};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth::{
    Client,
    authorize::{Answer, Checked},
    logout::session_state,
};
use web::{
    Visit,
    cookies::watched_name,
    sessions::{are_watched, browser_state},
};

const SCRIPT: &str = include_str!("session_check.js");
/// The source that lets [`SCRIPT`] run.
const SCRIPT_SOURCE: &str = "'sha256-4X95Tto+biuBOLnu+wygopI3CLkeNCMNicj3bnTxMMM='";

/// `GET /session/check`.
pub(crate) async fn page(call: Call) -> Response {
    if !are_watched(&call.tenant) {
        return Failure::Broken(Error::not_found()).respond(&call.request_id);
    }
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Session</title>\n\
         <body data-cookie=\"{}\"><script>{SCRIPT}</script></body></html>\n",
        watched_name(&call.tenant)
    );
    let policy =
        format!("default-src 'none'; script-src {SCRIPT_SOURCE}; base-uri 'none'; frame-ancestors *");
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

/// The answer with a code and, where the tenant has it, the state of the session.
///
/// # Errors
/// Kind `Internal` if the tenant has no key for it.
pub(crate) fn success(
    visit: &Visit,
    checked: &Checked,
    client: &Client,
    session: Id<id::Session>,
    code: &str,
) -> Result<Answer, Error> {
    let issuer = &visit.tenant.issuer;
    match checked.to.redirect_uri().origin() {
        Some(origin) if are_watched(&visit.tenant) => {
            let missing = || Error::internal("a tenant without a key for the state of sessions");
            let browser = browser_state(&visit.tenant, session).ok_or_else(missing)?;
            let salt = URL_SAFE_NO_PAD.encode(visit.env().bytes::<16>());
            visit.show_session(Some(session));
            Ok(checked.success_with_session(issuer, code, &session_state(client, &origin, &browser, &salt)))
        }
        _ => Ok(checked.success(issuer, code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::digest::{SHA256, digest};
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn the_policy_names_the_script() {
        let hash = STANDARD.encode(digest(&SHA256, SCRIPT.as_bytes()));
        assert_eq!(SCRIPT_SOURCE, format!("'sha256-{hash}'"));
    }
}
