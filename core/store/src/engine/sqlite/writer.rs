//! The writer thread: takes all waiting units into one commit, and numbers and chains their events.

use super::{
    super::{
        DbError, EventRow, Outcome, Unit, Value,
        chain::{self, Hasher, Link},
        error::Failure,
    },
    error_of, select,
    text::{self, Texts},
};
use crate::dialect;
use rusqlite::{Connection, ErrorCode, ffi};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};
use tokio::sync::oneshot;

/// Units in one commit, at most.
const GROUP: usize = 512;
/// Changed rows and pages after which a checkpoint is due.
const CHECKPOINT_EVERY: u64 = 400;
const PAGE: usize = 4_096;
/// Pages in the log above which the writer itself waits for a checkpoint (32 MiB).
const LOG_BOUND: i64 = 8_192;

/// How long the writer then waits for reads to end.
const READERS_END: Duration = Duration::from_millis(100);

/// What the writer thread is asked to do.
pub(super) enum Job {
    Unit(Box<Unit>, Answer),
    Exclusive(Box<dyn FnOnce(&mut Connection) + Send>),
    Stop,
}

type Answer = oneshot::Sender<Result<Outcome, DbError>>;
type Waiting = (Box<Unit>, Answer);

/// The thread's state.
pub(super) struct Writer {
    connection: Connection,
    texts: Arc<Texts>,
    /// The end of the event chain, once it is known.
    end: Option<Link>,
    checkpointer: Checkpointer,
    /// Changed rows since the last checkpoint was asked for, and the pages of those that fill some.
    changed: u64,
    /// Whether there was no room for the last group.
    full: bool,
}

impl Writer {
    pub(super) fn new(connection: Connection, texts: Arc<Texts>, checkpointer: Checkpointer) -> Self {
        Self { connection, texts, end: None, checkpointer, changed: 0, full: false }
    }

