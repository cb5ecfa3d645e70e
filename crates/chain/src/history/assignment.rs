//! Who proves what in a settled round.

use super::round::{RoundRecord, Winner};
use crate::commitments::{AssignmentTree, assignment_leaf, inputs_hash};
use alloy::primitives::{B256, keccak256};
use bindings::ProverMarket;
use clearing::UserPivot;
use market_types::{AskIndex, BidIndex, TaskSize, Units};

/// A winning task and its prover, with what the contract needs to know it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Index of the bid in its round.
    pub index: BidIndex,
    /// Seat of the prover that the task was assigned to.
    pub seat: AskIndex,
    /// Size of the task (units).
    pub size: TaskSize,
    /// The task as delivery, takeover and expiry name it.
    pub task: ProverMarket::Task,
    path: Vec<B256>,
}

impl Assignment {
    /// The Merkle proof of the task's leaf under the round's assignment root.
    #[must_use]
    pub fn path(&self) -> &[B256] {
        &self.path
    }
}

/// The assignment that follows from a round's bids and what its settlement says, and the root over it; `None` if it says that
/// a bid won that could not.
///
/// Winning tasks keep their order of submission, and a task at offset `o` goes to the first prover of the walk whose end `E`
/// satisfies `o * K < E * Q`, with `K` the capacity of all winners and `Q` the size of the batch.
pub(super) fn assign(
    round: &RoundRecord,
    pivot: UserPivot,
    batch: Units,
    winners: &[Winner],
) -> Option<(Vec<Assignment>, B256)> {
    let capacity =
        winners.iter().fold(0_u128, |sum, winner| sum.saturating_add(winner.capacity.get().into()));
    let batch = u128::from(batch.get());
    let mut walk = winners.iter();
    let mut current = walk.next();
    let mut end = current.map_or(0, |winner| u128::from(winner.capacity.get()));
    let mut offset = 0_u128;
    let (mut assignments, mut leaves) = (Vec::new(), Vec::new());
    for bid in round.bids.iter().filter(|bid| pivot.admits(bid.fee, bid.index)) {
        while offset.saturating_mul(capacity) >= end.saturating_mul(batch) {
            let Some(next) = walk.next() else { break };
            current = Some(next);
            end = end.saturating_add(next.capacity.get().into());
        }
        let Some(winner) = current else { break };
        let statement = round.statement(bid.index)?;
        leaves.push(assignment_leaf(bid.word, bid.index, winner.seat));
        assignments.push(Assignment {
            index: bid.index,
            seat: winner.seat,
            size: bid.size(),
            task: ProverMarket::Task {
                // On chain a round number has 32 bits and a seat 8; others match no root and are refused by the caller.
                round: u32::try_from(round.number.get()).unwrap_or(u32::MAX),
                index: bid.index.get(),
                seat: u8::try_from(winner.seat.get()).unwrap_or(u8::MAX),
                fee: bid.fee.get(),
                circuit: bid.circuit.get(),
                requester: bid.requester,
                inputsHash: inputs_hash(&statement.public_inputs),
                dataHash: keccak256(&statement.data),
            },
            path: Vec::new(),
        });
        offset = offset.saturating_add(bid.size().get().into());
    }
    let tree = AssignmentTree::new(leaves);
    for (position, assignment) in assignments.iter_mut().enumerate() {
        assignment.path = tree.path(position).unwrap_or_default();
    }
    Some((assignments, tree.root()))
}
