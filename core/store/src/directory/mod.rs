//! The directory of tenants as a node holds it: configuration in memory, people never.
//!
//! A tenant is loaded once for all waiters, with its keys opened; its applications are added as
//! they are asked for. Every change raises the tenant's version in its own unit; [`Directory::watch`]
//! asks for changed versions every 500 ms, so that a change is in force everywhere within 2 s.
//! Without the database, what is loaded serves for at most five minutes.

mod create;
mod keys;
mod tenant;

pub use create::NewTenant;
pub use tenant::{Application, Mac, PublicKey, Tenant};

use crate::{Db, rows};
use base::{Env, Error, Id, SealingKey, Time, id};
use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tenant::Kept;

const POLL: Duration = Duration::from_millis(500);
const LOOK_BACK: Duration = Duration::from_secs(60);
const SERVE_UNCHECKED: Duration = Duration::from_secs(300);
const ROUTE_LIFE: Duration = Duration::from_secs(2);
const CAPACITY: usize = 4_096;

/// The directory of tenants. Cheap to clone.
#[derive(Clone)]
pub struct Directory {
    shared: Arc<Shared>,
}

struct Shared {
    db: Db,
    env: Env,
    root: SealingKey,
    tenants: RwLock<HashMap<Id<id::Tenant>, Arc<Tenant>>>,
    routes: RwLock<Routes>,
    loading: tokio::sync::Mutex<()>,
    checked_at: AtomicI64,
    /// What was issued before is dead: a backup was put back then.
    valid_from: AtomicI64,
}

/// Which tenant an address led to, if any, and when that was asked.
type Route = (Option<Id<id::Tenant>>, Time);

/// The addresses that were asked for lately.
#[derive(Default)]
struct Routes {
    root: Option<Route>,
    slugs: HashMap<String, Route>,
    issuers: HashMap<String, Route>,
    former_issuers: HashMap<String, Route>,
}

impl Routes {
    fn find(&self, address: Address<'_>) -> Option<Route> {
        match address {
            Address::Root => self.root,
            Address::Slug(slug) => self.slugs.get(slug).copied(),
            Address::Issuer(issuer) => self.issuers.get(issuer).copied(),
            Address::FormerIssuer(issuer) => self.former_issuers.get(issuer).copied(),
        }
    }

    fn keep(&mut self, address: Address<'_>, route: Route) {
        let (known, name) = match address {
            Address::Root => {
                self.root = Some(route);
                return;
            }
            Address::Slug(slug) => (&mut self.slugs, slug),
            Address::Issuer(issuer) => (&mut self.issuers, issuer),
            Address::FormerIssuer(issuer) => (&mut self.former_issuers, issuer),
        };
        if known.len() >= CAPACITY {
            known.clear();
        }
        known.insert(name.to_owned(), route);
    }
}

