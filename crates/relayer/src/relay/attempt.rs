//! What was begun, and until when it is not begun again.

use crate::act::{ActError, Done};
use crate::plan::Trust;
use chain::settlement::Settling;
use chain::{Change, Head};
use service::Backoff;
use std::sync::Arc;
use tokio::time::Instant;

/// An action that was begun and whose effect is not yet seen in the history.
#[derive(Debug)]
pub(super) struct Attempt {
    backoff: Backoff,
    pub(super) rest: Rest,
    /// Whether others took a page away that it went on from.
    overtaken: bool,
    /// The round, once it has been cleared, for the pages that are left.
    pub(super) cleared: Option<Arc<Settling>>,
    /// How often it was left to a settlement of others that waited to be mined.
    left_to_others: u32,
    /// Whether it was said already that it does not pay.
    pub(super) said: bool,
}

/// Until when an action is not begun again.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rest {
    /// It is under way.
    Running,
    /// It had its effect in this block. If that block is undone, the history will ask for it again.
    SeenAt(u64),
    /// What follows from it shows once this block has been read.
    UntilRead(u64),
    /// It failed.
    Until(Instant),
    /// It is left to others until this block time, or for as long by the host's clock if no blocks come.
    Turn(u64, Instant),
    /// It cannot or need not be done any more.
    Forever,
}

impl Attempt {
    pub(super) fn new() -> Self {
        Self::resting(Rest::Running)
    }

    pub(super) fn resting(rest: Rest) -> Self {
        Self {
            backoff: Backoff::default(),
            rest,
            overtaken: false,
            left_to_others: 0,
            said: false,
            cleared: None,
        }
    }

    /// What came of it, when `head` was the newest block: until when it rests.
    pub(super) fn ended(&mut self, result: &Result<Done, ActError>, head: Head) {
        self.said = matches!(result, Ok(Done::DoesNotPay { .. }));
        let next_block = head.number.saturating_add(1);
        self.rest = match *result {
            Ok(Done::Settled { block, .. } | Done::Released { block, .. }) => Rest::SeenAt(block),
            Ok(Done::PageSettled { block, .. }) => {
                self.backoff.reset();
                Rest::UntilRead(block)
            }
            Ok(Done::Overtaken) => {
                self.overtaken = true;
                Rest::UntilRead(next_block)
            }
            Ok(Done::UnderWay) => {
                self.left_to_others = self.left_to_others.saturating_add(1);
                Rest::UntilRead(next_block)
            }
            Ok(Done::DoesNotPay { .. }) => Rest::UntilRead(next_block.saturating_add(1)),
            Ok(Done::SettledByOther | Done::ReleasedByOther) => Rest::SeenAt(head.number),
            Ok(Done::TooLate) => Rest::Forever,
            Err(_) => Rest::Until(Instant::now() + self.backoff.delay()),
        };
    }

    /// What waits to be mined may wait for ever, so that it is waited for in a few blocks only.
    pub(super) const fn is_polite(&self) -> bool {
        self.left_to_others < 3
    }

    /// Each page that was to go on from one that is gone has cost its gas, so that once is enough.
    pub(super) const fn trust(&self) -> Trust {
        if self.overtaken { Trust::Nobody } else { Trust::Everybody }
    }

    pub(super) fn is_resting(&self, head: Head) -> bool {
        /// Blocks that a node may lag behind the one that gave the receipt.
        const LAG: u64 = 3;
        match self.rest {
            Rest::Running | Rest::Forever => true,
            Rest::SeenAt(block) => head.number <= block.saturating_add(LAG),
            Rest::UntilRead(block) => head.number < block,
            Rest::Until(time) => Instant::now() < time,
            Rest::Turn(until, time) => head.timestamp < until && Instant::now() < time,
        }
    }

    /// Whether its effect was undone.
    pub(super) fn is_undone(&self, change: &Change) -> bool {
        matches!(self.rest, Rest::SeenAt(block) | Rest::UntilRead(block)
            if change.undone_from.is_some_and(|undone| undone <= block))
    }
}
