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

use super::winning_users;
use crate::certificate::{Certificate, ProverClaim};
use crate::demand::{Demand, reserve_buys_at};
use crate::ranking::{asks_before, rank_asks};
use crate::users::Users;
use market_types::{Round, SeatedAsk, Units};

/// The winning provers in ask-book order, and the certificate.
pub(crate) fn certify(round: &Round, users: &impl Users<Units>) -> (Vec<SeatedAsk>, Certificate) {
    let pivot = pivot_ask(round, users.demand());
    let winners = pivot.map_or_else(Vec::new, |pivot| asks_before(round, pivot));
    let batch = winning_users(round, users, &winners);
    let prover_side = ProverClaim::Core { pivot_ask: pivot.map(|entry| entry.seat) };
    (winners, Certificate { user_pivot: batch.pivot, units: batch.taken, prover_side })
}

/// The first prover left out; `None` if there are no asks.
fn pivot_ask(round: &Round, mut bids: impl Demand) -> Option<SeatedAsk> {
    let asks = rank_asks(round);
    let mut pivot = asks.first().copied();
    let mut capacity = Units::ZERO;
    // In the turn of the ask at rank w + 1, `capacity` is K_w.
    for entry in asks {
        let price = entry.ask.cost;
        let wanted = reserve_buys_at(price, round.reserve()) || bids.exceeds(price, capacity);
        if capacity > round.cap().into() || !wanted {
            break;
        }
        pivot = Some(entry);
        capacity = capacity.saturating_add(entry.ask.capacity.into());
    }
    pivot
}
