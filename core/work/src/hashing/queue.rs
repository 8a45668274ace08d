//! What waits for a hash: known devices before all others, and among each of the two the networks
//! in turn. A full queue makes room for a network that has less waiting than another, and where each has
//! one, for one that has had less lately, so nobody's share depends on how much somebody else sends.
//!
//! No clock and no threads: who calls says what time it is.

#[cfg(test)]
mod tests;

use super::{Caller, Line, Priority};
use base::net::Network;
use std::{
    collections::{HashMap, VecDeque},
    time::Instant,
};

/// Items after whose coming what networks have had counts for half.
const LATELY: usize = 1024;

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
    /// How many items of a network were let in lately.
    had: HashMap<Option<Network>, u32>,
    /// How many were let in since that was halved.
    came: usize,
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
        Self { lanes: VecDeque::new(), waiting: 0, had: HashMap::new(), came: 0 }
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

    /// The next one. So many of known devices are left to those who serve nobody else, as long as others wait.
    pub(super) fn take(&mut self, left: usize) -> Option<T> {
        if self.known.waiting <= left && self.others.waiting > 0 {
            return self.others.take();
        }
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
        self.count(network);
        match self.lanes.iter_mut().find(|lane| lane.network == network) {
            Some(lane) => lane.items.push_back(item),
            None => self.lanes.push_back(Lane { network, items: VecDeque::from([item]) }),
        }
    }

    fn count(&mut self, network: Option<Network>) {
        self.came += 1;
        *self.had.entry(network).or_default() += 1;
        if self.came >= LATELY {
            self.came = 0;
            self.had.values_mut().for_each(|had| *had /= 2);
            self.had.retain(|_, had| *had > 0);
        }
    }

    /// Makes room for one of this network: drops the newest of the network that has most waiting, and
    /// of several such the one that had most lately. That has to have more waiting than this one would
    /// have, or, where this one has nothing, to have had more.
    fn displace(&mut self, network: Option<Network>) -> bool {
        let own = self.lanes.iter().find(|lane| lane.network == network).map_or(0, |lane| lane.items.len());
        let had = |network| self.had.get(&network).copied().unwrap_or(0);
        let weight = |lane: &Lane<T>| (lane.items.len(), had(lane.network));
        let Some((most, at)) = (self.lanes.iter().map(weight).zip(0..)).max() else { return false };
        if most.0 <= own + 1 && (own > 0 || most.1 <= had(network) + 1) {
            return false;
        }
        let Some(lane) = self.lanes.get_mut(at) else { return false };
        drop(lane.items.pop_back());
        if lane.items.is_empty() {
            self.lanes.remove(at);
        }
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
