//! How much is wanted at a price.
//!
//! `demand(p)` is the total size of the bids with `f >= max(p, r)`. With a reserve price `r > 0` it is
//! unbounded for `p <= r`: the reserve acts as a buyer of any quantity at price `r`. What is here counts bids
//! only; the reserve as a buyer is [`reserve_buys_at`].

use crate::ranking::BidKey;
use market_types::{ReservePrice, UnitCost, Units};
use std::iter::Peekable;

/// Whether the reserve price buys any quantity at `price`.
pub(crate) fn reserve_buys_at(price: UnitCost, reserve: ReservePrice) -> bool {
    reserve.get() > 0 && price.get() <= reserve.get()
}

/// The demand of a round's bids, asked about ever less attractive trades.
pub(crate) trait Demand {
    /// Whether bids want more than `supply` at `price`. Neither may be less than in the question before.
    fn exceeds(&mut self, price: UnitCost, supply: Units) -> bool;
}

/// The demand curve over ranked bids: all questions together walk them once.
pub(crate) struct DemandCurve<I: Iterator<Item = BidKey>> {
    /// The bids whose fee is at least the last price asked about, last in user order first.
    reached: Peekable<I>,
    /// Their total size and that of all bids ranked before.
    total: Units,
}

impl<I: Iterator<Item = BidKey>> DemandCurve<I> {
    /// `from_last`: consecutive bids from the last in user order on. `total`: their size and that of all bids
    /// ranked before them.
    pub(crate) fn new(from_last: I, total: Units) -> Self {
        Self { reached: from_last.peekable(), total }
    }
}

impl<I: Iterator<Item = BidKey>> Demand for DemandCurve<I> {
    fn exceeds(&mut self, price: UnitCost, supply: Units) -> bool {
        while let Some(lowest) = self.reached.next_if(|key| key.fee().get() < price.get()) {
            self.total = self.total.saturating_sub(lowest.size());
        }
        self.total > supply
    }
}
