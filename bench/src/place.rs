//! A Keyward of its own: folder, database, configuration, the program as a child process.

use crate::{
    Result,
    host::{self, Meter},
    http::{Connection, HOST, ISSUER, request},
    mail::Mailbox,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer};
use serde_json::Value;
use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use store::{Db, DbUrl, Engine, OpenOptions};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// What a server serves and where.
pub(crate) struct Place {
    /// Its engine.
    pub(crate) engine: Engine,
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The root key of its secrets.
    pub(crate) root_key: [u8; 32],
    /// From start to the first answer that it is ready.
    pub(crate) ready_after: Duration,
    /// What it mailed.
    pub(crate) mailbox: Mailbox,
    /// The address of its database.
    pub(crate) url: String,
    program: PathBuf,
    database: Option<String>,
    /// How to speak TLS with it, if it does.
    pub(crate) tls: Option<TlsConnector>,
    child: Option<Child>,
}

/// How to make a [`Place`].
pub(crate) struct Options<'a> {
    /// The program.
    pub(crate) program: &'a Path,
    /// Below this folder.
    pub(crate) parent: &'a Path,
    /// In this engine.
    pub(crate) engine: Engine,
    /// Whether it speaks TLS.
    pub(crate) tls: bool,
}

impl Place {
    /// An empty database and a server on it, ready.
    ///
    /// # Errors
    /// If the server does not start.
    pub(crate) async fn new(options: Options<'_>) -> Result<Self> {
        let id = std::process::id();
        let (name, what) = match options.engine {
            Engine::Sqlite => (None, "sqlite"),
            Engine::Postgres => {
                (Some(format!("bench_{id}{}", if options.tls { "_tls" } else { "" })), "postgres")
            }
        };
        let folder = options.parent.join(format!("{what}-{id}{}", if options.tls { "-tls" } else { "" }));
        fs::create_dir_all(&folder)?;
        let url = match &name {
            None => format!("sqlite:{}", folder.join("keyward.db").display()),
            Some(name) => {
                let server = store::scratch::server().ok_or("KEYWARD_TEST_POSTGRES names no server")?;
                store::scratch::execute(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                    .await?;
                store::scratch::execute(&server, &format!("CREATE DATABASE {name} TEMPLATE template0"))
                    .await?;
                format!("{}/{name}", server.rsplit_once('/').ok_or("not the address of a database")?.0)
            }
        };
        let mut place = Self {
            engine: options.engine,
            folder,
            address: free_address()?,
            root_key: crate::limits::env().bytes(),
            ready_after: Duration::ZERO,
            mailbox: Mailbox::open().await?,
            program: options.program.to_owned(),
            url,
            database: name,
            tls: None,
            child: None,
        };
        place.configure(options.tls)?;
        place.start().await?;
        Ok(place)
    }

    fn config(&self) -> PathBuf {
        self.folder.join("keyward.toml")
    }

    fn configure(&mut self, tls: bool) -> Result<()> {
        let tls = if tls {
            let made = rcgen::generate_simple_self_signed([HOST.to_owned()])?;
            let (certificate, key) = (self.folder.join("tls.pem"), self.folder.join("tls.key"));
            fs::write(&certificate, made.cert.pem())?;
            fs::write(&key, made.signing_key.serialize_pem())?;
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&key, fs::Permissions::from_mode(0o600))?;
            self.tls = Some(connector(made.cert.der().clone())?);
            format!("tls_cert = {certificate:?}\ntls_key = {key:?}\n")
        } else {
            String::new()
        };
        let (listen, url, port) = (self.address, &self.url, self.mailbox.port);
        let text = format!(
            "[server]\nlisten = \"{listen}\"\nissuer = \"{ISSUER}\"\nproxies = [\"127.0.0.1\"]\n{tls}\n\
             [database]\nurl = \"{url}\"\n\n[log]\nlevel = \"warn\"\n\n\
             [mail]\nhost = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\nfrom = \"Bench <bench@bench.example>\"\n"
        );
        Ok(fs::write(self.config(), text)?)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env("KEYWARD_ROOT_KEY", STANDARD.encode(self.root_key)).stdin(Stdio::null());
        command
    }

