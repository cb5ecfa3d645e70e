//! Provers' seats: capacity, collateral, asks, and what a round may use of them.

use super::Model;
use super::refusal::Refusal;
use super::round::AtClose;
use alloy::primitives::Address;
use market_types::{Ask, AskIndex, Capacity, SeatedAsk, UnitCost};

/// Stands for "no ask".
pub(crate) const NO_ASK: u64 = u64::MAX;

/// A change of capacity that counts from a later round on. The seat has the larger of the two capacities meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) units: u64,
    pub(crate) shrinks: bool,
    pub(crate) from: u64,
}

/// A seat; of the zero address if it is free.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seat {
    pub(crate) prover: Address,
    /// Units, all of them behind collateral.
    pub(crate) capacity: u64,
    /// Units of undelivered tasks.
    pub(crate) load: u64,
    pub(crate) change: Option<Change>,
    /// Unit costs with the first round that each counts for.
    asks: Vec<(u64, u64)>,
    /// What was free when the last round closed, with what was added since: a takeover leaves that to the round.
    free_at_close: u64,
}

impl Seat {
    pub(crate) fn free(&self) -> u64 {
        self.capacity - self.load
    }

    /// What was asked for `round` in the open.
    fn cost_at(&self, round: u64) -> Option<u64> {
        self.asks.iter().rfind(|(from, _)| *from <= round).map(|(_, cost)| *cost)
    }

    fn hidden_at(&self, round: u64) -> u64 {
        self.change.filter(|change| change.shrinks == (round >= change.from)).map_or(0, |change| change.units)
    }

    fn at_close_of(&self, round: u64) -> AtClose {
        AtClose { free: self.free().saturating_sub(self.hidden_at(round)), cost: self.cost_at(round) }
    }
}

impl Model {
    pub(crate) fn register(
        &mut self,
        caller: Address,
        value: u128,
        capacity: u32,
        cost: u64,
    ) -> Result<usize, Refusal> {
        self.attach(caller, value)?;
        self.check_capacity(capacity)?;
        if self.rules.is_sealed() != (cost == NO_ASK) {
            return Err(Refusal::InvalidCost);
        }
        let seat = self.seats.iter().position(|seat| seat.capacity == 0).unwrap_or(self.seats.len());
        if seat >= usize::from(self.rules.0.max_seats) {
            return Err(Refusal::NoSeatLeft);
        }
        let (units, fee) = (u64::from(capacity), u128::from(self.rules.0.seat_fee));
        self.debit(caller, self.rules.collateral(units) + fee)?;
        self.surplus += fee;
        let current = self.current();
        let asks = if cost == NO_ASK { vec![] } else { vec![(current + 1, cost)] };
        let change = Some(self.change(units, false));
        let taken = Seat { prover: caller, capacity: units, load: 0, change, asks, free_at_close: units };
        match self.seats.get_mut(seat) {
            Some(free) => *free = taken,
            None => self.seats.push(taken),
        }
        // Whoever had the seat took no part in a round that is closed and has no result yet: what it asked there is gone with it.
        let closed = current.checked_sub(1).and_then(|round| self.rounds.get_mut(&round));
        if let Some(at_close) = closed.and_then(|round| round.book.get_mut(seat)) {
            at_close.cost = None;
        }
        Ok(seat)
    }

    pub(crate) fn set_operator(&mut self, caller: Address, operator: Address) {
        self.operators.insert(caller, operator);
    }

    pub(crate) fn ask(&mut self, caller: Address, seat: usize, cost: u64) -> Result<(), Refusal> {
        self.require_open_bids()?;
        self.acts_for(caller, seat)?;
        if cost == NO_ASK {
            return Err(Refusal::InvalidCost);
        }
        let (current, waits) = (self.current(), self.waits_for_result());
        let asks = &mut self.seats[seat].asks;
        if asks.last().is_some_and(|(from, _)| *from == current) && waits {
            return Err(Refusal::AskFrozen);
        }
        asks.retain(|(from, _)| *from <= current);
        asks.push((current + 1, cost));
        Ok(())
    }

    pub(crate) fn change_capacity(
        &mut self,
        caller: Address,
        value: u128,
        seat: usize,
        capacity: u32,
    ) -> Result<(), Refusal> {
        self.attach(caller, value)?;
        let prover = self.acts_for(caller, seat)?;
        if capacity != 0 {
            self.check_capacity(capacity)?;
        }
        let (before, after) = (self.seats[seat].capacity, u64::from(capacity));
        if before == after {
            return Err(Refusal::CapacityUnchanged);
        }
        let pending = |change: Change| change.shrinks || !self.is_resolved(change.from - 1);
        if self.seats[seat].change.is_some_and(pending) {
            return Err(Refusal::CapacityChangePending);
        }
        if after > before {
            self.debit(prover, self.rules.collateral(after - before))?;
            self.seats[seat].capacity = after;
            self.seats[seat].free_at_close += after - before;
        }
        self.seats[seat].change = Some(self.change(after.abs_diff(before), after < before));
        Ok(())
    }

