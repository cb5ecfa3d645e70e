//! Draws calls: mostly such as somebody would make as things stand, now and then any.

mod bidding;
mod work;

use super::Play;
use super::call::{Call, Wanted};
use crate::model::seats::NO_ASK;
use crate::model::tasks::Status;
use alloy::primitives::{Address, B256};
use rand::{Rng, seq::IndexedRandom};

/// What whoever draws has to keep in mind.
#[derive(Debug, Default)]
pub(super) struct Known {
    nonce: u64,
    /// How many have brought money.
    deposits: usize,
    /// Entries that were not told when they were submitted.
    untold: Vec<Wanted>,
    /// Who committed to which bid with what salt, in which round.
    bids: Vec<(u64, Address, Wanted, B256)>,
    /// The same of asks: seat, cost, salt, prover.
    asks: Vec<(u64, usize, u64, B256, Address)>,
}

/// The next call.
pub(super) fn call<R: Rng>(play: &Play, known: &mut Known, rng: &mut R) -> Call {
    Draw { play, known, rng }.call()
}

struct Draw<'a, R> {
    play: &'a Play,
    known: &'a mut Known,
    rng: &'a mut R,
}

type Make<'a, R> = fn(&mut Draw<'a, R>) -> Call;

impl<'a, R: Rng> Draw<'a, R> {
    fn call(&mut self) -> Call {
        if let Some(call) = self.first_deposit() {
            return call;
        }
        let model = &self.play.model;
        let sealed = model.rules.is_sealed();
        let current = model.current();
        let last = current.checked_sub(1);
        let settleable = last.is_some_and(|round| {
            let bids = model.rounds.get(&round).is_some_and(|round| !round.entries.is_empty());
            bids && model.waits_for_result() && model.now >= model.rules.reveal_by(round)
        });
        let opening = sealed
            && last.is_some_and(|round| model.now < model.rules.reveal_by(round) && self.committed(round));
        let seats = model.seats.iter().filter(|seat| seat.capacity != 0).count();
        let few_seats = seats < 3.min(usize::from(model.rules.0.max_seats));
        let bids = model.rounds.get(&current).map_or(0, |round| round.entries.len());
        let with = |status| self.tasks().iter().any(|(round, index)| model.status(*round, *index) == status);
        // Where provers are given little time they take their time.
        let careless = model.rules.0.proving_period < 75;
        let parcels = model.parcels.iter().any(|parcel| model.is_resolved(parcel.1));
        let lost = model.stakes.keys().any(|(_, round, _)| model.now >= model.rules.reveal_by(*round));

        // Whether the round has what makes it worth to close.
        let busy = bids >= 4 || (sealed && self.committed(current) && seats >= 2);
        let if_or = |holds: bool, yes: u32, no: u32| if holds { yes } else { no };
        let choices: [(u32, Make<'a, R>); 20] = [
            (if_or(settleable, 8, if_or(busy, 120, 20)), Self::wait),
            (if_or(settleable, 150, 1), Self::settle),
            (if_or(settleable, 40, 1), Self::page),
            (if_or(sealed, 1, if_or(busy, 5, 60)), Self::bid),
            (if_or(sealed, if_or(busy, 20, 60), 1), Self::commit_bid),
            (if_or(sealed, 40, 1), Self::commit_ask),
            (if_or(opening, 200, 1), Self::reveal),
            (if_or(lost, 12, 1), Self::forfeit),
            (if_or(few_seats, 60, 1), Self::register),
            (3, Self::ask),
            (3, Self::change_capacity),
            (4, Self::release_capacity),
            (2, Self::operator),
            (if_or(with(Status::Assigned) && !careless, 30, 5), Self::deliver),
            (if_or(with(Status::Assigned) && !careless, 10, 2), Self::deliver_batch),
            (if_or(with(Status::Defaulted), 40, 1), Self::take_over),
            (if_or(with(Status::Expirable), 30, 1), Self::expire),
            (if_or(parcels, 10, 1), Self::release),
            (if_or(self.known.untold.is_empty(), 0, 6), Self::publish),
            (6, Self::money),
        ];
        let total = choices.iter().map(|(weight, _)| weight).sum();
        let mut at = self.rng.random_range(0..total);
        for (weight, make) in choices {
            if at < weight {
                return make(self);
            }
            at -= weight;
        }
        Call::Collect
    }

    /// At the beginning most bring some money.
    fn first_deposit(&mut self) -> Option<Call> {
        let from = *self.play.cast.senders().get(self.known.deposits)?;
        self.known.deposits += 1;
        let rules = &self.play.model.rules;
        let amount = u128::from(self.rng.random_range(0..4_000_u32)) * rules.0.tick;
        let value = if rules.is_native() { amount } else { 0 };
        // Nobody sends from the contract.
        let to = if self.known.deposits == 12 { self.play.cast.wallet } else { from };
        Some(Call::Deposit { from, to, amount, value })
    }

    fn wait(&mut self) -> Call {
        let (model, now) = (&self.play.model, self.play.model.now);
        let rules = &model.rules;
        let current = model.current();
        let deadlines = (current.saturating_sub(6)..=current).flat_map(|round| {
            let of_round = [
                rules.close_of(round),
                rules.reveal_by(round),
                rules.settle_by(round),
                rules.prove_by(round),
                rules.final_at(round),
                rules.final_at(round) * 2 - rules.settle_by(round),
            ];
            let tasks = model.rounds.get(&round).into_iter().flat_map(|round| round.tasks.values());
            let of_takers = tasks.flat_map(|task| task.holders.iter().filter_map(|(_, deadline)| *deadline));
            of_round.into_iter().chain(of_takers).collect::<Vec<_>>()
        });
        let next = deadlines.filter(|time| *time > now + 1).min().unwrap_or(now + 10);
        Call::Wait(match self.rng.random_range(0..10) {
            0 => next - 1 - now,
            1 => next + 1 - now,
            2..8 => next - now,
            8 => self.rng.random_range(1..=(next - now)),
            _ => self.rng.random_range(1..60),
        })
    }

    fn money(&mut self) -> Call {
        let tick = self.play.model.rules.0.tick;
        let by = self.sender();
        match self.rng.random_range(0..10) {
            0..4 => {
                let amount = u128::from(self.rng.random_range(0..1_000_u32)) * tick
                    + u128::from(self.rng.random_bool(0.05));
                let to = if self.rarely() { Address::ZERO } else { self.anybody() };
                let right = if self.play.model.rules.is_native() { amount } else { 0 };
                let value = if self.rarely() { right + 1 } else { right };
                Call::Deposit { from: by, to, amount, value }
            }
            4..7 => {
                let balance = self.play.model.balance(by);
                let amount = match self.rng.random_range(0..3) {
                    0 => None,
                    1 => Some(balance + u128::from(self.rng.random_bool(0.2))),
                    _ => Some(self.rng.random_range(0..=balance)),
                };
                let to = if self.rarely() { Address::ZERO } else { self.sender() };
                Call::Withdraw { by, amount, to }
            }
            7 => Call::Collect,
            _ => Call::Fold(self.anybody()),
        }
    }

    fn operator(&mut self) -> Call {
        let by = *self.play.cast.provers().choose(self.rng).expect("provers");
        let operator = if self.rng.random_bool(0.2) { Address::ZERO } else { self.anybody() };
        Call::Operator { by, operator }
    }

    fn register(&mut self) -> Call {
        let by = *self.play.cast.provers().choose(self.rng).expect("provers");
        let capacity = self.capacity();
        let right = if self.play.model.rules.is_sealed() { NO_ASK } else { self.rng.random_range(0..10) };
        let cost = if self.rarely() { NO_ASK - right.min(1) } else { right };
        let rules = &self.play.model.rules;
        let needed = rules.collateral(capacity.into()) + u128::from(rules.0.seat_fee);
        let value = self.value(by, needed);
        Call::Register { by, value, capacity, cost }
    }

    fn ask(&mut self) -> Call {
        let (seat, by) = self.seat();
        let cost = if self.rarely() { NO_ASK } else { self.rng.random_range(0..12) };
        Call::Ask { by, seat, cost }
    }

    fn change_capacity(&mut self) -> Call {
        let (seat, by) = self.seat();
        let capacity = if self.rng.random_bool(0.3) { 0 } else { self.capacity() };
        let before = self.play.model.seats.get(seat).map_or(0, |seat| seat.capacity);
        let needed = self.play.model.rules.collateral(u64::from(capacity).saturating_sub(before));
        let value = self.value(by, needed);
        Call::Capacity { by, value, seat, capacity }
    }

    fn release_capacity(&mut self) -> Call {
        let waits: Vec<usize> = (0..self.play.model.seats.len())
            .filter(|seat| self.play.model.seats[*seat].change.is_some_and(|change| change.shrinks))
            .collect();
        let (any, by) = self.seat();
        match waits.choose(self.rng) {
            Some(seat) if !self.rarely() => {
                Call::ReleaseCapacity { by: self.play.model.seats[*seat].prover, seat: *seat }
            }
            _ => Call::ReleaseCapacity { by, seat: any },
        }
    }

    // ------------------------------------------------------------------------------------------------- parts of calls

    fn rarely(&mut self) -> bool {
        self.rng.random_bool(0.04)
    }

    fn anybody(&mut self) -> Address {
        *self.play.cast.everybody.choose(self.rng).expect("somebody")
    }

    fn sender(&mut self) -> Address {
        *self.play.cast.senders().choose(self.rng).expect("somebody")
    }

    /// What somebody attaches to a call that takes `needed` ticks: what is missing, nothing, or something else.
    fn value(&mut self, by: Address, needed: u128) -> u128 {
        if !self.play.model.rules.is_native() && !self.rarely() {
            return 0;
        }
        let tick = self.play.model.rules.0.tick;
        match self.rng.random_range(0..20) {
            0 => 0,
            1 => needed * tick + 1,
            2..6 => needed * tick,
            _ => needed.saturating_sub(self.play.model.balance(by)) * tick,
        }
    }

    /// A seat, and most often somebody who acts for it.
    fn seat(&mut self) -> (usize, Address) {
        let model = &self.play.model;
        let seat = self.rng.random_range(0..=model.seats.len());
        let Some(state) = model.seats.get(seat).filter(|_| !self.rng.random_bool(0.1)) else {
            return (seat, self.sender());
        };
        let operator = model.operators.get(&state.prover).filter(|_| self.rng.random_bool(0.3));
        let by = operator.copied().unwrap_or(state.prover);
        // Nobody sends for the zero address, and the contract nothing.
        (seat, if self.play.cast.senders().contains(&by) { by } else { self.sender() })
    }

    fn capacity(&mut self) -> u32 {
        let least = self.play.model.rules.0.min_seat_capacity;
        if self.rarely() { self.rng.random_range(0..200) } else { self.rng.random_range(least..=least + 8) }
    }
}
