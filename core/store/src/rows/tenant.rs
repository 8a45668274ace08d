//! Tenants: isolated directories of people, keys, applications and settings.

use crate::{Db, DbError, Expect, Unit, args, row, statements};
use base::{Id, Time, id};
use serde::{Deserialize, Serialize};

row! {
    /// A tenant as it is stored.
    pub struct TenantRow {
        /// Its id.
        pub id: Id<id::Tenant>,
        /// Its short name in addresses.
        pub slug: String,
        /// Its one issuer, an absolute URL without a trailing slash.
        pub issuer: String,
        /// The relying party id of its passkeys.
        pub rp_id: String,
        /// Its name for people.
        pub name: String,
        /// `active` or `disabled`.
        pub state: String,
        /// [`Settings`] as JSON.
        pub settings: String,
        /// Its key, sealed under the root key.
        pub sealed_key: Vec<u8>,
        /// Raised in the unit of every change to the tenant, its applications, keys or settings.
        pub version: i64,
    }
}

/// What an operator decides for a tenant. Every field has a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether people may create accounts themselves.
    pub registration: bool,
    /// Whether accounts may have a user name beside the address.
    pub usernames: bool,
    /// The security profile: `default` or `nist-aal2`.
    pub profile: String,
    /// The least length of a password, where it differs from the profile's.
    pub password_min: Option<u32>,
    /// Seconds after which an unused session ends.
    pub session_idle: u32,
    /// Seconds after which every session ends.
    pub session_absolute: u32,
    /// Days after which a key that signs is replaced; 0 for by command only.
    pub key_rotation_days: u32,
    /// Days that a key is published before it signs.
    pub key_publish_days: u32,
    /// Whether applications may watch the session in a frame (OpenID Connect Session Management 1.0).
    pub session_management: bool,
    /// The language where nothing else says one.
    pub locale: String,
    /// The branding of the pages: product name, logo, colours (`light`, `dark`), radius, font.
    pub theme: serde_json::Map<String, serde_json::Value>,
    /// Changed templates of pages and mails, by name.
    pub templates: std::collections::BTreeMap<String, String>,
    /// Who may register applications by themselves.
    pub client_registration: ClientRegistration,
    /// What they may register; everything that exists here if nothing is said.
    pub client_policy: Option<oauth::registration::Policy>,
    /// Address of the privacy policy.
    pub privacy_url: Option<String>,
    /// Address of the terms of service.
    pub terms_url: Option<String>,
}

/// Who may register applications by themselves (RFC 7591 section 3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientRegistration {
    /// Nobody.
    #[default]
    Off,
    /// Whoever has an initial access token.
    Token,
    /// Anybody.
    Open,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            registration: true,
            usernames: true,
            profile: "default".to_owned(),
            password_min: None,
            session_idle: 7 * 86_400,
            session_absolute: 30 * 86_400,
            key_rotation_days: 90,
            key_publish_days: 7,
            session_management: false,
            locale: "en".to_owned(),
            theme: Default::default(),
            templates: Default::default(),
            client_registration: ClientRegistration::Off,
            client_policy: None,
            privacy_url: None,
            terms_url: None,
        }
    }
}

statements! {
    pub(crate) const BY_ID: &str = "SELECT id, slug, issuer, rp_id, name, state, settings, sealed_key, version \
        FROM tenant WHERE id = $1";
    const BY_SLUG: &str = "SELECT id FROM tenant WHERE slug = $1";
    const BY_ISSUER: &str = "SELECT id FROM tenant WHERE issuer = $1";
    const BY_ALIAS: &str = "SELECT tenant FROM issuer_alias WHERE issuer = $1";
    const LIST: &str = "SELECT id, slug, issuer, rp_id, name, state, settings, sealed_key, version \
        FROM tenant ORDER BY created_at, id";
    const FIRST: &str = "SELECT id FROM tenant ORDER BY created_at, id LIMIT 1";
    const CHANGED: &str = "SELECT id, version FROM tenant WHERE changed_at >= $1";
    const VERSIONS: &str = "SELECT id, version FROM tenant";
    const INSERT: &str = "INSERT INTO tenant (id, slug, issuer, rp_id, name, state, settings, sealed_key, version, \
        changed_at, created_at) VALUES ($1, $2, $3, $4, $5, 'active', $6, $7, 1, $8, $8)";
    const RAISE: &str = "UPDATE tenant SET version = version + 1, changed_at = $3 WHERE id = $1 AND version = $2";
    const UPDATE: &str = "UPDATE tenant SET name = $3, settings = $4, state = $5, version = version + 1, changed_at = $6 \
        WHERE id = $1 AND version = $2";
    const MOVE: &str = "UPDATE tenant SET issuer = $3, rp_id = $4, version = version + 1, changed_at = $5 \
        WHERE id = $1 AND version = $2";
    const KEEP_ALIAS: &str = "INSERT INTO issuer_alias (issuer, tenant, retired_at) VALUES ($1, $2, $3) \
        ON CONFLICT (issuer) DO UPDATE SET tenant = excluded.tenant, retired_at = excluded.retired_at";
    const ALIASES: &str = "SELECT issuer FROM issuer_alias WHERE tenant = $1 ORDER BY retired_at";
    const DROP_ALIAS: &str = "DELETE FROM issuer_alias WHERE issuer = $1";
}

