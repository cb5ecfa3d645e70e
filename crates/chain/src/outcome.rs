//! What a settled round decided, as the contract stores it.

use crate::params::mechanism_from_abi;
use alloy::primitives::U256;
use clearing::{Prices, UserPivot};
use market_types::{BidIndex, LotSize, Mechanism, OutOfRange, TaskSize, Ticks, UnitFee, UnitPrice, Units};

/// `mechanism + 1 (8) | pivot fee (64) | pivot index (32) | revenue (104) | units (40)`, taken apart; see
/// `contracts/types/Outcome.sol`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Outcome {
    /// The mechanism that the round was cleared under.
    pub mechanism: Mechanism,
    /// The first bid left out. A bid won if it ranks before it.
    pub pivot: UserPivot,
    /// What all deliveries of the round are paid together (ticks).
    pub revenue: Ticks,
    /// Total size of the batch (units), 0 for a round without a trade.
    pub units: Units,
}

impl Outcome {
    /// An outcome as the contract returns it; `None` before settlement.
    ///
    /// # Errors
    /// [`OutOfRange`] for a mechanism that this program does not know.
    pub fn from_slot(slot: U256) -> Result<Option<Self>, OutOfRange> {
        let part = |shift: usize, bits: u32| {
            let low: u128 = (slot >> shift).wrapping_to();
            low & (u128::MAX >> (128_u32.saturating_sub(bits)))
        };
        let narrow = |shift, bits| u64::try_from(part(shift, bits)).unwrap_or(u64::MAX);
        let Some(mechanism) = narrow(240, 8).checked_sub(1) else { return Ok(None) };
        Ok(Some(Self {
            mechanism: mechanism_from_abi(u8::try_from(mechanism).unwrap_or(u8::MAX))?,
            pivot: UserPivot {
                fee: UnitPrice::new(narrow(176, 64)),
                index: u32::try_from(narrow(144, 32)).unwrap_or(u32::MAX),
            },
            revenue: Ticks::new(part(40, 104)),
            units: Units::new(narrow(0, 40)),
        }))
    }

    /// Whether anything was traded.
    #[must_use]
    pub fn is_trade(&self) -> bool {
        self.units > Units::ZERO
    }

    /// What winners pay and are paid; zeros without a trade.
    #[must_use]
    pub fn prices(&self) -> Prices {
        match self.mechanism {
            _ if !self.is_trade() => Prices::none(self.mechanism),
            Mechanism::AverageFee => Prices::AverageFee { revenue: self.revenue },
            Mechanism::Core => {
                let price = self.revenue.get().checked_div(self.units.get().into()).unwrap_or(0);
                let prover_price = UnitPrice::new(u64::try_from(price).unwrap_or(u64::MAX));
                Prices::Uniform { user_price: self.pivot.fee, prover_price }
            }
        }
    }

    /// Whether a bid with this fee and index won.
    #[must_use]
    pub fn wins(&self, fee: UnitFee, index: BidIndex) -> bool {
        self.pivot.admits(fee, index)
    }

    /// How many of `count` bids at `fee`, of which the first has index `first`, won: as far as they rank before the pivot.
    #[must_use]
    pub fn winners(&self, fee: UnitFee, first: BidIndex, count: LotSize) -> u16 {
        winners(self.pivot, fee, first, count)
    }

    /// What a winning bid pays (ticks): the user price, or its own fee, for each unit.
    #[must_use]
    pub fn charge(&self, fee: UnitFee, size: TaskSize) -> Ticks {
        self.prices().charge(fee, size)
    }

    /// What the delivery of a task of this size is paid (ticks), rounded down.
    #[must_use]
    pub fn pay_down(&self, size: TaskSize) -> Ticks {
        self.prices().pay_down(size, self.units)
    }

    /// What is held for a task until it ends (ticks): what its bid paid, or where requesters pay their own bids, what its
    /// delivery is paid.
    #[must_use]
    pub fn held(&self, fee: UnitFee, size: TaskSize) -> Ticks {
        match self.mechanism {
            Mechanism::Core => self.charge(fee, size),
            Mechanism::AverageFee => self.pay_down(size),
        }
    }

