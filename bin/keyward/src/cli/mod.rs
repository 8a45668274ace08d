//! The command line: what can be typed, and how it ends. People read stderr, programs read stdout;
//! 0 is done, 1 failed, 2 wrong usage or configuration.

mod apply;
mod backup;
mod call;
mod check;
mod commands;
mod dev;
mod doctor;
mod export;
mod migrate;
mod output;
mod reach;
mod restore;
mod server;

use crate::{failure::Failure, installation::Place};
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
    /// Write tenants, applications and users as a file that `apply` reads.
    Export {
        /// The slug of a tenant; without it all of them.
        #[arg(long, value_name = "SLUG")]
        tenant: Option<String>,
        /// People too, with the hashes of their passwords.
        #[arg(long)]
        users: bool,
        /// Applications that registered themselves, too.
        #[arg(long)]
        registered: bool,
        /// Where to write it, in place of the standard output.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
    /// Copy an embedded database, also while a server works on it.
    Backup {
        /// The folder of the copy, which must not be there yet.
        folder: PathBuf,
        #[command(flatten)]
        place: Place,
    },
    /// Put a backup in its place, where no database is.
    Restore(restore::Restore),
    /// Say what is wrong here and how to mend it, and how fast this machine is.
    Doctor(doctor::Doctor),
    /// Manage people.
    #[command(disable_help_flag = true)]
    User(Api),
    /// Manage administrators.
    #[command(disable_help_flag = true)]
    Administrator(Api),
    /// Manage applications.
    #[command(disable_help_flag = true)]
    App(Api),
    /// Manage resource servers.
    #[command(disable_help_flag = true)]
    Resource(Api),
    /// Manage scopes.
    #[command(disable_help_flag = true)]
    Scope(Api),
    /// Manage tenants and their settings.
    #[command(disable_help_flag = true)]
    Tenant(Api),
    /// Manage the templates of pages and mails.
    #[command(disable_help_flag = true)]
    Template(Api),
    /// Manage signing keys and API keys.
    #[command(disable_help_flag = true)]
    Key(Api),
    /// Read and verify the audit trail.
    #[command(disable_help_flag = true)]
    Audit(Api),
    /// Call the admin API as the operator of this machine.
    Call {
        /// `GET`, `POST`, …
        method: String,
        /// Path and query below `/api/v1`.
        path: String,
        /// The body as JSON.
        body: Option<String>,
        /// The slug of the tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
        #[command(flatten)]
        place: Place,
    },
}

/// A command of the admin API.
#[derive(Args)]
struct Api {
    /// What to do: `list`, `show ID`, `create name=value …`; without it you see what there is.
    verb: Option<String>,
    /// Words fill the places of the command, `name=value` its fields.
    arguments: Vec<String>,
    /// The slug of the tenant.
    #[arg(long, default_value = "default")]
    tenant: String,
    /// What there is, or the fields of a verb.
    #[arg(long, short)]
    help: bool,
    #[command(flatten)]
    place: Place,
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
            output::write(crate::config::reference::markdown());
            Ok(())
        }
        Verb::Migrate { place, dry_run } => migrate::run(&place, dry_run, json).await,
        Verb::Apply { file, place, dry_run } => apply::run(&file, &place, dry_run, json).await,
        Verb::Export { tenant, users, registered, out, place } => {
            let selection = ::apply::Selection { tenant, users, registered, json };
            export::run(&place, selection, out.as_deref()).await
        }
        Verb::Backup { folder, place } => backup::run(&folder, &place, json).await,
        Verb::Restore(restore) => restore::run(&restore, json).await,
        Verb::Doctor(doctor) => doctor::run(&doctor, json).await,
        Verb::User(api) => manage("user", &api, json).await,
        Verb::Administrator(api) => manage("administrator", &api, json).await,
        Verb::Template(api) => manage("template", &api, json).await,
        Verb::App(api) => manage("app", &api, json).await,
        Verb::Resource(api) => manage("resource", &api, json).await,
        Verb::Scope(api) => manage("scope", &api, json).await,
        Verb::Tenant(api) => manage("tenant", &api, json).await,
        Verb::Key(api) => manage("key", &api, json).await,
        Verb::Audit(api) => manage("audit", &api, json).await,
        Verb::Call { method, path, body, tenant, place } => {
            let body = call::body(body.as_deref())?;
            call::raw(&place, ::apply::control::Call { tenant, method, path, body }, json).await
        }
    }
}

async fn manage(noun: &str, api: &Api, json: bool) -> Result<(), Failure> {
    let Api { verb, arguments, tenant, help, place } = api;
    let Some(verb) = verb.as_deref().filter(|_| !help) else {
        output::write(commands::help(noun, verb.as_deref())?);
        return Ok(());
    };
    call::run(call::Typed { noun, verb, arguments, tenant, place }, json).await
}
