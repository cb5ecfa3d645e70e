//! What this crate computes is what the contract computes.
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

mod support;

use alloy::primitives::U256;
use bindings::ProverMarket::{
    self, ProofRejected, RoundSettledAlready, UnknownBundle, UnknownTask, deliverCall, expireCall,
};
use chain::commitments::{AssignmentTree, BidChain};
use chain::history::TaskEnd;
use chain::round::{asks_at, release_call, seats, settle_call, to_clearing};
use clearing::clear_with_certificate;
use market_types::{AskIndex, RoundNumber, UnitCost};
use support::{ROUND, Stage};

#[tokio::test]
async fn the_running_hash_of_a_round_is_that_of_the_contract() {
    let stage = Stage::with_bids().await;
    let client = stage.bed.client(9).await;
    let words = stage.round().await.words();
    assert_eq!(words.len(), 12);
    let of = |round, words: &[_]| {
        BidChain::of(client.chain_id(), client.contract(), stage.market.id, round, words).value()
    };
    let stored = async |round: RoundNumber| {
        let number = U256::from(round.get());
        client.market().bidChainOf(stage.market.id.get(), number).call().await.unwrap()
    };
    assert_eq!(of(ROUND, &words), stored(ROUND).await);
    assert_eq!(of(RoundNumber::new(5), &[]), stored(RoundNumber::new(5)).await);
}

#[tokio::test]
async fn a_round_settles_with_the_certificate_and_its_assignment_follows_from_logs() {
    let stage = Stage::with_bids().await;
    stage.bed.warp_to_close(&stage.market, ROUND).await;
    let client = stage.bed.client(9).await;
    let asks = asks_at(&client, &stage.market, ROUND).await.unwrap();
    assert_eq!(asks.iter().map(|ask| ask.ask.capacity.get()).collect::<Vec<_>>(), [137, 137, 137]);
    let record = stage.round().await;
    let round = to_clearing(&stage.market, &record, asks).unwrap();
    let (outcome, certificate) = clear_with_certificate(&round);
    assert!(outcome.is_trade());

    let call = settle_call(&stage.market, &record, &certificate);
    client.send(call.clone(), U256::ZERO, None).await.unwrap();

    let record = stage.round().await;
    let settlement = record.settlement.as_ref().unwrap();
    let assigned: Vec<_> =
        record.assignments().unwrap().iter().map(|assignment| (assignment.index, assignment.seat)).collect();
    assert_eq!(assigned, outcome.assignment);
    assert_eq!(settlement.user_price, outcome.user_price);
    assert_eq!(settlement.prover_price, outcome.prover_price);
    assert_eq!(Some(settlement.settler), client.sender());
    let number = U256::from(ROUND.get());
    let root = client.market().assignmentRoot(stage.market.id.get(), number).call().await.unwrap();
    assert_eq!(settlement.assignment_root, root);
    assert_ne!(root, AssignmentTree::new(vec![]).root());

    let error = client.send(call, U256::ZERO, None).await.unwrap_err();
    assert!(error.is::<RoundSettledAlready>());
    assert_eq!(error.to_string(), "RoundSettledAlready(round: 1)");
}

#[tokio::test]
async fn every_path_is_accepted_and_a_real_proof_is_paid() {
    let stage = Stage::with_bids().await;
    stage.settle().await;
    let record = stage.round().await;
    let statement = &stage.circuits.last().unwrap().statements[0];
    let client = stage.bed.client(8).await;
    let assignments = record.assignments().unwrap();
    assert!(assignments.len() > 2);
    for assignment in assignments {
        let call = deliverCall {
            id: stage.market.id.get(),
            task: assignment.task.clone(),
            path: assignment.path().to_vec(),
            publicInputs: statement.public_inputs.clone(),
            proof: statement.proof.clone(),
        };
        let wrong_proof = deliverCall { proof: vec![0; 256].into(), ..call.clone() };
        let wrong_path = deliverCall { path: vec![], ..call.clone() };
        assert!(client.send(wrong_proof, U256::ZERO, None).await.unwrap_err().is::<ProofRejected>());
        assert!(client.send(wrong_path, U256::ZERO, None).await.unwrap_err().is::<UnknownTask>());
        client.send(call, U256::ZERO, Some(stage.market.delivery_gas())).await.unwrap();
    }
    let record = stage.round().await;
    for assignment in record.assignments().unwrap() {
        let price = record.settlement.as_ref().unwrap().prover_price.get();
        let due = U256::from(price * u64::from(assignment.size.get()));
        let end = record.task(assignment.index).and_then(|task| task.end);
        assert!(matches!(end, Some(TaskEnd::Delivered { seat, payment, .. })
            if seat == assignment.seat && payment == due));
    }
}

