//! What must not go into production. One function a subject; each problem comes with its fix.

use super::{Config, MailSecurity, Problem};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use work::outbound::{Destination, Exception};

/// All problems of a configuration that could be read.
pub(super) fn problems(config: &Config) -> Vec<Problem> {
    [
        issuer(config),
        exposure(config),
        metrics(config),
        secrets(config),
        files(config),
        database(config),
        mail(config),
        outbound(config),
    ]
    .concat()
}

fn issuer(config: &Config) -> Vec<Problem> {
    const OPTION: &str = "server.issuer";
    const WHY: &str =
        "tokens, cookies and the links in mails are made from it, never from what a request says";
    let issuer = config.server.issuer.as_str();
    if issuer.is_empty() {
        return vec![Problem::error(
            OPTION,
            "missing",
            WHY,
            "set it to the public address, such as https://id.example.com",
        )];
    }
    let (scheme, rest) = issuer.split_once("://").unwrap_or(("", issuer));
    let (authority, _) = rest.split_once('/').unwrap_or((rest, ""));
    if !matches!(scheme, "http" | "https")
        || authority.is_empty()
        || issuer.contains(['?', '#', '@', ' ', '\\'])
    {
        let what = format!("`{issuer}` is not an http or https address without user, query and fragment");
        return vec![Problem::error(
            OPTION,
            what,
            WHY,
            "write it like https://id.example.com or https://example.com/id",
        )];
    }
    if scheme == "http" && !is_loopback_host(host(authority)) {
        let fix = format!("write https://{rest}; let a proxy or server.tls_cert serve it");
        return vec![Problem::error(
            OPTION,
            format!("`{issuer}` is not https"),
            "passwords and sessions would cross the network in the clear, and browsers would not keep our cookies",
            fix,
        )];
    }
    Vec::new()
}

/// The host of `host:port`; IPv6 without its brackets.
fn host(authority: &str) -> &str {
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => authority.split(':').next().unwrap_or(authority),
    }
}

fn is_loopback_host(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn exposure(config: &Config) -> Vec<Problem> {
    let server = &config.server;
    let mut problems = Vec::new();
    if server.tls.is_none() && server.proxies.is_empty() && !server.listen.ip().is_loopback() {
        problems.push(Problem::error(
            "server.listen",
            format!("{} is reachable by others without TLS, and no proxy is named", server.listen),
            "whoever is on the way could read passwords and sessions",
            "give server.tls_cert and server.tls_key, or name the proxy in front with server.proxies, or listen on 127.0.0.1",
        ));
    }
    if server.proxies.iter().any(base::net::Network::is_everything) {
        problems.push(Problem::error(
            "server.proxies",
            "every address is named a proxy",
            "any client could then say that it is another, and escape every limit",
            "name only the networks that your proxies stand in",
        ));
    }
    problems
}

fn metrics(config: &Config) -> Vec<Problem> {
    let listen = config.server.listen;
    match config.server.metrics_listen {
        Some(address) if overlap(address, listen) => {
            vec![Problem::error(
                "server.metrics_listen",
                format!("{address} is taken by server.listen, which is {listen}"),
                "one address cannot be listened on twice",
                "choose another port, or leave it out: /metrics stands beside the pages as well",
            )]
        }
        Some(address) if !address.ip().is_loopback() && config.server.metrics_token.is_none() => {
            vec![Problem::error(
                "server.metrics_listen",
                format!("{address} serves /metrics to everybody"),
                "the counters show how your business goes and whether an attack works",
                "give server.metrics_token, or listen on 127.0.0.1",
            )]
        }
        _ => Vec::new(),
    }
}

/// Whether whoever listens on one of them cannot listen on the other.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    // An unspecified address of IPv6 takes those of IPv4, too.
    let holds = |all: IpAddr, one: IpAddr| all.is_unspecified() && (all.is_ipv6() || one.is_ipv4());
    let (a, b) = (one.ip().to_canonical(), other.ip().to_canonical());
    one.port() != 0 && one.port() == other.port() && (a == b || holds(a, b) || holds(b, a))
}

fn secrets(config: &Config) -> Vec<Problem> {
    if config.root_key.is_some() {
        return Vec::new();
    }
    vec![Problem::error(
        "secrets.root_key",
        "missing",
        "everything secret in the database is sealed under it, and without it nothing can be opened",
        "make one: (umask 077; head -c 32 /dev/urandom | base64 > root.key), and name it with secrets.root_key_file",
    )]
}

fn files(config: &Config) -> Vec<Problem> {
    let tls_key = config.server.tls.as_ref().map(|tls| ("server.tls_key".to_owned(), tls.key.clone()));
    let secret = config.found.secret_files.iter().cloned().chain(tls_key);
    let mut problems: Vec<_> = secret.filter_map(|(option, path)| readable_by_all(&option, &path)).collect();
    let tls = config
        .server
        .tls
        .iter()
        .flat_map(|tls| [("server.tls_cert", &tls.certificate), ("server.tls_key", &tls.key)]);
    let ca = config.mail.ca_file.iter().map(|path| ("mail.ca_file", path));
    for (option, path) in tls.chain(ca) {
        if let Err(error) = std::fs::File::open(path) {
            problems.push(Problem::error(
                option,
                format!("{} cannot be read ({error})", path.display()),
                "the connection cannot be protected without it",
                "check the path and that the server's user may read it",
            ));
        }
    }
    problems
}

