//! Tasks that somebody else let default.

use alloy::primitives::U256;
use bindings::ProverMarket::{TaskEnded, TaskNotInDefault, takeOverCall};
use chain::history::TaskEnd;

use crate::world::{CAPACITY, CHEAP, KIND, NODE, PRICE, REQUESTER, RIVAL, World, ticks};

#[tokio::test(flavor = "multi_thread")]
async fn a_defaulted_task_is_taken_over_and_delivered_for_the_bounty() {
    let world = World::new().await;
    // The cheaper prover wins, and never delivers.
    let (node, round) = world.against_rival(CHEAP, PRICE).await;
    let defaulter = world.seat_of(RIVAL).await;
    let requester = world.client(REQUESTER).await;
    let (_, index) = world.bed.bid(&requester, &world.market, &World::bid(1)).await;
    world.settle(round).await;
    world.bed.anvil.warp_to(world.market.prove_by(round)).await;

    let end = world.end_of(round, index).await;
    let TaskEnd::Delivered { seat, payment, bounty, compensation, .. } = end else { panic!("{end:?}") };
    assert_eq!((seat, payment), (world.seat_of(NODE).await, ticks(PRICE)));
    let params = &world.market.params;
    let share =
        |bps: u16| U256::from(u64::from(KIND.units()) * params.collateral_per_unit * u64::from(bps) / 10_000);
    assert_eq!((bounty, compensation), (share(params.bounty_bps), share(params.compensation_bps)));
    let prover = world.bed.anvil.account(NODE).address();
    assert_eq!(world.available(prover).await, payment + bounty);

    let history = world.history().await;
    let record = history.round(round).unwrap();
    let takers = &record.task(record.bids().next().unwrap().index()).unwrap().takeovers;
    assert_eq!(takers.len(), 1);
    let lost = u64::from(CAPACITY) - history.seat(defaulter).unwrap().capacity;
    assert_eq!(lost, u64::from(KIND.units()), "the defaulter lost the task's collateral");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_one_takes_the_task_over_and_neither_is_harmed() {
    const OTHER: usize = 5;
    let world = World::new().await;
    let rival = world.client(RIVAL).await;
    world.bed.register(&rival, &world.market, CAPACITY, CHEAP).await;
    let nodes = [world.serve(NODE, PRICE).await, world.serve(OTHER, PRICE).await];
    let round = world.open_with_seats(3).await;
    let requester = world.client(REQUESTER).await;
    let (_, index) = world.bed.bid(&requester, &world.market, &World::bid(1)).await;
    world.settle(round).await;
    world.bed.anvil.warp_to(world.market.prove_by(round)).await;

    let end = world.end_of(round, index).await;
    let TaskEnd::Delivered { seat, .. } = end else { panic!("{end:?}") };
    let seats = [world.seat_of(NODE).await, world.seat_of(OTHER).await];
    assert!(seats.contains(&seat));
    let history = world.history().await;
    let record = history.round(round).unwrap();
    assert_eq!(record.task(record.bids().next().unwrap().index()).unwrap().takeovers.len(), 1);

    // What the loser of such a race is told, without paying for it.
    let assignment = &record.assignments().unwrap()[0];
    let call = takeOverCall {
        id: world.market.id.get(),
        task: record.named_task(assignment).unwrap(),
        path: record.path(assignment),
        seat: U256::from(seats.iter().find(|other| **other != seat).unwrap().get()),
    };
    let loser = world.client(if seats[0] == seat { OTHER } else { NODE }).await;
    let refused = loser.send(call, U256::ZERO, None).await.unwrap_err();
    assert!(refused.is::<TaskEnded>() || refused.is::<TaskNotInDefault>(), "{refused}");
    for node in nodes {
        node.stop().await;
    }
}
