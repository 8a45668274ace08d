//! Keys of a tenant: signing keys (purpose `sign`) and HMAC keys (one a purpose, versioned), all
//! sealed under the tenant's key with the label `key.sealed`.

use crate::{Cell, Db, DbError, Expect, FromValue, ToValue, Unit, Value, args, row, statements};
use base::{Id, Time, id};

/// The purpose of signing keys.
pub const SIGN: &str = "sign";

/// Where a key stands; it goes forward only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyState {
    /// Published, so that whoever verifies tokens knows it before it signs.
    Next,
    /// Signs.
    Current,
    /// Signs no more; what it signed is good until it expires.
    Retired,
    /// Taken back: what it signed is worth nothing.
    Withdrawn,
}

impl KeyState {
    const ALL: [Self; 4] = [Self::Next, Self::Current, Self::Retired, Self::Withdrawn];

    /// As the store and the API write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Retired => "retired",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl FromValue for KeyState {
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        let Cell::Text(text) = cell else { return None };
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

impl ToValue for KeyState {
    fn to_value(self) -> Value {
        self.as_str().to_value()
    }
}

row! {
    /// A key as stored.
    pub struct KeyRow {
        /// Its id.
        pub id: Id<id::Key>,
        /// [`SIGN`], or the purpose of an HMAC key.
        pub purpose: String,
        /// `ES256`, `RS256`, … or `HS256`.
        pub algorithm: String,
        /// Counted within purpose and algorithm.
        pub version: i64,
        /// Where it stands.
        pub state: KeyState,
        /// The sealed key; empty once it was erased.
        pub sealed: Vec<u8>,
        /// The public half as a JWK, for signing keys.
        pub public: Option<String>,
        /// When it was made.
        pub created_at: Time,
        /// Since when it stands there.
        pub changed_at: Time,
    }
}

statements! {
    const OF_TENANT: &str = "SELECT id, purpose, algorithm, version, state, sealed, public, created_at, changed_at \
        FROM key_material WHERE tenant = $1 ORDER BY purpose, algorithm, version";
    const INSERT: &str = "INSERT INTO key_material (tenant, id, purpose, algorithm, version, state, sealed, public, \
        created_at, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    const SET_STATE: &str = "UPDATE key_material SET state = $4, changed_at = $5 \
        WHERE tenant = $1 AND id = $2 AND state = $3";
    const ERASE: &str = "UPDATE key_material SET sealed = $3 WHERE tenant = $1 AND id = $2 \
        AND state IN ('retired', 'withdrawn') AND sealed <> $3";
}

/// All keys of a tenant.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn of_tenant(db: &Db, tenant: Id<id::Tenant>) -> Result<Vec<KeyRow>, DbError> {
    db.many(OF_TENANT, args![tenant]).await
}

/// The signing keys of a tenant, by algorithm, the oldest first.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn signing(db: &Db, tenant: Id<id::Tenant>) -> Result<Vec<KeyRow>, DbError> {
    let mut rows = of_tenant(db, tenant).await?;
    rows.retain(|row| row.purpose == SIGN);
    Ok(rows)
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
            key.state,
            &key.sealed,
            key.public.as_deref(),
            key.created_at,
            key.changed_at
        ],
        Expect::Rows(1),
    );
}

/// Moves a key from one state to the next. Guarded by the state that it is in.
pub fn set_state(unit: &mut Unit, tenant: Id<id::Tenant>, key: &KeyRow, state: KeyState, now: Time) {
    unit.push(SET_STATE, args![tenant, key.id, key.state, state, now], Expect::Rows(1));
}

/// Erases the private half of a key that signs no more. Guarded by its being there.
pub fn erase(unit: &mut Unit, tenant: Id<id::Tenant>, key: Id<id::Key>) {
    unit.push(ERASE, args![tenant, key, Vec::<u8>::new()], Expect::Rows(1));
}
