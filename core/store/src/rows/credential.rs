//! Credentials: what a person proves themselves with. Their data is sealed under the person's key.

use crate::{Db, DbError, Expect, Unit, args, row, statements};
use base::{Id, Time, id};

row! {
    /// A credential as stored.
    pub struct CredentialRow {
        /// Its id.
        pub id: Id<id::Credential>,
        /// `password`, …
        pub kind: String,
        /// Sealed under the person's key with the label `credential.data`.
        pub data: Vec<u8>,
        /// `active`, or `expired` where it must be changed at the next use.
        pub state: String,
        /// Raised at each change.
        pub version: i64,
        /// When its secret was last changed.
        pub changed_at: Time,
    }
}

statements! {
    const OF_KIND: &str = "SELECT id, kind, data, state, version, changed_at FROM credential \
        WHERE tenant = $1 AND person = $2 AND kind = $3";
    const INSERT: &str = "INSERT INTO credential (tenant, person, id, kind, data, state, version, created_at, changed_at) \
        VALUES ($1, $2, $3, $4, $5, 'active', 1, $6, $6)";
    const REPLACE: &str = "UPDATE credential SET data = $5, version = version + 1, changed_at = $6, state = 'active' \
        WHERE tenant = $1 AND person = $2 AND id = $3 AND version = $4";
    const REHASH: &str = "UPDATE credential SET data = $5, version = version + 1 \
        WHERE tenant = $1 AND person = $2 AND id = $3 AND version = $4";
    const DROP_KIND: &str = "DELETE FROM credential WHERE tenant = $1 AND person = $2 AND kind = $3";
    const DROP_ALL: &str = "DELETE FROM credential WHERE tenant = $1 AND person = $2";
}

/// The person's credential of this kind, for kinds of which there is one.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn of_kind(
    db: &Db,
    tenant: Id<id::Tenant>,
    person: Id<id::Person>,
    kind: &str,
) -> Result<Option<CredentialRow>, DbError> {
    db.one(OF_KIND, args![tenant, person, kind]).await
}

/// A new credential.
pub fn insert(
    unit: &mut Unit,
    tenant: Id<id::Tenant>,
    person: Id<id::Person>,
    credential: (Id<id::Credential>, &str, &[u8]),
    now: Time,
) {
    let (id, kind, data) = credential;
    unit.push(INSERT, args![tenant, person, id, kind, data, now], Expect::Rows(1));
}

/// Another secret in the credential's place. Guarded by the version.
pub fn replace(
    unit: &mut Unit,
    tenant: Id<id::Tenant>,
    person: Id<id::Person>,
    credential: (&CredentialRow, &[u8]),
    now: Time,
) {
    let (old, data) = credential;
    unit.push(REPLACE, args![tenant, person, old.id, old.version, data, now], Expect::Rows(1));
}

/// The same secret hashed with today's parameters. Guarded by the version.
pub fn rehash(
    unit: &mut Unit,
    tenant: Id<id::Tenant>,
    person: Id<id::Person>,
    credential: (&CredentialRow, &[u8]),
) {
    let (old, data) = credential;
    unit.push(REHASH, args![tenant, person, old.id, old.version, data], Expect::Any);
}

/// Removes the credentials of one kind.
pub fn drop_kind(unit: &mut Unit, tenant: Id<id::Tenant>, person: Id<id::Person>, kind: &str) {
    unit.push(DROP_KIND, args![tenant, person, kind], Expect::Any);
}

/// Removes all credentials of a person.
pub fn drop_all(unit: &mut Unit, tenant: Id<id::Tenant>, person: Id<id::Person>) {
    unit.push(DROP_ALL, args![tenant, person], Expect::Any);
}
