//! Winning tasks that have not ended.

use std::sync::Arc;

use alloy::primitives::{B256, U256};
use bindings::ProverMarket::Task;
use chain::{Assignment, BidRecord, Market, MarketHistory, RoundRecord, Statement};
use market_types::AskIndex;
use thiserror::Error;

use super::memory::Known;
use crate::{
    plan::{TaskId, TaskView},
    work::Published,
};

/// A winning task that has not ended. Cheap to clone: it shares its round's record.
#[derive(Debug, Clone)]
pub(super) struct Assigned {
    pub(super) id: TaskId,
    round: Arc<RoundRecord>,
    position: usize,
}

/// A bug: a round's record lost a task that it had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("task {0} is not in the record of its round; report this as a bug")]
pub(super) struct Vanished(TaskId);

/// All tasks of a market that have not ended, in order.
pub(super) fn open_tasks(history: &MarketHistory) -> Vec<Assigned> {
    let rounds = history.rounds().filter(|round| has_open_task(round));
    rounds.filter_map(|round| history.shared_round(round.number)).flat_map(|round| of_round(&round)).collect()
}

fn has_open_task(round: &RoundRecord) -> bool {
    let ended = |assignment: &Assignment| round.task(assignment.index).is_some_and(|task| task.end.is_some());
    round.assignments().is_some_and(|all| !all.iter().all(ended))
}

fn of_round(round: &Arc<RoundRecord>) -> Vec<Assigned> {
    let all = round.assignments().unwrap_or_default().iter().enumerate();
    let open = all.filter(|(_, one)| round.task(one.index).is_none_or(|task| task.end.is_none()));
    let named = open.filter_map(|(position, one)| {
        let word = round.bid(one.index)?.word.get();
        let id = TaskId { round: round.number, index: one.index, word };
        Some(Assigned { id, round: Arc::clone(round), position })
    });
    named.collect()
}

impl Assigned {
    fn assignment(&self) -> Option<&Assignment> {
        self.round.assignments()?.get(self.position)
    }

    fn bid(&self) -> Option<&BidRecord> {
        self.round.bid(self.id.index)
    }

    fn statement(&self) -> Option<&Statement> {
        self.round.statement(self.id.index)
    }

    /// The task as the contract names it, with the Merkle path that shows it.
    pub(super) fn named(&self) -> Result<(Task, Vec<B256>), Vanished> {
        let assignment = self.assignment().ok_or(Vanished(self.id))?;
        Ok((assignment.task.clone(), assignment.path().to_vec()))
    }

    /// The statement, besides the circuit.
    pub(super) fn public_inputs(&self) -> Result<Vec<U256>, Vanished> {
        Ok(self.statement().ok_or(Vanished(self.id))?.public_inputs.clone())
    }

    /// What its requester published, for the prover.
    pub(super) fn published(&self) -> Option<Published> {
        let statement = self.statement()?;
        Some(Published {
            circuit: self.bid()?.circuit,
            public_inputs: statement.public_inputs.iter().map(U256::to_be_bytes).collect(),
            data: statement.data.to_vec(),
        })
    }

    /// The task as the plan sees it, when the events up to block `head` have been read.
    pub(super) fn view(&self, market: &Market, known: &Known, head: u64) -> Option<TaskView> {
        let assignment = self.assignment()?;
        let takeovers = self.round.task(self.id.index).map_or(&[][..], |task| task.takeovers.as_slice());
        let outcome = self.round.settlement.as_ref()?.outcome;
        Some(TaskView {
            id: self.id,
            size: assignment.size,
            assigned: assignment.seat,
            takers: takeovers.iter().map(|takeover| takeover.seat).collect(),
            deadline: takeovers.last().map_or(market.prove_by(self.id.round), |last| last.deadline),
            final_at: market.final_at(self.id.round),
            payment: outcome.pay_down(assignment.size).get(),
            stage: known.progress.stage(),
            busy: known.attempts.is_busy(head),
            retry_at: known.attempts.retry_at(),
        })
    }

    /// The seat that can deliver it now.
    pub(super) fn holder(&self) -> Option<AskIndex> {
        Some(self.round.holder(self.assignment()?))
    }
}
