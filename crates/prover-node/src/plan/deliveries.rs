//! When to deliver what is proved, and what together.
//!
//! Proofs of one circuit for tasks of one round share a transaction, the pairings that do not depend on the proof, and their
//! way up the tree of assignments: two cost less than one and a half, 32 a fifth each of what they do alone. So a proof
//! waits for others that are being made or are next, but never so long that its own delivery is in danger: a proof that comes late costs
//! the collateral, a transaction more only its fees. The first proof of a circuit is delivered alone, so that it is known what that costs
//! ([`Costs`](super::Costs)); where a batch is then found to be dearer, there is no other.

use market_types::{CircuitId, RoundNumber};

use super::{Action, Stage, TaskId, TaskView, View};

/// Time before its deadline at which a proof is sent whatever is still being made (seconds): a transaction that does not get
/// into a block, or is refused for the mistake of one of its proofs, must leave time for others.
const MARGIN: u64 = 60;

/// Deliveries that are due at `now`, the most urgent first, those that go together next to each other.
pub(super) fn plan(view: &View, held: &[&TaskView], now: u64) -> Vec<Action> {
    let ready: Vec<_> = held.iter().filter(|task| is_ready(task, now)).collect();
    let mut tried = Vec::new();
    let due = ready.into_iter().filter(|task| {
        !can_share(view, task) || is_first(view, held, task, &mut tried) || !can_wait(view, held, task, now)
    });
    due.map(|task| Action::Deliver(task.id)).collect()
}

/// Whether a proof is to show what deliveries of its circuit cost alone, of which one is on its way at a time. `tried`: circuits of which
/// one is about to be.
fn is_first(view: &View, held: &[&TaskView], task: &TaskView, tried: &mut Vec<Option<CircuitId>>) -> bool {
    let is_first = !view.costs.is_known(task.circuit)
        && !tried.contains(&task.circuit)
        && !held.iter().any(|other| other.circuit == task.circuit && other.busy);
    if is_first {
        tried.push(task.circuit);
    }
    is_first
}

/// The deliveries among `actions` as they share transactions, each list as long as one transaction can carry. Tasks keep their order,
/// and a batch the place of its first.
#[must_use]
pub fn together(view: &View, actions: &[Action]) -> Vec<Vec<TaskId>> {
    let mut batches: Vec<(Option<Group>, Vec<TaskId>)> = Vec::new();
    for action in actions {
        let Action::Deliver(id) = action else { continue };
        let task = view.tasks.iter().find(|task| task.id == *id);
        let group = task.filter(|task| can_share(view, task)).map(group_of);
        let open = batches
            .iter_mut()
            .find(|(of, tasks)| group.is_some() && *of == group && tasks.len() < view.rules.most_together);
        match open {
            Some((_, tasks)) => tasks.push(*id),
            None => batches.push((group, vec![*id])),
        }
    }
    batches.into_iter().map(|(_, tasks)| tasks).collect()
}

type Group = (RoundNumber, Option<CircuitId>);

fn group_of(task: &TaskView) -> Group {
    (task.id.round, task.circuit)
}

fn is_ready(task: &TaskView, now: u64) -> bool {
    task.stage == Stage::Proved && !task.busy && now >= task.retry_at
}

/// A task that was taken over has little time and gets its own transaction; so has one whose delivery has failed.
fn can_share(view: &View, task: &TaskView) -> bool {
    task.takers.is_empty()
        && task.retry_at == 0
        && task.circuit.is_some()
        && !view.costs.is_dear_together(task.circuit)
}

/// Whether it is not yet known what a proof costs alone, or another proof for the same batch is being made or will be begun, will be done in
/// time as far as is known, and has room in the batch.
fn can_wait(view: &View, held: &[&TaskView], task: &TaskView, now: u64) -> bool {
    let Some(send_by) = task.deadline.checked_sub(MARGIN) else { return false };
    let same = || held.iter().filter(|other| group_of(other) == group_of(task) && can_share(view, other));
    if !view.costs.is_known(task.circuit) {
        return now < send_by;
    }
    let waiting = same().filter(|other| is_ready(other, now)).count();
    // In proofs, all of one size: one that runs has begun already, one that is ready follows on one that runs.
    let coming = same().filter_map(|other| match other.stage {
        Stage::Proving => Some(1),
        Stage::Ready => Some(2),
        _ => None,
    });
    let Some(proofs) = coming.min() else { return false };
    let done_at = now.saturating_add(proofs * view.seconds_for(task));
    view.paces.of(task.circuit).is_known() && waiting < view.rules.most_together && done_at < send_by
}
