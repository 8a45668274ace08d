//! The worker: leases what is due, delivers a few mails at a time, and writes down how each ended.
//!
//! Between delivery and that note lies the one window in which a mail can go out twice: when the
//! process dies in it, or the server vanishes after it took the mail.

use super::{LABEL, MailSignal, Message, Outgoing, Transport, Trouble};
use base::{Aad, Env, Error};
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use store::{Directory, Engine, Outcome, Unit, UnitId, rows::mail, rows::mail::MailRow};
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};

const AT_ONCE: usize = 8;
const POLL: Duration = Duration::from_secs(1);
/// How long mails gather before one pass takes them: who queued one has the answer by then, also where it is held
/// back (25 ms in `signin`), so that its time does not tell whether there is anything to deliver.
const GATHER: Duration = Duration::from_millis(60);
const FIRST_RETRY: Duration = Duration::from_secs(5);
const LONGEST_RETRY: Duration = Duration::from_secs(600);
const NOTE_TRIES: u32 = 30;
/// How long a mail stays with a worker that died, where another may be at work.
const LEASE: Duration = Duration::from_secs(15);

/// Delivers what is queued. Every node may run one; a mail is leased by one of them at a time.
pub struct Worker {
    inner: Arc<Inner>,
}

struct Inner {
    directory: Directory,
    transport: Transport,
    signal: MailSignal,
    places: Arc<Semaphore>,
    prolong_every: Duration,
}

/// What one look at the queue came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// This many mails were taken.
    Taken(usize),
    /// It was told to stop.
    Stopped,
}

/// How a mail ended, or that it did not yet.
enum Ending {
    Sent,
    Dropped,
    Expired,
    Failed(String),
    Again(String),
}

impl Worker {
    #[cfg(test)]
    pub(super) fn prolonging_every(mut self, every: Duration) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.prolong_every = every;
        }
        self
    }

    /// A worker that takes from this directory's queue.
    pub fn new(directory: Directory, transport: Transport, signal: MailSignal) -> Self {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        Self { inner: Arc::new(Inner { directory, transport, signal, places, prolong_every: LEASE / 3 }) }
    }

    /// Delivers until `shutdown` is ready, then finishes the deliveries under way. Works at once
    /// when the signal wakes it, and looks by itself every second.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let mut deliveries = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        if let Err(error) = self.begin().await {
            tracing::warn!(?error, "mails of a process that died will wait for the end of their leases");
        }
        loop {
            let taken = self.pass(&mut deliveries, shutdown.as_mut()).await;
            while deliveries.try_join_next().is_some() {}
            match taken {
                Ok(Pass::Taken(0)) => {}
                Ok(Pass::Taken(_)) => continue,
                Ok(Pass::Stopped) => break,
                Err(error) => tracing::warn!(?error, "the mail queue cannot be read"),
            }
            tokio::select! {
                () = &mut shutdown => break,
                () = self.inner.signal.0.wake.notified() => sleep(GATHER).await,
                () = sleep(POLL) => {},
            }
        }
        while deliveries.join_next().await.is_some() {}
    }

    /// What a process that died had under way is taken up at once where no other can be at work.
    async fn begin(&self) -> Result<(), Error> {
        let (db, env) = (self.inner.directory.db(), self.inner.directory.env());
        if db.engine() == Engine::Sqlite {
            // A conflict cannot be: it asks for no row.
            let _ = db.commit(mail::end_leases(env.id())).await?;
        }
        Ok(())
    }

    /// Leases what is due, a place at a time, and begins to deliver it. Only the wait for a place
    /// is cut short by `stop`: a lease once taken is used.
    pub(super) async fn pass(
        &self,
        deliveries: &mut JoinSet<()>,
        mut stop: Pin<&mut (impl Future<Output = ()> + Send)>,
    ) -> Result<Pass, Error> {
        let inner = &self.inner;
        let (db, env) = (inner.directory.db(), inner.directory.env());
        let mut taken = 0;
        for row in mail::due(db, env.now()).await? {
            let place = tokio::select! {
                () = &mut stop => return Ok(Pass::Stopped),
                place = Arc::clone(&inner.places).acquire_owned() => place,
            };
            let (lease, now) = (env.id(), env.now());
            if !db.commit(mail::lease(&row, lease, now, now.plus(LEASE))).await?.done() {
                continue;
            }
            taken += 1;
            let inner = Arc::clone(inner);
            deliveries.spawn(async move {
                inner.handle(row, lease).await;
                drop(place);
            });
        }
        Ok(Pass::Taken(taken))
    }
}

impl Inner {
    async fn handle(&self, row: MailRow, lease: UnitId) {
        tokio::select! {
            () = self.deliver(&row) => {},
            () = self.hold(&row, lease) => {},
        }
    }