    /// Returns the collateral that was credited.
    pub(crate) fn release_capacity(&mut self, caller: Address, seat: usize) -> Result<u128, Refusal> {
        let prover = self.acts_for(caller, seat)?;
        let Seat { capacity, change, .. } = self.seats[seat];
        let shrinking = change.filter(|change| change.shrinks);
        if shrinking.is_none() && capacity != 0 {
            return Err(Refusal::NothingToRelease);
        }
        if shrinking.is_some_and(|change| !self.is_resolved(change.from - 1)) {
            return Err(Refusal::CapacityStillOffered);
        }
        let units = shrinking.map_or(0, |change| change.units).min(capacity);
        let state = &mut self.seats[seat];
        if state.free() < units {
            return Err(Refusal::SeatHasOpenTasks);
        }
        state.capacity -= units;
        state.free_at_close = state.free_at_close.saturating_sub(units);
        state.change = None;
        if state.capacity == 0 {
            *state = Seat::default();
        }
        let collateral = self.rules.collateral(units);
        self.credit(prover, collateral);
        Ok(collateral)
    }

    /// Who holds the seat: the caller, or somebody whose operator it is.
    pub(crate) fn acts_for(&self, caller: Address, seat: usize) -> Result<Address, Refusal> {
        let prover = self.seats.get(seat).map(|seat| seat.prover).filter(|prover| !prover.is_zero());
        let acts = |prover: &Address| *prover == caller || self.operators.get(prover) == Some(&caller);
        prover.filter(acts).ok_or(Refusal::NotSeatOwner)
    }

    /// What a takeover may use of a seat: not what a closed round without a result may assign tasks to.
    pub(crate) fn free_for_takeover(&self, seat: usize) -> u64 {
        let (state, sealed) = (&self.seats[seat], self.rules.is_sealed());
        let asked = self.current().checked_sub(1).is_some_and(|last| sealed || state.cost_at(last).is_some());
        let kept = if self.waits_for_result() && asked { state.free_at_close } else { 0 };
        state.free().saturating_sub(kept)
    }

    /// Takes a task off a seat that did not deliver it, and `loss` ticks of its collateral: as few units as cover it leave the seat.
    pub(crate) fn slash(&mut self, seat: usize, units: u64, loss: u128) {
        let per_unit = u128::from(self.rules.0.collateral_per_unit);
        let gone = if per_unit == 0 { 0 } else { loss.div_ceil(per_unit) };
        let gone = u64::try_from(gone).expect("at most the task's units");
        let state = &mut self.seats[seat];
        state.load -= units;
        state.capacity -= gone;
        let prover = state.prover;
        self.credit(prover, self.rules.collateral(gone) - loss);
    }

    /// What each seat offers to a round and at what cost: of the round's close once it has closed, else as things stand.
    pub(crate) fn offers(&self, round: u64) -> Vec<SeatedAsk> {
        let closed = self.rounds.get(&round).filter(|_| round < self.current()).map(|round| &round.book);
        let book: Vec<AtClose> = match closed {
            Some(book) => book.clone(),
            None => self.seats.iter().map(|seat| seat.at_close_of(round)).collect(),
        };
        let margin = self.rules.largest_task() - 1;
        let offer = |(seat, at): (usize, &AtClose)| {
            let cost = UnitCost::new(at.cost?);
            // A seat must be able to hold a largest task beyond its exact share.
            let units = at.free.checked_sub(margin).filter(|units| *units > margin)?;
            let capacity = Capacity::from_u64(units).expect("a capacity");
            let seat = AskIndex::new(u32::try_from(seat).expect("a seat"));
            Some(SeatedAsk { seat, ask: Ask { cost, capacity } })
        };
        book.iter().enumerate().filter_map(offer).collect()
    }

    /// Fixes what a round may use.
    pub(crate) fn close(&mut self, round: u64) {
        for seat in &mut self.seats {
            seat.free_at_close = seat.free();
        }
        let book = self.seats.iter().map(|seat| seat.at_close_of(round)).collect();
        self.rounds.entry(round).or_default().book = book;
    }

    fn change(&self, units: u64, shrinks: bool) -> Change {
        Change { units, shrinks, from: self.current() + u64::from(self.rules.0.capacity_delay) }
    }

    fn check_capacity(&self, capacity: u32) -> Result<(), Refusal> {
        let params = &self.rules.0;
        let largest = (params.cap_min.get() + self.rules.largest_task() - 1).min((1 << 31) - 1);
        let fits = capacity >= params.min_seat_capacity && u64::from(capacity) <= largest;
        if fits { Ok(()) } else { Err(Refusal::CapacityOutOfRange) }
    }
}
