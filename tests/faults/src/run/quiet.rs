//! After the end of a round: what has to come to rest, and has not yet.

use super::{BACK_AT_WORK, IDLE, Run, STEP};
use crate::blocks::Blocks;
use crate::properties::Violation;
use serde_json::json;
use std::time::Instant;
use tokio::time::sleep;

impl Run<'_> {
    /// Waits until nothing waits any more and the programs have read everything.
    pub(super) async fn quieten(&mut self) -> Option<Violation> {
        self.company.clear();
        let began = Instant::now();
        let mut quiet = 0;
        loop {
            self.look_after_the_end().await;
            let (pending, queued) = Blocks::waiting(&self.world.bed.anvil).await;
            let missing = self.missing().await;
            quiet = if pending + queued == 0 && missing.is_none() { quiet + 1 } else { 0 };
            if quiet >= 3 {
                return None;
            }
            if began.elapsed() > BACK_AT_WORK {
                let pool = self.world.bed.anvil.request("txpool_content", json!([])).await;
                let what = missing.unwrap_or_else(|| format!("transactions that wait for ever: {pool}"));
                return Some(Violation { property: "nothing-left", what });
            }
        }
    }

    async fn look_after_the_end(&mut self) {
        sleep(STEP).await;
        self.supervise().await;
        let (pending, queued) = Blocks::waiting(&self.world.bed.anvil).await;
        self.idle += 1;
        // The heads of programs are compared between two blocks.
        if pending > 0 || self.idle >= if queued > 0 { IDLE } else { 3 * IDLE } {
            self.idle = 0;
            self.world.mine(0).await;
        }
    }

    /// What a program has not done or read yet.
    async fn missing(&self) -> Option<String> {
        for serving in [&self.world.relayer, &self.world.prover] {
            let name = serving.program.name;
            if serving.program.ready.is_none() {
                return Some(format!("{name} is not ready"));
            }
            let head = serving.program.metric("proophi_head_block");
            #[allow(clippy::cast_precision_loss, reason = "a short chain")]
            if head != Some(self.world.blocks.number as f64) {
                return Some(format!("{name} has read up to block {head:?} of {}", self.world.blocks.number));
            }
        }
        let observer = self.world.observer.follower.lock().await;
        let waiting = observer.market(self.world.market.id).map_or(0, |history| history.bundles().count());
        let behind = observer.head().number != self.world.blocks.number;
        drop(observer);
        if behind {
            return Some("the follower in this process is behind".to_owned());
        }
        (waiting > 0).then(|| format!("{waiting} bundles wait to be released"))
    }
}
