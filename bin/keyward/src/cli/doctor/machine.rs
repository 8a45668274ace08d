//! How fast this machine is: a password hash by each way that its processor has, beside the `argon2`
//! crate in the same run; the disk's sync; memory for hashing.

use super::{Finding, memory};
use crate::{config::Config, installation::Installation};
use base::Env;
use passwords::{Hasher, Params, Path, Prepared};
use serde::Serialize;
use std::{
    fmt,
    fs::OpenOptions,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    time::{Duration, Instant},
};

/// Hashes by each way; the fastest counts, since others work on this machine too.
const HASHES: usize = 7;
const SYNCS: usize = 25;
/// A block as the database writes one.
const BLOCK: [u8; 8192] = [0x5a; 8192];
/// A slower sync makes people wait.
const SLOW: f64 = 20.0;
/// MiB that the program needs beside the memory for hashing.
const BESIDE: u64 = 128;

#[derive(Debug, Serialize)]
pub(super) struct Measured {
    /// Memory of a hash in KiB, passes, lanes.
    params: [u32; 3],
    /// Milliseconds of the `argon2` crate, with its memory used again.
    crate_ms: f64,
    hashes: Vec<Hash>,
    /// Milliseconds from a write to its being on the disk: the middle, and the slowest.
    sync_ms: Option<[f64; 2]>,
    /// Threads that hash, MiB of all their arenas, MiB that the machine has left, MiB that this process
    /// may have.
    threads: usize,
    arenas_mib: u64,
    memory_mib: Option<u64>,
    limit_mib: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Hash {
    path: String,
    ms: f64,
    /// Of the time of the crate.
    ratio: f64,
    fastest: bool,
}

pub(super) fn measure(installation: &Installation, config: Option<&Config>) -> Measured {
    let params = Params::DEFAULT;
    let (theirs, ours) = hashes(params);
    let threads = config.map_or(0, |config| config.passwords.threads);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if threads == 0 { cores } else { threads };
    Measured {
        params: [params.m_kib(), params.t(), params.p()],
        crate_ms: ms(theirs),
        hashes: ours
            .into_iter()
            .map(|(path, taken)| Hash {
                path: format!("{path:?}").to_lowercase(),
                ms: ms(taken),
                ratio: taken.as_secs_f64() / theirs.as_secs_f64().max(1e-9),
                fastest: path == Path::fastest(),
            })
            .collect(),
        sync_ms: installation.file.as_deref().and_then(sync),
        threads,
        arenas_mib: (u64::from(params.m_kib()) * threads as u64).div_ceil(1024),
        memory_mib: memory::left(),
        limit_mib: memory::limit(),
    }
}

fn ms(taken: Duration) -> f64 {
    (taken.as_secs_f64() * 1e6).round() / 1e3
}

/// The best time of the crate and of each of our ways, taken in turn.
fn hashes(params: Params) -> (Duration, Vec<(Path, Duration)>) {
    let salt: [u8; 16] = Env::system().bytes();
    let mut ways: Vec<(Path, Hasher, Duration)> = Path::ALL
        .into_iter()
        .filter(|path| path.is_available())
        .map(|path| (path, Hasher::with_path(params, path), Duration::MAX))
        .collect();
    let mut theirs = Theirs::new(params);
    let mut best = Duration::MAX;
    for _ in 0..HASHES {
        best = best.min(timed(|| theirs.hash(&salt)));
        for (_, hasher, taken) in &mut ways {
            let Ok(password) = Prepared::new("correct horse battery") else { continue };
            *taken = (*taken).min(timed(|| drop(hasher.hash(&password, salt, params, None))));
        }
    }
    (best, ways.into_iter().map(|(path, _, taken)| (path, taken)).collect())
}

fn timed(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

/// The `argon2` crate, with its memory used again as ours is.
struct Theirs {
    argon2: Option<argon2::Argon2<'static>>,
    memory: Vec<argon2::Block>,
}

impl Theirs {
    fn new(params: Params) -> Self {
        let known = argon2::Params::new(params.m_kib(), params.t(), params.p(), Some(32)).ok();
        let memory = known.as_ref().map_or(0, argon2::Params::block_count);
        let make = |params| argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        Self { argon2: known.map(make), memory: vec![argon2::Block::default(); memory] }
    }

    fn hash(&mut self, salt: &[u8]) {
        let mut output = [0; 32];
        if let Some(argon2) = &self.argon2 {
            let _ = argon2.hash_password_into_with_memory(
                b"correct horse battery",
                salt,
                &mut output,
                &mut self.memory,
            );
        }
        std::hint::black_box(output);
    }
}

/// Writes and syncs blocks in a file beside the database, and removes it.
fn sync(database: &std::path::Path) -> Option<[f64; 2]> {
    let path = crate::backup::parent(database).join(format!(".doctor-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).ok()?;
    let mut taken: Vec<f64> = (0..SYNCS)
        .filter_map(|_| {
            let began = Instant::now();
            file.write_all(&BLOCK).and_then(|()| file.sync_data()).ok()?;
            Some(ms(began.elapsed()))
        })
        .collect();
    let _ = std::fs::remove_file(&path);
    taken.sort_by(f64::total_cmp);
    Some([*taken.get(taken.len() / 2)?, *taken.last()?])
}

pub(super) fn judge(measured: &Measured) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some([middle, _]) = measured.sync_ms
        && middle > SLOW
    {
        findings.push(Finding::warning(
            "sync",
            format!("the disk takes {middle} ms to make a write last"),
            "use an SSD with power-loss protection; do not switch syncing off",
        ));
    }
    if let Some(limit) = measured.limit_mib
        && limit < measured.arenas_mib + BESIDE
    {
        findings.push(Finding::error(
            "memory",
            format!(
                "this process may have {limit} MiB, and needs up to {}: {} for {} threads that hash, and {BESIDE}",
                measured.arenas_mib + BESIDE,
                measured.arenas_mib,
                measured.threads
            ),
            "raise the limit (MemoryMax=, the container's memory, ulimit -v), or lower passwords.threads: a process beyond it is killed",
        ));
    } else if let Some(memory) = measured.memory_mib
        && memory < measured.arenas_mib + BESIDE
    {
        findings.push(Finding::warning(
            "memory",
            format!("{memory} MiB are left, and hashing takes up to {} MiB", measured.arenas_mib),
            "give the machine more memory, or lower passwords.threads",
        ));
    }
    findings
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [m, t, p] = self.params;
        writeln!(f, "A password hash here (argon2id, m={m} KiB, t={t}, p={p}), best of {HASHES}:")?;
        writeln!(f, "  {:<10} {:>8.2} ms", "argon2 crate", self.crate_ms)?;
        for Hash { path, ms, ratio, fastest } in &self.hashes {
            let used = if *fastest { "  <- used" } else { "" };
            writeln!(f, "  {path:<12} {ms:>8.2} ms  {ratio:.2} of the crate's time{used}")?;
        }
        if let Some([middle, slowest]) = self.sync_ms {
            writeln!(
                f,
                "A write is on the disk after {middle:.2} ms, at the slowest {slowest:.2} ms ({SYNCS} tries)."
            )?;
        }
        let left =
            self.memory_mib.map(|memory| format!("; the machine has {memory} MiB left")).unwrap_or_default();
        let limit =
            self.limit_mib.map(|limit| format!(", this process may have {limit} MiB")).unwrap_or_default();
        writeln!(f, "{} threads hash, in up to {} MiB{left}{limit}.", self.threads, self.arenas_mib)
    }
}
