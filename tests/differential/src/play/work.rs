//! Calls that settle rounds and end tasks, on both sides.

use super::accounts::left;
use super::call::{Call, Claim};
use super::{Both, Play};
use crate::model::tasks::Flaw;
use crate::staged::on_chain;
use crate::wrong;
use alloy::primitives::{Address, B256, Bytes, U256};
use bindings::ProverMarket::{self as M, Task};
use chain::commitments::BidWord;
use chain::delivery::delivery_batch;
use chain::settlement::Settling;
use chain::{Assignment, RoundRecord};
use clearing::certificate;
use market_types::{BidIndex, RoundNumber};
use rand::{SeedableRng, rngs::StdRng, seq::IndexedRandom};

impl Play {
    pub(super) fn make_work_call(&mut self, call: &Call) -> Option<Both> {
        match call {
            Call::Settle { by, round, claim } => self.make_settlement(*by, *round, *claim),
            Call::Page { by, round, after, begin } => self.make_page(*by, *round, *after, *begin),
            Call::Deliver { round, index, flaw } => self.make_delivery(*round, *index, *flaw),
            Call::DeliverBatch { round, deliveries } => self.make_batch(*round, deliveries),
            Call::TakeOver { by, round, index, seat, named } => {
                let (task, path) = self.named_or_not(*round, *index, *named)?;
                let ours = self.model.call(|m| m.take_over(*by, (*round, *index), *seat, *named));
                let (id, seat) = (self.world.market.id.get(), U256::from(*seat));
                let call = M::takeOverCall { id, task, path, seat };
                let theirs = self.send(*by, 0, &call);
                Some((ours.map(u128::from), theirs.map(super::accounts::number)))
            }
            Call::Expire { round, index, named } => {
                let (task, path) = self.named_or_not(*round, *index, *named)?;
                let ours = self.model.call(|model| model.expire(*round, *index, *named));
                let call = M::expireCall { id: self.world.market.id.get(), task, path };
                Some((ours.map(|()| 0), self.anybody(&call).map(|_| 0)))
            }
            _ => None,
        }
    }

    fn make_settlement(&mut self, by: Address, number: u64, claim: Claim) -> Option<Both> {
        let record = self.world.history.shared_round(RoundNumber::new(number))?;
        let mechanism = self.world.market.params.mechanism;
        let words: Vec<BidWord> = record.words();
        if words.len() != self.model.rounds.get(&number)?.entries.len() || number >= self.model.current() {
            return None;
        }
        let round = self.model.closed_round(number);
        let right = on_chain(&certificate(mechanism, &round));
        let (certificate, words) = match claim {
            Claim::Right => (right, words),
            Claim::WrongCertificate(seed) => {
                let rng = &mut StdRng::seed_from_u64(seed);
                let other = wrong::certificates(mechanism, &round, &right, rng).choose(rng)?.clone();
                (other, words)
            }
            Claim::WrongBids(seed) => {
                let rng = &mut StdRng::seed_from_u64(seed);
                (right, wrong::bids(&words, rng).choose(rng)?.clone())
            }
        };
        let ours = self.model.call(|model| model.settle(by, number, claim == Claim::Right));
        let call = M::settleCall {
            id: self.world.market.id.get(),
            round: U256::from(number),
            certificate,
            words: words.into_iter().map(Into::into).collect(),
        };
        Some((ours.map(|()| 0), self.send(by, 0, &call).map(|_| 0)))
    }

