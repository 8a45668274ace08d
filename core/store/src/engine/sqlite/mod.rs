//! SQLite: reads inline on pooled connections, writes by one thread that commits in groups,
//! checkpoints by another. One process holds the file.

mod backup;
mod lock;
mod migrate;
mod text;
mod writer;

pub(crate) use backup::copy;

use super::{DbError, FromRow, OpenOptions, Outcome, Row, Unit, Value, value::Source};
use crossbeam_queue::ArrayQueue;
use rusqlite::{Connection, OpenFlags, config::DbConfig};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};
use text::Texts;
use tokio::sync::oneshot;
use writer::{Job, Writer};

/// Connections kept open for reading; more are opened for a moment when these are all in use.
const READERS: usize = 16;
/// Units that may wait for the writer thread.
const QUEUE: usize = 8192;

/// How long to wait where another process is in the way.
const BUSY: Duration = Duration::from_secs(5);

/// An open SQLite database.
pub(crate) struct Store {
    path: PathBuf,
    readers: Arc<ArrayQueue<Connection>>,
    texts: Arc<Texts>,
    jobs: SyncSender<Job>,
    thread: Mutex<Option<JoinHandle<()>>>,
    closed: AtomicBool,
}

impl Store {
    /// Opens the file. Blocks.
    pub(crate) fn open(path: &Path, options: OpenOptions) -> Result<Self, DbError> {
        let lock = if options.lock { Some(lock::hold(path)?) } else { None };
        if options.create {
            lock::create(path)?;
        }
        let connection = connect(path)?;
        let mode: String = connection
            .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
            .map_err(|error| error_of(&error))?;
        if mode != "wal" {
            return Err(DbError::Unavailable(format!("the file system allows no write-ahead log ({mode})")));
        }
        let texts = Arc::new(Texts::default());
        let (jobs, queue) = sync_channel(QUEUE);
        let checkpointer = writer::checkpointer(connect(path)?)?;
        let writer = Writer::new(connection, Arc::clone(&texts), checkpointer);
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || {
                writer.run(&queue);
                drop(lock);
            })
            .map_err(|error| DbError::Unavailable(error.to_string()))?;
        Ok(Self {
            path: path.to_owned(),
            readers: Arc::new(ArrayQueue::new(READERS)),
            texts,
            jobs,
            thread: Mutex::new(Some(thread)),
            closed: AtomicBool::new(false),
        })
    }

    /// Reads inline, up to `limit` rows.
    pub(crate) fn read<T: FromRow>(
        &self,
        sql: &'static str,
        args: &[Value],
        limit: usize,
    ) -> Result<Vec<T>, DbError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        let connection = match self.readers.pop() {
            Some(connection) => connection,
            None => reader(&self.path)?,
        };
        let rows = select(&connection, &self.texts.of(sql), args, limit);
        // A connection beyond those that are kept is closed here.
        drop(self.readers.push(connection));
        rows
    }

    /// Hands a unit to the writer thread and waits for its end.
    pub(crate) async fn commit(&self, unit: Unit) -> Result<Outcome, DbError> {
        self.hand_over(unit)?.await.map_err(|_| closed())?
    }

    /// Apart from the waiting, so that no future holds the unit.
    fn hand_over(&self, unit: Unit) -> Result<oneshot::Receiver<Result<Outcome, DbError>>, DbError> {
        let (answer, end) = oneshot::channel();
        self.send(Job::Unit(Box::new(unit), answer))?;
        Ok(end)
    }

    /// Runs something on the writer's connection, with nothing else being written.
    pub(crate) async fn exclusive<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        let (answer, end) = oneshot::channel();
        self.send(Job::Exclusive(Box::new(move |connection| drop(answer.send(work(connection))))))?;
        end.await.map_err(|_| closed())?
    }

    /// Prepares a statement and says what is wrong with it.
    pub(crate) async fn prepare(&self, sql: &'static str) -> Result<(), DbError> {
        let text = self.texts.of(sql);
        self.exclusive(move |connection| {
            connection.prepare_cached(&text).map(drop).map_err(|error| error_of(&error))
        })
        .await
    }

    /// Finishes what is queued, checkpoints, and lets the file go.
    pub(crate) async fn close(&self) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        while self.readers.pop().is_some() {}
        let jobs = self.jobs.clone();
        let thread = self.thread.lock().ok().and_then(|mut thread| thread.take());
        let joined = tokio::task::spawn_blocking(move || {
            drop(jobs.send(Job::Stop));
            thread.map(JoinHandle::join)
        });
        if !matches!(joined.await, Ok(Some(Ok(())))) {
            tracing::warn!("the writer thread did not end well");
        }
    }

    fn send(&self, job: Job) -> Result<(), DbError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => DbError::Unavailable("too many changes wait to be written".to_owned()),
            TrySendError::Disconnected(_) => closed(),
        })
    }
}

