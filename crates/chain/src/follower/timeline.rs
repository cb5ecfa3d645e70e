//! Histories at the newest block that was read, and at a few before it to go back to. Pure.
//!
//! A checkpoint is a copy of the state that shares everything with it which has not changed since, so that it costs no more
//! than what changed, and no event has to be kept to go back.

use super::{FollowError, Markets, WINDOW};
use crate::events::{Event, LoggedEvent};
use crate::history::{HistoryError, MarketHistory, Retention};
use crate::{Head, Market, MarketId};
use alloy::primitives::B256;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tracing::warn;

/// Blocks between two checkpoints. A reorganisation reads at most so many blocks again that it did not undo.
const STEP: u64 = 8;

/// Histories by market. A copy shares those that do not change.
pub(super) type State = BTreeMap<MarketId, Arc<MarketHistory>>;

/// A block's place and its events.
#[derive(Debug)]
pub(super) struct Block {
    /// The block before it.
    pub(super) parent: B256,
    /// Where it is.
    pub(super) head: Head,
    /// Its events in order.
    pub(super) events: Vec<LoggedEvent>,
}

/// Which events make which histories, and what of them is kept.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) markets: Markets,
    pub(super) retention: Retention,
}

/// What was read. Every method leaves it whole.
#[derive(Debug)]
pub(super) struct Timeline {
    rules: Rules,
    tip: State,
    /// The newest block that was read, after those that are known from the oldest checkpoint on.
    known: VecDeque<Head>,
    head: Head,
    checkpoints: VecDeque<(Head, State)>,
}

impl Timeline {
    /// Nothing has happened up to `head`.
    pub(super) fn new(rules: Rules, origin: State, head: Head) -> Self {
        let known = VecDeque::from([head]);
        Self { rules, tip: origin, known, head, checkpoints: VecDeque::new() }
    }

    /// The block that the histories stand at.
    pub(super) const fn head(&self) -> Head {
        self.head
    }

    /// The histories.
    pub(super) const fn tip(&self) -> &State {
        &self.tip
    }

    /// The blocks that are remembered, the newest first.
    pub(super) fn known(&self) -> impl Iterator<Item = Head> {
        self.known.iter().rev().copied()
    }

    /// Follows the events of many blocks up to `head`, far behind the chain's head: there is no way back from there.
    ///
    /// # Errors
    /// [`HistoryError`]. The histories are then of no use and have to be read anew.
    pub(super) fn jump(&mut self, head: Head, events: &[LoggedEvent]) -> Result<(), HistoryError> {
        self.checkpoints.clear();
        self.known.clear();
        self.apply(events)?;
        self.move_to(head);
        self.forget();
        Ok(())
    }

    /// Follows the next block.
    ///
    /// # Errors
    /// [`FollowError::Moving`] if it is not the next one, and nothing has changed. [`FollowError::History`] if its events do not
    /// follow: the histories are then of no use and have to be read anew.
    pub(super) fn link(&mut self, block: &Block) -> Result<(), FollowError> {
        if block.parent != self.head.hash {
            return Err(FollowError::Moving);
        }
        let newest = self.checkpoints.back().map(|(head, _)| head.number);
        if newest.is_none_or(|newest| newest.saturating_add(STEP) <= self.head.number) {
            self.forget();
            self.checkpoints.push_back((self.head, self.tip.clone()));
        }
        self.apply(&block.events)?;
        self.move_to(block.head);
        self.drop_old_checkpoints();
        Ok(())
    }

    /// Goes back before block `first`, as far as to the next checkpoint. Whether there is one.
    pub(super) fn rewind(&mut self, first: u64) -> bool {
        while self.checkpoints.back().is_some_and(|(head, _)| head.number >= first) {
            self.checkpoints.pop_back();
        }
        let Some((head, state)) = self.checkpoints.pop_back() else { return false };
        self.known.retain(|known| known.number <= head.number);
        (self.head, self.tip) = (head, state);
        true
    }

    /// Lets go what is not to be kept at the head.
    pub(super) fn forget(&mut self) {
        let (retention, now) = (self.rules.retention, self.head.timestamp);
        for history in self.tip.values_mut().filter(|history| history.can_forget(retention, now)) {
            Arc::make_mut(history).forget(retention, now);
        }
    }

