//! Password hashing: a fixed pool of threads, each with its own arena, behind a queue that is
//! bounded in milliseconds of work. Known devices go first, networks take turns; a caller who has
//! gone, or waited too long, is dropped before the hash; a full queue refuses at once.
//!
//! A hash never runs on a thread that serves requests, and gives way to them: the threads of the pool
//! ask the system for what others leave. The express ones do not; they serve known devices alone, who
//! so wait neither for a stranger's hash nor for the refusals of a flood.

mod niceness;
mod queue;
mod slots;
#[cfg(test)]
mod tests;

use base::{Env, Error, Kind, net::Network};
use passwords::{HashError, Hasher, Params, PhcString, Prepared, Verdict};
use queue::{Queue, Wait};
pub use slots::{AccountSlot, AccountSlots};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// How many known devices may wait for each express thread before the others, which give way to all that
/// serves requests and so may take long, serve one of them before strangers.
const LEFT_TO_EACH: usize = 4;

/// Whose hash goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// Somebody at a device on which they have signed in before.
    KnownDevice,
    /// Anybody else.
    Other,
}

/// Who asks for a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// Before or after others.
    pub priority: Priority,
    /// The network that shares its turn; none is a network of its own.
    pub network: Option<Network>,
}

/// Somebody of no network in particular: an operator, an import.
impl From<Priority> for Caller {
    fn from(priority: Priority) -> Self {
        Self { priority, network: None }
    }
}

/// How much the pool may do.
#[derive(Debug, Clone, Copy)]
pub struct HashSettings {
    /// Threads; as many as the machine has cores by default.
    pub threads: usize,
    /// Threads beside these for known devices alone.
    pub express: usize,
    /// How much work may wait before a caller is refused.
    pub queue: Duration,
    /// How long a caller waits for the hash to begin.
    pub patience: Duration,
    /// After how long without work a thread gives its arena back.
    pub release_after: Duration,
    /// The cost of new hashes.
    pub params: Params,
}

impl Default for HashSettings {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            express: 1,
            queue: Duration::from_millis(500),
            patience: Duration::from_secs(2),
            release_after: Duration::from_secs(60),
            params: Params::DEFAULT,
        }
    }
}

/// The hashing pool. Clones share it; its threads end with the last of them.
#[derive(Clone)]
pub struct HashPool {
    owner: Arc<Owner>,
    env: Env,
}

impl HashPool {
    /// Starts the threads.
    ///
    /// # Errors
    /// If the operating system gives no thread.
    pub fn start(env: Env, settings: HashSettings) -> Result<Self, Error> {
        let shared = Arc::new(Shared::new(settings));
        let owner = Arc::new(Owner(Arc::clone(&shared)));
        let ordinary = (0..settings.threads.max(1)).map(|number| (format!("hash-{number}"), Line::All));
        let express = (0..settings.express).map(|number| (format!("express-{number}"), Line::Known));
        for (name, line) in ordinary.chain(express) {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name(name)
                .spawn(move || shared.serve(line))
                .map_err(|error| Error::internal(format!("no thread for hashing: {error}")))?;
        }
        Ok(Self { owner, env })
    }

    /// Hashes a new password under a fresh salt.
    ///
    /// # Errors
    /// `error-busy` (503, with the time to come back) when the queue is full or the wait too long.
    pub async fn hash(&self, password: Prepared, caller: impl Into<Caller>) -> Result<PhcString, Error> {
        let (salt, params) = (self.env.bytes(), self.owner.0.settings.params);
        self.run(caller.into(), move |hasher| hasher.hash(&password, salt, params, None)).await
    }

    /// Verifies a password. For an unknown account give [`passwords::dummy`]: the same path, the
    /// same time.
    ///
    /// # Errors
    /// As [`HashPool::hash`].
    pub async fn verify(
        &self,
        password: Prepared,
        stored: PhcString,
        caller: impl Into<Caller>,
    ) -> Result<Verdict, Error> {
        self.run(caller.into(), move |hasher| hasher.verify(&password, &stored, None)).await
    }

    /// How many hashes were made since the start, for new and for typed passwords.
    pub fn hashes(&self) -> u64 {
        self.owner.0.hashes.load(Ordering::Relaxed)
    }

    /// How many callers were told to come again since the start, since too much waited or another
    /// network had more right to the place.
    pub fn refused(&self) -> u64 {
        self.owner.0.refused.load(Ordering::Relaxed)
    }

    /// How many callers were told to come again since the start, since they had waited long enough.
    pub fn late(&self) -> u64 {
        self.owner.0.late.load(Ordering::Relaxed)
    }

    /// How many milliseconds of work wait in the queue, by the measure of the latest hashes.
    pub fn queue_ms(&self) -> u64 {
        let state = self.owner.0.state();
        u64::try_from(self.owner.0.wait(&state, state.queue.len()).as_millis()).unwrap_or(u64::MAX)
    }

    /// How many threads hold an arena at present.
    pub fn arenas(&self) -> usize {
        self.owner.0.arenas.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(
        &self,
        caller: Caller,
        work: impl FnOnce(&mut Hasher) -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, Error> {
        let (began, (reply, answer)) = (Instant::now(), oneshot::channel());
        self.owner.0.push(caller, Box::new(Call { work, reply }))?;
        match answer.await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error @ HashError::Memory { .. })) => Err(Error::unavailable(error.to_string())),
            Ok(Err(error)) => Err(Error::internal(error.to_string())),
            Err(_) => Err(self.owner.0.dropped(began)),
        }
    }
}

/// Ends the threads when the last pool is dropped.
struct Owner(Arc<Shared>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.state().closed = true;
        self.0.wake.notify_all();
        self.0.wake_express.notify_all();
    }
}