/// How a tenant is addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address<'a> {
    /// The first tenant, at the root path.
    Root,
    /// `/t/{slug}` on the main host.
    Slug(&'a str),
    /// An issuer: `https://login.example.com`.
    Issuer(&'a str),
    /// An issuer that it once had.
    FormerIssuer(&'a str),
}

impl Directory {
    /// A directory over this database, whose secrets are sealed under `root`.
    pub fn new(db: Db, env: Env, root: SealingKey) -> Self {
        let checked_at = AtomicI64::new(env.now().micros());
        let shared = Shared {
            db,
            env,
            root,
            tenants: RwLock::default(),
            routes: RwLock::default(),
            loading: tokio::sync::Mutex::default(),
            checked_at,
            valid_from: AtomicI64::new(0),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.shared.db
    }

    /// Clock and randomness.
    pub fn env(&self) -> &Env {
        &self.shared.env
    }

    pub(crate) fn root(&self) -> &SealingKey {
        &self.shared.root
    }

    /// Refuses a root key other than the one that sealed what is stored. The first call of an
    /// installation records it.
    ///
    /// # Errors
    /// Kind `Invalid` for another key, `Unavailable` if the store cannot answer.
    pub async fn check_root_key(&self) -> Result<(), Error> {
        const NAME: &str = "root-key";
        let own: String = self.root().id().iter().map(|byte| format!("{byte:02x}")).collect();
        if rows::server::find(self.db(), NAME).await?.is_none() {
            let unit = rows::server::insert(self.env().id(), NAME, &own);
            let _either_of_two_nodes = self.db().commit(unit).await?;
        }
        match rows::server::find(self.db(), NAME).await? {
            Some(stored) if stored == own => self.read_valid_from().await,
            _ => Err(Error::new(
                base::Kind::Invalid,
                "error-root-key",
                "The root key is not the one that this database was sealed with. \
                 Start with the root key of this installation.",
            )),
        }
    }

    /// Reads since when what was issued is good.
    pub(crate) async fn read_valid_from(&self) -> Result<(), Error> {
        let time = crate::backup::valid_from(self.db()).await?;
        self.shared.valid_from.store(time.micros(), Ordering::Relaxed);
        Ok(())
    }

    /// Since when what was issued is good: the moment at which a backup was put back, else 1970.
    /// Sessions and grants from before have another epoch; a token without grant is to be compared.
    pub fn valid_from(&self) -> Time {
        Time::from_micros(self.shared.valid_from.load(Ordering::Relaxed))
    }

    /// The tenant with this id, from memory if its version is known to be current.
    ///
    /// # Errors
    /// Kind `Unavailable` if it must be loaded and the store cannot answer.
    pub async fn tenant(&self, id: Id<id::Tenant>) -> Result<Option<Arc<Tenant>>, Error> {
        match self.remembered(id) {
            Some(tenant) => Ok(Some(tenant)),
            // Seldom, and boxed so that not every request is as large as this.
            None => Box::pin(self.load(id)).await,
        }
    }

    async fn load(&self, id: Id<id::Tenant>) -> Result<Option<Arc<Tenant>>, Error> {
        let _one_at_a_time = self.shared.loading.lock().await;
        if let Some(tenant) = self.remembered(id) {
            return Ok(Some(tenant));
        }
        let Some(row) = rows::tenant::by_id(self.db(), id).await? else { return Ok(None) };
        let kept = Kept {
            keys: rows::key::of_tenant(self.db(), id).await?,
            former_issuers: rows::tenant::former_issuers(self.db(), id).await?,
            catalogue: self.catalogue(id).await?,
        };
        let tenant = Arc::new(Tenant::open(row, kept, self.root(), self.env())?);
        let mut tenants = self.shared.tenants.write().unwrap_or_else(PoisonError::into_inner);
        if tenants.len() >= CAPACITY {
            tenants.clear();
        }
        tenants.insert(id, Arc::clone(&tenant));
        Ok(Some(tenant))
    }

    /// What the tenant declares, as it is stored.
    async fn catalogue(&self, id: Id<id::Tenant>) -> Result<oauth::Catalogue, Error> {
        let servers = rows::resource_server::list(self.db(), id).await?;
        let scopes = rows::scope::list(self.db(), id).await?;
        Ok(oauth::Catalogue {
            servers: servers.iter().map(|row| row.read()).collect::<Result<_, _>>()?,
            scopes: scopes.iter().map(|row| row.read()).collect::<Result<_, _>>()?,
        })
    }

    fn remembered(&self, id: Id<id::Tenant>) -> Option<Arc<Tenant>> {
        let checked = Time::from_micros(self.shared.checked_at.load(Ordering::Relaxed));
        let tenants = self.shared.tenants.read().unwrap_or_else(PoisonError::into_inner);
        let tenant = tenants.get(&id)?;
        let known = checked.max(tenant.loaded_at);
        (self.env().now().since(known) < SERVE_UNCHECKED).then(|| Arc::clone(tenant))
    }

    /// The tenant at this address.
    ///
    /// # Errors
    /// Kind `Unavailable` if the store cannot answer.
    pub async fn resolve(&self, address: Address<'_>) -> Result<Option<Arc<Tenant>>, Error> {
        let id = match self.known_route(address, ROUTE_LIFE) {
            Some(id) => id,
            None => {
                let id = match address {
                    Address::Root => rows::tenant::first(self.db()).await,
                    Address::Slug(slug) => rows::tenant::by_slug(self.db(), slug).await,
                    Address::Issuer(issuer) => rows::tenant::by_issuer(self.db(), issuer).await,
                    Address::FormerIssuer(issuer) => rows::tenant::by_former_issuer(self.db(), issuer).await,
                };
                match id {
                    Ok(id) => self.remember_route(address, id),
                    // A route once known serves on while the database is away.
                    Err(error) => self.known_route(address, SERVE_UNCHECKED).ok_or(error)?,
                }
            }
        };
        match id {
            Some(id) => self.tenant(id).await,
            None => Ok(None),
        }
    }

    fn known_route(&self, address: Address<'_>, life: Duration) -> Option<Option<Id<id::Tenant>>> {
        let (id, at) = self.shared.routes.read().unwrap_or_else(PoisonError::into_inner).find(address)?;
        (self.env().now().since(at) < life).then_some(id)
    }

    fn remember_route(&self, address: Address<'_>, id: Option<Id<id::Tenant>>) -> Option<Id<id::Tenant>> {
        let mut routes = self.shared.routes.write().unwrap_or_else(PoisonError::into_inner);
        routes.keep(address, (id, self.env().now()));
        id
    }

    /// The application with this `client_id`, from memory or the store.
    ///
    /// # Errors
    /// Kind `Unavailable` if the store cannot answer.
    pub async fn application(
        &self,
        tenant: &Tenant,
        client_id: &str,
    ) -> Result<Option<Arc<Application>>, Error> {
        if let Some(known) = tenant.remembered_application(client_id) {
            return Ok(Some(known));
        }
        let Some(row) = rows::application::by_client_id(self.db(), tenant.id, client_id).await? else {
            return Ok(None);
        };
        self.load_application(tenant, row).await.map(Some)
    }

    /// The application with this id, from memory or the store.
    ///
    /// # Errors
    /// Kind `Unavailable` if the store cannot answer.
    pub async fn application_by_id(
        &self,
        tenant: &Tenant,
        id: Id<id::Application>,
    ) -> Result<Option<Arc<Application>>, Error> {
        if let Some(known) = tenant.remembered_application_id(id) {
            return Ok(Some(known));
        }
        let Some(row) = rows::application::by_id(self.db(), tenant.id, id).await? else { return Ok(None) };
        self.load_application(tenant, row).await.map(Some)
    }

    async fn load_application(
        &self,
        tenant: &Tenant,
        row: rows::application::ApplicationRow,
    ) -> Result<Arc<Application>, Error> {
        let secrets = rows::application::secrets(self.db(), tenant.id, row.id).await?;
        let application = Arc::new(Application::open(row, secrets)?);
        tenant.remember_application(&application);
        Ok(application)
    }

    /// The age of the oldest key that signs, among the tenants in memory.
    pub fn oldest_signing_key(&self) -> Duration {
        let now = self.env().now();
        let tenants = self.shared.tenants.read().unwrap_or_else(PoisonError::into_inner);
        let oldest = tenants.values().filter_map(|tenant| tenant.signs_since()).min();
        oldest.map_or(Duration::ZERO, |since| now.since(since))
    }

    /// Drops what is remembered of a tenant, after a change on this node.
    pub fn forget(&self, id: Id<id::Tenant>) {
        self.shared.tenants.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
        *self.shared.routes.write().unwrap_or_else(PoisonError::into_inner) = Routes::default();
    }

    /// Asks for changed versions, and drops tenants whose version is another.
    ///
    /// # Errors
    /// Kind `Unavailable` if the store cannot answer.
    pub async fn refresh(&self, everything: bool) -> Result<(), Error> {
        let now = self.env().now();
        let versions = if everything {
            rows::tenant::versions(self.db()).await?
        } else {
            rows::tenant::changed_since(self.db(), now.minus(LOOK_BACK)).await?
        };
        let stale: Vec<_> = {
            let tenants = self.shared.tenants.read().unwrap_or_else(PoisonError::into_inner);
            let differs = |(id, version): &&(Id<id::Tenant>, i64)| {
                tenants.get(id).is_some_and(|known| known.version != *version)
            };
            versions.iter().filter(differs).map(|(id, _)| *id).collect()
        };
        for id in stale {
            self.forget(id);
        }
        self.shared.checked_at.store(now.micros(), Ordering::Relaxed);
        Ok(())
    }

    /// Keeps the directory current until the program ends: every 500 ms what changed lately, every
    /// 5 minutes everything, since a commit may become visible late.
    pub async fn watch(self) {
        let mut round: u32 = 0;
        loop {
            tokio::time::sleep(POLL).await;
            round = round.wrapping_add(1);
            if let Err(error) = self.refresh(round.is_multiple_of(600)).await {
                tracing::warn!(%error, private = ?error.private, "changed tenants are unknown: the store does not answer");
            }
        }
    }
}
