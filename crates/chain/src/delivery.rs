//! Deliveries that share a transaction (pure).
//!
//! Tasks of one round lie in one tree, so the way from each to the root meets the way of another. A batch names every node
//! once: a path ends at the root, or at a node that a delivery before it went through.

use std::collections::HashMap;

use crate::commitments::{assignment_leaf, node};
use crate::history::{Assignment, RoundRecord};
use alloy::primitives::{B256, Bytes, U256};
use bindings::ProverMarket::{Delivery, DeliveryBatch};

/// Most deliveries that a batch of this program has. The contract takes 256; more than these do not get much cheaper.
pub const MAX_TOGETHER: usize = 32;

/// A batch that delivers `proofs`, each for a task of `round`. All tasks must be of one circuit, and tasks of one seat are best
/// kept together.
///
/// `None` if there is none, if the round has no such task, if circuits differ, or if the nodes are more than a batch can number.
#[must_use]
pub fn delivery_batch(round: &RoundRecord, proofs: &[(&Assignment, Bytes)]) -> Option<DeliveryBatch> {
    let (first, _) = proofs.first()?;
    let mut batch = DeliveryBatch {
        round: first.task.round,
        circuit: first.task.circuit,
        deliveries: Vec::new(),
        nodes: Vec::new(),
        publicInputs: Vec::new(),
        proofs: Bytes::new(),
    };
    let mut known = HashMap::new();
    let mut bytes = Vec::new();
    for (assignment, proof) in proofs {
        let task = &assignment.task;
        if task.round != batch.round || task.circuit != batch.circuit {
            return None;
        }
        let bid = round.bid(assignment.index)?;
        let leaf = assignment_leaf(bid.word, assignment.index, assignment.seat);
        let (length, anchor) = climb(&mut batch.nodes, &mut known, leaf, assignment.path());
        let head = (U256::from(task.index) << 96)
            | (U256::from(task.fee) << 32)
            | (U256::from(task.seat) << 24)
            | (U256::from(u8::try_from(length).ok()?) << 16)
            | U256::from(u16::try_from(anchor).ok()?);
        batch.deliveries.push(Delivery { head, requester: task.requester, dataHash: task.dataHash });
        batch.publicInputs.extend(&bid.public_inputs);
        bytes.extend_from_slice(proof);
    }
    batch.proofs = bytes.into();
    Some(batch)
}

/// Adds what the way from `leaf` to a known node takes: how many nodes, and the number of the node where it ends, counted from 1,
/// or 0 for the root.
fn climb(
    nodes: &mut Vec<B256>,
    known: &mut HashMap<B256, usize>,
    leaf: B256,
    path: &[B256],
) -> (usize, usize) {
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
    (nodes.len().saturating_sub(from), anchor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commitments::AssignmentTree;
    use proptest::prelude::*;

    /// The check of the contract (`BatchBook`): every path leads to the root or to a node that is known by then.
    fn follow(leaves: &[B256], nodes: &[B256], steps: &[(usize, usize)], root: B256) -> bool {
        let (mut known, mut from) = (Vec::new(), 0);
        leaves.iter().zip(steps).all(|(leaf, (length, anchor))| {
            let path = &nodes[from..from + length];
            from += length;
            let top = if *anchor == 0 { root } else { known[anchor - 1] };
            known.extend_from_slice(path);
            path.iter().fold(*leaf, |at, sibling| node(at, *sibling)) == top
        })
    }

    proptest! {
        #[test]
        fn every_task_of_a_batch_leads_to_the_root(
            count in 1_usize..80,
            picked in prop::collection::vec(any::<prop::sample::Index>(), 1..40),
        ) {
            let leaves: Vec<B256> = (0..count).map(|at| B256::from(U256::from(at + 1))).collect();
            let tree = AssignmentTree::new(leaves.clone());
            let (mut nodes, mut known) = (Vec::new(), HashMap::new());
            let places: Vec<usize> = picked.iter().map(|index| index.index(count)).collect();
            let steps: Vec<_> = places
                .iter()
                .map(|at| climb(&mut nodes, &mut known, leaves[*at], &tree.path(*at).unwrap()))
                .collect();
            let chosen: Vec<B256> = places.iter().map(|at| leaves[*at]).collect();
            prop_assert!(follow(&chosen, &nodes, &steps, tree.root()));
        }
    }

    #[test]
    fn a_whole_round_takes_less_than_one_node_for_each_task() {
        for count in [1, 2, 3, 31, 32, 33] {
            let leaves: Vec<B256> = (0..count).map(|at| B256::from(U256::from(at + 1))).collect();
            let tree = AssignmentTree::new(leaves.clone());
            let (mut nodes, mut known) = (Vec::new(), HashMap::new());
            for (at, leaf) in leaves.iter().enumerate() {
                climb(&mut nodes, &mut known, *leaf, &tree.path(at).unwrap());
            }
            assert_eq!(nodes.len(), leaves.len() - 1);
        }
    }
}
