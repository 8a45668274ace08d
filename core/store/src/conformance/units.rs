//! Units: all or nothing, conflicts that say where, and repeats that mean done.

use super::{
    ADD, ALL_OF_THEM, COUNT, Check, EVENTS, MARKED, USE, USE_MARKED, count, ensure, event, fresh, made, make,
    version,
};
use crate::{Db, DbError, Expect, Outcome, Unit, args};
use base::{Id, id};
use std::{future::poll_fn, pin::pin, task::Poll};

/// Every shape of a unit that raises the version of a thing from 0 to 1, with its name.
pub(super) fn shapes(thing: Id<id::Key>) -> Vec<(&'static str, Unit)> {
    let with_event = || {
        let unit = fresh();
        Unit::new(unit, vec![event(unit)])
    };
    let mark = fresh();
    let marked = || Unit::marked(mark, MARKED, args![thing, mark]);
    let raise = args![thing, 0_i64];
    let raise_marked = args![thing, 0_i64, mark];
    vec![
        ("pair", with_event().write(USE, raise.clone(), Expect::Rows(1))),
        ("guarded alone", marked().write(USE_MARKED, raise_marked.clone(), Expect::Rows(1))),
        (
            "long",
            make(fresh(), None, 5).write(USE, raise, Expect::Rows(1)).write(
                USE,
                args![fresh::<id::Key>(), 0_i64],
                Expect::Rows(0),
            ),
        ),
        (
            "long without event",
            marked().write(USE_MARKED, raise_marked, Expect::Rows(1)).write(
                USE,
                args![fresh::<id::Key>(), 0_i64],
                Expect::Any,
            ),
        ),
    ]
}

/// A guard that fails is a conflict that names its statement, and undoes what came before it.
///
/// # Errors
/// What did not hold.
pub async fn a_failed_guard_undoes_all(db: &Db) -> Check {
    let thing = made(db, None).await?;
    let before = (count(db, COUNT).await?, count(db, EVENTS).await?);
    let unit = make(fresh(), None, 5)
        .write(USE, args![thing, 0_i64], Expect::Rows(1))
        .write(USE, args![thing, 9_i64], Expect::Rows(1))
        .write(ADD, args![thing], Expect::Rows(1));
    let outcome = db.commit(unit).await?;
    ensure!(outcome == Outcome::Conflict { statement: 2 }, "{outcome:?}");
    ensure!(version(db, thing).await? == 0, "an earlier statement stayed in force");
    for (shape, unit) in shapes(fresh()) {
        let outcome = db.commit(unit).await?;
        ensure!(matches!(outcome, Outcome::Conflict { .. }), "{shape}: {outcome:?}");
    }
    let after = (count(db, COUNT).await?, count(db, EVENTS).await?);
    ensure!(before == after, "things and events were {before:?} and are {after:?}");
    Ok(())
}

/// A statement that touches more rows than it must changes nothing.
///
/// # Errors
/// What did not hold.
pub async fn too_many_rows_undo_all(db: &Db) -> Check {
    let (one, two) = (made(db, None).await?, made(db, None).await?);
    let with_event = fresh();
    let mark = fresh();
    for unit in [Unit::new(with_event, vec![event(with_event)]), Unit::marked(mark, MARKED, args![one, mark])]
    {
        let ended = db.commit(unit.write(ALL_OF_THEM, args![0_i64], Expect::Rows(1))).await;
        ensure!(!matches!(ended, Ok(Outcome::Done)), "two rows passed for one: {ended:?}");
    }
    ensure!(version(db, one).await? + version(db, two).await? == 0, "two rows were changed");
    Ok(())
}

