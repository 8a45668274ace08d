//! Delivery to an SMTP server (RFC 5321): TLS and authentication first, a few connections kept for
//! the next mail, and an end to every wait.
//!
//! What fails before the mail is offered is the connection's trouble (a wrong password, too), and
//! the mail waits. What the server refuses for good once it is offered is the mail's.

use super::{Outgoing, Trouble, compose::compose};
use base::{Error, Secret};
use lettre::{
    message::Mailbox,
    transport::smtp::{
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters},
        extension::ClientId,
    },
};
use std::{
    future::Future,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const KEPT: usize = 4;
const KEPT_FOR: Duration = Duration::from_secs(30);
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// How a connection to the SMTP server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// A plain greeting, then TLS; a server without it gets no mail (RFC 3207).
    StartTls,
    /// TLS from the first byte (RFC 8314).
    Tls,
    /// None: for a server on this machine.
    None,
}

/// Which SMTP server, and how.
#[derive(Clone)]
pub struct SmtpSettings {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// User name and password, if it wants them.
    pub credentials: Option<(String, Secret<String>)>,
    /// The sender: `no-reply@example.com` or `Example <no-reply@example.com>`.
    pub from: String,
    /// The authorities of its certificate (PEM), where they are not the machine's.
    pub ca_file: Option<PathBuf>,
    /// How long connecting, TLS and authentication together may take.
    pub connect_timeout: Duration,
    /// How long one mail may take.
    pub send_timeout: Duration,
}

impl SmtpSettings {
    /// This server with STARTTLS, no credentials, the machine's authorities and usual patience.
    pub fn new(host: impl Into<String>, port: u16, from: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port,
            security: Security::StartTls,
            credentials: None,
            from: from.into(),
            ca_file: None,
            connect_timeout: Duration::from_secs(20),
            send_timeout: Duration::from_secs(60),
        }
    }
}

/// An SMTP server as a transport.
pub struct Smtp {
    settings: SmtpSettings,
    from: Mailbox,
    hello: ClientId,
    credentials: Option<Credentials>,
    tls: Option<TlsParameters>,
    kept: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl Smtp {
    /// Prepares the transport; connects to nobody yet.
    ///
    /// # Errors
    /// Kind `Invalid` if the sender is no address or the authorities cannot be read.
    pub fn new(settings: SmtpSettings) -> Result<Self, Error> {
        let from: Mailbox = settings
            .from
            .parse()
            .map_err(|_| invalid(format!("The sender of mails is not an address: {}", settings.from)))?;
        let hello = ClientId::Domain(from.email.domain().to_owned());
        let credentials = settings
            .credentials
            .as_ref()
            .map(|(user, password)| Credentials::new(user.clone(), password.expose().clone()));
        let tls = match settings.security {
            Security::None => None,
            Security::StartTls | Security::Tls => Some(tls(&settings)?),
        };
        Ok(Self { settings, from, hello, credentials, tls, kept: Mutex::default() })
    }

    pub(super) async fn deliver(&self, mail: &Outgoing<'_>) -> Result<(), Trouble> {
        let letter = compose(&self.from, mail)?;
        let (envelope, bytes) = (letter.envelope(), letter.formatted());
        if mail.message.decoy {
            return Ok(());
        }
        let mut connection = self.connection().await?;
        let send = connection.send(envelope, &bytes);
        match tokio::time::timeout(self.settings.send_timeout, send).await {
            Ok(Ok(_)) => {
                self.keep(connection);
                Ok(())
            }
            Ok(Err(error)) => Err(refusal(&error)),
            Err(_) => Err(Trouble::Later("the server did not answer in time".to_owned())),
        }
    }

    async fn connection(&self) -> Result<AsyncSmtpConnection, Trouble> {
        let begun = Instant::now();
        while let Some(mut kept) = self.take() {
            let left = self.settings.connect_timeout.saturating_sub(begun.elapsed());
            if tokio::time::timeout(left, kept.test_connected()).await == Ok(true) {
                return Ok(kept);
            }
        }
        within(self.settings.connect_timeout, self.connect()).await
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, lettre::transport::smtp::Error> {
        let server = (self.settings.host.as_str(), self.settings.port);
        let implicit = self.tls.clone().filter(|_| self.settings.security == Security::Tls);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, None, &self.hello, implicit, None).await?;
        if let (Security::StartTls, Some(tls)) = (self.settings.security, &self.tls) {
            connection.starttls(tls.clone(), &self.hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(&MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }

    fn take(&self) -> Option<AsyncSmtpConnection> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(_, since)| since.elapsed() < KEPT_FOR);
        kept.pop().map(|(connection, _)| connection)
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT && !connection.has_broken() {
            kept.push((connection, Instant::now()));
        }
    }
}

fn invalid(sentence: String) -> Error {
    Error::new(base::Kind::Invalid, "error-mail-settings", sentence)
}

fn tls(settings: &SmtpSettings) -> Result<TlsParameters, Error> {
    let mut tls = TlsParameters::builder(settings.host.clone());
    if let Some(path) = &settings.ca_file {
        let wrong = |error: String| invalid(format!("The file {} cannot be used: {error}", path.display()));
        let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| wrong(error.to_string()))?;
        tls = tls.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    tls.build().map_err(|error| invalid(format!("TLS to the mail server cannot be prepared: {error}")))
}

/// Whatever fails while connecting is worth another try.
async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, lettre::transport::smtp::Error>>,
) -> Result<T, Trouble> {
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(Trouble::Later(describe(&error))),
        Err(_) => Err(Trouble::Later("the server did not answer in time".to_owned())),
    }
}

/// A permanent refusal (5xx) is the mail's, unless it asks for authentication (RFC 4954, section
/// 6), which is ours to mend. So is an address that needs SMTPUTF8 where the server has none.
fn refusal(error: &lettre::transport::smtp::Error) -> Trouble {
    let ours = error.status().is_some_and(|code| matches!(u16::from(code), 530 | 534 | 535 | 538));
    if (error.is_permanent() && !ours) || error.is_client() {
        Trouble::Never(describe(error))
    } else {
        Trouble::Later(describe(error))
    }
}

/// What the server said, without the addresses that servers like to repeat.
fn describe(error: &lettre::transport::smtp::Error) -> String {
    let text = error.to_string();
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .map(|word| if word.contains('@') { "…" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(200)
        .collect()
}
