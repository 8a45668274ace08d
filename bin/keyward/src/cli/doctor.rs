//! `keyward doctor`: what is wrong with an installation and how to mend it, and how fast this machine
//! is. It changes nothing. Exit code 1 if something is wrong, 2 if the configuration cannot be read.

mod listener;
mod machine;
mod memory;
mod network;
mod place;
mod production;

use super::output;
use crate::{
    config::Config,
    failure::Failure,
    installation::{Installation, Place, load},
};
use clap::Args;
use serde::Serialize;

/// What `keyward doctor` is told.
#[derive(Args)]
pub(crate) struct Doctor {
    /// Say too what to change before people depend on it.
    #[arg(long)]
    production: bool,
    #[command(flatten)]
    place: Place,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warning,
    Error,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    /// What was looked at, a stable name.
    check: &'static str,
    state: State,
    /// What was found.
    what: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, state: State::Ok, what: what.into(), fix: None }
    }

    fn warning(check: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, state: State::Warning, what: what.into(), fix: Some(fix.into()) }
    }

    fn error(check: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { state: State::Error, ..Self::warning(check, what, fix) }
    }
}

pub(super) async fn run(doctor: &Doctor, json: bool) -> Result<(), Failure> {
    let config = doctor.place.config.as_deref().map(load).transpose()?;
    let installation = match &config {
        // What is wrong with the address of the database is one of the findings.
        Some(config) => Installation::configured(config)?,
        None => Installation::of(&doctor.place)?,
    };
    let mut findings = config.as_ref().map(configuration).unwrap_or_default();
    findings.extend(place::look(&installation).await);
    if let Some(config) = &config {
        findings.extend(network::look(config).await);
    }
    if doctor.production {
        findings.extend(production::look(&installation, config.as_ref()));
    }
    let measured = machine::measure(&installation, config.as_ref());
    findings.extend(machine::judge(&measured));
    tell(&findings, &measured, json);
    let errors = findings.iter().filter(|finding| finding.state == State::Error).count();
    match errors {
        0 => Ok(()),
        1 => Err(Failure::failed("One thing is wrong.")),
        many => Err(Failure::failed(format!("{many} things are wrong."))),
    }
}

/// What `keyward config check` says.
fn configuration(config: &Config) -> Vec<Finding> {
    let problems = config.check();
    if problems.is_empty() {
        return vec![Finding::ok("configuration", "nothing wrong with it")];
    }
    let finding = |problem: &crate::config::Problem| {
        let state = if problem.is_error() { State::Error } else { State::Warning };
        let what = format!("{}: {}; {}", problem.option, problem.what, problem.why);
        Finding { check: "configuration", state, what, fix: Some(problem.fix.clone()) }
    };
    problems.iter().map(finding).collect()
}

fn tell(findings: &[Finding], measured: &machine::Measured, json: bool) {
    if json {
        output::line(format_args!("{}", serde_json::json!({ "findings": findings, "machine": measured })));
        return;
    }
    for Finding { check, state, what, fix } in findings {
        let mark = match state {
            State::Ok => "ok     ",
            State::Warning => "warning",
            State::Error => "ERROR  ",
        };
        output::line(format_args!("{mark} {check}: {what}"));
        if let Some(fix) = fix {
            output::line(format_args!("        -> {fix}"));
        }
    }
    output::write(format_args!("\n{measured}"));
}