fn outbound(config: &Config) -> Vec<Problem> {
    /// Where clouds answer every machine of theirs, with its secrets.
    const METADATA: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254));
    let mut problems = Vec::new();
    let opens = |exception: &&Exception| matches!(&exception.to, Destination::Network(network) if network.contains(METADATA));
    if let Some(exception) = config.outbound.allow.iter().find(opens) {
        problems.push(Problem::warning(
            "outbound.allow",
            format!("{exception} holds {METADATA}"),
            "clouds give the secrets of this machine to whoever asks there, and applications choose what is asked",
            "name only the networks that your applications are in",
        ));
    }
    if let Some(path) = &config.outbound.ca_file {
        let certificates =
            CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let wrong = match certificates {
            Ok(found) if found.is_empty() => Some("holds no certificate".to_owned()),
            Ok(_) => None,
            Err(error) => Some(format!("cannot be read ({error})")),
        };
        problems.extend(wrong.map(|wrong| {
            Problem::error(
                "outbound.ca_file",
                format!("{} {wrong}", path.display()),
                "what these authorities signed would not be trusted",
                "name a PEM file with their certificates that the server's user may read",
            )
        }));
    }
    problems
}

#[cfg(unix)]
fn readable_by_all(option: &str, path: &Path) -> Option<Problem> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o007 != 0).then(|| {
        Problem::error(
            option,
            format!("{} is open to every user of this machine (mode {:03o})", path.display(), mode & 0o777),
            "a secret is in it",
            format!("chmod 600 {}", path.display()),
        )
    })
}

#[cfg(not(unix))]
fn readable_by_all(_: &str, _: &Path) -> Option<Problem> {
    None
}

fn database(config: &Config) -> Vec<Problem> {
    const OPTION: &str = "database.url";
    let url = config.database.expose().as_str();
    if let Some(path) = url.strip_prefix("sqlite:") {
        let within = |folders: &[&str]| folders.iter().any(|folder| Path::new(path).starts_with(folder));
        let vanishing = within(&["/dev/shm", "/run"]);
        if within(&["/tmp", "/var/tmp"]) {
            return vec![Problem::warning(
                OPTION,
                format!("`{url}` is in a folder that machines clean up"),
                "every account would be lost",
                "use a lasting place, such as sqlite:/var/lib/keyward/keyward.db",
            )];
        }
        if path.is_empty() || path.contains(":memory:") || vanishing {
            let what = format!("`{url}` does not outlive a restart of the machine");
            return vec![Problem::error(
                OPTION,
                what,
                "every account would be lost",
                "use a lasting place, such as sqlite:/var/lib/keyward/keyward.db",
            )];
        }
        let folder = crate::backup::parent(Path::new(path));
        if matches!(folder.try_exists(), Ok(false)) {
            let folder = folder.display();
            return vec![Problem::warning(
                OPTION,
                format!("the folder {folder} does not exist"),
                "the server cannot make its database there",
                format!(
                    "make it, owned by the user of the server: install -d -m 0700 -o keyward {folder}; \
                     under systemd StateDirectory= makes it at the start"
                ),
            )];
        }
        return Vec::new();
    }
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        let what = if url.is_empty() { "missing" } else { "neither sqlite: nor postgres://" };
        return vec![Problem::error(
            OPTION,
            what,
            "accounts must be kept somewhere",
            "write sqlite:/var/lib/keyward/keyward.db or postgres://user@host/name",
        )];
    }
    let authority =
        url.split("://").nth(1).and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
    let host = host(authority.rsplit('@').next().unwrap_or_default());
    if !host.is_empty() && !is_loopback_host(host) && !host.starts_with("%2F") {
        return vec![Problem::warning(
            OPTION,
            format!("the database on {host} is reached over a network without TLS"),
            "whoever is on the way can read and change it; what is sealed stays sealed",
            "keep that network private, or put a TLS tunnel or pgbouncer on this machine",
        )];
    }
    Vec::new()
}

fn mail(config: &Config) -> Vec<Problem> {
    let mail = &config.mail;
    let mut problems = Vec::new();
    if mail.host.is_empty() {
        problems.push(Problem::error(
            "mail.host",
            "missing",
            "nobody can register or recover an account without mail",
            "name your SMTP server, such as smtp.example.com",
        ));
    } else if mail.security == MailSecurity::None && !is_loopback_host(&mail.host) {
        problems.push(Problem::error(
            "mail.security",
            "mails leave this machine without TLS",
            "the codes in them open accounts",
            "write starttls or tls",
        ));
    }
    if !mail.from.contains('@') {
        problems.push(Problem::error(
            "mail.from",
            if mail.from.is_empty() { "missing" } else { "not an address" },
            "a mail needs a sender",
            "write for example Example <no-reply@example.com>",
        ));
    }
    if mail.username.is_empty() != mail.password.is_none() {
        let (option, has) = if mail.username.is_empty() {
            ("mail.username", "a password")
        } else {
            ("mail.password", "a user name")
        };
        problems.push(Problem::error(
            option,
            format!("missing beside {has}"),
            "the SMTP server would refuse us",
            "give mail.username and mail.password, or neither",
        ));
    }
    problems
}
