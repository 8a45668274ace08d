//! How far the events have been followed: one row, moved forward in the unit that makes the notices
//! of the events on the way.

use store::{Db, DbError, Expect, Unit, UnitId, args, statements};

statements! {
    const POSITION: &str = "SELECT number FROM logout_follower WHERE name = 'event'";
    const ADVANCE: &str = "UPDATE logout_follower SET number = $2, unit = $3 WHERE name = 'event' AND number = $1";
    const ADVANCED: &str = "SELECT 1 FROM logout_follower WHERE name = 'event' AND unit = $1";
}

/// The number of the last event that was followed.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub(crate) async fn position(db: &Db) -> Result<i64, DbError> {
    Ok(db.one(POSITION, args![]).await?.unwrap_or_default())
}

/// A unit that moves on; conflicts if another node was faster.
pub(crate) fn advance(unit: UnitId, from: i64, to: i64) -> Unit {
    Unit::marked(unit, ADVANCED, args![unit]).write(ADVANCE, args![from, to, unit], Expect::Rows(1))
}