    /// Prolongs the lease for as long as this is polled, so that no other worker begins meanwhile.
    async fn hold(&self, row: &MailRow, lease: UnitId) {
        let (db, env) = (self.directory.db(), self.directory.env());
        loop {
            sleep(self.prolong_every).await;
            match db.commit(mail::renew(row, env.id(), lease, env.now().plus(LEASE))).await {
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(mail = %row.id, %error, "a lease of a mail is not yet prolonged")
                }
            }
        }
    }

    async fn deliver(&self, row: &MailRow) {
        let ending = self.attempt(row).await;
        let env = self.directory.env();
        // Written before it is told: whoever reads of it may rely on it.
        self.note(row, ending.unit(row, env.id(), env)).await;
        match &ending {
            Ending::Sent => self.signal.0.sent.fetch_add(1, Ordering::Relaxed),
            Ending::Expired | Ending::Failed(_) => self.signal.0.failed.fetch_add(1, Ordering::Relaxed),
            Ending::Dropped | Ending::Again(_) => 0,
        };
        match &ending {
            Ending::Sent | Ending::Dropped => {}
            Ending::Expired => tracing::warn!(mail = %row.id, "a mail expired before it could be sent"),
            Ending::Failed(why) => tracing::warn!(mail = %row.id, why, "a mail was refused for good"),
            Ending::Again(why) => tracing::info!(mail = %row.id, why, "a mail could not be sent yet"),
        }
    }

    async fn attempt(&self, row: &MailRow) -> Ending {
        let now = self.directory.env().now();
        if row.expires_at <= now {
            return Ending::Expired;
        }
        let tenant = match self.directory.tenant(row.tenant).await {
            Ok(Some(tenant)) => tenant,
            Ok(None) => return Ending::Failed("its tenant is gone".to_owned()),
            Err(error) => return Ending::Again(format!("{error:?}")),
        };
        let place = Aad::new(&row.tenant, LABEL, &row.id);
        let message: Option<Message> = row
            .body
            .as_deref()
            .and_then(|body| tenant.key.open(place, body).ok())
            .and_then(|body| serde_json::from_slice(&body).ok());
        let Some(message) = message else { return Ending::Failed("its text cannot be read".to_owned()) };
        let host = host(&tenant.issuer);
        let outgoing = Outgoing { id: row.id, host, message: &message, queued_at: row.created_at, now };
        match self.transport.deliver(&outgoing).await {
            Ok(()) if message.decoy => Ending::Dropped,
            Ok(()) => Ending::Sent,
            Err(Trouble::Later(why)) => Ending::Again(why),
            Err(Trouble::Never(why)) => Ending::Failed(why),
        }
    }

    /// Writes the ending down, again and again while the store is away: a forgotten `sent` would
    /// be sent twice.
    async fn note(&self, row: &MailRow, unit: Unit) {
        for _ in 0..NOTE_TRIES {
            match timeout(POLL, self.directory.db().commit(unit.clone())).await {
                Ok(Ok(Outcome::Done)) => return,
                Ok(Ok(Outcome::Conflict { .. })) => {
                    tracing::warn!(mail = %row.id, "a mail was taken by another worker before its lease ended");
                    return;
                }
                Ok(Err(error)) => {
                    tracing::warn!(mail = %row.id, %error, "how a mail ended is not yet written");
                }
                Err(_) => {}
            }
            sleep(POLL).await;
        }
    }
}

impl Ending {
    fn unit(&self, row: &MailRow, unit: UnitId, env: &Env) -> Unit {
        match self {
            Self::Sent => mail::finish(row, unit, "sent", None),
            Self::Dropped => mail::finish(row, unit, "dropped", None),
            Self::Expired => mail::finish(row, unit, "expired", None),
            Self::Failed(why) => mail::finish(row, unit, "failed", Some(why)),
            Self::Again(why) => {
                // At its end it comes up once more, to be noted as expired.
                let due = env.now().plus(back_off(row.tries, env)).min(row.expires_at);
                mail::retry(row, unit, due, why)
            }
        }
    }
}

/// 5 s, 10 s, 20 s … 10 minutes, each up to a quarter longer or shorter, so that mails that failed
/// together do not come back together.
fn back_off(tries: i64, env: &Env) -> Duration {
    let doublings = u32::try_from(tries.clamp(0, 16)).unwrap_or(0);
    let wait = FIRST_RETRY.saturating_mul(1 << doublings).min(LONGEST_RETRY);
    let [random] = env.bytes::<1>();
    (wait * (192 + u32::from(random) / 2) / 256).min(LONGEST_RETRY)
}

fn host(issuer: &str) -> &str {
    let rest = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    authority
        .rsplit_once(':')
        .filter(|(host, _)| !host.contains(':') || host.ends_with(']'))
        .map_or(authority, |(host, _)| host)
}
