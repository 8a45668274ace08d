//! Every check of the conformance suite on SQLite, and on PostgreSQL where `KEYWARD_TEST_POSTGRES`
//! names a server whose role may create databases (`tests/postgres.sh` prints one).

#[cfg(test)]
mod postgres;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod sqlite;
#[cfg(test)]
mod upgrade;

use store::scratch::{Scratch, engines};
use store::{conformance, prepare_all, statements};

macro_rules! checks {
    ($($name:ident: $module:ident;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            for engine in engines() {
                let scratch = Scratch::new(engine).await.unwrap();
                let db = scratch.open().await.unwrap();
                conformance::set_up(&db).await.unwrap();
                let held = conformance::$module::$name(&db).await;
                scratch.remove(db).await.unwrap();
                if let Err(failed) = held {
                    panic!("{engine:?}: {}", failed.0);
                }
            }
        }
    )*};
}

checks! {
    round_trip: values;
    text_is_bytes: values;
    unfit_is_refused: values;
    reads_do_not_write: values;
    a_failed_guard_undoes_all: units;
    too_many_rows_undo_all: units;
    a_taken_key_is_a_conflict: units;
    a_repeat_means_done: units;
    a_unit_outlives_its_caller: units;
    closed_is_unavailable: units;
    one_of_fifty_wins: races;
    one_of_fifty_takes_a_name: races;
    one_unit_from_fifty_is_done_once: races;
    a_bad_neighbour_does_no_harm: races;
    the_chain_shows_every_change: history;
    a_migration_can_be_cut_off: history;
    a_lease_has_one_holder: history;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_migrate_at_once() {
    for engine in engines() {
        let scratch = Scratch::new(engine).await.unwrap();
        let db = scratch.open().await.unwrap();
        let held = conformance::history::nodes_migrate_at_once(&db).await;
        scratch.remove(db).await.unwrap();
        held.unwrap_or_else(|failed| panic!("{engine:?}: {}", failed.0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_engines_accept_every_statement() {
    for engine in engines() {
        let scratch = Scratch::new(engine).await.unwrap();
        let db = scratch.open().await.unwrap();
        conformance::set_up(&db).await.unwrap();
        let prepared = prepare_all(&db, &statements()).await;
        let own = prepare_all(&db, conformance::STATEMENTS).await;
        let nonsense = prepare_all(&db, &["SELECT nothing FROM nowhere"]).await;
        scratch.remove(db).await.unwrap();
        prepared.and(own).unwrap_or_else(|error| panic!("{engine:?}: {error}"));
        assert!(nonsense.is_err(), "{engine:?} accepted nonsense");
    }
}
