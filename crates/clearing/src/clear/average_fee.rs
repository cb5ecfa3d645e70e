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
use crate::total::Sales;
use crate::users::Users;
use market_types::{Round, SeatedAsk};

/// The winning provers in ask-book order, and the certificate.
pub(crate) fn certify(round: &Round, users: &impl Users<Sales>) -> (Vec<SeatedAsk>, Certificate) {
    let largest = users.prefix(round.cap().into());
    let Sales { units, revenue } = largest.taken;
    let batch = BatchClaim { pivot: largest.pivot, units, revenue };
    let winners = batch.winners(round);
    let taken = winning_users(round, users, &winners);
    let Sales { units, revenue } = taken.taken;
    let prover_side = ProverClaim::AverageFee { batch, revenue };
    (winners, Certificate { user_pivot: taken.pivot, units, prover_side })
}
