//! What is remembered between exchanges, one shard of it, and the judgement of each exchange against it.

use super::exchange::Exchange;
use super::judgement::Judgement;

/// How much may be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimits {
    /// Resources, in this shard.
    pub resources: usize,
    /// Sightings per resource.
    pub sightings: usize,
    /// Bytes, in this shard, as well as they can be counted.
    pub bytes: usize,
}

/// One shard of the memory. Resources of one path, whatever their query, belong into the same shard: they are siblings.
#[derive(Debug)]
pub struct Memory {
    limits: MemoryLimits,
}

impl Memory {
    /// An empty one.
    pub const fn new(limits: MemoryLimits) -> Self {
        Self { limits }
    }

    /// Judges an exchange by what is remembered, then remembers what it shows.
    pub fn observe(&mut self, exchange: &Exchange<'_>) -> Judgement {
        let _ = (exchange, self.limits);
        Judgement::default()
    }
}
