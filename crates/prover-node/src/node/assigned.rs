//! Winning tasks that have not ended.

use std::sync::Arc;

use alloy::primitives::{B256, Bytes, U256};
use bindings::ProverMarket::{Delivery, DeliveryBatch, Task};
use chain::{
    Assignment, BidRecord, Market, MarketHistory, RoundRecord, delivery::delivery_batch,
    history::TakeoverRecord,
};
use market_types::{AskIndex, CircuitId};
use thiserror::Error;

use super::memory::Known;
use crate::{
    plan::{Stage, TaskId, TaskView},
    work::{Published, Unprovable},
};

/// A winning task that has not ended. Cheap to clone: it shares its round's record.
#[derive(Debug, Clone)]
pub(super) struct Assigned {
    pub(super) id: TaskId,
    round: Arc<RoundRecord>,
    assignment: Assignment,
}

/// Nobody has published what the task's entry asks for, or a reorganisation has undone it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "nobody has published what task {0} asks for, and without that the contract cannot be told which task it is"
)]
pub(super) struct Unpublished(TaskId);

/// All tasks of a market that have not ended, in order.
pub(super) fn open_tasks(history: &MarketHistory) -> Vec<Assigned> {
    let rounds = history.rounds().filter(|round| round.has_open_tasks());
    rounds.filter_map(|round| history.shared_round(round.number)).flat_map(|round| of_round(&round)).collect()
}

fn of_round(round: &Arc<RoundRecord>) -> Vec<Assigned> {
    let open =
        round.winning_tasks().filter(|one| round.task(one.index).is_none_or(|task| task.end.is_none()));
    let named = open.filter_map(|one| {
        let bid = round.bid(one.index)?;
        let (index, word, position) = (one.index, bid.word.get(), bid.position);
        let id = TaskId { round: round.number, index, word, position };
        Some(Assigned { id, round: Arc::clone(round), assignment: one })
    });
    named.collect()
}

/// The batch that delivers these tasks of one round and circuit, those of one seat together; `None` if they are not that, or if
/// nothing is published any more of which they are proofs.
pub(super) fn batch_of(mut proofs: Vec<(&Assigned, Bytes)>) -> Option<DeliveryBatch> {
    proofs.sort_by_key(|(assigned, _)| (assigned.holder(), assigned.id));
    let (first, _) = proofs.first()?;
    let named: Vec<_> = proofs.iter().map(|(assigned, proof)| (assigned.assignment, proof.clone())).collect();
    delivery_batch(&first.round, &named)
}

impl Assigned {
    fn bid(&self) -> Option<BidRecord<'_>> {
        self.round.bid(self.id.index)
    }

    /// What a proof of it is made with, if somebody has published that.
    pub(super) fn circuit(&self) -> Option<CircuitId> {
        self.bid()?.statement().map(|statement| statement.circuit)
    }

    /// Whether somebody has published what its entry asks for.
    pub(super) fn is_published(&self) -> bool {
        self.bid().is_some_and(|bid| bid.publication().is_some())
    }

    /// The task as the contract names it, with the Merkle path that shows it.
    pub(super) fn named(&self) -> Result<(Task, Vec<B256>), Unpublished> {
        let task = self.round.named_task(&self.assignment).ok_or(Unpublished(self.id))?;
        Ok((task, self.round.path(&self.assignment)))
    }

    /// What delivers this proof.
    pub(super) fn delivery(&self, proof: Bytes) -> Result<Delivery, Unpublished> {
        self.round.delivery(&self.assignment, proof).ok_or(Unpublished(self.id))
    }

    /// What was published for its prover, if there is anything for this very task.
    pub(super) fn published(&self) -> Result<Published, Unprovable> {
        let bid = self.bid().ok_or(Unprovable::NoStatement)?;
        let statement = bid.statement().ok_or(Unprovable::NoStatement)?;
        Ok(Published {
            circuit: statement.circuit,
            public_inputs: statement.public_inputs.iter().map(U256::to_be_bytes).collect(),
            data: statement.data.to_vec(),
        })
    }

    /// First second at which whoever holds it is in default.
    pub(super) fn deadline(&self, market: &Market) -> u64 {
        self.takeovers().last().map_or(market.prove_by(self.id.round), |last| last.deadline)
    }

    fn takeovers(&self) -> &[TakeoverRecord] {
        self.round.task(self.id.index).map_or(&[][..], |task| task.takeovers.as_slice())
    }

    /// The task as the plan sees it, when the events up to block `head` have been read.
    pub(super) fn view(&self, market: &Market, known: &Known, head: u64) -> Option<TaskView> {
        let Assignment { size, seat, .. } = self.assignment;
        let outcome = self.round.settlement.as_ref()?.outcome;
        Some(TaskView {
            id: self.id,
            circuit: self.circuit(),
            size,
            assigned: seat,
            takers: self.takeovers().iter().map(|takeover| takeover.seat).collect(),
            deadline: self.deadline(market),
            final_at: market.final_at(self.id.round),
            payment: outcome.pay_down(size).get(),
            stage: if self.is_published() { known.progress.stage() } else { Stage::Unpublished },
            busy: known.attempts.is_busy(head),
            retry_at: known.attempts.retry_at(),
        })
    }

    /// The seat that can deliver it now.
    pub(super) fn holder(&self) -> AskIndex {
        self.round.holder(&self.assignment)
    }
}
