use std::{num::NonZeroU32, time::Duration};

use alloy::primitives::B256;
use market_types::{AskIndex, BidIndex, Capacity, CircuitId, RoundNumber, TaskSize, UnitCost, Units};

use super::*;

mod capacity;
mod sealed_rounds;
mod sharing;

const DEADLINE: u64 = 1_000;
const FINAL: u64 = 1_300;
const MINE: u32 = 3;
const OTHER: u32 = 7;
const CIRCUIT: CircuitId = CircuitId::new(10);

fn id(index: u32) -> TaskId {
    TaskId { round: RoundNumber::new(1), index: BidIndex::new(index).unwrap(), word: B256::ZERO, position: 0 }
}

fn seat(number: u32) -> AskIndex {
    AskIndex::new(number)
}

fn task(index: u32, assigned: u32, stage: Stage) -> TaskView {
    TaskView {
        id: id(index),
        circuit: Some(CIRCUIT),
        size: TaskSize::new(10).unwrap(),
        assigned: seat(assigned),
        takers: Vec::new(),
        deadline: DEADLINE,
        final_at: FINAL,
        payment: 50,
        stage,
        busy: false,
        retry_at: 0,
    }
}

fn my_seat() -> SeatView {
    SeatView {
        seat: seat(MINE),
        capacity: Units::new(100),
        staying: Units::new(100),
        next_cost: Some(UnitCost::new(5)),
        frozen: false,
        change: CapacityView::Steady,
        takes_part: true,
        sealed: SealedSeat::default(),
        open: Units::ZERO,
        takeable: Units::new(100),
    }
}

/// As they are where batches pay.
fn costs() -> Costs {
    let mut costs = Costs::default();
    costs.alone(CIRCUIT, 300_000);
    costs
}

fn view(tasks: Vec<TaskView>) -> View {
    View {
        wish: Wish::Serve { capacity: Capacity::new(100).unwrap(), cost: UnitCost::new(5) },
        policy: Policy {
            takeovers: true,
            expire: Expire::Own,
            margin: Margin::HALF,
            failures: NonZeroU32::new(3).unwrap(),
        },
        rules: MarketRules {
            genesis: 100,
            proving_period: 10_000,
            takeover_period: 100,
            max_takeovers: 3,
            collateral_per_unit: 20,
            bounty_bps: 2_500,
            least_capacity: 19,
            seat_fee: 0,
            most_together: 3,
        },
        balance: 0,
        seats: vec![my_seat()],
        seats_busy: false,
        seats_retry_at: 0,
        sealed: None,
        tasks,
        workers: 1,
        running: 0,
        paces: Paces::default(),
        costs: costs(),
        trials: TrialsView::default(),
        failures: 0,
    }
}

/// The pace of the circuit of all tasks, at so much time per unit.
fn paced(per_unit: Duration) -> Paces {
    let mut paces = Paces::default();
    paces.measure(CircuitId::new(10), TaskSize::MIN, per_unit);
    paces
}

/// One second per unit.
fn slow() -> Paces {
    paced(Duration::from_secs(1))
}

#[test]
fn a_proof_is_delivered_until_the_second_before_the_deadline() {
    let view = view(vec![task(0, MINE, Stage::Proved)]);
    assert_eq!(plan(&view, DEADLINE - 1), [Action::Deliver(id(0))]);
    assert_eq!(plan(&view, DEADLINE), []);
    assert_eq!(plan(&view, DEADLINE + 1), []);
}

#[test]
fn proving_starts_until_the_second_before_the_deadline() {
    let view = view(vec![task(0, MINE, Stage::Ready)]);
    assert_eq!(plan(&view, DEADLINE - 1), [Action::Prove(id(0))]);
    assert_eq!(plan(&view, DEADLINE), []);
}

#[test]
fn nothing_is_done_for_a_task_that_another_holds() {
    for stage in [Stage::Unexamined, Stage::Ready, Stage::Proved] {
        assert_eq!(plan(&view(vec![task(0, OTHER, stage)]), DEADLINE - 1), []);
    }
}

#[test]
fn a_task_taken_from_this_prover_is_left_alone() {
    let mut lost = task(0, MINE, Stage::Proved);
    lost.takers = vec![seat(OTHER)];
    lost.deadline = DEADLINE + 100;
    assert_eq!(plan(&view(vec![lost.clone()]), DEADLINE + 1), []);
    assert_eq!(plan(&view(vec![lost]), DEADLINE + 100), []);
}

