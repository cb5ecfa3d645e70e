//! Asks of a sealed market.

use super::*;

/// A sealed market whose round 4 takes commitments until second 600, with a seat whose bond is 50.
fn sealed_view() -> View {
    let mut view = view(Vec::new());
    view.balance = 50;
    view.seats[0].next_cost = None;
    view.seats[0].sealed.bond = 50;
    let round = RoundNumber::new(4);
    view.sealed = Some(SealedView { round, commit_by: 600, reveals_busy: false, reveals_retry_at: 0 });
    view
}

const COMMIT: Action =
    Action::Commit { seat: AskIndex::new(MINE), round: RoundNumber::new(4), cost: UnitCost::new(5) };
const REVEAL: Action = Action::Reveal { seat: AskIndex::new(MINE), round: RoundNumber::new(3) };

#[test]
fn a_seat_commits_once_a_round_in_time_and_only_if_it_takes_part() {
    let mut view = sealed_view();
    assert_eq!(plan(&view, 599), [COMMIT]);
    assert_eq!(plan(&view, 600), []);
    view.seats[0].sealed.committed = true;
    assert_eq!(plan(&view, 500), []);
    view.seats[0].sealed.committed = false;
    view.seats[0].takes_part = false;
    assert_eq!(plan(&view, 500), []);
    view.seats[0].takes_part = true;
    view.seats_busy = true;
    assert_eq!(plan(&view, 500), []);
}

#[test]
fn a_bond_is_paid_in_before_the_commitment() {
    let mut view = sealed_view();
    view.balance = 49;
    assert_eq!(plan(&view, 500), [Action::Deposit { ticks: 1 }]);
}

#[test]
fn a_bond_that_comes_back_with_a_reveal_is_waited_for_if_there_is_time() {
    let mut view = sealed_view();
    view.balance = 0;
    view.seats[0].sealed.to_reveal = Some((RoundNumber::new(3), 520));
    assert_eq!(plan(&view, 519), [REVEAL]);
    assert_eq!(plan(&view, 520), [Action::Deposit { ticks: 50 }]);
    view.seats[0].sealed.to_reveal = Some((RoundNumber::new(3), 600));
    assert_eq!(plan(&view, 519), [REVEAL, Action::Deposit { ticks: 50 }]);
}

#[test]
fn an_ask_is_opened_until_the_second_before_it_is_too_late_whatever_else_is_under_way() {
    let mut view = sealed_view();
    view.seats[0].sealed.to_reveal = Some((RoundNumber::new(3), 520));
    assert_eq!(plan(&view, 519), [REVEAL, COMMIT]);
    assert_eq!(plan(&view, 520), [COMMIT]);
    (view.seats_busy, view.seats_retry_at, view.wish) = (true, 9_999, Wish::Leave);
    assert_eq!(plan(&view, 519), [REVEAL]);
}

#[test]
fn a_reveal_under_way_is_not_sent_again_and_one_that_failed_waits() {
    let mut view = sealed_view();
    view.seats[0].sealed.to_reveal = Some((RoundNumber::new(3), 520));
    let sealed = view.sealed.unwrap();
    view.sealed = Some(SealedView { reveals_busy: true, ..sealed });
    assert_eq!(plan(&view, 500), [COMMIT]);
    view.sealed = Some(SealedView { reveals_retry_at: 501, ..sealed });
    assert_eq!(plan(&view, 500), [COMMIT]);
    assert_eq!(plan(&view, 501), [REVEAL, COMMIT]);
}

#[test]
fn a_leaving_prover_commits_to_nothing_more() {
    let mut view = sealed_view();
    view.wish = Wish::Leave;
    assert_eq!(plan(&view, 500), [Action::Leave(seat(MINE))]);
}

#[test]
fn no_log_line_shows_what_an_ask_commits_to() {
    assert!(!COMMIT.to_string().contains('5'), "{COMMIT}");
}
