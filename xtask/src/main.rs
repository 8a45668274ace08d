//! The rules of the house that no compiler checks: `cargo run -p xtask -- all`, or one by name.
//!
//! Each rule reads the [`Project`] and gives its violations as sentences, each with what to do; any
//! violation makes the program end with 1. A rule changes nothing. `bom` prints the bill of materials.

mod bans;
mod bom;
mod deps;
mod docs;
mod licences;
mod project;
mod sizes;
mod source;
mod sql;
mod unsafety;

use project::Project;
use std::process::ExitCode;

/// Why a rule could not be checked at all.
type Failure = Box<dyn std::error::Error>;

/// A rule: its name on the command line, what it keeps, and the check.
struct Rule {
    name: &'static str,
    keeps: &'static str,
    check: fn(&Project) -> Result<Vec<String>, Failure>,
}

const RULES: &[Rule] = &[
    Rule { name: "deps", keeps: "who may depend on whom, and nothing impure in pure/", check: deps::check },
    Rule { name: "bans", keeps: "one TLS stack, one crypto provider, no version twice", check: bans::check },
    Rule { name: "licences", keeps: "every licence is one that we may ship", check: licences::check },
    Rule { name: "sizes", keeps: "no file above 800 lines, tests apart", check: sizes::check },
    Rule { name: "sql", keeps: "SQL where it belongs, a table in one crate only", check: sql::check },
    Rule { name: "unsafe", keeps: "unsafe code in one file only", check: unsafety::check },
    Rule { name: "docs", keeps: "no dead link, and every page in the book", check: docs::check },
];

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if wanted == ["bom"] {
        return match bom::print() {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                eprintln!("xtask: {failure}");
                ExitCode::FAILURE
            }
        };
    }
    let known = |name: &String| name == "all" || RULES.iter().any(|rule| rule.name == name);
    if wanted.is_empty() || !wanted.iter().all(known) {
        return usage();
    }
    match run(&wanted) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(violations) => {
            eprintln!("xtask: {violations} to mend.");
            ExitCode::FAILURE
        }
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Checks the wanted rules; gives the number of violations.
fn run(wanted: &[String]) -> Result<usize, Failure> {
    let project = Project::load()?;
    let mut count = 0;
    for rule in RULES.iter().filter(|rule| wanted.iter().any(|name| name == "all" || name == rule.name)) {
        let violations = (rule.check)(&project)?;
        match violations.len() {
            0 => println!("{}: {}", rule.name, rule.keeps),
            more => eprintln!("{}: {more} violations of: {}", rule.name, rule.keeps),
        }
        violations.iter().for_each(|violation| eprintln!("  {violation}"));
        count += violations.len();
    }
    Ok(count)
}

fn usage() -> ExitCode {
    eprintln!("Usage: cargo run -p xtask -- all, or one or several of:");
    RULES.iter().for_each(|rule| eprintln!("  {:9} {}", rule.name, rule.keeps));
    eprintln!("or alone:\n  bom       print the bill of materials of the program (CycloneDX)");
    ExitCode::from(2)
}
