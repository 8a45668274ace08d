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

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// Gives back what it does not need, where the system's keeps what a flood once took.
#[global_allocator]
static MEMORY: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
