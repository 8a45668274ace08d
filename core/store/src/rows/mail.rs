//! The mail queue: written in the unit that caused the mail, delivered at least once, leased by
//! workers. Recipient and text are sealed under the tenant's key with the label `mail.body` and
//! erased once sent.

use crate::{Db, DbError, Expect, Unit, UnitId, args, row, statements};
use base::{Id, Time, id};

row! {
    /// A queued mail as a worker takes it.
    pub struct MailRow {
        /// Whose directory it came from.
        pub tenant: Id<id::Tenant>,
        /// Its id.
        pub id: Id<id::Mail>,
        /// Sealed recipient and text.
        pub body: Option<Vec<u8>>,
        /// Deliveries tried before.
        pub tries: i64,
        /// When it is no longer worth sending.
        pub expires_at: Time,
        /// When it was queued.
        pub created_at: Time,
    }
}

statements! {
    const INSERT: &str = "INSERT INTO mail (tenant, id, state, body, tries, due_at, created_at, expires_at) \
        VALUES ($1, $2, 'queued', $3, 0, $4, $4, $5)";
    const DUE: &str = "SELECT tenant, id, body, tries, expires_at, created_at FROM mail \
        WHERE state = 'queued' AND due_at <= $1 AND (leased_until IS NULL OR leased_until <= $1) \
        ORDER BY due_at LIMIT 32";
    const LEASE: &str = "UPDATE mail SET leased_until = $4, trouble = $5 \
        WHERE tenant = $1 AND id = $2 AND state = 'queued' AND (leased_until IS NULL OR leased_until <= $3)";
    const LEASE_PROBE: &str = "SELECT 1 FROM mail WHERE tenant = $1 AND id = $2 AND trouble = $3";
    const RENEW: &str = "UPDATE mail SET leased_until = $4 WHERE tenant = $1 AND id = $2 AND trouble = $3 AND state = 'queued'";
    const RENEW_PROBE: &str = "SELECT 1 FROM mail WHERE tenant = $1 AND id = $2 AND leased_until = $3";
    const ABANDONED: &str = "UPDATE mail SET leased_until = NULL WHERE state = 'queued' AND leased_until IS NOT NULL";
    const ABANDONED_PROBE: &str = "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM mail WHERE state = 'queued' AND leased_until IS NOT NULL)";
    const FINISH: &str = "UPDATE mail SET state = $3, body = NULL, leased_until = NULL, trouble = $4 \
        WHERE tenant = $1 AND id = $2 AND state = 'queued'";
    const FINISH_PROBE: &str = "SELECT 1 FROM mail WHERE tenant = $1 AND id = $2 AND state = $3";
    const RETRY: &str = "UPDATE mail SET tries = tries + 1, due_at = $4, leased_until = NULL, trouble = $5 \
        WHERE tenant = $1 AND id = $2 AND state = 'queued' AND tries = $3";
    const RETRY_PROBE: &str = "SELECT 1 FROM mail WHERE tenant = $1 AND id = $2 AND tries > $3";
    const WAITING: &str = "SELECT count(*) FROM mail WHERE state = 'queued'";
}

/// Mails that are due and not leased, the longest due first.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn due(db: &Db, now: Time) -> Result<Vec<MailRow>, DbError> {
    db.many(DUE, args![now]).await
}

/// How many mails wait.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn waiting(db: &Db) -> Result<i64, DbError> {
    Ok(db.one(WAITING, args![]).await?.unwrap_or(0))
}

/// Queues a mail.
pub fn insert(
    unit: &mut Unit,
    tenant: Id<id::Tenant>,
    mail: (Id<id::Mail>, &[u8]),
    now: Time,
    expires_at: Time,
) {
    unit.push(INSERT, args![tenant, mail.0, mail.1, now, expires_at], Expect::Rows(1));
}

/// A unit that leases a mail until then, under its own id; conflicts if another worker was faster.
pub fn lease(mail: &MailRow, unit: UnitId, now: Time, until: Time) -> Unit {
    let mark = mark(unit);
    Unit::marked(unit, LEASE_PROBE, args![mail.tenant, mail.id, &mark]).write(
        LEASE,
        args![mail.tenant, mail.id, now, until, mark],
        Expect::Rows(1),
    )
}

/// A unit that prolongs the lease of this id; conflicts if it was lost.
pub fn renew(mail: &MailRow, unit: UnitId, lease: UnitId, until: Time) -> Unit {
    Unit::marked(unit, RENEW_PROBE, args![mail.tenant, mail.id, until]).write(
        RENEW,
        args![mail.tenant, mail.id, mark(lease), until],
        Expect::Rows(1),
    )
}

/// A unit that ends every lease: for a store that no other process can have open, where each is of a
/// process that died.
pub fn end_leases(unit: UnitId) -> Unit {
    Unit::marked(unit, ABANDONED_PROBE, args![]).write(ABANDONED, args![], Expect::Any)
}

fn mark(lease: UnitId) -> String {
    format!("leased {lease}")
}

/// A unit that ends a mail as `sent`, `expired`, `dropped` or `failed`, and erases its text.
pub fn finish(mail: &MailRow, unit: UnitId, state: &str, trouble: Option<&str>) -> Unit {
    Unit::marked(unit, FINISH_PROBE, args![mail.tenant, mail.id, state]).write(
        FINISH,
        args![mail.tenant, mail.id, state, trouble],
        Expect::Rows(1),
    )
}

/// A unit that puts a mail back until then.
pub fn retry(mail: &MailRow, unit: UnitId, due_at: Time, trouble: &str) -> Unit {
    Unit::marked(unit, RETRY_PROBE, args![mail.tenant, mail.id, mail.tries]).write(
        RETRY,
        args![mail.tenant, mail.id, mail.tries, due_at, trouble],
        Expect::Rows(1),
    )
}
