//! Attempts: one GCRA time (generic cell rate algorithm) for each account and factor. It is read
//! before a hash and written by the unit that ends the POST. Nothing resets it; attempts return
//! with time.

use crate::{Db, DbError, Expect, Unit, args, statements};
use base::{Id, Time, id};
use std::time::Duration;

/// By how much clocks may disagree.
const CLOCKS: Duration = Duration::from_secs(3_600);

/// How many attempts at once, and how fast they return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Attempts at once.
    pub burst: u32,
    /// The time after which one returns.
    pub every: Duration,
}

impl Allowance {
    /// Ten at once, one more each six minutes: an attacker gets 250 a day.
    pub const PASSWORD: Self = Self { burst: 10, every: Duration::from_secs(360) };
    /// Codes: five mails at once, one more each two minutes.
    pub const MAIL: Self = Self { burst: 5, every: Duration::from_secs(120) };
    /// Asking whether a user name is free.
    pub const LOOKUP: Self = Self { burst: 20, every: Duration::from_secs(30) };

    fn slack(self) -> Duration {
        self.every.saturating_mul(self.burst.saturating_sub(1))
    }

    /// No attempt makes a time later than this from now, nor do nodes whose clocks disagree: it was
    /// written before the clock was set back, and the account would be closed until then. It counts
    /// as the last attempt but one.
    fn beyond(self) -> Duration {
        self.every.saturating_mul(self.burst).saturating_add(CLOCKS)
    }
}

/// Whose attempts: an HMAC of (kind, person or normal identifier), and a known device or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptKey {
    /// HMAC under the tenant's key of purpose `attempt`.
    pub subject: [u8; 32],
    /// Hash of a device that the person has used before; empty for all others together.
    pub device: Vec<u8>,
}

/// What the store said before the hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    due: i64,
}

impl Seen {
    /// Time to wait until the next attempt, or none if there is one now.
    pub fn wait(self, allowance: Allowance, now: Time) -> Option<Duration> {
        let due = Time::from_micros(self.due);
        let open = due.minus(allowance.slack());
        (open > now && due <= now.plus(allowance.beyond())).then(|| open.since(now))
    }
}

statements! {
    const READ: &str = "SELECT due FROM attempt WHERE tenant = $1 AND subject = $2 AND device = $3";
    const TAKE: &str = "INSERT INTO attempt (tenant, subject, device, due) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (tenant, subject, device) DO UPDATE SET \
        due = CASE WHEN attempt.due < $5 THEN excluded.due WHEN attempt.due > $8 THEN $9 \
        ELSE attempt.due + $6 END WHERE attempt.due <= $7 OR attempt.due > $8";
    const HOLD: &str = "INSERT INTO attempt (tenant, subject, device, due) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (tenant, subject, device) DO UPDATE SET due = excluded.due WHERE attempt.due = $4";
}

/// What is left, read before the hash.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn read(db: &Db, tenant: Id<id::Tenant>, key: &AttemptKey) -> Result<Seen, DbError> {
    let due: Option<i64> = db.one(READ, args![tenant, key.subject, &key.device]).await?;
    Ok(Seen { due: due.unwrap_or(0) })
}

/// Takes one attempt; conflicts if none is left.
pub fn take(unit: &mut Unit, tenant: Id<id::Tenant>, key: &AttemptKey, allowance: Allowance, now: Time) {
    let every = i64::try_from(allowance.every.as_micros()).unwrap_or(i64::MAX);
    unit.push(
        TAKE,
        args![
            tenant,
            key.subject,
            &key.device,
            now.plus(allowance.every),
            now,
            every,
            now.plus(allowance.slack()),
            now.plus(allowance.beyond()),
            now.plus(allowance.slack()).plus(allowance.every)
        ],
        Expect::Rows(1),
    );
}

/// A success loses to failures that came first: conflicts if the row is no longer as it was seen.
pub fn hold(unit: &mut Unit, tenant: Id<id::Tenant>, key: &AttemptKey, seen: Seen) {
    unit.push(HOLD, args![tenant, key.subject, &key.device, seen.due], Expect::Rows(1));
}
