//! What a prover seat offers, in the one slot that settlement reads.

use crate::MarketId;
use alloy::primitives::U256;
use market_types::{Ask, Capacity, RoundNumber, UnitCost};

/// `cost before (64) | cost (64) | cost from round (32) | free (32) | free before (32) | free from round (32)`, as in
/// `contracts/types/Offer.sol`. Holds a value and the one before it, enough for every round that can still be settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Offer(U256);

/// Stands for "no ask".
const NO_ASK: u64 = u64::MAX;

impl Offer {
    /// An offer as the contract returns it.
    #[must_use]
    pub const fn new(slot: U256) -> Self {
        Self(slot)
    }

    /// Unit cost that counts for `round`, in ticks per unit; `None` if the seat does not ask.
    #[must_use]
    pub fn cost_at(self, round: RoundNumber) -> Option<UnitCost> {
        let shift = if round.get() >= self.part(96, 32) { 128 } else { 192 };
        Some(self.part(shift, 64)).filter(|cost| *cost != NO_ASK).map(UnitCost::new)
    }

    /// Unit cost that was set last, in ticks per unit; `None` if the seat left.
    #[must_use]
    pub fn cost(self) -> Option<UnitCost> {
        Some(self.part(128, 64)).filter(|cost| *cost != NO_ASK).map(UnitCost::new)
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

    /// The ask with which the seat takes part in `round`; `None` if it does not.
    ///
    /// An assignment exceeds a prover's exact share by less than one task, so a seat offers that much less than it has
    /// free, and takes part only if it could still hold the largest task.
    #[must_use]
    pub fn ask_at(self, market: MarketId, round: RoundNumber) -> Option<Ask> {
        let cost = self.cost_at(round)?;
        let free = Some(self.free_at(round)).filter(|free| *free >= market.least_capacity())?;
        let margin = u64::from(market.max_task_size()).saturating_sub(1);
        let capacity = Capacity::from_u64(free.saturating_sub(margin)).ok()?;
        Some(Ask { cost, capacity })
    }

    /// `bits` bits from bit `shift` up.
    fn part(self, shift: usize, bits: u32) -> u64 {
        let low = (self.0 >> shift).as_limbs()[0];
        low & (u64::MAX >> (64_u32.saturating_sub(bits)))
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
        let costs: Vec<_> = [2, 3, 4].map(|n| offer.cost_at(round(n)).map(UnitCost::get)).into();
        assert_eq!(costs, [Some(5), Some(9), Some(9)]);
        let free: Vec<_> = [6, 7, 8].map(|n| offer.free_at(round(n))).into();
        assert_eq!(free, [20, 10, 10]);
    }

    #[test]
    fn a_seat_that_left_has_no_ask() {
        let offer = offer(5, NO_ASK, 3, 10, 10, 0);
        assert_eq!(offer.cost(), None);
        assert!(offer.ask_at(market(), round(2)).is_some());
        assert_eq!(offer.ask_at(market(), round(3)), None);
    }

    #[test]
    fn a_seat_needs_room_for_a_largest_task_and_the_margin() {
        let with_free = |free| offer(0, 0, 0, free, free, 0).ask_at(market(), round(0));
        assert_eq!(with_free(2), None);
        assert_eq!(with_free(6), None);
        assert_eq!(with_free(7).map(|ask| ask.capacity.get()), Some(4));
        assert_eq!(with_free(u32::MAX).map(|ask| ask.capacity.get()), Some(u32::MAX - 3));
    }
}
