//! For tests: a directory with one tenant on an SQLite file of its own, under a clock that the
//! test moves.

use base::{Env, MockClock, SealingKey, SystemRng, Time};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};
use store::{Db, DbUrl, Directory, NewTenant, OpenOptions, Tenant};

static NUMBER: AtomicU32 = AtomicU32::new(0);

pub(crate) const NOW: Time = Time::from_seconds(1_800_000_000);

/// What a test stands on. Its folder goes with it.
pub(crate) struct Place {
    pub(crate) directory: Directory,
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) clock: Arc<MockClock>,
    pub(crate) folder: PathBuf,
}

impl Place {
    pub(crate) async fn new() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("keyward_work_{}_{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let url = DbUrl::sqlite(folder.join("keyward.db"));
        let db = Db::open(&url, OpenOptions::default()).await.unwrap();
        store::migrate(&db, store::MIGRATIONS).await.unwrap();
        let clock = Arc::new(MockClock::at(NOW));
        let env = Env::new(Arc::clone(&clock) as Arc<dyn base::Clock>, Arc::new(SystemRng));
        let directory = Directory::new(db, env, SealingKey::generate(&SystemRng));
        let new = NewTenant {
            slug: "default".to_owned(),
            name: "Example".to_owned(),
            issuer: "https://id.example.com:8443/t/x".to_owned(),
            settings: "{}".to_owned(),
        };
        let tenant = directory.create_tenant(new).await.unwrap();
        Self { directory, tenant, clock, folder }
    }

    pub(crate) fn env(&self) -> &Env {
        self.directory.env()
    }

    pub(crate) fn db(&self) -> &Db {
        self.directory.db()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
