//! What to change before people depend on it, beyond what `config check` refuses.

use super::Finding;
use crate::{config::Config, installation::Installation, observe::process::most_files};
use std::{os::unix::fs::MetadataExt as _, path::Path};

const CHECK: &str = "production";

pub(super) fn look(installation: &Installation, config: Option<&Config>) -> Vec<Finding> {
    let Some(config) = config else {
        return vec![Finding::error(
            CHECK,
            "there is no configuration: this is `keyward dev`, whose mails and codes anybody can read",
            "write a keyward.toml (docs/configuration.md) and run `keyward serve --config keyward.toml`",
        )];
    };
    let mut findings = Vec::new();
    findings.extend(root_key(installation, config));
    findings.extend(erasures(installation));
    findings.extend(server(config));
    if installation.file.is_some() {
        findings.push(Finding::warning(
            CHECK,
            "an embedded database serves one machine, and its backups are yours to make",
            "run `keyward backup` by a timer (deploy/keyward-backup.timer), copy the folders elsewhere, try a restore; or use PostgreSQL with a standby",
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, "nothing to change"));
    }
    findings
}

fn root_key(installation: &Installation, config: &Config) -> Option<Finding> {
    let folder = installation.file.as_deref().map(crate::backup::parent)?;
    let beside = config.secret_files().iter().any(|path| path.starts_with(&folder));
    beside.then(|| {
        Finding::warning(
            CHECK,
            format!("a secret stands in {}, beside the database that it opens", folder.display()),
            "keep the root key elsewhere, such as /etc/keyward, and a copy of it apart from the backups",
        )
    })
}

fn erasures(installation: &Installation) -> Option<Finding> {
    const FIX: &str = "set database.erasure_list to a path on another disk";
    let Some(list) = &installation.erasures else {
        return Some(Finding::warning(
            CHECK,
            "nobody writes down who was deleted: a restore would bring them back",
            FIX,
        ));
    };
    let device =
        |path: &Path| std::fs::metadata(crate::backup::parent(path)).map(|metadata| metadata.dev()).ok();
    let file = installation.file.as_deref()?;
    (device(list) == device(file)).then(|| {
        Finding::warning(
            CHECK,
            "the list of who was deleted is on the disk of the database, and is lost with it",
            FIX,
        )
    })
}

fn server(config: &Config) -> Vec<Finding> {
    let server = &config.server;
    let mut findings = Vec::new();
    if !server.issuer.starts_with("https://") {
        findings.push(Finding::error(
            CHECK,
            format!("the issuer {} is not https", server.issuer),
            "give it a name and a certificate: passkeys, cookies and applications need them",
        ));
    }
    let root = std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0);
    if root {
        findings.push(Finding::warning(
            CHECK,
            "this is run as root",
            "run it as a user of its own, as deploy/keyward.service does",
        ));
    }
    if let Some(most) = most_files()
        && most < server.max_connections as f64 + 200.0
    {
        findings.push(Finding::warning(
            CHECK,
            format!("{most} files may be open, and server.max_connections is {}", server.max_connections),
            "raise LimitNOFILE (systemd) or `ulimit -n`, or lower server.max_connections",
        ));
    }
    if !config.log.json {
        findings.push(Finding::warning(
            CHECK,
            "the log is text for people",
            "set log.format to json for programs",
        ));
    }
    if server.metrics_listen.is_none() && server.metrics_token.is_none() && !server.proxies.is_empty() {
        findings.push(Finding::warning(
            CHECK,
            "nobody can read /metrics",
            "set server.metrics_listen or server.metrics_token, and let Prometheus read it (docs/metrics.md)",
        ));
    }
    findings
}
