//! Where a command works: the database, the root key, and beside an embedded database the socket
//! of the server that holds it.

use crate::{
    backup,
    config::{self, Config, Sources},
    failure::Failure,
};
use base::{Env, SealingKey, Secret};
use clap::Args;
use std::{
    fs,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};
use store::DbUrl;
use zeroize::Zeroizing;

/// The name of the database in a data folder.
const DATABASE: &str = "keyward.db";
const ROOT_KEY: &str = "root.key";
/// The variable that holds the root key.
const ROOT_KEY_VARIABLE: &str = "KEYWARD_ROOT_KEY";

/// Which database a command works on.
#[derive(Args)]
pub(crate) struct Place {
    /// The configuration file of the server.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "database"])]
    pub(crate) config: Option<PathBuf>,
    /// The data folder of `keyward dev`.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The database: sqlite:PATH or postgres://…
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<String>,
}

/// A database with what opens its secrets.
pub(crate) struct Installation {
    pub(crate) database: DbUrl,
    /// The file of an embedded database.
    pub(crate) file: Option<PathBuf>,
    pub(crate) root_key: Option<SealingKey>,
    /// Who was deleted is listed here, outside of the backups.
    pub(crate) erasures: Option<PathBuf>,
    /// The issuer of the first tenant, where a configuration names it.
    pub(crate) issuer: Option<String>,
    /// The data folder that was named.
    data: Option<PathBuf>,
}

impl Installation {
    /// The database of this address.
    pub(crate) fn new(url: &str, root_key: Option<SealingKey>) -> Result<Self, Failure> {
        let database: DbUrl = url.parse()?;
        let file = url.strip_prefix("sqlite:").map(PathBuf::from);
        let erasures = file.as_deref().map(list_beside);
        Ok(Self { database, file, root_key, erasures, issuer: None, data: None })
    }

    /// That of a configuration.
    pub(crate) fn configured(config: &Config) -> Result<Self, Failure> {
        let own = Self::new(config.database.expose(), config.root_key.as_ref().map(sealing_key))?;
        let erasures = config.erasure_list.clone().or(own.erasures);
        Ok(Self { issuer: Some(config.server.issuer.clone()), erasures, ..own })
    }

    /// What a command was told, or the data folder of `dev` in this folder.
    pub(crate) fn of(place: &Place) -> Result<Self, Failure> {
        if let Some(path) = &place.config {
            return Self::configured(&load(path)?);
        }
        let data = place.data.clone().or_else(|| place.database.is_none().then(|| PathBuf::from("data")));
        let url = match (&place.database, &data) {
            (Some(url), _) => url.clone(),
            (None, Some(data)) => database_in(data),
            (None, None) => {
                return Err(Failure::usage("Name the database with --database, --data or --config."));
            }
        };
        let key = match &data {
            Some(data) => read_root_key(data)?.or(environment_root_key()?),
            None => environment_root_key()?,
        };
        if place.data.is_none()
            && let Some(data) = &data
            && !data.exists()
        {
            return Err(Failure::usage(format!(
                "There is no folder {} here. Name the database with --config, --data or --database.",
                data.display()
            )));
        }
        Ok(Self { data, ..Self::new(&url, key)? })
    }

    /// The root key, or why there is none.
    pub(crate) fn root_key(&self) -> Result<SealingKey, Failure> {
        self.root_key.clone().ok_or_else(|| {
            let place = self.data.as_ref().map(|data| format!(" in {}", data.display())).unwrap_or_default();
            Failure::usage(format!(
                "There is no root key{place}, and without it nothing secret in the database opens. \
                 Give --config FILE, or --data DIR of `keyward dev`, or set {ROOT_KEY_VARIABLE}."
            ))
        })
    }

    /// Before an embedded database is made or opened: whether its folder is there.
    ///
    /// # Errors
    /// What to do, if it is not.
    pub(crate) fn check_folder(&self) -> Result<(), Failure> {
        let folder = self.file.as_deref().map(backup::parent);
        // What cannot be looked at is told by whoever opens it.
        let missing = folder.filter(|folder| matches!(folder.try_exists(), Ok(false)));
        let Some(folder) = missing else { return Ok(()) };
        Err(Failure::failed(format!(
            "The folder {0} of the database does not exist. Make it, owned by the user of the server: \
             `install -d -m 0700 -o keyward {0}`.",
            folder.display(),
        )))
    }

    /// The socket of the server that holds an embedded database.
    pub(crate) fn socket(&self) -> Option<PathBuf> {
        self.file.as_deref().map(socket_beside)
    }
}

/// The control socket beside an embedded database.
pub(crate) fn socket_beside(file: &Path) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join("control.sock")
}

/// The erasure list of an embedded database.
fn list_beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".erased");
    name.into()
}

/// The address of the database in a data folder.
pub(crate) fn database_in(data: &Path) -> String {
    format!("sqlite:{}", data.join(DATABASE).display())
}

/// Loads a configuration file with the environment over it.
pub(crate) fn load(path: &Path) -> Result<Config, Failure> {
    let sources = Sources::read(path).map_err(|one| Failure::configuration([&one]))?;
    Config::load(&sources).map_err(|all| Failure::configuration(&all))
}

/// The root key as a key that seals.
pub(crate) fn sealing_key(key: &Secret<[u8; 32]>) -> SealingKey {
    SealingKey::new(Zeroizing::new(*key.expose()))
}

fn environment_root_key() -> Result<Option<SealingKey>, Failure> {
    let Ok(text) = std::env::var(ROOT_KEY_VARIABLE) else { return Ok(None) };
    match config::root_key(&text) {
        Some(key) => Ok(Some(sealing_key(&key))),
        None => Err(Failure::usage(format!(
            "{ROOT_KEY_VARIABLE} is not 32 bytes as base64 or 64 hexadecimal digits."
        ))),
    }
}

fn read_root_key(data: &Path) -> Result<Option<SealingKey>, Failure> {
    let path = data.join(ROOT_KEY);
    let text = match fs::read_to_string(&path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::usage(format!("{} cannot be read: {error}.", path.display()))),
    };
    match config::root_key(&text) {
        Some(key) => Ok(Some(sealing_key(&key))),
        None => Err(Failure::usage(format!("{} does not hold a root key.", path.display()))),
    }
}

/// The root key of a data folder, made with the folder if there is none.
pub(crate) fn make_root_key(data: &Path, env: &Env) -> Result<SealingKey, Failure> {
    let wrong = |what: &Path, error: std::io::Error| {
        Failure::failed(format!("{} cannot be written: {error}.", what.display()))
    };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(|error| wrong(data, error))?;
    if let Some(key) = environment_root_key()? {
        return Ok(key);
    }
    if let Some(key) = read_root_key(data)? {
        return Ok(key);
    }
    let path = data.join(ROOT_KEY);
    let bytes: [u8; 32] = env.bytes();
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    // Whole or not at all: a key that was cut off would lock its database for ever.
    let draft = data.join("root.key.new");
    let written = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft);
    let written = written.and_then(|mut file| {
        writeln!(file, "{text}")?;
        file.sync_all()
    });
    // And for good, before anything is sealed with it: the entry in the folder is on the disk too.
    let entered = |()| fs::rename(&draft, &path).and_then(|()| fs::File::open(data)?.sync_all());
    written.and_then(entered).map_err(|error| wrong(&path, error))?;
    Ok(SealingKey::new(Zeroizing::new(bytes)))
}
