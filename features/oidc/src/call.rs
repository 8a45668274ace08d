//! A call of a program: no cookies, no language, JSON out. Every answer is kept out of caches.

use crate::{Oidc, Shared, remembered::Remembered};
use axum::{
    body::Bytes,
    extract::{FromRequestParts, rejection::BytesRejection},
    response::{IntoResponse, Response},
};
use base::{
    Env, Error, Kind, Origin, RequestId, Time,
    net::{ClientAddr, Network},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header, request::Parts};
use oauth::{
    Client, ErrorCode, Params, RedirectUri, bearer::BearerError, registration::RegistrationError,
    token::TokenError,
};
use serde::Serialize;
use std::{ops::Deref, sync::Arc};
use store::{Db, Tenant, rows::person::PersonRow};
use web::tenancy::Addressed;
use work::Subject;

/// One call to one tenant.
pub(crate) struct Call {
    shared: Shared,
    /// Whose endpoint it is.
    pub(crate) tenant: Arc<Tenant>,
    /// Leads to the line in the log.
    pub(crate) request_id: RequestId,
    client: Option<ClientAddr>,
    uri: Uri,
    headers: HeaderMap,
}

/// Why a call is not answered with what it asked for.
pub(crate) enum Failure {
    /// By the rules of the protocol.
    Refused(TokenError),
    /// By the rules of whatever a bearer token opens.
    Bearer(BearerError),
    /// By the rules of registration.
    Unregistered(RegistrationError),
    /// By something else.
    Broken(Error),
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        Self::Refused(error)
    }
}

impl From<BearerError> for Failure {
    fn from(error: BearerError) -> Self {
        Self::Bearer(error)
    }
}

impl From<RegistrationError> for Failure {
    fn from(error: RegistrationError) -> Self {
        Self::Unregistered(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Broken(error)
    }
}

impl From<store::DbError> for Failure {
    fn from(error: store::DbError) -> Self {
        Self::Broken(error.into())
    }
}

impl Call {
    /// The present moment.
    pub(crate) fn now(&self) -> Time {
        self.env().now()
    }

    /// Clock and randomness.
    pub(crate) fn env(&self) -> &Env {
        self.site.env()
    }

    /// The database.
    pub(crate) fn db(&self) -> &Db {
        self.site.db()
    }

    /// The access tokens that were seen lately.
    pub(crate) fn remembered(&self) -> &Remembered {
        &self.shared.0.1
    }

    /// Its network, if the server knows its address.
    pub(crate) fn network(&self) -> Option<Network> {
        self.client.map(ClientAddr::network)
    }

    /// The endpoint, below the issuer.
    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    /// Where it comes from.
    pub(crate) fn origin(&self) -> Origin {
        let agent = self.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Origin {
            address: self.client.map(|client| client.to_string()),
            agent: agent.map(|agent| agent.chars().take(400).collect()),
        }
    }

    /// A header. One that is no text is there, but says nothing.
    pub(crate) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap_or_default())
    }

    /// Whether the body is a form.
    pub(crate) fn has_form(&self) -> bool {
        let kind = self.header(header::CONTENT_TYPE).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    }

    /// The parameters of the body.
    ///
    /// # Errors
    /// `invalid_request` if it is no form or cannot be read.
    pub(crate) fn form(&self, body: Result<Bytes, BytesRejection>) -> Result<Params, TokenError> {
        let invalid = |why: &str| TokenError::new(ErrorCode::InvalidRequest, why);
        let body = body.map_err(|_| invalid("the body is too large or did not arrive"))?;
        if !self.has_form() {
            return Err(invalid("the body must be application/x-www-form-urlencoded"));
        }
        Params::parse(&body).map_err(|error| invalid(&error.to_string()))
    }

    /// An event that happened to this person through this call, with its origin.
    pub(crate) fn event(&self, event: base::Event, person: &PersonRow) -> Result<store::EventRow, Error> {
        let key = self.tenant.person_key(person)?;
        Ok(self.tenant.event(self.env(), event.origin(self.origin()), key.as_ref()))
    }
}

impl Failure {
    /// Whether somebody has not proved who they are.
    pub(crate) fn is_about_proof(&self) -> bool {
        match self {
            Self::Refused(error) => error.code() == ErrorCode::InvalidClient,
            Self::Bearer(BearerError::Refused(refusal)) => refusal.code == ErrorCode::InvalidToken,
            _ => false,
        }
    }

