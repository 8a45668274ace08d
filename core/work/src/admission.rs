//! Admission before any work: how many requests a network, an application or a tenant may send.
//!
//! Buckets of the generic cell rate algorithm (ITU-T I.371), one time each, in memory, a node's
//! share of the limit. What is forgotten here costs nothing: the attempts that protect accounts
//! are rows of the store.

#[cfg(test)]
mod tests;

use base::{Error, Id, Kind, Time, id, net::Network};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

/// Who is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A client's network, see [`base::net::network`].
    Network(Network),
    /// An application of a tenant.
    Application(Id<id::Application>),
    /// A whole tenant.
    Tenant(Id<id::Tenant>),
    /// A network that registers applications without a token.
    Registrations(Network),
    /// A network that brings wrong secrets or tokens, whosever.
    Guesses(Network),
    /// A network that brings wrong secrets of one application. Others with the right one are let in.
    GuessesAt(Network, Id<id::Application>),
}

/// A limit by which somebody was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Requests of a network.
    Network,
    /// Requests of an application.
    Application,
    /// Requests of a tenant.
    Tenant,
    /// Open registrations of a network.
    Registrations,
    /// Wrong secrets and tokens of a network.
    Guesses,
    /// Attempts at one account, which are counted in the store.
    Account,
}

impl Limit {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Network, Self::Application, Self::Tenant, Self::Registrations, Self::Guesses, Self::Account];

    /// Its name in the metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Application => "application",
            Self::Tenant => "tenant",
            Self::Registrations => "registrations",
            Self::Guesses => "guesses",
            Self::Account => "account",
        }
    }
}

impl From<Subject> for Limit {
    fn from(subject: Subject) -> Self {
        match subject {
            Subject::Network(_) => Self::Network,
            Subject::Application(_) => Self::Application,
            Subject::Tenant(_) => Self::Tenant,
            Subject::Registrations(_) => Self::Registrations,
            Subject::Guesses(_) | Subject::GuessesAt(..) => Self::Guesses,
        }
    }
}

/// How often somebody was refused, by the limit.
#[derive(Default)]
struct Refusals([AtomicU64; 6]);

impl Refusals {
    const fn of(&self, limit: Limit) -> &AtomicU64 {
        let [network, application, tenant, registrations, guesses, account] = &self.0;
        match limit {
            Limit::Network => network,
            Limit::Application => application,
            Limit::Tenant => tenant,
            Limit::Registrations => registrations,
            Limit::Guesses => guesses,
            Limit::Account => account,
        }
    }
}

/// How often, and how often at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests a minute in the long run.
    pub per_minute: u32,
    /// Requests at once after a rest.
    pub burst: u32,
}

/// The limits of the whole deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of one network.
    pub network: Rate,
    /// Of one application.
    pub application: Rate,
    /// Of one tenant.
    pub tenant: Rate,
    /// Open registrations of one network.
    pub registrations: Rate,
    /// Wrong secrets of one network.
    pub guesses: Rate,
    /// Wrong secrets of one network at one application.
    pub guesses_at: Rate,
    /// How many subjects are remembered.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            network: Rate { per_minute: 600, burst: 300 },
            application: Rate { per_minute: 6_000_000, burst: 200_000 },
            tenant: Rate { per_minute: 12_000_000, burst: 400_000 },
            registrations: Rate { per_minute: 10, burst: 100 },
            guesses: Rate { per_minute: 60, burst: 120 },
            guesses_at: Rate { per_minute: 10, burst: 20 },
            entries: 200_000,
        }
    }
}

/// By how much one call's time may lie before another's that came first.
const CLOCK: Duration = Duration::from_secs(1);

/// The buckets of this node. Clones share them.
#[derive(Clone)]
pub struct Admission(Arc<Buckets>);

struct Buckets {
    limits: Limits,
    nodes: AtomicU32,
    refused: Refusals,
    /// When each subject's bucket will have drained.
    drained: Mutex<HashMap<Subject, Time>>,
}

