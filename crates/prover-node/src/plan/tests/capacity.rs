//! What a node dares to offer.

use super::*;

const FAST: CircuitId = CircuitId::new(10);
const SLOW: CircuitId = CircuitId::new(11);

/// Half of a proving period of 100 seconds, with one worker, for two circuits of which the slower one takes a second a unit: 50 units.
fn measured() -> View {
    let mut view = view(Vec::new());
    view.rules.proving_period = 100;
    view.paces = Paces::unmeasured([FAST, SLOW]);
    view.paces.measure(FAST, TaskSize::MIN, Duration::from_millis(1));
    view.paces.measure(SLOW, TaskSize::MIN, Duration::from_secs(1));
    view
}

fn lower(capacity: u32) -> Action {
    Action::Lower { seat: seat(MINE), capacity: Capacity::new(capacity).unwrap() }
}

fn capacity_to_register(view: &View) -> Option<u32> {
    plan(view, 100).into_iter().find_map(|action| match action {
        Action::Register { capacity, .. } => Some(capacity.get()),
        _ => None,
    })
}

fn without_seat() -> View {
    let mut view = measured();
    view.seats.clear();
    view.balance = 1_000_000;
    view
}

#[test]
fn a_seat_is_no_larger_than_what_can_be_proved_in_half_of_the_time_nor_than_what_is_wanted() {
    let mut view = without_seat();
    assert_eq!(capacity_to_register(&view), Some(50));
    view.workers = 3;
    assert_eq!(capacity_to_register(&view), Some(100));
    view.workers = 1;
    view.policy.margin = Margin::try_from(100).unwrap();
    assert_eq!(capacity_to_register(&view), Some(100));
    view.policy.margin = Margin::try_from(19).unwrap();
    assert_eq!(capacity_to_register(&view), Some(19));
    view.policy.margin = Margin::try_from(18).unwrap();
    assert_eq!(plan(&view, 100), [], "a seat of 18 units takes part in no round");
}

#[test]
fn whoever_wants_so_offers_what_is_wanted_and_measures_nothing() {
    let mut view = without_seat();
    view.paces = Paces::unmeasured([FAST, SLOW]);
    view.policy.margin = Margin::OFF;
    assert_eq!(capacity_to_register(&view), Some(100));
    assert_eq!(plan(&view, 100).len(), 1);
}

#[test]
fn nothing_is_asked_for_before_every_circuit_has_been_measured() {
    let mut view = without_seat();
    view.paces = Paces::unmeasured([FAST, SLOW]);
    assert_eq!(plan(&view, 100), [Action::Measure(FAST)]);
    view.paces.measure(FAST, TaskSize::MIN, Duration::from_millis(1));
    assert_eq!(plan(&view, 100), [Action::Measure(SLOW)]);
    view.seats = vec![SeatView { next_cost: None, ..my_seat() }];
    assert_eq!(plan(&view, 100), [Action::Measure(SLOW)]);
    let round = RoundNumber::new(4);
    view.sealed = Some(SealedView { round, commit_by: 600, reveals_busy: false, reveals_retry_at: 0 });
    assert_eq!(plan(&view, 100), [Action::Measure(SLOW)]);
}

#[test]
fn a_trial_waits_for_a_worker_that_has_nothing_else_to_do_and_for_the_last_trial() {
    let mut view = view(vec![task(0, MINE, Stage::Ready)]);
    view.paces = Paces::unmeasured([FAST]);
    assert_eq!(plan(&view, 500), [Action::Prove(id(0))]);
    view.workers = 2;
    assert_eq!(plan(&view, 500), [Action::Prove(id(0)), Action::Measure(FAST)]);
    view.running = 1;
    assert_eq!(plan(&view, 500), [Action::Prove(id(0))]);
    view.tasks.clear();
    assert_eq!(plan(&view, 500), [Action::Measure(FAST)]);
    view.trials.busy = true;
    assert_eq!(plan(&view, 500), []);
    view.trials = TrialsView { busy: false, retry_at: 501 };
    assert_eq!(plan(&view, 500), []);
    assert_eq!(plan(&view, 501), [Action::Measure(FAST)]);
    view.wish = Wish::Leave;
    assert_eq!(plan(&view, 501), [Action::Leave(seat(MINE))]);
}

