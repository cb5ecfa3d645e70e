//! Seats and the money behind them. One transaction at a time: each changes what the next one should be.

use market_types::{Capacity, UnitCost};

use super::{Action, CapacityView, MarketRules, SeatView, View, Wish, sealed};

pub(super) fn plan(view: &View, now: u64) -> Option<Action> {
    if view.seats_busy || now < view.seats_retry_at || now < view.rules.genesis {
        return None;
    }
    match (view.wish, &view.sealed) {
        (Wish::Serve { capacity, cost }, _) if view.seats.is_empty() => {
            Some(take_seat(view.balance, view.rules, capacity, cost))
        }
        (Wish::Serve { .. }, Some(round)) => {
            view.seats.iter().find_map(|seat| sealed::commit(view, round, seat, now))
        }
        (Wish::Serve { cost, .. }, None) => view.seats.iter().find_map(|seat| ask(seat, cost)),
        (Wish::Leave, _) => view.seats.iter().find_map(give_up),
    }
}

fn take_seat(balance: u128, rules: MarketRules, capacity: Capacity, cost: UnitCost) -> Action {
    // Two factors of 32 and 64 bits, and one more of 64.
    let collateral = u128::from(capacity.get()) * u128::from(rules.collateral_per_unit);
    match (collateral + u128::from(rules.seat_fee)).checked_sub(balance) {
        None | Some(0) => Action::Register { capacity, cost },
        Some(ticks) => Action::Deposit { ticks },
    }
}

fn ask(seat: &SeatView, cost: UnitCost) -> Option<Action> {
    let differs = seat.next_cost != Some(cost);
    (differs && !seat.frozen).then_some(Action::Ask { seat: seat.seat, cost })
}

fn give_up(seat: &SeatView) -> Option<Action> {
    match seat.change {
        CapacityView::Steady => Some(Action::Leave(seat.seat)),
        CapacityView::Gone | CapacityView::Shrinking { releasable: true } => Some(Action::Release(seat.seat)),
        CapacityView::Growing | CapacityView::Shrinking { releasable: false } => None,
    }
}
