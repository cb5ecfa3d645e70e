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

/// Consecutive tasks of one entry that fall to one prover. This is what a round keeps, and not its tasks: a lot may stand for 16,383 of
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// Index of the bid of its first task.
    pub(super) first: BidIndex,
    /// Number of its tasks.
    pub(super) length: LotSize,
    /// Seat of the prover.
    pub(super) seat: AskIndex,
    /// Size of each of its tasks (units).
    pub(super) size: TaskSize,
    /// Where its leaf stands in the assignment tree.
    leaf: u32,
}

impl Run {
    /// Units of all its tasks.
    pub(super) fn units(&self) -> u64 {
        u64::from(self.size.get()).saturating_mul(self.length.get().into())
    }

    /// Its tasks in order.
    fn tasks(self) -> impl ExactSizeIterator<Item = Assignment> + DoubleEndedIterator {
        (0..self.length.get()).map(move |before| self.task(before))
    }

    /// The task of the bid with this index, if it is of this run.
    fn task_of(self, index: BidIndex) -> Option<Assignment> {
        let before = u16::try_from(index.get().checked_sub(self.first.get())?).ok()?;
        (before < self.length.get()).then(|| self.task(before))
    }

    fn task(self, before: u16) -> Assignment {
        let index = u64::from(self.first.get()).saturating_add(before.into());
        Assignment {
            index: BidIndex::from_u64(index).unwrap_or(BidIndex::MAX),
            seat: self.seat,
            size: self.size,
            run_before: before,
            run_after: self.length.get().saturating_sub(1).saturating_sub(before),
            leaf: self.leaf,
        }
    }
}

/// All assignments of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assigned {
    /// In order of submission.
    pub(super) runs: Vec<Run>,
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
    let mut walk = Walk::new(provers, batch);
    let (mut runs, mut leaves) = (Vec::new(), Vec::new());
    for entry in round.entries().iter() {
        let of_entry = runs.len();
        let mut left = winners(pivot, entry.fee, entry.first_index, entry.count());
        let mut index = u64::from(entry.first_index.get());
        while let Some((seat, length)) = walk.next(entry.size(), left) {
            let Ok(first) = BidIndex::from_u64(index) else { break };
            runs.push(Run { first, length, seat, size: entry.size(), leaf: 0 });
            index = index.saturating_add(length.get().into());
            left = left.saturating_sub(length.get());
        }
        leaves.extend(runs.get(of_entry..).unwrap_or_default().iter().map(|run| leaf_of(entry, run)));
    }
    Assigned { tree: MerkleTree::new(by_page(&mut runs, &leaves, pages, round.bid_count())), runs }
}

/// The provers in the order in which tasks are assigned to them, up to where tasks have been.
struct Walk<'a> {
    further: std::slice::Iter<'a, Winner>,
    seat: Option<AskIndex>,
    /// `K`.
    capacity: u128,
    /// `Q`.
    batch: u128,
    /// `E` of the prover at `seat`.
    end: u128,
    /// `o` of the next task.
    offset: u128,
}

impl<'a> Walk<'a> {
    fn new(provers: &'a [Winner], batch: Units) -> Self {
        let capacity =
            provers.iter().fold(0_u128, |sum, winner| sum.saturating_add(winner.capacity.get().into()));
        let mut walk = Self {
            further: provers.iter(),
            seat: None,
            capacity,
            batch: u128::from(batch.get()),
            end: 0,
            offset: 0,
        };
        walk.go_on();
        walk
    }

    /// The next prover, if there is one.
    fn go_on(&mut self) -> Option<()> {
        let winner = self.further.next()?;
        self.seat = Some(winner.seat);
        self.end = self.end.saturating_add(winner.capacity.get().into());
        Some(())
    }

