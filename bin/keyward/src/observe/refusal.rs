//! Answers that the edge gives itself, before or instead of a feature: a plain page, or
//! problem+json (RFC 9457) for programs. They need no template, tenant or database.

use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use base::RequestId;
use http::header::{ACCEPT, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode, Version};
use serde_json::{Map, Value};

/// Why the edge answers itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A trusted proxy sent an `X-Forwarded-For` that cannot be understood.
    ForwardedFor,
    /// The body is larger than any form of ours.
    TooLarge,
    /// The body came too slowly (RFC 9110, section 15.5.9).
    TooSlow,
    /// The answer took too long.
    TimedOut,
    /// A feature panicked.
    Defect,
}

/// In which form a client hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As the admin API says it, whatever was asked for.
    Api,
    /// As JSON, in the words of OAuth beside those of RFC 9457.
    Json,
    /// As a page.
    Page,
}

impl Form {
    /// What this request asks for. Every browser names HTML when it asks for a page; a program that says
    /// nothing, as at the token endpoint, wants no page.
    pub(super) fn of(request: &Request) -> Self {
        let accept = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
        if is_api(request.uri().path()) {
            Self::Api
        } else if accept.is_some_and(|accept| accept.contains("html") && !accept.contains("json")) {
            Self::Page
        } else {
            Self::Json
        }
    }
}

/// Whether this is an address of the admin API: at the root, or below a tenant's path.
pub(super) fn is_api(path: &str) -> bool {
    let below = path.strip_prefix("/t/").and_then(|rest| rest.find('/').and_then(|at| rest.get(at..)));
    below.unwrap_or(path).starts_with("/api/v1")
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::ForwardedFor => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TimedOut => StatusCode::SERVICE_UNAVAILABLE,
            Self::Defect => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::ForwardedFor => "forwarded_for",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::TimedOut => "timed_out",
            Self::Defect => "internal",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::ForwardedFor => {
                "The proxy in front of this server described your connection in a way that cannot be understood. Please tell whoever runs it."
            }
            Self::TooLarge => "What was sent is too large. Go back and send less.",
            Self::TooSlow => "What was sent arrived too slowly. Please try again.",
            Self::TimedOut => "This took too long. Please try again in a moment.",
            Self::Defect => {
                "Something went wrong here; it is not your fault, and it was noted. Please try again."
            }
        }
    }

    /// The code that the admin API gives for this.
    fn api_code(self) -> &'static str {
        match self {
            Self::ForwardedFor => "malformed",
            Self::TooLarge => "too-large",
            Self::TooSlow => "too-slow",
            Self::TimedOut => "unavailable",
            Self::Defect => "internal",
        }
    }

    /// The code of RFC 6749, sections 4.1.2.1 and 5.2, for this.
    fn oauth_code(self) -> &'static str {
        match self {
            Self::ForwardedFor | Self::TooLarge | Self::TooSlow => "invalid_request",
            Self::TimedOut => "temporarily_unavailable",
            Self::Defect => "server_error",
        }
    }

    /// The answer in this form, for a request of this version.
    pub(super) fn respond(self, (form, version): (Form, Version), id: &RequestId) -> Response {
        let (kind, body) = match form {
            Form::Api => ("application/problem+json", text(&self.api(id))),
            Form::Json => ("application/problem+json", text(&self.oauth(id))),
            Form::Page => ("text/html; charset=utf-8", self.page(id)),
        };
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
        );
        if self == Self::TimedOut {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        // The rest of the body may still come, and nobody waits for it. HTTP/2 ends the stream instead.
        if self == Self::TooSlow && version < Version::HTTP_2 {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    fn api(self, id: &RequestId) -> Map<String, Value> {
        let mut json = self.json(self.api_code(), id);
        json.insert("type".to_owned(), format!("/api/v1/problems/{}", self.api_code()).into());
        json
    }

    fn oauth(self, id: &RequestId) -> Map<String, Value> {
        let mut json = self.json(self.code(), id);
        json.insert("error".to_owned(), self.oauth_code().into());
        json.insert("error_description".to_owned(), self.sentence().into());
        json
    }

    fn json(self, code: &'static str, id: &RequestId) -> Map<String, Value> {
        [
            ("type", Value::from("about:blank")),
            ("title", self.status().canonical_reason().into()),
            ("status", self.status().as_u16().into()),
            ("code", code.into()),
            ("detail", self.sentence().into()),
            ("request_id", id.0.as_str().into()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
    }

    /// The id holds letters, digits, `-` and `_` only, see `edge`.
    fn page(self, id: &RequestId) -> String {
        let title = self.status().canonical_reason().unwrap_or("Error");
        format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
             <meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title>\
             <main id=\"error\"><h1>{title}</h1><p>{}</p><p><small>{}</small></p></main></html>",
            self.sentence(),
            id.0
        )
    }
}

fn text(json: &Map<String, Value>) -> String {
    serde_json::to_string(json).unwrap_or_default()
}
