//! PostgreSQL: short reads pipelined over a few shared connections, units over a pool of their own,
//! lists over another.

mod connection;
mod migrate;
mod pool;
mod sequencer;
mod statistics;
mod unit;

use super::{DbError, FromRow, Outcome, Row, Unit, Value, error::Failure, value::Source};
use connection::{Form, Role};
use pool::{Pool, Shared};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;
use tokio_postgres::config::{Config, TargetSessionAttrs};

/// Shared connections for short reads.
const READERS: usize = 4;
/// Connections for units: each waits for its own sync of the disk, and the server groups them.
const WRITERS: usize = 32;
/// Connections for lists and exports.
const SCANNERS: usize = 4;
/// How long a short read may take.
const READ: Duration = Duration::from_secs(5);
/// How long a list or export may take.
const SCAN: Duration = Duration::from_secs(60);
/// How long what was sent may stay unacknowledged before a connection counts as lost.
const UNHEARD: Duration = Duration::from_secs(10);
/// How often a read is tried when its connection is lost.
const TRIES: usize = 3;

/// A PostgreSQL database.
pub(crate) struct Store {
    config: Arc<Config>,
    reads: Shared,
    writes: Pool,
    scans: Pool,
}

impl Store {
    pub(crate) fn new(config: &Config, patience: Duration) -> Self {
        let mut config = config.clone();
        if config.get_application_name().is_none() {
            config.application_name("keyward");
        }
        config.connect_timeout(connection::CONNECT);
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        config.keepalives_idle(Duration::from_secs(30));
        config.tcp_user_timeout(UNHEARD);
        let config = Arc::new(config);
        Self {
            reads: Shared::new(&config, READERS),
            writes: Pool::new(&config, Role::Write, (WRITERS, patience)),
            scans: Pool::new(&config, Role::Scan, (SCANNERS, patience)),
            config,
        }
    }

    /// A short read, up to `limit` rows.
    pub(crate) async fn read<T: FromRow>(
        &self,
        sql: &'static str,
        args: &[Value],
        limit: usize,
    ) -> Result<Vec<T>, DbError> {
        let mut last = None;
        for _ in 0..TRIES {
            let connection = self.reads.take().await?;
            match timeout(READ, connection.query_again(sql, args)).await {
                Ok(Ok(rows)) => return decode(&rows, limit),
                Ok(Err(failure)) => last = Some(again(failure)?),
                Err(_) => {
                    // Whoever comes next must not wait behind it: the other end may be gone for good.
                    self.reads.forget(&connection);
                    return Err(DbError::Unavailable("PostgreSQL did not answer in time".to_owned()));
                }
            }
        }
        Err(unavailable(last))
    }

    /// A long read on a connection of its own.
    pub(crate) async fn scan<T: FromRow>(
        &self,
        sql: &'static str,
        args: &[Value],
    ) -> Result<Vec<T>, DbError> {
        let mut last = None;
        for _ in 0..TRIES {
            let connection = self.scans.take().await?;
            let rows = timed(SCAN, connection.query_again(sql, args)).await;
            if !matches!(rows, Err(Failure::Lost(_))) {
                connection.give_back();
            }
            match rows {
                Ok(rows) => return decode(&rows, usize::MAX),
                Err(failure) => last = Some(again(failure)?),
            }
        }
        Err(unavailable(last))
    }

    /// Carries out a unit, repeating it while its fate is unknown.
    pub(crate) async fn commit(&self, unit: &Unit) -> Result<Outcome, DbError> {
        unit::commit(&self.writes, unit).await
    }

    /// Prepares a statement alone and as part of a pair, as units run it.
    pub(crate) async fn prepare(&self, sql: &'static str) -> Result<(), DbError> {
        let connection = self.writes.take().await?;
        let forms: &[Form] = match crate::dialect::composable(sql) {
            true => &[Form::Plain, Form::Pair, Form::Guarded],
            false => &[Form::Plain],
        };
        let mut prepared = Ok(());
        for form in forms {
            prepared = prepared.and(connection.statement(sql, *form).await.map(drop));
        }
        connection.give_back();
        prepared.map_err(Failure::into_error)
    }

    /// Waits for the units under way and closes all connections.
    pub(crate) async fn close(&self) {
        self.writes.close().await;
        self.scans.close().await;
        self.reads.close();
    }
}

fn decode<T: FromRow>(rows: &[tokio_postgres::Row], limit: usize) -> Result<Vec<T>, DbError> {
    rows.iter().take(limit).map(|row| T::from_row(&Row::new(Source::Postgres(row)))).collect()
}

/// Reads may be tried again whenever it was not their own fault.
fn again(failure: Failure) -> Result<Failure, DbError> {
    match failure {
        Failure::Final(_) | Failure::Unique => Err(failure.into_error()),
        failure => Ok(failure),
    }
}

fn unavailable(last: Option<Failure>) -> DbError {
    match last.map(Failure::into_error) {
        Some(DbError::Unknown(detail)) => DbError::Unavailable(detail),
        Some(error) => error,
        None => DbError::Unavailable("no try was left".to_owned()),
    }
}

/// With a bound on the time; a connection that does not answer in time counts as lost.
async fn timed<T>(bound: Duration, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    timeout(bound, work).await.unwrap_or_else(|_| Err(Failure::Lost("no answer in time".to_owned())))
}
