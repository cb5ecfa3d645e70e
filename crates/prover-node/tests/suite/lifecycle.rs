//! A seat from registration to its end.

use alloy::primitives::{Bytes, U256};
use chain::history::TaskEnd;
use market_types::UnitCost;
use prover_node::plan::Wish;
use testkit::Bid;

use crate::world::{CAPACITY, CHEAP, MALLORY, NODE, PRICE, REQUESTER, World, status, ticks};

#[tokio::test(flavor = "multi_thread")]
async fn an_assigned_task_is_proved_delivered_and_paid_and_the_seat_is_left_in_order() {
    let world = World::new().await;
    let prover = world.bed.anvil.account(NODE).address();
    let (node, round) = world.against_rival(PRICE, CHEAP).await;
    let requester = world.client(REQUESTER).await;
    let (at, index) = world.bed.bid(&requester, &world.market, &World::bid(1)).await;
    assert_eq!(at, round);
    world.settle(round).await;

    let end = world.end_of(round, index).await;
    let TaskEnd::Delivered { seat, payment, bounty, .. } = end else { panic!("{end:?}") };
    assert_eq!((seat, payment, bounty), (world.seat_of(NODE).await, ticks(PRICE), U256::ZERO));
    assert_eq!(world.available(prover).await, ticks(PRICE));
    node.stop().await;

    // The same prover changes its price.
    let node = world.serve(NODE, CHEAP + 1).await;
    let asked = world.until("the new ask", async |history| {
        let seat = history.seats().find(|seat| seat.prover == prover)?;
        seat.asks.last().and_then(|ask| ask.cost).filter(|cost| *cost != UnitCost::new(CHEAP))
    });
    assert_eq!(asked.await, UnitCost::new(CHEAP + 1));
    node.stop().await;

    let leaving = world.run(NODE, &world.config(CHEAP), Wish::Leave).await;
    let left = world.until("leaving", async |history| {
        let seat = history.seats().find(|seat| seat.prover == prover)?;
        seat.waiting_for_release().map(|leaving| leaving.from_round)
    });
    let last = left.await;
    world.bed.warp_to_open(&world.market, last).await;
    leaving.ended().await;
    let collateral = U256::from(CAPACITY) * U256::from(world.market.params.collateral_per_unit);
    assert_eq!(world.available(prover).await, collateral + ticks(PRICE));
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_harms_neither_the_node_nor_other_tasks() {
    let world = World::new().await;
    let (node, round) = world.against_rival(PRICE, CHEAP).await;
    let mallory = world.client(MALLORY).await;
    let noise = Bid { data: Bytes::from(vec![0xa5; 3_000]), ..World::bid(1) };
    let false_statement = Bid { public_inputs: vec![U256::from(1), U256::MAX], ..World::bid(1) };
    let (_, first) = world.bed.bids(&mallory, &world.market, &[noise, false_statement]).await;
    let requester = world.client(REQUESTER).await;
    let (_, honest) = world.bed.bid(&requester, &world.market, &World::bid(2)).await;
    world.settle(round).await;

    assert!(matches!(world.end_of(round, honest).await, TaskEnd::Delivered { .. }));
    for index in [first, first + 1] {
        assert_eq!(world.status(round, index).await, status::ASSIGNED, "nothing can be delivered");
    }
    // The node gets its capacity back as soon as the contract allows.
    world.bed.anvil.warp_to(world.market.final_at(round)).await;
    for index in [first, first + 1] {
        assert!(matches!(world.end_of(round, index).await, TaskEnd::Expired { .. }));
        assert_eq!(world.status(round, index).await, status::EXPIRED);
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_crashed_between_settlement_and_delivery_delivers_after_its_restart() {
    let world = World::new().await;
    let (node, round) = world.against_rival(PRICE, CHEAP).await;
    let requester = world.client(REQUESTER).await;
    let (_, index) = world.bed.bid(&requester, &world.market, &World::bid(1)).await;
    world.settle(round).await;
    node.crash().await;
    assert_eq!(world.status(round, index).await, status::ASSIGNED);

    let node = world.serve(NODE, CHEAP).await;
    assert!(matches!(world.end_of(round, index).await, TaskEnd::Delivered { .. }));
    assert_eq!(world.status(round, index).await, status::DELIVERED);
    let history = world.history().await;
    let prover = world.bed.anvil.account(NODE).address();
    assert_eq!(history.seats().filter(|seat| seat.prover == prover).count(), 1, "no second seat");
    node.stop().await;
}
