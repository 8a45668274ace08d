//! A database with a directory and a hashing pool, for one test.

use apply::{Document, Plan, Report};
use base::{Clock, Env, Id, MockClock, SealingKey, SystemRng, Time, id};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use store::{Db, Directory, Engine, MIGRATIONS, Tenant, migrate, rows, scratch::Scratch};
use work::{HashPool, HashSettings};

pub(crate) const ISSUER: &str = "http://127.0.0.1:8080";

const START: Time = Time::from_seconds(1_795_559_795);

/// No application registered itself.
pub(crate) fn registered() -> apply::Registered {
    Arc::new(|_, _| Box::pin(async { Ok(Vec::new()) }))
}

struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Time {
        Time::from_micros(self.0.fetch_add(1_000, Ordering::Relaxed))
    }
}

pub(crate) struct Place {
    pub(crate) directory: Directory,
    pub(crate) pool: HashPool,
    pub(crate) folder: PathBuf,
    scratch: Scratch,
}

impl Place {
    pub(crate) async fn new(engine: Engine) -> Self {
        Self::with_clock(engine, Arc::new(MockClock::at(START))).await
    }

    /// One whose clock goes on by a millisecond whenever it is read, so that ids are in order.
    pub(crate) async fn ticking(engine: Engine) -> Self {
        Self::with_clock(engine, Arc::new(Ticking(START.micros().into()))).await
    }

    async fn with_clock(engine: Engine, clock: Arc<dyn Clock>) -> Self {
        let scratch = Scratch::new(engine).await.unwrap();
        let db = scratch.open().await.unwrap();
        migrate(&db, MIGRATIONS).await.unwrap();
        let env = Env::new(clock, Arc::new(SystemRng));
        let directory = Directory::new(db, env.clone(), SealingKey::generate(&SystemRng));
        let params = passwords::Params::new(64, 1, 1).unwrap();
        let pool =
            HashPool::start(env, HashSettings { threads: 1, params, ..HashSettings::default() }).unwrap();
        Self { directory, pool, folder: scratch.folder.clone(), scratch }
    }

    pub(crate) async fn remove(self) {
        let db = self.db().clone();
        self.scratch.remove(db).await.unwrap();
    }

    pub(crate) fn now(&self) -> Time {
        self.directory.env().now()
    }

    pub(crate) fn db(&self) -> &Db {
        self.directory.db()
    }

    pub(crate) async fn plan(&self, yaml: &str) -> Plan {
        apply::plan(&self.directory, &read(yaml), ISSUER).await.unwrap()
    }

    pub(crate) async fn apply(&self, yaml: &str) -> Report {
        apply::apply(&self.directory, &self.pool, &read(yaml), ISSUER).await.unwrap()
    }

    /// What the file does not fit.
    pub(crate) async fn refuse(&self, yaml: &str) -> String {
        let before = self.events().await.len();
        let planned = apply::plan(&self.directory, &read(yaml), ISSUER).await.unwrap_err();
        let applied = apply::apply(&self.directory, &self.pool, &read(yaml), ISSUER).await.unwrap_err();
        assert_eq!(planned.public, applied.public);
        assert_eq!(applied.kind, base::Kind::Invalid);
        assert_eq!(self.events().await.len(), before, "a refused file changed something");
        planned.public.into_owned()
    }

    pub(crate) async fn tenant(&self, slug: &str) -> Arc<Tenant> {
        let id = rows::tenant::by_slug(self.db(), slug).await.unwrap().unwrap();
        self.directory.forget(id);
        self.directory.tenant(id).await.unwrap().unwrap()
    }

    pub(crate) async fn person(&self, tenant: &Tenant, identifier: &str) -> rows::person::PersonRow {
        let id = self.id_of(tenant, identifier).await.unwrap();
        rows::person::by_id(self.db(), tenant.id, id).await.unwrap().unwrap()
    }

    pub(crate) async fn id_of(&self, tenant: &Tenant, identifier: &str) -> Option<Id<id::Person>> {
        let identifier = base::Identifier::parse(identifier).unwrap();
        let row = rows::identifier::find(self.db(), tenant.id, identifier.kind(), identifier.normal()).await;
        row.unwrap().map(|row| row.person)
    }

    /// Kind and opened data of every event, in the order of their ids.
    pub(crate) async fn events(&self) -> Vec<(String, String)> {
        let mut opened = Vec::new();
        let all: Vec<Stored> = self.db().scan(EVENTS, Vec::new()).await.unwrap();
        for event in all {
            let tenant = self.directory.tenant(event.tenant).await.unwrap().unwrap();
            let key = match event.person {
                Some(person) => {
                    let row = rows::person::by_id(self.db(), tenant.id, person).await.unwrap().unwrap();
                    tenant.person_key(&row).unwrap().unwrap()
                }
                None => tenant.key.clone(),
            };
            let plain = key.open(base::Aad::new(&tenant.id, "event.data", &event.id), &event.data).unwrap();
            opened.push((event.kind, String::from_utf8(plain.to_vec()).unwrap()));
        }
        opened
    }

    /// How many events of each kind there are.
    pub(crate) async fn kinds(&self) -> std::collections::BTreeMap<String, usize> {
        let mut kinds = std::collections::BTreeMap::new();
        for (kind, _) in self.events().await {
            *kinds.entry(kind).or_insert(0) += 1;
        }
        kinds
    }
}

store::row! {
    struct Stored {
        tenant: Id<id::Tenant>,
        id: Id<id::Event>,
        kind: String,
        person: Option<Id<id::Person>>,
        data: Vec<u8>,
    }
}

const EVENTS: &str = "SELECT tenant, id, kind, person, data FROM event ORDER BY id";

pub(crate) fn read(yaml: &str) -> Document {
    Document::parse(yaml).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// What is wrong with a file, a line each.
pub(crate) fn problems(yaml: &str) -> Vec<String> {
    Document::parse(yaml).unwrap_err().iter().map(ToString::to_string).collect()
}
