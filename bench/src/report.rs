//! Results: as a table for people, as JSON for a later comparison.

use crate::{
    Result,
    limits::Limits,
    load::Run,
    stats::{Difference, Latency},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::Path};

/// What a row should reach.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) enum Goal {
    /// Limit by cost.
    Efficiency(f64),
    /// Operations a core-second.
    PerCore(f64),
    /// Operations a second.
    Rate(f64),
    /// So many times what the peer does a core-second.
    Times(f64),
    /// Nothing.
    None,
}

/// One measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    /// Its name in the matrix.
    pub(crate) name: String,
    /// `sqlite` or `postgres`.
    pub(crate) engine: String,
    /// Operations a second, all callers at once.
    pub(crate) rate: f64,
    /// Microseconds of the server's CPU time each.
    pub(crate) server_us: f64,
    /// Of PostgreSQL's.
    pub(crate) database_us: f64,
    /// Of the generator's, which counts nowhere.
    pub(crate) generator_us: f64,
    /// What the work that cannot be left out takes, in microseconds; 0 without a limit.
    pub(crate) limit_us: f64,
    /// Goals.
    pub(crate) goals: Vec<Goal>,
    /// What the peer does a core-second; 0 without one.
    pub(crate) peer: f64,
    /// Milliseconds from the intended start.
    pub(crate) latency: Latency,
    /// The arrivals a second at which that was.
    pub(crate) latency_at: f64,
    /// Operations that failed.
    pub(crate) errors: u64,
    /// What the first said.
    pub(crate) error: Option<String>,
    /// Whether the database shows afterwards what was done; none where nothing is written.
    pub(crate) effects: Option<bool>,
}

impl Row {
    /// A row of a closed run for the rate and an open one for the latency.
    pub(crate) fn of(name: &str, engine: &str, closed: &Run) -> Self {
        let (server_us, database_us, generator_us) = closed.cost();
        Self {
            name: name.to_owned(),
            engine: engine.to_owned(),
            rate: closed.rate(),
            server_us,
            database_us,
            generator_us,
            limit_us: 0.0,
            goals: Vec::new(),
            peer: 0.0,
            latency: Latency::default(),
            latency_at: 0.0,
            errors: closed.failed,
            error: closed.error.clone(),
            effects: None,
        }
    }

    /// With its latencies.
    #[must_use]
    pub(crate) fn opened(mut self, run: Run, at: f64) -> Self {
        self.errors += run.failed;
        self.error = self.error.or(run.error);
        (self.latency, self.latency_at) = (Latency::of(run.latencies), at);
        self
    }

    /// Operations a core-second of server and database together.
    pub(crate) fn per_core(&self) -> f64 {
        1e6 / (self.server_us + self.database_us).max(1e-3)
    }

    fn efficiency(&self) -> f64 {
        self.limit_us / (self.server_us + self.database_us).max(1e-3)
    }

    /// Whether a goal is reached, and how it reads.
    fn judge(&self, goal: Goal) -> (bool, String) {
        match goal {
            Goal::Efficiency(least) => (self.efficiency() >= least, format!("≥ {least:.2}")),
            Goal::PerCore(least) => (self.per_core() >= least, format!("≥ {least:.0}/core-s")),
            Goal::Rate(least) => (self.rate >= least, format!("≥ {least:.0}/s")),
            Goal::Times(least) => {
                (self.per_core() >= self.peer * least, format!("≥ {least} × {:.0}", self.peer))
            }
            Goal::None => (true, String::new()),
        }
    }

    /// The row as a line of the table.
    pub(crate) fn line(&self) -> String {
        let efficiency = if self.limit_us > 0.0 { format!("{:.2}", self.efficiency()) } else { "–".into() };
        let times =
            if self.peer > 0.0 { format!("{:.1} ×", self.per_core() / self.peer) } else { "–".into() };
        let goals: Vec<String> = self
            .goals
            .iter()
            .map(|goal| self.judge(*goal))
            .map(|(reached, text)| format!("{text} {}", if reached { "ok" } else { "MISSED" }))
            .collect();
        let wrong = match (&self.error, self.effects) {
            (Some(error), _) => format!(" | {} ERRORS: {error}", self.errors),
            (None, Some(false)) => " | EFFECTS ARE MISSING".to_owned(),
            _ => String::new(),
        };
        let Latency { p50, p95, p99, p999 } = self.latency;
        format!(
            "{:<42} {:<8} {:>8.0} {:>9.1} {:>8.1} {:>8.1} {:>8.0} {:>6} {:>7}  {:>6.1} {:>6.1} {:>6.1} {:>6.1} @{:<6.0} {}{wrong}",
            self.name,
            self.engine,
            self.rate,
            self.server_us,
            self.database_us,
            self.limit_us,
            self.per_core(),
            efficiency,
            times,
            p50,
            p95,
            p99,
            p999,
            self.latency_at,
            goals.join(", ")
        )
    }
}