/// A unique key that is taken is a conflict at its statement.
///
/// # Errors
/// What did not hold.
pub async fn a_taken_key_is_a_conflict(db: &Db) -> Check {
    let thing = made(db, Some("taken")).await?;
    let events = count(db, EVENTS).await?;
    let pair = db.commit(make(fresh(), Some("taken"), 0)).await?;
    ensure!(pair == Outcome::Conflict { statement: 0 }, "pair: {pair:?}");
    let unit = fresh();
    let long = Unit::new(unit, vec![event(unit)]).write(USE, args![thing, 0_i64], Expect::Rows(1)).write(
        super::INSERT,
        args![fresh::<id::Key>(), "taken", 0_i64, true, None::<&[u8]>],
        Expect::Any,
    );
    let long = db.commit(long).await?;
    ensure!(long == Outcome::Conflict { statement: 1 }, "long: {long:?}");
    ensure!(version(db, thing).await? == 0, "an earlier statement stayed in force");
    ensure!(count(db, EVENTS).await? == events, "a refused unit left an event");
    Ok(())
}

/// A unit committed again is done, once: what a caller does whose answer was lost.
///
/// # Errors
/// What did not hold.
pub async fn a_repeat_means_done(db: &Db) -> Check {
    let shapes = shapes(Id::from_bytes([0; 16])).len();
    for shape in 0..shapes {
        let thing = made(db, None).await?;
        let Some((name, unit)) = self::shapes(thing).into_iter().nth(shape) else { continue };
        for attempt in 1..=3 {
            let outcome = db.commit(unit.clone()).await?;
            ensure!(outcome.done(), "{name}, attempt {attempt}: {outcome:?}");
        }
        ensure!(version(db, thing).await? == 1, "{name} was done more than once");
    }
    // Without a guard only the event tells.
    let thing = made(db, None).await?;
    let unit = fresh();
    let unit = Unit::new(unit, vec![event(unit)]).write(ADD, args![thing], Expect::Any);
    for _ in 0..3 {
        ensure!(db.commit(unit.clone()).await?.done(), "an unguarded repeat was refused");
    }
    ensure!(version(db, thing).await? == 1, "an unguarded statement was done again");
    Ok(())
}

/// A unit whose connection is lost on the way, there or back, is done and done once. `cut` makes
/// that happen to what follows it.
///
/// # Errors
/// What did not hold.
pub async fn a_lost_connection_is_survived(db: &Db, cut: &(dyn Fn() + Send + Sync)) -> Check {
    let shapes = shapes(Id::from_bytes([0; 16])).len();
    for shape in 0..shapes {
        // The first prepares the statements, so that the cut meets the unit itself.
        for lost in [false, true] {
            let thing = made(db, None).await?;
            let Some((name, unit)) = self::shapes(thing).into_iter().nth(shape) else { continue };
            let events = count(db, EVENTS).await? + i64::from(!unit.events.is_empty());
            if lost {
                cut();
            }
            let outcome = db.commit(unit).await?;
            ensure!(outcome.done(), "{name}: {outcome:?}");
            ensure!(version(db, thing).await? == 1, "{name} was not done once");
            ensure!(count(db, EVENTS).await? == events, "{name}: not one event");
        }
    }
    Ok(())
}

/// A unit whose caller goes away is carried through, and its repeat means done.
///
/// # Errors
/// What did not hold.
pub async fn a_unit_outlives_its_caller(db: &Db) -> Check {
    let thing = made(db, None).await?;
    let unit = fresh();
    let unit = Unit::new(unit, vec![event(unit)]).write(USE, args![thing, 0_i64], Expect::Rows(1));
    {
        let mut gone = pin!(db.commit(unit.clone()));
        poll_fn(|context| {
            drop(gone.as_mut().poll(context));
            Poll::Ready(())
        })
        .await;
    }
    ensure!(db.commit(unit).await?.done(), "the repeat did not find the original");
    ensure!(version(db, thing).await? == 1, "it was done twice");
    Ok(())
}

/// After closing everything is unavailable, and nothing hangs.
///
/// # Errors
/// What did not hold.
pub async fn closed_is_unavailable(db: &Db) -> Check {
    let thing = made(db, None).await?;
    db.close().await;
    db.close().await;
    let ends = [db.ping().await.err(), db.commit(make(thing, None, 0)).await.err()];
    for end in ends {
        ensure!(matches!(end, Some(DbError::Unavailable(_))), "{end:?}");
    }
    Ok(())
}
