//! Client assertions: the claims of a JWT by which a client authenticates (RFC 7521 section 4.2,
//! RFC 7523 section 3, OpenID Connect Core section 9).
//!
//! Must not: verify a signature or remember what was used; the caller does both, with the
//! [`AssertionUse`] that a successful check gives back.

#[cfg(test)]
mod tests;

use jose::Claims;

use crate::{ClientId, token::TokenError};

/// The one value of `client_assertion_type` (RFC 7523 section 2.2).
pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How far clocks may differ, in seconds.
pub const LEEWAY: i64 = 60;
/// How far ahead an assertion may expire, in seconds.
pub const MAX_LIFETIME: i64 = 60 * 60;
/// The longest `jti`, in characters.
pub const MAX_JTI: usize = 256;

/// What must be remembered so that an assertion works once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AssertionUse {
    /// Its own name, unique for its client.
    pub jti: String,
    /// When it can be forgotten, in seconds since the epoch: leeway included.
    pub expires_at: i64,
}

/// Checks the claims of an assertion whose signature holds. `endpoints` are the addresses besides the
/// issuer that it may be made for: those of the token endpoint and of the endpoint that is called.
///
/// # Errors
/// `invalid_client`, whatever is wrong (RFC 7521 section 4.2.1).
pub fn check(
    claims: &Claims,
    client_id: &ClientId,
    issuer: &str,
    endpoints: &[&str],
    now: i64,
) -> Result<AssertionUse, TokenError> {
    let refused = |claim: &str| Err(TokenError::invalid_assertion(claim));
    let is_client = |claim: &Option<String>| claim.as_deref() == Some(client_id.as_str());
    if !is_client(&claims.iss) || !is_client(&claims.sub) {
        return refused("iss and sub must both be the client_id");
    }
    // Another name beside ours would let its owner present the assertion here.
    let is_here = |name: &str| name == issuer || endpoints.contains(&name);
    if claims.aud.is_empty() || !claims.aud.iter().all(is_here) {
        return refused("aud must be the issuer or the token endpoint, and nobody else");
    }
    let expires_at = expiry(claims, now).map_err(TokenError::invalid_assertion)?;
    match &claims.jti {
        Some(jti) if (1..=MAX_JTI).contains(&jti.chars().count()) => {
            Ok(AssertionUse { jti: jti.clone(), expires_at })
        }
        _ => refused("jti must have 1 to 256 characters"),
    }
}

/// When the assertion can no longer be used, if its times hold (RFC 7523 section 3, items 4 to 6).
fn expiry(claims: &Claims, now: i64) -> Result<i64, &'static str> {
    let (earliest, latest) = (now.saturating_sub(LEEWAY), now.saturating_add(LEEWAY));
    let expires_at = claims.exp.ok_or("exp is missing")?.0;
    if expires_at <= earliest {
        return Err("it is expired");
    }
    if expires_at > latest.saturating_add(MAX_LIFETIME) {
        return Err("exp must be at most one hour ahead");
    }
    if claims.nbf.is_some_and(|start| start.0 > latest) {
        return Err("nbf is ahead");
    }
    // One made long ago was kept somewhere, whatever its expiry.
    let issued_sanely = |issued: i64| (earliest.saturating_sub(MAX_LIFETIME)..=latest).contains(&issued);
    if claims.iat.is_some_and(|issued| !issued_sanely(issued.0)) {
        return Err("iat is ahead or more than one hour ago");
    }
    Ok(expires_at.saturating_add(LEEWAY))
}
