//! People: their state, epochs, attributes and key; the subjects and external ids that name them.

use crate::{Db, DbError, Expect, FromRow, Row, Unit, args, dialect, row, statements};
use base::{Id, Time, id};

row! {
    /// A person as stored.
    pub struct PersonRow {
        /// Their id.
        pub id: Id<id::Person>,
        /// `active`, `suspended` or `deleted`.
        pub state: String,
        /// Sessions and session-bound grants live only while theirs is equal.
        pub epoch: i64,
        /// The same for grants that outlive sessions.
        pub offline_epoch: i64,
        /// Their language, if they chose one.
        pub locale: Option<String>,
        /// Plain attributes as JSON.
        pub attributes: String,
        /// Personal and sensitive attributes, sealed under their key.
        pub sealed_attributes: Option<Vec<u8>>,
        /// Their key, sealed under the tenant's; none once destroyed.
        pub sealed_key: Option<Vec<u8>>,
        /// Raised at each change.
        pub version: i64,
        /// Since when they are known.
        pub created_at: Time,
        /// When anything of them changed last.
        pub updated_at: Time,
    }
}

impl PersonRow {
    /// Whether they may sign in and their sessions and grants live.
    pub fn is_active(&self) -> bool {
        self.state == "active"
    }
}

/// A person with the subject under which applications know them.
#[derive(Debug, Clone)]
pub struct Known {
    /// The person.
    pub person: PersonRow,
    /// The subject; none once they are erased.
    pub subject: Option<String>,
}

impl FromRow for Known {
    fn from_row(row: &Row<'_>) -> Result<Self, DbError> {
        Ok(Self { person: PersonRow::from_row(row)?, subject: row.next()? })
    }
}

/// Which epochs a change raises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raise {
    /// Sessions and what is bound to them end; offline grants stay.
    Sessions,
    /// Everything ends.
    Everything,
}

statements! {
    const BY_ID: &str = "SELECT id, state, epoch, offline_epoch, locale, attributes, sealed_attributes, sealed_key, \
        version, created_at, updated_at FROM person WHERE tenant = $1 AND id = $2";
    const KNOWN: &str = "SELECT id, state, epoch, offline_epoch, locale, attributes, sealed_attributes, sealed_key, \
        version, created_at, updated_at, (SELECT s.sub FROM subject s WHERE s.tenant = person.tenant \
        AND s.person = person.id ORDER BY s.created_at LIMIT 1) FROM person WHERE tenant = $1 AND id = $2";
    const INSERT: &str = "INSERT INTO person (tenant, id, state, epoch, offline_epoch, locale, attributes, \
        sealed_attributes, sealed_key, version, created_at, updated_at) \
        VALUES ($1, $2, 'active', 1, 1, $3, $4, $5, $6, 1, $7, $7)";
    const UPDATE: &str = "UPDATE person SET locale = $4, attributes = $5, sealed_attributes = $6, \
        version = version + 1, updated_at = $7 \
        WHERE tenant = $1 AND id = $2 AND version = $3 AND state <> 'deleted'";
    const TOUCH: &str = "UPDATE person SET version = version + 1, updated_at = $4 \
        WHERE tenant = $1 AND id = $2 AND version = $3 AND state <> 'deleted'";
    const RAISE: &str = "UPDATE person SET epoch = epoch + 1, offline_epoch = offline_epoch + $4, \
        version = version + 1, updated_at = $5 \
        WHERE tenant = $1 AND id = $2 AND epoch = $3 AND state <> 'deleted'";
    const SET_STATE: &str = "UPDATE person SET state = $4, epoch = epoch + 1, offline_epoch = offline_epoch + 1, \
        version = version + 1, updated_at = $5 \
        WHERE tenant = $1 AND id = $2 AND version = $3 AND state <> 'deleted'";
    const ERASE: &str = "UPDATE person SET locale = NULL, attributes = '{}', sealed_attributes = NULL, \
        sealed_key = NULL, version = version + 1, updated_at = $3 \
        WHERE tenant = $1 AND id = $2 AND state = 'deleted'";
    const BURY: &str = "INSERT INTO tombstone (tenant, id, deleted_at) VALUES ($1, $2, $3)";
    const ERASED: &str = "UPDATE tombstone SET erased_at = $3 WHERE tenant = $1 AND id = $2 AND erased_at IS NULL";
    const TO_ERASE: &str = "SELECT tenant, id FROM tombstone WHERE erased_at IS NULL ORDER BY deleted_at LIMIT 100";
    const SUB_OF: &str = "SELECT sub FROM subject WHERE tenant = $1 AND person = $2 ORDER BY created_at LIMIT 1";
    const BY_SUB: &str = "SELECT person FROM subject WHERE tenant = $1 AND sub = $2";
    const INSERT_SUB: &str = "INSERT INTO subject (tenant, sub, person, created_at) VALUES ($1, $2, $3, $4)";
    const GIVE_SUB: &str = "INSERT INTO subject_given (tenant, mac) VALUES ($1, $2)";
    const DROP_SUBS: &str = "DELETE FROM subject WHERE tenant = $1 AND person = $2";
    const DROP_EXTERNAL: &str = "DELETE FROM external_id WHERE tenant = $1 AND person = $2";
    const INSERT_EXTERNAL: &str = "INSERT INTO external_id (tenant, source, value, person, created_at) \
        VALUES ($1, $2, $3, $4, $5)";
    const BY_EXTERNAL: &str = "SELECT person FROM external_id WHERE tenant = $1 AND source = $2 AND value = $3";
    const DROP_SEARCH: &str = "DELETE FROM search_text WHERE tenant = $1 AND person = $2";
    // `$3` holds each text between line feeds, which no folded text has.
    const DROP_OTHER_SEARCH: &str = "DELETE FROM search_text WHERE tenant = $1 AND person = $2 \
        AND replace($3, '\n' || text || '\n', '') = $3";
    const DROP_DEVICES: &str = "DELETE FROM known_device WHERE tenant = $1 AND person = $2";
    const KNOW_DEVICE: &str = "INSERT INTO known_device (tenant, person, device, first_at, last_at) \
        VALUES ($1, $2, $3, $4, $4) \
        ON CONFLICT (tenant, person, device) DO UPDATE SET last_at = excluded.last_at";
    const DEVICE: &str = "SELECT first_at FROM known_device WHERE tenant = $1 AND person = $2 AND device = $3";
}

