//! Seats and the money behind them. One transaction at a time: each changes what the next one should be.

use market_types::{Capacity, UnitCost, Units};

use super::{Action, SeatView, Terms, View, Wish};

pub(super) fn plan(view: &View, now: u64) -> Option<Action> {
    if view.seats_busy || now < view.seats_retry_at || now < view.terms.genesis {
        return None;
    }
    match view.wish {
        Wish::Serve { capacity, cost } if view.seats.is_empty() => {
            Some(take_seat(view.balance, view.terms, capacity, cost))
        }
        Wish::Serve { cost, .. } => view.seats.iter().find_map(|seat| ask(seat, cost)),
        Wish::Leave => view.seats.iter().find_map(give_up),
    }
}

fn take_seat(balance: u128, terms: Terms, capacity: Capacity, cost: UnitCost) -> Action {
    // Two factors of 32 and 64 bits.
    let collateral = u128::from(capacity.get()) * u128::from(terms.collateral_per_unit);
    match collateral.checked_sub(balance) {
        None | Some(0) => Action::Register { capacity, cost },
        Some(ticks) => Action::Deposit { ticks },
    }
}

fn ask(seat: &SeatView, cost: UnitCost) -> Option<Action> {
    let differs = seat.next_cost != Some(cost);
    (differs && !seat.frozen).then_some(Action::Ask { seat: seat.seat, cost })
}

fn give_up(seat: &SeatView) -> Option<Action> {
    if seat.next_cost.is_some() {
        return (!seat.frozen).then_some(Action::Leave(seat.seat));
    }
    (seat.resolved && seat.open == Units::ZERO).then_some(Action::ReleaseSeat(seat.seat))
}
