//! What waits for a hash: known devices before all others, and among each of the two the networks
//! in turn. A full queue makes room for a network that has less waiting than another, so nobody's
//! share depends on how much somebody else sends.
//!
//! No clock and no threads: who calls says what time it is.

#[cfg(test)]
mod tests;

use super::{Caller, Line, Priority};
use base::net::Network;
use std::{collections::VecDeque, time::Instant};

/// What can wait.
pub(super) trait Wait {
    /// Whether somebody still waits for it.
    fn is_wanted(&self) -> bool;
}

/// Items that wait, each until its deadline.
pub(super) struct Queue<T> {
    known: Class<T>,
    others: Class<T>,
}

struct Class<T> {
    /// One for each network that has something waiting; the first is served next.
    lanes: VecDeque<Lane<T>>,
    waiting: usize,
}

struct Lane<T> {
    network: Option<Network>,
    items: VecDeque<(T, Instant)>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { known: Class::default(), others: Class::default() }
    }
}

impl<T> Default for Class<T> {
    fn default() -> Self {
        Self { lanes: VecDeque::new(), waiting: 0 }
    }
}

impl<T: Wait> Queue<T> {
    /// How many wait.
    pub(super) const fn len(&self) -> usize {
        self.known.waiting + self.others.waiting
    }

    /// Lets an item wait until its deadline, unless as many as may are there already and its
    /// network has its share.
    pub(super) fn push(&mut self, caller: Caller, item: (T, Instant), most: usize, now: Instant) -> bool {
        if self.ahead(caller.priority) >= most {
            self.sweep(now);
            let is_full = self.ahead(caller.priority) >= most;
            if is_full && !self.class(caller.priority).displace(caller.network) {
                return false;
            }
        }
        self.class(caller.priority).push(caller.network, item);
        true
    }

    /// Drops what nobody wants any more and what has waited too long.
    pub(super) fn sweep(&mut self, now: Instant) {
        self.known.sweep(now);
        self.others.sweep(now);
    }

    /// Known devices are refused only for known devices before them, so that strangers who fill the
    /// queue do not lock customers out.
    const fn ahead(&self, priority: Priority) -> usize {
        match priority {
            Priority::KnownDevice => self.known.waiting,
            Priority::Other => self.len(),
        }
    }

    /// The next one.
    pub(super) fn take(&mut self) -> Option<T> {
        self.take_known().or_else(|| self.others.take())
    }

    /// The next one of a known device.
    pub(super) fn take_known(&mut self) -> Option<T> {
        self.known.take()
    }

    /// Whether somebody waits whom this line serves.
    pub(super) const fn has(&self, line: Line) -> bool {
        match line {
            Line::All => self.len() > 0,
            Line::Known => self.known.waiting > 0,
        }
    }

    const fn class(&mut self, priority: Priority) -> &mut Class<T> {
        match priority {
            Priority::KnownDevice => &mut self.known,
            Priority::Other => &mut self.others,
        }
    }
}

impl<T: Wait> Class<T> {
    fn push(&mut self, network: Option<Network>, item: (T, Instant)) {
        self.waiting += 1;
        match self.lanes.iter_mut().find(|lane| lane.network == network) {
            Some(lane) => lane.items.push_back(item),
            None => self.lanes.push_back(Lane { network, items: VecDeque::from([item]) }),
        }
    }

    /// Makes room for one of this network: drops the newest of the network that has most waiting, if
    /// that has more than this one would have.
    fn displace(&mut self, network: Option<Network>) -> bool {
        let own = self.lanes.iter().find(|lane| lane.network == network).map_or(0, |lane| lane.items.len());
        let longest = self.lanes.iter_mut().max_by_key(|lane| lane.items.len());
        let Some(lane) = longest.filter(|lane| lane.items.len() > own + 1) else { return false };
        drop(lane.items.pop_back());
        self.waiting -= 1;
        true
    }

    fn sweep(&mut self, now: Instant) {
        for lane in &mut self.lanes {
            lane.items.retain(|(item, deadline)| now <= *deadline && item.is_wanted());
        }
        self.lanes.retain(|lane| !lane.items.is_empty());
        self.waiting = self.lanes.iter().map(|lane| lane.items.len()).sum();
    }

    fn take(&mut self) -> Option<T> {
        let mut lane = self.lanes.pop_front()?;
        let (item, _) = lane.items.pop_front()?;
        self.waiting -= 1;
        if !lane.items.is_empty() {
            self.lanes.push_back(lane);
        }
        Some(item)
    }
}
