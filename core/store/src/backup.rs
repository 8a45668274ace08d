//! Backups of an embedded database, and what is owed to people once one is put back, on either engine.
//!
//! A backup is a moment of the past: it holds people who have been erased since, and sessions,
//! grants and tokens that have been revoked since. [`settle`] erases the first, and ends every
//! session, grant and token that is older than the restore.

use crate::{
    Db, DbError, DbUrl, Directory, Expect, Unit, args,
    engine::{Place, sqlite_copy},
    rows, statements, verify_chain,
};
use base::{Error, Event, Id, Time, id};
use std::{collections::BTreeMap, path::Path, time::Duration};

/// How long the user name of an erased person stays held.
const NAMES_HELD: Duration = Duration::from_secs(90 * 86_400);

/// The name of the row that holds since when what was issued is good.
pub(crate) const VALID_FROM: &str = "valid-from";
/// The name of the row that is there from the first to the last change of a restore.
const RESTORE: &str = "restore";

statements! {
    const END_ALL: &str = "UPDATE person SET epoch = epoch + 1, offline_epoch = offline_epoch + 1, \
        version = version + 1, updated_at = $1";
    const NO_FLOWS: &str = "DELETE FROM flow";
    const NO_CHALLENGES: &str = "DELETE FROM challenge";
    const NO_PARKED: &str = "DELETE FROM parked_request";
    const SET_VALID_FROM: &str = "INSERT INTO server (name, value) VALUES ($1, $2) \
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    const ENDED: &str = "DELETE FROM server WHERE name = $1";
    const PEOPLE: &str = "SELECT CAST(count(*) AS BIGINT) FROM person WHERE state <> 'deleted'";
    const LAST_NUMBER: &str = "SELECT last FROM event_chain ORDER BY last DESC LIMIT 1";
}

/// What a database holds, by which a copy is compared with what is put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The rows of each table.
    pub rows: BTreeMap<String, u64>,
    /// The number of the last event of the chain.
    pub last_event: i64,
}

/// Somebody who was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Erasure {
    /// In which tenant.
    pub tenant: Id<id::Tenant>,
    /// Who.
    pub person: Id<id::Person>,
}

/// Copies an embedded database as it is at this moment into a new file, beside the server that
/// works on it. The file must be there and empty.
///
/// # Errors
/// [`DbError::Url`] for PostgreSQL; [`DbError::Full`] and [`DbError::Unavailable`] if it cannot be
/// read or written.
pub async fn copy(from: &DbUrl, to: &Path) -> Result<(), DbError> {
    let Place::Sqlite(from) = &from.0 else {
        return Err(DbError::Url("only an embedded database is copied as a file".to_owned()));
    };
    sqlite_copy(from.clone(), to.to_owned()).await
}

/// Whether a database is sound: its pages and indexes (SQLite), and its chain of events. Gives what
/// it holds.
///
/// # Errors
/// [`DbError::Decode`] or [`DbError::Chain`] with the first thing that is wrong.
pub async fn examine(db: &Db) -> Result<Contents, DbError> {
    let rows = match db.sqlite() {
        Some(store) => store.examine().await?,
        None => BTreeMap::new(),
    };
    Ok(Contents { rows, last_event: verify_chain(db).await?.last })
}

/// How many people there are, in all tenants. The rows of those who were deleted stay, without their data.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn people(db: &Db) -> Result<i64, DbError> {
    Ok(db.one::<i64>(PEOPLE, args![]).await?.unwrap_or(0))
}

/// The number of the last event that the chain holds.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn last_event(db: &Db) -> Result<i64, DbError> {
    Ok(db.one::<i64>(LAST_NUMBER, args![]).await?.unwrap_or(0))
}

/// The version of the database, and whether it has what the search of names by parts needs.
///
/// # Errors
/// [`DbError::Unavailable`] if it does not answer.
pub async fn about(db: &Db) -> Result<(String, bool), DbError> {
    let (version, extension) = crate::dialect::about(db.engine());
    let found: Option<(i64,)> = db.one(extension, args![]).await?;
    Ok((
        db.one::<(String,)>(version, args![]).await?.map(|(version,)| version).unwrap_or_default(),
        found.is_some(),
    ))
}

/// Makes a database that was put back fit for use: who was erased since is deleted again, every
/// session and grant ends, half-done sign-ins are dropped, and tokens from before now are refused.
/// Gives how many people were deleted again. Doing it twice does no harm; until it was done to its end
/// [`is_unsettled`].
///
/// # Errors
/// Kind `Unavailable` if the store cannot answer.
pub async fn settle(directory: &Directory, erased: &[Erasure]) -> Result<u64, Error> {
    let (db, env) = (directory.db(), directory.env());
    let Some(tenant) = directory.resolve(crate::Address::Root).await? else { return Ok(0) };
    // There already if an earlier restore did not come to its end.
    let _begun = db.commit(rows::server::insert(env.id(), RESTORE, "begun")).await?;
    let mut again = 0;
    for erasure in erased {
        again += u64::from(delete(directory, *erasure).await?);
    }
    let now = env.now();
    let event = Event::new(env, "server.restored")
        .actor("operator")
        .detail(serde_json::json!({ "deleted_again": again, "valid_from": now.micros() }));
    let unit = Unit::new(event.id, vec![tenant.event(env, event, None)])
        .write(END_ALL, args![now], Expect::Any)
        .write(NO_FLOWS, args![], Expect::Any)
        .write(NO_CHALLENGES, args![], Expect::Any)
        .write(NO_PARKED, args![], Expect::Any)
        .write(ENDED, args![RESTORE], Expect::Any)
        .write(SET_VALID_FROM, args![VALID_FROM, now.micros().to_string()], Expect::Any);
    let _done = db.commit(unit).await?;
    directory.read_valid_from().await?;
    Ok(again)
}

/// Whether a restore began and did not come to its end: who was erased may be there, and what was
/// revoked may live.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn is_unsettled(db: &Db) -> Result<bool, DbError> {
    Ok(rows::server::find(db, RESTORE).await?.is_some())
}

/// Deletes a person if they are there; the job that erases does the rest.
async fn delete(directory: &Directory, Erasure { tenant, person }: Erasure) -> Result<bool, Error> {
    let (db, env) = (directory.db(), directory.env());
    let Some(row) = rows::person::by_id(db, tenant, person).await? else { return Ok(false) };
    let Some(held) = directory.tenant(tenant).await? else { return Ok(false) };
    if row.state == "deleted" {
        return Ok(false);
    }
    let event = Event::new(env, "person.deleted")
        .person(person)
        .actor("operator")
        .detail(serde_json::json!({ "because": "erased before the restore" }));
    let mut unit = Unit::new(event.id, vec![held.event(env, event, None)]);
    let now = env.now();
    rows::person::delete(&mut unit, tenant, &row, now);
    rows::identifier::release(&mut unit, tenant, person, now.plus(NAMES_HELD));
    Ok(db.commit(unit).await?.done())
}

/// Since when what was issued is good, as it is stored.
pub(crate) async fn valid_from(db: &Db) -> Result<Time, DbError> {
    let stored = rows::server::find(db, VALID_FROM).await?;
    Ok(Time::from_micros(stored.and_then(|micros| micros.parse().ok()).unwrap_or(0)))
}
