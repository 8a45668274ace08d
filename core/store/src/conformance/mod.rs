//! What both engines must do alike, as checks that take an open, empty database. The tests run
//! each of them on SQLite and on PostgreSQL; whoever brings a third engine runs them there.

pub mod history;
pub mod races;
pub mod units;
pub mod values;

use crate::{Db, DbError, EventRow, Migration, UnitId, args, migrate, statements};
use base::{Id, SystemRng, Time, id};

/// Why a check failed.
#[derive(Debug)]
pub struct Failed(pub String);

impl From<DbError> for Failed {
    fn from(error: DbError) -> Self {
        Self(error.to_string())
    }
}

/// The result of a check.
pub type Check = Result<(), Failed>;

macro_rules! ensure {
    ($holds:expr, $($text:tt)+) => {
        if !$holds {
            return Err($crate::conformance::Failed(format!($($text)+)));
        }
    };
}
pub(crate) use ensure;

/// The table that the checks use.
pub const TABLE: &[Migration] = &[Migration {
    id: "20000101000000_conformance",
    sql: "CREATE TABLE thing (id {id} NOT NULL PRIMARY KEY, name {text} UNIQUE, version {int} NOT NULL, \
          flag {bool}, data {bytes}, mark {id}) {table};",
}];

statements! {
    pub(crate) const INSERT: &str =
        "INSERT INTO thing (id, name, version, flag, data) VALUES ($1, $2, $3, $4, $5)";
    pub(crate) const READ: &str = "SELECT name, version, flag, data FROM thing WHERE id = $1";
    pub(crate) const VERSION: &str = "SELECT version FROM thing WHERE id = $1";
    pub(crate) const COUNT: &str = "SELECT count(*) FROM thing";
    pub(crate) const USE: &str = "UPDATE thing SET version = version + 1 WHERE id = $1 AND version = $2";
    pub(crate) const ADD: &str = "UPDATE thing SET version = version + 1 WHERE id = $1";
    pub(crate) const USE_MARKED: &str =
        "UPDATE thing SET version = version + 1, mark = $3 WHERE id = $1 AND version = $2";
    pub(crate) const MARKED: &str = "SELECT 1 FROM thing WHERE id = $1 AND mark = $2";
    pub(crate) const ALL_OF_THEM: &str = "UPDATE thing SET version = version + 1 WHERE version >= $1";
    pub(crate) const BY_NAME: &str = "SELECT name FROM thing ORDER BY name";
    pub(crate) const NAMED: &str = "SELECT id FROM thing WHERE name = $1";
    pub(crate) const EVENTS: &str = "SELECT count(*) FROM event";
    pub(crate) const FORGE: &str = "UPDATE event SET data = $2 WHERE id = $1";
    pub(crate) const ERASE: &str = "DELETE FROM event WHERE id = $1";
}

/// Every statement of the checks.
pub const STATEMENTS: &[&str] = ALL;

/// Makes the tables of the store and of the checks.
///
/// # Errors
/// As [`migrate`].
pub async fn set_up(db: &Db) -> Result<(), DbError> {
    migrate(db, crate::MIGRATIONS).await?;
    migrate(db, TABLE).await.map(drop)
}

/// Bounds the pages of an SQLite file, as a full disk does; nothing on PostgreSQL.
///
/// # Errors
/// As the engine.
pub async fn limit_pages(db: &Db, more: u32) -> Result<(), DbError> {
    let Some(store) = db.sqlite() else { return Ok(()) };
    let sql = |error: rusqlite::Error| DbError::Sql(error.to_string());
    store
        .exclusive(move |connection| {
            let pages: u32 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).map_err(sql)?;
            let limit = format!("PRAGMA max_page_count = {}", pages.saturating_add(more));
            connection.query_row(&limit, [], |_| Ok(())).map_err(sql)
        })
        .await
}

fn fresh<T>() -> Id<T> {
    Id::new(Time::from_seconds(1_800_000_000), &SystemRng)
}

fn event(unit: UnitId) -> EventRow {
    EventRow {
        tenant: Id::<id::Tenant>::from_bytes([7; 16]),
        id: unit,
        kind: "thing.changed".to_owned(),
        person: Some(fresh()),
        actor: None,
        application: None,
        session: Some(fresh()),
        at: Time::from_seconds(1_800_000_000),
        data: vec![0, 1, 2, 0xff],
    }
}

/// A unit with an event that makes a thing of this version.
fn make(thing: Id<id::Key>, name: Option<&str>, version: i64) -> crate::Unit {
    let unit = fresh();
    let args = args![thing, name, version, true, Option::<Vec<u8>>::None];
    crate::Unit::new(unit, vec![event(unit)]).write(INSERT, args, crate::Expect::Rows(1))
}

async fn made(db: &Db, name: Option<&str>) -> Result<Id<id::Key>, Failed> {
    let thing = fresh();
    let outcome = db.commit(make(thing, name, 0)).await?;
    ensure!(outcome.done(), "a thing could not be made");
    Ok(thing)
}

async fn version(db: &Db, thing: Id<id::Key>) -> Result<i64, Failed> {
    db.one(VERSION, args![thing]).await?.ok_or_else(|| Failed("the thing is gone".to_owned()))
}

async fn count(db: &Db, sql: &'static str) -> Result<i64, Failed> {
    Ok(db.one(sql, args![]).await?.unwrap_or_default())
}
