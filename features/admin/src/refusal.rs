//! What the admin API refuses: the one table of its codes, as problem+json (RFC 9457).

use axum::response::{IntoResponse, Response};
use base::{Error, Kind, RequestId};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// A stable code with its status and title; `docs/admin-api.md` has a section for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The code.
    pub name: &'static str,
    /// The HTTP status that it always has.
    pub status: u16,
    /// What it says to people.
    pub title: &'static str,
}

macro_rules! codes {
    ($($constant:ident = $name:literal, $status:literal, $title:literal;)*) => {
        $(pub(crate) const $constant: Code = Code { name: $name, status: $status, title: $title };)*

        /// Every code that an answer may carry.
        pub const CODES: &[Code] = &[$($constant),*];
    };
}

codes! {
    UNAUTHENTICATED = "unauthenticated", 401, "No valid API key or access token was sent.";
    INSUFFICIENT_SCOPE = "insufficient-scope", 403, "The credential lacks the scope that this needs.";
    BEYOND_CALLER = "beyond-caller", 403, "This would give or touch more than the caller may do itself.";
    NOT_FOUND = "not-found", 404, "There is nothing at this address.";
    METHOD_NOT_ALLOWED = "method-not-allowed", 405, "This address does not answer this method.";
    MALFORMED = "malformed", 400, "The request cannot be read.";
    INVALID = "invalid", 400, "Values of the request cannot be accepted.";
    MEDIA_TYPE = "unsupported-media-type", 415, "The body must be JSON.";
    TOO_LARGE = "too-large", 413, "The body is too large.";
    TOO_SLOW = "too-slow", 408, "The body came too slowly.";
    TAKEN = "taken", 409, "A value that must be unique is taken.";
    WRONG_STATE = "wrong-state", 409, "The object is in a state in which this cannot be done.";
    CONTENDED = "contended", 409, "Others kept changing the same object. Try again.";
    KEY_REUSED = "idempotency-key-reused", 409, "This Idempotency-Key was used for another request.";
    PRECONDITION = "precondition-failed", 412, "The object was changed since it was read.";
    UNAVAILABLE = "unavailable", 503, "The service cannot answer right now.";
    INTERNAL = "internal", 500, "Something went wrong on our side.";
}

/// Why a request is not carried out.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Somebody else was faster: everything is to be looked at anew.
    Again,
    /// The answer.
    Problem(Box<Problem>),
}

/// An answer that is a refusal.
#[derive(Debug)]
pub(crate) struct Problem {
    code: Code,
    detail: Option<String>,
    /// Field and message.
    fields: Vec<(String, String)>,
    /// The scope that is missing.
    scope: Option<&'static str>,
    private: Option<String>,
    retry_after: Option<Duration>,
    /// Only too many ask: counted elsewhere, and too many lines for the log.
    crowd: bool,
}

impl Refusal {
    /// With this code alone.
    pub(crate) fn new(code: Code) -> Self {
        let (fields, scope, private, retry_after) = (Vec::new(), None, None, None);
        let crowd = false;
        Self::Problem(Box::new(Problem { code, detail: None, fields, scope, private, retry_after, crowd }))
    }

    /// With a sentence of its own.
    pub(crate) fn because(code: Code, detail: impl Into<String>) -> Self {
        Self::new(code).with(|problem| problem.detail = Some(detail.into()))
    }

    /// One value that cannot be accepted.
    pub(crate) fn field(field: impl Into<String>, message: impl ToString) -> Self {
        Self::fields(vec![(field.into(), message.to_string())])
    }

    /// Values that cannot be accepted, each with what is wrong.
    pub(crate) fn fields(fields: Vec<(String, String)>) -> Self {
        Self::new(INVALID).with(|problem| problem.fields = fields)
    }

    /// A unique value of this field that somebody else has.
    pub(crate) fn taken(field: &str) -> Self {
        let fields = vec![(field.to_owned(), "is taken".to_owned())];
        Self::new(TAKEN).with(|problem| problem.fields = fields)
    }

    /// A missing scope.
    pub(crate) fn scope(scope: &'static str) -> Self {
        Self::because(INSUFFICIENT_SCOPE, format!("This needs the scope {scope}."))
            .with(|problem| problem.scope = Some(scope))
    }

    /// Nothing there, or not for the caller's eyes.
    pub(crate) fn not_found() -> Self {
        Self::new(NOT_FOUND)
    }

    fn with(mut self, change: impl FnOnce(&mut Problem)) -> Self {
        if let Self::Problem(problem) = &mut self {
            change(problem);
        }
        self
    }

    /// The answer to a request of this tenant.
    pub(crate) fn respond(self, issuer: &str, request_id: &RequestId) -> Response {
        match self {
            Self::Again => Self::new(CONTENDED).respond(issuer, request_id),
            Self::Problem(problem) => problem.respond(issuer, request_id),
        }
    }
}

impl Problem {
    fn respond(&self, issuer: &str, request_id: &RequestId) -> Response {
        let Code { name, status, title } = self.code;
        self.log(request_id);
        let entry = |(field, message): &(String, String)| json!({ "field": field, "message": message });
        let fields: Vec<Value> = self.fields.iter().map(entry).collect();
        let mut body = Map::from_iter([
            ("type".to_owned(), format!("{issuer}/api/v1/problems/{name}").into()),
            ("title".to_owned(), title.into()),
            ("status".to_owned(), status.into()),
            ("code".to_owned(), name.into()),
            ("request_id".to_owned(), request_id.0.as_str().into()),
        ]);
        let detail = self.detail.as_deref().map(Value::from);
        let more =
            [("detail", detail), ("scope", self.scope.map(Value::from)), ("fields", Some(fields.into()))];
        let told = more.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        body.extend(told.filter(|(_, value)| value.as_array().is_none_or(|list| !list.is_empty())));
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Value::Object(body).to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // RFC 6750, section 3.
        let challenge = match (self.code, self.scope) {
            (UNAUTHENTICATED, _) => Some("Bearer".to_owned()),
            (_, Some(scope)) => Some(format!(r#"Bearer error="insufficient_scope", scope="{scope}""#)),
            _ => None,
        };
        if let Some(challenge) = challenge.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(after) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
        }
        response
    }

    fn log(&self, request_id: &RequestId) {
        let (code, private) = (self.code.name, self.private.as_deref().unwrap_or_default());
        let request_id = request_id.0.as_str();
        match self.code {
            INTERNAL => tracing::error!(request_id, code, private, "an API request failed"),
            UNAVAILABLE if !self.crowd => tracing::warn!(request_id, code, private, "not now"),
            _ => tracing::debug!(request_id, code, private, "an API request was refused"),
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let code = match error.kind {
            Kind::Invalid => INVALID,
            Kind::Unauthenticated => UNAUTHENTICATED,
            Kind::Forbidden => BEYOND_CALLER,
            Kind::NotFound | Kind::Gone => NOT_FOUND,
            Kind::Conflict => TAKEN,
            Kind::TooLarge => TOO_LARGE,
            Kind::TooMany | Kind::Unavailable => UNAVAILABLE,
            Kind::Internal => INTERNAL,
        };
        let crowd = error.is_crowd();
        Self::because(code, error.public).with(|problem| {
            problem.crowd = crowd;
            problem.private = error.private;
            problem.retry_after = error.retry_after;
        })
    }
}

impl From<store::DbError> for Refusal {
    fn from(error: store::DbError) -> Self {
        Error::from(error).into()
    }
}
