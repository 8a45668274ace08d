//! Copies of an SQLite database, and whether one is sound.

use super::{super::DbError, Store, error_of, reader};
use rusqlite::Connection;
use std::{collections::BTreeMap, path::Path};

/// Writes what the database holds at this moment into an empty file, beside whoever works on it:
/// one read transaction. What was deleted is not in the copy. Blocks.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), DbError> {
    let connection = reader(from)?;
    let Some(target) = to.to_str() else {
        return Err(DbError::Unavailable(format!("{} is no UTF-8 name", to.display())));
    };
    // `query_only` would refuse to write the other file, too.
    connection.execute_batch("PRAGMA query_only = OFF").map_err(|error| error_of(&error))?;
    connection.execute("VACUUM INTO ?1", [target]).map(drop).map_err(|error| error_of(&error))
}

impl Store {
    /// Whether the file is sound, down to every page and index; gives the rows of each table.
    pub(crate) async fn examine(&self) -> Result<BTreeMap<String, u64>, DbError> {
        self.exclusive(|connection| {
            sound(connection)?;
            count(connection).map_err(|error| error_of(&error))
        })
        .await
    }
}

fn sound(connection: &Connection) -> Result<(), DbError> {
    let said: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| error_of(&error))?;
    if said == "ok" { Ok(()) } else { Err(DbError::Decode(said)) }
}

/// Tables that stand by themselves: those of the full-text index hang on others.
const TABLES: &str = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
     AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name";

fn count(connection: &Connection) -> rusqlite::Result<BTreeMap<String, u64>> {
    let mut tables = connection.prepare(TABLES)?;
    let names = tables.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    let rows = |name: String| {
        let sql = format!("SELECT count(*) FROM \"{name}\"");
        let rows: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
        Ok((name, u64::try_from(rows).unwrap_or(0)))
    };
    names.into_iter().map(rows).collect()
}
