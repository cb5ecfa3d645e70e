//! Which proofs share a transaction, and what a proof waits for.

use super::*;

fn known_pace() -> Paces {
    paced(Duration::from_secs(10))
}

fn delivered(view: &View, now: u64) -> Vec<TaskId> {
    let actions = plan(view, now);
    actions
        .iter()
        .filter_map(|action| if let Action::Deliver(id) = action { Some(*id) } else { None })
        .collect()
}

/// One proof is there and another of its kind is being made.
fn one_of_two() -> View {
    let mut view = view(vec![task(0, MINE, Stage::Proved), task(1, MINE, Stage::Proving)]);
    view.paces = known_pace();
    view
}

#[test]
fn a_proof_waits_for_another_of_its_circuit_and_round() {
    let mut view = one_of_two();
    assert_eq!(delivered(&view, 500), []);
    view.tasks[1].stage = Stage::Proved;
    assert_eq!(delivered(&view, 500), [id(0), id(1)]);
    assert_eq!(together(&view, &plan(&view, 500)), [[id(0), id(1)]]);
}

#[test]
fn a_proof_does_not_wait_for_what_comes_too_late_for_its_deadline() {
    // Done at 100 seconds from now, and sent a minute before the deadline.
    let last = DEADLINE - 160;
    assert_eq!(delivered(&one_of_two(), last - 1), []);
    assert_eq!(delivered(&one_of_two(), last), [id(0)]);
    assert_eq!(delivered(&one_of_two(), DEADLINE - 1), [id(0)]);
}

/// A node with one worker, which is about to begin the other proof.
#[test]
fn a_proof_waits_for_the_next_one_of_its_circuit_and_round() {
    let mut view = one_of_two();
    view.tasks[1].stage = Stage::Ready;
    let last = DEADLINE - 260;
    assert_eq!(delivered(&view, last - 1), []);
    assert_eq!(delivered(&view, last), [id(0)], "it may follow on a proof that runs");
}

#[test]
fn a_proof_does_not_wait_for_what_is_no_company() {
    let mut other_circuit = one_of_two();
    other_circuit.tasks[1].circuit = Some(CircuitId::new(11));
    let mut other_round = one_of_two();
    other_round.tasks[1].id.round = RoundNumber::new(2);
    let mut not_examined = one_of_two();
    not_examined.tasks[1].stage = Stage::Examining;
    let mut of_another = one_of_two();
    of_another.tasks[1].assigned = seat(OTHER);
    let mut unknown_pace = one_of_two();
    unknown_pace.paces = Paces::default();
    let mut taken_over = one_of_two();
    taken_over.tasks[0].takers = vec![seat(MINE)];
    let mut failed_before = one_of_two();
    failed_before.tasks[0].retry_at = 1;
    let views =
        [other_circuit, other_round, not_examined, of_another, unknown_pace, taken_over, failed_before];
    for (case, view) in views.iter().enumerate() {
        assert_eq!(delivered(view, 500), [id(0)], "case {case}");
    }
}

#[test]
fn the_first_proof_of_a_circuit_goes_alone_and_the_others_wait_for_what_it_costs() {
    let mut view = view((0..3).map(|index| task(index, MINE, Stage::Proved)).collect());
    view.costs = Costs::default();
    assert_eq!(delivered(&view, 500), [id(0)]);
    view.tasks[0].busy = true;
    assert_eq!(delivered(&view, 500), []);
    assert_eq!(delivered(&view, DEADLINE - 61), []);
    assert_eq!(delivered(&view, DEADLINE - 60), [id(1), id(2)]);
    view.costs = costs();
    assert_eq!(delivered(&view, 500), [id(1), id(2)]);
    // Another of them, if the first one has failed.
    (view.tasks[0].busy, view.tasks[0].retry_at, view.costs) = (false, 501, Costs::default());
    assert_eq!(delivered(&view, 500), [id(1)]);
}

#[test]
fn where_batches_are_dear_nothing_is_waited_for_and_each_proof_goes_alone() {
    let mut view = one_of_two();
    assert!(view.costs.together(CIRCUIT, 2, 600_001));
    assert_eq!(delivered(&view, 500), [id(0)]);
    view.tasks[1].stage = Stage::Proved;
    assert_eq!(together(&view, &plan(&view, 500)), [[id(0)], [id(1)]]);
}

#[test]
fn a_full_batch_does_not_wait() {
    let mut tasks: Vec<TaskView> = (0..3).map(|index| task(index, MINE, Stage::Proved)).collect();
    tasks.push(task(3, MINE, Stage::Proving));
    let mut view = view(tasks);
    view.paces = known_pace();
    assert_eq!(delivered(&view, 500), [id(0), id(1), id(2)]);
}

#[test]
fn what_shares_no_transaction_goes_alone_and_batches_have_a_limit() {
    let mut tasks: Vec<TaskView> = (0..7).map(|index| task(index, MINE, Stage::Proved)).collect();
    tasks[1].circuit = Some(CircuitId::new(11));
    tasks[2].takers = vec![seat(MINE)];
    tasks[5].retry_at = 1;
    let view = view(tasks);
    let actions = plan(&view, 500);
    let batches = together(&view, &actions);
    assert_eq!(batches, [vec![id(0), id(3), id(4)], vec![id(1)], vec![id(2)], vec![id(5)], vec![id(6)]]);
}
