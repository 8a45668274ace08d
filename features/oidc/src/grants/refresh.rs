//! `refresh_token` (RFC 6749 section 6, RFC 9700 section 4.14): everything is asked again.

use super::{replayed, unit};
use crate::{
    call::{Call, Failure},
    issue::seconds,
    mint::{self, Granted, Holder},
    refresh_token::RefreshToken,
};
use base::{Error, Time};
use oauth::{
    ErrorCode, Scopes,
    client::{Client, ConsentMode},
    token::{Artefact, TokenError, refreshed_scopes},
};
use serde_json::Value;
use std::time::Duration;
use store::{
    Application, Mac,
    rows::{
        consent,
        grant::{self, GrantRow},
    },
};

/// How long the token before the present one still gets the present one.
const GRACE: Duration = Duration::from_secs(30);
/// How often a lost race is looked at again.
const TURNS: usize = 4;

/// What a genuine token of a living grant comes to.
enum Turn {
    /// It is the present one and is rotated.
    Rotate,
    /// It is the present one and stays.
    Keep,
    /// Somebody has just rotated it: the same successor again.
    Again,
    /// It was used long ago.
    Replayed,
    /// It is not known yet, or of a key that is not the grant's.
    Unknown,
}

/// Refreshes. A token that is not ours changes nothing.
pub(super) async fn refresh(
    call: &Call,
    application: &Application,
    token: &Artefact,
    (asked, resources): (Option<&Scopes>, &[String]),
) -> Result<Granted, Failure> {
    let token = RefreshToken::parse(&call.tenant, token.expose()).ok_or_else(unknown)?;
    for _ in 0..TURNS {
        let held = grant::held(call.db(), call.tenant.id, token.grant).await?.ok_or_else(unknown)?;
        let grant = &held.grant;
        if grant.application != application.id {
            return Err(invalid("the refresh token was given to another application"));
        }
        if !is_usable(grant, &application.client, call.now()) {
            return Err(invalid("the refresh token is expired or revoked"));
        }
        let scopes = scopes(call, application, grant, asked).await?;
        let aim = mint::aim(call, &application.client, (&scopes, Some(grant)), resources)?;
        let turn = turn(grant, &token, &application.client, call.now());
        let (number, key) = match turn {
            Turn::Unknown => return Err(unknown().into()),
            Turn::Replayed => return Err(Box::pin(replayed(call, application, held, "refresh_token")).await?),
            Turn::Again => (grant.refresh_number, grant.refresh_key.unwrap_or(token.key)),
            Turn::Keep => (token.number, token.key),
            Turn::Rotate => (token.number.saturating_add(1), call.tenant.mac(Mac::Refresh)?.0),
        };
        let holder = Holder::load(call, &application.client, held).await?;
        if commit(call, &holder, &turn, key).await? {
            let refresh = RefreshToken { grant: token.grant, number, key }.reveal(&call.tenant)?;
            return Ok(Granted { holder: Some(holder), aim, refresh: Some(refresh), nonce: None });
        }
    }
    Err(Error::unavailable("a refresh lost its race again and again").into())
}

/// Alive, and used within its time.
fn is_usable(grant: &GrantRow, client: &Client, now: Time) -> bool {
    grant.is_alive(now) && now < usable_until(grant, client)
}

fn usable_until(grant: &GrantRow, client: &Client) -> Time {
    let (idle, absolute) = (client.lifetimes.refresh_idle, client.lifetimes.refresh_absolute);
    let used = grant.refreshed_at.or(grant.code_redeemed_at).unwrap_or(grant.created_at);
    used.plus(seconds(idle)).min(grant.created_at.plus(seconds(absolute))).min(grant.expires_at)
}

/// Until when this token gets tokens, if it does now.
pub(crate) fn refreshable(
    grant: &GrantRow,
    token: &RefreshToken,
    client: &Client,
    now: Time,
) -> Option<Time> {
    let turn = turn(grant, token, client, now);
    let works = is_usable(grant, client, now) && matches!(turn, Turn::Rotate | Turn::Keep | Turn::Again);
    works.then(|| usable_until(grant, client))
}

/// What was granted, as far as the application may still have it and the person still agrees.
async fn scopes(
    call: &Call,
    application: &Application,
    grant: &GrantRow,
    asked: Option<&Scopes>,
) -> Result<Scopes, Failure> {
    let client = &application.client;
    let granted = grant.scopes.parse().map_err(|_| Error::internal("the scopes of a grant are none"))?;
    let mut scopes = refreshed_scopes(&client.client_id, &granted, client, asked)?;
    if client.consent_mode() != ConsentMode::Skip {
        let consent = consent::find(call.db(), call.tenant.id, grant.person, application.id).await?;
        let consent = consent.ok_or_else(|| TokenError::invalid_grant("the consent was taken back"))?;
        let agreed: Scopes = consent.scopes.parse().unwrap_or_default();
        scopes.retain(|scope| agreed.contains(scope.as_str()));
    }
    if scopes.is_empty() {
        let nothing = "nothing that was granted is still allowed";
        return Err(TokenError::new(ErrorCode::InvalidScope, nothing).into());
    }
    Ok(scopes)
}

fn turn(grant: &GrantRow, token: &RefreshToken, client: &Client, now: Time) -> Turn {
    if grant.refresh_key.is_none() || token.number > grant.refresh_number {
        return Turn::Unknown;
    }
    if token.number == grant.refresh_number {
        return match (grant.refresh_key == Some(token.key), client.rotates()) {
            (false, _) => Turn::Unknown,
            (true, true) => Turn::Rotate,
            (true, false) => Turn::Keep,
        };
    }
    let rotated = grant.refreshed_at.unwrap_or(grant.created_at);
    let is_last = token.number.saturating_add(1) == grant.refresh_number;
    // Within, also if the clock was set back since: else the grace would last until it catches up.
    let within = now < rotated.plus(GRACE) && rotated < now.plus(GRACE);
    if is_last && within { Turn::Again } else { Turn::Replayed }
}

/// Writes the turn. False if somebody else was faster or the grant died.
async fn commit(call: &Call, holder: &Holder, turn: &Turn, key: i64) -> Result<bool, Failure> {
    let grant = &holder.grant;
    let mut unit = match turn {
        Turn::Again => return Ok(true),
        _ => unit(call, holder, "grant.refreshed", Value::Null)?,
    };
    match turn {
        Turn::Keep => grant::touch(&mut unit, call.tenant.id, grant.id, call.now()),
        _ => grant::rotate(&mut unit, call.tenant.id, (grant.id, grant.refresh_number), key, call.now()),
    }
    Ok(call.db().commit(unit).await?.done())
}

fn unknown() -> TokenError {
    TokenError::invalid_grant("the refresh token is unknown")
}

fn invalid(description: &str) -> Failure {
    TokenError::invalid_grant(description).into()
}