    fn move_to(&mut self, head: Head) {
        self.head = head;
        self.known.push_back(head);
    }

    /// Keeps one checkpoint that is a window behind, and those after it.
    fn drop_old_checkpoints(&mut self) {
        let reachable = |(head, _): &(Head, State)| head.number.saturating_add(WINDOW) <= self.head.number;
        while self.checkpoints.get(1).is_some_and(reachable) {
            self.checkpoints.pop_front();
        }
        if let Some((oldest, _)) = self.checkpoints.front() {
            self.known.retain(|known| known.number >= oldest.number);
        }
    }

    fn apply(&mut self, events: &[LoggedEvent]) -> Result<(), HistoryError> {
        for logged in events {
            if let (Markets::All, Event::MarketCreated(event)) = (&self.rules.markets, &logged.event) {
                match Market::from_abi(logged.market, &event.params) {
                    Ok(market) => {
                        self.tip.insert(logged.market, Arc::new(MarketHistory::new(market)));
                    }
                    // A mechanism of a later version of the contract, perhaps. Other markets are none the worse for it.
                    Err(error) => warn!(%error, "leaving a market out"),
                }
            } else if let Some(history) = self.tip.get_mut(&logged.market) {
                Arc::make_mut(history).apply(logged)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(number: u64, fork: u8) -> Head {
        let mut hash = B256::repeat_byte(fork);
        hash.0[..8].copy_from_slice(&number.to_be_bytes());
        Head { number, hash, timestamp: number }
    }

    fn block(number: u64, parent_fork: u8, fork: u8) -> Block {
        Block { parent: head(number - 1, parent_fork).hash, head: head(number, fork), events: Vec::new() }
    }

    fn timeline() -> Timeline {
        let rules = Rules { markets: Markets::All, retention: Retention::Live };
        Timeline::new(rules, State::new(), head(0, 0))
    }

    #[test]
    fn what_is_remembered_does_not_grow_with_the_chain() {
        let mut timeline = timeline();
        for number in 1..5_000 {
            timeline.link(&block(number, 0, 0)).unwrap();
            let (blocks, checkpoints) = (timeline.known.len() as u64, timeline.checkpoints.len() as u64);
            assert!(
                blocks <= WINDOW + STEP + 1 && checkpoints <= WINDOW / STEP + 2,
                "{blocks} {checkpoints}"
            );
            assert!(blocks >= WINDOW.min(number), "{blocks} at {number}");
        }
    }

    #[test]
    fn every_block_of_the_window_can_be_undone_and_few_others_go_with_it() {
        for depth in 1..=WINDOW {
            let mut timeline = timeline();
            (1..1_000).for_each(|number| timeline.link(&block(number, 0, 0)).unwrap());
            let first = 1_000 - depth;
            assert!(timeline.rewind(first), "depth {depth}");
            let back_at = timeline.head().number;
            assert!(back_at < first && back_at + STEP >= first, "{back_at} for {first}");
            assert_eq!(timeline.known().next(), Some(timeline.head()));
            for number in back_at + 1..1_000 {
                let forks = (u8::from(number > first), u8::from(number >= first));
                timeline.link(&block(number, forks.0, forks.1)).unwrap();
            }
            assert_eq!(timeline.head(), head(999, 1));
        }
    }

    #[test]
    fn there_is_no_way_back_before_the_window_or_a_jump() {
        let mut timeline = timeline();
        (1..1_000).for_each(|number| timeline.link(&block(number, 0, 0)).unwrap());
        timeline.jump(head(5_000, 0), &[]).unwrap();
        assert_eq!(timeline.known().collect::<Vec<_>>(), [head(5_000, 0)]);
        assert!(!timeline.rewind(5_000));
    }

    #[test]
    fn a_block_that_is_not_the_next_one_changes_nothing() {
        let mut timeline = timeline();
        timeline.link(&block(1, 0, 0)).unwrap();
        for other in [block(3, 0, 0), block(2, 1, 1)] {
            assert!(matches!(timeline.link(&other), Err(FollowError::Moving)));
            assert_eq!(timeline.head(), head(1, 0));
        }
    }
}
