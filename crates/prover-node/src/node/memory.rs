//! What this process knows beyond the chain: witnesses, proofs, and what is under way. All of it can be lost.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use circuits::{Proof, Task};
use market_types::AskIndex;

use crate::plan::{Costs, Paces, Stage, TaskId};

/// Longest pause after failures, in seconds of block time: short against the deadlines that are at stake.
const LONGEST_PAUSE: u64 = 16;

/// What this process knows beyond the chain.
#[derive(Debug, Default)]
pub(super) struct Memory {
    tasks: HashMap<TaskId, Known>,
    /// Transactions about seats and money, of which there is one at a time.
    pub(super) seats: Attempts,
    /// Transactions that open asks.
    pub(super) reveals: Attempts,
    /// Seats whose prover has been told that they are too small.
    pub(super) small_seats: BTreeSet<AskIndex>,
    /// What is wrong among the openings of sealed offers, as the prover has been told.
    pub(super) faults: BTreeSet<String>,
    /// Speed of this machine.
    pub(super) paces: Paces,
    /// Trial proofs.
    pub(super) trials: Attempts,
    /// Proofs that have failed since the last one that was made.
    pub(super) failures: u32,
    /// What deliveries have cost.
    pub(super) costs: Costs,
    /// What the prover has been told that this machine cannot prove: more than so many units.
    pub(super) told_units: Option<u64>,
}

/// What is known of one task.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// How far this node is.
    pub(super) progress: Progress,
    /// Transactions about the task.
    pub(super) attempts: Attempts,
    /// Whether the prover has been told that nobody has published what the task asks for.
    missed: bool,
}

/// What a prover should know of a task on its seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    /// Nobody has published what it asks for.
    Missing,
    /// Somebody has published it since.
    Published,
}

impl Known {
    /// What is new to the prover about a task, given whether somebody has published what it asks for.
    pub(super) fn notice(&mut self, published: bool) -> Option<Notice> {
        let missed = std::mem::replace(&mut self.missed, !published);
        match (missed, published) {
            (false, false) => Some(Notice::Missing),
            (true, true) => Some(Notice::Published),
            _ => None,
        }
    }
}

/// How far this node is with a task, and what it has got so far.
#[derive(Debug, Default)]
pub(super) enum Progress {
    #[default]
    Unexamined,
    Examining,
    Unprovable,
    Ready(Arc<Task>),
    Proving,
    Proved(Arc<Proof>),
}

impl Progress {
    pub(super) fn stage(&self) -> Stage {
        match self {
            Self::Unexamined => Stage::Unexamined,
            Self::Examining => Stage::Examining,
            Self::Unprovable => Stage::Unprovable,
            Self::Ready(_) => Stage::Ready,
            Self::Proving => Stage::Proving,
            Self::Proved(_) => Stage::Proved,
        }
    }
}

/// Transactions, or trial proofs, about one thing, of which one at a time is on its way.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    in_flight: bool,
    mined_in: Option<u64>,
    failures: u32,
    retry_at: u64,
}

impl Attempts {
    /// A transaction is being sent, or a proof made.
    pub(super) fn begin(&mut self) {
        self.in_flight = true;
    }

    /// It came to its end, in no block.
    pub(super) fn ended(&mut self) {
        *self = Self::default();
    }

    /// It is in this block.
    pub(super) fn succeeded(&mut self, block: u64) {
        *self = Self { mined_in: Some(block), ..Self::default() };
    }

    /// It was refused or lost at `now`: the pause doubles with every failure in a row.
    pub(super) fn failed(&mut self, now: u64) {
        let pause = 1_u64.checked_shl(self.failures).map_or(LONGEST_PAUSE, |pause| pause.min(LONGEST_PAUSE));
        self.in_flight = false;
        self.failures = self.failures.saturating_add(1);
        self.retry_at = now.saturating_add(pause);
    }

    /// It was refused or lost at `now`, and there is no time for pauses that grow.
    pub(super) fn failed_in_a_hurry(&mut self, now: u64) {
        *self = Self { retry_at: now.saturating_add(1), ..Self::default() };
    }

    /// Whether something is on its way, or its block is above `head`, the last one whose events have been read.
    pub(super) fn is_busy(&self, head: u64) -> bool {
        self.in_flight || self.mined_in.is_some_and(|block| block > head)
    }

    /// Time before which nothing should be tried.
    pub(super) fn retry_at(&self) -> u64 {
        self.retry_at
    }
}