    /// Who the next task goes to, and how many of `most` tasks of that size do.
    fn next(&mut self, size: TaskSize, most: u16) -> Option<(AskIndex, LotSize)> {
        if most == 0 {
            return None;
        }
        while self.room() == 0 && self.go_on().is_some() {}
        let step = u128::from(size.get()).saturating_mul(self.capacity);
        // Whatever is left goes to the last one.
        let fitting = if self.further.as_slice().is_empty() { None } else { steps(self.room(), step) };
        let length = fitting.and_then(|fitting| u16::try_from(fitting).ok()).map_or(most, |f| f.min(most));
        self.offset = self.offset.saturating_add(u128::from(size.get()).saturating_mul(length.into()));
        Some((self.seat?, LotSize::from_u64(length.into()).ok()?))
    }

    /// `E * Q - o * K`, 0 if it is not above that.
    fn room(&self) -> u128 {
        let end = self.end.saturating_mul(self.batch);
        end.saturating_sub(self.offset.saturating_mul(self.capacity))
    }
}

/// How many steps begin before `room` is used up.
fn steps(room: u128, step: u128) -> Option<u128> {
    room.saturating_add(step).saturating_sub(1).checked_div(step)
}

fn leaf_of(entry: &EntryRecord, run: &Run) -> B256 {
    // A run lies in its entry, which has at most 2^14 bids.
    let position = run.first.get().saturating_sub(entry.first_index.get());
    let position = u16::try_from(position).unwrap_or(u16::MAX);
    assignment_leaf(entry.word, run.first, position, run.length, run.seat)
}

/// The leaves in the order in which the pages were settled; tells each run where its own stands. No page ends within an entry.
fn by_page(runs: &mut [Run], leaves: &[B256], pages: &[PageShare], bids: u32) -> Vec<B256> {
    let mut ordered = Vec::with_capacity(leaves.len());
    let mut rest: Vec<_> = runs.iter_mut().zip(leaves).collect();
    let mut end = bids;
    for page in pages {
        end = end.saturating_sub(page.bids);
        let from = rest.partition_point(|(run, _)| run.first.get() < end);
        for (run, leaf) in rest.drain(from..) {
            run.leaf = u32::try_from(ordered.len()).unwrap_or(u32::MAX);
            ordered.push(*leaf);
        }
    }
    ordered
}

fn place(assignment: &Assignment) -> usize {
    usize::try_from(assignment.leaf).unwrap_or(usize::MAX)
}

impl RoundRecord {
    /// Who proves what, in order of submission; `None` before the settlement, empty without a trade. All at once, which may be as
    /// many as the round has bids; see [`RoundRecord::winning_tasks`].
    #[must_use]
    pub fn assignments(&self) -> Option<Vec<Assignment>> {
        self.settlement.as_ref().map(|_| self.winning_tasks().collect())
    }

    /// Who proves what, in order of submission, one by one; none before the settlement.
    pub fn winning_tasks(&self) -> impl DoubleEndedIterator<Item = Assignment> {
        self.runs().iter().flat_map(|run| run.tasks())
    }

    /// The assignment of one bid, if it won.
    #[must_use]
    pub fn assignment(&self, index: BidIndex) -> Option<Assignment> {
        let runs = self.runs();
        let after = runs.partition_point(|run| run.first <= index);
        runs.get(after.checked_sub(1)?)?.task_of(index)
    }

