//! `core`: the pivot ask fixes `w`. If `w > 0`, `K_w <= B` and `demand(c_{w+1}) > K_w` must hold, and `w + 1` must
//! fail; the condition is monotone (see `clear::core`), so only the largest `w` passes. With `w = 0` only the
//! failure of `w = 1` is left to check, which by the same monotonicity also covers a round in which no `w`
//! satisfies the condition.

use super::{ProverScan, Rejection};
use crate::certificate::Certificate;
use crate::demand::reserve_buys_at;
use crate::ranking::{asks_before, capacity, plus_task, prover_rank};
use crate::terms::Signal;
use market_types::{AskIndex, Bid, BidIndex, ReservePrice, Round, SeatedAsk, UnitCost, Units};

/// What the scan of the ask book and the pass over the bids find around the pivot ask. A round without asks has
/// nothing to find.
#[derive(Default)]
pub(super) struct CoreScan {
    /// The asks ranked before the pivot, in ask-book order.
    winners: Vec<SeatedAsk>,
    pivot: Option<PivotScan>,
}

struct PivotScan {
    ask: SeatedAsk,
    /// `demand(c_{w+1})`
    demand: DemandAt,
    /// `demand(c_{w+2})`, if there is such an ask.
    next_demand: Option<DemandAt>,
}

impl PivotScan {
    /// `K_{w+1}`, and whether demand at `c_{w+2}` exceeds it. `capacity`: `K_w`.
    fn next(&self, capacity: Units) -> (Units, bool) {
        let with_pivot = capacity.saturating_add(self.ask.ask.capacity.into());
        (with_pivot, self.next_demand.as_ref().is_some_and(|next| next.exceeds(with_pivot)))
    }

    /// Whether bids alone, without the reserve as a buyer, want more than `K_{w+1}` at `c_{w+2}`.
    fn bids_want_more_than(&self, capacity: Units) -> bool {
        let (with_pivot, _) = self.next(capacity);
        self.next_demand.as_ref().is_some_and(|next| next.of_bids > with_pivot)
    }
}

impl CoreScan {
    pub(super) fn of(round: &Round, pivot_seat: Option<AskIndex>) -> Result<Self, Rejection> {
        let Some(seat) = pivot_seat else {
            return match round.asks().len() {
                0 => Ok(Self::default()),
                asks => Err(Rejection::PivotAskMissing { asks }),
            };
        };
        let ask = SeatedAsk { seat, ask: round.ask(seat).ok_or(Rejection::PivotAskUnknown { seat })? };
        let after_pivot = round.asks().iter().filter(|entry| prover_rank(**entry) > prover_rank(ask));
        let next_cost = after_pivot.map(|entry| entry.ask.cost).min();
        let pivot = PivotScan {
            ask,
            demand: DemandAt::new(ask.ask.cost, round.reserve()),
            next_demand: next_cost.map(|cost| DemandAt::new(cost, round.reserve())),
        };
        Ok(Self { winners: asks_before(round, ask), pivot: Some(pivot) })
    }
}

impl ProverScan for CoreScan {
    fn winners(&self) -> &[SeatedAsk] {
        &self.winners
    }

    fn add(&mut self, _index: BidIndex, bid: Bid, _wins: bool) {
        if let Some(pivot) = &mut self.pivot {
            pivot.demand.add(bid);
            if let Some(next) = &mut pivot.next_demand {
                next.add(bid);
            }
        }
    }

    /// `w` satisfies the mechanism's condition and `w + 1` does not.
    fn check(&self, round: &Round) -> Result<(), Rejection> {
        let Some(pivot) = &self.pivot else { return Ok(()) };
        let (cap, capacity) = (round.cap(), capacity(&self.winners));
        if capacity > cap.into() {
            return Err(Rejection::CapExceeded { capacity, cap });
        }
        if !self.winners.is_empty() && !pivot.demand.exceeds(capacity) {
            return Err(Rejection::DemandTooLow { price: pivot.ask.ask.cost, capacity });
        }
        let (with_pivot, wanted) = pivot.next(capacity);
        if wanted && with_pivot <= cap.into() {
            return Err(Rejection::NotMaximal { seat: pivot.ask.seat });
        }
        Ok(())
    }

    fn signal(&self, _round: &Round, certificate: &Certificate) -> Signal {
        let capacity = capacity(&self.winners);
        Signal {
            units: certificate.units,
            capacity,
            pivot: certificate.user_pivot,
            // Bids want the pivot prover too. The check has refused every claim where the cap would allow it, so
            // the cap is why it does not win.
            cap_binds: self.pivot.as_ref().is_some_and(|pivot| pivot.bids_want_more_than(capacity)),
        }
    }
}

/// Demand at one price, counted bid by bid.
struct DemandAt {
    /// `max(c, r)`, in ticks per unit.
    least_fee: u64,
    reserve_buys: bool,
    /// Total size of the bids at this fee and above.
    of_bids: Units,
}

impl DemandAt {
    fn new(price: UnitCost, reserve: ReservePrice) -> Self {
        Self {
            least_fee: price.get().max(reserve.get()),
            reserve_buys: reserve_buys_at(price, reserve),
            of_bids: Units::ZERO,
        }
    }

    fn add(&mut self, bid: Bid) {
        if bid.fee.get() >= self.least_fee {
            self.of_bids = plus_task(self.of_bids, bid.size);
        }
    }

    fn exceeds(&self, supply: Units) -> bool {
        self.reserve_buys || self.of_bids > supply
    }
}