#[test]
fn the_taker_delivers_until_its_own_deadline() {
    let mut taken = task(0, OTHER, Stage::Proved);
    taken.takers = vec![seat(MINE)];
    taken.deadline = DEADLINE + 100;
    let view = view(vec![taken]);
    assert_eq!(plan(&view, DEADLINE + 99), [Action::Deliver(id(0))]);
    assert_eq!(plan(&view, DEADLINE + 100), []);
}

#[test]
fn held_tasks_are_examined_and_unprovable_ones_cost_nothing() {
    assert_eq!(plan(&view(vec![task(0, MINE, Stage::Unexamined)]), 500), [Action::Examine(id(0))]);
    for stage in [Stage::Examining, Stage::Unprovable, Stage::Proving] {
        assert_eq!(plan(&view(vec![task(0, MINE, stage)]), 500), []);
    }
}

#[test]
fn nothing_is_done_about_a_task_that_nobody_has_published_whatever_the_time() {
    let mut view = view(vec![task(0, MINE, Stage::Unpublished), task(1, OTHER, Stage::Unpublished)]);
    view.policy.expire = Expire::All;
    for now in [500, DEADLINE - 1, DEADLINE, FINAL - 1, FINAL, FINAL + 1_000] {
        assert_eq!(plan(&view, now), [], "{now}");
    }
    // As soon as it is published, what is still possible is done.
    view.tasks = vec![task(0, MINE, Stage::Unexamined)];
    assert_eq!(plan(&view, DEADLINE - 1), [Action::Examine(id(0))]);
    assert_eq!(plan(&view, FINAL), [Action::Expire(id(0))]);
}

#[test]
fn time_is_kept_for_a_held_task_that_may_yet_be_published() {
    let mut held = task(0, MINE, Stage::Unpublished);
    held.deadline = DEADLINE + 15;
    let mut view = view(vec![held, task(1, OTHER, Stage::Ready)]);
    view.paces = slow();
    let take = Action::TakeOver { task: id(1), seat: seat(MINE) };
    assert_eq!(plan(&view, DEADLINE), [take]);
    view.rules.takeover_period = 20;
    assert_eq!(plan(&view, DEADLINE), [], "20 seconds of work end at the 20th second");
}

#[test]
fn an_action_under_way_is_not_given_again() {
    let mut busy = task(0, MINE, Stage::Proved);
    busy.busy = true;
    assert_eq!(plan(&view(vec![busy]), 500), []);
}

#[test]
fn a_failed_delivery_waits_until_its_retry_time() {
    let mut failed = task(0, MINE, Stage::Proved);
    failed.retry_at = 600;
    let view = view(vec![failed]);
    assert_eq!(plan(&view, 599), []);
    assert_eq!(plan(&view, 600), [Action::Deliver(id(0))]);
}

#[test]
fn the_earliest_deadline_is_proved_first_and_workers_are_not_overbooked() {
    let mut tasks =
        vec![task(0, MINE, Stage::Ready), task(1, MINE, Stage::Ready), task(2, MINE, Stage::Ready)];
    tasks[2].deadline = DEADLINE - 10;
    let mut view = view(tasks);
    assert_eq!(plan(&view, 500), [Action::Prove(id(2))]);
    view.workers = 2;
    assert_eq!(plan(&view, 500), [Action::Prove(id(2)), Action::Prove(id(0))]);
    view.running = 1;
    assert_eq!(plan(&view, 500), [Action::Prove(id(2))]);
    view.running = 2;
    assert_eq!(plan(&view, 500), []);
}

#[test]
fn a_task_expected_too_late_never_delays_one_that_is_in_time() {
    let mut tasks = vec![task(0, MINE, Stage::Ready), task(1, MINE, Stage::Ready)];
    tasks[0].deadline = 510;
    let mut view = view(tasks);
    view.paces = slow();
    assert_eq!(plan(&view, 499), [Action::Prove(id(0))]);
    assert_eq!(plan(&view, 500), [Action::Prove(id(1))]);
    view.tasks.pop();
    assert_eq!(plan(&view, 500), [Action::Prove(id(0))], "an idle worker may try");
}