fn closed() -> DbError {
    DbError::Unavailable("the database is closed".to_owned())
}

fn connect(path: &Path) -> Result<Connection, DbError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let set_up = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
        // One plan for a statement whatever its values are. Without this, SQLite plans each statement
        // anew at every run in which a value could make a partial index fit.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(512);
        connection.execute_batch(
            "PRAGMA page_size = 4096; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; \
             PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; \
             PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 33554432; PRAGMA cache_size = -16384;",
        )?;
        text::register_greatest(&connection)?;
        Ok(connection)
    };
    set_up().map_err(|error| error_of(&error))
}

fn reader(path: &Path) -> Result<Connection, DbError> {
    let connection = connect(path)?;
    // What was read is forgotten at each commit of the writer, so that more would seldom be of use.
    connection
        .execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -4096")
        .map_err(|error| error_of(&error))?;
    Ok(connection)
}

/// Runs a SELECT whose placeholders are already SQLite's.
fn select<T: FromRow>(
    connection: &Connection,
    text: &str,
    args: &[Value],
    limit: usize,
) -> Result<Vec<T>, DbError> {
    let mut statement = connection.prepare_cached(text).map_err(|error| error_of(&error))?;
    text::bind(&mut statement, args)?;
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while found.len() < limit {
        let Some(row) = rows.next().map_err(|error| error_of(&error))? else { break };
        found.push(T::from_row(&Row::new(Source::Sqlite(row)))?);
    }
    Ok(found)
}

