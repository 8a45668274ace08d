//! Keyward: customer identity and access management in one program.

mod backup;
mod cli;
mod config;
mod failure;
mod installation;
mod observe;
mod serve;
mod tokens;
mod wiring;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
