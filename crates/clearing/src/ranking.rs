//! User order and prover order: better offers first, equal offers by lower index.

use market_types::{Bid, BidIndex, Round, SeatedAsk, TaskSize, UnitPrice, Units};

/// A bid packed so that the order of integers is user order: complement of the unit fee (64 bits), index
/// (32), size (32).
///
/// Indices differ, so no two keys are equal, and an unstable sort is deterministic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BidKey(u128);

impl BidKey {
    pub(crate) fn new(index: BidIndex, bid: Bid) -> Self {
        let fee = u128::from(!bid.fee.get()) << 64;
        let index = u128::from(index.get()) << 32;
        Self(fee | index | u128::from(bid.size.get()))
    }

    /// The unit fee, as the price that it becomes when this bid is the first left out.
    pub(crate) fn fee(self) -> UnitPrice {
        UnitPrice::new(!low_u64(self.0 >> 64))
    }

    pub(crate) fn index(self) -> u32 {
        low_u32(self.0 >> 32)
    }

    pub(crate) fn size(self) -> Units {
        Units::new(u64::from(low_u32(self.0)))
    }
}

/// The lowest 64 bits.
fn low_u64(bits: u128) -> u64 {
    u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(u64::MAX)
}

/// The lowest 32 bits.
fn low_u32(bits: u128) -> u32 {
    u32::try_from(bits & u128::from(u32::MAX)).unwrap_or(u32::MAX)
}

/// Total size of these bids; exact, as every total over one round.
pub(crate) fn total_size(bids: &[BidKey]) -> Units {
    bids.iter().fold(Units::ZERO, |total, key| total.saturating_add(key.size()))
}

/// All asks, in prover order.
pub(crate) fn rank_asks(round: &Round) -> Vec<SeatedAsk> {
    let mut asks = round.asks().to_vec();
    asks.sort_unstable_by_key(|entry| prover_rank(*entry));
    asks
}

/// Sorts asks into prover order; no two asks of a round have the same.
pub(crate) fn prover_rank(entry: SeatedAsk) -> (market_types::UnitCost, market_types::AskIndex) {
    (entry.ask.cost, entry.seat)
}

/// The asks ranked before `pivot`, in ask-book order.
pub(crate) fn asks_before(round: &Round, pivot: SeatedAsk) -> Vec<SeatedAsk> {
    round.asks().iter().copied().filter(|entry| prover_rank(*entry) < prover_rank(pivot)).collect()
}

/// What `winners` can prove in `round`: their capacity, at most the cap.
pub(crate) fn within_cap(round: &Round, winners: &[SeatedAsk]) -> Units {
    capacity(winners).min(round.cap().into())
}

/// Total capacity.
pub(crate) fn capacity(asks: &[SeatedAsk]) -> Units {
    asks.iter().fold(Units::ZERO, |total, entry| total.saturating_add(entry.ask.capacity.into()))
}

/// Total of task sizes; exact, as every total over one round.
pub(crate) fn plus_task(total: Units, size: TaskSize) -> Units {
    total.saturating_add(size.into())
}
