//! Migrations on PostgreSQL, on a connection of their own.

use super::{
    super::error::Failure,
    Store,
    connection::{Connection, Form, Role},
};
use crate::{
    DbError, Engine, args, dialect,
    migrate::{FIND, RECORD, Step, TABLE},
};

/// How often the migrator's table is tried: two nodes that make it at once collide in the catalogue.
const TRIES: usize = 5;

impl Store {
    /// Carries out the steps that are not recorded; gives their number.
    pub(crate) async fn migrate(&self, steps: Vec<Step>) -> Result<usize, DbError> {
        let connection = Connection::open(&self.config, Role::Migrate).await?;
        make_table(&connection).await?;
        let mut done = 0;
        for step in steps {
            match carry_out(&connection, &step).await {
                Ok(new) => done += usize::from(new),
                Err(Failure::Final(DbError::Sql(text))) => return Err(step.failed(text)),
                Err(Failure::Unique) => return Err(step.failed("a unique key was violated")),
                Err(failure) => return Err(failure.into_error()),
            }
        }
        Ok(done)
    }
}

async fn make_table(connection: &Connection) -> Result<(), DbError> {
    let sql = dialect::migration_text(Engine::Postgres, TABLE);
    let mut made = connection.control(&sql).await;
    for _ in 1..TRIES {
        match made {
            Ok(_) => return Ok(()),
            Err(Failure::Lost(_)) => break,
            Err(_) => made = connection.control(&sql).await,
        }
    }
    made.map(drop).map_err(Failure::into_error)
}

/// One step and its record in one transaction; false if it was recorded before. The table is locked
/// first, so that of several nodes one carries it out and the others find it recorded. A failure
/// leaves the transaction open: the connection is closed.
async fn carry_out(connection: &Connection, step: &Step) -> Result<bool, Failure> {
    connection.control("BEGIN; LOCK TABLE migration IN SHARE ROW EXCLUSIVE MODE").await?;
    let name = args![step.migration, step.number];
    let recorded = connection.query(FIND, &name).await?;
    if let Some(row) = recorded.first() {
        let checksum: Vec<u8> =
            row.try_get(0).map_err(|error| DbError::Decode(format!("checksum: {error}")))?;
        connection.control("ROLLBACK").await?;
        return Ok(step.unchanged(&checksum).map(|()| false)?);
    }
    connection.control(&step.sql).await?;
    let record = args![step.migration, step.number, step.checksum];
    connection.execute(RECORD, Form::Plain, &record).await?;
    connection.control("COMMIT").await?;
    Ok(true)
}
