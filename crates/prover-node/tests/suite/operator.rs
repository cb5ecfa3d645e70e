//! A node that acts for a prover whose key it does not have.

use alloy::primitives::U256;
use bindings::ProverMarket::setOperatorCall;
use chain::history::TaskEnd;
use market_types::UnitCost;
use prover_node::{
    config::Config,
    node::{self, StartError},
};

use crate::world::{CAPACITY, CHEAP, MALLORY, NODE, PRICE, REQUESTER, RIVAL, World, ticks};

/// Account of the key that the node has.
const HOT: usize = MALLORY;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_works_for_the_prover_that_made_it_its_operator_and_earns_for_that() {
    let world = World::new().await;
    let (prover, rival) = (world.client(NODE).await, world.client(RIVAL).await);
    let cold = prover.sender().unwrap();
    world.bed.register(&rival, &world.market, CAPACITY, PRICE).await;
    world.bed.register(&prover, &world.market, CAPACITY, PRICE + 1).await;
    let config = Config { prover: Some(cold), ..world.config(CHEAP) };
    let (hot, wish) = (world.bed.anvil.account(HOT).clone(), config.wish(None).unwrap());
    let refused =
        node::start(&config, hot.clone(), wish, service::ops::Health::new(u64::MAX)).await.unwrap_err();
    assert!(matches!(refused, StartError::NotOperator { prover, .. } if prover == cold), "{refused}");

    let call = setOperatorCall { id: world.market.id.get(), operator: hot.address() };
    prover.send(call, U256::ZERO, None).await.unwrap();
    let node = world.run(HOT, &config, wish).await;
    // It asks less than its prover did.
    let seat = world.seat_of(NODE).await;
    let asked = world.until("the ask", async |history| {
        let ask = history.seat(seat)?.asks.iter().find(|ask| ask.cost == Some(UnitCost::new(CHEAP)))?;
        Some(ask.from_round)
    });
    let round = asked.await;
    world.bed.warp_to_open(&world.market, round).await;
    let (round, index) = world.bed.bid(&world.client(REQUESTER).await, &world.market, &World::bid(1)).await;
    world.settle(round).await;

    let end = world.end_of(round, index).await;
    assert!(matches!(end, TaskEnd::Delivered { seat: by, .. } if by == seat), "{end:?}");
    assert_eq!(world.available(cold).await, ticks(PRICE));
    assert_eq!(world.available(hot.address()).await, U256::ZERO);
    node.stop().await;
}
