//! The configuration: one file, the environment over it, secrets also from files, everything
//! checked before the server starts. Must not open sockets or databases.
//!
//! [`Config::load`] answers "can it be read", [`Config::check`] "is it safe in production".

mod check;
mod layers;
mod problem;
pub(crate) mod reference;
#[cfg(test)]
mod tests;

pub(crate) use layers::Sources;
pub(crate) use problem::Problem;

use base::Secret;
use base::net::Network;
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use layers::{Given, Layers, setting};
use reference::Kind;
use std::fmt::Display;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use work::outbound::{Exception, Policy};

/// All settings, typed.
#[derive(Debug)]
pub(crate) struct Config {
    /// `[server]`
    pub(crate) server: Server,
    /// `database.url`, empty if not given. A secret, since it may hold a password.
    pub(crate) database: Secret<String>,
    /// `database.erasure_list`
    pub(crate) erasure_list: Option<PathBuf>,
    /// `[traces]`
    pub(crate) traces: Option<Traces>,
    /// `secrets.root_key`
    pub(crate) root_key: Option<Secret<[u8; 32]>>,
    /// `[mail]`
    pub(crate) mail: Mail,
    /// `[outbound]`
    pub(crate) outbound: Policy,
    /// `[log]`
    pub(crate) log: Log,
    /// `[passwords]`
    pub(crate) passwords: Passwords,
    found: Found,
}

/// How the server listens and what its address is.
#[derive(Debug)]
pub(crate) struct Server {
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// The issuer of the first tenant, without a slash at its end; empty if not given.
    pub(crate) issuer: String,
    /// Certificate and key, where the server speaks TLS itself.
    pub(crate) tls: Option<TlsFiles>,
    /// The reverse proxies that are believed.
    pub(crate) proxies: Vec<Network>,
    /// How long the server goes on after it was told to stop.
    pub(crate) shutdown_delay: Duration,
    /// How long requests under way may take when the server stops.
    pub(crate) shutdown: Duration,
    /// Most connections at a time.
    pub(crate) max_connections: usize,
    /// A second address for `/metrics`.
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// What a reader of `/metrics` must know.
    pub(crate) metrics_token: Option<Secret<String>>,
}

/// The files of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    /// The chain, PEM.
    pub(crate) certificate: PathBuf,
    /// The private key, PEM.
    pub(crate) key: PathBuf,
}

/// The SMTP server that takes our mails.
#[derive(Debug)]
pub(crate) struct Mail {
    /// Its name; empty if none was given.
    pub(crate) host: String,
    /// Its port, never 0.
    pub(crate) port: u16,
    /// How the connection is protected.
    pub(crate) security: MailSecurity,
    /// User name, empty for none.
    pub(crate) username: String,
    /// Password.
    pub(crate) password: Option<Secret<String>>,
    /// Sender.
    pub(crate) from: String,
    /// Authority of its certificate, where it is not a public one.
    pub(crate) ca_file: Option<PathBuf>,
}

/// How a connection to the SMTP server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MailSecurity {
    /// Plain greeting, then TLS, required.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// None: this machine only.
    None,
}

/// What is logged and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Log {
    /// The least important level that is written.
    pub(crate) level: tracing::Level,
    /// One JSON object a line, or text for people.
    pub(crate) json: bool,
}

/// Where traces go and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Traces {
    /// The collector, without `/v1/traces`.
    pub(crate) endpoint: String,
    /// The name of this service in them.
    pub(crate) service: String,
    /// Of a hundred requests without a trace of their own, how many are traced.
    pub(crate) percent: u8,
}

/// Password hashing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passwords {
    /// Threads; 0 is one a core.
    pub(crate) threads: usize,
    /// Most work that may wait.
    pub(crate) queue: Duration,
}

/// What loading met on its way, for [`Config::check`].
#[derive(Debug, Default)]
struct Found {
    notes: Vec<Problem>,
    secret_files: Vec<(String, PathBuf)>,
}

