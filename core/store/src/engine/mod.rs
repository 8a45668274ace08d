//! The engine: one handle on SQLite or PostgreSQL, reads into types, writes as units.
//!
//! Nothing here knows a table, except `event` and its chain.

pub(crate) mod chain;
mod error;
mod postgres;
mod sqlite;
mod unit;
mod url;
mod value;
mod watch;

pub use chain::{Verified, verify_chain};
pub use error::DbError;
pub use unit::{EventRow, Expect, Outcome, Unit, UnitId};
pub use url::DbUrl;
pub use value::{Cell, FromRow, FromValue, Row, ToValue, Value};
pub use watch::{Timing, Watch};

use crate::dialect;
use base::{Env, Time};
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tracing::Instrument as _;
pub(crate) use url::Place;

/// How long the sequencer's lease stands without being prolonged.
const LEASE: Duration = Duration::from_secs(10);
/// Between looks for events without number.
const IDLE: Duration = Duration::from_millis(200);
/// Between looks which tables have grown.
const GROWTH: Duration = Duration::from_secs(2);
/// Between looks whether the lease is free.
const ELSEWHERE: Duration = Duration::from_secs(2);

/// Which database serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// SQLite, embedded.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// How to open a database.
#[derive(Debug, Clone, Copy)]
pub struct OpenOptions {
    /// Make the file if it is missing (SQLite).
    pub create: bool,
    /// Hold the lock file, so that no other process opens the database for writing (SQLite).
    pub lock: bool,
    /// How long a caller waits for a free connection before it is told to come again (PostgreSQL).
    pub patience: Duration,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { create: true, lock: true, patience: Duration::from_millis(250) }
    }
}

/// An open database. Clones share it.
#[derive(Clone)]
pub struct Db(Arc<Backend>, Arc<Watch>);

enum Backend {
    Sqlite(Arc<sqlite::Store>),
    Postgres(Arc<postgres::Store>),
}

impl Db {
    /// Opens a database. A PostgreSQL server is reached at the first statement, see [`Db::ping`].
    ///
    /// # Errors
    /// [`DbError::Locked`] if another process holds the file, [`DbError::Unavailable`] if it cannot
    /// be opened.
    pub async fn open(url: &DbUrl, options: OpenOptions) -> Result<Self, DbError> {
        let backend = match &url.0 {
            Place::Sqlite(path) => {
                let path = path.clone();
                let open = move || sqlite::Store::open(&path, options);
                Backend::Sqlite(Arc::new(blocking(open).await?))
            }
            Place::Postgres(config) => {
                Backend::Postgres(Arc::new(postgres::Store::new(config, options.patience)))
            }
        };
        Ok(Self(Arc::new(backend), Arc::default()))
    }

    /// Reads one row by a unique key.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] if the database cannot be reached; faults of the program otherwise.
    pub async fn one<T: FromRow>(&self, sql: &'static str, args: Vec<Value>) -> Result<Option<T>, DbError> {
        Ok(self.read(sql, args, 1).await?.into_iter().next())
    }

    /// Reads a few rows.
    ///
    /// # Errors
    /// As [`Db::one`].
    pub async fn many<T: FromRow>(&self, sql: &'static str, args: Vec<Value>) -> Result<Vec<T>, DbError> {
        self.read(sql, args, usize::MAX).await
    }

    async fn read<T: FromRow>(
        &self,
        sql: &'static str,
        args: Vec<Value>,
        limit: usize,
    ) -> Result<Vec<T>, DbError> {
        value::check(&args)?;
        let (began, span) = (Instant::now(), tracing::info_span!(target: "trace", "store.read"));
        let rows = match &*self.0 {
            Backend::Sqlite(store) => span.in_scope(|| store.read(sql, &args, limit)),
            // Boxed, as it would make everything that waits for a read some kilobytes larger.
            Backend::Postgres(store) => Box::pin(store.read(sql, &args, limit).instrument(span)).await,
        };
        self.1.read(began.elapsed(), rows.is_ok());
        rows
    }

