//! What only SQLite has: a file with a lock, a disk that fills up, numbers that go on after a restart.

use base::{Id, SystemRng, Time, id};
use store::scratch::Scratch;
use store::{
    Db, DbError, DbUrl, Engine, EventRow, Expect, OpenOptions, Outcome, Unit, Verified, args, conformance,
    verify_chain,
};

const INSERT: &str = "INSERT INTO thing (id, version, data) VALUES ($1, 0, $2)";
const COUNTS: &str = "SELECT (SELECT count(*) FROM thing), (SELECT count(*) FROM event)";

fn fresh<T>() -> Id<T> {
    Id::new(Time::from_seconds(1_800_000_000), &SystemRng)
}

/// A unit that stores two things, of these sizes.
fn things(sizes: [usize; 2]) -> Unit {
    let unit = fresh();
    let event = EventRow {
        tenant: fresh(),
        id: unit,
        kind: "thing.made".to_owned(),
        person: None,
        actor: Some("operator".to_owned()),
        application: None,
        session: None,
        at: Time::from_seconds(1_800_000_000),
        data: vec![1],
    };
    let store =
        |unit: Unit, size| unit.write(INSERT, args![fresh::<id::Key>(), vec![0_u8; size]], Expect::Rows(1));
    sizes.into_iter().fold(Unit::new(unit, vec![event]), store)
}

async fn set_up() -> (Scratch, Db) {
    let scratch = Scratch::new(Engine::Sqlite).await.unwrap();
    let db = scratch.open().await.unwrap();
    conformance::set_up(&db).await.unwrap();
    (scratch, db)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_and_leaves_nothing_half_done() {
    let (scratch, db) = set_up().await;
    assert_eq!(db.commit(things([10, 10])).await, Ok(Outcome::Done));
    conformance::limit_pages(&db, 16).await.unwrap();

    let (small, large, other) = tokio::join!(
        db.commit(things([5, 5])),
        db.commit(things([10, 2_000_000])),
        db.commit(things([5, 5]))
    );
    assert_eq!((small, large, other), (Ok(Outcome::Done), Err(DbError::Full), Ok(Outcome::Done)));
    assert_eq!(db.one(COUNTS, args![]).await, Ok(Some((6_i64, 3_i64))));

    conformance::limit_pages(&db, 10_000).await.unwrap();
    assert_eq!(db.commit(things([10, 2_000_000])).await, Ok(Outcome::Done));
    assert_eq!(db.one(COUNTS, args![]).await, Ok(Some((8_i64, 4_i64))));
    assert_eq!(verify_chain(&db).await.map(|verified| verified.events), Ok(4));
    scratch.remove(db).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_holds_the_file_and_another_may_read() {
    let (scratch, db) = set_up().await;
    let url = scratch.url.parse::<store::DbUrl>().unwrap();
    let second = Db::open(&url, OpenOptions::default()).await;
    assert!(matches!(second.err(), Some(DbError::Locked(_))));
    let reader =
        Db::open(&url, OpenOptions { create: false, lock: false, ..OpenOptions::default() }).await.unwrap();
    assert_eq!(reader.one(COUNTS, args![]).await, Ok(Some((0_i64, 0_i64))));
    reader.close().await;
    db.close().await;
    let db = scratch.open().await.unwrap();
    scratch.remove(db).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_and_chain_go_on_after_a_restart() {
    let (scratch, mut db) = set_up().await;
    for round in 1..=3_i64 {
        assert_eq!(db.commit(things([1, 1])).await, Ok(Outcome::Done));
        let batches = round.unsigned_abs();
        assert_eq!(verify_chain(&db).await, Ok(Verified { batches, events: batches, last: round }));
        db.close().await;
        db = scratch.open().await.unwrap();
    }
    scratch.remove(db).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_units_at_once_share_commits() {
    let (scratch, db) = set_up().await;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..1_000 {
        let db = db.clone();
        callers.spawn(async move { db.commit(things([1, 1])).await });
    }
    assert!(callers.join_all().await.iter().all(|end| *end == Ok(Outcome::Done)));
    let verified = verify_chain(&db).await.unwrap();
    assert_eq!((verified.events, verified.last), (1_000, 1_000));
    assert!(verified.batches < 1_000, "every unit had a commit of its own");
    db.clone().sequencer(base::Env::system()).await;
    scratch.remove(db).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let (scratch, db) = set_up().await;
    let path = scratch.url.strip_prefix("sqlite:").unwrap();
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let mode = std::fs::metadata(format!("{path}{suffix}")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{suffix}");
    }
    scratch.remove(db).await.unwrap();
}

#[tokio::test]
async fn a_missing_file_is_made_only_where_asked() {
    let missing: DbUrl = "sqlite:/nowhere/at/all/keyward.db".parse().unwrap();
    for create in [false, true] {
        let opened = Db::open(&missing, OpenOptions { create, lock: false, ..OpenOptions::default() }).await;
        assert!(matches!(opened.err(), Some(DbError::Unavailable(_))));
    }
}