/// The tenant with this id.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn by_id(db: &Db, id: Id<id::Tenant>) -> Result<Option<TenantRow>, DbError> {
    db.one(BY_ID, args![id]).await
}

/// The id of the tenant with this slug.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn by_slug(db: &Db, slug: &str) -> Result<Option<Id<id::Tenant>>, DbError> {
    db.one(BY_SLUG, args![slug]).await
}

/// The id of the tenant with this issuer.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn by_issuer(db: &Db, issuer: &str) -> Result<Option<Id<id::Tenant>>, DbError> {
    db.one(BY_ISSUER, args![issuer]).await
}

/// The id of the tenant that once had this issuer.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn by_former_issuer(db: &Db, issuer: &str) -> Result<Option<Id<id::Tenant>>, DbError> {
    db.one(BY_ALIAS, args![issuer]).await
}

/// The issuers that the tenant once had, the first one first.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn former_issuers(db: &Db, id: Id<id::Tenant>) -> Result<Vec<String>, DbError> {
    db.many(ALIASES, args![id]).await
}

/// All tenants, the first one first.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn list(db: &Db) -> Result<Vec<TenantRow>, DbError> {
    db.scan(LIST, args![]).await
}

/// The id of the first tenant, which lives at the root path.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn first(db: &Db) -> Result<Option<Id<id::Tenant>>, DbError> {
    db.one(FIRST, args![]).await
}

/// Ids and versions of the tenants changed since then.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn changed_since(db: &Db, since: Time) -> Result<Vec<(Id<id::Tenant>, i64)>, DbError> {
    db.many(CHANGED, args![since]).await
}

/// Ids and versions of all tenants.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn versions(db: &Db) -> Result<Vec<(Id<id::Tenant>, i64)>, DbError> {
    db.scan(VERSIONS, args![]).await
}

/// A new tenant.
pub fn insert(unit: &mut Unit, tenant: &TenantRow, now: Time) {
    unit.push(
        INSERT,
        args![
            tenant.id,
            &tenant.slug,
            &tenant.issuer,
            &tenant.rp_id,
            &tenant.name,
            &tenant.settings,
            &tenant.sealed_key,
            now
        ],
        Expect::Rows(1),
    );
}

/// Raises the version, so that every node drops what it remembers of the tenant. Guarded.
pub fn raise(unit: &mut Unit, id: Id<id::Tenant>, version: i64, now: Time) {
    unit.push(RAISE, args![id, version, now], Expect::Rows(1));
}

/// Writes name, settings and state. Guarded by the version.
pub fn update(unit: &mut Unit, tenant: &TenantRow, now: Time) {
    unit.push(
        UPDATE,
        args![tenant.id, tenant.version, &tenant.name, &tenant.settings, &tenant.state, now],
        Expect::Rows(1),
    );
}

/// Gives the tenant another issuer and keeps the former as an alias. Guarded by the version.
pub fn change_issuer(unit: &mut Unit, tenant: &TenantRow, issuer: &str, rp_id: &str, now: Time) {
    unit.push(MOVE, args![tenant.id, tenant.version, issuer, rp_id, now], Expect::Rows(1));
    unit.push(DROP_ALIAS, args![issuer], Expect::Any);
    unit.push(KEEP_ALIAS, args![&tenant.issuer, tenant.id, now], Expect::Rows(1));
}
