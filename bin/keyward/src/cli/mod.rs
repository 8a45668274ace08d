//! The command line: what can be typed, and how it ends. People read stderr, programs read stdout;
//! 0 is done, 1 failed, 2 wrong usage or configuration.

mod apply;
mod check;
mod dev;
mod migrate;
mod place;
mod server;

pub(crate) use place::{Installation, socket_beside};

use base::Error;
use clap::{Args, Parser, Subcommand};
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

#[derive(Parser)]
#[command(name = "keyward", version, about = "Customer identity and access management in one program.")]
struct Command {
    /// Print results and errors as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Run for development: an embedded database, a mailbox and demo applications.
    Dev(Dev),
    /// Run in production.
    Serve {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Look at the configuration.
    Config {
        #[command(subcommand)]
        verb: ConfigVerb,
    },
    /// Bring the database to this version of the program.
    Migrate {
        #[command(flatten)]
        place: Place,
        /// Only say what would be done.
        #[arg(long)]
        dry_run: bool,
    },
    /// Bring tenants, applications and users to what a file says.
    Apply {
        /// The YAML file.
        file: PathBuf,
        #[command(flatten)]
        place: Place,
        /// Only say what would change.
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Subcommand)]
enum ConfigVerb {
    /// Say whether the server would start with it, and what is unsafe.
    Check {
        /// The configuration file.
        #[arg(long, default_value = "keyward.toml")]
        config: PathBuf,
    },
    /// Print what can be set, as Markdown.
    Reference,
}

/// Settings of `dev`.
#[derive(Args)]
pub(crate) struct Dev {
    /// Where to listen.
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// The folder of the database, the keys and the mailbox.
    #[arg(long, default_value = "data", value_name = "DIR")]
    data: PathBuf,
    /// The database in place of the embedded one in the data folder.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// The address under which browsers reach it, if a proxy stands in front.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
}

/// Which database a command works on.
#[derive(Args)]
pub(crate) struct Place {
    /// The configuration file of the server.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "database"])]
    config: Option<PathBuf>,
    /// The data folder of `keyward dev`.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The database: sqlite:PATH or postgres://…
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

/// How a command failed.
pub(crate) struct Failure {
    code: u8,
    problems: Vec<serde_json::Value>,
}

impl Failure {
    /// Wrong usage or configuration: exit code 2.
    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self { code: 2, problems: vec![serde_json::json!({ "error": sentence.into() })] }
    }

    /// It was tried and did not work: exit code 1.
    pub(crate) fn failed(sentence: impl Into<String>) -> Self {
        Self { code: 1, ..Self::usage(sentence) }
    }

    /// Several things wrong with what was given: exit code 2.
    pub(crate) fn problems(problems: impl IntoIterator<Item = serde_json::Value>) -> Self {
        Self { code: 2, problems: problems.into_iter().collect() }
    }

    /// What is wrong with a configuration.
    pub(crate) fn configuration<'a>(problems: impl IntoIterator<Item = &'a crate::config::Problem>) -> Self {
        Self::problems(problems.into_iter().map(|problem| {
            let mut object = serde_json::to_value(problem).unwrap_or_default();
            if let Some(object) = object.as_object_mut() {
                object.insert("error".to_owned(), sentence(&problem.what).into());
                object.insert("text".to_owned(), problem.to_string().into());
            }
            object
        }))
    }

    fn print(&self, json: bool) {
        for problem in &self.problems {
            let text = problem.get("text").or(problem.get("error")).and_then(|text| text.as_str());
            match text {
                Some(text) if !json => eprintln!("{text}"),
                _ => {
                    let mut object = problem.clone();
                    object.as_object_mut().map(|object| object.remove("text"));
                    eprintln!("{object}");
                }
            }
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = if matches!(error.kind, base::Kind::Invalid) { 2 } else { 1 };
        let mut problem = serde_json::json!({ "error": error.public, "code": error.code });
        if let (Some(private), Some(map)) = (&error.private, problem.as_object_mut()) {
            let sentence = format!("{} ({private})", error.public);
            map.insert("error".to_owned(), sentence.into());
        }
        Self { code, problems: vec![problem] }
    }
}

impl From<store::DbError> for Failure {
    fn from(error: store::DbError) -> Self {
        let code = if matches!(error, store::DbError::Url(_)) { 2 } else { 1 };
        Self { code, ..Self::usage(sentence(&error.to_string())) }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::failed(sentence(&error.to_string()))
    }
}

/// The text with a capital letter at its beginning and a full stop at its end.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let stop = if text.ends_with('.') { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

/// Runs what was typed.
pub(crate) fn run() -> ExitCode {
    let command = match Command::try_parse() {
        Ok(command) => command,
        Err(error) if error.use_stderr() && std::env::args().any(|argument| argument == "--json") => {
            let failure = Failure::usage(error.to_string().trim_end());
            failure.print(true);
            return ExitCode::from(failure.code);
        }
        Err(error) => error.exit(),
    };
    let outcome = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(perform(command.verb, command.json)),
        Err(error) => Err(Failure::failed(format!("The program cannot start its threads: {error}."))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print(command.json);
            ExitCode::from(failure.code)
        }
    }
}

async fn perform(verb: Verb, json: bool) -> Result<(), Failure> {
    match verb {
        Verb::Dev(dev) => dev::run(dev).await,
        Verb::Serve { config } => server::run(&config).await,
        Verb::Config { verb: ConfigVerb::Check { config } } => check::run(&config, json),
        Verb::Config { verb: ConfigVerb::Reference } => {
            print!("{}", crate::config::reference::markdown());
            Ok(())
        }
        Verb::Migrate { place, dry_run } => migrate::run(&place, dry_run, json).await,
        Verb::Apply { file, place, dry_run } => apply::run(&file, &place, dry_run, json).await,
    }
}
