//! Measures Keyward: what each operation costs in CPU time, how that compares with what this
//! processor could do, and how long callers wait. `bench/README.md` says how to read it.

mod host;
mod http;
mod load;
mod mail;
mod matrix;
mod people;
mod place;
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
}

fn asked() -> Result<Asked> {
    let mut asked = Asked {
        program: "target/release/keyward".into(),
        folder: std::env::current_dir()?.join("target/bench"),
        only: Vec::new(),
        engines: vec![Engine::Sqlite],
        time: Duration::from_secs(3),
    };
    if store::scratch::server().is_some() {
        asked.engines.push(Engine::Postgres);
    }
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
        match word.as_str() {
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
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        tokio::task::LocalSet::new().block_on(&runtime, matrix::run(&asked()?))
    };
    match run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}