/// One hash on its way, whatever its answer.
trait Task: Wait + Send {
    fn run(self: Box<Self>, hasher: &mut Hasher);
}

struct Call<F, T> {
    work: F,
    reply: oneshot::Sender<Result<T, HashError>>,
}

impl<F, T> Wait for Call<F, T> {
    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }
}

impl Wait for Box<dyn Task> {
    fn is_wanted(&self) -> bool {
        (**self).is_wanted()
    }
}

impl<F, T> Task for Call<F, T>
where
    F: FnOnce(&mut Hasher) -> Result<T, HashError> + Send,
    T: Send,
{
    fn run(self: Box<Self>, hasher: &mut Hasher) {
        // A caller who went away meanwhile needs no answer.
        let _ = self.reply.send((self.work)(hasher));
    }
}

struct State {
    queue: Queue<Box<dyn Task>>,
    /// Moving average of what a hash takes.
    mean: Duration,
    closed: bool,
}

/// Whom a thread serves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Everybody, known devices first.
    All,
    /// Known devices.
    Known,
}

enum Next {
    Task(Box<dyn Task>),
    Idle,
    Closed,
}

struct Shared {
    settings: HashSettings,
    state: Mutex<State>,
    wake: Condvar,
    wake_express: Condvar,
    hashes: AtomicU64,
    refused: AtomicU64,
    late: AtomicU64,
    arenas: AtomicUsize,
}

impl Shared {
    fn new(settings: HashSettings) -> Self {
        let state = State { queue: Queue::default(), mean: Duration::from_millis(20), closed: false };
        Self {
            settings,
            state: Mutex::new(state),
            wake: Condvar::new(),
            wake_express: Condvar::new(),
            hashes: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            late: AtomicU64::new(0),
            arenas: AtomicUsize::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long this many hashes take on all threads.
    fn wait(&self, state: &State, hashes: usize) -> Duration {
        let threads = u32::try_from(self.settings.threads.max(1)).unwrap_or(u32::MAX);
        state.mean.saturating_mul(u32::try_from(hashes).unwrap_or(u32::MAX)) / threads
    }

    /// How many may wait.
    fn most(&self, state: &State) -> usize {
        let one = self.wait(state, 1).as_nanos().max(1);
        usize::try_from(self.settings.queue.as_nanos().div_ceil(one)).unwrap_or(usize::MAX)
    }

    fn push(&self, caller: Caller, task: Box<dyn Task>) -> Result<(), Error> {
        let now = Instant::now();
        let mut state = self.state();
        let most = self.most(&state);
        if !state.queue.push(caller, (task, now + self.settings.patience), most, now) {
            return Err(self.busy(&self.refused, "the hashing queue is full"));
        }
        drop(state);
        // Whichever comes first takes it.
        if caller.priority == Priority::KnownDevice {
            self.wake_express.notify_one();
        }
        self.wake.notify_one();
        Ok(())
    }

    /// Why a task that waited since then was dropped.
    fn dropped(&self, began: Instant) -> Error {
        match began.elapsed() >= self.settings.patience {
            true => self.busy(&self.late, "waited too long for a hash"),
            false => self.busy(&self.refused, "gave way to another network"),
        }
    }

    fn busy(&self, count: &AtomicU64, why: &str) -> Error {
        count.fetch_add(1, Ordering::Relaxed);
        let after = Duration::from_secs(self.settings.queue.as_secs() + 1);
        Error::new(
            Kind::Unavailable,
            "error-busy",
            "We are very busy right now. Please try again in a moment.",
        )
        .because(why)
        .retry_after(after)
    }

    /// The next task that somebody still waits for. With an arena in hand, `Idle` after a while.
    fn next(&self, line: Line, warm: bool) -> Next {
        let mut state = self.state();
        let wake = if line == Line::Known { &self.wake_express } else { &self.wake };
        loop {
            // Whoever stands behind known devices is told in time as well.
            state.queue.sweep(Instant::now());
            let next = match line {
                Line::Known => state.queue.take_known(),
                Line::All => state.queue.take(self.settings.express * LEFT_TO_EACH),
            };
            if let Some(task) = next {
                return Next::Task(task);
            }
            if state.closed {
                return Next::Closed;
            }
            if warm {
                let woken = wake.wait_timeout(state, self.settings.release_after);
                let timeout;
                (state, timeout) = woken.unwrap_or_else(PoisonError::into_inner);
                if timeout.timed_out() && !state.queue.has(line) && !state.closed {
                    return Next::Idle;
                }
            } else {
                state = wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// What each thread does until the pool is gone.
    fn serve(&self, line: Line) {
        if line == Line::All {
            niceness::give_way();
        }
        let mut hasher = Hasher::new(self.settings.params);
        let mut warm = false;
        loop {
            match self.next(line, warm) {
                Next::Task(task) => {
                    if !std::mem::replace(&mut warm, true) {
                        self.arenas.fetch_add(1, Ordering::Relaxed);
                    }
                    self.hash(task, &mut hasher);
                }
                Next::Idle => {
                    hasher.release();
                    warm = false;
                    self.arenas.fetch_sub(1, Ordering::Relaxed);
                }
                Next::Closed => return,
            }
        }
    }

    fn hash(&self, task: Box<dyn Task>, hasher: &mut Hasher) {
        self.hashes.fetch_add(1, Ordering::Relaxed);
        let begun = Instant::now();
        // A thread that died would be missing until the next start.
        if catch_unwind(AssertUnwindSafe(|| task.run(hasher))).is_err() {
            *hasher = Hasher::new(self.settings.params);
            tracing::error!("a password hash panicked");
        }
        let mut state = self.state();
        state.mean = (state.mean * 7 + begun.elapsed()) / 8;
    }
}
