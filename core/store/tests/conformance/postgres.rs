//! What only PostgreSQL has: connections that are lost. Runs where `KEYWARD_TEST_POSTGRES` is set.

use crate::proxy::{Cut, Proxy};
use base::Env;
use store::scratch::{Scratch, execute, server};
use store::{Db, DbError, Engine, OpenOptions, args, conformance, verify_chain};

const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() \
    AND datname = current_database()";

const EVENTS: &str = "INSERT INTO event (tenant, id, kind, at, data) SELECT decode(repeat('07', 16), 'hex'), \
    decode(repeat('00', 12), 'hex') || int4send(n), 'thing.made', n, '\\x01' FROM generate_series(1, 1700) n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_cut_anywhere_is_survived() {
    let Some(_) = server() else { return };
    let scratch = Scratch::new(Engine::Postgres).await.unwrap();
    let proxy = Proxy::to(&scratch.url).await;
    let db = Db::open(&proxy.url.parse().unwrap(), OpenOptions::default()).await.unwrap();
    conformance::set_up(&db).await.unwrap();
    let cuts = [0, 1, 2, 3].map(|message| [Cut::Before(message), Cut::After(message)]);
    for cut in cuts.into_iter().flatten().chain([Cut::Silent(0), Cut::Silent(1)]) {
        let held = conformance::units::a_lost_connection_is_survived(&db, &|| proxy.arm(cut)).await;
        held.unwrap_or_else(|failed| panic!("{cut:?}: {}", failed.0));
    }
    assert!(proxy.cuts() > 30, "only {} connections were cut", proxy.cuts());
    scratch.remove(db).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_connections_are_opened_again() {
    let Some(_) = server() else { return };
    let scratch = Scratch::new(Engine::Postgres).await.unwrap();
    let db = scratch.open().await.unwrap();
    conformance::set_up(&db).await.unwrap();
    for _ in 0..3 {
        for _ in 0..8 {
            db.ping().await.unwrap();
        }
        assert_eq!(db.scan::<i64>("SELECT count(*) FROM thing", args![]).await.unwrap(), [0]);
        let held = conformance::history::a_lease_has_one_holder(&db).await;
        held.unwrap_or_else(|failed| panic!("{}", failed.0));
        execute(&scratch.url, TERMINATE).await.unwrap();
        execute(&scratch.url, "DELETE FROM lease").await.unwrap();
    }
    scratch.remove(db).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_table_is_noticed() {
    let Some(_) = server() else { return };
    let scratch = Scratch::new(Engine::Postgres).await.unwrap();
    let db = scratch.open().await.unwrap();
    conformance::set_up(&db).await.unwrap();
    let read = async || db.many::<(i64,)>("SELECT version FROM thing", args![]).await;
    for _ in 0..8 {
        read().await.unwrap();
    }
    execute(&scratch.url, "ALTER TABLE thing ALTER COLUMN version TYPE INTEGER").await.unwrap();
    for _ in 0..8 {
        read().await.unwrap();
    }
    scratch.remove(db).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_many_nodes_are_numbered_once() {
    let Some(_) = server() else { return };
    let scratch = Scratch::new(Engine::Postgres).await.unwrap();
    let db = scratch.open().await.unwrap();
    conformance::set_up(&db).await.unwrap();
    execute(&scratch.url, EVENTS).await.unwrap();
    let other = scratch.open().await.unwrap();
    let drain = async |db: &Db| {
        let mut numbered = Vec::new();
        loop {
            match db.number_events().await.unwrap() {
                0 => return numbered,
                count => numbered.push(count),
            }
        }
    };
    let (one, two) = tokio::join!(drain(&db), drain(&other));
    assert_eq!(one.iter().chain(&two).sum::<usize>(), 1_700);
    assert!(one.iter().chain(&two).all(|count| *count <= 500));
    let verified = verify_chain(&db).await.unwrap();
    assert_eq!((verified.events, verified.last), (1_700, 1_700));
    other.close().await;
    scratch.remove(db).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sequencer_numbers_events_on_one_node() {
    const NUMBERED: &str = "SELECT count(*) FROM event WHERE number IS NOT NULL";
    const HELD: &str = "SELECT count(*) FROM lease WHERE name = 'sequencer'";
    let Some(_) = server() else { return };
    let scratch = Scratch::new(Engine::Postgres).await.unwrap();
    let db = scratch.open().await.unwrap();
    conformance::set_up(&db).await.unwrap();
    execute(&scratch.url, EVENTS).await.unwrap();
    let numbered = async {
        while db.one::<i64>(NUMBERED, args![]).await.unwrap() != Some(1_700) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = db.clone().sequencer(Env::system()) => panic!("the sequencer ended"),
        () = numbered => {}
    }
    assert_eq!(db.one::<i64>(HELD, args![]).await.unwrap(), Some(1));
    assert_eq!(verify_chain(&db).await.unwrap().last, 1_700);
    scratch.remove(db).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreachable_server_is_unavailable() {
    let url = "postgres://nobody@127.0.0.1:1/nothing".parse().unwrap();
    let db = Db::open(&url, OpenOptions::default()).await.unwrap();
    assert!(matches!(db.ping().await, Err(DbError::Unavailable(_))));
    let scanned = db.scan::<i64>("SELECT 1", args![]).await;
    assert!(matches!(scanned, Err(DbError::Unavailable(_))));
    db.close().await;
}
