//! The mechanism `core`: truthful for both sides.
//!
//! ```text
//! w = the largest w in 0..P-1 with  K_w <= B  and  demand(c_{w+1}) > K_w
//! winning provers = the first w in prover order;  prover price = c_{w+1}
//! winning users = prefix(K_w);                    user price = unit fee of the first bid left out (else r)
//! ```
//!
//! The condition on `w` is monotone. As `w` grows, `K_w` grows (every capacity is at least 1) and `c_{w+1}`
//! does not fall, so `demand(c_{w+1})` does not grow. Hence if `w + 1` satisfies `K <= B` and `demand > K`,
//! so does `w`: the satisfying `w` are `0..=max` (or none, if nobody wants to pay `c_1`). A scan may stop at
//! the first failure, and a verifier that sees `w` satisfied and `w + 1` not has seen that `w` is the
//! largest.

use crate::assignment::Assigner;
use crate::certificate::{Certificate, UserPivot};
use crate::demand::DemandCurve;
use crate::outcome::CoreOutcome;
use crate::prefix::prefix;
use crate::ranking::{BidKey, prover_rank, rank_asks, rank_bids};
use market_types::{Round, SeatedAsk, Units};

/// Clears `round`. Sorts: `n log n` in bids and in asks.
#[must_use]
pub fn clear(round: &Round) -> CoreOutcome {
    clear_with_certificate(round).0
}

/// The one certificate of `round` that [`crate::verify()`] and the contract accept.
#[must_use]
pub fn certificate(round: &Round) -> Certificate {
    let bids = rank_bids(round);
    certify(round, prover_side(round, &bids), &bids)
}

/// [`clear`] and [`certificate`] for the price of one.
#[must_use]
pub fn clear_with_certificate(round: &Round) -> (CoreOutcome, Certificate) {
    let bids = rank_bids(round);
    let side = prover_side(round, &bids);
    let certificate = certify(round, side, &bids);
    (outcome(round, side, &certificate), certificate)
}

/// Where the line between winning and losing provers runs.
#[derive(Debug, Clone, Copy)]
struct ProverSide {
    /// The first prover left out; `None` if there are no asks.
    pivot: Option<SeatedAsk>,
    /// `K_w`: total capacity ranked before the pivot.
    capacity: Units,
}

fn prover_side(round: &Round, bids: &[BidKey]) -> ProverSide {
    let asks = rank_asks(round);
    let mut curve = DemandCurve::new(bids, round.reserve());
    let mut side = ProverSide { pivot: asks.first().copied(), capacity: Units::ZERO };
    let mut capacity = Units::ZERO;
    // In the turn of the ask at rank w + 1, `capacity` is K_w.
    for entry in asks {
        if capacity > round.cap().into() || !curve.at(entry.ask.cost).exceeds(capacity) {
            break;
        }
        side = ProverSide { pivot: Some(entry), capacity };
        capacity = capacity.saturating_add(entry.ask.capacity.into());
    }
    side
}

fn certify(round: &Round, side: ProverSide, bids: &[BidKey]) -> Certificate {
    let pivot_ask = side.pivot.map(|entry| entry.seat);
    // Every capacity is at least 1, so no capacity means no winning prover.
    if side.capacity == Units::ZERO {
        return Certificate { pivot_ask, user_pivot: UserPivot::NOBODY_WINS, units: Units::ZERO };
    }
    let taken = prefix(bids, side.capacity);
    let user_pivot = taken.left_out.map_or_else(
        || UserPivot::at_reserve(round.reserve()),
        |key| UserPivot { fee: key.fee(), index: key.index() },
    );
    Certificate { pivot_ask, user_pivot, units: taken.units }
}

fn outcome(round: &Round, side: ProverSide, certificate: &Certificate) -> CoreOutcome {
    let Some(pivot) = side.pivot.filter(|_| certificate.units > Units::ZERO) else {
        return CoreOutcome::no_trade();
    };
    let winners: Vec<SeatedAsk> =
        round.asks().iter().copied().filter(|entry| prover_rank(*entry) < prover_rank(pivot)).collect();
    let mut assigner = Assigner::new(&winners, round.number(), certificate.units);
    let assignment: Vec<_> = round
        .indexed_bids()
        .filter(|(index, bid)| certificate.user_pivot.admits(bid.fee, *index))
        // Never drops a bid: the tasks add up to `certificate.units`, so each starts before the batch is
        // full.
        .filter_map(|(index, bid)| Some((index, assigner.place(bid.size)?)))
        .collect();
    CoreOutcome {
        winning_bids: assignment.iter().map(|(bid, _)| *bid).collect(),
        winning_asks: winners.iter().map(|entry| entry.seat).collect(),
        user_price: certificate.user_pivot.fee,
        prover_price: pivot.ask.cost.into(),
        units: certificate.units,
        assignment,
    }
}
