//! The store: one handle on SQLite or PostgreSQL ([`Db`]), writes as [`Unit`]s, the migrator, and
//! the aggregates that several capabilities share ([`rows`]).
//!
//! SQL is written once for both engines, with `$1`, `$2`, … and declared through [`statements!`],
//! which also collects a module's statements for [`prepare_all`]; a stored row is declared through
//! [`row!`]. Rules of that common SQL: no `RETURNING`, name the columns, cast a parameter where
//! nothing gives it a type (`CAST($1 AS BIGINT)`), cast sums (`CAST(sum(x) AS BIGINT)`), lists of
//! values by repeated statements, and a unit's guards are monotone.
//!
//! ```
//! mod rows {
//!     use store::{Db, DbError, Expect, Unit, args, row, statements};
//!
//!     row! {
//!         /// A thing as stored, in the order of the columns.
//!         pub struct Thing {
//!             /// Its name.
//!             pub name: String,
//!             /// Raised by every change.
//!             pub version: i64,
//!         }
//!     }
//!
//!     statements! {
//!         const FIND: &str = "SELECT name, version FROM thing WHERE name = $1";
//!         const RENAME: &str = "UPDATE thing SET name = $1, version = version + 1 \
//!             WHERE name = $2 AND version = $3";
//!     }
//!
//!     pub async fn find(db: &Db, name: &str) -> Result<Option<Thing>, DbError> {
//!         db.one(FIND, args![name]).await
//!     }
//!
//!     pub fn rename(unit: Unit, thing: &Thing, name: &str) -> Unit {
//!         unit.write(RENAME, args![name, &thing.name, thing.version], Expect::Rows(1))
//!     }
//! }
//! # fn main() { assert_eq!(rows::ALL.len(), 2); }
//! ```

pub mod accounts;
pub mod attributes;
pub mod backup;
#[doc(hidden)]
pub mod conformance;
mod dialect;
mod directory;
mod engine;
pub mod lease;
mod migrate;
pub mod rotation;
pub mod rows;
pub mod rules;
#[doc(hidden)]
pub mod scratch;
mod statements;

pub use directory::{Address, Application, Directory, Mac, NewTenant, PublicKey, Tenant};
pub use engine::{
    Cell, Db, DbError, DbUrl, Engine, EventRow, Expect, FromRow, FromValue, OpenOptions, Outcome, Row,
    Timing, ToValue, Unit, UnitId, Value, Verified, Watch, verify_chain,
};
pub use migrate::{MIGRATIONS, Migration, Pending, migrate, pending, unknown};
pub use statements::{prepare_all, statements};
