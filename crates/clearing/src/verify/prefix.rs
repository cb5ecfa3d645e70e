//! Checks a claim about a prefix of the users without sorting them.

use super::PrefixRejection;
use crate::certificate::UserPivot;
use crate::ranking::plus_task;
use market_types::{Bid, BidIndex, ReservePrice, TaskSize, UnitPrice, Units};

/// What one pass over the bids finds around a pivot.
pub(super) struct PrefixScan {
    pivot: UserPivot,
    /// Total size of the bids ranked before the pivot.
    units: Units,
    /// Size of the bid that is the pivot.
    pivot_size: Option<TaskSize>,
}

impl PrefixScan {
    pub(super) const fn around(pivot: UserPivot) -> Self {
        Self { pivot, units: Units::ZERO, pivot_size: None }
    }

    /// Takes the next bid of the pass and says whether it ranks before the pivot.
    pub(super) fn admits(&mut self, index: BidIndex, bid: Bid) -> bool {
        let admitted = self.pivot.admits(bid.fee, index);
        if admitted {
            self.units = plus_task(self.units, bid.size);
        } else if index.get() == self.pivot.index && UnitPrice::from(bid.fee) == self.pivot.fee {
            self.pivot_size = Some(bid.size);
        }
        admitted
    }

    /// After the pass: whether the bids ranked before the pivot are `prefix(limit)` and their total size is
    /// `claimed`.
    ///
    /// They must fit the limit, and the pivot, a bid at or above the reserve price, must not fit behind them: that
    /// is one bid at most. The pivot "nobody left out" passes exactly if all bids at or above the reserve price
    /// fit, and then no bid passes.
    pub(super) fn check(
        &self,
        reserve: ReservePrice,
        limit: Units,
        claimed: Units,
    ) -> Result<(), PrefixRejection> {
        let Self { pivot, units, pivot_size } = *self;
        if pivot.index == UserPivot::NOBODY_LEFT_OUT {
            if pivot != UserPivot::at_reserve(reserve) {
                return Err(PrefixRejection::PivotNotReserve { fee: pivot.fee, reserve });
            }
        } else {
            if pivot.fee < reserve.into() {
                return Err(PrefixRejection::PivotBelowReserve { fee: pivot.fee, reserve });
            }
            let unknown = PrefixRejection::PivotUnknown { index: pivot.index, fee: pivot.fee };
            let size = pivot_size.ok_or(unknown)?;
            if plus_task(units, size) <= limit {
                return Err(PrefixRejection::PivotFits { size, units, limit });
            }
        }
        if units > limit {
            return Err(PrefixRejection::TooLarge { units, limit });
        }
        if units != claimed {
            return Err(PrefixRejection::UnitsMismatch { claimed, actual: units });
        }
        Ok(())
    }
}
