//! What operators are told of the relayer: the one place where it counts.

use crate::act::{ActError, Done, spent};
use crate::plan::Action;
use alloy::primitives::U256;
use alloy::rpc::types::TransactionReceipt;
use chain::{Change, FollowError, Follower, MarketHistory, MarketId};
use service::ops::{Health, metric, metric_value};

/// Tells how the relayer is.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    health: Health,
    /// The newest block so far.
    head: u64,
}

impl Default for Watch {
    /// For a relayer that nobody looks at.
    fn default() -> Self {
        Self { health: Health::new(u64::MAX), head: 0 }
    }
}

impl Watch {
    /// Of a relayer that has read the chain so far.
    pub(crate) fn of(health: Health, follower: &Follower) -> Self {
        health.read(follower.head());
        follower.markets().for_each(|history| rounds(history, follower.head().timestamp));
        Self { health, head: follower.head().number }
    }

    /// The chain was read on.
    pub(crate) fn read(&mut self, follower: &Follower, change: &Change) {
        self.health.read(change.head);
        metric::EVENTS.add([], change.events);
        if let Some(first) = change.undone_from {
            metric::REORGS.add([], 1);
            metric::UNDONE.add([], self.head.saturating_add(1).saturating_sub(first));
        }
        self.head = change.head.number;
        follower.markets().for_each(|history| rounds(history, change.head.timestamp));
    }

    /// The chain could not be read.
    pub(crate) fn unreadable(&self, error: &FollowError) {
        self.health.unreadable(error);
    }

    /// An action has ended, and so many are under way.
    pub(crate) fn ended(
        &self,
        market: MarketId,
        action: Action,
        result: &Result<Done, ActError>,
        under_way: usize,
    ) {
        metric::UNDER_WAY.set([], metric_value(under_way.try_into().unwrap_or(u64::MAX)));
        let labels = [("market", market.to_string()), ("result", name_of(result).to_owned())];
        let (what, counter) = match action {
            Action::Settle { .. } => ("settle", metric::SETTLEMENTS),
            Action::Release { .. } => ("release", metric::RELEASES),
        };
        counter.add(labels, 1);
        match result {
            Ok(Done::Settled { gas, spent, bids, .. } | Done::PageSettled { gas, spent, bids, .. }) => {
                paid(what, *gas, *spent);
                let fees = bids.saturating_mul(market.settlement_fee());
                metric::FEES.add([("market", market.to_string())], fees);
            }
            Ok(Done::Released { gas, spent, .. }) => paid(what, *gas, *spent),
            _ => {}
        }
    }
}

fn paid(action: &'static str, gas: u64, spent: U256) {
    metric::GAS_USED.add([("action", action.to_owned())], gas);
    metric::GAS_SPENT.add([("action", action.to_owned())], spent.saturating_to());
}

const fn name_of(result: &Result<Done, ActError>) -> &'static str {
    match result {
        Ok(Done::Settled { .. }) => "settled",
        Ok(Done::PageSettled { .. }) => "page",
        Ok(Done::Released { .. }) => "released",
        Ok(Done::Overtaken) => "overtaken",
        Ok(Done::UnderWay) => "left",
        Ok(Done::DoesNotPay { .. }) => "unpaid",
        Ok(Done::SettledByOther | Done::ReleasedByOther) => "lost",
        Ok(Done::TooLate) => "late",
        Err(_) => "failed",
    }
}

/// How many of a market's rounds are in which state at `now`.
fn rounds(history: &MarketHistory, now: u64) {
    let (mut open, mut closed, mut settled, mut void) = (0_u64, 0_u64, 0_u64, 0_u64);
    for round in history.rounds() {
        let state = if round.settlement.is_some() {
            &mut settled
        } else if now < history.id().close_of(round.number) {
            &mut open
        } else if history.is_resolved(round.number, now) {
            &mut void
        } else {
            &mut closed
        };
        *state = state.saturating_add(1);
    }
    for (state, count) in [("open", open), ("closed", closed), ("settled", settled), ("void", void)] {
        let labels = [("market", history.id().to_string()), ("state", state.to_owned())];
        metric::ROUNDS.set(labels, metric_value(count));
    }
}

/// So many signed bids have come so far.
pub(crate) fn intake(result: &'static str, bids: usize) {
    metric::INTAKE.add([("result", result.to_owned())], bids.try_into().unwrap_or(u64::MAX));
}

/// So many signed bids wait.
pub(crate) fn queued(bids: usize) {
    metric::QUEUED.set([], metric_value(bids.try_into().unwrap_or(u64::MAX)));
}

/// What posting signed bids has cost.
pub(crate) fn posted(bids: usize, receipt: &TransactionReceipt) {
    intake("posted", bids);
    paid("post", receipt.gas_used, spent(receipt));
}
