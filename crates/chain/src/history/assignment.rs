//! Who proves what in a settled round.
//!
//! The winning tasks of one entry that fall to one prover are a *run*: they have one leaf in the assignment tree, and one path.

use super::entry::EntryRecord;
use super::round::{PageShare, RoundRecord, Winner};
use crate::commitments::{MerkleTree, assignment_leaf};
use crate::outcome::winners;
use alloy::primitives::{B256, Bytes, keccak256};
use bindings::ProverMarket;
use clearing::UserPivot;
use market_types::{AskIndex, BidIndex, LotSize, TaskSize, Units};

/// A winning task and its prover. [`RoundRecord::named_task`] and [`RoundRecord::path`] are what the contract needs to know it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignment {
    /// Index of the bid in its round.
    pub index: BidIndex,
    /// Seat of the prover that the task was assigned to.
    pub seat: AskIndex,
    /// Size of the task (units).
    pub size: TaskSize,
    /// How many tasks of its run lie before it.
    pub run_before: u16,
    /// How many tasks of its run lie after it.
    pub run_after: u16,
    /// Where the leaf of its run stands in the assignment tree.
    leaf: u32,
}

/// All assignments of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assigned {
    /// In order of submission.
    pub(super) tasks: Vec<Assignment>,
    pub(super) tree: MerkleTree,
}

/// The assignment that follows from a round's bids and what its settlement says.
///
/// Winning tasks keep their order of submission, and a task at offset `o` goes to the first prover of the walk whose end `E`
/// satisfies `o * K < E * Q`, with `K` the capacity of all winners and `Q` the size of the batch. The leaves of the tree, one for each
/// run, stand page by page as they were settled, from the last page of the round to the first.
pub(super) fn assign(
    round: &RoundRecord,
    pivot: UserPivot,
    batch: Units,
    provers: &[Winner],
    pages: &[PageShare],
) -> Assigned {
    let capacity =
        provers.iter().fold(0_u128, |sum, winner| sum.saturating_add(winner.capacity.get().into()));
    let batch = u128::from(batch.get());
    let mut walk = provers.iter();
    let mut current = walk.next();
    let mut end = current.map_or(0, |winner| u128::from(winner.capacity.get()));
    let mut offset = 0_u128;
    let (mut tasks, mut leaves) = (Vec::new(), Vec::new());
    for entry in round.entries().iter() {
        let of_entry = tasks.len();
        let won = winners(pivot, entry.fee, entry.first_index, entry.count());
        for bid in entry.bids().take(won.into()) {
            while offset.saturating_mul(capacity) >= end.saturating_mul(batch) {
                let Some(next) = walk.next() else { break };
                current = Some(next);
                end = end.saturating_add(next.capacity.get().into());
            }
            let Some(winner) = current else { break };
            let (index, seat, size) = (bid.index(), winner.seat, entry.size());
            tasks.push(Assignment { index, seat, size, run_before: 0, run_after: 0, leaf: 0 });
            offset = offset.saturating_add(size.get().into());
        }
        leaves.extend(tell_runs(entry, tasks.get_mut(of_entry..).unwrap_or_default()));
    }
    Assigned { tree: MerkleTree::new(by_page(&mut tasks, &leaves, pages, round.bid_count())), tasks }
}

/// Tells the winning tasks of an entry which runs they are, and gives the leaf of each.
fn tell_runs(entry: &EntryRecord, won: &mut [Assignment]) -> Vec<B256> {
    let runs = won.chunk_by_mut(|a, b| a.seat == b.seat);
    let mut position = 0_u16;
    let leaf_of = |run: &mut [Assignment]| {
        let first = *run.first()?;
        let length = LotSize::from_u64(u64::try_from(run.len()).ok()?).ok()?;
        for (before, task) in (0..length.get()).zip(&mut *run) {
            let further = length.get().saturating_sub(1);
            (task.run_before, task.run_after) = (before, further.saturating_sub(before));
        }
        let leaf = assignment_leaf(entry.word, first.index, position, length, first.seat);
        position = position.saturating_add(length.get());
        Some(leaf)
    };
    // No run is empty or longer than an entry.
    runs.filter_map(leaf_of).collect()
}

