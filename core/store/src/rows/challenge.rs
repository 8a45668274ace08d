//! Challenges: one-time codes that were sent and not yet answered.

use crate::{Db, DbError, Expect, Unit, args, row, statements};
use base::{Id, Time, id};

row! {
    /// A challenge as stored.
    pub struct ChallengeRow {
        /// Its id.
        pub id: Id<id::Challenge>,
        /// The flow that it belongs to.
        pub flow: Id<id::Flow>,
        /// What the answer proves, such as `register` or `recover`.
        pub purpose: String,
        /// Where it was sent and the code, sealed under the tenant's key with the label
        /// `challenge.target`.
        pub target: Vec<u8>,
        /// HMAC of the code under the key of that version.
        pub code: Vec<u8>,
        /// The version of the HMAC key of purpose `code`.
        pub key_version: i64,
        /// Hash of the mailed link.
        pub link: Vec<u8>,
        /// Tries left.
        pub tries: i64,
        /// `open`, `answered` or `replaced`.
        pub state: String,
        /// When it was sent.
        pub created_at: Time,
        /// Until when it may be answered.
        pub expires_at: Time,
    }
}

impl ChallengeRow {
    /// Whether it may still be answered.
    pub fn is_open(&self, now: Time) -> bool {
        self.state == "open" && self.tries > 0 && now < self.expires_at
    }
}

statements! {
    const BY_ID: &str = "SELECT id, flow, purpose, target, code, key_version, link, tries, state, created_at, expires_at \
        FROM challenge WHERE tenant = $1 AND id = $2";
    const INSERT: &str = "INSERT INTO challenge (tenant, id, flow, purpose, target, code, key_version, link, tries, state, \
        created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open', $10, $11)";
    const FAIL: &str = "UPDATE challenge SET tries = tries - 1 \
        WHERE tenant = $1 AND id = $2 AND tries = $3 AND state = 'open'";
    const ANSWER: &str = "UPDATE challenge SET state = 'answered' \
        WHERE tenant = $1 AND id = $2 AND tries = $3 AND state = 'open' AND expires_at > $4";
    const REPLACE: &str = "UPDATE challenge SET state = 'replaced' \
        WHERE tenant = $1 AND flow = $2 AND state = 'open'";
}

/// The challenge with this id.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn by_id(
    db: &Db,
    tenant: Id<id::Tenant>,
    id: Id<id::Challenge>,
) -> Result<Option<ChallengeRow>, DbError> {
    db.one(BY_ID, args![tenant, id]).await
}

/// A new challenge; earlier ones of the same flow are dead from now on.
pub fn insert(unit: &mut Unit, tenant: Id<id::Tenant>, challenge: &ChallengeRow) {
    unit.push(REPLACE, args![tenant, challenge.flow], Expect::Any);
    unit.push(
        INSERT,
        args![
            tenant,
            challenge.id,
            challenge.flow,
            &challenge.purpose,
            &challenge.target,
            &challenge.code,
            challenge.key_version,
            &challenge.link,
            challenge.tries,
            challenge.created_at,
            challenge.expires_at
        ],
        Expect::Rows(1),
    );
}

/// A wrong answer takes one try. Guarded by the tries.
pub fn fail(unit: &mut Unit, tenant: Id<id::Tenant>, challenge: &ChallengeRow) {
    unit.push(FAIL, args![tenant, challenge.id, challenge.tries], Expect::Rows(1));
}

/// The right answer, once and in time. Guarded by the tries.
pub fn answer(unit: &mut Unit, tenant: Id<id::Tenant>, challenge: &ChallengeRow, now: Time) {
    unit.push(ANSWER, args![tenant, challenge.id, challenge.tries, now], Expect::Rows(1));
}