#[test]
fn a_defaulted_task_is_taken_over_from_its_deadline_to_the_end() {
    let view = view(vec![task(0, OTHER, Stage::Ready)]);
    let take = Action::TakeOver { task: id(0), seat: seat(MINE) };
    assert_eq!(plan(&view, DEADLINE - 1), []);
    assert_eq!(plan(&view, DEADLINE), [take]);
    assert_eq!(plan(&view, FINAL - 1), [take]);
    assert_eq!(plan(&view, FINAL), []);
}

#[test]
fn nothing_is_taken_over_unexamined_or_unprovable_or_against_the_policy() {
    assert_eq!(plan(&view(vec![task(0, OTHER, Stage::Unexamined)]), DEADLINE), [Action::Examine(id(0))]);
    assert_eq!(plan(&view(vec![task(0, OTHER, Stage::Unprovable)]), DEADLINE), []);
    let mut view = view(vec![task(0, OTHER, Stage::Ready)]);
    view.policy.takeovers = false;
    assert_eq!(plan(&view, DEADLINE), []);
    view.policy.takeovers = true;
    view.wish = Wish::Leave;
    view.seats[0].open = Units::new(1);
    view.seats[0].change = CapacityView::Shrinking { releasable: false };
    assert_eq!(plan(&view, DEADLINE), []);
}

#[test]
fn a_takeover_must_pay_what_the_prover_asks() {
    // 10 units: payment 50 and a quarter of 200 ticks of collateral are 100, so a unit cost of 10 is covered.
    let mut view = view(vec![task(0, OTHER, Stage::Ready)]);
    let serve = |cost| Wish::Serve { capacity: Capacity::new(100).unwrap(), cost: UnitCost::new(cost) };
    let takes =
        |view: &View| plan(view, DEADLINE).contains(&Action::TakeOver { task: id(0), seat: seat(MINE) });
    view.wish = serve(10);
    assert!(takes(&view));
    view.wish = serve(11);
    assert!(!takes(&view));
    view.tasks[0].takers = vec![seat(OTHER + 1)];
    assert!(takes(&view), "two bounties");
}

#[test]
fn takeovers_are_bounded_by_the_market() {
    let mut view = view(vec![task(0, OTHER, Stage::Ready)]);
    view.tasks[0].takers = vec![seat(8), seat(9)];
    assert_eq!(plan(&view, DEADLINE).len(), 1);
    view.tasks[0].takers.push(seat(10));
    assert_eq!(plan(&view, DEADLINE), []);
}

#[test]
fn takeovers_need_free_capacity() {
    let mut view = view(vec![task(0, OTHER, Stage::Ready)]);
    view.seats[0].takeable = Units::new(9);
    assert_eq!(plan(&view, DEADLINE), []);
    view.seats[0].takeable = Units::new(10);
    assert_eq!(plan(&view, DEADLINE).len(), 1);
}

#[test]
fn takeovers_share_capacity_with_each_other_and_with_those_under_way() {
    let mut view = view(vec![task(0, OTHER, Stage::Ready), task(1, OTHER, Stage::Ready)]);
    view.paces = paced(Duration::from_millis(1));
    view.seats[0].takeable = Units::new(19);
    assert_eq!(plan(&view, DEADLINE).len(), 1);
    view.tasks[0].busy = true;
    assert_eq!(plan(&view, DEADLINE), []);
    view.seats[0].takeable = Units::new(20);
    assert_eq!(plan(&view, DEADLINE), [Action::TakeOver { task: id(1), seat: seat(MINE) }]);
}

#[test]
fn before_a_first_measurement_only_idle_workers_take_over() {
    let mut held = task(0, MINE, Stage::Proving);
    held.deadline = FINAL;
    let mut view = view(vec![held, task(1, OTHER, Stage::Ready)]);
    view.running = 1;
    assert_eq!(plan(&view, DEADLINE), []);
    view.workers = 2;
    assert_eq!(plan(&view, DEADLINE).len(), 1);
}

#[test]
fn no_takeover_makes_a_held_task_late_or_comes_late_itself() {
    let mut held = task(0, MINE, Stage::Ready);
    held.deadline = DEADLINE + 15;
    let mut view = view(vec![held, task(1, OTHER, Stage::Ready)]);
    view.paces = slow();
    let take = Action::TakeOver { task: id(1), seat: seat(MINE) };
    assert_eq!(plan(&view, DEADLINE), [Action::Prove(id(0)), take]);
    view.rules.takeover_period = 20;
    assert_eq!(plan(&view, DEADLINE), [Action::Prove(id(0))], "20 seconds of work end at the 20th second");
    view.rules.takeover_period = 21;
    assert_eq!(plan(&view, DEADLINE), [Action::Prove(id(0)), take]);
    view.tasks.remove(0);
    assert_eq!(plan(&view, FINAL - 11), [take]);
    assert_eq!(plan(&view, FINAL - 10), []);
}

