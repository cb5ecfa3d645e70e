//! The contract's checks of a certificate, in plain Rust: one scan of the asks, one pass over the bids, no
//! sort.
//!
//! It shares with the mechanism only the order of offers, who wins given the certificate, and the assignment, and
//! accepts exactly one certificate:
//! - Which provers win is checked in `core` and in `average_fee`.
//! - If any wins, the winning users must be the prefix that fits their capacity and the cap (see `prefix`). If
//!   none wins only [`UserPivot::NOBODY_WINS`] passes.
//! - `units` must be the total size of the bids ranked before the pivot.

mod average_fee;
mod core;
mod prefix;
mod rejection;

pub use rejection::{PrefixRejection, Rejection};

use crate::assignment::Assigner;
use crate::certificate::{Certificate, ProverClaim, UserPivot};
use crate::outcome::Outcome;
use crate::ranking::within_cap;
use crate::terms::Signal;
use average_fee::AverageFeeScan;
use core::CoreScan;
use market_types::{Bid, BidIndex, Mechanism, Round, SeatedAsk, Units};
use prefix::PrefixScan;

/// Checks `certificate` against `round` as the contract does, and returns the outcome that it proves.
///
/// # Errors
/// [`Rejection`] for every certificate but the one that [`crate::certificate`] makes.
pub fn verify(mechanism: Mechanism, round: &Round, certificate: &Certificate) -> Result<Outcome, Rejection> {
    verify_with_signal(mechanism, round, certificate).map(|(outcome, _)| outcome)
}

/// [`verify`], and what the round says about its terms.
///
/// # Errors
/// As [`verify`].
pub fn verify_with_signal(
    mechanism: Mechanism,
    round: &Round,
    certificate: &Certificate,
) -> Result<(Outcome, Signal), Rejection> {
    match (mechanism, certificate.prover_side) {
        (Mechanism::Core, ProverClaim::Core { pivot_ask }) => {
            check(round, certificate, CoreScan::of(round, pivot_ask)?)
        }
        (Mechanism::AverageFee, ProverClaim::AverageFee { batch, revenue }) => {
            check(round, certificate, AverageFeeScan::of(round, batch, revenue))
        }
        (market, claim) => Err(Rejection::OtherMechanism { market, claimed: claim.mechanism() }),
    }
}

/// What a mechanism finds out about the provers.
trait ProverScan {
    /// The winning provers that follow from the claim, in ask-book order.
    fn winners(&self) -> &[SeatedAsk];

    /// Takes the next bid of the pass. `wins`: it ranks before the user pivot.
    fn add(&mut self, index: BidIndex, bid: Bid, wins: bool);

    /// After the pass: whether the claim is the true one.
    fn check(&self, round: &Round) -> Result<(), Rejection>;

    /// After the check: what the round says about its terms.
    fn signal(&self, round: &Round, certificate: &Certificate) -> Signal;
}

/// The checks of every mechanism: one pass over the bids.
fn check(
    round: &Round,
    certificate: &Certificate,
    mut provers: impl ProverScan,
) -> Result<(Outcome, Signal), Rejection> {
    let mut users = PrefixScan::around(certificate.user_pivot);
    let mut assigner = Assigner::new(provers.winners(), round.number(), certificate.units);
    let mut assignment = Vec::new();
    for (index, bid) in round.indexed_bids() {
        let wins = users.admits(index, bid);
        if wins {
            // A task without a prover means that the claimed size is less than the true one, which is refused
            // below.
            assignment.extend(assigner.place(bid.size).map(|seat| (index, seat)));
        }
        provers.add(index, bid, wins);
    }
    provers.check(round)?;
    check_users(round, certificate, provers.winners(), &users)?;
    let signal = provers.signal(round, certificate);
    Ok((Outcome::proved(round, certificate, provers.winners(), assignment.into_iter().collect()), signal))
}

/// The winning users are those that the winning provers take.
fn check_users(
    round: &Round,
    certificate: &Certificate,
    winners: &[SeatedAsk],
    users: &PrefixScan,
) -> Result<(), Rejection> {
    if !winners.is_empty() {
        let limit = within_cap(round, winners);
        return users.check(round.reserve(), limit, certificate.units).map_err(Rejection::Users);
    }
    if certificate.user_pivot != UserPivot::NOBODY_WINS {
        return Err(Rejection::UserPivotNotCanonical);
    }
    // No bid ranks before that pivot.
    let (claimed, actual) = (certificate.units, Units::ZERO);
    if claimed != actual {
        return Err(Rejection::Users(PrefixRejection::UnitsMismatch { claimed, actual }));
    }
    Ok(())
}
