//! Entries that stand for several tasks, and entries of which nobody says what they ask for.

use std::collections::BTreeSet;

use chain::history::TaskEnd;
use chain::{BidWord, MarketParams, Ticket};
use market_types::{AskIndex, LotSize, UnitFee};

use crate::world::{CHEAP, KIND, NODE, PRICE, REQUESTER, World, status, ticks};

const FEE: u64 = 10;

#[tokio::test(flavor = "multi_thread")]
async fn every_task_of_a_lot_is_proved_and_paid_by_itself() {
    let world = World::new().await;
    let (node, round) = world.against_rival(PRICE, CHEAP).await;
    let requester = world.client(REQUESTER).await;
    let statements = [1, 2, 3].map(|seed| World::bid(seed).statement()).to_vec();
    let lot = testkit::lot(requester.sender().unwrap(), FEE, statements);
    let (at, first) = world.bed.lots(&requester, &world.market, &[lot]).await;
    assert_eq!(at, round);
    world.settle(round).await;

    let seat = world.seat_of(NODE).await;
    for index in first..first + 3 {
        assert_eq!(paid(world.end_of(round, index).await), seat);
        assert_eq!(world.status(round, index).await, status::DELIVERED);
    }
    let prover = world.bed.anvil.account(NODE).address();
    assert_eq!(world.available(prover).await, ticks(PRICE) * alloy::primitives::U256::from(3));
    node.stop().await;
}

/// Four tasks of one entry are won, proved and paid to account [`NODE`]; in how many transactions.
async fn deliveries_of_a_lot_of_four(world: &World) -> usize {
    let requester = world.client(REQUESTER).await;
    let statements = [1, 2, 3, 4].map(|seed| World::bid(seed).statement()).to_vec();
    let lot = testkit::lot(requester.sender().unwrap(), FEE, statements);
    let (round, first) = world.bed.lots(&requester, &world.market, &[lot]).await;
    world.settle(round).await;

    let mut transactions = BTreeSet::new();
    for index in first..first + 4 {
        let end = world.end_of(round, index).await;
        let TaskEnd::Delivered { origin, .. } = end else { panic!("{end:?}") };
        transactions.insert(origin.tx_hash);
        assert_eq!(paid(end), world.seat_of(NODE).await);
    }
    transactions.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_of_one_lot_share_a_transaction_also_with_one_worker() {
    let world = World::new().await;
    let (node, _) = world.against_rival(PRICE, CHEAP).await;
    assert!(deliveries_of_a_lot_of_four(&world).await < 4);
    let prover = world.bed.anvil.account(NODE).address();
    assert_eq!(world.available(prover).await, ticks(PRICE) * alloy::primitives::U256::from(4));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_verifier_makes_batches_dear_one_shows_it_and_then_each_proof_goes_alone() {
    let bed = World::bed().await;
    let deployer = bed.anvil.connection_of(0).await;
    let real = bed.deployment.verifier.into_word();
    let dear = testkit::deploy_mock(&deployer, "BatchVerifiers.sol/DearBatchVerifier", &real[..]).await;
    let world = World::on(bed, |params| MarketParams { verifier: dear, ..params }).await;
    let (node, _) = world.against_rival(PRICE, CHEAP).await;
    assert!(deliveries_of_a_lot_of_four(&world).await < 4);
    assert_eq!(deliveries_of_a_lot_of_four(&world).await, 4);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_nobody_has_published_is_waited_for_and_proved_once_it_is() {
    let world = World::new().await;
    let (node, round) = world.against_rival(PRICE, CHEAP).await;
    let requester = world.client(REQUESTER).await;
    let silent = World::bid(1).lot(requester.sender().unwrap()).untold();
    let late = world.submit_silently(&requester, silent.word()).await;
    let (_, told) = world.bed.bid(&requester, &world.market, &World::bid(2)).await;
    world.settle(round).await;

    assert_eq!(paid(world.end_of(round, told).await), world.seat_of(NODE).await);
    assert_eq!(world.status(round, late).await, status::ASSIGNED);
    requester.publish(&world.market, &silent).await.unwrap();
    assert_eq!(paid(world.end_of(round, late).await), world.seat_of(NODE).await);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_is_published_after_its_end_is_expired_then_and_not_before() {
    let world = World::new().await;
    let (node, round) = world.against_rival(PRICE, CHEAP).await;
    let requester = world.client(REQUESTER).await;
    let silent = World::bid(1).lot(requester.sender().unwrap()).untold();
    let index = world.submit_silently(&requester, silent.word()).await;
    world.settle(round).await;
    world.bed.anvil.warp_to(world.market.final_at(round)).await;

    // The node is alive and has seen all of it: a task of a later round is proved.
    let open = world.bed.current_round(&world.market).await;
    let (next, told) = world.bed.bid(&requester, &world.market, &World::bid(2)).await;
    assert_eq!(open, next);
    world.settle(next).await;
    assert_eq!(paid(world.end_of(next, told).await), world.seat_of(NODE).await);
    assert!(world.history().await.round(round).unwrap().task(index_of(index)).is_none());

    requester.publish(&world.market, &silent).await.unwrap();
    assert!(matches!(world.end_of(round, index).await, TaskEnd::Expired { .. }));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_lot_that_is_published_in_part_the_node_proves_that_part_and_expires_the_rest() {
    let world = World::new().await;
    let (node, round) = world.against_rival(PRICE, CHEAP).await;
    let requester = world.client(REQUESTER).await;
    // The entry stands for two bids, and its ticket for a single statement.
    let single = World::bid(1).lot(requester.sender().unwrap()).untold();
    let ticket = Ticket::new(single.requester(), single.root());
    let (size, count) = (single.word().size(), LotSize::new(2).unwrap());
    let double = BidWord::new(UnitFee::new(FEE).unwrap(), size, count, ticket);
    let first = world.submit_silently(&requester, double).await;
    requester.publish(&world.market, &single).await.unwrap();
    world.settle(round).await;

    assert_eq!(paid(world.end_of(round, first).await), world.seat_of(NODE).await);
    assert_eq!(world.status(round, first + 1).await, status::ASSIGNED);
    world.bed.anvil.warp_to(world.market.final_at(round)).await;
    assert!(matches!(world.end_of(round, first + 1).await, TaskEnd::Expired { .. }));
    node.stop().await;
}

/// The seat that was paid for a task of the market's circuit.
fn paid(end: TaskEnd) -> AskIndex {
    let TaskEnd::Delivered { seat, payment, .. } = end else { panic!("{end:?}") };
    assert_eq!(payment, ticks(PRICE), "{KIND:?}");
    seat
}

fn index_of(index: u32) -> market_types::BidIndex {
    market_types::BidIndex::new(index).unwrap()
}
