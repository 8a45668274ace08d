//! This process by the names that Prometheus's own clients use, without our prefix. What the
//! operating system does not tell is left out.

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};
use std::fmt;

/// A page of memory, and what the kernel counts a second by: on every Linux that we build for.
const PAGE: f64 = 4_096.0;
const TICKS: f64 = 100.0;

#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (name, help, kind, value) in numbers() {
            let Some(value) = value else { continue };
            let metric = encoder.encode_descriptor(name, help, None, kind)?;
            match kind {
                MetricType::Counter => ConstCounter::new(value).encode(metric)?,
                _ => ConstGauge::new(value).encode(metric)?,
            }
        }
        Ok(())
    }
}

type Number = (&'static str, &'static str, MetricType, Option<f64>);

fn numbers() -> [Number; 7] {
    let stat = read("/proc/self/stat");
    // The program's name stands in parentheses and may hold anything; what follows is numbers.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3).and_then(|text| text.parse::<f64>().ok());
    let cpu = field(14).zip(field(15)).map(|(user, system)| (user + system) / TICKS);
    let started = boot().zip(field(22)).map(|(boot, ticks)| boot + ticks / TICKS);
    let files = std::fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as f64);
    [
        ("process_cpu_seconds", "CPU time of this process", MetricType::Counter, cpu),
        ("process_start_time_seconds", "When this process began, since 1970", MetricType::Gauge, started),
        (
            "process_resident_memory_bytes",
            "Memory that it holds",
            MetricType::Gauge,
            field(24).map(|pages| pages * PAGE),
        ),
        ("process_virtual_memory_bytes", "Memory that it may use", MetricType::Gauge, field(23)),
        ("process_threads", "Its threads", MetricType::Gauge, field(20)),
        ("process_open_fds", "Its open file descriptors", MetricType::Gauge, files),
        ("process_max_fds", "How many it may open", MetricType::Gauge, most_files()),
    ]
}

/// How many file descriptors this process may open.
pub(crate) fn most_files() -> Option<f64> {
    let limits = read("/proc/self/limits");
    let line = limits.lines().find(|line| line.starts_with("Max open files"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

/// When the machine started, in seconds since 1970.
fn boot() -> Option<f64> {
    read("/proc/stat").lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
