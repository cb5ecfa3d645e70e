//! Draws calls: mostly such as somebody would make as things stand, now and then any.

use super::Play;
use super::call::{Call, Claim, Wanted};
use super::cast::LARGEST;
use crate::model::round::{Entry, State};
use crate::model::seats::NO_ASK;
use crate::model::tasks::{Flaw, Status};
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

pub(super) struct Draw<'a, R> {
    pub(super) play: &'a Play,
    pub(super) known: &'a mut Known,
    pub(super) rng: &'a mut R,
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
            (if_or(with(Status::Assigned), 30, 1), Self::deliver),
            (if_or(with(Status::Assigned), 8, 1), Self::deliver_batch),
            (if_or(with(Status::Defaulted), 25, 1), Self::take_over),
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

    fn bid(&mut self) -> Call {
        let published = self.rng.random_bool(0.6);
        match self.rng.random_range(0..20) {
            0..8 => {
                let by = *self.play.cast.requesters().choose(self.rng).expect("requesters");
                let bid = self.wanted(by, published);
                let needed = bid.entry.most(self.play.model.rules.0.settlement_fee);
                let value = if published && !self.rarely() { 0 } else { self.value(by, needed) };
                Call::Bid { by, value, bid, published }
            }
            8..18 => {
                let by = *self.play.cast.requesters().choose(self.rng).expect("requesters");
                let count = if self.rarely() { 0 } else { self.rng.random_range(1..6) };
                let bids: Vec<Wanted> = (0..count).map(|_| self.wanted(by, published)).collect();
                let fee = self.play.model.rules.0.settlement_fee;
                let needed = bids.iter().map(|bid| bid.entry.most(fee)).sum();
                let value = if published && !self.rarely() { 0 } else { self.value(by, needed) };
                Call::Bids { by, value, bids, published }
            }
            18 => {
                let count = if self.rarely() { 0 } else { self.rng.random_range(1..4) };
                let bids = (0..count).map(|_| self.signed(published)).collect();
                Call::Signed { bids, published }
            }
            _ => {
                let wallet = self.play.cast.wallet;
                let count = self.rng.random_range(1..3);
                let bids = (0..count).map(|_| (!self.rarely(), self.wanted(wallet, published))).collect();
                Call::Wallet { bids, published }
            }
        }
    }

    fn signed(&mut self, published: bool) -> (Option<usize>, Wanted) {
        let signer = self.rng.random_range(0..self.play.cast.signers.len());
        let bid = self.wanted(self.play.cast.signers[signer].address(), published);
        // What is no word cannot be signed by the tools.
        let signs = bid.bid_word().is_some() && !self.rarely();
        (signs.then_some(signer), bid)
    }

    fn publish(&mut self) -> Call {
        let at = self.rng.random_range(0..self.known.untold.len());
        Call::Publish(self.known.untold.swap_remove(at))
    }

    fn commit_bid(&mut self) -> Call {
        let by = *self.play.cast.requesters().choose(self.rng).expect("requesters");
        let told = self.rng.random_bool(0.7);
        let bid = self.wanted(by, told);
        let salt = B256::from(self.rng.random::<[u8; 32]>());
        let least = bid.entry.most(self.play.model.rules.0.settlement_fee);
        let deposit = if self.rarely() { least / 2 } else { least + self.rng.random_range(0..20) };
        let round = self.round_to_commit();
        let value = self.value(by, deposit);
        self.known.bids.push((round, by, bid, salt));
        Call::CommitBid { by, value, bid, salt, deposit, round }
    }

    fn commit_ask(&mut self) -> Call {
        let (seat, by) = self.seat();
        let prover = self.play.model.seats.get(seat).map_or(by, |seat| seat.prover);
        let (cost, salt) = (self.rng.random_range(0..10), B256::from(self.rng.random::<[u8; 32]>()));
        let round = self.round_to_commit();
        let collateral = self.play.model.seats.get(seat).map_or(0, |seat| seat.capacity);
        let bond = self.play.model.rules.bond(self.play.model.rules.collateral(collateral));
        let value = self.value(by, bond);
        self.known.asks.push((round, seat, cost, salt, prover));
        Call::CommitAsk { by, value, seat, prover, cost, salt, round }
    }

    /// Opens an ask, or some bids, most often of the round that closed last.
    fn reveal(&mut self) -> Call {
        let last = self.play.model.current().saturating_sub(1);
        let asks: Vec<_> = self.known.asks.iter().filter(|(round, ..)| *round == last).copied().collect();
        let open = |round: u64, seat: usize, cost: u64, salt, prover| {
            let commitment = self.play.ask_commitment(round, prover, seat, cost, salt);
            self.play.model.stakes.contains_key(&(prover, round, commitment))
        };
        let waiting: Vec<_> = asks.iter().filter(|(r, s, c, salt, p)| open(*r, *s, *c, *salt, *p)).collect();
        if let Some((_, seat, cost, salt, _)) = waiting.choose(self.rng).filter(|_| self.rng.random_bool(0.7))
        {
            return Call::RevealAsk { seat: *seat, cost: *cost, salt: *salt };
        }
        let rarely = self.rarely();
        let published = self.rng.random_bool(0.9);
        let bids: Vec<_> = self.known.bids.iter().filter(|(round, ..)| *round == last || rarely).collect();
        let count = self.rng.random_range(1..6);
        let bids = bids.choose_multiple(self.rng, count).map(|(_, by, bid, salt)| (*by, *bid, *salt));
        Call::RevealBids { bids: bids.collect(), published }
    }

    fn forfeit(&mut self) -> Call {
        let late = |round: u64| self.play.model.now >= self.play.model.rules.reveal_by(round);
        let all: Vec<_> = self.play.model.stakes.keys().copied().collect();
        let due: Vec<_> = all.iter().copied().filter(|(_, round, _)| late(*round)).collect();
        let chosen = if self.rarely() { all.choose(self.rng) } else { due.choose(self.rng) };
        let unknown = (self.sender(), 0, B256::repeat_byte(1));
        let (account, round, commitment) = chosen.copied().unwrap_or(unknown);
        Call::Forfeit { account, round, commitment }
    }

    fn settle(&mut self) -> Call {
        let by = self.settler();
        let round = self.closed_round();
        let claim = match self.rng.random_range(0..10) {
            0 => Claim::WrongCertificate(self.rng.random()),
            1 => Claim::WrongBids(self.rng.random()),
            _ => Claim::Right,
        };
        Call::Settle { by, round, claim }
    }

    fn page(&mut self) -> Call {
        let by = self.settler();
        let round = self.closed_round();
        let entries = self.play.model.rounds.get(&round).map_or(0, |round| round.entries.len());
        let pages = self.play.pages.len();
        let after = (pages > 0 && self.rng.random_bool(0.7)).then(|| match self.rarely() {
            true => self.rng.random_range(0..pages),
            false => pages - 1,
        });
        let begin = if self.rng.random_bool(0.4) { 0 } else { self.rng.random_range(0..entries.max(1)) };
        Call::Page { by, round, after, begin }
    }

    fn deliver(&mut self) -> Call {
        let (round, index) = self.task(Status::Assigned);
        let flaw = self.flaw();
        Call::Deliver { round, index, flaw }
    }

    /// Tasks of one round and one size.
    fn deliver_batch(&mut self) -> Call {
        let (round, index) = self.task(Status::Assigned);
        let tasks = self.play.model.rounds.get(&round).map(|round| &round.tasks);
        let size = tasks.and_then(|tasks| tasks.get(&index)).map(|task| task.size);
        let same: Vec<u32> = tasks
            .into_iter()
            .flatten()
            .filter(|(index, task)| Some(task.size) == size && self.play.is_published(round, **index))
            .map(|(index, _)| *index)
            .collect();
        let count = self.rng.random_range(1..5);
        let mut deliveries: Vec<(u32, Flaw)> = same
            .choose_multiple(self.rng, count)
            .copied()
            .map(|index| (index, if self.rng.random_bool(0.1) { Flaw::Proof } else { Flaw::None }))
            .collect();
        if self.rarely() {
            // Paths after it may lead to its nodes, so it is the last.
            deliveries.extend(deliveries.last().copied().map(|(index, _)| (index, Flaw::Task)));
        }
        Call::DeliverBatch { round, deliveries }
    }

    fn take_over(&mut self) -> Call {
        let (round, index) = self.task(Status::Defaulted);
        let (seat, by) = self.seat();
        let named = self.play.is_published(round, index) && !self.rarely();
        Call::TakeOver { by, round, index, seat, named }
    }

    fn expire(&mut self) -> Call {
        let (round, index) = self.task(Status::Expirable);
        let named = self.play.is_published(round, index) && !self.rarely();
        Call::Expire { round, index, named }
    }

    fn release(&mut self) -> Call {
        let model = &self.play.model;
        let due: Vec<_> = model.parcels.iter().filter(|parcel| model.is_resolved(parcel.1)).collect();
        let all: Vec<_> = model.parcels.iter().collect();
        let chosen = if self.rng.random_bool(0.8) { due.choose(self.rng) } else { all.choose(self.rng) };
        let (requester, round, first) = chosen.map_or((self.play.cast.everybody[0], 0, 0), |parcel| **parcel);
        Call::Release { requester, round, first, same_words: !self.rarely() }
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

    fn settler(&mut self) -> Address {
        *self.play.cast.others()[..2].choose(self.rng).expect("settlers")
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

    fn wanted(&mut self, named: Address, published: bool) -> Wanted {
        let told = if self.rarely() { !published } else { published };
        let sealed = self.play.model.rules.is_sealed();
        let mut entry = Entry {
            named: if self.rng.random_bool(0.1) { self.anybody() } else { named },
            fee: self.rng.random_range(1..16),
            size: self.rng.random_range(1..=LARGEST),
            count: if sealed || self.rng.random_bool(0.7) { 1 } else { self.rng.random_range(2..5) },
            told,
        };
        match self.rng.random_range(0..150) {
            0 => entry.fee = 0,
            1 => entry.size = 0,
            2 => entry.size = LARGEST + 1,
            3 => (entry.count, entry.told) = (1 << 14, false),
            4 => entry.count = 2,
            _ => {}
        }
        self.known.nonce += 1;
        let wanted = Wanted { entry, nonce: self.known.nonce };
        if !entry.told && entry.count < 8 {
            self.known.untold.push(wanted);
        }
        wanted
    }

    fn round_to_commit(&mut self) -> u64 {
        let current = self.play.model.current();
        if self.rarely() { current + 1 } else { current }
    }

    fn closed_round(&mut self) -> u64 {
        let last = self.play.model.current().saturating_sub(1);
        if self.rarely() { last.saturating_sub(self.rng.random_range(0..3)) } else { last }
    }

    fn committed(&self, round: u64) -> bool {
        self.play.model.stakes.keys().any(|(_, of, _)| *of == round)
    }

    /// Tasks that have not ended.
    fn tasks(&self) -> Vec<(u64, u32)> {
        let settled =
            self.play.model.rounds.iter().filter(|(_, round)| matches!(round.state, State::Settled(_)));
        let open = settled.flat_map(|(number, round)| {
            let open = round.tasks.iter().filter(|(_, task)| task.end.is_none());
            open.map(move |(index, _)| (*number, *index))
        });
        open.collect()
    }

    /// Most often one of this status.
    fn task(&mut self, status: Status) -> (u64, u32) {
        let model = &self.play.model;
        let all: Vec<_> = model
            .rounds
            .iter()
            .flat_map(|(round, known)| known.tasks.keys().map(move |index| (*round, *index)))
            .collect();
        let open: Vec<_> = self
            .tasks()
            .into_iter()
            .filter(|(round, index)| model.status(*round, *index) == status)
            .collect();
        let chosen =
            if self.rarely() || open.is_empty() { all.choose(self.rng) } else { open.choose(self.rng) };
        chosen.copied().unwrap_or((0, 0))
    }

    fn flaw(&mut self) -> Flaw {
        match self.rng.random_range(0..30) {
            0 => Flaw::Task,
            1 => Flaw::Statement,
            2..5 => Flaw::Proof,
            _ => Flaw::None,
        }
    }
}
