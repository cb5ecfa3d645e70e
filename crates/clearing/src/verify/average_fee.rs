//! `average-fee`: the claimed batch must be `prefix(B)` with its true size and revenue; the winning provers follow
//! from those two numbers, and nothing about the asks is claimed. The winning users are a second prefix, checked
//! in the same pass as in every mechanism, and their revenue must be the true one.

use super::prefix::PrefixScan;
use super::{ProverScan, Rejection};
use crate::certificate::{BatchClaim, Certificate, UserPivot};
use crate::prices::times;
use crate::ranking::capacity;
use crate::terms::Signal;
use market_types::{Bid, BidIndex, Round, SeatedAsk, Ticks, Units};

/// What the scan of the ask book and the pass over the bids find.
pub(super) struct AverageFeeScan {
    batch: BatchClaim,
    revenue: Ticks,
    /// The asks below the batch's average fee, in ask-book order.
    winners: Vec<SeatedAsk>,
    /// The bids ranked before the batch's pivot.
    found_batch: PrefixScan,
    /// What these bids pay.
    found_batch_revenue: Ticks,
    /// What the winning bids pay.
    found_revenue: Ticks,
}

impl AverageFeeScan {
    pub(super) fn of(round: &Round, batch: BatchClaim, revenue: Ticks) -> Self {
        Self {
            batch,
            revenue,
            winners: batch.winners(round),
            found_batch: PrefixScan::around(batch.pivot),
            found_batch_revenue: Ticks::ZERO,
            found_revenue: Ticks::ZERO,
        }
    }
}

impl ProverScan for AverageFeeScan {
    fn winners(&self) -> &[SeatedAsk] {
        &self.winners
    }

    fn add(&mut self, index: BidIndex, bid: Bid, wins: bool) {
        let pays = times(bid.fee.into(), bid.size);
        if self.found_batch.admits(index, bid) {
            self.found_batch_revenue = self.found_batch_revenue.saturating_add(pays);
        }
        if wins {
            self.found_revenue = self.found_revenue.saturating_add(pays);
        }
    }

    fn check(&self, round: &Round) -> Result<(), Rejection> {
        self.found_batch
            .check(round.reserve(), round.cap().into(), self.batch.units)
            .map_err(Rejection::Batch)?;
        let (claimed, actual) = (self.batch.revenue, self.found_batch_revenue);
        if claimed != actual {
            return Err(Rejection::BatchRevenueMismatch { claimed, actual });
        }
        let (claimed, actual) = (self.revenue, self.found_revenue);
        if claimed != actual {
            return Err(Rejection::RevenueMismatch { claimed, actual });
        }
        Ok(())
    }

    fn signal(&self, round: &Round, certificate: &Certificate) -> Signal {
        if self.batch.units == Units::ZERO {
            return self.without_batch(round);
        }
        let capacity = capacity(&self.winners);
        let cut_by_cap = self.batch.pivot.index != UserPivot::NOBODY_LEFT_OUT;
        Signal {
            units: certificate.units,
            capacity,
            pivot: certificate.user_pivot,
            // Where provers are too few for the batch, they and not the cap held the round back.
            cap_binds: cut_by_cap && capacity >= self.batch.units,
        }
    }
}

impl AverageFeeScan {
    /// No bid reaches the reserve. Any batch pays at least the reserve on average, so provers below it wait for one.
    fn without_batch(&self, round: &Round) -> Signal {
        let waiting = round.asks().iter().filter(|entry| entry.ask.cost.get() < round.reserve().get());
        let waiting: Vec<SeatedAsk> = waiting.copied().collect();
        Signal { units: Units::ZERO, capacity: capacity(&waiting), pivot: self.batch.pivot, cap_binds: false }
    }
}