/// The person with this id, also if suspended or deleted.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn by_id(
    db: &Db,
    tenant: Id<id::Tenant>,
    id: Id<id::Person>,
) -> Result<Option<PersonRow>, DbError> {
    db.one(BY_ID, args![tenant, id]).await
}

/// The person with this id, as [`by_id`], and the subject under which applications know them: the
/// oldest one, or none once they are erased.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn known(db: &Db, tenant: Id<id::Tenant>, id: Id<id::Person>) -> Result<Option<Known>, DbError> {
    db.one(KNOWN, args![tenant, id]).await
}

/// The subject under which applications know the person: the oldest one.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn subject(db: &Db, tenant: Id<id::Tenant>, id: Id<id::Person>) -> Result<Option<String>, DbError> {
    db.one(SUB_OF, args![tenant, id]).await
}

/// The person whom applications know as this subject.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn by_subject(
    db: &Db,
    tenant: Id<id::Tenant>,
    sub: &str,
) -> Result<Option<Id<id::Person>>, DbError> {
    db.one(BY_SUB, args![tenant, sub]).await
}

/// The person whom another system knows by this value.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn by_external(
    db: &Db,
    tenant: Id<id::Tenant>,
    source: &str,
    value: &str,
) -> Result<Option<Id<id::Person>>, DbError> {
    db.one(BY_EXTERNAL, args![tenant, source, value]).await
}

/// Whether the person has signed in on this device before.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn knows_device(
    db: &Db,
    tenant: Id<id::Tenant>,
    id: Id<id::Person>,
    device: &[u8],
) -> Result<bool, DbError> {
    Ok(db.one::<i64>(DEVICE, args![tenant, id, device]).await?.is_some())
}

/// Deleted people whose rows are still to be erased.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn to_erase(db: &Db) -> Result<Vec<(Id<id::Tenant>, Id<id::Person>)>, DbError> {
    db.many(TO_ERASE, args![]).await
}

/// A new, active person.
pub fn insert(unit: &mut Unit, tenant: Id<id::Tenant>, person: &PersonRow, now: Time) {
    unit.push(
        INSERT,
        args![
            tenant,
            person.id,
            person.locale.as_deref(),
            &person.attributes,
            person.sealed_attributes.as_deref(),
            person.sealed_key.as_deref(),
            now
        ],
        Expect::Rows(1),
    );
}

