//! Client assertions that were used. Only their hash is kept, until two days after they expire.

use base::{Id, Time, id, mac};
use oauth::assertion::AssertionUse;
use std::time::Duration;
use store::{Expect, Unit, UnitId, args, statements};

/// How long a row is kept beyond its end, so that a clock that was wrong revives nothing.
const KEPT: Duration = Duration::from_secs(48 * 3_600);

statements! {
    const INSERT: &str = "INSERT INTO used_assertion (tenant, application, jti, unit, expires_at) \
        VALUES ($1, $2, $3, $4, $5)";
    const PROBE: &str = "SELECT expires_at FROM used_assertion \
        WHERE tenant = $1 AND application = $2 AND jti = $3 AND unit = $4";
    const PURGE: &str = "DELETE FROM used_assertion WHERE tenant = $1 AND application = $2 AND jti IN \
        (SELECT jti FROM used_assertion WHERE tenant = $1 AND application = $2 AND expires_at < $3 LIMIT 20)";
}

/// The unit that uses an assertion. It is a conflict if that was done before, on whichever node.
pub(crate) fn redeem(
    id: UnitId,
    tenant: Id<id::Tenant>,
    application: Id<id::Application>,
    used: &AssertionUse,
    now: Time,
) -> Unit {
    let jti = mac::sha256(&[used.jti.as_bytes()]);
    let until = Time::from_seconds(used.expires_at);
    let mut unit = Unit::marked(id, PROBE, args![tenant, application, jti, id]);
    unit.push(INSERT, args![tenant, application, jti, id, until], Expect::Rows(1));
    unit.push(PURGE, args![tenant, application, now.minus(KEPT)], Expect::Any);
    unit
}
