//! A database for one test, removed afterwards: on SQLite in a folder of its own, on PostgreSQL
//! where `KEYWARD_TEST_POSTGRES` names a server whose role may create databases. Every crate's
//! tests use it, so that each of them runs on both engines.

use crate::{Db, DbError, DbUrl, Engine, OpenOptions};
use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tokio_postgres::NoTls;

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// The engines that this run can test.
#[must_use]
pub fn engines() -> Vec<Engine> {
    match server() {
        Some(_) => vec![Engine::Sqlite, Engine::Postgres],
        None => vec![Engine::Sqlite],
    }
}

/// The address of the PostgreSQL server for tests.
#[must_use]
pub fn server() -> Option<String> {
    std::env::var("KEYWARD_TEST_POSTGRES").ok().filter(|url| !url.is_empty())
}

/// Where the database of a test is.
pub struct Scratch {
    /// Its address, as [`DbUrl`] reads it.
    pub url: String,
    /// A folder for whatever else the test needs.
    pub folder: PathBuf,
    name: String,
    server: Option<String>,
}

impl Scratch {
    /// A place of its own for one test.
    ///
    /// # Errors
    /// If the folder or the database cannot be made.
    pub async fn new(engine: Engine) -> Result<Self, DbError> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let program = std::env::current_exe().ok().and_then(|path| Some(path.file_stem()?.to_owned()));
        let program = program.map(|name| name.to_string_lossy().replace('-', "_")).unwrap_or_default();
        let name = format!("keyward_{program}_{}_{number}", std::process::id());
        let folder = std::env::temp_dir().join(&name);
        std::fs::create_dir_all(&folder).map_err(|error| DbError::Unavailable(error.to_string()))?;
        if engine == Engine::Sqlite {
            let url = format!("sqlite:{}", folder.join("keyward.db").display());
            return Ok(Self { url, folder, name, server: None });
        }
        let missing = || DbError::Url("KEYWARD_TEST_POSTGRES names no server".to_owned());
        let server = server().ok_or_else(missing)?;
        execute(&server, &format!("DROP DATABASE IF EXISTS {name}")).await?;
        execute(&server, &format!("CREATE DATABASE {name} TEMPLATE template0")).await?;
        let (address, _) = server.rsplit_once('/').ok_or_else(missing)?;
        Ok(Self { url: format!("{address}/{name}"), folder, name, server: Some(server) })
    }

    /// Opens it.
    ///
    /// # Errors
    /// As [`Db::open`].
    pub async fn open(&self) -> Result<Db, DbError> {
        // A test does not fail because the machine is busy.
        let options = OpenOptions { patience: Duration::from_secs(30), ..OpenOptions::default() };
        Db::open(&self.url.parse::<DbUrl>()?, options).await
    }

    /// Closes and removes it.
    ///
    /// # Errors
    /// If something of it stays.
    pub async fn remove(self, db: Db) -> Result<(), DbError> {
        db.close().await;
        if let Some(server) = &self.server {
            execute(server, &format!("DROP DATABASE {} WITH (FORCE)", self.name)).await?;
        }
        std::fs::remove_dir_all(self.folder).map_err(|error| DbError::Unavailable(error.to_string()))
    }
}

/// Runs a statement on a connection of its own.
///
/// # Errors
/// If the server refuses it.
pub async fn execute(url: &str, sql: &str) -> Result<(), DbError> {
    let failed = |error: tokio_postgres::Error| DbError::Unavailable(error.to_string());
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(failed)?;
    let driver = tokio::spawn(connection);
    let outcome = client.batch_execute(sql).await.map_err(failed);
    drop(client);
    let _ended = driver.await;
    outcome
}
