//! What is added up about bids. `core` needs only their size; `average-fee` also what they pay.

use crate::prices::times;
use market_types::{Ticks, UnitPrice, Units};
use std::ops::RangeInclusive;

/// A sum over bids.
pub(crate) trait Total: Copy + Send + Sync {
    /// What is added up instead where there are many bids.
    type Tally: Tally<Sum = Self>;

    /// The sum over no bids.
    const NOTHING: Self;

    /// What one bid adds.
    fn of(fee: UnitPrice, size: Units) -> Self;

    /// The sum over two sets of bids of one round, which share none. Wraps instead of saturating, which takes longer,
    /// and is exact all the same: less than 2^64 units and 2^128 ticks, see the crate's documentation.
    fn plus(self, other: Self) -> Self;

    /// The total size.
    fn units(self) -> Units;
}

/// Takes less time to add up than a sum, and tells the sum if the fees lie close together.
pub(crate) trait Tally: Copy + Send + Sync {
    /// What it can tell.
    type Sum;

    /// The tally of no bids.
    const NOTHING: Self;

    /// With one bid more.
    fn with(self, fee: UnitPrice, size: Units) -> Self;

    /// The tally of two sets of bids of one round, which share none.
    fn plus(self, other: Self) -> Self;

    /// The sum over these bids, whose fees are all in `borders`; `None` if these are too far apart to tell.
    fn told(self, borders: RangeInclusive<u64>) -> Option<Self::Sum>;
}

impl Total for Units {
    type Tally = Self;

    const NOTHING: Self = Self::ZERO;

    fn of(_fee: UnitPrice, size: Units) -> Self {
        size
    }

    fn plus(self, other: Self) -> Self {
        Self::new(self.get().wrapping_add(other.get()))
    }

    fn units(self) -> Units {
        self
    }
}

/// There is nothing to save.
impl Tally for Units {
    type Sum = Self;

    const NOTHING: Self = Self::ZERO;

    fn with(self, _fee: UnitPrice, size: Units) -> Self {
        Total::plus(self, size)
    }

    fn plus(self, other: Self) -> Self {
        Total::plus(self, other)
    }

    fn told(self, _borders: RangeInclusive<u64>) -> Option<Self> {
        Some(self)
    }
}

/// Total size, and the sum of `fee * size`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sales {
    pub(crate) units: Units,
    pub(crate) revenue: Ticks,
}

impl Total for Sales {
    type Tally = SalesTally;

    const NOTHING: Self = Self { units: Units::ZERO, revenue: Ticks::ZERO };

    fn of(fee: UnitPrice, size: Units) -> Self {
        Self { units: size, revenue: times(fee, size) }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            units: Units::new(self.units.get().wrapping_add(other.units.get())),
            revenue: Ticks::new(self.revenue.get().wrapping_add(other.revenue.get())),
        }
    }

    fn units(self) -> Units {
        self.units
    }
}

/// Total size, and the sum of `fee * size` modulo 2^64: one word to multiply and to add for a bid, and not two.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SalesTally {
    units: Units,
    ticks: u64,
}

impl Tally for SalesTally {
    type Sum = Sales;

    const NOTHING: Self = Self { units: Units::ZERO, ticks: 0 };

    fn with(self, fee: UnitPrice, size: Units) -> Self {
        self.plus(Self { units: size, ticks: fee.get().wrapping_mul(size.get()) })
    }

    fn plus(self, other: Self) -> Self {
        Self { units: Total::plus(self.units, other.units), ticks: self.ticks.wrapping_add(other.ticks) }
    }

    /// What is paid above the lowest fee is at most `(high - low) * units`. If that is below 2^64, its value modulo
    /// 2^64 is all of it.
    fn told(self, borders: RangeInclusive<u64>) -> Option<Sales> {
        let (low, units) = (*borders.start(), self.units.get());
        borders.end().checked_sub(low)?.checked_mul(units)?;
        let above = self.ticks.wrapping_sub(low.wrapping_mul(units));
        let revenue = times(UnitPrice::new(low), self.units).get().saturating_add(above.into());
        Some(Sales { units: self.units, revenue: Ticks::new(revenue) })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "tests may panic")]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn tally_and_sum(bids: &[(u64, u32)]) -> (SalesTally, Sales) {
        let bids = bids.iter().map(|(fee, size)| (UnitPrice::new(*fee), Units::new((*size).into())));
        (
            bids.clone().fold(SalesTally::NOTHING, |tally, (fee, size)| tally.with(fee, size)),
            bids.fold(Sales::NOTHING, |sum, (fee, size)| sum.plus(Sales::of(fee, size))),
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn a_tally_tells_the_sum_whenever_what_is_paid_above_the_lowest_fee_fits_64_bits(
            low in any::<u64>(),
            width_bits in 0..65_u32,
            bids in vec((any::<u64>(), any::<u32>()), 0..20),
        ) {
            let width = u64::MAX.checked_shr(64 - width_bits).unwrap_or(0).min(u64::MAX - low);
            let above = |fee: u64| low + width.checked_add(1).map_or(fee, |range| fee % range);
            let bids: Vec<_> = bids.into_iter().map(|(fee, size)| (above(fee), size)).collect();
            let (tally, sum) = tally_and_sum(&bids);
            let fits = u128::from(width) * u128::from(sum.units.get()) <= u64::MAX.into();
            prop_assert_eq!(tally.told(low..=low + width), fits.then_some(sum));
        }
    }

    #[test]
    fn a_tally_tells_up_to_the_last_tick() {
        // (2^32 - 1) * (2^32 + 1) = 2^64 - 1.
        let (low, high) = (7, 7 + u64::from(u32::MAX));
        let bids = [(high, u32::MAX), (low, 1), (high, 1)];
        let (tally, sum) = tally_and_sum(&bids);
        assert_eq!(tally.told(low..=high), Some(sum));
        assert_eq!(tally.told(low..=high + 1), None);
        let one_more = tally.plus(tally_and_sum(&[(low, 1)]).0);
        assert_eq!(one_more.told(low..=high), None);
    }
}
