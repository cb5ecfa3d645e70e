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
    /// Registered capacity that still has collateral (units).
    pub(crate) capacity: u64,
    /// Size of undelivered tasks (units).
    pub(crate) open_units: u64,
    /// Unit cost in the round that is open (ticks per unit); none if the seat does not take part.
    pub(crate) cost: Option<UnitCost>,
    /// The same for the round after.
    pub(crate) next_cost: Option<UnitCost>,
}

/// Every seat that is taken, in ascending order.
pub(crate) async fn seats(session: &Session, open: &OpenMarket) -> Outcome<Vec<Seat>> {
    let states = chain::round::seats(&session.client, &open.market).await.or_fail(Code::Connection)?;
    // Before the market opens there is no round; round 0 then stands for it.
    let current = open.market.id.round_at(session.now().await?).unwrap_or(RoundNumber::MIN);
    let next = RoundNumber::new(current.get().saturating_add(1));
    let taken = states.into_iter().filter(|state| !state.prover.is_zero());
    let seat = |state: chain::round::SeatState| Seat {
        seat: state.seat.get(),
        prover: state.prover,
        capacity: state.capacity,
        open_units: state.capacity.saturating_sub(state.offer.free()),
        cost: state.offer.cost_at(current),
        next_cost: state.offer.cost_at(next),
    };
    Ok(taken.map(seat).collect())
}
