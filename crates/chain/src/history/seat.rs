//! Provers' seats as events tell them.

use super::{HistoryError, narrow, round_number, seat_index};
use crate::MarketId;
use crate::events::{Event, Origin};
use crate::offer::{asked, offered};
use alloy::primitives::{Address, U256};
use market_types::{Ask, AskIndex, RoundNumber, UnitCost};
use std::collections::BTreeMap;

/// A change of a seat's ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskChange {
    /// The first round it counts for.
    pub from_round: RoundNumber,
    /// Unit cost (ticks per unit); `None` in a sealed market, where asks count for one round each.
    pub cost: Option<UnitCost>,
}

/// A change of a seat's capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapacityStep {
    /// By how much (units).
    pub units: u64,
    /// Whether they leave.
    pub shrinks: bool,
    /// The round that took bids when the change was made.
    pub made_in: RoundNumber,
    /// The first round that it counts for.
    pub from_round: RoundNumber,
    /// The round that took bids when units that left were released: the seat no longer has them.
    pub released_in: Option<RoundNumber>,
}

impl CapacityStep {
    /// Units of the seat that `round` must not use.
    fn hidden_at(&self, round: RoundNumber) -> u64 {
        let hides = if self.shrinks {
            round >= self.from_round && self.released_in.is_none_or(|released| round < released)
        } else {
            round >= self.made_in && round < self.from_round
        };
        if hides { self.units } else { 0 }
    }

    fn waits_for_release(&self) -> bool {
        self.shrinks && self.released_in.is_none()
    }
}

/// A seat that is or was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatRecord {
    /// Its number.
    pub seat: AskIndex,
    /// Who holds it.
    pub prover: Address,
    /// Registered capacity that is still backed by collateral (units), also what is to come or to leave.
    pub capacity: u64,
    /// Its asks since it was taken, in order.
    pub asks: Vec<AskChange>,
    /// The asks of a sealed market that were opened, by round.
    pub revealed: BTreeMap<RoundNumber, UnitCost>,
    /// Changes of its capacity, in order.
    pub steps: Vec<CapacityStep>,
    /// Where it was taken.
    pub origin: Origin,
    /// Capacity without an undelivered task on it, from each round on that it changed in. Below zero only between two events
    /// of one transaction.
    free: Vec<(RoundNumber, i64)>,
}

impl SeatRecord {
    /// Unit cost that the seat asks in `round` (ticks per unit), `None` if it does not ask.
    #[must_use]
    pub fn cost_at(&self, round: RoundNumber) -> Option<UnitCost> {
        let standing = || {
            let change = self.asks.iter().rev().find(|change| change.from_round <= round);
            change.and_then(|change| change.cost)
        };
        self.revealed.get(&round).copied().or_else(standing)
    }

    /// Capacity without an undelivered task on it at the close of `round` (units), as far as is known.
    #[must_use]
    pub fn free_at(&self, round: RoundNumber) -> u64 {
        let known = self.free.iter().rev().find(|(from, _)| *from <= round);
        known.and_then(|(_, free)| u64::try_from(*free).ok()).unwrap_or(0)
    }

    /// Units of the seat that `round` must not use: those that come later or have left.
    #[must_use]
    pub fn hidden_at(&self, round: RoundNumber) -> u64 {
        self.steps.iter().fold(0, |sum, step| sum.saturating_add(step.hidden_at(round)))
    }

    /// Capacity that counts for `round` (units), with or without tasks on it. Right for the open round and later ones.
    #[must_use]
    pub fn capacity_at(&self, round: RoundNumber) -> u64 {
        self.capacity.saturating_sub(self.hidden_at(round))
    }

    /// The ask with which the seat takes part in `round`; `None` if it does not.
    #[must_use]
    pub fn ask_at(&self, market: MarketId, round: RoundNumber) -> Option<Ask> {
        let free = self.free_at(round).saturating_sub(self.hidden_at(round));
        Some(Ask { cost: self.cost_at(round)?, capacity: offered(market, free)? })
    }

    /// Units that leave or have left and wait to be released, and the first round without them.
    #[must_use]
    pub fn waiting_for_release(&self) -> Option<&CapacityStep> {
        self.steps.iter().rev().find(|step| step.waits_for_release())
    }

    /// Frees units, or puts tasks on them, while `current` takes bids.
    pub(super) fn add_free(&mut self, current: RoundNumber, units: i64) {
        let before = self.free.last().map_or(0, |(_, free)| *free);
        if self.free.last().is_none_or(|(from, _)| *from < current) {
            self.free.push((current, before));
        }
        if let Some((_, free)) = self.free.last_mut() {
            *free = before.saturating_add(units);
        }
    }
}

/// All seats of a market.
#[derive(Debug, Clone, Default)]
pub(super) struct Seats {
    /// Those that are taken.
    pub(super) taken: BTreeMap<AskIndex, SeatRecord>,
    /// Those whose prover left or lost all capacity, in the order of their ends: what they asked counts for the rounds of their
    /// time.
    pub(super) left: Vec<SeatRecord>,
}