#[test]
fn the_best_paid_task_is_taken_first() {
    let mut view = view(vec![task(0, OTHER, Stage::Ready), task(1, OTHER, Stage::Ready)]);
    view.tasks[1].payment += 1;
    assert_eq!(plan(&view, DEADLINE), [Action::TakeOver { task: id(1), seat: seat(MINE) }]);
}

#[test]
fn a_dead_task_of_this_prover_is_expired_from_the_final_deadline() {
    let mut view = view(vec![task(0, MINE, Stage::Unprovable), task(1, OTHER, Stage::Ready)]);
    assert_eq!(plan(&view, FINAL - 1), [Action::TakeOver { task: id(1), seat: seat(MINE) }]);
    assert_eq!(plan(&view, FINAL), [Action::Expire(id(0))]);
    view.policy.expire = Expire::All;
    assert_eq!(plan(&view, FINAL), [Action::Expire(id(0)), Action::Expire(id(1))]);
    view.policy.expire = Expire::Never;
    assert_eq!(plan(&view, FINAL), []);
}

#[test]
fn a_seat_is_paid_for_and_taken_once_the_market_is_open() {
    let mut view = view(Vec::new());
    view.seats.clear();
    view.balance = 1_999;
    assert_eq!(plan(&view, 99), []);
    assert_eq!(plan(&view, 100), [Action::Deposit { ticks: 1 }]);
    view.balance = 2_000;
    let register = Action::Register { capacity: Capacity::new(100).unwrap(), cost: UnitCost::new(5) };
    assert_eq!(plan(&view, 100), [register]);
    view.seats_busy = true;
    assert_eq!(plan(&view, 100), []);
    view.seats_busy = false;
    view.seats_retry_at = 101;
    assert_eq!(plan(&view, 100), []);
}

#[test]
fn a_standing_ask_is_changed_when_it_differs_and_the_market_allows_it() {
    let mut view = view(Vec::new());
    assert_eq!(plan(&view, 500), []);
    view.seats[0].next_cost = Some(UnitCost::new(6));
    assert_eq!(plan(&view, 500), [Action::Ask { seat: seat(MINE), cost: UnitCost::new(5) }]);
    view.seats[0].frozen = true;
    assert_eq!(plan(&view, 500), []);
    view.seats[0] = SeatView { next_cost: None, ..my_seat() };
    assert_eq!(plan(&view, 500), [Action::Ask { seat: seat(MINE), cost: UnitCost::new(5) }]);
}

#[test]
fn a_seat_fee_is_paid_on_top_of_the_collateral() {
    let mut view = view(Vec::new());
    view.seats.clear();
    view.rules.seat_fee = 30;
    view.balance = 2_000;
    assert_eq!(plan(&view, 100), [Action::Deposit { ticks: 30 }]);
}

#[test]
fn leaving_waits_for_rounds_and_tasks_and_ends_with_the_collateral() {
    let mut view = view(Vec::new());
    view.wish = Wish::Leave;
    let mut plan_with = |change| {
        view.seats[0].change = change;
        plan(&view, 500)
    };
    assert_eq!(plan_with(CapacityView::Growing), []);
    assert_eq!(plan_with(CapacityView::Steady), [Action::Leave(seat(MINE))]);
    assert_eq!(plan_with(CapacityView::Shrinking { releasable: false }), []);
    assert_eq!(plan_with(CapacityView::Shrinking { releasable: true }), [Action::Release(seat(MINE))]);
    assert_eq!(plan_with(CapacityView::Gone), [Action::Release(seat(MINE))]);
    view.seats.clear();
    assert_eq!(plan(&view, 500), []);
}

#[test]
fn a_leaving_prover_still_proves_what_it_holds() {
    let mut view = view(vec![task(0, MINE, Stage::Proved), task(1, MINE, Stage::Ready)]);
    view.wish = Wish::Leave;
    let expected = [Action::Deliver(id(0)), Action::Prove(id(1)), Action::Leave(seat(MINE))];
    assert_eq!(plan(&view, 500), expected);
}
