//! The plain way: sort all bids into user order, then scan. `n log n`.

use super::Users;
use crate::demand::{Demand, DemandCurve};
use crate::prefix::Prefix;
use crate::ranking::{BidKey, total_size};
use crate::total::Total;
use market_types::{ReservePrice, Round, Units};

/// The bids at or above the reserve price, in user order.
pub(crate) struct Sorted {
    ranked: Vec<BidKey>,
    reserve: ReservePrice,
}

impl Sorted {
    pub(crate) fn of(round: &Round) -> Self {
        let mut ranked: Vec<BidKey> = round
            .indexed_bids()
            .filter(|(_, bid)| bid.fee.get() >= round.reserve().get())
            .map(|(index, bid)| BidKey::new(index, bid))
            .collect();
        ranked.sort_unstable();
        Self { ranked, reserve: round.reserve() }
    }
}

impl<T: Total> Users<T> for Sorted {
    fn prefix(&self, limit: Units) -> Prefix<T> {
        Prefix::of(T::NOTHING, &self.ranked, self.reserve, limit)
    }

    fn demand(&self) -> impl Demand {
        DemandCurve::new(self.ranked.iter().rev().copied(), total_size(&self.ranked))
    }
}