impl Admission {
    /// Empty buckets.
    pub fn new(limits: Limits) -> Self {
        let (nodes, refused) = (AtomicU32::new(1), Refusals::default());
        Self(Arc::new(Buckets { limits, nodes, refused, drained: Mutex::default() }))
    }

    /// Sets among how many live nodes the limits are divided.
    pub fn share(&self, nodes: u32) {
        self.0.nodes.store(nodes.max(1), Ordering::Relaxed);
    }

    /// Takes one request of the subject's.
    ///
    /// # Errors
    /// `error-too-many` (429, with the time to come back); the request is not counted then.
    pub fn check(&self, subject: Subject, now: Time) -> Result<(), Error> {
        let mut buckets = self.0.lock();
        let drained_at = self.0.drained_at(&buckets, subject, now)?;
        if buckets.len() >= self.0.limits.entries && !buckets.contains_key(&subject) {
            make_room(&mut buckets, self.0.limits.entries, now);
        }
        buckets.insert(subject, drained_at);
        Ok(())
    }

    /// Whether the subject has a request left, without taking it: what is limited may be only what
    /// goes wrong.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn room(&self, subject: Subject, now: Time) -> Result<(), Error> {
        self.0.drained_at(&self.0.lock(), subject, now).map(drop)
    }

    /// Counts a refusal by a limit that is kept elsewhere.
    pub fn count(&self, limit: Limit) {
        self.0.refused.of(limit).fetch_add(1, Ordering::Relaxed);
    }

    /// How many requests this limit refused since the start.
    pub fn refused(&self, limit: Limit) -> u64 {
        self.0.refused.of(limit).load(Ordering::Relaxed)
    }
}

impl Buckets {
    fn lock(&self) -> MutexGuard<'_, HashMap<Subject, Time>> {
        self.drained.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the bucket will have drained with one request more, if that has room.
    fn drained_at(
        &self,
        buckets: &HashMap<Subject, Time>,
        subject: Subject,
        now: Time,
    ) -> Result<Time, Error> {
        let (interval, most) = self.pace(subject);
        // A time that no request makes is from before the clock was set back: the bucket is half full.
        let real = |at: Time| if at > now.plus(most + CLOCK) { now.plus(most / 2) } else { now.max(at) };
        let drained_at = buckets.get(&subject).map_or(now, |at| real(*at)).plus(interval);
        let wait = drained_at.since(now).saturating_sub(most);
        if wait.is_zero() {
            return Ok(drained_at);
        }
        self.refused.of(subject.into()).fetch_add(1, Ordering::Relaxed);
        Err(too_many(wait))
    }

    /// What one request adds to the bucket on this node, and how much it holds.
    fn pace(&self, subject: Subject) -> (Duration, Duration) {
        let rate = match subject {
            Subject::Network(_) => self.limits.network,
            Subject::Application(_) => self.limits.application,
            Subject::Tenant(_) => self.limits.tenant,
            Subject::Registrations(_) => self.limits.registrations,
            Subject::Guesses(_) => self.limits.guesses,
            Subject::GuessesAt(..) => self.limits.guesses_at,
        };
        let whole = Duration::from_secs(60) / rate.per_minute.max(1);
        let interval = whole.saturating_mul(self.nodes.load(Ordering::Relaxed));
        (interval, whole.saturating_mul(rate.burst).max(interval))
    }
}

/// Forgets who is at rest; if that is not enough, half of the others, those who asked least.
fn make_room(buckets: &mut HashMap<Subject, Time>, entries: usize, now: Time) {
    buckets.retain(|_, drained_at| *drained_at > now);
    if buckets.len() < entries - entries / 8 {
        return;
    }
    let mut times: Vec<Time> = buckets.values().copied().collect();
    let middle = times.len() / 2;
    if middle < times.len() {
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        buckets.retain(|_, drained_at| *drained_at > median);
    }
}

fn too_many(wait: Duration) -> Error {
    let after = Duration::from_secs(wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
    Error::new(Kind::TooMany, "error-too-many", "Too many requests. Please wait a moment and try again.")
        .retry_after(after)
}
