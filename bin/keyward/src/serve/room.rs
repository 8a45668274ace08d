//! Room for connections, and for the further requests on one: so many at a time, of them a share for
//! each network, so that one client cannot keep all others out.

use base::net::{Network, network};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The room of a server.
pub(super) struct Room {
    all: Arc<Semaphore>,
    /// Below so many free places, connections are given less time.
    narrow: usize,
    share: usize,
    taken: Mutex<HashMap<Network, usize>>,
}

/// A place that somebody has, given back on drop.
pub(super) struct Place {
    room: Arc<Room>,
    network: Option<Network>,
    _permit: OwnedSemaphorePermit,
}

impl Room {
    /// For so many, of whom one network may be `share`.
    pub(super) fn new(places: usize, share: usize) -> Arc<Self> {
        let places = places.min(Semaphore::MAX_PERMITS);
        let all = Arc::new(Semaphore::new(places));
        Arc::new(Self { all, narrow: places / 4, share, taken: Mutex::default() })
    }

    /// A place if there is one now, also within the share of this client's network.
    pub(super) fn at_once(self: &Arc<Self>, peer: IpAddr, is_proxy: bool) -> Option<Place> {
        let permit = Arc::clone(&self.all).try_acquire_owned().ok()?;
        self.take(permit, peer, is_proxy)
    }

    /// Waits until there is a place for anybody.
    pub(super) async fn free(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.all).acquire_owned().await.ok()
    }

    /// Gives the place to a client; none if its network has its share. A named proxy stands for many
    /// networks and is counted under none.
    pub(super) fn take(
        self: &Arc<Self>,
        permit: OwnedSemaphorePermit,
        peer: IpAddr,
        is_proxy: bool,
    ) -> Option<Place> {
        let network = (!is_proxy).then(|| network(peer));
        if let Some(network) = network {
            let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
            let count = taken.entry(network).or_default();
            if *count >= self.share {
                return None;
            }
            *count += 1;
        }
        Some(Place { room: Arc::clone(self), network, _permit: permit })
    }

    /// Whether few places are left.
    pub(super) fn is_narrow(&self) -> bool {
        self.all.available_permits() < self.narrow
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(network) = self.network else { return };
        let mut taken = self.room.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_network_has_its_share_and_a_proxy_has_what_is_left() {
        let room = Room::new(8, 2);
        let take = async |peer: &str, is_proxy| {
            room.take(room.free().await.unwrap(), peer.parse().unwrap(), is_proxy)
        };
        let first = take("2001:db8::1", false).await.unwrap();
        let _second = take("2001:db8::2", false).await.unwrap();
        assert!(take("2001:db8::3", false).await.is_none(), "one /64 is one client");
        let _other = take("2001:db8:0:1::1", false).await.unwrap();
        assert!(!room.is_narrow());
        let mut proxied = Vec::new();
        for _ in 0..4 {
            proxied.push(take("10.0.0.1", true).await.unwrap());
        }
        assert!(room.is_narrow());
        assert!(room.at_once("2001:db8:0:2::1".parse().unwrap(), false).is_some());
        proxied.push(take("10.0.0.1", true).await.unwrap());
        assert!(room.at_once("2001:db8:0:2::1".parse().unwrap(), false).is_none(), "all are taken");
        drop(first);
        assert!(take("2001:db8::3", false).await.is_some());
        drop((proxied, _second, _other));
        assert!(room.taken.lock().unwrap().is_empty() && !room.is_narrow());
    }
}
