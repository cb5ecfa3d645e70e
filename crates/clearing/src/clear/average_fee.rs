//! The mechanism `average-fee`: users pay their own bids, provers share them.
//!
//! ```text
//! batch = prefix(B);  Q = its total size;  R = sum of f_i * s_i over it
//! winning provers = every j with c_j * Q < R;  K = their total capacity
//! winning users = prefix(K) if K < Q, else the batch;  each pays f_i * s_i
//! a prover is paid (sum of the payments) / (total size of the winning users) per unit that it proves
//! ```
//!
//! The cut from `prefix(B)` to `prefix(K)` drops the lowest fees, so the average that is paid is never below the
//! `R / Q` that the winning provers agreed to.

use super::winning_users;
use crate::certificate::{BatchClaim, Certificate, ProverClaim};
use crate::prefix::Prefix;
use crate::prices::times;
use crate::ranking::BidKey;
use market_types::{Round, SeatedAsk, Ticks};

/// The winning provers in ask-book order, and the certificate. `bids`: in user order.
pub(super) fn certify(round: &Round, bids: &[BidKey]) -> (Vec<SeatedAsk>, Certificate) {
    let largest = Prefix::of(bids, round.reserve(), round.cap().into());
    let batch = BatchClaim { pivot: largest.pivot, units: largest.units, revenue: revenue(&largest) };
    let winners = batch.winners(round);
    let users = winning_users(round, bids, &winners);
    let prover_side = ProverClaim::AverageFee { batch, revenue: revenue(&users) };
    (winners, Certificate { user_pivot: users.pivot, units: users.units, prover_side })
}

/// Sum of what these users bid for their tasks.
fn revenue(users: &Prefix<'_>) -> Ticks {
    users.taken.iter().fold(Ticks::ZERO, |total, key| total.saturating_add(times(key.fee(), key.size())))
}
