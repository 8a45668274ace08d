//! Keys of a tenant: signing keys (purpose `sign`) and HMAC keys (one a purpose, versioned), all
//! sealed under the tenant's key with the label `key.sealed`.

use crate::{Db, DbError, Expect, Unit, args, row, statements};
use base::{Id, Time, id};

row! {
    /// A key as stored.
    pub struct KeyRow {
        /// Its id.
        pub id: Id<id::Key>,
        /// `sign`, or the purpose of an HMAC key.
        pub purpose: String,
        /// `ES256`, `RS256`, … or `HS256`.
        pub algorithm: String,
        /// Counted within purpose and algorithm.
        pub version: i64,
        /// `next`, `current` or `retired`.
        pub state: String,
        /// The sealed key.
        pub sealed: Vec<u8>,
        /// The public half as a JWK, for signing keys.
        pub public: Option<String>,
        /// Since when.
        pub created_at: Time,
    }
}

statements! {
    const OF_TENANT: &str = "SELECT id, purpose, algorithm, version, state, sealed, public, created_at \
        FROM key_material WHERE tenant = $1 ORDER BY purpose, algorithm, version";
    const INSERT: &str = "INSERT INTO key_material (tenant, id, purpose, algorithm, version, state, sealed, public, \
        created_at, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)";
    const SET_STATE: &str = "UPDATE key_material SET state = $4, changed_at = $5 \
        WHERE tenant = $1 AND id = $2 AND state = $3";
}

/// All keys of a tenant.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn of_tenant(db: &Db, tenant: Id<id::Tenant>) -> Result<Vec<KeyRow>, DbError> {
    db.many(OF_TENANT, args![tenant]).await
}

/// A new key.
pub fn insert(unit: &mut Unit, tenant: Id<id::Tenant>, key: &KeyRow) {
    unit.push(
        INSERT,
        args![
            tenant,
            key.id,
            &key.purpose,
            &key.algorithm,
            key.version,
            &key.state,
            &key.sealed,
            key.public.as_deref(),
            key.created_at
        ],
        Expect::Rows(1),
    );
}

/// Moves a key from one state to the next. Guarded by the state that it is in.
pub fn set_state(unit: &mut Unit, tenant: Id<id::Tenant>, key: &KeyRow, state: &str, now: Time) {
    unit.push(SET_STATE, args![tenant, key.id, &key.state, state, now], Expect::Rows(1));
}
