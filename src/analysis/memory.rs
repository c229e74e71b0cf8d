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

/// Whether there is anything in an exchange to judge or to remember. Everything else need not take the lock.
pub fn concerns(exchange: &Exchange<'_>) -> bool {
    let _ = exchange;
    true
}

/// Which shard an exchange belongs to: the same for every query of one path.
pub fn shard_hash(exchange: &Exchange<'_>) -> u64 {
    let _ = exchange;
    0
}

/// What other shards know of the validators that a 412 was sent for.
#[derive(Clone, Debug, Default)]
pub struct Elsewhere {}

impl Elsewhere {
    /// Whether it is worth asking the other shards before this exchange is judged: a 412 to a request with a tag.
    pub fn is_wanted(exchange: &Exchange<'_>) -> bool {
        let _ = exchange;
        false
    }
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

    /// Adds to `found` what this shard knows of the validators of an exchange that belongs to any shard. The recorder
    /// asks every shard in turn, one short lock after the other, where [`Elsewhere::is_wanted`]; 412s are rare.
    pub const fn elsewhere(&self, exchange: &Exchange<'_>, found: &mut Elsewhere) {
        let _ = (exchange, found, self);
    }

    /// Judges an exchange by what is remembered, then remembers what it shows.
    pub fn observe(&mut self, exchange: &Exchange<'_>, elsewhere: &Elsewhere) -> Judgement {
        let _ = (exchange, self.limits, elsewhere);
        Judgement::default()
    }

    /// Resources remembered.
    pub const fn resources(&self) -> usize {
        0
    }

    /// How many resources have been forgotten to stay within the limits.
    pub const fn evictions(&self) -> u64 {
        0
    }
}
