//! What must be true over time: the chain of events, migrations that were cut off, leases.

use super::{COUNT, Check, ERASE, FORGE, TABLE, ensure, event, fresh, made, make};
use crate::{Db, DbError, Expect, Migration, Unit, args, lease, migrate, pending, verify_chain};
use base::Time;
use std::time::Duration;

/// Numbers what waits and verifies that the chain holds exactly this many events.
pub(super) async fn whole(db: &Db, events: u64) -> Check {
    while db.number_events().await? > 0 {}
    let verified = verify_chain(db).await?;
    ensure!(verified.events == events, "the chain holds {verified:?}, not {events} events");
    ensure!(verified.last.unsigned_abs() == events, "the numbers have gaps: {verified:?}");
    Ok(())
}

/// Events are numbered without gaps, conflicts leave none, and the chain shows every change.
///
/// # Errors
/// What did not hold.
pub async fn the_chain_shows_every_change(db: &Db) -> Check {
    whole(db, 0).await?;
    let unit = fresh();
    let two = Unit::new(unit, vec![event(unit), event(fresh())]);
    ensure!(db.commit(two).await?.done(), "two events alone were refused");
    for name in ["a", "b", "a", "c", "b"] {
        let _outcome = db.commit(make(fresh(), Some(name), 0)).await?;
    }
    whole(db, 5).await?;
    made(db, None).await?;
    whole(db, 6).await?;
    for (sql, args, seen) in [(FORGE, args![unit, vec![0_u8]], "changed"), (ERASE, args![unit], "missing")] {
        let tampering = Unit::marked(fresh(), COUNT, args![]).write(sql, args, Expect::Rows(1));
        ensure!(db.commit(tampering).await?.done(), "the tampering failed");
        let verified = verify_chain(db).await;
        let told = matches!(&verified, Err(DbError::Chain(text)) if text.contains(seen));
        ensure!(told, "that an event was {seen} went unseen: {verified:?}");
    }
    Ok(())
}

/// A migration that was cut off half-way goes on where it was, once; what is pending is known.
///
/// # Errors
/// What did not hold.
pub async fn a_migration_can_be_cut_off(db: &Db) -> Check {
    const TEXT: &str = "CREATE TABLE half (id {id} NOT NULL PRIMARY KEY){table}; -- one;\n\
        {sqlite} INSERT INTO half (id) VALUES (x'00');\n\
        {postgres} INSERT INTO half (id) VALUES ('\\x00');";
    const CUT: &str =
        "CREATE TABLE half (id {id} NOT NULL PRIMARY KEY){table}; INSERT INTO nowhere (id) VALUES (1);";
    let cut = Migration { id: "20000102000000_half", sql: CUT };
    let whole = Migration { id: "20000102000000_half", sql: TEXT };
    ensure!(pending(db, &[whole]).await?.len() == 3, "not all of it was pending");
    let ended = migrate(db, &[cut]).await;
    ensure!(matches!(ended, Err(DbError::Migration(_))), "a bad statement passed: {ended:?}");
    ensure!(pending(db, &[whole]).await?.len() == 2, "the first statement was not recorded");
    ensure!(migrate(db, &[whole]).await? == 2, "the rest was not carried out");
    ensure!(migrate(db, &[whole]).await? == 0, "something was carried out twice");
    ensure!(pending(db, &[whole]).await?.is_empty(), "something is still pending");
    let edited = Migration { id: whole.id, sql: "CREATE TABLE other (id {id} NOT NULL PRIMARY KEY){table};" };
    for ended in [migrate(db, &[edited]).await.err(), pending(db, &[edited]).await.err()] {
        ensure!(matches!(ended, Some(DbError::Migration(_))), "an edited statement passed: {ended:?}");
    }
    Ok(())
}

/// Several nodes that migrate an empty database at once carry each statement out once.
///
/// # Errors
/// What did not hold.
pub async fn nodes_migrate_at_once(db: &Db) -> Check {
    let mut nodes = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let db = db.clone();
        nodes.spawn(async move { migrate(&db, TABLE).await });
    }
    let mut done = 0;
    for node in nodes.join_all().await {
        done += node?;
    }
    ensure!(done == 1, "the table was made {done} times");
    Ok(())
}

/// A lease has one holder, who may prolong it; it is free after its end or when given up.
///
/// # Errors
/// What did not hold.
pub async fn a_lease_has_one_holder(db: &Db) -> Check {
    let (mine, theirs) = ([1; 16], [2; 16]);
    let take = async |holder, at: i64| {
        let now = Time::from_seconds(at);
        lease::take(db, ("job", holder), fresh(), (now, now.plus(Duration::from_secs(10)))).await
    };
    ensure!(take(mine, 100).await?, "a free lease was refused");
    ensure!(!take(theirs, 105).await?, "a held lease was given away");
    ensure!(take(mine, 106).await?, "the holder could not prolong");
    ensure!(!take(theirs, 115).await?, "a prolonged lease was given away");
    ensure!(take(theirs, 116).await?, "an ended lease was not free");
    lease::release(db, ("job", mine), fresh()).await?;
    ensure!(!take(mine, 117).await?, "somebody else's lease was given up");
    lease::release(db, ("job", theirs), fresh()).await?;
    ensure!(take(mine, 117).await?, "a lease that was given up was not free");
    Ok(())
}