impl Config {
    /// Reads and types all settings.
    ///
    /// # Errors
    /// Everything that could not be read, not only the first: unknown names, wrong values,
    /// missing files.
    pub(crate) fn load(sources: &Sources) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::new(sources);
        let mail_security = match reader.text("mail.security").as_str() {
            "tls" => MailSecurity::Tls,
            "none" => MailSecurity::None,
            _ => MailSecurity::StartTls,
        };
        let config = Self {
            server: reader.server(),
            database: reader.secret("database.url").unwrap_or_else(|| Secret::new(String::new())),
            erasure_list: reader.path("database.erasure_list"),
            traces: reader.traces(),
            root_key: reader.root_key(),
            mail: Mail {
                host: reader.text("mail.host"),
                port: match (u16::try_from(reader.number("mail.port")).unwrap_or(0), mail_security) {
                    (0, MailSecurity::StartTls) => 587,
                    (0, MailSecurity::Tls) => 465,
                    (0, MailSecurity::None) => 25,
                    (port, _) => port,
                },
                security: mail_security,
                username: reader.text("mail.username"),
                password: reader.secret("mail.password"),
                from: reader.text("mail.from"),
                ca_file: reader.path("mail.ca_file"),
            },
            outbound: Policy::production(
                reader.list(
                    "outbound.allow",
                    "the guard would have to guess what it may let through",
                    "write each as keys.internal, keys.internal:8443, 10.2.0.0/16 or [fd00::1]:8443",
                ),
                reader.path("outbound.ca_file"),
            ),
            log: Log {
                level: reader.text("log.level").parse().unwrap_or(tracing::Level::INFO),
                json: reader.text("log.format") == "json",
            },
            passwords: Passwords {
                threads: reader.size("passwords.threads"),
                queue: Duration::from_millis(reader.number("passwords.queue_ms")),
            },
            found: Found::default(),
        };
        reader.finish(config)
    }

    /// The files that secrets were read from.
    pub(crate) fn secret_files(&self) -> Vec<&Path> {
        self.found.secret_files.iter().map(|(_, path)| path.as_path()).collect()
    }

    /// Everything that should keep this configuration out of production, errors first.
    pub(crate) fn check(&self) -> Vec<Problem> {
        let mut problems = check::problems(self);
        problems.extend(self.found.notes.iter().cloned());
        problems.sort_by_key(|problem| problem.severity);
        problems
    }
}

/// Takes typed values out of the layers and collects what is wrong with them.
struct Reader {
    layers: Layers,
    found: Found,
}

impl Reader {
    fn new(sources: &Sources) -> Self {
        let mut layers = Layers::of(sources);
        let mut found = Found::default();
        if let (Some((path, _)), Some(key)) = (&sources.file, layers.secrets_inline.first()) {
            found.secret_files.push(((*key).to_owned(), path.clone()));
        }
        let notes = layers.problems.extract_if(.., |problem| !problem.is_error());
        found.notes.extend(notes);
        Self { layers, found }
    }

    fn finish(mut self, config: Config) -> Result<Config, Vec<Problem>> {
        if self.layers.problems.is_empty() {
            return Ok(Config { found: self.found, ..config });
        }
        self.layers.problems.append(&mut self.found.notes);
        Err(self.layers.problems)
    }

    fn server(&mut self) -> Server {
        let tls = match (self.path("server.tls_cert"), self.path("server.tls_key")) {
            (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
            (None, None) => None,
            (certificate, _) => {
                let (has, lacks) =
                    if certificate.is_some() { ("tls_cert", "tls_key") } else { ("tls_key", "tls_cert") };
                self.wrong(
                    &format!("server.{lacks}"),
                    format!("missing beside {has}"),
                    "TLS needs the certificate and its key",
                    format!("give server.{lacks} too, or remove server.{has}"),
                );
                None
            }
        };
        Server {
            listen: self.address("server.listen").unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
            issuer: self.text("server.issuer").trim_end_matches('/').to_owned(),
            tls,
            proxies: self.list(
                "server.proxies",
                "only known proxies may say who the client is",
                "write each as 10.0.0.0/8, 192.0.2.1 or 2001:db8::/32",
            ),
            shutdown_delay: Duration::from_secs(self.number("server.shutdown_delay_seconds")),
            shutdown: Duration::from_secs(self.number("server.shutdown_seconds")),
            max_connections: self.size("server.max_connections"),
            metrics_listen: self.address("server.metrics_listen"),
            metrics_token: self.secret("server.metrics_token"),
        }
    }

    fn traces(&mut self) -> Option<Traces> {
        const OPTION: &str = "traces.endpoint";
        let endpoint = self.text(OPTION).trim_end_matches('/').to_owned();
        let (service, percent) = (self.text("traces.service_name"), self.number("traces.sample_percent"));
        if endpoint.is_empty() {
            return None;
        }
        if collector(&endpoint).is_none() {
            self.wrong(
                OPTION,
                format!("`{endpoint}` is not the http or https address of a collector"),
                "traces could not be sent",
                "write it like http://127.0.0.1:4318; /v1/traces is put behind it",
            );
        }
        Some(Traces { endpoint, service, percent: u8::try_from(percent).unwrap_or(100) })
    }

    fn wrong(&mut self, key: &str, what: impl Into<String>, why: impl Into<String>, fix: impl Into<String>) {
        self.layers.problems.push(Problem::error(key, what, why, fix));
    }

    /// The text given, or the default, or empty. A word that is not among the choices is a problem.
    fn text(&mut self, key: &'static str) -> String {
        let given = match self.layers.given.get(key) {
            Some(Given::Text(text)) => Some(text.trim().to_owned()),
            _ => None,
        };
        let Some(setting) = setting(key) else { return String::new() };
        if let (Kind::Choice(words), Some(text)) = (setting.kind, &given)
            && !words.contains(&text.as_str())
        {
            let fix = format!("write one of {}", words.join(", "));
            self.wrong(
                key,
                format!("`{text}` is not one of the choices"),
                "the server would have to guess",
                fix,
            );
        }
        given.unwrap_or_else(|| setting.default.to_owned())
    }

    fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        Some(self.text(key)).filter(|text| !text.is_empty()).map(PathBuf::from)
    }