#[test]
fn a_seat_with_more_than_can_be_proved_is_lowered_once_the_market_allows_it() {
    let mut view = measured();
    assert_eq!(plan(&view, 500), [lower(50)]);
    view.seats[0].change = CapacityView::Growing;
    assert_eq!(plan(&view, 500), []);
    // The change is through, and then its collateral is taken out.
    view.seats[0].staying = Units::new(50);
    view.seats[0].change = CapacityView::Shrinking { releasable: false };
    assert_eq!(plan(&view, 500), []);
    view.seats[0].change = CapacityView::Shrinking { releasable: true };
    assert_eq!(plan(&view, 500), [Action::Release(seat(MINE))]);
    (view.seats[0].capacity, view.seats[0].change) = (Units::new(50), CapacityView::Steady);
    assert_eq!(plan(&view, 500), []);
}

#[test]
fn seats_share_what_can_be_proved() {
    let mut view = measured();
    let small = SeatView { seat: seat(MINE + 1), staying: Units::new(30), ..my_seat() };
    view.seats[0].staying = Units::new(30);
    view.seats.push(small);
    let rest = Action::Lower { seat: seat(MINE + 1), capacity: Capacity::new(20).unwrap() };
    assert_eq!(plan(&view, 500), [rest]);
    view.rules.least_capacity = 21;
    assert_eq!(plan(&view, 500), [Action::Withdraw(seat(MINE + 1))]);
}

#[test]
fn an_ask_that_cannot_be_served_at_all_is_withdrawn_once_and_made_again_when_it_can() {
    let mut view = measured();
    view.rules.least_capacity = 51;
    assert_eq!(plan(&view, 500), [Action::Withdraw(seat(MINE))]);
    view.seats[0].frozen = true;
    assert_eq!(plan(&view, 500), []);
    view.seats[0] = SeatView { next_cost: Some(WITHDRAWN), ..my_seat() };
    assert_eq!(plan(&view, 500), []);
    view.workers = 2;
    assert_eq!(plan(&view, 500), [Action::Ask { seat: seat(MINE), cost: UnitCost::new(5) }]);
}

#[test]
fn after_failures_in_a_row_nothing_is_asked_for_or_taken_over_until_a_proof_succeeds() {
    let mut view = view(vec![task(0, OTHER, Stage::Ready), task(1, MINE, Stage::Ready)]);
    view.tasks[1].deadline = FINAL;
    view.workers = 2;
    let [prove, take] = [Action::Prove(id(1)), Action::TakeOver { task: id(0), seat: seat(MINE) }];
    view.failures = 2;
    assert_eq!(plan(&view, DEADLINE), [prove, take]);
    view.failures = 3;
    assert_eq!(plan(&view, DEADLINE), [prove, Action::Withdraw(seat(MINE))], "what it holds it still tries");
    view.seats[0].next_cost = Some(WITHDRAWN);
    assert_eq!(plan(&view, DEADLINE), [prove]);
    view.seats[0].next_cost = None;
    assert_eq!(plan(&view, DEADLINE), [prove], "there is no ask to withdraw");
    let round = RoundNumber::new(4);
    view.sealed = Some(SealedView { round, commit_by: FINAL, reveals_busy: false, reveals_retry_at: 0 });
    assert_eq!(plan(&view, DEADLINE), [prove], "nothing is committed to");
    (view.sealed, view.failures, view.seats[0].next_cost) = (None, 0, Some(WITHDRAWN));
    let ask = Action::Ask { seat: seat(MINE), cost: UnitCost::new(5) };
    assert_eq!(plan(&view, DEADLINE), [prove, take, ask]);
    view.seats.clear();
    (view.failures, view.balance) = (3, 1_000_000);
    assert_eq!(plan(&view, 500), [], "and no seat is taken");
}
