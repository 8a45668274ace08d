//! Clients that authenticate by a JWT: `private_key_jwt` with keys by value or by URL, and
//! `client_secret_jwt` with a sealed secret (RFC 7523, OpenID Connect Core section 9).

use crate::{
    call::{Call, Failure},
    rows::assertion::redeem,
};
use base::Error;
use jose::{Claims, HmacKey, JwkSet, Keys, Typ, Verified, verify};
use oauth::{
    ErrorCode,
    token::{Assertion, Presented, TokenError},
};
use store::Application;
use work::outbound::OutboundError;

/// Whether this application made the assertion, for here and now, and has not used it before.
///
/// # Errors
/// `invalid_client`; kind `Unavailable` if the store cannot answer.
pub(crate) async fn check(
    call: &Call,
    application: &Application,
    presented: &Presented,
) -> Result<(), Failure> {
    let assertion = presented.check_assertion(&application.client)?;
    let verified = match assertion.algorithm.is_symmetric() {
        true => by_secret(call, application, assertion)?,
        false => by_key(call, application, assertion).await?,
    };
    let verified = verified.ok_or_else(|| presented.invalid_client())?;
    let claims: Claims = verified.claims().map_err(|_| presented.invalid_client())?;
    let issuer = &call.tenant.issuer;
    let (token, here) = (format!("{issuer}/token"), format!("{issuer}{}", call.path()));
    let now = call.now();
    let client_id = &application.client.client_id;
    let used = oauth::assertion::check(&claims, client_id, issuer, &[&token, &here], now.seconds())?;
    let unit = redeem(call.env().id(), call.tenant.id, application.id, &used, now);
    match call.db().commit(unit).await?.done() {
        true => Ok(()),
        false => Err(refused("it was used before").into()),
    }
}

/// With the secret that both sides know.
fn by_secret(
    call: &Call,
    application: &Application,
    assertion: &Assertion,
) -> Result<Option<Verified>, Error> {
    let secrets = application.sealed_secrets(&call.tenant, call.now())?;
    let opens = |secret: &[u8]| {
        let key = HmacKey::new(secret).ok()?.verifying_key();
        verify(assertion.token.expose(), &key.into(), Typ::ClientAssertion).ok()
    };
    Ok(secrets.iter().find_map(|secret| opens(secret)))
}

/// With the application's public keys. One that is not known yet may be new at its address.
async fn by_key(
    call: &Call,
    application: &Application,
    assertion: &Assertion,
) -> Result<Option<Verified>, TokenError> {
    let opens = |set: &JwkSet| {
        let keys = Keys::from_set(set, assertion.algorithm).ok()?;
        verify(assertion.token.expose(), &keys, Typ::ClientAssertion).ok()
    };
    let client = &application.client;
    if let Some(keys) = &client.jwks {
        return Ok(opens(keys));
    }
    let Some(url) = client.jwks_uri.as_ref().map(|uri| uri.as_str()) else { return Ok(None) };
    let kept = call.documents.get(url).await.map_err(|error| unread(error, url))?;
    if let Some(verified) = key_set(&kept.body).ok().as_ref().and_then(opens) {
        return Ok(Some(verified));
    }
    let new = call.documents.refresh(url).await.map_err(|error| unread(error, url))?;
    Ok(opens(&key_set(&new.body)?))
}

fn key_set(document: &[u8]) -> Result<JwkSet, TokenError> {
    serde_json::from_slice(document).map_err(|_| refused("the document at jwks_uri is no key set"))
}

fn unread(error: OutboundError, url: &str) -> TokenError {
    tracing::info!(url, ?error, "the keys of a client could not be read");
    refused(&format!("the keys at jwks_uri could not be read. {error}"))
}

fn refused(why: &str) -> TokenError {
    TokenError::new(ErrorCode::InvalidClient, &format!("the client assertion is refused: {why}"))
}
