//! What a prover seat offers, in the one slot that settlement reads.

use crate::MarketId;
use alloy::primitives::U256;
use market_types::{Ask, Capacity, RoundNumber, UnitCost};

/// `cost before (64) | cost (64) | cost from round (32) | free (32) | free before (32) | free from round (32)`, as in
/// `contracts/types/Offer.sol`. Holds a value and the one before it, enough for every round that can still be settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Offer(U256);

impl Offer {
    /// Stands for "no ask" where the contract takes a unit cost, and is no unit cost itself.
    pub const NO_ASK: u64 = u64::MAX;

    /// An offer as the contract returns it.
    #[must_use]
    pub const fn new(slot: U256) -> Self {
        Self(slot)
    }

    /// Unit cost that counts for `round`, in ticks per unit; `None` if the seat does not ask. In a sealed market a cost
    /// counts for the one round that it was committed to.
    #[must_use]
    pub fn cost_at(self, market: MarketId, round: RoundNumber) -> Option<UnitCost> {
        if market.is_sealed() && self.cost_from() != round {
            return None;
        }
        let shift = if round.get() >= self.part(96, 32) { 128 } else { 192 };
        asked(self.part(shift, 64))
    }

    /// Unit cost that was set last, in ticks per unit; `None` if there is none, as in a sealed market before an ask is opened.
    #[must_use]
    pub fn cost(self) -> Option<UnitCost> {
        asked(self.part(128, 64))
    }

    /// The round from which [`Offer::cost`] counts.
    #[must_use]
    pub fn cost_from(self) -> RoundNumber {
        RoundNumber::new(self.part(96, 32))
    }

    /// Capacity without an undelivered task on it, now, in units.
    #[must_use]
    pub fn free(self) -> u64 {
        self.part(64, 32)
    }

    /// Capacity without an undelivered task on it at the close of `round`, in units.
    #[must_use]
    pub fn free_at(self, round: RoundNumber) -> u64 {
        if round.get() >= self.part(0, 32) { self.free() } else { self.part(32, 32) }
    }

    /// The ask with which a seat takes part in `round`, when `change` is what changes its capacity; `None` if it does not.
    #[must_use]
    pub fn ask_at(self, market: MarketId, change: CapacityChange, round: RoundNumber) -> Option<Ask> {
        let free = self.free_at(round).saturating_sub(change.hidden_at(round));
        Some(Ask { cost: self.cost_at(market, round)?, capacity: offered(market, free)? })
    }

    /// `bits` bits from bit `shift` up.
    fn part(self, shift: usize, bits: u32) -> u64 {
        let low = (self.0 >> shift).as_limbs()[0];
        low & (u64::MAX >> (64_u32.saturating_sub(bits)))
    }
}

/// A unit cost as the contract has it, `None` for what stands for "no ask".
pub(crate) fn asked(cost: u64) -> Option<UnitCost> {
    Some(cost).filter(|cost| *cost != Offer::NO_ASK).map(UnitCost::new)
}

/// What a seat offers of `free` units; `None` if it takes no part.
///
/// An assignment exceeds a prover's exact share by less than one task, so a seat offers that much less than it has free,
/// and takes part only if it could still hold the largest task.
pub(crate) fn offered(market: MarketId, free: u64) -> Option<Capacity> {
    let largest = u64::from(market.max_task_size());
    let capacity = free.checked_sub(largest.saturating_sub(1)).filter(|capacity| *capacity >= largest)?;
    Capacity::from_u64(capacity).ok()
}

/// A change of a seat's capacity that has not fully taken effect: `shrinks (1) | units (31) | round (32)`, as in
/// `contracts/types/CapacityChange.sol`. The seat carries the larger of both capacities, and the change hides units of it:
/// those that are added before the round, those that leave from it on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct CapacityChange(u64);

impl CapacityChange {
    /// Most units of a seat.
    pub const MAX_UNITS: u32 = u32::MAX >> 1;

    /// A change as the contract returns it.
    #[must_use]
    pub const fn new(packed: u64) -> Self {
        Self(packed)
    }

    /// By how much the capacity changes (units), 0 if no change waits.
    #[must_use]
    pub const fn units(self) -> u64 {
        (self.0 >> 32) & 0x7fff_ffff
    }

