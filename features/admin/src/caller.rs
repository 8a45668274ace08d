//! Who calls: an API key, an access token of this tenant, or the command line of this machine. No
//! identity comes from anywhere else.

use crate::{
    Admin,
    refusal::{Refusal, UNAUTHENTICATED},
    rows::{administrator, api_key},
    scope::Permissions,
};
use base::{Handle, HandleKind, Id, id};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{header, request::Parts};
use jose::Typ;
use oauth::{Scopes, bearer, claims::AccessTokenClaims};
use serde_json::{Value, json};
use std::{sync::LazyLock, time::Duration};
use store::{
    Application, Directory, Tenant,
    rows::{grant, person},
};

/// A key's last use is noted this often.
const NOTED_EVERY: Duration = Duration::from_secs(60);
static EVERYTHING: LazyLock<Permissions> = LazyLock::new(Permissions::all);

/// Whoever calls, with what they may do.
#[derive(Debug, Clone)]
pub enum Caller {
    /// The command line of this machine: everything. Wiring puts it into a request's extensions;
    /// nothing that comes over the network does.
    Operator,
    /// An API key.
    Key {
        /// Its id.
        id: Id<id::ApiKey>,
        /// What it may do.
        permissions: Permissions,
    },
    /// An access token.
    Token {
        /// The administrator who gave the grant; none where an application acts for itself.
        person: Option<Id<id::Person>>,
        /// The application that it was given to.
        application: Id<id::Application>,
        /// What it may do.
        permissions: Permissions,
    },
}

impl Caller {
    /// What they may do.
    #[must_use]
    pub fn permissions(&self) -> &Permissions {
        match self {
            Self::Operator => &EVERYTHING,
            Self::Key { permissions, .. } | Self::Token { permissions, .. } => permissions,
        }
    }

    /// As an event names the actor.
    pub(crate) const fn actor(&self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Key { .. } | Self::Token { .. } => "api",
        }
    }

    /// As an event's details name them.
    pub(crate) fn named(&self) -> Value {
        match self {
            Self::Operator => json!({ "operator": true }),
            Self::Key { id, .. } => json!({ "api_key": id }),
            Self::Token { person: Some(person), application, .. } => {
                json!({ "user": person, "application": application })
            }
            Self::Token { application, .. } => json!({ "application": application }),
        }
    }

    /// Whoever sent this request to this tenant.
    ///
    /// # Errors
    /// `unauthenticated` for nobody.
    pub(crate) async fn of(admin: &Admin, tenant: &Tenant, parts: &Parts) -> Result<Self, Refusal> {
        let directory = admin.site.directory();
        if let Some(Self::Operator) = parts.extensions.get::<Self>() {
            return Ok(Self::Operator);
        }
        let nobody = || Refusal::new(UNAUTHENTICATED);
        let mut sent = parts.headers.get_all(header::AUTHORIZATION).iter();
        let (Some(sent), None) = (sent.next(), sent.next()) else { return Err(nobody()) };
        let token = bearer::extract(sent.to_str().ok(), None).map_err(|_| nobody())?;
        let found = match Handle::parse(HandleKind::ApiKey, &token) {
            Some(handle) => by_key(directory, tenant, &handle).await?,
            None => match admin.tokens.opened(tenant, &token).or_else(|| verified(tenant, &token)) {
                Some(claims) => by_token(directory, tenant, claims).await?,
                None => None,
            },
        };
        found.ok_or_else(nobody)
    }
}

async fn by_key(directory: &Directory, tenant: &Tenant, handle: &Handle) -> Result<Option<Caller>, Refusal> {
    let (db, env, now) = (directory.db(), directory.env(), directory.env().now());
    let row = api_key::by_id(db, tenant.id, handle.row()).await?;
    let Some(row) = row.filter(|row| handle.matches(&row.secret) && row.is_alive(now)) else {
        return Ok(None);
    };
    if row.used_at.is_none_or(|used| now.since(used) >= NOTED_EVERY)
        && let Err(error) = db.commit(api_key::used(env.id(), tenant.id, row.id, now)).await
    {
        tracing::debug!(%error, "the use of an API key is not noted");
    }
    Ok(Some(Caller::Key { id: row.id, permissions: Permissions::stored(&row.scopes) }))
}

