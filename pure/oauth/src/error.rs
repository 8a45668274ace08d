//! Error codes of the protocol, and the errors that are shown as a page.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::params::{ParamsError, Repeated};

/// The registered error codes that this server answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// RFC 6749 sections 4.1.2.1 and 5.2.
    InvalidRequest,
    /// RFC 6749 section 5.2.
    InvalidClient,
    /// RFC 6749 section 5.2.
    InvalidGrant,
    /// RFC 6749 sections 4.1.2.1 and 5.2.
    UnauthorizedClient,
    /// RFC 6749 section 5.2.
    UnsupportedGrantType,
    /// RFC 6749 sections 4.1.2.1 and 5.2.
    InvalidScope,
    /// RFC 6749 section 4.1.2.1.
    AccessDenied,
    /// RFC 6749 section 4.1.2.1.
    UnsupportedResponseType,
    /// RFC 6749 section 4.1.2.1.
    ServerError,
    /// RFC 6749 section 4.1.2.1.
    TemporarilyUnavailable,
    /// OpenID Connect Core section 3.1.2.6.
    InteractionRequired,
    /// OpenID Connect Core section 3.1.2.6.
    LoginRequired,
    /// OpenID Connect Core section 3.1.2.6.
    AccountSelectionRequired,
    /// OpenID Connect Core section 3.1.2.6.
    ConsentRequired,
    /// OpenID Connect Core Error Code unmet_authentication_requirements 1.0.
    UnmetAuthenticationRequirements,
    /// OpenID Connect Core section 3.1.2.6.
    RequestNotSupported,
    /// OpenID Connect Core section 3.1.2.6.
    RequestUriNotSupported,
    /// OpenID Connect Core section 3.1.2.6.
    RegistrationNotSupported,
    /// RFC 6750 section 3.1.
    InvalidToken,
    /// RFC 6750 section 3.1.
    InsufficientScope,
    /// RFC 8707 section 2.
    InvalidTarget,
    /// RFC 7591 section 3.2.2.
    InvalidRedirectUri,
    /// RFC 7591 section 3.2.2.
    InvalidClientMetadata,
}

impl ErrorCode {
    /// The code as it stands in an answer.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::InteractionRequired => "interaction_required",
            Self::LoginRequired => "login_required",
            Self::AccountSelectionRequired => "account_selection_required",
            Self::ConsentRequired => "consent_required",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::RegistrationNotSupported => "registration_not_supported",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A code with one sentence for the developer of the application.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {description}")]
pub struct Refusal {
    /// The registered code.
    pub code: ErrorCode,
    /// What is wrong, in the characters that RFC 6749 section 5.2 allows.
    pub description: String,
}

impl Refusal {
    /// Makes a refusal; characters that a description must not contain (RFC 6749 section 5.2) become `?`.
    #[must_use]
    pub fn new(code: ErrorCode, description: &str) -> Self {
        let allowed = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
        let description = description.chars().map(|c| if allowed(c) { c } else { '?' }).take(300).collect();
        Self { code, description }
    }

    pub(crate) fn invalid_request(description: &str) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }
}

impl From<Repeated> for Refusal {
    fn from(repeated: Repeated) -> Self {
        Self::invalid_request(&repeated.to_string())
    }
}

/// What goes wrong before an address of the application is known to be its own. It is shown as a
/// page of ours, never as a redirect (RFC 6749 section 4.1.2.1, RFC 9700 section 4.11).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// The parameters cannot be read at all.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// A parameter that decides where the answer goes is repeated.
    #[error(transparent)]
    Repeated(#[from] Repeated),
    /// `client_id` is missing.
    #[error("the request names no application: client_id is missing")]
    ClientMissing,
    /// `client_id` names no application of this tenant.
    #[error("no application is registered under this client_id")]
    ClientUnknown,
    /// `client_id` and `id_token_hint` name different applications.
    #[error("client_id is not the application that the id_token_hint was made for")]
    ClientMismatch,
    /// `redirect_uri` is missing.
    #[error("redirect_uri is missing")]
    RedirectMissing,
    /// `redirect_uri` is not one of the application's.
    #[error("redirect_uri is not registered for this application")]
    RedirectUnregistered,
    /// `post_logout_redirect_uri` comes without an application that it could belong to.
    #[error("post_logout_redirect_uri needs an id_token_hint or a client_id")]
    LogoutRedirectUnbound,
    /// `post_logout_redirect_uri` is not one of the application's.
    #[error("post_logout_redirect_uri is not registered for this application")]
    LogoutRedirectUnregistered,
}

impl PageError {
    /// The stable name of the error, by which pages find their sentence and the docs their page.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        match self {
            Self::Params(_) => "request-unreadable",
            Self::Repeated(_) => "parameter-repeated",
            Self::ClientMissing => "client-missing",
            Self::ClientUnknown => "client-unknown",
            Self::ClientMismatch => "client-mismatch",
            Self::RedirectMissing => "redirect-missing",
            Self::RedirectUnregistered => "redirect-unregistered",
            Self::LogoutRedirectUnbound => "logout-redirect-unbound",
            Self::LogoutRedirectUnregistered => "logout-redirect-unregistered",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_written_as_serialised() {
        for code in [ErrorCode::InvalidRequest, ErrorCode::RequestUriNotSupported, ErrorCode::LoginRequired] {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }

    #[test]
    fn descriptions_keep_to_their_characters() {
        let refusal = Refusal::invalid_request("a\r\nSet-Cookie: \"x\\y\" ü");
        assert_eq!(refusal.description, "a??Set-Cookie: ?x?y? ?");
    }
}
