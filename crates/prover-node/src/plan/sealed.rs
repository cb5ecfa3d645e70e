//! Asks of a sealed market: a commitment in every round, opened after its close.

use super::{Action, SealedView, SeatView, View, Wish};

/// Opens what waits for it. Nothing else comes before this or holds it up: what is not opened in time loses its bond.
pub(super) fn reveal(view: &View, now: u64) -> Vec<Action> {
    let Some(SealedView { reveals_busy: false, reveals_retry_at, .. }) = view.sealed else {
        return Vec::new();
    };
    if now < reveals_retry_at {
        return Vec::new();
    }
    let reveal = |seat: &SeatView| {
        let (round, until) = seat.sealed.to_reveal?;
        (now < until).then_some(Action::Reveal { seat: seat.seat, round })
    };
    view.seats.iter().filter_map(reveal).collect()
}

/// Commits a seat that takes part in the round and has not committed yet, after paying in what the bond needs.
pub(super) fn commit(view: &View, sealed: &SealedView, seat: &SeatView, now: u64) -> Option<Action> {
    let Wish::Serve { cost, .. } = view.wish else { return None };
    // What is mined after the close is refused, and its gas is lost.
    if seat.sealed.committed || !seat.takes_part || now >= sealed.commit_by {
        return None;
    }
    match seat.sealed.bond.checked_sub(view.balance) {
        None | Some(0) => Some(Action::Commit { seat: seat.seat, round: sealed.round, cost }),
        Some(_) if bond_comes_back(sealed, seat, now) => None,
        Some(ticks) => Some(Action::Deposit { ticks }),
    }
}

/// Whether the bond of the round before is about to come back, with time left to use it again.
fn bond_comes_back(sealed: &SealedView, seat: &SeatView, now: u64) -> bool {
    seat.sealed.to_reveal.is_some_and(|(_, until)| now < until && until < sealed.commit_by)
}
