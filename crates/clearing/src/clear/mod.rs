//! Clears a round. What the mechanisms share: user order, the batch that the winning provers take, and who
//! proves what; which provers win is in `core` and in `average_fee`.
//!
//! In both, the winning users are `prefix(min(K, B))`, with `K` the capacity of the winning provers and `B` the
//! cap: in `core` `K <= B` always holds. In `average-fee`, `prefix(B)` of size `Q` is what stays if `K >= Q`: the
//! first bid that it leaves out passes `B`, so it does not fit `min(K, B)` either.

pub(crate) mod average_fee;
pub(crate) mod core;
mod lists;

use crate::certificate::Certificate;
use crate::outcome::Outcome;
use crate::parts;
use crate::plain;
use crate::prefix::Prefix;
use crate::ranking::within_cap;
use crate::total::{Sales, Total};
use crate::users::{Counted, Grain, Users};
use market_types::{Mechanism, Round, SeatedAsk, Units};

/// Clears `round`: linear in bids, `p log p` in asks.
#[must_use]
pub fn clear(mechanism: Mechanism, round: &Round) -> Outcome {
    clear_with_certificate(mechanism, round).0
}

/// The one certificate of `round` that [`crate::verify()`] and the contract accept. It decides the round; that
/// takes about half the time of [`clear`], which also lists who won.
#[must_use]
pub fn certificate(mechanism: Mechanism, round: &Round) -> Certificate {
    let grain = Grain::of(round);
    parts::within(grain.parts, || certify(mechanism, round, grain).1)
}

/// [`clear`] and [`certificate`] for the price of one.
#[must_use]
pub fn clear_with_certificate(mechanism: Mechanism, round: &Round) -> (Outcome, Certificate) {
    let grain = Grain::of(round);
    parts::within(grain.parts, || cleared(mechanism, round, grain))
}

/// [`clear_with_certificate`], at any grain.
pub(crate) fn cleared(mechanism: Mechanism, round: &Round, grain: Grain) -> (Outcome, Certificate) {
    let (winners, certificate) = certify(mechanism, round, grain);
    let tasks = lists::tasks(round, &winners, &certificate, grain.parts);
    (Outcome::proved(round, &certificate, &winners, tasks), certificate)
}

/// The winning provers in ask-book order, and the certificate.
pub(crate) fn certify(mechanism: Mechanism, round: &Round, grain: Grain) -> (Vec<SeatedAsk>, Certificate) {
    if round.bids().len() <= grain.few {
        return plain::certify(mechanism, round);
    }
    match mechanism {
        Mechanism::Core => core::certify(round, &Counted::<Units>::of(round, grain)),
        Mechanism::AverageFee => average_fee::certify(round, &Counted::<Sales>::of(round, grain)),
    }
}

/// The users that the winning provers take.
fn winning_users<T: Total>(round: &Round, users: &impl Users<T>, winners: &[SeatedAsk]) -> Prefix<T> {
    if winners.is_empty() {
        return Prefix::NOBODY;
    }
    users.prefix(within_cap(round, winners))
}
