//! What creations answered, kept for a day under the caller's `Idempotency-Key`.

use base::{Id, Time, id};
use store::{Db, DbError, Expect, Unit, UnitId, args, row, statements};

row! {
    /// An answer as stored.
    pub(crate) struct AnswerRow {
        /// Hash of the request that it answered.
        pub(crate) request: Vec<u8>,
        /// The answer, sealed under the tenant's key.
        pub(crate) answer: Vec<u8>,
    }
}

statements! {
    const FIND: &str = "SELECT request, answer FROM api_answer WHERE tenant = $1 AND key = $2 AND expires_at > $3";
    const KEEP: &str = "INSERT INTO api_answer (tenant, key, request, answer, expires_at) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (tenant, key) DO UPDATE SET request = excluded.request, answer = excluded.answer, \
        expires_at = excluded.expires_at WHERE api_answer.expires_at <= $6";
    const PURGE: &str = "DELETE FROM api_answer WHERE (tenant, key) IN \
        (SELECT tenant, key FROM api_answer WHERE expires_at < $1 LIMIT 500)";
    const NOTHING: &str = "SELECT 1 WHERE 1 = 0";
}

/// The answer under this key, unless its day is over.
pub(crate) async fn find(
    db: &Db,
    tenant: Id<id::Tenant>,
    key: [u8; 32],
    now: Time,
) -> Result<Option<AnswerRow>, DbError> {
    db.one(FIND, args![tenant, key, now]).await
}

/// Keeps an answer until then; conflicts if there is one under this key.
pub(crate) fn keep(
    unit: &mut Unit,
    tenant: Id<id::Tenant>,
    key: [u8; 32],
    row: AnswerRow,
    (now, until): (Time, Time),
) {
    unit.push(KEEP, args![tenant, key, row.request, row.answer, until, now], Expect::Rows(1));
}

/// A unit that deletes a batch of what ended before this moment. Doing it twice does no harm.
pub(crate) fn purge(unit: UnitId, end: Time) -> Unit {
    Unit::marked(unit, NOTHING, args![]).write(PURGE, args![end], Expect::Any)
}
