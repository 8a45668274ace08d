//! Keys for the admin API.

use base::{Id, Time, id};
use store::{Db, DbError, Expect, Unit, UnitId, args, row, rows::filtered::List, statements};

row! {
    /// A key as stored: the hash of its handle, never the handle.
    pub(crate) struct ApiKeyRow {
        /// Its id.
        pub(crate) id: Id<id::ApiKey>,
        /// What people call it.
        pub(crate) name: String,
        /// Hash of its handle.
        pub(crate) secret: Vec<u8>,
        /// Its scopes, separated by spaces.
        pub(crate) scopes: String,
        /// Since when.
        pub(crate) created_at: Time,
        /// When it stops being accepted.
        pub(crate) expires_at: Option<Time>,
        /// When it was last used, to about a minute.
        pub(crate) used_at: Option<Time>,
        /// When it was revoked.
        pub(crate) revoked_at: Option<Time>,
        /// Raised at each change.
        pub(crate) version: i64,
    }
}

impl ApiKeyRow {
    /// Whether it is accepted now.
    pub(crate) fn is_alive(&self, now: Time) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// By the beginning of the name.
pub(crate) const API_KEY: List<id::ApiKey> = List::new(KEYS, COUNT_KEYS);

statements! {
    const KEYS: &str = "SELECT id FROM api_key WHERE tenant = $1 AND id > $2 \
        AND substr(lower(name), 1, length($3)) = lower($3) ORDER BY id LIMIT $4";
    const COUNT_KEYS: &str = "SELECT CAST(count(*) AS BIGINT) FROM (SELECT 1 FROM api_key \
        WHERE tenant = $1 AND substr(lower(name), 1, length($2)) = lower($2) LIMIT 1001) AS counted";
    const BY_ID: &str = "SELECT id, name, secret, scopes, created_at, expires_at, used_at, revoked_at, version \
        FROM api_key WHERE tenant = $1 AND id = $2";
    const INSERT: &str = "INSERT INTO api_key (tenant, id, name, secret, scopes, created_at, expires_at, version) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, 1)";
    const UPDATE: &str = "UPDATE api_key SET name = $4, scopes = $5, expires_at = $6, version = version + 1 \
        WHERE tenant = $1 AND id = $2 AND version = $3 AND revoked_at IS NULL";
    const REVOKE: &str = "UPDATE api_key SET revoked_at = $3, version = version + 1 \
        WHERE tenant = $1 AND id = $2 AND revoked_at IS NULL";
    const USED: &str = "UPDATE api_key SET used_at = $3 WHERE tenant = $1 AND id = $2 AND (used_at IS NULL OR used_at < $3)";
    const USED_PROBE: &str = "SELECT 1 FROM api_key WHERE tenant = $1 AND id = $2 AND used_at >= $3";
}

/// The key with this id.
pub(crate) async fn by_id(
    db: &Db,
    tenant: Id<id::Tenant>,
    id: Id<id::ApiKey>,
) -> Result<Option<ApiKeyRow>, DbError> {
    db.one(BY_ID, args![tenant, id]).await
}

/// A new key.
pub(crate) fn insert(unit: &mut Unit, tenant: Id<id::Tenant>, key: &ApiKeyRow) {
    unit.push(
        INSERT,
        args![tenant, key.id, &key.name, &key.secret, &key.scopes, key.created_at, key.expires_at],
        Expect::Rows(1),
    );
}

/// Writes name, scopes and expiry. Guarded by the version.
pub(crate) fn update(unit: &mut Unit, tenant: Id<id::Tenant>, key: &ApiKeyRow) {
    unit.push(
        UPDATE,
        args![tenant, key.id, key.version, &key.name, &key.scopes, key.expires_at],
        Expect::Rows(1),
    );
}

/// It is accepted no more.
pub(crate) fn revoke(unit: &mut Unit, tenant: Id<id::Tenant>, id: Id<id::ApiKey>, now: Time) {
    unit.push(REVOKE, args![tenant, id, now], Expect::Rows(1));
}

/// A unit that notes the use of a key. May be lost.
pub(crate) fn used(unit: UnitId, tenant: Id<id::Tenant>, id: Id<id::ApiKey>, now: Time) -> Unit {
    Unit::marked(unit, USED_PROBE, args![tenant, id, now]).write(USED, args![tenant, id, now], Expect::Any)
}
