//! Errors at the edge of the pages: what a [`base::Error`] looks like to a person, to a program
//! that asked for JSON, and to the log.

use crate::{pages::ErrorPage, render::Chrome};
use axum::response::{IntoResponse, Response};
use base::{Error, Kind, RequestId};
use http::{HeaderValue, StatusCode, header};

/// Writes the private half to the log, as loud as it is our fault. Under a flood every refusal would be
/// a line, so those are for level debug.
pub fn log(error: &Error, request_id: &RequestId) {
    let private = error.private.as_deref().unwrap_or_default();
    match error.kind {
        Kind::Internal => {
            tracing::error!(request_id = request_id.0, code = error.code, private, "a request failed")
        }
        Kind::Unavailable if !error.is_crowd() => {
            tracing::warn!(request_id = request_id.0, code = error.code, private, "not now")
        }
        _ => tracing::debug!(request_id = request_id.0, code = error.code, private, "a request was refused"),
    }
}

/// The page that says what happened and what to do next.
pub(crate) fn page(error: &Error, request_id: &RequestId, start: &str) -> ErrorPage {
    let id = request_id.0.as_str();
    let seconds = error.retry_after.map_or(1, |after| after.as_secs().max(1));
    let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
    let page = match (error.code, error.kind) {
        ("error-cookies", _) => ErrorPage::cookies_off(id),
        ("error-foreign", _) => ErrorPage::foreign(id),
        ("error-elsewhere", _) => ErrorPage::elsewhere(id),
        ("error-form", _) => return ErrorPage::unreadable(id),
        ("error-link", _) => ErrorPage::dead_link(id),
        ("error-expired", _) | (_, Kind::Gone) => ErrorPage::expired(id),
        (_, Kind::NotFound) => ErrorPage::not_found(id),
        (_, Kind::TooLarge) => ErrorPage::too_large(id),
        (_, Kind::TooMany) => ErrorPage::too_many(id, seconds),
        (_, Kind::Unavailable) => return ErrorPage::unavailable(id, seconds),
        (_, Kind::Internal) => ErrorPage::internal(id),
        (_, Kind::Unauthenticated | Kind::Forbidden) => ErrorPage::refused(id),
        (_, Kind::Invalid | Kind::Conflict) => ErrorPage::bad_request(id),
    };
    page.start_over(start)
}

/// Says when to try again (RFC 9110, section 10.2.3).
pub(crate) fn retry_after(error: &Error, response: &mut Response) {
    if let Some(after) = error.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
    }
}

/// An error before the tenant is known, or of an endpoint for programs: a page for browsers, else
/// problem+json (RFC 9457).
pub struct Problem {
    error: Error,
    request_id: RequestId,
    page: bool,
}

impl Problem {
    /// The error as the answer to this request.
    pub fn of(error: Error, parts: &http::request::Parts) -> Self {
        let accept = parts.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
        Self {
            error,
            request_id: parts.extensions.get::<RequestId>().cloned().unwrap_or(RequestId(String::new())),
            page: accept.is_some_and(|accept| accept.contains("text/html")),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        log(&self.error, &self.request_id);
        let status = StatusCode::from_u16(self.error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = if self.page {
            let page = page(&self.error, &self.request_id, "/");
            let html = crate::render::render(&page, &Chrome::default());
            let mut response = (status, axum::response::Html(html)).into_response();
            let policy = HeaderValue::from_static(crate::visit::POLICY);
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
            response
        } else {
            let body = serde_json::json!({
                "status": self.error.status(),
                "code": self.error.code,
                "title": self.error.public,
                "request_id": self.request_id.0,
            });
            let mut response = (status, axum::Json(body)).into_response();
            let kind = HeaderValue::from_static("application/problem+json");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        };
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        retry_after(&self.error, &mut response);
        response
    }
}
