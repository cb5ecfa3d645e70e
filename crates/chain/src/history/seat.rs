//! Provers' seats as events tell them.

use super::{HistoryError, narrow, round_number, seat_index};
use crate::events::{Event, Origin};
use alloy::primitives::{Address, U256};
use market_types::{AskIndex, RoundNumber, UnitCost};
use std::collections::BTreeMap;

/// A change of a seat's ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskChange {
    /// The first round it counts for.
    pub from_round: RoundNumber,
    /// Unit cost (ticks per unit); `None`: the seat takes part no more.
    pub cost: Option<UnitCost>,
}

/// A seat that is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatRecord {
    /// Its number.
    pub seat: AskIndex,
    /// Who holds it.
    pub prover: Address,
    /// Registered capacity that is still backed by collateral (units).
    pub capacity: u64,
    /// Its asks since it was taken, in order.
    pub asks: Vec<AskChange>,
    /// Where it was taken.
    pub origin: Origin,
}

impl SeatRecord {
    /// Unit cost that the seat asks in `round` (ticks per unit), `None` if it does not take part.
    #[must_use]
    pub fn cost_at(&self, round: RoundNumber) -> Option<UnitCost> {
        self.asks.iter().rev().find(|change| change.from_round <= round).and_then(|change| change.cost)
    }
}

/// Follows an event about a seat. Events about money change no seat.
pub(super) fn apply(
    seats: &mut BTreeMap<AskIndex, SeatRecord>,
    event: &Event,
    origin: Origin,
) -> Result<(), HistoryError> {
    match event {
        Event::SeatRegistered(event) => {
            let seat = seat_index(event.seat)?;
            let asks = vec![change(event.fromRound, Some(event.cost))?];
            let capacity = narrow(event.capacity);
            seats.insert(seat, SeatRecord { seat, prover: event.prover, capacity, asks, origin });
        }
        Event::AskSubmitted(event) => {
            taken(seats, event.seat)?.asks.push(change(event.fromRound, Some(event.cost))?);
        }
        Event::SeatLeft(event) => taken(seats, event.seat)?.asks.push(change(event.fromRound, None)?),
        Event::SeatSlashed(event) => {
            let record = taken(seats, event.seat)?;
            record.capacity = record.capacity.saturating_sub(narrow(event.units));
        }
        Event::SeatReleased(event) => {
            let seat = seat_index(event.seat)?;
            seats.remove(&seat).ok_or(HistoryError::UnknownSeat(seat))?;
        }
        _ => {}
    }
    Ok(())
}

fn taken(seats: &mut BTreeMap<AskIndex, SeatRecord>, seat: U256) -> Result<&mut SeatRecord, HistoryError> {
    let seat = seat_index(seat)?;
    seats.get_mut(&seat).ok_or(HistoryError::UnknownSeat(seat))
}

fn change(from_round: U256, cost: Option<U256>) -> Result<AskChange, HistoryError> {
    let cost = cost.map(|cost| UnitCost::from_u64(narrow(cost))).transpose()?;
    Ok(AskChange { from_round: round_number(from_round)?, cost })
}
