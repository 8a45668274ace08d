//! `client_credentials` (RFC 6749 section 4.4): an application acts for itself. Nothing is written.

use crate::{
    call::{Call, Failure},
    mint::{self, Granted},
};
use oauth::{Client, Scopes};

/// An access token and no refresh token (section 4.4.3).
pub(super) fn grant(
    call: &Call,
    client: &Client,
    scopes: &Scopes,
    resources: &[String],
) -> Result<Granted, Failure> {
    let aim = mint::aim(call, client, (scopes, None), resources)?;
    Ok(Granted { holder: None, aim, refresh: None, nonce: None })
}