/// The head of the table.
pub(crate) fn head() -> String {
    format!(
        "{:<42} {:<8} {:>8} {:>9} {:>8} {:>8} {:>8} {:>6} {:>7}  {:>6} {:>6} {:>6} {:>6} {:<7} goals",
        "operation",
        "engine",
        "rate/s",
        "server µs",
        "db µs",
        "limit µs",
        "/core-s",
        "eff.",
        "peer",
        "p50",
        "p95",
        "p99",
        "p99.9",
        "at/s"
    )
}

/// A whole run.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The day.
    pub(crate) date: String,
    /// The machine, without its name.
    pub(crate) machine: BTreeMap<String, String>,
    /// What the work that cannot be left out takes.
    pub(crate) limits: Limits,
    /// Measurements.
    pub(crate) rows: Vec<Row>,
    /// Known and unknown accounts, by engine and endpoint.
    pub(crate) equality: BTreeMap<String, Difference>,
    /// Single numbers, such as the memory in MiB.
    pub(crate) facts: BTreeMap<String, f64>,
}

impl Report {
    /// Notes a number and says it.
    pub(crate) fn fact(&mut self, name: String, value: f64) {
        eprintln!("{name}: {value:.2}");
        self.facts.insert(name, value);
    }

    /// Prints everything.
    pub(crate) fn print(&self) {
        println!("\n{}", self.date);
        for (name, value) in &self.machine {
            println!("  {name}: {value}");
        }
        let limits = serde_json::to_string(&self.limits).unwrap_or_default();
        println!("\nlimits, µs of CPU time\n  {}\n", limits.replace(['{', '}', '"'], " "));
        println!("{}", head());
        for row in &self.rows {
            println!("{}", row.line());
        }
        println!("\nknown and unknown accounts (ms; \"above\" is 0.5 where they are alike)");
        for (name, it) in &self.equality {
            let (a, b) = (it.median_a, it.median_b);
            println!("  {name:<28} medians {a:.3} {b:.3}  above {:.3}  p {:.3}", it.above, it.p);
        }
        println!();
        for (name, value) in &self.facts {
            println!("  {name}: {value:.2}");
        }
    }

    /// Prints what changed since an earlier run.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn against(&self, path: &Path) -> Result<()> {
        let before: Self = serde_json::from_slice(&std::fs::read(path)?)?;
        println!("\nµs of CPU time, against {} of {}", path.display(), before.date);
        for row in &self.rows {
            let same = |it: &&Row| it.name == row.name && it.engine == row.engine;
            if let Some(old) = before.rows.iter().find(same) {
                let (was, is) = (old.server_us + old.database_us, row.server_us + row.database_us);
                println!(
                    "  {:<42} {:<8} {was:>9.1} → {is:>9.1}  {:+.0} %",
                    row.name,
                    row.engine,
                    (is / was - 1.0) * 100.0
                );
            }
        }
        Ok(())
    }

    /// Writes it as JSON.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        std::fs::write(path, serde_json::to_string_pretty(self)? + "\n")?;
        println!("\nwritten to {}", path.display());
        Ok(())
    }

    /// Whether every operation was answered rightly and left its traces.
    pub(crate) fn is_sound(&self) -> bool {
        self.rows.iter().all(|row| row.errors == 0 && row.effects != Some(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Spent;
    use std::time::Duration;

    #[test]
    fn a_row_is_judged_by_cost_not_by_rate() {
        let spent = Spent {
            server: Duration::from_millis(60),
            database: Duration::from_millis(40),
            generator: Duration::ZERO,
        };
        let run = Run { done: 1000, seconds: 0.5, spent, ..Run::default() };
        let row = Row { limit_us: 70.0, peer: 1000.0, ..Row::of("B", "sqlite", &run) };
        assert_eq!((row.rate, row.per_core().round()), (2000.0, 10_000.0));
        assert!(row.judge(Goal::Efficiency(0.7)).0 && !row.judge(Goal::Efficiency(0.71)).0);
        assert!(
            row.judge(Goal::PerCore(9_999.0)).0
                && row.judge(Goal::Times(9.99)).0
                && !row.judge(Goal::Rate(2001.0)).0
        );
        let report = Report { rows: vec![Row { effects: Some(false), ..row.clone() }], ..Report::default() };
        assert!(!report.is_sound() && Report { rows: vec![row], ..Report::default() }.is_sound());
    }
}