/// A subject for a person: it was never given before.
pub fn give_subject(
    unit: &mut Unit,
    tenant: Id<id::Tenant>,
    person: Id<id::Person>,
    sub: (&str, [u8; 32]),
    now: Time,
) {
    unit.push(GIVE_SUB, args![tenant, sub.1], Expect::Rows(1));
    unit.push(INSERT_SUB, args![tenant, sub.0, person, now], Expect::Rows(1));
}

/// Another system's name for a person.
pub fn insert_external(
    unit: &mut Unit,
    tenant: Id<id::Tenant>,
    person: Id<id::Person>,
    external: (&str, &str),
    now: Time,
) {
    unit.push(INSERT_EXTERNAL, args![tenant, external.0, external.1, person, now], Expect::Rows(1));
}

/// Writes locale and attributes. Guarded by the version.
pub fn update(unit: &mut Unit, tenant: Id<id::Tenant>, person: &PersonRow, now: Time) {
    unit.push(
        UPDATE,
        args![
            tenant,
            person.id,
            person.version,
            person.locale.as_deref(),
            &person.attributes,
            person.sealed_attributes.as_deref(),
            now
        ],
        Expect::Rows(1),
    );
}

/// Raises the version only: a guard against every other change of the person. Guarded by the version.
pub fn touch(unit: &mut Unit, tenant: Id<id::Tenant>, id: Id<id::Person>, version: i64, now: Time) {
    unit.push(TOUCH, args![tenant, id, version, now], Expect::Rows(1));
}

/// Ends sessions, or everything, at once. Guarded by the epoch.
pub fn raise(unit: &mut Unit, tenant: Id<id::Tenant>, person: (Id<id::Person>, i64), what: Raise, now: Time) {
    let offline = i64::from(what == Raise::Everything);
    unit.push(RAISE, args![tenant, person.0, person.1, offline, now], Expect::Rows(1));
}

/// Suspends, activates or deletes: always both epochs rise, so that nothing revives. Guarded by
/// the version.
pub fn set_state(unit: &mut Unit, tenant: Id<id::Tenant>, person: &PersonRow, state: &str, now: Time) {
    unit.push(SET_STATE, args![tenant, person.id, person.version, state, now], Expect::Rows(1));
}

/// Deletion as a state: the person is dead at once, and a tombstone keeps their id from being used
/// again.
pub fn delete(unit: &mut Unit, tenant: Id<id::Tenant>, person: &PersonRow, now: Time) {
    set_state(unit, tenant, person, "deleted", now);
    unit.push(BURY, args![tenant, person.id, now], Expect::Rows(1));
}

/// Erases what is left of a deleted person and destroys their key.
pub fn erase(unit: &mut Unit, tenant: Id<id::Tenant>, id: Id<id::Person>, now: Time) {
    unit.push(ERASED, args![tenant, id, now], Expect::Rows(1));
    unit.push(ERASE, args![tenant, id, now], Expect::Rows(1));
    for sql in [DROP_SUBS, DROP_EXTERNAL, DROP_SEARCH, DROP_DEVICES] {
        unit.push(sql, args![tenant, id], Expect::Any);
    }
}

/// Replaces the texts by which the person is found; those that stay are not written again.
pub fn index(unit: &mut Unit, tenant: Id<id::Tenant>, id: Id<id::Person>, texts: &[String]) {
    let kept: String = texts.iter().map(|text| format!("\n{text}\n")).collect();
    unit.push(DROP_OTHER_SEARCH, args![tenant, id, kept], Expect::Any);
    index_new(unit, tenant, id, texts);
}

/// Adds the texts by which somebody is found who had none.
pub fn index_new(unit: &mut Unit, tenant: Id<id::Tenant>, id: Id<id::Person>, texts: &[String]) {
    for text in texts {
        unit.push(dialect::INSERT_SEARCH, args![tenant, text, id], Expect::Any);
    }
}

/// Remembers that the person signed in on this device.
pub fn know_device(unit: &mut Unit, tenant: Id<id::Tenant>, id: Id<id::Person>, device: &[u8], now: Time) {
    unit.push(KNOW_DEVICE, args![tenant, id, device, now], Expect::Rows(1));
}
