//! What this crate computes is what the contract computes.
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

mod support;

use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{B256, U256};
use alloy::providers::Provider;
use bindings::ProverMarket::{
    self, Delivery, ProofRejected, RoundSettledAlready, UnknownBundle, UnknownTask, WrongStatement,
    expireCall,
};
use chain::commitments::{BidChain, MerkleTree};
use chain::history::TaskEnd;
use chain::round::{asks_at, release_call, seats, terms_at, to_clearing};
use chain::sealed::reveal_bids_call;
use chain::settlement::{PageLimits, Settling};
use chain::{EntryRecord, MAX_TRANSACTION_GAS, Outcome};
use clearing::clear_with_certificate;
use market_types::{AskIndex, Mechanism, RoundNumber, UnitCost};
use support::{ROUND, Stage};
use testkit::{average_fee, controlled, sealed, with_reserve};

#[tokio::test]
async fn the_running_hash_of_a_round_is_that_of_the_contract() {
    let stage = Stage::with_bids().await;
    let client = stage.bed.client(9).await;
    let words = stage.round().await.words();
    assert_eq!(words.len(), 12);
    let of = |round, words: &[_]| {
        BidChain::of(client.chain_id(), client.contract(), stage.market.id, round, words)
    };
    let stored = async |round: RoundNumber| {
        let number = U256::from(round.get());
        BidChain::stored(client.market().bidChainOf(stage.market.id.get(), number).call().await.unwrap())
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
    let round = to_clearing(&record, stage.market.params.first_terms(), asks).unwrap();
    let (outcome, certificate) = clear_with_certificate(Mechanism::Core, &round);
    assert!(outcome.is_trade());

    let seed = client.seed(&stage.market, ROUND);
    let settling = Settling::new(&stage.market, seed, &record, &certificate);
    let call = settling.next(None, &PageLimits::TRANSACTION).unwrap();
    client.settle(call.clone()).await.unwrap();

    let record = stage.round().await;
    let settlement = record.settlement.as_ref().unwrap();
    let assigned: Vec<_> =
        record.assignments().unwrap().iter().map(|assignment| (assignment.index, assignment.seat)).collect();
    assert_eq!(assigned, outcome.assignment().collect::<Vec<_>>());
    assert_eq!(settlement.outcome.prices(), outcome.prices);
    assert_eq!(settlement.certificate, certificate);
    assert_eq!(Some(settlement.settler), client.sender());
    let number = U256::from(ROUND.get());
    let root = client.market().assignmentRoot(stage.market.id.get(), number).call().await.unwrap();
    assert_eq!(settlement.assignment_root, root);
    assert_ne!(root, MerkleTree::new(vec![]).root());

    let error = client.settle(call).await.unwrap_err();
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
    for assignment in &assignments {
        let delivery = record.delivery(assignment, statement.proof.clone()).unwrap();
        let wrong_proof = Delivery { proof: vec![0; 256].into(), ..delivery.clone() };
        let wrong_path = Delivery { path: vec![], ..delivery.clone() };
        let wrong_data = Delivery { dataHash: B256::ZERO, ..delivery.clone() };
        let refusal = async |delivery| client.deliver(&stage.market, delivery).await.unwrap_err();
        assert!(refusal(wrong_proof).await.is::<ProofRejected>());
        assert!(refusal(wrong_path).await.is::<UnknownTask>());
        assert!(refusal(wrong_data).await.is::<WrongStatement>());
        client.deliver(&stage.market, delivery).await.unwrap();
    }
    let record = stage.round().await;
    for assignment in &record.assignments().unwrap() {
        let due = U256::from(record.settlement.as_ref().unwrap().outcome.pay_down(assignment.size).get());
        assert!(!due.is_zero());
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
    assert_eq!(bundles.iter().map(|bundle| bundle.entries).collect::<Vec<_>>(), [1, 1, 9]);
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
        let entries = record.entries_from(bundle.first_index, bundle.entries).unwrap();
        let bids = entries.into_iter().flat_map(EntryRecord::bids);
        let refund = bids.fold(U256::ZERO, |sum, bid| sum + settlement.refund(&bid));
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
    let leave = ProverMarket::changeCapacityCall { id, seat: U256::from(2), capacity: 0 };
    leaver.send(leave, U256::ZERO, None).await.unwrap();

    let history = stage.history().await;
    let states = seats(&client, &stage.market).await.unwrap();
    assert_eq!(states.len(), 3);
    for state in states {
        let record = history.seat(state.seat).unwrap();
        assert_eq!((record.prover, record.capacity), (state.prover, state.capacity));
        for number in [1, 2, 3].map(RoundNumber::new) {
            assert_eq!(
                record.ask_at(stage.market.id, number),
                state.ask_at(&stage.market, number),
                "{number}"
            );
            assert_eq!(record.capacity_at(number), state.capacity_at(number), "{number}");
        }
    }
    let cost = |seat, round| history.seat(AskIndex::new(seat)).unwrap().cost_at(RoundNumber::new(round));
    assert_eq!(cost(1, 1), Some(UnitCost::new(20)));
    assert_eq!(cost(1, 2), Some(UnitCost::new(25)));
    let takes_part = |round| history.seat(AskIndex::new(2)).unwrap().ask_at(stage.market.id, round).is_some();
    assert_eq!([1, 2].map(|round| takes_part(RoundNumber::new(round))), [true, false]);
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
    let (task, path) = (record.named_task(assignment).unwrap(), record.path(assignment));
    client.send(expireCall { id: stage.market.id.get(), task, path }, U256::ZERO, None).await.unwrap();
    let history = stage.history().await;
    let task = history.round(ROUND).unwrap().task(assignment.index).unwrap();
    assert!(matches!(task.end, Some(TaskEnd::Expired { .. })));
    let left = history.seat(assignment.seat).unwrap().capacity;
    assert!(left < capacity);
    let states = seats(&client, &stage.market).await.unwrap();
    assert_eq!(states[usize::try_from(assignment.seat.get()).unwrap()].capacity, left);
}

#[tokio::test]
async fn under_average_fee_every_delivery_is_paid_its_share_and_the_dust_goes_to_the_sink() {
    let stage = Stage::with_bids_in(average_fee).await;
    stage.settle().await;
    let client = stage.bed.client(8).await;
    let id = stage.market.id.get();
    let record = stage.round().await;
    let settlement = record.settlement.as_ref().unwrap();
    let slot = client.market().outcomeOf(id, U256::from(ROUND.get())).call().await.unwrap();
    assert_eq!(Outcome::from_slot(slot), Ok(Some(settlement.outcome)));
    let assignments = record.assignments().unwrap();
    let revenue: U256 = record.bids().fold(U256::ZERO, |sum, bid| sum + settlement.charge(&bid));
    assert_eq!(revenue, U256::from(settlement.outcome.revenue.get()));
    let paid = assignments.iter().fold(0, |sum, task| sum + settlement.outcome.pay_down(task.size).get());
    let surplus = client.market().surplusOf(id).call().await.unwrap();
    assert_eq!(surplus, revenue - U256::from(paid));

    let statement = &stage.circuits.last().unwrap().statements[0];
    let assignment = &assignments[0];
    let delivery = record.delivery(assignment, statement.proof.clone()).unwrap();
    client.deliver(&stage.market, delivery).await.unwrap();
    let record = stage.round().await;
    let due = U256::from(settlement.outcome.pay_down(assignment.size).get());
    assert!(matches!(record.task(assignment.index).and_then(|task| task.end),
        Some(TaskEnd::Delivered { payment, .. }) if payment == due));
}

#[tokio::test]
async fn a_sealed_round_is_what_was_opened_of_it() {
    let stage = Stage::with_provers_in(|params| sealed(with_reserve(params, 50))).await;
    let (bed, market) = (&stage.bed, &stage.market);
    let (mut bids, mut asks) = (Vec::new(), Vec::new());
    for (account, fee) in [(4, 90), (5, 80), (6, 70)] {
        bids.push(bed.commit_bid(&bed.client(account).await, market, &stage.proved_bid(fee)).await.1);
    }
    for (account, cost) in [(1, 10), (2, 20), (3, 30)] {
        let seat = AskIndex::new(u32::try_from(account).unwrap() - 1);
        asks.push(bed.commit_ask(&bed.client(account).await, market, seat, cost).await.1);
    }
    bed.warp_to_close(market, ROUND).await;
    let anyone = bed.client(9).await;
    // The third requester keeps silent; the others are opened in another order than they were committed to.
    let mut opened = vec![bids[1].clone(), bids[0].clone()];
    let mut wrong = bids[2].clone();
    wrong.fee = market_types::UnitFee::new(71).unwrap();
    opened.push(wrong);
    let call = reveal_bids_call(market, &opened).unwrap();
    anyone.send(call, U256::ZERO, None).await.unwrap();
    bed.reveal(&anyone, market, &[], &asks).await;
    let history = stage.history().await;
    let record = history.round(ROUND).unwrap();
    assert_eq!(record.bids().map(|bid| bid.fee.get()).collect::<Vec<_>>(), [80, 90]);
    assert!(record.bids().all(|bid| bid.statement() == Some(&bids[0].statement())));
    let costs: Vec<_> = history.asks_at(ROUND).iter().map(|entry| entry.ask.cost.get()).collect();
    assert_eq!(costs, [10, 20, 30]);
    assert_eq!(history.asks_at(RoundNumber::new(2)), []);
    assert_eq!(history.commitments(ROUND).count(), 6);

    stage.settle().await;
    let settled = stage.round().await.settlement.unwrap();
    assert!(settled.is_trade());
    let lost = &bids[2];
    let commitment = lost.commitment(anyone.seed(market, ROUND)).unwrap();
    let (id, account, round) = (market.id.get(), lost.requester, U256::from(ROUND.get()));
    let stake = anyone.market().stakeOf(id, account, round, commitment).call().await.unwrap();
    let deposit = lost.least_deposit(market) * 2;
    assert_eq!(stake.deposit_, U256::from(deposit));
    assert_eq!(stake.bond, U256::from(market.bond_of(deposit)));
    let call = ProverMarket::forfeitCall { id, account, round, commitment };
    anyone.send(call.clone(), U256::ZERO, None).await.unwrap();
    let again = anyone.send(call, U256::ZERO, None).await.unwrap_err().to_string();
    assert!(again.starts_with("UnknownCommitment(); it was opened or forfeited already"), "{again}");
    let history = stage.history().await;
    assert_eq!(history.commitments(ROUND).filter(|record| record.forfeited.is_some()).count(), 1);
}

#[tokio::test]
async fn terms_that_moved_are_those_of_the_contract() {
    let stage = Stage::with_bids_in(controlled).await;
    stage.settle().await;
    let client = stage.bed.client(9).await;
    let history = stage.history().await;
    let mut all = Vec::new();
    for number in [1, 2, 3, 4].map(RoundNumber::new) {
        let terms = history.terms_at(number);
        assert_eq!(terms_at(&client, &stage.market, number).await.unwrap(), terms, "{number}");
        all.push(terms);
    }
    assert_eq!((all[0], all[1]), (stage.market.params.first_terms(), stage.market.params.first_terms()));
    assert_ne!(all[2], all[1]);
}

#[tokio::test]
async fn parameters_of_no_market_are_refused_before_anything_is_sent() {
    let bed = testkit::Testbed::start().await;
    let mut params = bed.params().await;
    params.min_seat_capacity = 5;
    let error = chain::deploy::create_market(&bed.client(0).await, &params).await.unwrap_err().to_string();
    assert!(error.contains("minSeatCapacity: a seat of 5 units"), "{error}");
}

#[tokio::test]
async fn the_contracts_are_deployed_within_the_gas_of_one_transaction_each() {
    let options = testkit::AnvilOptions { tx_gas_limit: true, ..Default::default() };
    let bed = testkit::Testbed::start_with(&options).await;
    let block = BlockNumberOrTag::Number(bed.deployment.block);
    let receipts = bed.anvil.connection().provider().get_block_receipts(block.into()).await.unwrap().unwrap();
    println!("gas to deploy the market with its extension and auditor: {}", receipts[0].gas_used);
    assert!(receipts[0].gas_used < MAX_TRANSACTION_GAS * 9 / 10);
}
