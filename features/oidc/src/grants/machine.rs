//! `client_credentials` (RFC 6749 section 4.4): an application acts for itself. Nothing is written.

use crate::mint::Granted;
use oauth::Scopes;

/// An access token and no refresh token (section 4.4.3).
pub(super) fn grant(scopes: &Scopes) -> Granted {
    Granted { holder: None, scopes: scopes.clone(), refresh: None, nonce: None }
}
