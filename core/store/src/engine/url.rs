//! The address of a database: `sqlite:PATH`, `postgres://…`, or `postgres:///db?host=/socket/folder`.

use super::{DbError, Engine};
use std::{fmt, path::PathBuf, str::FromStr};
use tokio_postgres::config::{Config, Host, SslMode};

/// Where the database is. Its `Debug` and `Display` never show the password.
#[derive(Clone)]
pub struct DbUrl(pub(crate) Place);

#[derive(Clone)]
pub(crate) enum Place {
    Sqlite(PathBuf),
    Postgres(Box<Config>),
}

impl DbUrl {
    /// The SQLite file at this path.
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self(Place::Sqlite(path.into()))
    }

    /// Which engine serves it.
    pub const fn engine(&self) -> Engine {
        match self.0 {
            Place::Sqlite(_) => Engine::Sqlite,
            Place::Postgres(_) => Engine::Postgres,
        }
    }
}

impl FromStr for DbUrl {
    type Err = DbError;

    fn from_str(text: &str) -> Result<Self, DbError> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            if path.is_empty() || path.starts_with(':') {
                return Err(DbError::Url("sqlite: needs the path of a file".to_owned()));
            }
            return Ok(Self::sqlite(path));
        }
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(DbError::Url("it begins with sqlite:, postgres:// or postgresql://".to_owned()));
        }
        let config: Config = text.parse().map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            DbError::Url(format!("{error}: {cause}"))
        })?;
        if config.get_ssl_mode() == SslMode::Require {
            return Err(DbError::Url(
                "TLS to PostgreSQL is not built in yet: use a Unix socket or a private network, \
                 or a local proxy that speaks TLS, without sslmode=require"
                    .to_owned(),
            ));
        }
        Ok(Self(Place::Postgres(Box::new(config))))
    }
}

impl fmt::Display for DbUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Place::Postgres(config) => {
                let host = match config.get_hosts().first() {
                    Some(Host::Tcp(name)) => name.clone(),
                    #[cfg(unix)]
                    Some(Host::Unix(path)) => path.display().to_string(),
                    None => "localhost".to_owned(),
                };
                let user = config.get_user().unwrap_or("?");
                let port = config.get_ports().first().copied().unwrap_or(5432);
                write!(f, "postgres://{user}@{host}:{port}/{}", config.get_dbname().unwrap_or(user))
            }
        }
    }
}

impl fmt::Debug for DbUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_recognised_and_passwords_never_shown() {
        let url: DbUrl = "postgres://kw:hunter2@db.example:5433/keyward".parse().unwrap();
        assert_eq!(format!("{url} {url:?}").matches("hunter2").count(), 0);
        assert_eq!(url.to_string(), "postgres://kw@db.example:5433/keyward");
        assert_eq!("sqlite:/var/k.db".parse::<DbUrl>().unwrap().to_string(), "sqlite:/var/k.db");
        let socket: DbUrl = "postgres:///kw?host=/run/pg&user=kw".parse().unwrap();
        assert_eq!(socket.to_string(), "postgres://kw@/run/pg:5432/kw");
        for bad in [
            "sqlite:",
            "sqlite::memory:",
            "mysql://x",
            "postgres://h/d?sslmode=require",
            "postgres://h/d?no=1",
        ] {
            let error = bad.parse::<DbUrl>().unwrap_err();
            assert!(matches!(error, DbError::Url(_)), "{bad}: {error}");
        }
    }
}
