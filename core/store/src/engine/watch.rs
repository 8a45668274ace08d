//! What an operator watches of the store: how long reads and commits take, and how they end.

use super::{DbError, Outcome};
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Upper bounds of the classes of [`Timing`] in microseconds: from a read in memory to a lost disk.
const BOUNDS: [u64; 10] = [20, 100, 500, 2_000, 5_000, 20_000, 100_000, 500_000, 2_000_000, 10_000_000];

/// How long something took, in classes.
#[derive(Debug, Default)]
pub struct Timing {
    classes: [AtomicU64; BOUNDS.len()],
    longer: AtomicU64,
    micros: AtomicU64,
}

impl Timing {
    fn note(&self, taken: Duration) {
        let micros = u64::try_from(taken.as_micros()).unwrap_or(u64::MAX);
        let class = self.classes.iter().zip(BOUNDS).find(|(_, bound)| micros <= *bound);
        class.map_or(&self.longer, |(class, _)| class).fetch_add(1, Relaxed);
        self.micros.fetch_add(micros, Relaxed);
    }

    /// Upper bounds in seconds with how many took at most that and more than the bound before; the
    /// last bound is infinite.
    pub fn classes(&self) -> Vec<(f64, u64)> {
        let bounded =
            self.classes.iter().zip(BOUNDS).map(|(count, bound)| (seconds(bound), count.load(Relaxed)));
        bounded.chain([(f64::INFINITY, self.longer.load(Relaxed))]).collect()
    }

    /// All of it together, in seconds.
    pub fn total(&self) -> f64 {
        seconds(self.micros.load(Relaxed))
    }
}

fn seconds(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64()
}

/// What was counted since the database was opened.
#[derive(Debug, Default)]
pub struct Watch {
    /// Reads by a key or of a few rows.
    pub reads: Timing,
    /// Units, from handing over to the answer.
    pub commits: Timing,
    conflicts: AtomicU64,
    failures: AtomicU64,
}

impl Watch {
    /// Units that lost against another.
    pub fn conflicts(&self) -> u64 {
        self.conflicts.load(Relaxed)
    }

    /// Reads and units that the database did not carry out.
    pub fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }

    pub(super) fn read(&self, taken: Duration, succeeded: bool) {
        self.reads.note(taken);
        if !succeeded {
            self.failures.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn commit(&self, taken: Duration, end: &Result<Outcome, DbError>) {
        self.commits.note(taken);
        match end {
            Ok(Outcome::Done) => {}
            Ok(Outcome::Conflict { .. }) => _ = self.conflicts.fetch_add(1, Relaxed),
            Err(_) => _ = self.failures.fetch_add(1, Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_is_in_one_class() {
        let timing = Timing::default();
        for micros in [20, 21, 700, 20_000_000] {
            timing.note(Duration::from_micros(micros));
        }
        let counts: Vec<u64> = timing.classes().into_iter().map(|(_, count)| count).collect();
        assert_eq!(counts, [1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
        assert!((timing.total() - 20.000_741).abs() < 1e-9);
    }
}
