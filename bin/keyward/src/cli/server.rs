//! `keyward serve`: production, by a configuration file. It refuses what is unsafe, with the fix.

use crate::{
    config::{self, Config, MailSecurity},
    failure::Failure,
    installation::{Installation, load},
    observe::{
        Access,
        traces::{Collector, Recorded, Traces},
    },
    serve::{self, Options},
    wiring::{self, Program},
};
use base::Env;
use std::path::Path;
use work::{HashPool, HashSettings, Security, Smtp, SmtpSettings, Transport};

pub(super) async fn run(path: &Path) -> Result<(), Failure> {
    let config = load(path)?;
    let problems = config.check();
    if problems.iter().any(config::Problem::is_error) {
        return Err(Failure::configuration(&problems));
    }
    let mut exporting = None;
    let mut recording = None;
    if let Some(traces) = &config.traces {
        let (own, recorded) = Traces::new(Env::system(), traces.percent);
        recording = Some(own);
        exporting = Some((recorded, Collector::of(traces, config.outbound.ca_file.clone())?));
    }
    crate::observe::start_log(config.log.level, config.log.json, recording);
    for problem in &problems {
        tracing::warn!(option = problem.option, "{problem}");
    }
    serve(config, exporting).await
}

async fn serve(config: Config, traces: Option<(Recorded, Collector)>) -> Result<(), Failure> {
    let env = Env::system();
    let installation = Installation::configured(&config)?;
    let options = Options::of(&config.server).map_err(|error| Failure::usage(error.to_string()))?;
    match &options.tls {
        Some(certificate) => certificate.reload_on_signal()?,
        None => serve::on_hangup(|| tracing::info!("SIGHUP: there is no certificate to read anew"))?,
    }
    let server = wiring::bind(options)?;
    let directory = wiring::open(&installation, env.clone(), store::OpenOptions::default()).await?;
    wiring::first_tenant(&directory, &config.server.issuer, false).await?;
    let mut settings = HashSettings { queue: config.passwords.queue, ..HashSettings::default() };
    if config.passwords.threads > 0 {
        settings.threads = config.passwords.threads;
    }
    let program = Program {
        installation,
        directory,
        pool: HashPool::start(env, settings)?,
        transport: transport(&config.mail)?,
        proxies: config.server.proxies.clone(),
        issuer: config.server.issuer.clone(),
        access: Access::of(&config.server),
        metrics_listen: config.server.metrics_listen.map(|own| (own, Access::at(own, &config.server))),
        shutdown_delay: config.server.shutdown_delay,
        outbound: config.outbound,
        traces,
        dev: None,
    };
    tracing::info!(listen = %server.address(), issuer = config.server.issuer, "ready to serve");
    wiring::run(program, server).await
}

fn transport(mail: &config::Mail) -> Result<Transport, Failure> {
    let mut settings = SmtpSettings::new(&mail.host, mail.port, &mail.from);
    settings.security = match mail.security {
        MailSecurity::StartTls => Security::StartTls,
        MailSecurity::Tls => Security::Tls,
        MailSecurity::None => Security::None,
    };
    settings.credentials = mail.password.clone().map(|password| (mail.username.clone(), password));
    settings.ca_file = mail.ca_file.clone();
    Ok(Smtp::new(settings)?.into())
}