    /// Reads many rows, for lists and exports, out of the way of short reads.
    ///
    /// # Errors
    /// As [`Db::one`].
    pub async fn scan<T: FromRow + Send + 'static>(
        &self,
        sql: &'static str,
        args: Vec<Value>,
    ) -> Result<Vec<T>, DbError> {
        value::check(&args)?;
        match &*self.0 {
            Backend::Sqlite(store) => {
                let store = Arc::clone(store);
                blocking(move || store.read(sql, &args, usize::MAX)).await
            }
            Backend::Postgres(store) => store.scan(sql, &args).await,
        }
    }

    /// Carries out a unit. Once begun it is carried through, also if the caller goes away.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] and [`DbError::Full`]: nothing was done. [`DbError::Unknown`]: done
    /// or not; committing the same unit again tells.
    pub async fn commit(&self, unit: Unit) -> Result<Outcome, DbError> {
        unit.check()?;
        let (began, span) = (Instant::now(), tracing::info_span!(target: "trace", "store.commit"));
        let end = match &*self.0 {
            Backend::Sqlite(store) => store.commit(unit).instrument(span).await,
            Backend::Postgres(store) => match postgres_commit(Arc::clone(store), unit, span).await {
                Ok(end) => end,
                Err(error) => Err(DbError::Unknown(error.to_string())),
            },
        };
        self.1.commit(began.elapsed(), &end);
        end
    }

    /// How long reads and commits take, and how they end.
    pub fn watch(&self) -> &Watch {
        &self.1
    }

    /// Which engine serves.
    pub fn engine(&self) -> Engine {
        match &*self.0 {
            Backend::Sqlite(_) => Engine::Sqlite,
            Backend::Postgres(_) => Engine::Postgres,
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] if it does not.
    pub async fn ping(&self) -> Result<(), DbError> {
        self.one::<(i32,)>("SELECT 1", Vec::new()).await.map(drop)
    }

    /// Finishes what is queued and lets the database go; afterwards everything is unavailable.
    pub async fn close(&self) {
        match &*self.0 {
            Backend::Sqlite(store) => store.close().await,
            Backend::Postgres(store) => store.close().await,
        }
    }

    /// Numbers the events that wait for it, at most 500, and writes their row of the chain; gives
    /// how many there were. On SQLite every commit does so itself, and this does nothing.
    ///
    /// # Errors
    /// As [`Db::one`].
    pub async fn number_events(&self) -> Result<usize, DbError> {
        match &*self.0 {
            Backend::Sqlite(_) => Ok(0),
            Backend::Postgres(store) => store.number_events().await,
        }
    }

    /// Numbers events as they come, and has tables analysed that grow quickly, for as long as it is
    /// polled, on the one node that holds the lease. On SQLite it is over at once.
    pub async fn sequencer(self, env: Env) {
        let (holder, mut looked) = (env.bytes(), None::<Instant>);
        while self.engine() == Engine::Postgres {
            let turn = self.sequencer_turn(&env, holder).await;
            if turn.as_ref().is_ok_and(|pause| *pause < ELSEWHERE)
                && looked.is_none_or(|looked| looked.elapsed() >= GROWTH)
            {
                looked = Some(Instant::now());
                self.analyse_grown().await;
            }
            let pause = turn.unwrap_or_else(|error| {
                tracing::warn!(%error, "events could not be numbered");
                ELSEWHERE
            });
            tokio::time::sleep(pause).await;
        }
    }

    /// Servers that only speak PostgreSQL's language may not have what is asked here, nor need it.
    async fn analyse_grown(&self) {
        if let Some(store) = self.postgres()
            && let Err(error) = store.analyse_grown().await
        {
            tracing::debug!(%error, "tables that have grown could not be analysed");
        }
    }

    /// One turn of the sequencer; gives the pause until the next.
    async fn sequencer_turn(&self, env: &Env, holder: [u8; 16]) -> Result<Duration, DbError> {
        let now = env.now();
        let term: (Time, Time) = (now, now.plus(LEASE));
        if !crate::lease::take(self, ("sequencer", holder), env.id(), term).await? {
            return Ok(ELSEWHERE);
        }
        while env.now() < now.plus(LEASE / 2) {
            if self.number_events().await? < dialect::BATCH {
                return Ok(IDLE);
            }
        }
        Ok(Duration::ZERO)
    }

    /// Prepares a statement in all forms in which it may run.
    pub(crate) async fn prepare(&self, sql: &'static str) -> Result<(), DbError> {
        match &*self.0 {
            Backend::Sqlite(store) => store.prepare(sql).await,
            Backend::Postgres(store) => store.prepare(sql).await,
        }
    }

    pub(crate) fn sqlite(&self) -> Option<&sqlite::Store> {
        match &*self.0 {
            Backend::Sqlite(store) => Some(store),
            Backend::Postgres(_) => None,
        }
    }

    pub(crate) fn postgres(&self) -> Option<&postgres::Store> {
        match &*self.0 {
            Backend::Sqlite(_) => None,
            Backend::Postgres(store) => Some(store),
        }
    }
}

/// Carries a unit through, whoever still waits for it.
fn postgres_commit(
    store: Arc<postgres::Store>,
    unit: Unit,
    span: tracing::Span,
) -> tokio::task::JoinHandle<Result<Outcome, DbError>> {
    tokio::spawn(async move { store.commit(&unit).await }.instrument(span))
}

/// Copies an SQLite file out of the way of short reads.
pub(crate) async fn sqlite_copy(from: PathBuf, to: PathBuf) -> Result<(), DbError> {
    blocking(move || sqlite::copy(&from, &to)).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DbError> + Send + 'static,
) -> Result<T, DbError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| DbError::Unavailable(error.to_string()))?
}

/// Tables that grow with people, tenants, sessions or time.
#[cfg(test)]
const GROWING: &[&str] = &[
    "person",
    "identifier",
    "subject",
    "external_id",
    "search_text",
    "credential",
    "session",
    "oauth_grant",
    "event",
    "consent",
    "known_device",
    "attempt",
    "challenge",
    "flow",
    "subject_given",
    "tombstone",
    "revoked_token",
    "parked_request",
    "application_secret",
];