    /// Works until it is told to stop or nobody can ask any more.
    pub(super) fn run(mut self, queue: &Receiver<Job>) {
        // A process that died may have left a long log.
        self.checkpointer.wake();
        let mut next = queue.recv().ok();
        while let Some(job) = next.take() {
            match job {
                Job::Stop => break,
                Job::Exclusive(work) => {
                    work(&mut self.connection);
                    self.end = None;
                }
                Job::Unit(unit, answer) => next = self.group((unit, answer), queue),
            }
            next = next.or_else(|| queue.recv().ok());
        }
        self.checkpointer.stop();
        if let Err(error) = self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
            tracing::warn!(%error, "the last checkpoint failed; the log is read at the next start");
        }
    }

    /// Commits this unit and all that wait behind it; gives back a job of another kind if it met one.
    fn group(&mut self, first: Waiting, queue: &Receiver<Job>) -> Option<Job> {
        let mut group = vec![first];
        let mut other = None;
        while group.len() < GROUP && other.is_none() {
            match queue.try_recv() {
                Ok(Job::Unit(unit, answer)) => group.push((unit, answer)),
                Ok(job) => other = Some(job),
                Err(_) => break,
            }
        }
        self.commit(group);
        self.checkpoint_if_due();
        other
    }

    /// Commits a group. If that fails as a whole, each unit is tried alone, so that one that cannot
    /// be written does not take others with it.
    fn commit(&mut self, group: Vec<Waiting>) {
        match self.together(&group) {
            Ok(ends) => {
                for ((_, answer), end) in group.into_iter().zip(ends) {
                    drop(answer.send(end));
                }
            }
            Err(_) if group.len() > 1 => group.into_iter().for_each(|waiting| self.commit(vec![waiting])),
            Err(error) => {
                self.full = matches!(error, DbError::Full);
                group.into_iter().for_each(|(_, answer)| drop(answer.send(Err(error.clone()))));
            }
        }
    }

    /// Commits all of a group in one transaction. Nearly all units get through, so they run as they are at
    /// first; if one does not, all is taken back and done again with each in a savepoint.
    fn together(&mut self, group: &[Waiting]) -> Result<Vec<Result<Outcome, DbError>>, DbError> {
        match self.transaction(|writer| writer.unguarded(group))? {
            Some(ends) => Ok(ends),
            None => self.transaction(|writer| writer.guarded(group).map(Some)).map(Option::unwrap_or_default),
        }
    }

    /// A transaction that is taken back unless `act` gives something.
    fn transaction<T>(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<Option<T>, DbError>,
    ) -> Result<Option<T>, DbError> {
        self.control("BEGIN IMMEDIATE")?;
        let given = act(self);
        if !matches!(given, Ok(Some(_))) {
            self.end = None;
            if !self.connection.is_autocommit() {
                self.control("ROLLBACK")?;
            }
        }
        given
    }

    /// Commits the units, or nothing if one of them cannot be done.
    fn unguarded(&mut self, group: &[Waiting]) -> Result<Option<Vec<Result<Outcome, DbError>>>, DbError> {
        let mut recorded = Vec::new();
        for (unit, _) in group {
            if !matches!(self.statements(unit, &mut recorded), Ok(None)) {
                return Ok(None);
            }
        }
        self.finish(&recorded)?;
        Ok(Some(group.iter().map(|_| Ok(Outcome::Done)).collect()))
    }

    /// Commits those units that can be done.
    fn guarded(&mut self, group: &[Waiting]) -> Result<Vec<Result<Outcome, DbError>>, DbError> {
        let mut recorded = Vec::new();
        let mut ends = Vec::with_capacity(group.len());
        for (unit, _) in group {
            ends.push(self.unit(unit, &mut recorded)?);
        }
        self.finish(&recorded)?;
        Ok(ends)
    }

    fn finish(&mut self, recorded: &[&EventRow]) -> Result<(), DbError> {
        let end = self.chain(recorded)?;
        self.connection.execute_batch("COMMIT").map_err(|error| match error_of(&error) {
            // The log may hold the whole commit although its sync failed.
            DbError::Unavailable(detail) => DbError::Unknown(detail),
            error => error,
        })?;
        self.end = end;
        Ok(())
    }

    /// Runs one unit in a savepoint. The outer error is one that ended the whole transaction.
    fn unit<'a>(
        &mut self,
        unit: &'a Unit,
        recorded: &mut Vec<&'a EventRow>,
    ) -> Result<Result<Outcome, DbError>, DbError> {
        self.control("SAVEPOINT unit")?;
        let before = recorded.len();
        let lost = match self.statements(unit, recorded) {
            Ok(None) => {
                self.control("RELEASE unit")?;
                return Ok(Ok(Outcome::Done));
            }
            Ok(Some(statement)) => Ok(statement),
            Err(error) => Err(error),
        };
        if self.connection.is_autocommit() {
            return Err(lost.err().unwrap_or_else(|| DbError::Unavailable("rolled back".to_owned())));
        }
        recorded.truncate(before);
        self.control("ROLLBACK TO unit")?;
        self.control("RELEASE unit")?;
        Ok(match lost {
            Ok(statement) => self.done_before(unit).map(|done| match done {
                true => Outcome::Done,
                false => Outcome::Conflict { statement },
            }),
            Err(error) => Err(error),
        })
    }

    /// Runs the events and statements; the position of the first that did not touch what it must.
    fn statements<'a>(
        &mut self,
        unit: &'a Unit,
        recorded: &mut Vec<&'a EventRow>,
    ) -> Result<Option<usize>, DbError> {
        for event in &unit.events {
            let number = self.end()?.number + 1 + i64::try_from(recorded.len()).unwrap_or(i64::MAX);
            let mut args = event.args();
            args.push(Value::Int(number));
            match self.execute(dialect::INSERT_NUMBERED_EVENT, &args) {
                Ok(1) => recorded.push(event),
                Ok(_) | Err(Failure::Unique) => return Ok(Some(unit.writes.len())),
                Err(failure) => return Err(failure.into_error()),
            }
        }
        for (write, position) in unit.writes.iter().zip(0..) {
            match self.execute(write.sql, &write.args) {
                Ok(rows) if write.expect.met(rows) => {}
                Ok(_) | Err(Failure::Unique) => return Ok(Some(position)),
                Err(failure) => return Err(failure.into_error()),
            }
        }
        Ok(None)
    }

    fn done_before(&self, unit: &Unit) -> Result<bool, DbError> {
        let (sql, args) = unit.probe();
        Ok(!select::<Found>(&self.connection, &self.texts.of(sql), &args, 1)?.is_empty())
    }

    /// Writes the chain's row for the events of this commit; gives its new end.
    fn chain(&mut self, recorded: &[&EventRow]) -> Result<Option<Link>, DbError> {
        if recorded.is_empty() {
            return Ok(self.end);
        }
        let end = self.end()?;
        let mut hasher = Hasher::after(&end.hash);
        let mut number = end.number;
        for event in recorded {
            number += 1;
            hasher.add(number, event);
        }
        let link = Link { number, hash: hasher.finish() };
        let args = crate::args![link.number, end.number + 1, end.hash, link.hash];
        self.execute(chain::INSERT_LINK, &args).map_err(Failure::into_error)?;
        Ok(Some(link))
    }

    fn end(&mut self) -> Result<Link, DbError> {
        if let Some(end) = self.end {
            return Ok(end);
        }
        let last = select::<Link>(&self.connection, &self.texts.of(chain::LAST_LINK), &[], 1)?;
        let end = last.into_iter().next().unwrap_or_default();
        self.end = Some(end);
        Ok(end)
    }

    fn execute(&mut self, sql: &'static str, args: &[Value]) -> Result<u64, Failure> {
        let mut statement =
            self.connection.prepare_cached(&self.texts.of(sql)).map_err(|error| failure_of(&error))?;
        text::bind(&mut statement, args)?;
        let rows = statement.raw_execute().map_err(|error| failure_of(&error))? as u64;
        drop(statement);
        self.changed += rows + (args.iter().map(Value::size).sum::<usize>() / PAGE) as u64;
        if sql == dialect::INSERT_SEARCH
            && rows == 1
            && let [_, text, _] = args
        {
            let number = self.connection.last_insert_rowid();
            self.execute(dialect::INSERT_TRIGRAMS, &[Value::Int(number), text.clone()])?;
        }
        Ok(rows)
    }

    fn control(&self, sql: &str) -> Result<(), DbError> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.raw_execute())
            .map(drop)
            .map_err(|error| error_of(&error))
    }

    fn checkpoint_if_due(&mut self) {
        if self.changed >= CHECKPOINT_EVERY {
            self.changed = 0;
            self.checkpointer.wake();
        }
        // Where it is the log itself that fills the disk, nothing else would ever make room again.
        let full = std::mem::take(&mut self.full);
        if (self.checkpointer.overdue.swap(false, Ordering::AcqRel) || full)
            && let Err(error) = self.start_log_anew()
        {
            tracing::warn!(%error, "the log could not be started anew");
        }
    }

    /// Waits a moment for those who still read the log, and no longer: units wait meanwhile.
    fn start_log_anew(&self) -> rusqlite::Result<()> {
        self.connection.busy_timeout(READERS_END)?;
        let restarted = self.connection.execute_batch("PRAGMA wal_checkpoint(RESTART)");
        self.connection.busy_timeout(super::BUSY)?;
        restarted
    }
}

