//! Migrations on SQLite, on the writer's connection.

use super::{Store, error_of, text};
use crate::{
    DbError, Engine, args, dialect,
    migrate::{FIND, RECORD, Step, TABLE},
};
use rusqlite::{Connection, OptionalExtension};

impl Store {
    /// Carries out the steps that are not recorded; gives their number.
    pub(crate) async fn migrate(&self, steps: Vec<Step>) -> Result<usize, DbError> {
        self.exclusive(move |connection| {
            let table = dialect::migration_text(Engine::Sqlite, TABLE);
            connection.execute_batch(&table).map_err(|error| error_of(&error))?;
            let mut done = 0;
            for step in steps {
                done += usize::from(carry_out(connection, &step)?);
            }
            Ok(done)
        })
        .await
    }
}

/// One step and its record in one transaction; false if it was recorded before.
fn carry_out(connection: &mut Connection, step: &Step) -> Result<bool, DbError> {
    let refused = |error: rusqlite::Error| match error_of(&error) {
        DbError::Sql(text) => step.failed(text),
        error => error,
    };
    // Dropped without commit, it rolls back.
    let transaction = connection.transaction().map_err(refused)?;
    let recorded: Option<Vec<u8>> = transaction
        .query_row(&dialect::sqlite_placeholders(FIND), (step.migration, step.number), |row| row.get(0))
        .optional()
        .map_err(refused)?;
    if let Some(checksum) = recorded {
        return step.unchanged(&checksum).map(|()| false);
    }
    transaction.execute_batch(&step.sql).map_err(refused)?;
    let mut record = transaction.prepare(&dialect::sqlite_placeholders(RECORD)).map_err(refused)?;
    let args = args![step.migration, step.number, step.checksum];
    text::bind(&mut record, &args)?;
    record.raw_execute().map_err(refused)?;
    drop(record);
    transaction.commit().map_err(refused)?;
    Ok(true)
}