    /// What a bid gets back of what it locked for its task (ticks): all, or a winner what it does not pay.
    #[must_use]
    pub fn refund(&self, fee: UnitFee, size: TaskSize, index: BidIndex) -> Ticks {
        let locked = u128::from(fee.get()).saturating_mul(size.get().into());
        let charge = if self.wins(fee, index) { self.charge(fee, size) } else { Ticks::ZERO };
        Ticks::new(locked.saturating_sub(charge.get()))
    }
}

/// [`Outcome::winners`] for a pivot.
pub(crate) fn winners(pivot: UserPivot, fee: UnitFee, first: BidIndex, count: LotSize) -> u16 {
    let fee = UnitPrice::from(fee);
    if fee != pivot.fee {
        return if fee > pivot.fee { count.get() } else { 0 };
    }
    let before = pivot.index.saturating_sub(first.get());
    u16::try_from(before).unwrap_or(u16::MAX).min(count.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(mechanism: u64, fee: u64, index: u32, revenue: u128, units: u64) -> U256 {
        (U256::from(mechanism + 1) << 240)
            | (U256::from(fee) << 176)
            | (U256::from(index) << 144)
            | (U256::from(revenue) << 40)
            | U256::from(units)
    }

    fn fee(fee: u64) -> UnitFee {
        UnitFee::new(fee).unwrap()
    }

    fn size(units: u32) -> TaskSize {
        TaskSize::new(units).unwrap()
    }

    const FIRST: BidIndex = BidIndex::MIN;

    #[test]
    fn an_outcome_is_taken_apart_at_the_ends_of_every_range() {
        assert_eq!(Outcome::from_slot(U256::ZERO), Ok(None));
        let (revenue, units) = ((1 << 104) - 1, (1 << 40) - 1);
        let outcome = Outcome::from_slot(slot(1, u64::MAX, u32::MAX, revenue, units)).unwrap().unwrap();
        assert_eq!(outcome.mechanism, Mechanism::AverageFee);
        assert_eq!(outcome.pivot, UserPivot { fee: UnitPrice::MAX, index: u32::MAX });
        assert_eq!((outcome.revenue.get(), outcome.units.get()), (revenue, units));
        assert!(Outcome::from_slot(slot(2, 0, 0, 0, 0)).is_err());
    }

    #[test]
    fn under_core_winners_pay_the_first_fee_left_out_and_provers_get_their_price() {
        let outcome = Outcome::from_slot(slot(0, 5, 3, 36, 9)).unwrap().unwrap();
        assert_eq!(outcome.charge(fee(9), size(4)).get(), 20);
        assert_eq!(outcome.held(fee(9), size(4)).get(), 20);
        assert_eq!(outcome.pay_down(size(4)).get(), 16);
        assert_eq!(outcome.refund(fee(9), size(4), FIRST).get(), 16);
        assert_eq!(outcome.refund(fee(4), size(4), FIRST).get(), 16);
    }

    #[test]
    fn under_average_fee_winners_pay_their_bids_and_tasks_hold_their_share() {
        let outcome = Outcome::from_slot(slot(1, 5, 3, 71, 9)).unwrap().unwrap();
        assert_eq!(outcome.charge(fee(9), size(4)).get(), 36);
        assert_eq!((outcome.pay_down(size(4)).get(), outcome.held(fee(9), size(4)).get()), (31, 31));
        assert_eq!(outcome.refund(fee(9), size(4), FIRST).get(), 0);
        assert_eq!(outcome.refund(fee(5), size(4), BidIndex::new(3).unwrap()).get(), 20);
    }

    #[test]
    fn of_a_lot_at_the_pivots_fee_those_before_it_won() {
        let outcome = Outcome::from_slot(slot(0, 5, 103, 36, 9)).unwrap().unwrap();
        let won = |at: u64, first: u32, count: u16| {
            let (index, count) = (BidIndex::new(first).unwrap(), LotSize::new(count).unwrap());
            let won = outcome.winners(fee(at), index, count);
            let one_by_one = (0..u32::from(count.get()))
                .filter(|further| outcome.wins(fee(at), BidIndex::new(first + further).unwrap()));
            assert_eq!(one_by_one.count(), usize::from(won));
            won
        };
        assert_eq!((won(6, 200, 9), won(4, 0, 9)), (9, 0));
        assert_eq!((won(5, 100, 9), won(5, 90, 13), won(5, 103, 1), won(5, 0, 200)), (3, 13, 0, 103));
    }
}
