//! The contract's checks of a certificate, in plain Rust: one scan of the asks, one pass over the bids, no
//! sort.
//!
//! It shares with the mechanism only the order of offers and the assignment, and accepts exactly one
//! certificate:
//! - The pivot ask fixes `w`. If `w > 0`, `K_w <= B` and `demand(c_{w+1}) > K_w` must hold, and `w + 1` must
//!   fail; the condition is monotone (see `core`), so only the largest `w` passes. With `w = 0` only the
//!   failure of `w = 1` is left to check, which by the same monotonicity also covers a round in which no `w`
//!   satisfies the condition.
//! - A user pivot that is a bid must be in the round at or above the reserve price, the bids ranked before it
//!   must fit `K_w`, and it must not fit behind them: that is one bid at most. The pivot "nobody left out"
//!   passes exactly if all bids at or above the reserve price fit, and then no bid passes. If `w = 0` only
//!   [`UserPivot::NOBODY_WINS`] passes.
//! - `units` must be the total size of the bids ranked before the pivot.

use crate::assignment::Assigner;
use crate::certificate::{Certificate, UserPivot};
use crate::demand::{Demand, reserve_buys_at};
use crate::outcome::CoreOutcome;
use crate::ranking::{plus_task, prover_rank};
use market_types::{
    AskIndex, BidIndex, CapacityCap, ReservePrice, Round, SeatedAsk, TaskSize, UnitCost, UnitPrice, Units,
};
use thiserror::Error;

/// Why a certificate is refused. Clear the round again from the same bids and asks to get the one that is
/// accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Rejection {
    /// No pivot prover was named although there are asks.
    #[error("no pivot ask given, but the round has {asks} asks; name the first prover left out")]
    PivotAskMissing {
        /// Number of asks in the round.
        asks: usize,
    },
    /// The pivot prover takes no part in the round.
    #[error("the pivot ask {seat} is not in the round; name a seat that takes part")]
    PivotAskUnknown {
        /// The seat named.
        seat: AskIndex,
    },
    /// The provers ranked before the pivot offer more than the round may prove.
    #[error(
        "the winning provers offer {capacity} units, more than the cap of {cap}; name a cheaper pivot ask"
    )]
    CapExceeded {
        /// Their capacity, in units.
        capacity: Units,
        /// The round's cap, in units.
        cap: CapacityCap,
    },
    /// Users do not want all that the winning provers offer at the prover price.
    #[error(
        "demand at the price {price} does not exceed the {capacity} units offered; name a cheaper pivot ask"
    )]
    DemandTooLow {
        /// The prover price claimed, in ticks per unit.
        price: UnitCost,
        /// Capacity of the provers ranked before the pivot, in units.
        capacity: Units,
    },
    /// One more prover could win.
    #[error("the pivot ask {seat} could win as well; name the next in prover order")]
    NotMaximal {
        /// The seat named as pivot.
        seat: AskIndex,
    },
    /// No prover wins, but the user pivot is not the one for that case.
    #[error("no prover wins, so no user can: use the user pivot that admits nobody")]
    UserPivotNotCanonical,
    /// The user pivot is no bid of the round.
    #[error("no bid has the index {index} and the fee {fee}; name the first bid left out")]
    UserPivotUnknown {
        /// The index named.
        index: u32,
        /// The fee named, in ticks per unit.
        fee: UnitPrice,
    },
    /// The user pivot lies below the reserve price.
    #[error(
        "the user pivot's fee {fee} is below the reserve price {reserve}; only bids that take part can set the price"
    )]
    UserPivotBelowReserve {
        /// The fee named, in ticks per unit.
        fee: UnitPrice,
        /// The reserve price, in ticks per unit.
        reserve: ReservePrice,
    },
    /// The pivot "nobody left out" does not carry the reserve price.
    #[error("nobody is left out, so the user price is the reserve price {reserve}, not {fee}")]
    UserPivotNotReserve {
        /// The fee named, in ticks per unit.
        fee: UnitPrice,
        /// The reserve price, in ticks per unit.
        reserve: ReservePrice,
    },
    /// The bids ranked before the user pivot need more than the winning provers offer.
    #[error("the batch of {units} units does not fit the capacity of {capacity}; name an earlier user pivot")]
    BatchTooLarge {
        /// Total size of the bids ranked before the pivot, in units.
        units: Units,
        /// Capacity of the winning provers, in units.
        capacity: Units,
    },
    /// The user pivot would have fitted.
    #[error("the user pivot of size {size} fits behind {units} of {capacity} units; name a later user pivot")]
    UserPivotFits {
        /// Size of the pivot bid, in units.
        size: TaskSize,
        /// Total size of the bids ranked before the pivot, in units.
        units: Units,
        /// Capacity of the winning provers, in units.
        capacity: Units,
    },
    /// The claimed size of the batch is wrong.
    #[error("the batch is {actual} units, not {claimed}")]
    UnitsMismatch {
        /// The size claimed, in units.
        claimed: Units,
        /// The total size of the winning bids, in units.
        actual: Units,
    },
}

