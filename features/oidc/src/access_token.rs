//! Access tokens as they come back: a signed JWT (RFC 9068), or the same claims sealed where an
//! application's tokens are opaque. Neither has a row; what they stand on has.

use crate::{
    call::{Call, Failure},
    keys, mint,
};
use base::{Aad, Env, Error};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jose::Typ;
use oauth::claims::AccessTokenClaims;
use std::sync::Arc;
use store::{
    Application, Tenant,
    rows::grant::{self, Held},
};

const PREFIX: &str = "at_";
const LABEL: &str = "access-token";

/// What a token that works stands on.
pub(crate) enum Ground {
    /// Somebody's authorization.
    Grant(Box<Held>),
    /// Nobody's: an application acts for itself.
    Machine,
}

/// A token that works.
pub(crate) struct Living {
    /// The application that it was given to.
    pub(crate) application: Arc<Application>,
    /// What it stands on.
    pub(crate) ground: Ground,
}

/// The claims as an opaque token.
///
/// # Errors
/// Kind `Internal` if they cannot be written.
pub(crate) fn seal(env: &Env, tenant: &Tenant, claims: &AccessTokenClaims) -> Result<String, Error> {
    let plain = serde_json::to_vec(claims).map_err(|error| Error::internal(error.to_string()))?;
    let sealed = tenant.key.seal(env.rng(), Aad::new(&tenant.id, LABEL, &tenant.id), &plain);
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(sealed)))
}

/// The claims of an opaque access token of this tenant, whether or not it still works; of anything
/// else none.
#[must_use]
pub fn opened(tenant: &Tenant, token: &str) -> Option<AccessTokenClaims> {
    let sealed = URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok()?;
    let plain = tenant.key.open(Aad::new(&tenant.id, LABEL, &tenant.id), &sealed).ok()?;
    serde_json::from_slice(&plain).ok()
}

/// The claims of an access token of this tenant that has not expired, made under an issuer of today
/// or of before; of anything else none.
pub(crate) fn read(call: &Call, token: &str) -> Option<Arc<AccessTokenClaims>> {
    let tenant = &call.tenant;
    let check = || opened(tenant, token).or_else(|| keys::verify(tenant, token, Typ::AccessToken));
    let claims = call.remembered().claims(tenant, token, check)?;
    (tenant.is_issuer(&claims.iss) && call.now().seconds() < claims.exp).then_some(claims)
}

/// What the token stands on, unless that has ended or its application is not in use any more.
///
/// # Errors
/// Kind `Unavailable` if the store cannot answer.
pub(crate) async fn living(call: &Call, claims: &AccessTokenClaims) -> Result<Option<Living>, Failure> {
    let application = call.site.directory().application(&call.tenant, &claims.client_id).await?;
    let Some(application) = application.filter(|application| application.active) else { return Ok(None) };
    let ground = match is_machine(claims) {
        true => {
            let revoked = grant::token_revoked(call.db(), call.tenant.id, &claims.jti).await?;
            let recent = claims.iat >= call.site.directory().valid_from().seconds();
            (recent && !revoked).then_some(Ground::Machine)
        }
        false => standing(call, &application, claims).await?.map(|held| Ground::Grant(Box::new(held))),
    };
    Ok(ground.map(|ground| Living { application, ground }))
}

async fn standing(
    call: &Call,
    application: &Application,
    claims: &AccessTokenClaims,
) -> Result<Option<Held>, Failure> {
    let Some(id) = mint::grant_of(&claims.jti) else { return Ok(None) };
    let held = grant::held(call.db(), call.tenant.id, id).await?;
    let stands = |held: &Held| held.grant.is_alive(call.now()) && held.grant.application == application.id;
    Ok(held.filter(stands))
}

/// Whether an application acts for itself: nobody authenticated then.
fn is_machine(claims: &AccessTokenClaims) -> bool {
    claims.auth_time.is_none() && claims.sub == claims.client_id
}
