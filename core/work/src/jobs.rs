//! Jobs in the background: erasing deleted people, purging what has ended, changing signing keys by
//! their age, numbering events on PostgreSQL (the store's sequencer). Of several nodes one holds the lease; a job that runs twice
//! does no harm.

#[cfg(test)]
mod tests;

use base::{Env, Error, Event, Id, Kind, Time, id};
use std::{future::Future, time::Duration};
use store::{Directory, Engine, Unit, lease, rows};
use tokio::{task::JoinHandle, time::MissedTickBehavior};

const TICK: Duration = Duration::from_millis(500);
const LEASE: (&str, Duration) = ("jobs", Duration::from_secs(15));
const ERASE_EVERY: Duration = Duration::from_secs(1);
const PURGE_EVERY: Duration = Duration::from_secs(2);
/// How often every tenant's signing keys are looked at, and how many tenants in one turn.
const ROTATE_EVERY: Duration = Duration::from_secs(3_600);
const TENANTS_AT_ONCE: i64 = 50;
const PURGE_AFTER: Duration = Duration::from_secs(48 * 3_600);
const CLOCK_MAY_DIFFER: Duration = Duration::from_secs(3_600);
const NAMES_HELD: Duration = Duration::from_secs(90 * 86_400);

/// The jobs of one node.
pub struct Jobs {
    directory: Directory,
    holder: [u8; 16],
    lease: Due,
    held: bool,
    erase: Due,
    purge: Due,
    rotate: Due,
    /// After which tenant the round through all of them goes on.
    round: Option<Id<id::Tenant>>,
}

/// When something is to be done next.
struct Due(Time);

impl Due {
    fn now(&mut self, now: Time, every: Duration) -> bool {
        // A clock that was set back must not stop the job until it has caught up.
        let due = now >= self.0 || self.0.since(now) > every;
        if due {
            self.0 = now.plus(every);
        }
        due
    }
}

impl Jobs {
    /// Runs the jobs until `shutdown` is ready.
    pub fn spawn(
        directory: Directory,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> JoinHandle<()> {
        tokio::spawn(async move {
            let sequencer = directory.db().clone().sequencer(directory.env().clone());
            let mut jobs = Self::new(directory);
            tokio::select! {
                () = shutdown => {},
                () = jobs.run() => {},
                // On SQLite it is over at once.
                () = async { sequencer.await; std::future::pending().await } => {},
            }
            jobs.release().await;
        })
    }

    async fn run(&mut self) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.tick().await {
                tracing::warn!(?error, "a job in the background will be tried again");
            }
        }
    }

    fn new(directory: Directory) -> Self {
        let due = || Due(Time::from_micros(0));
        let holder = directory.env().bytes();
        Self {
            directory,
            holder,
            lease: due(),
            held: false,
            erase: due(),
            purge: due(),
            rotate: due(),
            round: None,
        }
    }

    async fn tick(&mut self) -> Result<(), Error> {
        let now = self.directory.env().now();
        if !self.leads(now).await? {
            return Ok(());
        }
        if self.erase.now(now, ERASE_EVERY) {
            erase(&self.directory).await?;
        }
        if self.purge.now(now, PURGE_EVERY) {
            purge(&self.directory).await?;
        }
        if self.rotate.now(now, ROTATE_EVERY) {
            self.round = Some(Id::from_bytes([0; 16]));
        }
        if let Some(after) = self.round {
            self.round = rotate(&self.directory, after).await?;
        }
        Ok(())
    }

    /// Whether this node does the jobs. SQLite has one node only.
    async fn leads(&mut self, now: Time) -> Result<bool, Error> {
        if self.directory.db().engine() == Engine::Sqlite {
            return Ok(true);
        }
        let (name, length) = LEASE;
        if self.lease.now(now, length / 3) {
            self.held = false;
            let (db, unit) = (self.directory.db(), self.directory.env().id());
            self.held = lease::take(db, (name, self.holder), unit, (now, now.plus(length))).await?;
        }
        Ok(self.held)
    }

    async fn release(self) {
        if self.held {
            let (db, unit) = (self.directory.db(), self.directory.env().id());
            // It ends by itself if this fails.
            let _ = lease::release(db, (LEASE.0, self.holder), unit).await;
        }
    }
}

/// Looks at the signing keys of the next tenants; says after which one to go on.
async fn rotate(directory: &Directory, after: Id<id::Tenant>) -> Result<Option<Id<id::Tenant>>, Error> {
    let tenants = rows::listing::tenants(directory.db(), (after, TENANTS_AT_ONCE)).await?;
    for tenant in &tenants {
        match directory.rotate_by_age(*tenant).await {
            Err(error) if error.kind == Kind::Unavailable => return Err(error),
            // One tenant's trouble is not to keep the others' keys.
            Err(error) => tracing::warn!(%tenant, ?error, "signing keys cannot be looked after"),
            Ok(()) => {}
        }
    }
    Ok(tenants.last().copied())
}

/// Deletes a batch of what ended 48 hours ago, unless the clock cannot be trusted: a clock in the
/// future would delete what is still alive.
async fn purge(directory: &Directory) -> Result<(), Error> {
    let (db, env) = (directory.db(), directory.env());
    let now = env.now();
    let Some(newest) = rows::purge::newest_event(db).await? else { return Ok(()) };
    if now.since(newest).max(newest.since(now)) > CLOCK_MAY_DIFFER {
        tracing::debug!(%now, %newest, "nothing is purged: the newest event is more than an hour away");
        return Ok(());
    }
    for unit in rows::purge::before(now.minus(PURGE_AFTER), || env.id()) {
        let _done = db.commit(unit).await?;
    }
    Ok(())
}

/// Erases a hundred deleted people: rows, credentials, sessions, grants and consents, and the key
/// that their events are sealed under. Addresses are free at once, user names after 90 days.
async fn erase(directory: &Directory) -> Result<(), Error> {
    let (db, env) = (directory.db(), directory.env());
    for (tenant, person) in rows::person::to_erase(db).await? {
        let held = match directory.tenant(tenant).await {
            Ok(Some(held)) => held,
            Err(error) if error.kind == Kind::Unavailable => return Err(error),
            // One tenant's trouble is not to keep the others' people.
            other => {
                tracing::warn!(%tenant, %person, error = ?other.err(), "a deleted person of a tenant that does not open");
                continue;
            }
        };
        let event = Event::new(env, "person.erased").person(person).actor("system");
        let mut unit = Unit::new(event.id, vec![held.event(env, event, None)]);
        erase_rows(&mut unit, tenant, person, env);
        // A conflict means that another node was faster.
        let _either = db.commit(unit).await?;
    }
    Ok(())
}

fn erase_rows(unit: &mut Unit, tenant: Id<id::Tenant>, person: Id<id::Person>, env: &Env) {
    let now = env.now();
    rows::person::erase(unit, tenant, person, now);
    rows::credential::drop_all(unit, tenant, person);
    rows::session::drop_of_person(unit, tenant, person);
    rows::grant::drop_of_person(unit, tenant, person);
    rows::consent::drop_all(unit, tenant, person);
    rows::identifier::release(unit, tenant, person, now.plus(NAMES_HELD));
}
