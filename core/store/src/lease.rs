//! Leases: jobs of which there should be one at a time, by a row that names the holder and the
//! end. A lease is politeness: what must not happen twice is guarded by its own rows.

use crate::{Db, DbError, Expect, Unit, UnitId, args, statements};
use base::Time;

statements! {
    const TAKE: &str = "INSERT INTO lease (name, holder, until) VALUES ($1, $2, $3) \
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until \
        WHERE lease.until <= $4 OR lease.holder = excluded.holder";
    const TAKEN: &str = "SELECT 1 FROM lease WHERE name = $1 AND holder = $2 AND until = $3";
    const RELEASE: &str = "DELETE FROM lease WHERE name = $1 AND holder = $2";
    const RELEASED: &str = "SELECT 1 FROM lease WHERE name = $1 AND holder = $2";
}

/// Takes a lease or prolongs one's own; `unit` is a fresh id. Says whether it is held now.
///
/// # Errors
/// As [`Db::commit`].
pub async fn take(
    db: &Db,
    (name, holder): (&str, [u8; 16]),
    unit: UnitId,
    (now, until): (Time, Time),
) -> Result<bool, DbError> {
    let unit = Unit::marked(unit, TAKEN, args![name, holder, until]);
    let outcome = db.commit(unit.write(TAKE, args![name, holder, until, now], Expect::Rows(1))).await?;
    Ok(outcome.done())
}

/// Gives a lease up before its end, if it is held by this holder.
///
/// # Errors
/// As [`Db::commit`].
pub async fn release(db: &Db, (name, holder): (&str, [u8; 16]), unit: UnitId) -> Result<(), DbError> {
    let unit = Unit::marked(unit, RELEASED, args![name, holder]);
    db.commit(unit.write(RELEASE, args![name, holder], Expect::Any)).await.map(|_| ())
}
