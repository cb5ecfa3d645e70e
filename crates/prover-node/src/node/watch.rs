//! What operators are told of what the node does: the one place where it counts.

use std::{collections::BTreeMap, time::Duration};

use alloy::rpc::types::TransactionReceipt;
use chain::MarketId;
use circuits::{CircuitId, CircuitKind};
use service::ops::{metric, metric_value};

use super::desk::DeskError;
use crate::plan::{Action, Offerable, Stage, TaskView, View, Wish, offerable};

const STAGES: [Stage; 7] = [
    Stage::Unpublished,
    Stage::Unexamined,
    Stage::Examining,
    Stage::Unprovable,
    Stage::Ready,
    Stage::Proving,
    Stage::Proved,
];

/// What decisions are made from at `now`.
pub(super) fn view(market: MarketId, view: &View, now: u64) {
    let mut stages: BTreeMap<&str, u64> = STAGES.map(|stage| (name_of(stage), 0)).into();
    let mine = view.tasks.iter().filter(|task| is_mine(view, task));
    let mut deadline = u64::MAX;
    for task in mine {
        *stages.entry(name_of(task.stage)).or_default() += 1;
        deadline = deadline.min(task.deadline);
    }
    for (stage, count) in stages {
        metric::TASKS.set([("stage", stage.to_owned())], metric_value(count));
    }
    // Without a task there is none, which is further away than any.
    let left = if deadline == u64::MAX { f64::INFINITY } else { until(deadline, now) };
    metric::DEADLINE.set([], left);
    for (state, count) in [("all", view.workers), ("busy", view.running)] {
        metric::WORKERS
            .set([("state", state.to_owned())], metric_value(count.try_into().unwrap_or(u64::MAX)));
    }
    seats(market, view);
    speed(market, view);
    let label = [("market", market.to_string())];
    metric::BALANCE.set(label, metric_value(view.balance.try_into().unwrap_or(u64::MAX)));
}

/// A proof has ended.
pub(super) fn proved(kind: CircuitKind, took: Duration, made: bool) {
    let circuit = kind.to_string();
    if made {
        metric::PROOF_TIME.observe([("circuit", circuit.clone())], took.as_secs_f64());
    }
    let result = if made { "made" } else { "failed" };
    metric::PROOFS.add([("circuit", circuit), ("result", result.to_owned())], 1);
}

/// A transaction has ended.
pub(super) fn reported(action: Action, result: &Result<TransactionReceipt, DeskError>) {
    let what = verb_of(action);
    let came = match result {
        Ok(receipt) => {
            let label = || [("action", what.to_owned())];
            let wei = receipt.effective_gas_price.saturating_mul(receipt.gas_used.into());
            metric::GAS_USED.add(label(), receipt.gas_used);
            metric::GAS_SPENT.add(label(), wei.try_into().unwrap_or(u64::MAX));
            "done"
        }
        Err(error) if error.is_lost_race() => "lost",
        Err(_) => "failed",
    };
    metric::ACTIONS.add([("action", what.to_owned()), ("result", came.to_owned())], 1);
}

fn seats(market: MarketId, view: &View) {
    let mut all = 0_u64;
    for seat in &view.seats {
        let (capacity, open) = (seat.capacity.get(), seat.open.get());
        let label = || [("seat", seat.seat.to_string())];
        metric::CAPACITY.set(label(), metric_value(capacity));
        metric::FREE.set(label(), metric_value(capacity.saturating_sub(open)));
        metric::LOAD
            .set(label(), if capacity == 0 { 0.0 } else { metric_value(open) / metric_value(capacity) });
        all = all.saturating_add(capacity);
    }
    let collateral = all.saturating_mul(view.rules.collateral_per_unit);
    metric::COLLATERAL.set([("market", market.to_string())], metric_value(collateral));
}

/// What this machine can prove, and whether it asks for anything.
fn speed(market: MarketId, view: &View) {
    for (circuit, pace) in view.paces.iter() {
        if let Some(pace) = pace.units_per_second() {
            metric::PACE.set([("circuit", name_of_circuit(circuit))], pace);
        }
    }
    let offers = offerable(view);
    let units = match offers {
        Offerable::Unmeasured | Offerable::Failing => 0,
        Offerable::Units(units) => units,
    };
    let label = || [("market", market.to_string())];
    metric::PROVABLE.set(label(), metric_value(units));
    metric::FAILURES.set(label(), view.failures.into());
    let asks = matches!(view.wish, Wish::Serve { .. }) && units >= view.rules.least_capacity;
    metric::ASKING.set(label(), f64::from(u8::from(asks)));
}

/// As in the other metrics of a circuit, or its number.
fn name_of_circuit(circuit: CircuitId) -> String {
    CircuitKind::from_id(circuit).map_or_else(|_| circuit.to_string(), |kind| kind.to_string())
}

fn is_mine(view: &View, task: &TaskView) -> bool {
    let holder = task.takers.last().unwrap_or(&task.assigned);
    view.seats.iter().any(|seat| seat.seat == *holder)
}

/// Seconds from `now` on, negative once it has passed.
fn until(deadline: u64, now: u64) -> f64 {
    if deadline >= now { metric_value(deadline - now) } else { -metric_value(now - deadline) }
}

const fn name_of(stage: Stage) -> &'static str {
    match stage {
        Stage::Unpublished => "unpublished",
        Stage::Unexamined => "unexamined",
        Stage::Examining => "examining",
        Stage::Unprovable => "unprovable",
        Stage::Ready => "ready",
        Stage::Proving => "proving",
        Stage::Proved => "proved",
    }
}

const fn verb_of(action: Action) -> &'static str {
    match action {
        Action::Deliver(_) => "deliver",
        Action::Examine(_) => "examine",
        Action::Prove(_) => "prove",
        Action::TakeOver { .. } => "take over",
        Action::Expire(_) => "expire",
        Action::Deposit { .. } => "deposit",
        Action::Register { .. } => "register",
        Action::Ask { .. } => "ask",
        Action::Commit { .. } => "commit",
        Action::Reveal { .. } => "reveal",
        Action::Withdraw(_) => "withdraw",
        Action::Lower { .. } => "lower",
        Action::Measure(_) => "measure",
        Action::Leave(_) => "leave",
        Action::Release(_) => "release",
    }
}