#[tokio::test]
async fn bundles_wait_in_the_history_until_they_are_released() {
    let stage = Stage::with_bids().await;
    stage.settle().await;
    let history = stage.history().await;
    let bundles: Vec<_> = history.bundles().copied().collect();
    // The second and third bid of account 4 and the nine of account 5.
    assert_eq!(bundles.iter().map(|bundle| bundle.count).collect::<Vec<_>>(), [1, 1, 9]);
    let client = stage.bed.client(9).await;
    for bundle in &bundles {
        let call = release_call(&stage.market, history.round(ROUND).unwrap(), bundle).unwrap();
        let available = async || {
            client.market().availableOf(stage.market.id.get(), bundle.requester).call().await.unwrap()
        };
        let before = available().await;
        client.send(call.clone(), U256::ZERO, None).await.unwrap();
        let record = history.round(ROUND).unwrap();
        let settlement = record.settlement.as_ref().unwrap();
        let first = usize::try_from(bundle.first_index.get()).unwrap();
        let bids = &record.bids[first..first + usize::try_from(bundle.count).unwrap()];
        let refund = bids.iter().fold(U256::ZERO, |sum, bid| sum + settlement.refund(bid));
        assert_eq!(available().await - before, refund);
        assert!(client.send(call, U256::ZERO, None).await.unwrap_err().is::<UnknownBundle>());
    }
    assert_eq!(stage.history().await.bundles().count(), 0);
}

#[tokio::test]
async fn seats_in_the_history_are_those_of_the_contract() {
    let stage = Stage::with_bids().await;
    let client = stage.bed.client(2).await;
    let id = stage.market.id.get();
    client.send(ProverMarket::askCall { id, seat: U256::ONE, cost: 25 }, U256::ZERO, None).await.unwrap();
    let leaver = stage.bed.client(3).await;
    leaver.send(ProverMarket::leaveCall { id, seat: U256::from(2) }, U256::ZERO, None).await.unwrap();

    let history = stage.history().await;
    let states = seats(&client, &stage.market).await.unwrap();
    assert_eq!(states.len(), 3);
    for state in states {
        let record = history.seat(state.seat).unwrap();
        assert_eq!((record.prover, record.capacity), (state.prover, state.capacity));
        for number in [1, 2, 3].map(RoundNumber::new) {
            assert_eq!(record.cost_at(number), state.offer.cost_at(number), "{} {number}", state.seat);
        }
    }
    let cost = |seat, round| history.seat(AskIndex::new(seat)).unwrap().cost_at(RoundNumber::new(round));
    assert_eq!(cost(1, 1), Some(UnitCost::new(20)));
    assert_eq!(cost(1, 2), Some(UnitCost::new(25)));
    assert_eq!((cost(2, 1), cost(2, 2)), (Some(UnitCost::new(30)), None));
}

#[tokio::test]
async fn a_change_after_the_close_does_not_count_for_the_closed_round() {
    let stage = Stage::with_bids().await;
    stage.bed.warp_to_close(&stage.market, ROUND).await;
    let client = stage.bed.client(9).await;
    let before = asks_at(&client, &stage.market, ROUND).await.unwrap();
    let prover = stage.bed.client(1).await;
    let call = ProverMarket::askCall { id: stage.market.id.get(), seat: U256::ZERO, cost: 99 };
    prover.send(call, U256::ZERO, None).await.unwrap();
    assert_eq!(asks_at(&client, &stage.market, ROUND).await.unwrap(), before);
    stage.settle().await;
}

#[tokio::test]
async fn an_expired_task_is_ended_and_its_penalty_leaves_the_seat() {
    let stage = Stage::with_bids().await;
    stage.settle().await;
    stage.bed.anvil.warp_to(stage.market.final_at(ROUND)).await;
    let record = stage.round().await;
    let assignment = &record.assignments().unwrap()[0];
    let client = stage.bed.client(9).await;
    let capacity = stage.history().await.seat(assignment.seat).unwrap().capacity;
    let (task, path) = (assignment.task.clone(), assignment.path().to_vec());
    client.send(expireCall { id: stage.market.id.get(), task, path }, U256::ZERO, None).await.unwrap();
    let history = stage.history().await;
    let task = history.round(ROUND).unwrap().task(assignment.index).unwrap();
    assert!(matches!(task.end, Some(TaskEnd::Expired { .. })));
    let left = history.seat(assignment.seat).unwrap().capacity;
    assert!(left < capacity);
    let states = seats(&client, &stage.market).await.unwrap();
    assert_eq!(states[usize::try_from(assignment.seat.get()).unwrap()].capacity, left);
}