impl Seats {
    pub(super) fn taken(&mut self, seat: AskIndex) -> Result<&mut SeatRecord, HistoryError> {
        self.taken.get_mut(&seat).ok_or(HistoryError::UnknownSeat(seat))
    }

    /// Whether all of `seats` are taken.
    pub(super) fn require(&self, seats: impl IntoIterator<Item = AskIndex>) -> Result<(), HistoryError> {
        let unknown = seats.into_iter().find(|seat| !self.taken.contains_key(seat));
        unknown.map_or(Ok(()), |seat| Err(HistoryError::UnknownSeat(seat)))
    }

    /// Drops what counts for rounds before `floor` alone.
    pub(super) fn forget_before(&mut self, floor: RoundNumber) {
        self.taken.values_mut().for_each(|record| record.forget_before(floor));
        self.left.iter_mut().for_each(|record| record.forget_before(floor));
        // Who has left keeps nothing free from some round on, and no event names its seat again.
        self.left
            .retain(|record| !record.free.last().is_none_or(|(from, free)| *from <= floor && *free <= 0));
    }

    fn at(&mut self, seat: U256) -> Result<&mut SeatRecord, HistoryError> {
        self.taken(seat_index(seat)?)
    }

    /// Follows an event about a seat while `current` takes bids. Events about other things change no seat.
    pub(super) fn apply(
        &mut self,
        event: &Event,
        origin: Origin,
        current: RoundNumber,
    ) -> Result<(), HistoryError> {
        match event {
            Event::SeatRegistered(event) => {
                let seat = seat_index(event.seat)?;
                let (capacity, from_round) = (narrow(event.capacity), round_number(event.fromRound)?);
                let mut record = SeatRecord {
                    seat,
                    prover: event.prover,
                    capacity,
                    asks: vec![AskChange { from_round, cost: asked(narrow(event.cost)) }],
                    revealed: BTreeMap::new(),
                    steps: Vec::new(),
                    origin,
                    free: Vec::new(),
                };
                record.grow(capacity, current, from_round);
                // A seat that slashes have left nothing of can be taken without having been left.
                self.left.extend(self.taken.insert(seat, record));
            }
            Event::AskSubmitted(event) => {
                let change =
                    AskChange { from_round: round_number(event.fromRound)?, cost: asked(narrow(event.cost)) };
                self.at(event.seat)?.asks.push(change);
            }
            Event::AskRevealed(event) => {
                let (round, cost) = (round_number(event.round)?, UnitCost::from_u64(narrow(event.cost))?);
                self.at(event.seat)?.revealed.insert(round, cost);
            }
            Event::CapacityChanged(event) => {
                let (capacity, from_round) = (narrow(event.capacity), round_number(event.fromRound)?);
                let record = self.at(event.seat)?;
                let before = record.capacity;
                if capacity > before {
                    record.capacity = capacity;
                    record.grow(capacity.saturating_sub(before), current, from_round);
                } else {
                    record.shrink(before.saturating_sub(capacity), current, from_round);
                }
            }
            Event::CapacityReleased(event) => {
                let record = self.at(event.seat)?;
                record.release(narrow(event.units), current);
                if event.left {
                    let seat = record.seat;
                    self.left.extend(self.taken.remove(&seat));
                }
            }
            Event::SeatSlashed(event) => {
                let record = self.at(event.seat)?;
                let units = narrow(event.units);
                record.capacity = record.capacity.saturating_sub(units);
                // The units of the task come back with the event that ends it.
                record.add_free(current, 0_i64.saturating_sub_unsigned(units));
            }
            _ => {}
        }
        Ok(())
    }
}

impl SeatRecord {
    fn forget_before(&mut self, floor: RoundNumber) {
        drop_superseded(&mut self.asks, |change| change.from_round <= floor);
        drop_superseded(&mut self.free, |(from, _)| *from <= floor);
        self.revealed.retain(|round, _| *round >= floor);
        self.steps.retain(|step| {
            let done = if step.shrinks { step.released_in } else { Some(step.from_round) };
            done.is_none_or(|round| round > floor)
        });
    }

    fn grow(&mut self, units: u64, current: RoundNumber, from_round: RoundNumber) {
        self.add_free(current, 0_i64.saturating_add_unsigned(units));
        self.step(units, false, current, from_round);
    }

    fn shrink(&mut self, units: u64, current: RoundNumber, from_round: RoundNumber) {
        self.step(units, true, current, from_round);
    }

    fn step(&mut self, units: u64, shrinks: bool, made_in: RoundNumber, from_round: RoundNumber) {
        self.steps.push(CapacityStep { units, shrinks, made_in, from_round, released_in: None });
    }

    fn release(&mut self, units: u64, current: RoundNumber) {
        self.capacity = self.capacity.saturating_sub(units);
        self.add_free(current, 0_i64.saturating_sub_unsigned(units));
        if let Some(step) = self.steps.iter_mut().rev().find(|step| step.waits_for_release()) {
            step.released_in = Some(current);
        }
    }
}

/// Drops the changes that a later one has replaced where `counts` holds for both.
fn drop_superseded<T>(changes: &mut Vec<T>, counts: impl Fn(&T) -> bool) {
    if let Some(standing) = changes.iter().rposition(counts) {
        changes.drain(..standing);
    }
}