    /// The answer (RFC 6749 section 5.2, RFC 6750 section 3).
    pub(crate) fn respond(self, request_id: &RequestId) -> Response {
        match self {
            Self::Refused(error) => refused(&error, request_id),
            Self::Bearer(error) => barred(&error, request_id),
            Self::Unregistered(error) => {
                let (code, reason) = (error.code().as_str(), error.description());
                tracing::debug!(request_id = request_id.0, code, reason, "a registration was refused");
                json(StatusCode::BAD_REQUEST, &error.body())
            }
            Self::Broken(error) => broken(&error, request_id),
        }
    }
}

fn refused(error: &TokenError, request_id: &RequestId) -> Response {
    let (code, reason) = (error.code().as_str(), error.description());
    tracing::debug!(request_id = request_id.0, code, reason, "a call was refused");
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = json(status, &error.body());
    if let Some(challenge) = error.www_authenticate() {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response
}

fn barred(error: &BearerError, request_id: &RequestId) -> Response {
    tracing::debug!(request_id = request_id.0, reason = %error, "an access token was refused");
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    let body = match error {
        BearerError::Missing => serde_json::json!({}),
        BearerError::Refused(refusal) => {
            serde_json::json!({ "error": refusal.code, "error_description": refusal.description })
        }
    };
    let mut response = json(status, &body);
    if let Ok(challenge) = HeaderValue::from_str(&error.www_authenticate()) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

fn broken(error: &Error, request_id: &RequestId) -> Response {
    web::error::log(error, request_id);
    let (status, code) = match error.kind {
        Kind::NotFound => (StatusCode::NOT_FOUND, ErrorCode::InvalidRequest),
        Kind::TooMany => (StatusCode::TOO_MANY_REQUESTS, ErrorCode::TemporarilyUnavailable),
        Kind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::TemporarilyUnavailable),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::ServerError),
    };
    let mut response = json(
        status,
        &serde_json::json!({
            "error": code,
            "error_description": error.public,
            "request_id": request_id.0,
        }),
    );
    if let Some(after) = error.retry_after {
        let seconds = HeaderValue::from(after.as_secs().max(1));
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

/// JSON that no cache keeps (RFC 6749 section 5.1).
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
    (status, headers, axum::Json(body)).into_response()
}

/// Lets scripts of the calling origin read the answer, if the application is at home there: by its
/// declaration, or as a public application whose redirect URI lies there.
pub(crate) fn share_with(response: &mut Response, call: &Call, client: &Client) {
    if let Some(origin) = call.header(header::ORIGIN).filter(|origin| is_home(client, origin)) {
        share(response, origin);
    }
}

fn is_home(client: &Client, origin: &str) -> bool {
    let is_there = |uri: &RedirectUri| uri.origin().is_some_and(|own| own.as_str() == origin);
    client.allows_origin(origin) || (client.is_public() && client.redirect_uris.iter().any(is_there))
}

/// Lets scripts of this origin read the answer.
pub(crate) fn share(response: &mut Response, origin: &str) {
    if let Ok(origin) = HeaderValue::from_str(origin) {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Origin"));
    }
}

/// The answer to a browser that asks whether a script may send its request. It grants nothing: who
/// may read the answer is said with the answer.
pub(crate) fn preflight(methods: &'static str) -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, "7200"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

impl Deref for Call {
    type Target = Oidc;

    fn deref(&self) -> &Oidc {
        &self.shared
    }
}

impl FromRequestParts<Shared> for Call {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Response> {
        let request_id = parts.extensions.remove::<RequestId>().unwrap_or(RequestId(String::new()));
        let addressed = parts.extensions.remove::<Addressed>();
        let tenant = addressed.map_or(Ok(None), |addressed| addressed.0);
        let tenant =
            tenant.and_then(|tenant| tenant.filter(|tenant| tenant.active).ok_or_else(Error::not_found));
        let tenant = tenant.map_err(|error| broken(&error, &request_id))?;
        let call = Self {
            shared: shared.clone(),
            tenant,
            request_id,
            client: parts.extensions.get::<ClientAddr>().copied(),
            uri: parts.uri.clone(),
            // Nobody else reads them after this.
            headers: std::mem::take(&mut parts.headers),
        };
        let admitted = call.admission.check(Subject::Tenant(call.tenant.id), call.now());
        admitted.map_err(|error| broken(&error, &call.request_id))?;
        Ok(call)
    }
}
