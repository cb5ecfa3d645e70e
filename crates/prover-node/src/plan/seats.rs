//! Seats and the money behind them. One transaction at a time: each changes what the next one should be.

use market_types::{Capacity, UnitCost};

use super::{Action, CapacityView, MarketRules, Offerable, SeatView, View, Wish, offerable, sealed};

/// The highest unit cost that an open market takes. Its asks stand until they are changed and cannot be taken back; nobody pays this one.
pub const WITHDRAWN: UnitCost = UnitCost::new(u64::MAX - 1);

pub(super) fn plan(view: &View, now: u64) -> Option<Action> {
    if view.seats_busy || now < view.seats_retry_at || now < view.rules.genesis {
        return None;
    }
    let Wish::Serve { capacity, cost } = view.wish else { return view.seats.iter().find_map(give_up) };
    match offerable(view) {
        Offerable::Unmeasured => None,
        Offerable::Failing => view.seats.iter().find_map(|seat| withdraw(view, seat)),
        Offerable::Units(units) if view.seats.is_empty() => {
            let wanted = u64::from(capacity.get());
            let capacity = Capacity::from_u64(wanted.min(units)).ok()?;
            // The market says itself what is wrong with what the operator wants.
            let takes_part = wanted <= units || units >= view.rules.least_capacity;
            takes_part.then(|| take_seat(view.balance, view.rules, capacity, cost))
        }
        Offerable::Units(units) => serve(view, units, now),
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

/// Asks with the seats, in their order, for as long as there is something left of `units`.
fn serve(view: &View, units: u64, now: u64) -> Option<Action> {
    let mut left = units;
    view.seats.iter().find_map(|seat| {
        let holds = seat.staying.get();
        let fits = holds.min(left);
        if fits < holds && fits < view.rules.least_capacity {
            return withdraw(view, seat);
        }
        left = left.saturating_sub(fits);
        lower(seat, fits).or_else(|| ask(view, seat, now))
    })
}

/// Lowers a seat to `units`, if it has more. The collateral of what it has lost is taken out first: the market takes one change at a time.
fn lower(seat: &SeatView, units: u64) -> Option<Action> {
    let capacity = Capacity::from_u64(units).ok().filter(|_| units < seat.staying.get());
    match seat.change {
        CapacityView::Shrinking { releasable: true } => Some(Action::Release(seat.seat)),
        CapacityView::Steady => capacity.map(|capacity| Action::Lower { seat: seat.seat, capacity }),
        _ => None,
    }
}

fn ask(view: &View, seat: &SeatView, now: u64) -> Option<Action> {
    let Wish::Serve { cost, .. } = view.wish else { return None };
    if let Some(round) = &view.sealed {
        return sealed::commit(view, round, seat, now);
    }
    let differs = seat.next_cost != Some(cost);
    (differs && !seat.frozen).then_some(Action::Ask { seat: seat.seat, cost })
}

/// Takes an ask back that stands. A sealed one counts for its round only.
fn withdraw(view: &View, seat: &SeatView) -> Option<Action> {
    let stands = view.sealed.is_none() && seat.next_cost.is_some_and(|cost| cost != WITHDRAWN);
    (stands && !seat.frozen).then_some(Action::Withdraw(seat.seat))
}

fn give_up(seat: &SeatView) -> Option<Action> {
    match seat.change {
        CapacityView::Steady => Some(Action::Leave(seat.seat)),
        CapacityView::Gone | CapacityView::Shrinking { releasable: true } => Some(Action::Release(seat.seat)),
        CapacityView::Growing | CapacityView::Shrinking { releasable: false } => None,
    }
}
