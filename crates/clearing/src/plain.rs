//! The reference of [`crate::clear()`]: sorts all bids, scans them, and lists the winners one by one.
//!
//! Every function here gives the same result as the one of the same name at the root of the crate, which is fast
//! and which everything else uses. Tests compare the two, and benchmarks measure the one against the other.

use crate::assignment::Assigner;
use crate::certificate::Certificate;
use crate::clear::{average_fee, core};
use crate::outcome::Outcome;
use crate::users::Sorted;
use market_types::{Mechanism, Round, SeatedAsk};

/// Clears `round`: `n log n` in bids and in asks.
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
    let mut assigner = Assigner::new(&winners, round.number(), certificate.units);
    let tasks = round
        .indexed_bids()
        .filter(|(index, bid)| certificate.user_pivot.admits(bid.fee, *index))
        // Never drops a bid: the tasks add up to `certificate.units`, so each starts before the batch is
        // full.
        .filter_map(|(index, bid)| Some((index, assigner.place(bid.size)?)))
        .collect();
    (Outcome::proved(round, &certificate, &winners, tasks), certificate)
}

/// The winning provers in ask-book order, and the certificate.
pub(crate) fn certify(mechanism: Mechanism, round: &Round) -> (Vec<SeatedAsk>, Certificate) {
    let users = Sorted::of(round);
    match mechanism {
        Mechanism::Core => core::certify(round, &users),
        Mechanism::AverageFee => average_fee::certify(round, &users),
    }
}
