//! What is deleted 48 hours after its end, in batches, a table at a time.

use crate::{Db, DbError, Expect, Unit, UnitId, args, statements};
use base::Time;

statements! {
    const FLOWS: &str = "DELETE FROM flow WHERE (tenant, id) IN \
        (SELECT tenant, id FROM flow WHERE expires_at < $1 LIMIT 500)";
    const CHALLENGES: &str = "DELETE FROM challenge WHERE (tenant, id) IN \
        (SELECT tenant, id FROM challenge WHERE expires_at < $1 LIMIT 500)";
    const PARKED: &str = "DELETE FROM parked_request WHERE (tenant, id) IN \
        (SELECT tenant, id FROM parked_request WHERE expires_at < $1 LIMIT 500)";
    const SESSIONS: &str = "DELETE FROM session WHERE (tenant, id) IN \
        (SELECT tenant, id FROM session WHERE expires_at < $1 LIMIT 500)";
    const GRANTS: &str = "DELETE FROM oauth_grant WHERE (tenant, id) IN \
        (SELECT tenant, id FROM oauth_grant WHERE expires_at < $1 LIMIT 500)";
    const ATTEMPTS: &str = "DELETE FROM attempt WHERE (tenant, subject, device) IN \
        (SELECT tenant, subject, device FROM attempt WHERE due < $1 LIMIT 500)";
    const MAILS: &str = "DELETE FROM mail WHERE (tenant, id) IN \
        (SELECT tenant, id FROM mail WHERE expires_at < $1 LIMIT 500)";
    const TOKENS: &str = "DELETE FROM revoked_token WHERE (tenant, jti) IN \
        (SELECT tenant, jti FROM revoked_token WHERE expires_at < $1 LIMIT 500)";
    const NEWEST: &str = "SELECT at FROM event WHERE number IS NOT NULL ORDER BY number DESC LIMIT 1";
    const NOTHING: &str = "SELECT 1 WHERE 1 = 0";
}

const TABLES: [&str; 8] = [FLOWS, CHALLENGES, PARKED, SESSIONS, GRANTS, ATTEMPTS, MAILS, TOKENS];

/// When the newest event happened, against which the clock is checked before anything is purged.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn newest_event(db: &Db) -> Result<Option<Time>, DbError> {
    db.one(NEWEST, args![]).await
}

/// Units that delete a batch of what ended before this moment, one a table. Deleting is done twice
/// without harm, so they need no mark.
pub fn before(end: Time, mut id: impl FnMut() -> UnitId) -> Vec<Unit> {
    TABLES
        .iter()
        .map(|sql| Unit::marked(id(), NOTHING, args![]).write(sql, args![end], Expect::Any))
        .collect()
}
