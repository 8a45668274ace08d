//! Measures Keyward: what each operation costs in CPU time, how that compares with what this
//! processor could do, and how long callers wait. `bench/README.md` says how to read it.

mod host;
mod http;
mod limits;
mod load;
mod mail;
mod matrix;
mod people;
mod place;
mod report;
mod scale;
mod special;
mod stats;

use std::{path::PathBuf, time::Duration};
use store::Engine;

/// What can go wrong here is told to whoever runs it, and ends the run.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What was asked for.
pub(crate) struct Asked {
    /// The program to measure.
    program: PathBuf,
    /// Where databases are made.
    folder: PathBuf,
    /// Rows to run, such as `B2`; all if empty.
    only: Vec<String>,
    /// Engines.
    engines: Vec<Engine>,
    /// How long each measurement takes.
    time: Duration,
    /// The long form.
    full: bool,
    /// An earlier result to compare with.
    against: Option<PathBuf>,
    /// Where results are kept.
    results: PathBuf,
    /// Whether the store is filled first, and with how many people.
    scale: bool,
    people: usize,
}

fn asked() -> Result<Asked> {
    let mut asked = Asked {
        program: "target/release/keyward".into(),
        folder: std::env::current_dir()?.join("target/bench"),
        only: Vec::new(),
        engines: vec![Engine::Sqlite],
        time: Duration::from_secs(1),
        full: false,
        against: None,
        results: "bench/results".into(),
        scale: false,
        people: 1_000_000,
    };
    if store::scratch::server().is_some() {
        asked.engines.push(Engine::Postgres);
    }
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
        match word.as_str() {
            "scale" => asked.scale = true,
            "--people" => asked.people = value()?.parse()?,
            "--full" => (asked.full, asked.time) = (true, Duration::from_secs(6)),
            "--against" => asked.against = Some(value()?.into()),
            "--program" => asked.program = value()?.into(),
            "--only" => asked.only = value()?.split(',').map(str::to_owned).collect(),
            "--seconds" => asked.time = Duration::from_secs_f64(value()?.parse()?),
            "--engine" => {
                let engine = if value()? == "postgres" { Engine::Postgres } else { Engine::Sqlite };
                asked.engines = vec![engine];
            }
            _ => return Err(format!("unknown: {word}").into()),
        }
    }
    Ok(asked)
}

fn main() -> std::process::ExitCode {
    let run = || -> Result<()> {
        if std::env::args().nth(1).as_deref() == Some("smallest") {
            return limits::smallest_server();
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let asked = asked()?;
        std::fs::create_dir_all(&asked.folder)?;
        std::fs::create_dir_all(&asked.results)?;
        tokio::task::LocalSet::new().block_on(&runtime, async {
            if asked.scale { scale::run(&asked).await } else { matrix::run(&asked).await }
        })
    };
    match run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}
