//! The provers' seats of a market, as they stand.

use crate::commands::session::{OpenMarket, Session};
use crate::failure::{Code, OrFail, Outcome};
use alloy::primitives::Address;
use market_types::{RoundNumber, UnitCost};
use serde::Serialize;

/// One seat that is taken.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Seat {
    pub(crate) seat: u32,
    pub(crate) prover: Address,
    /// Registered capacity that still has collateral (units), also what is to come or to leave.
    pub(crate) capacity: u64,
    /// Of that, what counts for the round that is open (units).
    pub(crate) usable: u64,
    /// Size of undelivered tasks (units).
    pub(crate) open_units: u64,
    /// Unit cost in the round that is open (ticks per unit); none if the seat does not take part, or its ask is sealed.
    pub(crate) cost: Option<UnitCost>,
    /// The same for the round after.
    pub(crate) next_cost: Option<UnitCost>,
    /// A change of its capacity that has not ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) change: Option<Change>,
}

/// A change of a seat's capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    /// What the capacity is once it counts (units).
    pub(crate) to: u64,
    /// First round that it counts for.
    pub(crate) from_round: RoundNumber,
    /// Whether capacity leaves, whose collateral comes back by a release.
    pub(crate) shrinks: bool,
}

/// Every seat that is taken, in ascending order.
pub(crate) async fn seats(session: &Session, open: &OpenMarket) -> Outcome<Vec<Seat>> {
    let states = chain::round::seats(&session.client, &open.market).await.or_fail(Code::Connection)?;
    // Before the market opens there is no round; round 0 then stands for it.
    let current = open.market.id.round_at(session.now().await?).unwrap_or(RoundNumber::MIN);
    let next = RoundNumber::new(current.get().saturating_add(1));
    let taken = states.into_iter().filter(|state| !state.prover.is_zero());
    let seat = |state: chain::round::SeatState| {
        let change = state.change;
        let shrinks = change.shrinks();
        // Capacity that is added counts from its round on; only what leaves waits for anything after that.
        let waits = change.units() != 0 && (shrinks || current < change.round());
        let to = if shrinks { state.capacity.saturating_sub(change.units()) } else { state.capacity };
        Seat {
            seat: state.seat.get(),
            prover: state.prover,
            capacity: state.capacity,
            usable: state.capacity_at(current),
            open_units: state.capacity.saturating_sub(state.offer.free()),
            cost: state.offer.cost_at(open.market.id, current),
            next_cost: state.offer.cost_at(open.market.id, next),
            change: waits.then_some(Change { to, from_round: change.round(), shrinks }),
        }
    };
    Ok(taken.map(seat).collect())
}
