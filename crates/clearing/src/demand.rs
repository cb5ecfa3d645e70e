//! How much is wanted at a price.
//!
//! `demand(p)` is the total size of the bids with `f >= max(p, r)`. With a reserve price `r > 0` it is
//! unbounded for `p <= r`: the reserve acts as a buyer of any quantity at price `r`.

use crate::ranking::BidKey;
use market_types::{ReservePrice, UnitCost, Units};

/// Demand at one price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Demand {
    Unbounded,
    Total(Units),
}

impl Demand {
    pub(crate) fn exceeds(self, supply: Units) -> bool {
        match self {
            Self::Unbounded => true,
            Self::Total(total) => total > supply,
        }
    }
}

/// Whether the reserve price buys any quantity at `price`.
pub(crate) fn reserve_buys_at(price: UnitCost, reserve: ReservePrice) -> bool {
    reserve.get() > 0 && price.get() <= reserve.get()
}

/// The demand curve, read at ascending prices: all readings together walk the ranked bids once.
pub(crate) struct DemandCurve<'a> {
    reserve: ReservePrice,
    /// Bids in user order whose fee is at least the last price read.
    reached: &'a [BidKey],
    total: Units,
}

impl<'a> DemandCurve<'a> {
    /// `ranked`: the bids at or above the reserve price, in user order.
    pub(crate) fn new(ranked: &'a [BidKey], reserve: ReservePrice) -> Self {
        let total = ranked.iter().fold(Units::ZERO, |total, key| total.saturating_add(key.size()));
        Self { reserve, reached: ranked, total }
    }

    /// Demand at `price`, which must be at least the price of the reading before.
    pub(crate) fn at(&mut self, price: UnitCost) -> Demand {
        if reserve_buys_at(price, self.reserve) {
            return Demand::Unbounded;
        }
        while let Some((lowest, others)) = self.reached.split_last() {
            if lowest.fee().get() >= price.get() {
                break;
            }
            self.total = self.total.saturating_sub(lowest.size());
            self.reached = others;
        }
        Demand::Total(self.total)
    }
}