/// Checks `certificate` against `round` as the contract does, and returns the outcome that it proves.
///
/// # Errors
/// [`Rejection`] for every certificate but the one that [`crate::certificate`] makes.
pub fn verify(round: &Round, certificate: &Certificate) -> Result<CoreOutcome, Rejection> {
    let provers = ProverScan::of(round, certificate.pivot_ask)?;
    let users = UserScan::of(round, &provers, certificate);
    if let Some(pivot) = provers.pivot {
        check_provers(round, &provers, pivot, &users)?;
    }
    check_users(round, &provers, certificate.user_pivot, &users)?;
    if users.units != certificate.units {
        return Err(Rejection::UnitsMismatch { claimed: certificate.units, actual: users.units });
    }
    Ok(match provers.pivot {
        Some(pivot) if users.units > Units::ZERO => CoreOutcome {
            winning_bids: users.assignment.iter().map(|(bid, _)| *bid).collect(),
            winning_asks: provers.winners.iter().map(|entry| entry.seat).collect(),
            user_price: certificate.user_pivot.fee,
            prover_price: pivot.ask.cost.into(),
            units: users.units,
            assignment: users.assignment,
        },
        _ => CoreOutcome::no_trade(),
    })
}

/// What one scan of the ask book finds around the pivot.
struct ProverScan {
    pivot: Option<SeatedAsk>,
    /// The asks ranked before the pivot, in ask-book order.
    winners: Vec<SeatedAsk>,
    /// `K_w`
    capacity: Units,
    /// `K_{w+1}`
    capacity_with_pivot: Units,
    /// `c_{w+2}`, if there is such an ask.
    next_cost: Option<UnitCost>,
}

impl ProverScan {
    fn of(round: &Round, pivot_seat: Option<AskIndex>) -> Result<Self, Rejection> {
        let mut scan = Self {
            pivot: None,
            winners: Vec::new(),
            capacity: Units::ZERO,
            capacity_with_pivot: Units::ZERO,
            next_cost: None,
        };
        let Some(seat) = pivot_seat else {
            return match round.asks().len() {
                0 => Ok(scan),
                asks => Err(Rejection::PivotAskMissing { asks }),
            };
        };
        let pivot = SeatedAsk { seat, ask: round.ask(seat).ok_or(Rejection::PivotAskUnknown { seat })? };
        for entry in round.asks().iter().copied() {
            if prover_rank(entry) < prover_rank(pivot) {
                scan.capacity = scan.capacity.saturating_add(entry.ask.capacity.into());
                scan.winners.push(entry);
            } else if entry.seat != seat && scan.next_cost.is_none_or(|least| entry.ask.cost < least) {
                scan.next_cost = Some(entry.ask.cost);
            }
        }
        scan.capacity_with_pivot = scan.capacity.saturating_add(pivot.ask.capacity.into());
        scan.pivot = Some(pivot);
        Ok(scan)
    }
}

/// What one pass over the bids finds.
struct UserScan {
    /// `demand(c_{w+1})`
    demand: Option<Demand>,
    /// `demand(c_{w+2})`
    next_demand: Option<Demand>,
    /// Total size of the bids ranked before the user pivot.
    units: Units,
    /// Size of the bid that is the user pivot.
    pivot_size: Option<TaskSize>,
    assignment: Vec<(BidIndex, AskIndex)>,
}

