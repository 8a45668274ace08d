//! How many requests may be on their way, in all and to one host, so that a slow host holds up
//! nobody but its own.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const IN_ALL: usize = 64;
pub(super) const PER_HOST: usize = 8;

pub(super) struct Slots {
    all: Arc<Semaphore>,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// A place among the requests on their way; free again when dropped.
pub(super) struct Slot {
    _host: Option<OwnedSemaphorePermit>,
    _all: Option<OwnedSemaphorePermit>,
}

impl Default for Slots {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(IN_ALL)), hosts: Mutex::default() }
    }
}

impl Slots {
    /// Waits for a place; first among the host's, so that who waits there takes none from others.
    pub(super) async fn take(&self, host: &str) -> Slot {
        // Acquiring fails only on a closed semaphore, and these are never closed.
        let _host = self.host(host).acquire_owned().await.ok();
        let _all = Arc::clone(&self.all).acquire_owned().await.ok();
        Slot { _host, _all }
    }

    fn host(&self, host: &str) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever holds a place or waits for one holds the semaphore too.
        hosts.retain(|_, places| Arc::strong_count(places) > 1);
        Arc::clone(hosts.entry(host.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(PER_HOST))))
    }
}
