//! Logout notices: how the applications of a session learn that it ended (OpenID Connect
//! Back-Channel Logout 1.0).
//!
//! An application that redeems a code becomes a listener of the session. When the session ends, the
//! listener becomes a notice, once: in the unit of a logout that an application asked for, or, for
//! everything that other capabilities do, by following the events. A notice is delivered at least
//! once, under one `jti`, and removed afterwards. This module must not decide that a session ends.

mod delivery;
mod follow;

pub(crate) use delivery::Delivery;

use crate::{
    call::Call,
    mint::Holder,
    rows::{
        listener::{self, Listener},
        notice::{self, NoticeRow, Terms},
    },
};
use base::{Error, Id, Time, id};
use follow::Follower;
use std::{future::Future, pin::pin, time::Duration};
use store::{Application, Unit};
use tokio::{task::JoinSet, time::sleep};
use web::Site;
use work::outbound::Outbound;

/// How often events and queue are looked at.
const POLL: Duration = Duration::from_millis(500);
/// Deliveries under way at most.
const AT_ONCE: usize = 32;
/// How long a notice is somebody's: longer than a delivery takes.
const LEASE: Duration = Duration::from_secs(60);
/// How long a notice is worth sending.
const LIFE: Duration = Duration::from_secs(86_400);
const PURGE_EVERY: Duration = Duration::from_secs(60);
const PURGE_AFTER: Duration = Duration::from_secs(48 * 3_600);

/// Tells applications of ended sessions until `shutdown` is ready, then finishes the deliveries
/// under way. Every node runs one.
pub async fn notices(site: Site, outbound: Outbound, shutdown: impl Future<Output = ()> + Send) {
    let mut worker = Worker::new(site, outbound);
    let mut shutdown = pin!(shutdown);
    loop {
        let busy = worker.turn().await.unwrap_or_else(|error| {
            tracing::warn!(?error, "logout notices will be looked after again");
            false
        });
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            () = sleep(if busy { Duration::ZERO } else { POLL }) => {},
        }
    }
    while worker.deliveries.join_next().await.is_some() {}
}

/// Makes the application a listener of the session that its code was given in, if it has an address
/// to be told at. It stays one whatever becomes of its tokens, since its own session may outlive them.
pub(crate) fn listen(call: &Call, application: &Application, holder: &Holder, unit: &mut Unit) {
    let client = &application.client;
    if client.backchannel_logout_uri.is_none() && client.frontchannel_logout_uri.is_none() {
        return;
    }
    let grant = &holder.grant;
    let Some(session) = grant.given_in.or(grant.session) else { return };
    let listener = Listener {
        session,
        application: application.id,
        id: call.env().id(),
        person: grant.person,
        subject: holder.subject.clone(),
        expires_at: grant.session_until.unwrap_or(grant.expires_at),
    };
    listener::listen(unit, call.tenant.id, &listener);
}

/// Turns a listener into a notice, in the unit that ends its session or follows the event of it.
fn tell(unit: &mut Unit, tenant: Id<id::Tenant>, listener: &Listener, now: Time, lease: Option<Duration>) {
    let terms = Terms { now, leased_until: lease.map(|lease| now.plus(lease)), expires_at: now.plus(LIFE) };
    notice::make(unit, tenant, listener, terms);
    listener::drop(unit, tenant, listener);
}

/// What one node does in the background.
struct Worker {
    follower: Follower,
    delivery: Delivery,
    site: Site,
    deliveries: JoinSet<()>,
    purged_at: Time,
}

impl Worker {
    fn new(site: Site, outbound: Outbound) -> Self {
        Self {
            follower: Follower::new(site.clone()),
            delivery: Delivery::new(site.clone(), outbound),
            deliveries: JoinSet::new(),
            purged_at: site.env().now(),
            site,
        }
    }

    /// Follows the events, then leases what is due and begins to deliver it. Says whether there is
    /// more to do at once.
    async fn turn(&mut self) -> Result<bool, Error> {
        let behind = self.follower.turn().await?;
        while self.deliveries.try_join_next().is_some() {}
        let taken = self.deliver().await?;
        self.purge().await?;
        Ok(behind || taken)
    }

    async fn deliver(&mut self) -> Result<bool, Error> {
        if self.deliveries.len() >= AT_ONCE {
            return Ok(false);
        }
        let (db, env) = (self.site.db(), self.site.env());
        let mut taken = false;
        for row in notice::due(db, env.now()).await? {
            let now = env.now();
            if !db.commit(notice::lease(&row, env.id(), now, now.plus(LEASE))).await?.done() {
                continue;
            }
            taken = true;
            let delivery = self.delivery.clone();
            self.deliveries.spawn(async move { delivery.handle(row).await });
        }
        Ok(taken)
    }

    /// Removes listeners whose session ended by itself.
    async fn purge(&mut self) -> Result<(), Error> {
        let (db, env) = (self.site.db(), self.site.env());
        let now = env.now();
        if now.since(self.purged_at) < PURGE_EVERY {
            return Ok(());
        }
        self.purged_at = now;
        let _either = db.commit(listener::purge(env.id(), now.minus(PURGE_AFTER))).await?;
        Ok(())
    }
}

/// A session's listeners at the moment in which an application asks to end it.
pub(crate) struct Audience(Vec<Listener>);

impl Audience {
    /// Who listens to this session.
    ///
    /// # Errors
    /// Kind `Unavailable` if the store cannot answer.
    pub(crate) async fn of(
        site: &Site,
        tenant: Id<id::Tenant>,
        session: Id<id::Session>,
    ) -> Result<Self, Error> {
        Ok(Self(listener::of_session(site.db(), tenant, session).await?))
    }

    /// The applications.
    pub(crate) fn applications(&self) -> impl Iterator<Item = Id<id::Application>> + '_ {
        self.0.iter().map(|listener| listener.application)
    }

    /// Turns all of them into notices that the caller delivers at once.
    pub(crate) fn write(self, unit: &mut Unit, tenant: Id<id::Tenant>, now: Time) -> Vec<NoticeRow> {
        let notice = |listener: Listener| {
            tell(unit, tenant, &listener, now, Some(LEASE));
            NoticeRow {
                tenant,
                id: listener.id,
                application: listener.application,
                session: Some(listener.session),
                subject: listener.subject,
                tries: 0,
                expires_at: now.plus(LIFE),
            }
        };
        self.0.into_iter().map(notice).collect()
    }
}
