//! Resources by their key, in the order in which they were last touched, and the ones that share a path.
//!
//! There are three orders: of what was only seen not to be there, of what was only read, of what was written
//! conditionally. Room is made in that sequence, so that a crawler does not push out what 412s will be about.

use std::collections::HashMap;

use super::history::Resource;
use crate::analysis::resource::ResourceKey;
use crate::analysis::time::Time;

/// How many resources of one path are looked at as siblings: the latest.
const SIBLINGS_MAX: usize = 16;

/// What a slot of the table, its indexes included, takes beside the resource.
const OVERHEAD: usize = 160;

const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rank {
    Absent = 0,
    Read = 1,
    Written = 2,
}

#[derive(Debug)]
struct Slot {
    key: u128,
    resource: Resource,
    cost: usize,
    rank: Rank,
    newer: u32,
    older: u32,
}

#[derive(Clone, Copy, Debug)]
struct Order {
    newest: u32,
    oldest: u32,
    length: usize,
}

/// The table.
#[derive(Debug)]
pub(super) struct Table {
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    index: HashMap<u128, u32>,
    paths: HashMap<u128, Vec<u32>>,
    orders: [Order; 3],
    bytes: usize,
}

impl Table {
    pub(super) fn new() -> Self {
        let empty = Order { newest: NONE, oldest: NONE, length: 0 };
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            index: HashMap::new(),
            paths: HashMap::new(),
            orders: [empty; 3],
            bytes: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn find(&self, key: u128) -> Option<&Resource> {
        self.slot(*self.index.get(&key)?).map(|slot| &slot.resource)
    }

    /// The other resources of the same path, the latest first.
    pub(super) fn siblings(&self, key: ResourceKey) -> impl Iterator<Item = &Resource> {
        let group = self.paths.get(&key.path).map_or(&[][..], Vec::as_slice);
        let others = group.iter().rev().filter_map(|at| self.slot(*at));
        others.filter(move |slot| slot.key != key.whole).map(|slot| &slot.resource)
    }

    /// Changes a resource, new if there was none, and makes it the latest. What it takes is counted anew.
    pub(super) fn change<T>(
        &mut self,
        key: ResourceKey,
        now: Time,
        change: impl FnOnce(&mut Resource) -> T,
    ) -> Option<T> {
        let at = match self.index.get(&key.whole) {
            Some(at) => *at,
            None => self.insert(key, now),
        };
        self.unlink(at);
        let slot = self.slots.get_mut(at as usize)?.as_mut()?;
        let changed = change(&mut slot.resource);
        slot.rank = if slot.resource.is_written_conditionally() {
            Rank::Written
        } else if slot.resource.is_only_absent() {
            Rank::Absent
        } else {
            Rank::Read
        };
        let cost = slot.resource.cost() + OVERHEAD;
        self.bytes = (self.bytes + cost).saturating_sub(slot.cost);
        slot.cost = cost;
        self.link(at);
        Some(changed)
    }

    /// Forgets the resource that can best be done without.
    pub(super) fn evict(&mut self) -> bool {
        let [absent, read, written] = self.orders;
        let third = self.len() / 3;
        let victim = if absent.length > third / 2 || (read.length == 0 && written.length == 0) {
            absent.oldest
        } else if read.length > third || written.length == 0 {
            read.oldest
        } else if absent.length > 0 && read.length == 0 {
            absent.oldest
        } else {
            written.oldest
        };
        self.remove(victim)
    }

    fn insert(&mut self, key: ResourceKey, now: Time) -> u32 {
        let slot = Slot {
            key: key.whole,
            resource: Resource::new(key.path, now),
            cost: 0,
            rank: Rank::Absent,
            newer: NONE,
            older: NONE,
        };
        let at = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            // The limit of resources keeps the count far below 2^32.
            (self.slots.len() - 1) as u32
        });
        if let Some(place) = self.slots.get_mut(at as usize) {
            *place = Some(slot);
        }
        self.index.insert(key.whole, at);
        let group = self.paths.entry(key.path).or_default();
        if group.len() >= SIBLINGS_MAX {
            group.remove(0);
        }
        group.push(at);
        self.link(at);
        at
    }

    fn remove(&mut self, at: u32) -> bool {
        self.unlink(at);
        let Some(slot) = self.slots.get_mut(at as usize).and_then(Option::take) else { return false };
        self.free.push(at);
        self.index.remove(&slot.key);
        self.bytes = self.bytes.saturating_sub(slot.cost);
        if let Some(group) = self.paths.get_mut(&slot.resource.path) {
            group.retain(|other| *other != at);
            if group.is_empty() {
                self.paths.remove(&slot.resource.path);
            }
        }
        true
    }

    fn slot(&self, at: u32) -> Option<&Slot> {
        self.slots.get(at as usize)?.as_ref()
    }

    fn slot_mut(&mut self, at: u32) -> Option<&mut Slot> {
        self.slots.get_mut(at as usize)?.as_mut()
    }

    fn order(&mut self, rank: Rank) -> &mut Order {
        let [absent, read, written] = &mut self.orders;
        match rank {
            Rank::Absent => absent,
            Rank::Read => read,
            Rank::Written => written,
        }
    }

    fn link(&mut self, at: u32) {
        let Some(rank) = self.slot(at).map(|slot| slot.rank) else { return };
        let order = self.order(rank);
        let second = order.newest;
        order.newest = at;
        order.length += 1;
        if order.oldest == NONE {
            order.oldest = at;
        }
        if let Some(slot) = self.slot_mut(second) {
            slot.newer = at;
        }
        if let Some(slot) = self.slot_mut(at) {
            (slot.newer, slot.older) = (NONE, second);
        }
    }

    fn unlink(&mut self, at: u32) {
        let Some((rank, newer, older)) = self.slot(at).map(|slot| (slot.rank, slot.newer, slot.older)) else { return };
        if let Some(slot) = self.slot_mut(newer) {
            slot.older = older;
        }
        if let Some(slot) = self.slot_mut(older) {
            slot.newer = newer;
        }
        let order = self.order(rank);
        if order.newest == at {
            order.newest = older;
        }
        if order.oldest == at {
            order.oldest = newer;
        }
        order.length = order.length.saturating_sub(1);
    }
}
