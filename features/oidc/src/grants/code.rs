//! `authorization_code` (RFC 6749 section 4.1.3): one success, ever.

use super::{replayed, unit};
use crate::{
    call::{Call, Failure},
    mint::{self, Granted, Holder},
    notice,
    refresh_token::RefreshToken,
};
use base::{Error, Handle, HandleKind};
use oauth::{
    RedirectUri,
    client::GrantType,
    pkce::{CodeChallenge, CodeVerifier},
    token::{Artefact, CodeBinding, TokenError, check_code},
};
use store::{
    Application, Mac,
    rows::grant::{self, GrantRow, Held},
};

/// What is presented.
pub(super) struct Presented<'a> {
    pub(super) code: &'a Artefact,
    pub(super) redirect_uri: Option<&'a str>,
    pub(super) verifier: &'a Option<CodeVerifier>,
}

/// Redeems a code. Used again by its own application it ends its grant, whoever came first.
pub(super) async fn redeem(
    call: &Call,
    application: &Application,
    presented: &Presented<'_>,
    resources: &[String],
) -> Result<Granted, Failure> {
    let found = find(call, presented).await?;
    let grant = &found.grant;
    check(call, application, presented, grant)?;
    if grant.code_redeemed_at.is_some() {
        return Err(Box::pin(replayed(call, application, found, "code")).await?);
    }
    if !grant.is_alive(call.now()) {
        return Err(dead());
    }
    let scopes = grant.scopes.parse().map_err(|_| Error::internal("the scopes of a grant are none"))?;
    // Before the code is used up.
    let aim = mint::aim(call, &application.client, (&scopes, Some(grant)), resources)?;
    let holder = Holder::load(call, &application.client, found).await?;
    let key = match application.client.allows(GrantType::RefreshToken) {
        true => Some(call.tenant.mac(Mac::Refresh)?.0),
        false => None,
    };
    let mut unit = unit(call, &holder, "grant.redeemed", serde_json::Value::Null)?;
    grant::redeem(&mut unit, call.tenant.id, holder.grant.id, key, call.now());
    notice::listen(call, application, &holder, &mut unit);
    if !call.db().commit(unit).await?.done() {
        let now = find(call, presented).await?;
        let lost = now.grant.code_redeemed_at.is_some();
        return Err(if lost { Box::pin(replayed(call, application, now, "code")).await? } else { dead() });
    }
    let first = key.map(|key| RefreshToken { grant: holder.grant.id, number: 1, key });
    let refresh = first.map(|token| token.reveal(&call.tenant)).transpose()?;
    let nonce = holder.grant.nonce.clone();
    Ok(Granted { holder: Some(holder), aim, refresh, nonce })
}

async fn find(call: &Call, presented: &Presented<'_>) -> Result<Held, Failure> {
    let unknown = || TokenError::invalid_grant("the code is unknown");
    let handle = Handle::parse(HandleKind::Code, presented.code.expose()).ok_or_else(unknown)?;
    let held = grant::held(call.db(), call.tenant.id, handle.row()).await?;
    let fits = |held: &Held| held.grant.code.as_deref().is_some_and(|hash| handle.matches(hash));
    Ok(held.filter(fits).ok_or_else(unknown)?)
}

/// Whether this application may redeem it so. A code that was redeemed has no expiry any more: its
/// replay counts whenever it comes.
fn check(
    call: &Call,
    application: &Application,
    presented: &Presented<'_>,
    grant: &GrantRow,
) -> Result<(), Failure> {
    if grant.application != application.id {
        return Err(TokenError::invalid_grant("the code was given to another application").into());
    }
    let broken = || Error::internal("what a code is bound to cannot be read");
    let redirect_uri = grant.redirect_uri.as_deref().unwrap_or_default();
    let redirect_uri: RedirectUri = redirect_uri.parse().map_err(|_| broken())?;
    let challenge: Option<CodeChallenge> =
        grant.challenge.as_deref().map(str::parse).transpose().map_err(|_| broken())?;
    let expires_at = match grant.code_redeemed_at {
        Some(_) => i64::MAX,
        None => grant.code_until.map_or(0, |until| until.seconds()),
    };
    let binding = CodeBinding {
        client_id: &application.client.client_id,
        redirect_uri: &redirect_uri,
        challenge: challenge.as_ref(),
        expires_at,
    };
    let verifier = presented.verifier.as_ref();
    let now = call.now().seconds();
    Ok(check_code(&binding, &application.client, presented.redirect_uri, verifier, now)?)
}

fn dead() -> Failure {
    TokenError::invalid_grant("the authorization has ended").into()
}