    fn number(&mut self, key: &'static str) -> u64 {
        let text = self.text(key);
        let Some(Kind::Number(least, most)) = setting(key).map(|setting| setting.kind) else { return 0 };
        match text.parse() {
            Ok(number) if (least..=most).contains(&number) => number,
            _ => {
                let fix = format!("write a number from {least} to {most}");
                self.wrong(
                    key,
                    format!("`{text}` is not such a number"),
                    "outside this range the server would not work",
                    fix,
                );
                least
            }
        }
    }

    fn size(&mut self, key: &'static str) -> usize {
        usize::try_from(self.number(key)).unwrap_or(usize::MAX)
    }

    fn address(&mut self, key: &'static str) -> Option<SocketAddr> {
        let text = self.text(key);
        if text.is_empty() {
            return None;
        }
        let address = text.replace("localhost:", "127.0.0.1:").parse().ok();
        if address.is_none() {
            self.wrong(
                key,
                format!("`{text}` is not an address and a port"),
                "the server cannot listen there",
                "write for example 127.0.0.1:8080, 0.0.0.0:443 or [::]:443",
            );
        }
        address
    }

    /// The items of a list; for those that cannot be read it says why and how to fix it.
    fn list<T: FromStr<Err: Display>>(&mut self, key: &'static str, why: &str, fix: &str) -> Vec<T> {
        let Some(Given::List(items)) = self.layers.given.get(key).cloned() else { return Vec::new() };
        let mut read = Vec::new();
        for item in items {
            match item.parse() {
                Ok(item) => read.push(item),
                Err(error) => self.wrong(key, format!("`{item}` is {error}"), why, fix),
            }
        }
        read
    }

    /// A secret, from its file if it was given so. The end of line at its end does not count.
    fn secret(&mut self, key: &'static str) -> Option<Secret<String>> {
        match self.layers.given.get(key).cloned()? {
            Given::Text(text) => Some(Secret::new(text)).filter(|secret| !secret.expose().is_empty()),
            Given::List(_) => None,
            Given::File(path) => {
                let secret = self.secret_file(key, &path);
                self.found.secret_files.push((format!("{key}_file"), path));
                secret
            }
        }
    }

    fn secret_file(&mut self, key: &str, path: &Path) -> Option<Secret<String>> {
        let option = format!("{key}_file");
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let whole = Secret::new(text);
                let value = whole.expose().trim_end_matches(['\r', '\n']);
                if value.is_empty() {
                    self.wrong(
                        &option,
                        format!("{} is empty", path.display()),
                        "there is no secret in it",
                        "write the secret into it",
                    );
                    return None;
                }
                Some(Secret::new(value.to_owned()))
            }
            Err(error) => {
                self.wrong(
                    &option,
                    format!("{} cannot be read ({error})", path.display()),
                    "the secret is in it",
                    "check the path and that the server's user may read it",
                );
                None
            }
        }
    }

    fn root_key(&mut self) -> Option<Secret<[u8; 32]>> {
        let text = self.secret("secrets.root_key")?;
        let key = root_key(text.expose());
        if key.is_none() {
            self.wrong(
                "secrets.root_key",
                "not 32 bytes in base64 or hex, or all bytes alike",
                "everything secret in the database is sealed under it",
                "make one: (umask 077; head -c 32 /dev/urandom | base64 > root.key), and name it with secrets.root_key_file",
            );
        }
        key
    }
}

/// The collector as an address that may be asked: its host with the port.
pub(crate) fn collector(endpoint: &str) -> Option<Exception> {
    let uri: http::Uri = endpoint.parse().ok()?;
    let usual = match uri.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        _ => return None,
    };
    if uri.query().is_some() || uri.authority()?.as_str().contains('@') {
        return None;
    }
    format!("{}:{}", uri.host()?, uri.port_u16().unwrap_or(usual)).parse().ok()
}

/// 32 bytes from base64 (either alphabet, padded or not) or 64 hexadecimal digits.
pub(crate) fn root_key(text: &str) -> Option<Secret<[u8; 32]>> {
    let text = text.trim();
    let bytes = if text.len() == 64 { from_hex(text) } else { from_base64(text.trim_end_matches('=')) };
    let key = <[u8; 32]>::try_from(bytes?.as_slice()).ok()?;
    let alike = key.iter().all(|byte| Some(byte) == key.first());
    (!alike).then(|| Secret::new(key))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.last()?)?))
        .collect()
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD_NO_PAD.decode(text).or_else(|_| BASE64_URL_SAFE_NO_PAD.decode(text)).ok()
}
