//! What is examined, proved and measured, and what this says of what can be offered.

use std::{sync::Arc, time::Duration};

use circuits::{CircuitId, CircuitKind, Proof, Task};
use market_types::TaskSize;
use service::{KEEPS_FAILING, PROVING_FAILED, TOO_SLOW, UNPROVABLE_TASK, trouble};

use super::{Node, assigned::Assigned, memory::Progress, watch};
use crate::{
    plan::{Offerable, TaskId, View, Wish, offerable},
    work::{Finished, ProofError, Published, Unprovable, trial},
};

/// What a proof is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// A task that this prover holds.
    Task(TaskId),
    /// To know how long it takes.
    Trial,
}

type Proved = Finished<(Purpose, Arc<Task>), Result<Proof, ProofError>>;

impl Node {
    pub(super) fn examine(&mut self, assigned: &Assigned) {
        let id = assigned.id;
        self.memory.known(id).progress = match assigned.published() {
            Ok(published) => {
                self.examiner.submit((id, published));
                Progress::Examining
            }
            Err(reason) => left_alone(id, &reason),
        };
    }

    pub(super) fn examined(&mut self, finished: Finished<(TaskId, Published), Result<Task, Unprovable>>) {
        let (id, _) = finished.job;
        let Some(known) = self.memory.get_mut(id) else { return };
        known.progress = match finished.result.unwrap_or(Err(Unprovable::Panicked)) {
            Ok(task) => Progress::Ready(Arc::new(task)),
            Err(reason) => left_alone(id, &reason),
        };
    }

    /// Begins a trial proof.
    pub(super) fn measure(&mut self, circuit: CircuitId) {
        self.memory.trials.begin();
        let task = CircuitKind::from_id(circuit).map_err(|error| error.to_string());
        match task.and_then(|kind| trial(kind).map_err(|error| error.to_string())) {
            Ok(task) => {
                tracing::info!(circuit = %task.kind(), "measuring how long a proof takes");
                self.prover.submit((Purpose::Trial, Arc::new(task)));
            }
            Err(error) => {
                trouble!(error, PROVING_FAILED, %circuit, %error, "no trial can be made");
                self.memory.trials.failed(self.follower.head().timestamp);
                self.failed();
            }
        }
    }

    /// Trial proofs that are being made. They need not be waited for.
    pub(super) fn trials_running(&self) -> usize {
        usize::from(self.memory.trials.is_busy(u64::MAX))
    }

    pub(super) fn proved(&mut self, finished: Proved) {
        let (purpose, task) = finished.job;
        let (kind, took) = (task.kind(), finished.took);
        let result = match finished.result {
            Ok(result) => result.map_err(|error| error.to_string()),
            Err(panicked) => Err(panicked.to_string()),
        };
        watch::proved(kind, took, result.is_ok());
        match &result {
            Ok(_) => self.succeeded(kind, took),
            Err(_) => self.failed(),
        }
        match purpose {
            Purpose::Task(id) => self.proved_task(id, took, result),
            Purpose::Trial => self.tried(kind, took, result.err()),
        }
    }

    fn proved_task(&mut self, id: TaskId, took: Duration, result: Result<Proof, String>) {
        let progress = match result {
            Ok(proof) => {
                tracing::info!(task = %id, ?took, "proved");
                Progress::Proved(Arc::new(proof))
            }
            // What failed once would fail again, and cost as much again.
            Err(error) => {
                trouble!(error, PROVING_FAILED, task = %id, %error, "proving failed");
                Progress::Unprovable
            }
        };
        match self.memory.get_mut(id) {
            Some(known) => known.progress = progress,
            None => tracing::info!(task = %id, "the task has ended meanwhile, its proof is dropped"),
        }
    }

    fn tried(&mut self, kind: CircuitKind, took: Duration, error: Option<String>) {
        match error {
            None => {
                tracing::info!(circuit = %kind, ?took, "measured");
                self.memory.trials.ended();
            }
            Some(error) => {
                trouble!(error, PROVING_FAILED, circuit = %kind, %error, "a trial proof failed");
                self.memory.trials.failed(self.follower.head().timestamp);
            }
        }
    }

    fn succeeded(&mut self, kind: CircuitKind, took: Duration) {
        if let Ok(size) = TaskSize::new(kind.units()) {
            self.memory.paces.measure(kind.id(), size, took);
        }
        if self.memory.failures >= self.policy.failures.get() {
            tracing::info!(circuit = %kind, "a proof was made: asking again");
        }
        self.memory.failures = 0;
    }

    fn failed(&mut self) {
        self.memory.failures = self.memory.failures.saturating_add(1);
        if self.memory.failures == self.policy.failures.get() {
            trouble!(
                error,
                KEEPS_FAILING,
                failures = self.memory.failures,
                "so many proofs have failed in a row that nothing more is asked for or taken over, until one is made"
            );
        }
    }

    /// Tells the prover when this machine is too slow for what is offered or to be offered.
    pub(super) fn tell_of_limit(&mut self, view: &View) {
        let (Wish::Serve { capacity, .. }, Offerable::Units(units)) = (view.wish, offerable(view)) else {
            return;
        };
        let held = view.seats.iter().fold(0_u64, |sum, seat| sum.saturating_add(seat.staying.get()));
        let wanted = if view.seats.is_empty() { capacity.get().into() } else { held };
        if units < wanted && self.memory.told_units != Some(units) {
            self.memory.told_units = Some(units);
            trouble!(
                warn,
                TOO_SLOW,
                wanted,
                units,
                least = view.rules.least_capacity,
                margin = view.policy.margin.percent(),
                "this machine proves less in the margin of the proving period than was to be offered: it offers so many units, or \
                 nothing if that is less than the least"
            );
        }
    }
}

fn left_alone(task: TaskId, reason: &Unprovable) -> Progress {
    trouble!(warn, UNPROVABLE_TASK, %task, %reason, "left alone, no proof of it can be made");
    Progress::Unprovable
}
