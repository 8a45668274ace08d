//! From one version's tables to the next while somebody works: the version before goes on writing
//! and reading, loses nothing, and the last of several nodes finds everything done.

use base::{Env, Id, id};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use store::{Db, EventRow, MIGRATIONS, Migration, Outcome, Unit, UnitId, rows, scratch, scratch::Scratch};

/// The version before: without the migrations of the newest.
fn before() -> &'static [Migration] {
    &MIGRATIONS[..MIGRATIONS.len() - 2]
}

/// Writes units with their events until told to stop; gives the names of those acknowledged.
async fn work(db: Db, stop: Arc<AtomicBool>, worker: usize) -> Vec<String> {
    let env = Env::system();
    let mut acknowledged = Vec::new();
    while !stop.load(Ordering::Relaxed) || acknowledged.len() < 20 {
        let (name, unit) = (format!("{worker}-{}", acknowledged.len()), env.id());
        let written = db.commit(rows::server::insert(unit, &name, "1")).await;
        assert_eq!(written, Ok(Outcome::Done), "{name}");
        assert_eq!(db.commit(event(&env, env.id())).await, Ok(Outcome::Done), "{name}");
        assert_eq!(rows::server::find(&db, &name).await, Ok(Some("1".to_owned())));
        acknowledged.push(name);
    }
    acknowledged
}

fn event(env: &Env, id: UnitId) -> Unit {
    let tenant: Id<id::Tenant> = env.id();
    let row = EventRow {
        tenant,
        id,
        kind: "thing.made".to_owned(),
        person: None,
        actor: None,
        application: None,
        session: None,
        at: env.now(),
        data: vec![1],
    };
    Unit::new(id, vec![row])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_version_before_works_on_while_the_next_upgrades() {
    for engine in scratch::engines() {
        let scratch = Scratch::new(engine).await.unwrap();
        let old = scratch.open().await.unwrap();
        store::migrate(&old, before()).await.unwrap();
        // On PostgreSQL the next version is another process; an embedded database has one.
        let new = if engine == store::Engine::Postgres { scratch.open().await.unwrap() } else { old.clone() };
        assert!(!store::pending(&new, MIGRATIONS).await.unwrap().is_empty());
        let stop = Arc::new(AtomicBool::new(false));
        let workers: Vec<_> =
            (0..4).map(|worker| tokio::spawn(work(old.clone(), Arc::clone(&stop), worker))).collect();
        let (first, second) =
            tokio::join!(store::migrate(&new, MIGRATIONS), store::migrate(&new, MIGRATIONS));
        assert!(first.unwrap() + second.unwrap() > 0);
        stop.store(true, Ordering::Relaxed);
        let mut events = 0;
        for worker in workers {
            for name in worker.await.unwrap() {
                assert_eq!(rows::server::find(&new, &name).await, Ok(Some("1".to_owned())), "{name}");
                events += 1;
            }
        }
        while new.number_events().await.unwrap() > 0 {}
        assert_eq!(store::verify_chain(&new).await.unwrap().events, events);
        assert!(store::pending(&new, MIGRATIONS).await.unwrap().is_empty());
        assert_eq!(store::unknown(&old, before()).await.unwrap().len(), 2, "the version before can tell");
        if engine == store::Engine::Postgres {
            old.close().await;
        }
        scratch.remove(new).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_beside_a_writer_is_of_one_moment_and_sound() {
    let scratch = Scratch::new(store::Engine::Sqlite).await.unwrap();
    let db = scratch.open().await.unwrap();
    store::migrate(&db, MIGRATIONS).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let worker = tokio::spawn(work(db.clone(), Arc::clone(&stop), 0));
    let to = scratch.folder.join("copy.db");
    std::fs::write(&to, b"").unwrap();
    store::backup::copy(&scratch.url.parse().unwrap(), &to).await.unwrap();
    stop.store(true, Ordering::Relaxed);
    worker.await.unwrap();
    let options = store::OpenOptions { create: false, lock: false, ..store::OpenOptions::default() };
    let copy = Db::open(&store::DbUrl::sqlite(&to), options).await.unwrap();
    let held = store::backup::examine(&copy).await.unwrap();
    assert_eq!(u64::try_from(held.last_event).unwrap(), held.rows["event"]);
    let things = held.rows["server"];
    assert!(things == held.rows["event"] || things == held.rows["event"] + 1, "{held:?}");
    copy.close().await;
    scratch.remove(db).await.unwrap();
}
