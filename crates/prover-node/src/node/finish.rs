//! A stop: what is under way is finished, and nothing else begun.

use service::{Backoff, PROOFS_CUT_OFF, trouble};

use super::{Node, NodeError};
use crate::plan::Action;

/// Whether an action is owed for what was begun before: proofs that are there are paid for, and what is not opened loses its bond.
pub(super) const fn is_owed(action: &Action) -> bool {
    matches!(action, Action::Deliver(_) | Action::Reveal { .. })
}

impl Node {
    /// Delivers the proofs that are being made and waits for transactions that are on their way, for as long as the stop allows. What
    /// is cut off here is found on the chain by the next start.
    pub(super) async fn finish(mut self) -> Result<(), NodeError> {
        tracing::info!(transactions = self.orders.len(), proofs = self.prover.running(), "stopping");
        self.stopping = true;
        self.watch.stopping();
        let (stop, mut backoff) = (self.stop.clone(), Backoff::default());
        let over = stop.over();
        tokio::pin!(over);
        while !self.is_idle() {
            let next = async {
                let pause = self.turn_or_pause(&mut backoff).await;
                if self.is_idle() { Ok(()) } else { self.wake(pause).await }
            };
            tokio::select! {
                () = &mut over => {
                    self.say_what_is_cut_off();
                    return Ok(());
                }
                woken = next => woken?,
            }
        }
        Ok(())
    }

    fn is_idle(&self) -> bool {
        self.orders.is_empty()
            && self.prover.running() <= self.trials_running()
            && !self.memory.has_undelivered()
    }

    fn say_what_is_cut_off(&self) {
        trouble!(
            warn,
            PROOFS_CUT_OFF,
            transactions = self.orders.len(),
            proofs = self.prover.running(),
            "stopping before everything is finished; the next start goes on with it"
        );
    }
}
