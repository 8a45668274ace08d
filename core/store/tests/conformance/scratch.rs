//! A database for one test, removed afterwards.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};
use store::{Db, DbUrl, Engine, OpenOptions};
use tokio_postgres::NoTls;

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// The engines that this run can test.
pub(crate) fn engines() -> Vec<Engine> {
    match server() {
        Some(_) => vec![Engine::Sqlite, Engine::Postgres],
        None => vec![Engine::Sqlite],
    }
}

/// The URL of the PostgreSQL server for tests.
pub(crate) fn server() -> Option<String> {
    std::env::var("KEYWARD_TEST_POSTGRES").ok().filter(|url| !url.is_empty())
}

/// Where the database of a test is.
pub(crate) struct Scratch {
    pub(crate) url: String,
    folder: Option<PathBuf>,
    name: String,
}

impl Scratch {
    /// A place of its own for one test.
    pub(crate) async fn new(engine: Engine) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("keyward_test_{}_{number}", std::process::id());
        if engine == Engine::Sqlite {
            let folder = std::env::temp_dir().join(&name);
            std::fs::create_dir_all(&folder).unwrap();
            let url = format!("sqlite:{}", folder.join("keyward.db").display());
            return Self { url, folder: Some(folder), name };
        }
        let server = server().unwrap();
        execute(&server, &format!("DROP DATABASE IF EXISTS {name}")).await;
        execute(&server, &format!("CREATE DATABASE {name} TEMPLATE template0")).await;
        let (address, _) = server.rsplit_once('/').unwrap();
        Self { url: format!("{address}/{name}"), folder: None, name }
    }

    /// Opens it.
    pub(crate) async fn open(&self) -> Db {
        Db::open(&self.parsed(), OpenOptions::default()).await.unwrap()
    }

    /// Its address.
    pub(crate) fn parsed(&self) -> DbUrl {
        self.url.parse().unwrap()
    }

    /// Closes and removes it.
    pub(crate) async fn remove(self, db: Db) {
        db.close().await;
        match self.folder {
            Some(folder) => std::fs::remove_dir_all(folder).unwrap(),
            None => {
                execute(&server().unwrap(), &format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
            }
        }
    }
}

/// Runs a statement on a connection of its own.
pub(crate) async fn execute(url: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
    drop(client);
    driver.await.unwrap().unwrap();
}