impl Memory {
    /// That of a node which knows its circuits and nothing else.
    pub(super) fn of(paces: Paces) -> Self {
        Self { paces, ..Self::default() }
    }

    /// What is known of a task; nothing if it is new.
    pub(super) fn known(&mut self, id: TaskId) -> &mut Known {
        self.tasks.entry(id).or_default()
    }

    /// Whether nothing is known of a task.
    pub(super) fn is_new(&self, id: TaskId) -> bool {
        !self.tasks.contains_key(&id)
    }

    /// What is known of a task that has not been forgotten.
    pub(super) fn get_mut(&mut self, id: TaskId) -> Option<&mut Known> {
        self.tasks.get_mut(&id)
    }

    /// Whether there is a proof that no block holds yet.
    pub(super) fn has_undelivered(&self) -> bool {
        let waits = |known: &Known| {
            matches!(known.progress, Progress::Proved(_)) && known.attempts.mined_in.is_none()
        };
        self.tasks.values().any(waits)
    }

    /// Forgets every task that is not in `open`.
    pub(super) fn keep(&mut self, open: &HashSet<TaskId>) {
        self.tasks.retain(|id, _| open.contains(id));
    }

    /// The witness of a task that is ready, whose proof is being made from now on.
    pub(super) fn start_proving(&mut self, id: TaskId) -> Option<Arc<Task>> {
        let progress = &mut self.tasks.get_mut(&id)?.progress;
        match std::mem::replace(progress, Progress::Proving) {
            Progress::Ready(task) => Some(task),
            other => {
                *progress = other;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::B256;
    use circuits::rollup::Demo;
    use market_types::{BidIndex, RoundNumber};

    use super::*;

    fn id(index: u32) -> TaskId {
        TaskId {
            round: RoundNumber::new(0),
            index: BidIndex::new(index).unwrap(),
            word: B256::ZERO,
            position: 0,
        }
    }

    #[test]
    fn pauses_double_up_to_a_limit_and_end_with_a_success() {
        let mut attempts = Attempts::default();
        let mut pauses = Vec::new();
        for _ in 0..100 {
            attempts.begin();
            attempts.failed(1_000);
            pauses.push(attempts.retry_at() - 1_000);
        }
        assert_eq!(pauses[..6], [1, 2, 4, 8, 16, 16]);
        assert_eq!(pauses[99], 16);
        attempts.succeeded(7);
        assert_eq!(attempts.retry_at(), 0);
    }

    #[test]
    fn what_was_sent_is_busy_until_the_events_of_its_block_have_been_read() {
        let mut attempts = Attempts::default();
        assert!(!attempts.is_busy(0));
        attempts.begin();
        assert!(attempts.is_busy(100));
        attempts.succeeded(7);
        assert!(attempts.is_busy(6));
        assert!(!attempts.is_busy(7));
        attempts.begin();
        attempts.failed(0);
        assert!(!attempts.is_busy(7));
    }

    #[test]
    fn only_a_task_that_is_ready_starts_proving_and_only_once() {
        let mut memory = Memory::default();
        assert!(memory.start_proving(id(0)).is_none());
        memory.known(id(0)).progress = Progress::Unprovable;
        assert!(memory.start_proving(id(0)).is_none());
        assert_eq!(memory.known(id(0)).progress.stage(), Stage::Unprovable);
        let demo = Demo::new(0);
        let task = Task::new(demo.state(), &demo.batch(1, 0)).unwrap();
        memory.known(id(0)).progress = Progress::Ready(Arc::new(task));
        assert!(memory.start_proving(id(0)).is_some());
        assert!(memory.start_proving(id(0)).is_none());
        assert_eq!(memory.known(id(0)).progress.stage(), Stage::Proving);
    }

    #[test]
    fn a_prover_is_told_once_that_nothing_is_published_and_once_that_it_is() {
        let mut known = Known::default();
        assert_eq!(known.notice(false), Some(Notice::Missing));
        assert_eq!(known.notice(false), None);
        assert_eq!(known.notice(true), Some(Notice::Published));
        assert_eq!(known.notice(true), None);
        // A reorganisation can undo it.
        assert_eq!(known.notice(false), Some(Notice::Missing));
        assert_eq!(Known::default().notice(true), None);
    }

    #[test]
    fn tasks_that_have_ended_are_forgotten() {
        let mut memory = Memory::default();
        memory.known(id(0));
        memory.known(id(1));
        memory.keep(&HashSet::from([id(1)]));
        assert!(memory.get_mut(id(0)).is_none());
        assert!(memory.get_mut(id(1)).is_some());
    }
}