    fn make_page(&mut self, by: Address, number: u64, after: Option<usize>, begin: usize) -> Option<Both> {
        let record = self.world.history.shared_round(RoundNumber::new(number))?;
        let known = self.model.rounds.get(&number)?;
        if record.entries().len() != known.entries.len() || number >= self.model.current() {
            return None;
        }
        let before = known.entries.get(begin)?.first;
        let certificate = certificate(self.world.market.params.mechanism, &self.model.closed_round(number));
        let settling =
            Settling::new(&self.world.market, self.world.seed(record.number), &record, &certificate);
        let after = match after {
            Some(page) => Some(self.pages.get(page)?.clone()),
            None => None,
        };
        let call = settling.page(begin, after.as_ref())?;
        let left_before = after.as_ref().map(|page| (page.settler, left(page, known.count())));
        let ours = self.model.call(|model| {
            let after = left_before.as_ref().map(|(settler, left)| (*settler, left));
            model.settle_page(by, number, after, before)
        });
        let theirs = self.send(by, 0, &call).map(|_| 0);
        if theirs.is_ok() {
            let record = self.world.history.round(record.number)?;
            self.pages.extend(record.pages.iter().find(|page| page.settler == by).cloned());
        }
        Some((ours.map(|()| 0), theirs))
    }

    fn make_delivery(&mut self, number: u64, index: u32, flaw: Flaw) -> Option<Both> {
        let (record, assignment) = self.assignment(number, index)?;
        let mut delivery = record.delivery(&assignment, proof(flaw))?;
        match flaw {
            Flaw::Task => delivery.task.fee += 1,
            Flaw::Statement => delivery.publicInputs[0] += U256::from(1),
            Flaw::None | Flaw::Proof => {}
        }
        let ours = self.model.call(|model| model.deliver(number, index, flaw));
        let call = M::deliverCall { id: self.world.market.id.get(), delivery };
        Some((ours.map(|()| 0), self.anybody(&call).map(|_| 0)))
    }

    fn make_batch(&mut self, number: u64, deliveries: &[(u32, Flaw)]) -> Option<Both> {
        let record = self.world.history.shared_round(RoundNumber::new(number))?;
        let proofs = deliveries
            .iter()
            .map(|(index, flaw)| Some((record.assignment(BidIndex::new(*index).ok()?)?, proof(*flaw))));
        let mut batch = delivery_batch(&record, &proofs.collect::<Option<Vec<_>>>()?)?;
        for (delivery, (_, flaw)) in batch.deliveries.iter_mut().zip(deliveries) {
            if *flaw == Flaw::Task {
                // Another seat.
                delivery.head ^= U256::from(1) << 24;
            }
        }
        let ours = self.model.call(|model| model.deliver_batch(number, deliveries));
        let bits = |delivered: Vec<bool>| delivered.iter().rev().fold(0, |b, is| b << 1 | u128::from(*is));
        let call = M::deliverBatchCall { id: self.world.market.id.get(), batch };
        Some((ours.map(bits), self.anybody(&call).map(super::accounts::number)))
    }

    fn assignment(&self, number: u64, index: u32) -> Option<(std::sync::Arc<RoundRecord>, Assignment)> {
        let record = self.world.history.shared_round(RoundNumber::new(number))?;
        let assignment = record.assignment(BidIndex::new(index).ok()?)?;
        Some((record, assignment))
    }

    /// The task with its path; `named`: with what was published for it.
    fn named_or_not(&self, number: u64, index: u32, named: bool) -> Option<(Task, Vec<B256>)> {
        let (record, assignment) = self.assignment(number, index)?;
        let path = record.path(&assignment);
        if named {
            return Some((record.named_task(&assignment)?, path));
        }
        let bid = record.bid(assignment.index)?;
        let task = Task {
            round: u32::try_from(number).ok()?,
            index,
            position: bid.position,
            runBefore: assignment.run_before,
            runAfter: assignment.run_after,
            lot: bid.word.lot(),
            seat: u8::try_from(assignment.seat.get()).ok()?,
            fee: bid.fee.get(),
            size: bid.size().get(),
            requester: Address::ZERO,
            statements: bid.word.ticket().get().into(),
        };
        Some((task, path))
    }

    /// Whether somebody has told what the task is.
    pub(super) fn is_published(&self, number: u64, index: u32) -> bool {
        let known = self.assignment(number, index);
        known.is_some_and(|(record, assignment)| record.named_task(&assignment).is_some())
    }
}

/// 32 bytes that the verifier takes, or does not.
fn proof(flaw: Flaw) -> Bytes {
    B256::with_last_byte(u8::from(flaw != Flaw::Proof)).into()
}
