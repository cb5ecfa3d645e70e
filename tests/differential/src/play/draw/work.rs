//! Settlements, and what happens to tasks.

use super::super::call::{Call, Claim};
use super::Draw;
use crate::model::round::State;
use crate::model::tasks::{Flaw, Status};
use alloy::primitives::Address;
use rand::{Rng, seq::IndexedRandom};

impl<R: Rng> Draw<'_, R> {
    pub(super) fn settle(&mut self) -> Call {
        let by = self.settler();
        let round = self.closed_round();
        let claim = match self.rng.random_range(0..10) {
            0 => Claim::WrongCertificate(self.rng.random()),
            1 => Claim::WrongBids(self.rng.random()),
            _ => Claim::Right,
        };
        Call::Settle { by, round, claim }
    }

    pub(super) fn page(&mut self) -> Call {
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

    pub(super) fn deliver(&mut self) -> Call {
        let (round, index) = self.task(Status::Assigned);
        let flaw = self.flaw();
        Call::Deliver { round, index, flaw }
    }

    /// Tasks of one round and one size.
    pub(super) fn deliver_batch(&mut self) -> Call {
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

    pub(super) fn take_over(&mut self) -> Call {
        let (round, index) = self.task(Status::Defaulted);
        let (seat, by) = self.seat();
        let named = self.play.is_published(round, index) && !self.rarely();
        Call::TakeOver { by, round, index, seat, named }
    }

    pub(super) fn expire(&mut self) -> Call {
        let (round, index) = self.task(Status::Expirable);
        let named = self.play.is_published(round, index) && !self.rarely();
        Call::Expire { round, index, named }
    }

    pub(super) fn release(&mut self) -> Call {
        let model = &self.play.model;
        let due: Vec<_> = model.parcels.iter().filter(|parcel| model.is_resolved(parcel.1)).collect();
        let all: Vec<_> = model.parcels.iter().collect();
        let chosen = if self.rng.random_bool(0.8) { due.choose(self.rng) } else { all.choose(self.rng) };
        let (requester, round, first) = chosen.map_or((self.play.cast.everybody[0], 0, 0), |parcel| **parcel);
        Call::Release { requester, round, first, same_words: !self.rarely() }
    }

    pub(super) fn settler(&mut self) -> Address {
        *self.play.cast.others()[..2].choose(self.rng).expect("settlers")
    }

    pub(super) fn closed_round(&mut self) -> u64 {
        let last = self.play.model.current().saturating_sub(1);
        if self.rarely() { last.saturating_sub(self.rng.random_range(0..3)) } else { last }
    }

    /// Tasks that have not ended.
    pub(super) fn tasks(&self) -> Vec<(u64, u32)> {
        let settled =
            self.play.model.rounds.iter().filter(|(_, round)| matches!(round.state, State::Settled(_)));
        let open = settled.flat_map(|(number, round)| {
            let open = round.tasks.iter().filter(|(_, task)| task.end.is_none());
            open.map(move |(index, _)| (*number, *index))
        });
        open.collect()
    }

    /// Most often one of this status.
    pub(super) fn task(&mut self, status: Status) -> (u64, u32) {
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

    pub(super) fn flaw(&mut self) -> Flaw {
        match self.rng.random_range(0..30) {
            0 => Flaw::Task,
            1 => Flaw::Statement,
            2..5 => Flaw::Proof,
            _ => Flaw::None,
        }
    }
}
