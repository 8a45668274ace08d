//! Notices: logout tokens that are still to be delivered, at least once each, leased by whoever
//! delivers.

use super::listener::Listener;
use base::{Id, Time, id};
use store::{Db, DbError, Expect, Unit, UnitId, args, row, statements};

/// What the id of a notice names; its text is the `jti`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notice {}

impl id::Entity for Notice {
    const PREFIX: &'static str = "lgt";
}

row! {
    /// A notice as stored.
    pub(crate) struct NoticeRow {
        /// Whose directory it is of.
        pub(crate) tenant: Id<id::Tenant>,
        /// Its id.
        pub(crate) id: Id<Notice>,
        /// Who is told.
        pub(crate) application: Id<id::Application>,
        /// The session that ended; none if all that the application has of the person did.
        pub(crate) session: Option<Id<id::Session>>,
        /// The person, as the application knows them.
        pub(crate) subject: String,
        /// Deliveries tried before.
        pub(crate) tries: i64,
        /// When it is no longer worth sending.
        pub(crate) expires_at: Time,
    }
}

/// From when until when a notice is somebody's, and when it is no longer worth sending.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    /// The present moment.
    pub(crate) now: Time,
    /// Until when whoever made it delivers it; none leaves it to the queue.
    pub(crate) leased_until: Option<Time>,
    /// When it is no longer worth sending.
    pub(crate) expires_at: Time,
}

statements! {
    const FROM_LISTENER: &str = "INSERT INTO logout_notice (tenant, id, application, session, subject, tries, due_at, \
        leased_until, created_at, expires_at) SELECT tenant, id, application, session, subject, 0, \
        CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($4 AS BIGINT), CAST($6 AS BIGINT) FROM logout_listener \
        WHERE tenant = $1 AND anchor = $2 AND application = $3 ON CONFLICT (tenant, id) DO NOTHING";
    const DUE: &str = "SELECT tenant, id, application, session, subject, tries, expires_at FROM logout_notice \
        WHERE due_at <= $1 AND (leased_until IS NULL OR leased_until <= $1) ORDER BY due_at LIMIT 32";
    const LEASE: &str = "UPDATE logout_notice SET leased_until = $4, mark = $5 \
        WHERE tenant = $1 AND id = $2 AND (leased_until IS NULL OR leased_until <= $3)";
    const LEASED: &str = "SELECT 1 FROM logout_notice WHERE tenant = $1 AND id = $2 AND mark = $3";
    const FINISH: &str = "DELETE FROM logout_notice WHERE tenant = $1 AND id = $2";
    const FINISHED: &str = "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM logout_notice WHERE tenant = $1 AND id = $2)";
    const RETRY: &str = "UPDATE logout_notice SET tries = tries + 1, due_at = $4, leased_until = NULL, mark = NULL \
        WHERE tenant = $1 AND id = $2 AND tries = $3";
    const RETRIED: &str = "SELECT 1 FROM logout_notice WHERE tenant = $1 AND id = $2 AND tries > $3";
}

/// A notice for this listener, if it still listens. Its id is the listener's, so that it is made once.
pub(crate) fn make(unit: &mut Unit, tenant: Id<id::Tenant>, listener: &Listener, terms: Terms) {
    let values = args![
        tenant,
        listener.session,
        listener.application,
        terms.now,
        terms.leased_until,
        terms.expires_at,
    ];
    unit.push(FROM_LISTENER, values, Expect::Any);
}

/// Notices that are due and not leased, the longest due first.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub(crate) async fn due(db: &Db, now: Time) -> Result<Vec<NoticeRow>, DbError> {
    db.many(DUE, args![now]).await
}

/// A unit that leases a notice until then; conflicts if another worker was faster.
pub(crate) fn lease(notice: &NoticeRow, unit: UnitId, now: Time, until: Time) -> Unit {
    let (mark, values) = (unit.to_string(), (notice.tenant, notice.id));
    Unit::marked(unit, LEASED, args![values.0, values.1, &mark]).write(
        LEASE,
        args![values.0, values.1, now, until, &mark],
        Expect::Rows(1),
    )
}

/// A unit that removes a notice: it arrived, or is not worth sending any more.
pub(crate) fn finish(notice: &NoticeRow, unit: UnitId) -> Unit {
    let values = || args![notice.tenant, notice.id];
    Unit::marked(unit, FINISHED, values()).write(FINISH, values(), Expect::Rows(1))
}

/// A unit that puts a notice back until then.
pub(crate) fn retry(notice: &NoticeRow, unit: UnitId, due_at: Time) -> Unit {
    let values = || args![notice.tenant, notice.id, notice.tries];
    let mut all = values();
    all.extend(args![due_at]);
    Unit::marked(unit, RETRIED, values()).write(RETRY, all, Expect::Rows(1))
}
