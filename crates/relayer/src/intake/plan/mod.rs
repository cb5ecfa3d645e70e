//! Which bids to post in which transaction, and when. Pure: the same queue and time give the same actions.
//!
//! Bids of one market, round and kind of signature make a *group*, of which a transaction takes as many as its limits allow in order of
//! acceptance. A transaction that can be filled is sent at once; what is left waits for others, until the close is near or the oldest
//! of it has waited long enough.

use crate::intake::options::{IntakeOptions, MAX_TRANSACTION};
use alloy::primitives::B256;
use chain::MarketId;
use std::collections::{BTreeMap, BTreeSet};
use store::bids::{Group, Waiting};

#[cfg(test)]
mod tests;

/// What a transaction may hold besides what is around the bids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Most bytes of bids.
    pub bytes: usize,
    /// Most gas of bids.
    pub gas: u64,
    /// Most bids, at least 1.
    pub bids: usize,
}

impl BatchLimits {
    /// Those of a transaction with at most `bids` bids.
    #[must_use]
    pub const fn new(bids: usize) -> Self {
        // The rest is for the transaction itself.
        Self { bytes: MAX_TRANSACTION - 1_024, gas: 16_500_000, bids }
    }
}

/// The queue at one moment.
#[derive(Debug)]
pub struct Queue<'a> {
    /// Everything that waits, in order of acceptance.
    pub waiting: &'a [Waiting],
    /// Those of them that are under way, here or at another relayer, or failed a moment ago and are not to be tried again yet.
    pub resting: &'a BTreeSet<B256>,
    /// Groups of which a transaction is under way.
    pub under_way: &'a BTreeSet<Group>,
    /// What a transaction may hold.
    pub limits: BatchLimits,
    /// Most bids of one in markets where that is less.
    pub fewer: &'a BTreeMap<MarketId, usize>,
}

/// What time it is (seconds since the epoch).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// Time of the newest block. What is over at this time is over.
    pub block: u64,
    /// About the time of the next one.
    pub next: u64,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Post these bids in one transaction.
    Post {
        /// Their group.
        group: Group,
        /// The bids, in order.
        bids: Vec<B256>,
    },
    /// Give these up: their round has closed without them.
    Miss {
        /// The bids.
        bids: Vec<B256>,
    },
}

/// What to do now, the most urgent first.
#[must_use]
pub fn plan(queue: &Queue<'_>, options: &IntakeOptions, time: Time) -> Vec<Action> {
    let mut groups: BTreeMap<(u64, Group), Vec<&Waiting>> = BTreeMap::new();
    for bid in queue.waiting {
        let closes_at = bid.group.market.close_of(bid.group.round);
        groups.entry((closes_at, bid.group)).or_default().push(bid);
    }
    let mut actions = Vec::new();
    for ((closes_at, group), bids) in groups {
        if time.block >= closes_at {
            actions.push(Action::Miss { bids: bids.iter().map(|bid| bid.id).collect() });
        } else if time.next < closes_at && time.block >= group.market.open_of(group.round) {
            let most = queue.fewer.get(&group.market).copied().unwrap_or(queue.limits.bids);
            let due = batches(queue, &bids, most)
                .into_iter()
                .filter(|batch| batch.full || is_due(queue, options, group, batch, time));
            actions.extend(due.map(|batch| Action::Post { group, bids: batch.ids() }));
        }
    }
    actions
}

/// Bids that share a transaction.
struct Batch<'a> {
    bids: Vec<&'a Waiting>,
    /// Whether no other would fit.
    full: bool,
}

impl Batch<'_> {
    fn ids(&self) -> Vec<B256> {
        self.bids.iter().map(|bid| bid.id).collect()
    }
}

/// Fills transactions of at most so many bids with what is not resting, one after the other.
fn batches<'a>(queue: &Queue<'_>, bids: &[&'a Waiting], most: usize) -> Vec<Batch<'a>> {
    let limits = queue.limits;
    let mut batches: Vec<Batch<'a>> = Vec::new();
    let (mut bytes, mut gas) = (0_usize, 0_u64);
    for bid in bids.iter().copied().filter(|bid| !queue.resting.contains(&bid.id)) {
        let fits =
            bytes.saturating_add(bid.bytes) <= limits.bytes && gas.saturating_add(bid.gas) <= limits.gas;
        match batches.last_mut() {
            Some(batch) if !batch.full && fits => batch.bids.push(bid),
            before => {
                if let Some(batch) = before {
                    batch.full = true;
                }
                batches.push(Batch { bids: vec![bid], full: false });
                (bytes, gas) = (0, 0);
            }
        }
        (bytes, gas) = (bytes.saturating_add(bid.bytes), gas.saturating_add(bid.gas));
        if let Some(batch) = batches.last_mut() {
            batch.full = batch.bids.len() >= most.min(limits.bids);
        }
    }
    batches
}

/// Whether a transaction that could take more is sent all the same.
fn is_due(queue: &Queue<'_>, options: &IntakeOptions, group: Group, batch: &Batch<'_>, time: Time) -> bool {
    let hours = options.hours(group.market, group.round);
    // What comes while another transaction is under way goes together as well, unless there is no time for that.
    if queue.under_way.contains(&group) {
        return time.next >= hours.accepts_until;
    }
    let oldest = batch.bids.iter().map(|bid| bid.accepted_at).min().unwrap_or(time.next);
    let waited = options.post_after.is_some_and(|most| time.next >= oldest.saturating_add(most));
    waited || time.next >= hours.posts_at
}
