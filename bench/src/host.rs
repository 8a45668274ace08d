//! What the operating system says of processes and of this machine.

use crate::Result;
use std::{collections::BTreeMap, fs, time::Duration};

/// Ticks of `/proc/PID/stat` a second, on every Linux.
const TICKS: f64 = 100.0;

/// CPU time that a process has used, its ended threads included.
pub(crate) fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks: f64 = after_name.split(' ').skip(11).take(2).filter_map(|it| it.parse::<f64>().ok()).sum();
    Duration::from_secs_f64(ticks / TICKS)
}

/// CPU time that this thread has used, in nanoseconds.
pub(crate) fn thread_cpu() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|it| it.parse().ok()).unwrap_or(0)
}

/// Memory that a process holds, in MiB.
pub(crate) fn memory(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / 1024.0
}

/// CPU times of PostgreSQL's processes that serve this database, and of the one that writes the log
/// ahead.
fn backends(database: &str) -> BTreeMap<u32, Duration> {
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let title = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let title = String::from_utf8_lossy(&title);
        title.starts_with("postgres: ")
            && (title.contains(&format!(" {database} ")) || title.contains("walwriter"))
    })
    .map(|pid| (pid, cpu(pid)))
    .collect()
}

/// Whose CPU time a measurement counts.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    /// The server.
    pub(crate) server: u32,
    /// The name of its PostgreSQL database, if it has one.
    pub(crate) database: Option<String>,
}

/// A reading of a [`Meter`].
#[derive(Debug)]
pub(crate) struct Reading {
    server: Duration,
    generator: Duration,
    backends: BTreeMap<u32, Duration>,
}

/// CPU time between two readings.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    /// By the server.
    pub(crate) server: Duration,
    /// By PostgreSQL.
    pub(crate) database: Duration,
    /// By this program.
    pub(crate) generator: Duration,
}

impl Meter {
    /// What has been used until now.
    pub(crate) fn read(&self) -> Reading {
        Reading {
            server: cpu(self.server),
            generator: cpu(std::process::id()),
            backends: self.database.as_deref().map(backends).unwrap_or_default(),
        }
    }
}

impl Reading {
    /// What was used between this reading and a later one.
    pub(crate) fn until(&self, later: &Self) -> Spent {
        let before = |pid: &u32| self.backends.get(pid).copied().unwrap_or_default();
        Spent {
            server: later.server.saturating_sub(self.server),
            generator: later.generator.saturating_sub(self.generator),
            database: later.backends.iter().map(|(pid, now)| now.saturating_sub(before(pid))).sum(),
        }
    }
}

/// This machine, without its name.
pub(crate) fn describe() -> Result<BTreeMap<String, String>> {
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map_or("?", |(_, value)| value.trim()).to_owned()
    };
    let cpus = fs::read_to_string("/proc/cpuinfo")?;
    let memory = field(&fs::read_to_string("/proc/meminfo")?, "MemTotal");
    let kib: f64 = memory.trim_end_matches(" kB").parse().unwrap_or(0.0);
    let load = fs::read_to_string("/proc/loadavg")?;
    Ok(BTreeMap::from([
        ("cpu".to_owned(), field(&cpus, "model name")),
        ("cores".to_owned(), cpus.lines().filter(|line| line.starts_with("processor")).count().to_string()),
        ("kernel".to_owned(), fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned()),
        ("memory".to_owned(), format!("{:.0} GiB", kib / 1024.0 / 1024.0)),
        ("load before".to_owned(), load.split(' ').next().unwrap_or_default().to_owned()),
    ]))
}
