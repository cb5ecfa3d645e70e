//! What operators are told of what the relayer does: the one place where it counts.

use crate::act::{ActError, Done, spent};
use crate::plan::Action;
use alloy::primitives::U256;
use alloy::rpc::types::TransactionReceipt;
use chain::{Follower, MarketHistory, MarketId};
use service::ops::{metric, metric_value};

/// An action has ended, and so many are under way.
pub(crate) fn ended(market: MarketId, action: Action, result: &Result<Done, ActError>, under_way: usize) {
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

/// How many rounds of each market are in which state at the head.
pub(crate) fn rounds(follower: &Follower) {
    follower.markets().for_each(|history| rounds_of(history, follower.head().timestamp));
}

fn rounds_of(history: &MarketHistory, now: u64) {
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