    /// Whether the units leave.
    #[must_use]
    pub const fn shrinks(self) -> bool {
        self.0 >> 63 == 1
    }

    /// First round that the change counts for.
    #[must_use]
    pub const fn round(self) -> RoundNumber {
        RoundNumber::new(self.0 & 0xffff_ffff)
    }

    /// Units of the seat that `round` must not use.
    #[must_use]
    pub fn hidden_at(self, round: RoundNumber) -> u64 {
        if self.shrinks() == (round >= self.round()) { self.units() } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;

    fn offer(
        cost_before: u64,
        cost: u64,
        cost_from: u32,
        free: u32,
        free_before: u32,
        free_from: u32,
    ) -> Offer {
        let parts: [(u64, usize); 6] = [
            (cost_before, 192),
            (cost, 128),
            (cost_from.into(), 96),
            (free.into(), 64),
            (free_before.into(), 32),
            (free_from.into(), 0),
        ];
        Offer(parts.iter().fold(U256::ZERO, |slot, (value, shift)| slot | (U256::from(*value) << *shift)))
    }

    const NO_ASK: u64 = Offer::NO_ASK;
    const NO_CHANGE: CapacityChange = CapacityChange::new(0);

    /// Largest task: 4 units.
    fn market() -> MarketId {
        MarketId::from(B256::from(U256::from(4)))
    }

    fn round(number: u64) -> RoundNumber {
        RoundNumber::new(number)
    }

    #[test]
    fn a_new_value_counts_from_its_round_and_the_old_one_before() {
        let offer = offer(5, 9, 3, 10, 20, 7);
        let costs: Vec<_> = [2, 3, 4].map(|n| offer.cost_at(market(), round(n)).map(UnitCost::get)).into();
        assert_eq!(costs, [Some(5), Some(9), Some(9)]);
        let free: Vec<_> = [6, 7, 8].map(|n| offer.free_at(round(n))).into();
        assert_eq!(free, [20, 10, 10]);
    }

    #[test]
    fn a_seat_without_a_cost_has_no_ask() {
        let offer = offer(5, NO_ASK, 3, 10, 10, 0);
        assert_eq!(offer.cost(), None);
        assert!(offer.ask_at(market(), NO_CHANGE, round(2)).is_some());
        assert_eq!(offer.ask_at(market(), NO_CHANGE, round(3)), None);
    }

    #[test]
    fn a_seat_needs_room_for_a_largest_task_and_the_margin() {
        let with_free = |free| offer(0, 0, 0, free, free, 0).ask_at(market(), NO_CHANGE, round(0));
        assert_eq!(with_free(2), None);
        assert_eq!(with_free(6), None);
        assert_eq!(with_free(7).map(|ask| ask.capacity.get()), Some(4));
        assert_eq!(with_free(u32::MAX).map(|ask| ask.capacity.get()), Some(u32::MAX - 3));
    }

    #[test]
    fn a_sealed_cost_counts_for_its_round_alone() {
        let sealed = MarketId::from(B256::from(U256::from(4 + (1_u64 << 31))));
        let offer = offer(NO_ASK, 9, 3, 10, 10, 0);
        let costs: Vec<_> = [2, 3, 4].map(|n| offer.cost_at(sealed, round(n)).map(UnitCost::get)).into();
        assert_eq!(costs, [None, Some(9), None]);
    }

    #[test]
    fn a_change_hides_what_is_added_before_its_round_and_what_leaves_from_it_on() {
        let grows = CapacityChange::new((5 << 32) | 8);
        let shrinks = CapacityChange::new((1 << 63) | (5 << 32) | 8);
        let hidden = |change: CapacityChange| [7, 8, 9].map(|n| change.hidden_at(round(n)));
        assert_eq!((hidden(grows), hidden(shrinks)), ([5, 0, 0], [0, 5, 5]));
        assert_eq!((shrinks.units(), shrinks.round()), (5, round(8)));
        let offer = offer(1, 1, 0, 12, 12, 0);
        let capacity = |change| offer.ask_at(market(), change, round(8)).map(|ask| ask.capacity.get());
        assert_eq!((capacity(NO_CHANGE), capacity(shrinks)), (Some(9), Some(4)));
    }
}
