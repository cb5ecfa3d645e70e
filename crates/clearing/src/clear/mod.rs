//! Clears a round. What the mechanisms share: user order, the batch that the winning provers take, and who
//! proves what; which provers win is in `core` and in `average_fee`.
//!
//! In both, the winning users are `prefix(min(K, B))`, with `K` the capacity of the winning provers and `B` the
//! cap: in `core` `K <= B` always holds. In `average-fee`, `prefix(B)` of size `Q` is what stays if `K >= Q`: the
//! first bid that it leaves out passes `B`, so it does not fit `min(K, B)` either.

mod average_fee;
mod core;

use crate::assignment::Assigner;
use crate::certificate::Certificate;
use crate::outcome::Outcome;
use crate::prefix::Prefix;
use crate::ranking::{BidKey, rank_bids, within_cap};
use market_types::{Mechanism, Round, SeatedAsk};

/// Clears `round`. Sorts: `n log n` in bids and in asks.
#[must_use]
pub fn clear(mechanism: Mechanism, round: &Round) -> Outcome {
    clear_with_certificate(mechanism, round).0
}

/// The one certificate of `round` that [`crate::verify()`] and the contract accept.
#[must_use]
pub fn certificate(mechanism: Mechanism, round: &Round) -> Certificate {
    certify(mechanism, round).1
}

/// [`clear`] and [`certificate`] for the price of one.
#[must_use]
pub fn clear_with_certificate(mechanism: Mechanism, round: &Round) -> (Outcome, Certificate) {
    let (winners, certificate) = certify(mechanism, round);
    (outcome(round, &winners, &certificate), certificate)
}

/// The winning provers in ask-book order, and the certificate.
fn certify(mechanism: Mechanism, round: &Round) -> (Vec<SeatedAsk>, Certificate) {
    let bids = rank_bids(round);
    match mechanism {
        Mechanism::Core => core::certify(round, &bids),
        Mechanism::AverageFee => average_fee::certify(round, &bids),
    }
}

/// The users that the winning provers take.
fn winning_users<'a>(round: &Round, bids: &'a [BidKey], winners: &[SeatedAsk]) -> Prefix<'a> {
    if winners.is_empty() {
        return Prefix::NOBODY;
    }
    Prefix::of(bids, round.reserve(), within_cap(round, winners))
}

fn outcome(round: &Round, winners: &[SeatedAsk], certificate: &Certificate) -> Outcome {
    let mut assigner = Assigner::new(winners, round.number(), certificate.units);
    let assignment = round
        .indexed_bids()
        .filter(|(index, bid)| certificate.user_pivot.admits(bid.fee, *index))
        // Never drops a bid: the tasks add up to `certificate.units`, so each starts before the batch is
        // full.
        .filter_map(|(index, bid)| Some((index, assigner.place(bid.size)?)))
        .collect();
    Outcome::proved(round, certificate, winners, assignment)
}
