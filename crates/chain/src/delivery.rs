//! Deliveries that share a transaction (pure).
//!
//! Tasks of one round lie in one tree, so the way from each to the root meets the way of another. A batch names every node
//! once: a path ends at the root, or at a node that a delivery before it went through. Tasks of one run have one leaf, so that only the
//! first of them has a way to go. The statements of one entry lie in a tree, too, but each is shown by its whole path: the contract
//! remembers nodes of assignments only.

use std::collections::HashMap;

use crate::commitments::node;
use crate::history::{Assignment, RoundRecord};
use alloy::primitives::{B256, Bytes, U256, keccak256};
use bindings::ProverMarket::{BatchedTask, DeliveryBatch, Task};

/// Most deliveries that a batch of this program has. The contract takes 256; more than these do not get much cheaper.
pub const MAX_TOGETHER: usize = 32;

/// Anchors from this one on are leaves of the batch's deliveries, those below it nodes.
const LEAVES: usize = 0xff00;
/// Most deliveries of a batch, each with an anchor for its leaf.
const MAX_DELIVERIES: usize = 256;

/// A batch that delivers `proofs`, each for a task of `round`. All tasks must be of one circuit, and tasks of one seat are best
/// kept together.
///
/// `None` if there is none, if the round has no such task, if nobody has published what one of them asks for, if circuits or the
/// lengths of statements or proofs differ, or if there are more deliveries or nodes than a batch can number.
#[must_use]
pub fn delivery_batch(round: &RoundRecord, proofs: &[(Assignment, Bytes)]) -> Option<DeliveryBatch> {
    let (first, first_proof) = proofs.first()?;
    let model = round.bid(first.index)?.statement()?;
    let mut batch = DeliveryBatch {
        round: round.named_task(first)?.round,
        circuit: model.circuit.get(),
        deliveries: Vec::new(),
        nodes: Vec::new(),
        publicInputs: Vec::new(),
        proofs: Bytes::new(),
    };
    let mut known = HashMap::new();
    let mut bytes = Vec::new();
    for (assignment, proof) in proofs {
        let statement = round.bid(assignment.index)?.statement()?;
        let inputs = &statement.public_inputs;
        if statement.circuit != model.circuit
            || (inputs.len(), proof.len()) != (model.public_inputs.len(), first_proof.len())
        {
            return None;
        }
        let data = keccak256(&statement.data);
        let task = batched(round, assignment, data, &mut batch.nodes, &mut known)?;
        known.entry(round.leaf(assignment)?).or_insert(LEAVES.saturating_add(batch.deliveries.len()));
        batch.deliveries.push(task);
        batch.publicInputs.extend(inputs);
        bytes.extend_from_slice(proof);
    }
    batch.proofs = bytes.into();
    (batch.deliveries.len() <= MAX_DELIVERIES && batch.nodes.len() < LEAVES).then_some(batch)
}

/// One task of a batch. Adds its nodes: the path of its statement, then its own as far as that is not known.
fn batched(
    round: &RoundRecord,
    assignment: &Assignment,
    data: B256,
    nodes: &mut Vec<B256>,
    known: &mut HashMap<B256, usize>,
) -> Option<BatchedTask> {
    let bid = round.bid(assignment.index)?;
    let task = round.named_task(assignment)?;
    let statement_path = bid.publication()?.path(bid.position)?;
    nodes.extend(&statement_path);
    let way = climb(nodes, known, round.leaf(assignment)?, &round.path(assignment));
    let head = head(&task, statement_path.len(), way)?;
    Some(BatchedTask { head, requester: task.requester, dataHash: data })
}

/// `tasks of its run before it (16) | after it (16) | told (1) | further bids of the entry (15) | number of the bid in its entry (16) |
/// statement path length (8) | index (32) | unit fee (64) | seat (8) | path length (8) | anchor (16)`, the first in the highest of 200 bits.
fn head(task: &Task, statement_length: usize, way: Way) -> Option<U256> {
    let parts = [
        (184, task.runBefore.into()),
        (168, task.runAfter.into()),
        (152, task.lot.into()),
        (136, task.position.into()),
        (128, u8::try_from(statement_length).ok()?.into()),
        (96, task.index.into()),
        (32, task.fee),
        (24, task.seat.into()),
        (16, u8::try_from(way.length).ok()?.into()),
        (0, u16::try_from(way.anchor).ok()?.into()),
    ];
    Some(parts.into_iter().fold(U256::ZERO, |head, (shift, part)| head | (U256::from(part) << shift)))
}

/// What leads from a task to what is known.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// How many nodes it takes.
    length: usize,
    /// Number of the node where it ends among all of the batch, counted from 1; 0 for the root; for the leaf of delivery number k
    /// `LEAVES + k`.
    anchor: usize,
}

/// Adds the nodes that the way from `leaf` to a known leaf or node takes. They become known themselves.
fn climb(nodes: &mut Vec<B256>, known: &mut HashMap<B256, usize>, leaf: B256, path: &[B256]) -> Way {
    let from = nodes.len();
    let mut at = leaf;
    let mut siblings = path.iter();
    let anchor = loop {
        if let Some(number) = known.get(&at) {
            break *number;
        }
        let Some(sibling) = siblings.next() else { break 0 };
        nodes.push(*sibling);
        at = node(at, *sibling);
    };
    // Only once the path is complete: it must not end at a node of its own.
    for (place, added) in nodes.iter().enumerate().skip(from) {
        known.entry(*added).or_insert(place.saturating_add(1));
    }
    Way { length: nodes.len().saturating_sub(from), anchor }
}

#[cfg(test)]
mod tests;
