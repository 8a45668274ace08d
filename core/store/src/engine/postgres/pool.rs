//! Connections at hand: a few that are shared by short reads, and pools of those that one caller
//! has to itself. All are opened when first needed and again when lost, with bounded waits.

use super::{
    super::DbError,
    connection::{CONNECT, Connection, Role},
};
use std::{
    ops::Deref,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Mutex as AsyncMutex, Semaphore, SemaphorePermit},
    time::{Instant, timeout},
};
use tokio_postgres::config::Config;

/// How long a failed connect speaks for those who waited for it.
const FAILURE_STANDS: Duration = Duration::from_millis(250);

/// Connections that many callers use at once, pipelined.
pub(super) struct Shared {
    config: Arc<Config>,
    slots: Vec<Slot>,
    next: AtomicUsize,
    closed: AtomicBool,
}

#[derive(Default)]
struct Slot {
    open: RwLock<Option<Arc<Connection>>>,
    /// Held by the one who connects; the last failure and when it was.
    connecting: AsyncMutex<Option<(Instant, DbError)>>,
}

impl Slot {
    fn live(&self) -> Option<Arc<Connection>> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        open.as_ref().filter(|connection| !connection.client.is_closed()).map(Arc::clone)
    }

    fn put(&self, connection: Option<Arc<Connection>>) {
        *self.open.write().unwrap_or_else(PoisonError::into_inner) = connection;
    }

    async fn connect(&self, config: &Config) -> Result<Arc<Connection>, DbError> {
        let mut failed = self.connecting.lock().await;
        if let Some(connection) = self.live() {
            return Ok(connection);
        }
        if let Some((when, error)) = &*failed
            && when.elapsed() < FAILURE_STANDS
        {
            return Err(error.clone());
        }
        match Connection::open(config, Role::Read).await {
            Ok(connection) => {
                let connection = Arc::new(connection);
                self.put(Some(Arc::clone(&connection)));
                *failed = None;
                Ok(connection)
            }
            Err(error) => {
                *failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }
}

impl Shared {
    pub(super) fn new(config: &Arc<Config>, count: usize) -> Self {
        Self {
            config: Arc::clone(config),
            slots: (0..count).map(|_| Slot::default()).collect(),
            next: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
        }
    }

    /// The next connection in turn.
    pub(super) async fn take(&self) -> Result<Arc<Connection>, DbError> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len().max(1);
        let slot =
            self.slots.get(turn).filter(|_| !self.closed.load(Ordering::Acquire)).ok_or_else(closed)?;
        if let Some(connection) = slot.live() {
            return Ok(connection);
        }
        let connected = timeout(CONNECT + FAILURE_STANDS, slot.connect(&self.config)).await;
        connected
            .unwrap_or_else(|_| Err(DbError::Unavailable("PostgreSQL did not answer in time".to_owned())))
    }

    /// Opens new connections, since this one does not answer and the others go the same way. Those
    /// who wait for them go on.
    pub(super) fn forget(&self, silent: &Arc<Connection>) {
        let is_silent = |live: &Arc<Connection>| Arc::ptr_eq(live, silent);
        if self.slots.iter().any(|slot| slot.live().as_ref().is_some_and(is_silent)) {
            self.slots.iter().for_each(|slot| slot.put(None));
        }
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.slots.iter().for_each(|slot| slot.put(None));
    }
}

/// Connections that one caller has to itself for a while.
pub(super) struct Pool {
    config: Arc<Config>,
    role: Role,
    count: usize,
    /// How long to wait for a free connection.
    patience: Duration,
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    pub(super) fn new(config: &Arc<Config>, role: Role, room: (usize, Duration)) -> Self {
        let (count, patience) = room;
        Self {
            config: Arc::clone(config),
            role,
            count,
            patience,
            permits: Semaphore::new(count),
            idle: Mutex::default(),
        }
    }

    /// A connection, the one used last if there is one.
    pub(super) async fn take(&self) -> Result<Pooled<'_>, DbError> {
        let permit = match timeout(self.patience, self.permits.acquire()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) => return Err(closed()),
            Err(_) => {
                return Err(DbError::Unavailable("all connections to PostgreSQL are in use".to_owned()));
            }
        };
        let connection = match self.pop() {
            Some(connection) => connection,
            None => Connection::open(&self.config, self.role).await?,
        };
        Ok(Pooled { connection, pool: self, _permit: permit })
    }

    fn pop(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::from_fn(|| idle.pop()).find(|connection| !connection.client.is_closed())
    }

    /// Waits for the connections in use and closes all.
    pub(super) async fn close(&self) {
        let all = u32::try_from(self.count).unwrap_or(u32::MAX);
        let waited = timeout(Duration::from_secs(10), self.permits.acquire_many(all)).await;
        if waited.is_err() {
            tracing::warn!("connections to PostgreSQL were still in use");
        }
        self.permits.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// A connection of a pool. Dropped, it is closed, with whatever it was doing; only
/// [`Pooled::give_back`] keeps it for the next caller.
pub(super) struct Pooled<'a> {
    connection: Connection,
    pool: &'a Pool,
    _permit: SemaphorePermit<'a>,
}

impl Pooled<'_> {
    /// Back into the pool. Only outside of a transaction.
    pub(super) fn give_back(self) {
        self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(self.connection);
    }
}

impl Deref for Pooled<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

fn closed() -> DbError {
    DbError::Unavailable("the database is closed".to_owned())
}
