//! Facts about the whole installation: which root key its secrets are sealed under.

use crate::{Db, DbError, Expect, Unit, UnitId, args, statements};

statements! {
    const FIND: &str = "SELECT value FROM server WHERE name = $1";
    const INSERT: &str = "INSERT INTO server (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    const PROBE: &str = "SELECT 1 FROM server WHERE name = $1 AND value = $2";
}

/// The value under this name.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn find(db: &Db, name: &str) -> Result<Option<String>, DbError> {
    db.one(FIND, args![name]).await
}

/// A unit that writes a value once; conflicts if there is one.
pub fn insert(unit: UnitId, name: &str, value: &str) -> Unit {
    Unit::marked(unit, PROBE, args![name, value]).write(INSERT, args![name, value], Expect::Rows(1))
}