/// Any row.
struct Found;

impl super::FromRow for Found {
    fn from_row(_: &super::Row<'_>) -> Result<Self, DbError> {
        Ok(Self)
    }
}

fn failure_of(error: &rusqlite::Error) -> Failure {
    if let rusqlite::Error::SqliteFailure(cause, _) = error
        && cause.code == ErrorCode::ConstraintViolation
        && [ffi::SQLITE_CONSTRAINT_UNIQUE, ffi::SQLITE_CONSTRAINT_PRIMARYKEY, ffi::SQLITE_CONSTRAINT_ROWID]
            .contains(&cause.extended_code)
    {
        return Failure::Unique;
    }
    Failure::Final(error_of(error))
}

/// The thread that moves the log into the file, beside the writer and never in its way.
pub(super) struct Checkpointer {
    wakes: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    overdue: Arc<AtomicBool>,
}

/// Starts the thread on a connection of its own.
pub(super) fn checkpointer(connection: Connection) -> Result<Checkpointer, DbError> {
    let (wakes, woken) = sync_channel(1);
    let overdue = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&overdue);
    let work = move || {
        while woken.recv().is_ok() {
            let pages = connection
                .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get::<_, i64>(1))
                .inspect_err(|error| tracing::warn!(%error, "checkpoint"));
            if pages.is_ok_and(|pages| pages > LOG_BOUND) {
                flag.store(true, Ordering::Release);
            }
        }
    };
    let thread = std::thread::Builder::new()
        .name("sqlite-checkpoint".to_owned())
        .spawn(work)
        .map_err(|error| DbError::Unavailable(error.to_string()))?;
    Ok(Checkpointer { wakes: Some(wakes), thread: Some(thread), overdue })
}

impl Checkpointer {
    fn wake(&self) {
        // A wake that is already waiting is enough.
        if let Some(wakes) = &self.wakes
            && let Err(TrySendError::Disconnected(())) = wakes.try_send(())
        {
            tracing::warn!("the checkpoint thread is gone");
        }
    }

    fn stop(&mut self) {
        self.wakes = None;
        drop(self.thread.take().map(JoinHandle::join));
    }
}