    /// The runs of its winning tasks, in order of submission.
    pub(super) fn runs(&self) -> &[Run] {
        self.settlement.as_ref().map(|settlement| settlement.assigned.runs.as_slice()).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commitments::{BidWord, Ticket};
    use crate::events::Origin;
    use alloy::primitives::Address;
    use market_types::{Capacity, RoundNumber, UnitFee, UnitPrice};
    use proptest::prelude::*;

    /// A round of lots, each of so many bids of so many units.
    fn round(lots: &[(u16, u32)]) -> RoundRecord {
        let mut round = RoundRecord::new(RoundNumber::new(0));
        for (count, size) in lots {
            let (fee, size) = (UnitFee::new(2).unwrap(), TaskSize::new(*size).unwrap());
            let count = LotSize::from_u64((*count).into()).unwrap();
            let word = BidWord::new(fee, size, count, Ticket::new(Address::ZERO, B256::ZERO));
            let first_index = BidIndex::new(round.bid_count()).unwrap();
            let (requester, origin) =
                (Address::ZERO, Origin { block: 0, time: 0, log_index: 0, tx_hash: B256::ZERO });
            round.entries.push(EntryRecord { first_index, requester, fee, word, origin, publication: None });
        }
        round
    }

    fn provers(capacities: &[u32]) -> Vec<Winner> {
        let seats = (0..).zip(capacities);
        let winner = |(seat, capacity): (u32, &u32)| Winner {
            seat: AskIndex::new(seat),
            capacity: Capacity::new(*capacity).unwrap(),
        };
        seats.map(winner).collect()
    }

    /// All of it wins.
    fn assigned(round: &RoundRecord, provers: &[Winner]) -> Assigned {
        let pivot = UserPivot { fee: UnitPrice::new(1), index: 0 };
        let units = round.entries().iter().map(EntryRecord::units).sum();
        let page = PageShare { settler: Address::ZERO, bids: round.bid_count() };
        assign(round, pivot, Units::new(units), provers, &[page])
    }

    /// Who each task goes to, by the rule as it is written.
    fn by_the_rule(round: &RoundRecord, provers: &[Winner]) -> Vec<(u32, u32)> {
        let all: u128 = provers.iter().map(|winner| u128::from(winner.capacity.get())).sum();
        let batch: u128 = round.bids().map(|bid| u128::from(bid.size().get())).sum();
        let mut offset = 0;
        let seat_of = |bid: super::super::BidRecord<'_>| {
            let mut end = 0;
            let seat = provers.iter().find(|winner| {
                end += u128::from(winner.capacity.get());
                offset * all < end * batch
            });
            offset += u128::from(bid.size().get());
            (bid.index().get(), seat.unwrap().seat.get())
        };
        round.bids().map(seat_of).collect()
    }

    #[test]
    fn a_round_of_as_many_bids_as_fit_is_kept_in_a_run_for_each_lot() {
        let round = round(&[(16_383, 1); 1_024]);
        assert_eq!(round.bid_count(), 16_776_192);
        let assigned = assigned(&round, &provers(&[7_000_000, 5_000_000, 4_776_192]));
        // Two lots are split between two provers.
        assert_eq!((assigned.runs.len(), assigned.tree.len()), (1_026, 1_026));
        assert!(assigned.runs.capacity() * size_of::<Run>() < 64 << 10);
        let tasks: u64 = assigned.runs.iter().map(|run| u64::from(run.length.get())).sum();
        assert_eq!(tasks, 16_776_192);
    }

    proptest! {
        #[test]
        fn runs_are_what_the_rule_says_of_each_task(
            lots in prop::collection::vec((1..40_u16, 1..9_u32), 1..8),
            capacities in prop::collection::vec(1..300_u32, 1..6),
        ) {
            let (round, provers) = (round(&lots), provers(&capacities));
            let assigned = assigned(&round, &provers);
            let tasks = assigned.runs.iter().flat_map(|run| run.tasks());
            let tasks: Vec<_> = tasks.map(|task| (task.index.get(), task.seat.get())).collect();
            prop_assert_eq!(tasks, by_the_rule(&round, &provers));
            for pair in assigned.runs.windows(2) {
                let follows = pair[0].seat == pair[1].seat;
                let entry = |run: &Run| round.bid(run.first).unwrap().first_index;
                prop_assert!(!follows || entry(&pair[0]) != entry(&pair[1]), "one run in two");
            }
            for run in &assigned.runs {
                for task in run.tasks() {
                    prop_assert_eq!(run.task_of(task.index), Some(task));
                    prop_assert_eq!(task.run_before + task.run_after + 1, run.length.get());
                }
            }
        }
    }
}