/// An access token that this tenant signed (RFC 9068, section 4) or sealed for this API, whose
/// application is in use. A person's is worth what its grant allows and no more than they may do as administrator.
async fn by_token(
    directory: &Directory,
    tenant: &Tenant,
    claims: AccessTokenClaims,
) -> Result<Option<Caller>, Refusal> {
    let now = directory.env().now();
    let is_here = |aud: &String| is_audience(tenant, aud);
    if !tenant.is_issuer(&claims.iss) || now.seconds() >= claims.exp || !claims.aud.iter().any(is_here) {
        return Ok(None);
    }
    let application = directory.application(tenant, &claims.client_id).await?;
    let Some(application) = application.filter(|application| application.active) else { return Ok(None) };
    let scopes: Scopes = claims.scope.parse().unwrap_or_default();
    // What the application may ask for no more is worth nothing any more.
    let permissions = Permissions::of_scopes(&scopes).and(&reach(tenant, &application.client));
    match claims.auth_time {
        Some(_) => of_person(directory, tenant, (&claims, &application), permissions).await,
        None => {
            let revoked = grant::token_revoked(directory.db(), tenant.id, &claims.jti).await?;
            let recent = claims.iat >= directory.valid_from().seconds();
            let own = claims.sub == claims.client_id && recent && !revoked;
            Ok(own.then_some(Caller::Token { person: None, application: application.id, permissions }))
        }
    }
}

async fn of_person(
    directory: &Directory,
    tenant: &Tenant,
    (claims, application): (&AccessTokenClaims, &Application),
    permissions: Permissions,
) -> Result<Option<Caller>, Refusal> {
    let (db, now) = (directory.db(), directory.env().now());
    let Some(id) = grant_of(&claims.jti) else { return Ok(None) };
    let grant = grant::by_id(db, tenant.id, id).await?;
    let Some(grant) = grant.filter(|g| g.is_alive(now) && g.application == application.id) else {
        return Ok(None);
    };
    if person::by_subject(db, tenant.id, &claims.sub).await? != Some(grant.person) {
        return Ok(None);
    }
    let Some(own) = administrator::find(db, tenant.id, grant.person).await? else { return Ok(None) };
    let permissions = permissions.and(&Permissions::stored(&own.scopes));
    Ok(Some(Caller::Token { person: Some(grant.person), application: application.id, permissions }))
}

fn verified(tenant: &Tenant, token: &str) -> Option<AccessTokenClaims> {
    jose::verify(token, tenant.verifying_keys(), Typ::AccessToken).ok()?.claims().ok()
}

/// The grant that a `jti` begins with.
fn grant_of(token_id: &str) -> Option<Id<id::Grant>> {
    let bytes = URL_SAFE_NO_PAD.decode(token_id).ok()?;
    let (grant, random) = bytes.split_first_chunk::<16>()?;
    (random.len() == 8).then(|| Id::from_bytes(*grant))
}

/// Whether this is what tokens for this API are addressed to, under the issuer of today or one of before.
pub(crate) fn is_audience(tenant: &Tenant, named: &str) -> bool {
    named.strip_suffix("/api/v1").is_some_and(|issuer| tenant.is_issuer(issuer))
}

/// The most that tokens of this application may do here.
pub(crate) fn reach(tenant: &Tenant, client: &oauth::Client) -> Permissions {
    if client.audiences.iter().any(|named| is_audience(tenant, named)) {
        Permissions::of_scopes(&client.allowed_scopes())
    } else {
        Permissions::default()
    }
}