    /// Starts the server and waits until it is ready.
    ///
    /// # Errors
    /// If it ends or is not ready within a minute.
    pub(crate) async fn start(&mut self) -> Result<()> {
        let log = fs::File::options().create(true).append(true).open(self.folder.join("server.log"))?;
        let begun = Instant::now();
        let mut command = self.command();
        command.arg("serve").arg("--config").arg(self.config());
        let mut child = command.stdout(log.try_clone()?).stderr(log).spawn()?;
        while !self.is_ready().await {
            if child.try_wait()?.is_some() || begun.elapsed() > Duration::from_secs(60) {
                let _ = child.kill();
                let said = fs::read_to_string(self.folder.join("server.log")).unwrap_or_default();
                return Err(format!("the server did not start:\n{said}").into());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.ready_after = begun.elapsed();
        self.child = Some(child);
        Ok(())
    }

    async fn is_ready(&self) -> bool {
        let asked = request("GET", "/health/ready", "", "");
        let answer = async {
            let stream = TcpStream::connect(self.address).await?;
            match &self.tls {
                None => Connection::over(stream).send(&asked).await,
                Some(tls) => {
                    Connection::over(tls.connect(HOST.try_into()?, stream).await?).send(&asked).await
                }
            }
        };
        answer.await.is_ok_and(|answer| answer.status == 200)
    }

    /// Stops the server.
    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = Command::new("kill").arg(child.id().to_string()).status();
            let _ = child.wait();
        }
    }

    /// The process of the server.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Whose CPU time counts.
    pub(crate) fn meter(&self) -> Meter {
        Meter { server: self.pid(), database: self.database.clone() }
    }

    /// What the server holds in memory, in MiB.
    pub(crate) fn memory(&self) -> f64 {
        host::memory(self.pid())
    }

    /// Runs a command of the program here; gives what it prints.
    ///
    /// # Errors
    /// If it fails, with what it said.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Value> {
        let done =
            self.command().args(arguments).arg("--json").arg("--config").arg(self.config()).output()?;
        if !done.status.success() {
            let said = [done.stdout, done.stderr].concat();
            let said: String = String::from_utf8_lossy(&said).chars().take(500).collect();
            return Err(format!("keyward {arguments:?}: {said}").into());
        }
        Ok(serde_json::from_slice(&done.stdout).unwrap_or(Value::Null))
    }

    /// Brings the default tenant to what `tenant` says.
    ///
    /// # Errors
    /// If `keyward apply` refuses it.
    pub(crate) fn apply(&self, mut tenant: Value) -> Result<()> {
        tenant.as_object_mut().ok_or("a tenant is an object")?.insert("slug".to_owned(), "default".into());
        let file = self.folder.join("apply.yaml");
        fs::write(&file, serde_json::json!({ "tenants": [tenant] }).to_string())?;
        self.run(&["apply", file.to_str().ok_or("a path that is text")?]).map(drop)
    }

    /// The database, beside the running server.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub(crate) async fn open(&self) -> Result<Db> {
        let options = OpenOptions { create: false, lock: false, patience: Duration::from_secs(30) };
        Ok(Db::open(&self.url.parse::<DbUrl>()?, options).await?)
    }

    /// A number that the database gives.
    ///
    /// # Errors
    /// If it cannot be asked.
    pub(crate) async fn count(&self, sql: &'static str) -> Result<i64> {
        let db = self.open().await?;
        let found = db.one::<i64>(sql, Vec::new()).await;
        db.close().await;
        Ok(found?.unwrap_or(0))
    }

    /// Stops the server and removes everything.
    ///
    /// # Errors
    /// If something stays.
    pub(crate) async fn remove(mut self) -> Result<()> {
        self.stop();
        if let (Some(name), Some(server)) = (&self.database, store::scratch::server()) {
            store::scratch::execute(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
        }
        Ok(fs::remove_dir_all(&self.folder)?)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Trusts this certificate alone, and begins every connection anew.
fn connector(certificate: CertificateDer<'static>) -> Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