/// What an error of SQLite means to the caller.
fn error_of(error: &rusqlite::Error) -> DbError {
    use rusqlite::ErrorCode as Code;
    match error.sqlite_error_code() {
        Some(Code::DiskFull) => DbError::Full,
        Some(
            Code::DatabaseBusy
            | Code::DatabaseLocked
            | Code::SystemIoFailure
            | Code::CannotOpen
            | Code::ReadOnly
            | Code::OutOfMemory
            | Code::FileLockingProtocolFailed,
        ) => DbError::Unavailable(error.to_string()),
        _ => DbError::Sql(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Engine, engine::GROWING, scratch::Scratch};
    use rusqlite::StatementStatus;

    /// What a request costs does not grow with people, tenants, sessions or events: no statement reads a
    /// growing table from end to end, and who is suspended is found among all others.
    #[tokio::test]
    async fn no_statement_reads_a_growing_table_whole() {
        let scratch = Scratch::new(Engine::Sqlite).await.unwrap();
        let db = scratch.open().await.unwrap();
        crate::migrate(&db, crate::MIGRATIONS).await.unwrap();
        let (connection, texts) = (connect(&db.sqlite().unwrap().path).unwrap(), Texts::default());
        let mut whole = Vec::new();
        // Putting back a backup concerns everybody.
        for sql in crate::statements().into_iter().filter(|sql| !crate::backup::ALL.contains(sql)) {
            let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", texts.of(sql))).unwrap();
            let mut rows = plan.raw_query();
            let mut steps = String::new();
            while let Some(row) = rows.next().unwrap() {
                let step: String = row.get(3).unwrap();
                steps += &step;
                steps.push('\n');
                // A search without a condition, as for `max(column)`, reads all of its index, too.
                let sought = step.strip_prefix("SEARCH ").filter(|rest| !rest.contains('('));
                let table = step.strip_prefix("SCAN ").or(sought).and_then(|rest| rest.split(' ').next());
                // The open tombstones are an index of their own.
                let open = step.ends_with("tombstone_open");
                if !open && table.is_some_and(|table| GROWING.contains(&table)) {
                    whole.push(format!("{step}: {sql}"));
                }
            }
            // What names a person is found by the person, not by the tenant alone.
            if sql.starts_with("SELECT") && sql.contains("AND person = $2") {
                let by_tenant = steps.lines().find(|step| step.ends_with("(tenant=?)"));
                assert_eq!(by_tenant, None, "{sql}");
            }
            if sql.contains("state = 'suspended'") && sql.contains(" LIMIT ") {
                assert!(steps.contains("person_suspended"), "{steps}: {sql}");
            }
        }
        assert!(whole.is_empty(), "{}", whole.join("\n"));
        scratch.remove(db).await.unwrap();
    }

    /// Few rows that are large fill the log as many small ones do.
    #[tokio::test]
    async fn the_log_stays_small_whatever_size_rows_have() {
        const WRITE: &str = "INSERT INTO lease (name, holder, until) VALUES ('large', $1, $2) \
            ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until";
        let scratch = Scratch::new(Engine::Sqlite).await.unwrap();
        let db = scratch.open().await.unwrap();
        crate::migrate(&db, crate::MIGRATIONS).await.unwrap();
        let (env, log) = (base::Env::system(), scratch.folder.join("keyward.db-wal"));
        for number in 0..300_i64 {
            let unit = crate::Unit::marked(env.id(), "SELECT 1", vec![]);
            let args = crate::args![vec![number.to_le_bytes()[0]; 512 * 1024], number];
            assert!(db.commit(unit.write(WRITE, args, crate::Expect::Any)).await.unwrap().done());
        }
        let length = std::fs::metadata(&log).unwrap().len();
        assert!(length < 64 * 1024 * 1024, "{length}");
        scratch.remove(db).await.unwrap();
    }

    /// What one unit adds to the index of trigrams is written once, not once a text.
    #[tokio::test]
    async fn the_texts_of_a_unit_reach_the_index_together() {
        let scratch = Scratch::new(Engine::Sqlite).await.unwrap();
        let db = scratch.open().await.unwrap();
        crate::migrate(&db, crate::MIGRATIONS).await.unwrap();
        let connection = connect(&db.sqlite().unwrap().path).unwrap();
        let mut unit = crate::Unit::marked(base::Env::system().id(), "SELECT 1", vec![]);
        for number in 0..100_u8 {
            let (person, texts) = (base::Id::from_bytes([number; 16]), [format!("text{number}")]);
            crate::rows::person::index_new(&mut unit, base::Id::from_bytes([1; 16]), person, &texts);
        }
        assert!(db.commit(unit).await.unwrap().done());
        let count = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM search_infix WHERE search_infix MATCH 'ext'"), 100);
        assert_eq!(count("SELECT count(DISTINCT segid) FROM search_infix_idx"), 1);
        scratch.remove(db).await.unwrap();
    }

    /// The index of trigrams follows the texts of a person: what stays is kept, what goes is found by its
    /// number, however many share its trigrams, and leaves nothing in the file.
    #[tokio::test]
    async fn texts_that_go_leave_the_index_of_trigrams() {
        let scratch = Scratch::new(Engine::Sqlite).await.unwrap();
        let db = scratch.open().await.unwrap();
        crate::migrate(&db, crate::MIGRATIONS).await.unwrap();
        let connection = connect(&db.sqlite().unwrap().path).unwrap();
        let (env, tenant, person) =
            (base::Env::system(), base::Id::from_bytes([1; 16]), base::Id::from_bytes([2; 16]));
        for texts in [&["ada@example.com", "zebrafinch", "xi"][..], &["ada@example.com", "otter"], &["otter"]]
        {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            let mut unit = crate::Unit::marked(env.id(), "SELECT 1", vec![]);
            crate::rows::person::index(&mut unit, tenant, person, &texts);
            assert!(db.commit(unit).await.unwrap().done());
            connection
                .execute_batch("INSERT INTO search_infix (search_infix, rank) VALUES ('integrity-check', 1)")
                .unwrap();
            let held: i64 = connection
                .query_row("SELECT count(*) FROM search_infix WHERE search_infix MATCH 'ebr'", [], |row| {
                    row.get(0)
                })
                .unwrap();
            assert_eq!(held, i64::from(texts.contains(&"zebrafinch".to_owned())));
        }
        connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        let file = std::fs::read(&db.sqlite().unwrap().path).unwrap();
        assert!(!file.windows(10).any(|bytes| bytes == b"zebrafinch"));
        let trigrams: Vec<i64> = ["ebr", "ott"]
            .map(|trigram| {
                let sql = "SELECT count(*) FROM search_infix_data WHERE instr(block, CAST($1 AS BLOB)) > 0";
                connection.query_row(sql, [trigram], |row| row.get(0)).unwrap()
            })
            .into();
        assert_eq!(trigrams, [0, 1]);
        scratch.remove(db).await.unwrap();
    }

    /// A statement is planned once for each connection, not at each run: planning is most of what a
    /// read by key would cost.
    #[tokio::test]
    async fn no_statement_is_planned_twice() {
        let scratch = Scratch::new(Engine::Sqlite).await.unwrap();
        let db = scratch.open().await.unwrap();
        crate::migrate(&db, crate::MIGRATIONS).await.unwrap();
        let store = db.sqlite().unwrap();
        let (connection, texts) = (connect(&store.path).unwrap(), Texts::default());
        let mut planned = 0;
        for sql in crate::statements().into_iter().filter(|sql| sql.starts_with("SELECT")) {
            let text = texts.of(sql);
            let mut statement = connection.prepare_cached(&text).unwrap();
            let count = statement.parameter_count();
            for value in [Value::Null, Value::Int(1), Value::Text("a".to_owned())] {
                text::bind(&mut statement, &vec![value; count]).unwrap();
                let mut rows = statement.raw_query();
                while let Ok(Some(_)) = rows.next() {}
            }
            assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{sql}");
            planned += 1;
        }
        assert!(planned > 50);
        scratch.remove(db).await.unwrap();
    }
}