impl UserScan {
    fn of(round: &Round, provers: &ProverScan, certificate: &Certificate) -> Self {
        let reserve = round.reserve();
        let start = |cost: UnitCost| match reserve_buys_at(cost, reserve) {
            true => Demand::Unbounded,
            false => Demand::Total(Units::ZERO),
        };
        let price = provers.pivot.map(|entry| entry.ask.cost);
        let mut scan = Self {
            demand: price.map(start),
            next_demand: provers.next_cost.map(start),
            units: Units::ZERO,
            pivot_size: None,
            assignment: Vec::new(),
        };
        let mut assigner = Assigner::new(&provers.winners, round.number(), certificate.units);
        let pivot = certificate.user_pivot;
        for (index, bid) in round.indexed_bids() {
            // `f >= c` alone stands for `f >= max(c, r)`: where r > c, demand is unbounded and nothing is counted.
            let reached = |cost: Option<UnitCost>| cost.is_some_and(|cost| bid.fee.get() >= cost.get());
            if reached(price) {
                count(&mut scan.demand, bid.size);
            }
            if reached(provers.next_cost) {
                count(&mut scan.next_demand, bid.size);
            }
            if pivot.admits(bid.fee, index) {
                scan.units = plus_task(scan.units, bid.size);
                // A task without a prover means that the claimed size is less than the true one, which is
                // refused later.
                scan.assignment.extend(assigner.place(bid.size).map(|seat| (index, seat)));
            } else if index.get() == pivot.index && UnitPrice::from(bid.fee) == pivot.fee {
                scan.pivot_size = Some(bid.size);
            }
        }
        scan
    }
}

fn count(demand: &mut Option<Demand>, size: TaskSize) {
    if let Some(Demand::Total(total)) = demand {
        *total = plus_task(*total, size);
    }
}

/// `w` satisfies the mechanism's condition and `w + 1` does not.
fn check_provers(
    round: &Round,
    provers: &ProverScan,
    pivot: SeatedAsk,
    users: &UserScan,
) -> Result<(), Rejection> {
    let exceeds = |demand: Option<Demand>, supply| demand.is_some_and(|demand| demand.exceeds(supply));
    let (cap, capacity) = (round.cap(), provers.capacity);
    if capacity > cap.into() {
        return Err(Rejection::CapExceeded { capacity, cap });
    }
    if !provers.winners.is_empty() && !exceeds(users.demand, capacity) {
        return Err(Rejection::DemandTooLow { price: pivot.ask.cost, capacity });
    }
    if provers.capacity_with_pivot <= cap.into() && exceeds(users.next_demand, provers.capacity_with_pivot) {
        return Err(Rejection::NotMaximal { seat: pivot.seat });
    }
    Ok(())
}

/// The bids ranked before the pivot fit, and the pivot is the first that does not.
fn check_users(
    round: &Round,
    provers: &ProverScan,
    pivot: UserPivot,
    users: &UserScan,
) -> Result<(), Rejection> {
    let (reserve, capacity, units) = (round.reserve(), provers.capacity, users.units);
    if provers.winners.is_empty() {
        return if pivot == UserPivot::NOBODY_WINS { Ok(()) } else { Err(Rejection::UserPivotNotCanonical) };
    }
    if pivot.index == UserPivot::NOBODY_LEFT_OUT {
        if pivot != UserPivot::at_reserve(reserve) {
            return Err(Rejection::UserPivotNotReserve { fee: pivot.fee, reserve });
        }
    } else {
        if pivot.fee < reserve.into() {
            return Err(Rejection::UserPivotBelowReserve { fee: pivot.fee, reserve });
        }
        let unknown = Rejection::UserPivotUnknown { index: pivot.index, fee: pivot.fee };
        let size = users.pivot_size.ok_or(unknown)?;
        if plus_task(units, size) <= capacity {
            return Err(Rejection::UserPivotFits { size, units, capacity });
        }
    }
    if units > capacity {
        return Err(Rejection::BatchTooLarge { units, capacity });
    }
    Ok(())
}
