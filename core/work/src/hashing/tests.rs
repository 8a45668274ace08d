//! The pool, with threads that are held until the test lets them go.

use super::*;
use std::sync::mpsc;

fn settings() -> HashSettings {
    HashSettings {
        threads: 1,
        express: 0,
        queue: Duration::from_millis(100),
        patience: Duration::from_secs(3_600),
        release_after: Duration::from_secs(3_600),
        params: Params::new(8, 1, 1).unwrap(),
    }
}

fn start(settings: HashSettings) -> HashPool {
    HashPool::start(Env::system(), settings).unwrap()
}

fn prepared(password: &str) -> Prepared {
    Prepared::new(password).unwrap()
}

/// Occupies the pool's one thread until the sender is used.
fn hold(pool: &HashPool) -> mpsc::Sender<()> {
    let (go, gate) = mpsc::channel::<()>();
    let (begun, has_begun) = mpsc::channel();
    let (reply, answer) = oneshot::channel();
    std::mem::forget(answer);
    let work = move |_: &mut Hasher| {
        begun.send(()).unwrap();
        gate.recv().unwrap();
        Ok(())
    };
    pool.owner.0.push(Priority::KnownDevice.into(), Box::new(Call { work, reply })).unwrap();
    has_begun.recv().unwrap();
    go
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<&'static str>>>);

type Answer = oneshot::Receiver<Result<(), HashError>>;

impl Log {
    fn ask(&self, pool: &HashPool, caller: impl Into<Caller>, name: &'static str) -> Result<Answer, Error> {
        let (reply, answer) = oneshot::channel();
        let log = self.clone();
        let work = move |_: &mut Hasher| {
            log.0.lock().unwrap().push(name);
            Ok(())
        };
        pool.owner.0.push(caller.into(), Box::new(Call { work, reply })).map(|()| answer)
    }

    fn names(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn a_password_is_hashed_and_verified_and_each_hash_is_counted() {
    let pool = start(settings());
    let stored = pool.hash(prepared("correct horse"), Priority::Other).await.unwrap();
    let right = pool.verify(prepared("correct horse"), stored.clone(), Priority::KnownDevice).await;
    assert_eq!(right.unwrap(), Verdict::Match { rehash: false });
    let wrong = pool.verify(prepared("battery staple"), stored.clone(), Priority::Other).await;
    assert_eq!(wrong.unwrap(), Verdict::Mismatch);
    let nobody = passwords::PhcString::dummy(settings().params);
    assert_eq!(pool.verify(prepared("x"), nobody, Priority::Other).await.unwrap(), Verdict::Mismatch);
    assert_eq!(pool.hashes(), 4);
    let again = pool.hash(prepared("correct horse"), Priority::Other).await.unwrap();
    assert_ne!(stored.to_string(), again.to_string(), "each under a salt of its own");
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_strangers_do_not_fill_it_for_known_devices() {
    let pool = start(settings());
    let (go, log) = (hold(&pool), Log::default());
    let strangers: Vec<_> = (0..5).map(|_| log.ask(&pool, Priority::Other, "stranger").unwrap()).collect();
    assert_eq!(pool.queue_ms(), 100, "five hashes of 20 ms");
    let refused = pool.hash(prepared("sixth"), Priority::Other).await.map(drop).unwrap_err();
    assert_eq!((refused.status(), refused.code), (503, "error-busy"));
    assert!(refused.retry_after.is_some_and(|after| after >= Duration::from_secs(1)));
    let known = log.ask(&pool, Priority::KnownDevice, "known").unwrap();
    go.send(()).unwrap();
    known.await.unwrap().unwrap();
    for stranger in strangers {
        stranger.await.unwrap().unwrap();
    }
    assert_eq!(log.names().len(), 6);
    assert_eq!(pool.queue_ms(), 0);
}

#[tokio::test]
async fn known_devices_go_first() {
    let pool = start(settings());
    let (go, log) = (hold(&pool), Log::default());
    let first = log.ask(&pool, Priority::Other, "first stranger").unwrap();
    let second = log.ask(&pool, Priority::Other, "second stranger").unwrap();
    let known = log.ask(&pool, Priority::KnownDevice, "known").unwrap();
    go.send(()).unwrap();
    for answer in [first, second, known] {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(log.names(), ["known", "first stranger", "second stranger"]);
}

#[tokio::test]
async fn the_express_serves_known_devices_while_strangers_are_hashed_and_nobody_else() {
    let pool = start(HashSettings { express: 1, ..settings() });
    let log = Log::default();
    let (go, gate) = mpsc::channel::<()>();
    let (begun, has_begun) = mpsc::channel();
    let (reply, _answer) = oneshot::channel();
    let work = move |_: &mut Hasher| {
        begun.send(()).unwrap();
        gate.recv().unwrap();
        Ok(())
    };
    pool.owner.0.push(Priority::Other.into(), Box::new(Call { work, reply })).unwrap();
    has_begun.recv().unwrap();
    let stranger = log.ask(&pool, Priority::Other, "stranger").unwrap();
    for _ in 0..3 {
        pool.hash(prepared("known"), Priority::KnownDevice).await.map(drop).unwrap();
    }
    assert!(log.names().is_empty(), "the stranger waits for the other thread");
    go.send(()).unwrap();
    stranger.await.unwrap().unwrap();
    assert_eq!(log.names(), ["stranger"]);
}

#[tokio::test]
async fn a_caller_who_has_gone_costs_no_hash() {
    let pool = start(settings());
    let (go, log) = (hold(&pool), Log::default());
    drop(log.ask(&pool, Priority::Other, "gone").unwrap());
    let stays = log.ask(&pool, Priority::Other, "stays").unwrap();
    go.send(()).unwrap();
    stays.await.unwrap().unwrap();
    assert_eq!(log.names(), ["stays"]);
    assert_eq!(pool.hashes(), 2, "the one that held the thread, and one more");
}

#[tokio::test]
async fn who_waited_too_long_is_refused_without_a_hash() {
    let pool = start(HashSettings { patience: Duration::ZERO, ..settings() });
    let refused = pool.hash(prepared("late"), Priority::Other).await.map(drop).unwrap_err();
    assert_eq!((refused.status(), refused.code), (503, "error-busy"));
    assert_eq!(pool.hashes(), 0);
}

#[tokio::test]
async fn a_panic_costs_one_answer_but_no_thread() {
    let pool = start(settings());
    let broken = pool.run::<()>(Priority::Other.into(), |_| panic!("broken on purpose")).await;
    assert_eq!(broken.unwrap_err().status(), 503);
    pool.hash(prepared("next"), Priority::Other).await.map(drop).unwrap();
}

#[tokio::test]
async fn arenas_are_kept_while_there_is_work_and_given_back_at_rest() {
    let busy = start(settings());
    assert_eq!(busy.arenas(), 0, "nothing is taken before the first hash");
    busy.hash(prepared("x"), Priority::Other).await.map(drop).unwrap();
    assert_eq!(busy.arenas(), 1);
    let resting = start(HashSettings { release_after: Duration::ZERO, ..settings() });
    resting.hash(prepared("x"), Priority::Other).await.map(drop).unwrap();
    while resting.arenas() > 0 {
        tokio::task::yield_now().await;
    }
    resting.hash(prepared("y"), Priority::Other).await.map(drop).unwrap();
}

#[tokio::test]
async fn the_threads_end_with_the_pool() {
    let pool = start(settings());
    let shared = Arc::downgrade(&pool.owner.0);
    drop(pool);
    while shared.upgrade().is_some() {
        tokio::task::yield_now().await;
    }
}
