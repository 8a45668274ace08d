//! Identifiers: addresses and user names, unique by their normal form within a tenant.

use crate::{Db, DbError, Expect, Unit, args, row, statements};
use base::{Id, Identifier, IdentifierKind, Time, id, identifier::NORM_VERSION};

row! {
    /// An identifier as stored.
    pub struct IdentifierRow {
        /// `email` or `username`.
        pub kind: String,
        /// As it is compared.
        pub normal: String,
        /// As it was typed.
        pub typed: String,
        /// Whose it is.
        pub person: Id<id::Person>,
        /// How it was proven, such as `code`; none while unproven.
        pub proof: Option<String>,
        /// When it was proven.
        pub proven_at: Option<Time>,
    }
}

impl IdentifierRow {
    /// Whether it is a proven e-mail address.
    pub fn is_proven_email(&self) -> bool {
        self.kind == "email" && self.proof.is_some()
    }
}

row! {
    /// Who has an identifier, or had it.
    pub struct Owner {
        /// The person.
        pub person: Id<id::Person>,
        /// Until when it is held back for them, deleted as they are; none while it is theirs.
        pub held_until: Option<Time>,
    }
}

statements! {
    const FIND: &str = "SELECT kind, normal, typed, person, proof, proven_at FROM identifier \
        WHERE tenant = $1 AND kind = $2 AND normal = $3 AND held_until IS NULL";
    const OWNER: &str = "SELECT person, held_until FROM identifier \
        WHERE tenant = $1 AND kind = $2 AND normal = $3";
    const TAKEN: &str = "SELECT person FROM identifier WHERE tenant = $1 AND kind = $2 AND normal = $3 \
        AND (held_until IS NULL OR held_until > $4)";
    const OF_PERSON: &str = "SELECT kind, normal, typed, person, proof, proven_at FROM identifier \
        WHERE tenant = $1 AND person = $2 AND held_until IS NULL ORDER BY created_at, kind, normal";
    const INSERT: &str = "INSERT INTO identifier (tenant, kind, normal, typed, norm_version, person, proof, proven_at, \
        created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
        ON CONFLICT (tenant, kind, normal) DO UPDATE SET typed = excluded.typed, \
        norm_version = excluded.norm_version, person = excluded.person, proof = excluded.proof, \
        proven_at = excluded.proven_at, created_at = excluded.created_at, held_until = NULL \
        WHERE identifier.held_until IS NOT NULL AND identifier.held_until <= excluded.created_at";
    const PROVE: &str = "UPDATE identifier SET proof = $5, proven_at = $6 \
        WHERE tenant = $1 AND kind = $2 AND normal = $3 AND person = $4 AND proof IS NULL";
    const REMOVE: &str = "DELETE FROM identifier WHERE tenant = $1 AND kind = $2 AND normal = $3 AND person = $4 \
        AND held_until IS NULL";
    const RELEASE: &str = "DELETE FROM identifier WHERE tenant = $1 AND person = $2 AND kind <> 'username'";
    const HOLD: &str = "UPDATE identifier SET held_until = $3, typed = normal \
        WHERE tenant = $1 AND person = $2 AND kind = 'username'";
}

/// Whose identifier this is.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn find(
    db: &Db,
    tenant: Id<id::Tenant>,
    kind: IdentifierKind,
    normal: &str,
) -> Result<Option<IdentifierRow>, DbError> {
    db.one(FIND, args![tenant, kind.as_str(), normal]).await
}

/// Who has this identifier, or for whom it is or was held back.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn owner(
    db: &Db,
    tenant: Id<id::Tenant>,
    kind: IdentifierKind,
    normal: &str,
) -> Result<Option<Owner>, DbError> {
    db.one(OWNER, args![tenant, kind.as_str(), normal]).await
}

/// Whether somebody has this identifier, or it is held back for a deleted account.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn taken(
    db: &Db,
    tenant: Id<id::Tenant>,
    identifier: (IdentifierKind, &str),
    now: Time,
) -> Result<bool, DbError> {
    let row: Option<Id<id::Person>> =
        db.one(TAKEN, args![tenant, identifier.0.as_str(), identifier.1, now]).await?;
    Ok(row.is_some())
}

/// All identifiers of a person, the oldest first.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn of_person(
    db: &Db,
    tenant: Id<id::Tenant>,
    person: Id<id::Person>,
) -> Result<Vec<IdentifierRow>, DbError> {
    db.many(OF_PERSON, args![tenant, person]).await
}

/// Gives an identifier to a person, proven in this way or unproven. Conflicts if it is taken.
pub fn insert(
    unit: &mut Unit,
    tenant: Id<id::Tenant>,
    person: Id<id::Person>,
    identifier: (&Identifier, Option<&str>),
    now: Time,
) {
    let (value, proof) = identifier;
    unit.push(
        INSERT,
        args![
            tenant,
            value.kind().as_str(),
            value.normal(),
            value.as_typed(),
            NORM_VERSION,
            person,
            proof,
            proof.map(|_| now),
            now
        ],
        Expect::Rows(1),
    );
}

/// Marks an unproven identifier of this person as proven.
pub fn prove(
    unit: &mut Unit,
    tenant: Id<id::Tenant>,
    person: Id<id::Person>,
    identifier: (IdentifierKind, &str, &str),
    now: Time,
) {
    let (kind, normal, proof) = identifier;
    unit.push(PROVE, args![tenant, kind.as_str(), normal, person, proof, now], Expect::Rows(1));
}

/// Takes an identifier from a person.
pub fn remove(
    unit: &mut Unit,
    tenant: Id<id::Tenant>,
    person: Id<id::Person>,
    identifier: (IdentifierKind, &str),
) {
    unit.push(REMOVE, args![tenant, identifier.0.as_str(), identifier.1, person], Expect::Rows(1));
}

/// Releases the addresses of a deleted person at once and holds back their user names until then.
pub fn release(unit: &mut Unit, tenant: Id<id::Tenant>, person: Id<id::Person>, names_until: Time) {
    unit.push(RELEASE, args![tenant, person], Expect::Any);
    unit.push(HOLD, args![tenant, person, names_until], Expect::Any);
}
