//! Two ways to ask: closed (each worker asks again once it was answered) for the rate, and open
//! (arrivals come by the clock) for latencies.

use crate::{
    Result,
    host::{Meter, Spent},
    stats::Arrivals,
};
use std::{
    cell::RefCell,
    rc::Rc,
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, task::JoinSet};

/// What a worker does again and again.
pub(crate) trait Operation: 'static {
    /// Once; the answer is checked.
    fn once(&mut self) -> impl Future<Output = Result<()>>;
}

/// What a run showed.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// Operations that succeeded.
    pub(crate) done: u64,
    /// Those that did not.
    pub(crate) failed: u64,
    /// What the first of them said.
    pub(crate) error: Option<String>,
    /// How long it took.
    pub(crate) seconds: f64,
    /// From the intended start to the end of the answer, in milliseconds.
    pub(crate) latencies: Vec<f64>,
    /// CPU time meanwhile.
    pub(crate) spent: Spent,
}

impl Run {
    fn note(&mut self, outcome: Result<()>, since: Instant) {
        match outcome {
            Ok(()) => self.done += 1,
            Err(error) => {
                self.failed += 1;
                self.error.get_or_insert_with(|| error.to_string());
            }
        }
        self.latencies.push(since.elapsed().as_secs_f64() * 1000.0);
    }

    /// Operations a second.
    pub(crate) fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let done = self.done as f64;
        done / self.seconds.max(1e-9)
    }

    /// Microseconds of CPU time an operation: server, database, generator.
    pub(crate) fn cost(&self) -> (f64, f64, f64) {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let each = |time: Duration| time.as_secs_f64() * 1e6 / (self.done + self.failed).max(1) as f64;
        (each(self.spent.server), each(self.spent.database), each(self.spent.generator))
    }
}

/// Every worker asks as fast as it is answered, for `time`.
pub(crate) async fn closed<O: Operation>(
    workers: Vec<O>,
    time: Duration,
    meter: &Meter,
) -> Result<(Vec<O>, Run)> {
    let run = Rc::new(RefCell::new(Run::default()));
    let mut tasks = JoinSet::new();
    let (begun, before) = (Instant::now(), meter.read());
    for mut worker in workers {
        let run = Rc::clone(&run);
        tasks.spawn_local(async move {
            while begun.elapsed() < time {
                let since = Instant::now();
                let outcome = worker.once().await;
                let wrong = outcome.is_err();
                run.borrow_mut().note(outcome, since);
                if wrong {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
            worker
        });
    }
    finish(tasks, run, begun, (meter, &before)).await
}

/// Arrivals at `rate` a second for `time`, taken by whichever worker is free.
pub(crate) async fn open<O: Operation>(
    workers: Vec<O>,
    rate: f64,
    time: Duration,
    meter: &Meter,
) -> Result<(Vec<O>, Run)> {
    let run = Rc::new(RefCell::new(Run::default()));
    let (send, receive) = mpsc::unbounded_channel::<Instant>();
    let receive = Rc::new(tokio::sync::Mutex::new(receive));
    let mut tasks = JoinSet::new();
    let (begun, before) = (Instant::now(), meter.read());
    for mut worker in workers {
        let (run, receive) = (Rc::clone(&run), Rc::clone(&receive));
        tasks.spawn_local(async move {
            loop {
                let arrived = receive.lock().await.recv().await;
                let Some(intended) = arrived else { return worker };
                let outcome = worker.once().await;
                run.borrow_mut().note(outcome, intended);
            }
        });
    }
    // A thread of its own: the runtime's timers tick in milliseconds.
    let clock = std::thread::spawn(move || {
        for at in Arrivals::new(rate, time.as_secs_f64(), 42) {
            let intended = begun + Duration::from_secs_f64(at);
            std::thread::sleep(intended.saturating_duration_since(Instant::now()));
            if send.send(intended).is_err() {
                return;
            }
        }
    });
    let finished = finish(tasks, run, begun, (meter, &before)).await;
    clock.join().map_err(|_| "the clock of arrivals failed")?;
    finished
}

async fn finish<O: Operation>(
    mut tasks: JoinSet<O>,
    run: Rc<RefCell<Run>>,
    begun: Instant,
    (meter, before): (&Meter, &crate::host::Reading),
) -> Result<(Vec<O>, Run)> {
    let mut workers = Vec::new();
    while let Some(worker) = tasks.join_next().await {
        workers.push(worker?);
    }
    let mut run = run.take();
    run.seconds = begun.elapsed().as_secs_f64();
    run.spent = before.until(&meter.read());
    Ok((workers, run))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers at once, but each hundredth time not at all.
    struct Counter(Rc<RefCell<u64>>);

    impl Operation for Counter {
        async fn once(&mut self) -> Result<()> {
            *self.0.borrow_mut() += 1;
            if self.0.borrow().is_multiple_of(100) { Err("the hundredth".into()) } else { Ok(()) }
        }
    }

    #[test]
    fn every_arrival_is_counted_once() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let local = tokio::task::LocalSet::new();
        let asked = Rc::new(RefCell::new(0));
        let workers = (0..3).map(|_| Counter(Rc::clone(&asked))).collect();
        let meter = Meter { server: std::process::id(), database: None };
        let time = Duration::from_millis(50);
        let (workers, run) = local.block_on(&runtime, open(workers, 20_000.0, time, &meter)).unwrap();
        let expected = Arrivals::new(20_000.0, 0.05, 42).count() as u64;
        assert_eq!((workers.len(), run.done + run.failed, *asked.borrow()), (3, expected, expected));
        assert_eq!((run.failed, run.latencies.len() as u64), (expected / 100, expected));
        assert_eq!(run.error.as_deref(), Some("the hundredth"));
    }
}