/// The leaves in the order in which the pages were settled; tells each task where that of its run stands. No page ends within an entry.
fn by_page(tasks: &mut [Assignment], leaves: &[B256], pages: &[PageShare], bids: u32) -> Vec<B256> {
    let runs: Vec<&mut [Assignment]> = tasks.chunk_by_mut(|_, next| next.run_before != 0).collect();
    let mut ordered = Vec::with_capacity(leaves.len());
    let mut rest: Vec<_> = runs.into_iter().zip(leaves).collect();
    let mut end = bids;
    for page in pages {
        end = end.saturating_sub(page.bids);
        let from = rest.partition_point(|(run, _)| run.first().is_some_and(|task| task.index.get() < end));
        for (run, leaf) in rest.drain(from..) {
            let place = u32::try_from(ordered.len()).unwrap_or(u32::MAX);
            run.iter_mut().for_each(|task| task.leaf = place);
            ordered.push(*leaf);
        }
    }
    ordered
}

fn place(assignment: &Assignment) -> usize {
    usize::try_from(assignment.leaf).unwrap_or(usize::MAX)
}

impl RoundRecord {
    /// Who proves what, in order of submission; `None` before the settlement, empty without a trade.
    #[must_use]
    pub fn assignments(&self) -> Option<&[Assignment]> {
        self.settlement.as_ref().map(|settlement| settlement.assigned.tasks.as_slice())
    }

    /// The assignment of one bid, if it won.
    #[must_use]
    pub fn assignment(&self, index: BidIndex) -> Option<&Assignment> {
        let all = self.assignments()?;
        all.binary_search_by_key(&index, |assignment| assignment.index).ok().and_then(|at| all.get(at))
    }

    /// The leaf of the task's run under the round's assignment root.
    #[must_use]
    pub fn leaf(&self, assignment: &Assignment) -> Option<B256> {
        self.settlement.as_ref()?.assigned.tree.leaf(place(assignment))
    }

    /// The Merkle proof of that leaf.
    #[must_use]
    pub fn path(&self, assignment: &Assignment) -> Vec<B256> {
        let tree = self.settlement.as_ref().map(|settlement| &settlement.assigned.tree);
        tree.and_then(|tree| tree.path(place(assignment))).unwrap_or_default()
    }

    /// The task as delivery, takeover and expiry name it; `None` as long as nobody has published what its entry asks for: without
    /// that nobody can deliver it, take it over or expire it.
    #[must_use]
    pub fn named_task(&self, assignment: &Assignment) -> Option<ProverMarket::Task> {
        let bid = self.bid(assignment.index)?;
        let publication = bid.publication()?;
        Some(ProverMarket::Task {
            // On chain a round number has 32 bits and a seat 8; others match no root and are refused.
            round: u32::try_from(self.number.get()).unwrap_or(u32::MAX),
            index: assignment.index.get(),
            position: bid.position,
            runBefore: assignment.run_before,
            runAfter: assignment.run_after,
            lot: bid.word.lot(),
            seat: u8::try_from(assignment.seat.get()).unwrap_or(u8::MAX),
            fee: bid.fee.get(),
            size: bid.size().get(),
            requester: publication.requester,
            statements: publication.root(),
        })
    }

    /// What delivers `proof` for a task; `None` if nothing was published for its bid that could be proved.
    #[must_use]
    pub fn delivery(&self, assignment: &Assignment, proof: Bytes) -> Option<ProverMarket::Delivery> {
        let bid = self.bid(assignment.index)?;
        let statement = bid.statement()?;
        Some(ProverMarket::Delivery {
            task: self.named_task(assignment)?,
            path: self.path(assignment),
            circuit: statement.circuit.get(),
            publicInputs: statement.public_inputs.clone(),
            dataHash: keccak256(&statement.data),
            statementPath: bid.publication()?.path(bid.position)?,
            proof,
        })
    }
}
