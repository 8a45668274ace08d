//! Many callers at once: what is to be used once is used once, and nobody starves.

use super::{Check, Failed, ensure, fresh, made, make, units, version};
use crate::{Db, DbError, Expect, Outcome, Unit, args};
use tokio::task::JoinSet;

/// Callers in a race.
const CALLERS: usize = 50;

/// Commits, and again while there is no room, as a caller does that was told to come back.
async fn patient(db: Db, unit: Unit) -> Result<Outcome, DbError> {
    loop {
        match db.commit(unit.clone()).await {
            Err(DbError::Unavailable(_)) => tokio::task::yield_now().await,
            end => return end,
        }
    }
}

async fn all(units: Vec<Unit>, db: &Db) -> Result<Vec<Result<Outcome, DbError>>, Failed> {
    let mut callers = JoinSet::new();
    for unit in units {
        callers.spawn(patient(db.clone(), unit));
    }
    Ok(callers.join_all().await)
}

/// Of fifty callers that use a single-use row at once, one succeeds and the others conflict, for
/// every shape of a unit.
///
/// # Errors
/// What did not hold.
pub async fn one_of_fifty_wins(db: &Db) -> Check {
    for shape in 0..units::shapes(fresh()).len() {
        let thing = made(db, None).await?;
        let contenders = (0..CALLERS).filter_map(|_| units::shapes(thing).into_iter().nth(shape));
        let ends = all(contenders.map(|(_, unit)| unit).collect(), db).await?;
        let won = ends.iter().filter(|end| matches!(end, Ok(Outcome::Done))).count();
        let lost = ends.iter().filter(|end| matches!(end, Ok(Outcome::Conflict { .. }))).count();
        ensure!(won == 1 && lost == CALLERS - 1, "shape {shape}: {won} won, {lost} lost: {ends:?}");
        ensure!(version(db, thing).await? == 1, "shape {shape}: the version is not 1");
    }
    Ok(())
}

/// Of fifty callers that take a name at once, one has it.
///
/// # Errors
/// What did not hold.
pub async fn one_of_fifty_takes_a_name(db: &Db) -> Check {
    let ends = all((0..CALLERS).map(|_| make(fresh(), Some("wanted"), 0)).collect(), db).await?;
    let won = ends.iter().filter(|end| matches!(end, Ok(Outcome::Done))).count();
    ensure!(won == 1, "{won} have the name: {ends:?}");
    ensure!(super::count(db, super::COUNT).await? == 1, "more than one row");
    Ok(())
}

/// The same unit sent by fifty callers at once is done once and done for all of them.
///
/// # Errors
/// What did not hold.
pub async fn one_unit_from_fifty_is_done_once(db: &Db) -> Check {
    for shape in 0..units::shapes(fresh()).len() {
        let thing = made(db, None).await?;
        let Some((name, unit)) = units::shapes(thing).into_iter().nth(shape) else { continue };
        let ends = all(vec![unit; CALLERS], db).await?;
        ensure!(ends.iter().all(|end| matches!(end, Ok(Outcome::Done))), "{name}: {ends:?}");
        ensure!(version(db, thing).await? == 1, "{name} was done more than once");
    }
    Ok(())
}

/// A unit that is refused takes none of those with it that are committed beside it.
///
/// # Errors
/// What did not hold.
pub async fn a_bad_neighbour_does_no_harm(db: &Db) -> Check {
    let bad = |number: usize| number % 10 == 3;
    let unit = |number: usize| match bad(number) {
        // NULL where none may be.
        true => make(fresh(), None, 0).write(
            super::INSERT,
            args![fresh::<base::id::Key>(), None::<&str>, None::<i64>, true, None::<&[u8]>],
            Expect::Rows(1),
        ),
        false => make(fresh(), None, 0),
    };
    let ends = all((0..200).map(unit).collect(), db).await?;
    let done = ends.iter().filter(|end| matches!(end, Ok(Outcome::Done))).count();
    let refused = ends.iter().filter(|end| matches!(end, Err(DbError::Sql(_)))).count();
    ensure!((done, refused) == (180, 20), "{done} done, {refused} refused");
    ensure!(super::count(db, super::COUNT).await? == 180, "not 180 rows");
    super::history::whole(db, 180).await
}
