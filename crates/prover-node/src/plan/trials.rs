//! Trial proofs: a circuit is measured before tasks of it are asked for, while a worker has nothing else to do.

use super::{Action, Margin, View, Wish};

/// The next circuit to measure, if there is a worker that none of `actions` takes.
pub(super) fn plan(view: &View, actions: &[Action], now: u64) -> Option<Action> {
    let Wish::Serve { .. } = view.wish else { return None };
    let begun = actions.iter().filter(|action| matches!(action, Action::Prove(_))).count();
    let idle = view.workers.saturating_sub(view.running).saturating_sub(begun);
    let waits = view.trials.busy || now < view.trials.retry_at;
    if idle == 0 || waits || view.policy.margin == Margin::OFF {
        return None;
    }
    view.paces.next_unmeasured().map(Action::Measure)
}
