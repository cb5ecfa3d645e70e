//! Asks of a sealed market: committed to in every round, opened after its close, whatever happens in between.

use alloy::primitives::U256;
use chain::history::TaskEnd;
use market_types::RoundNumber;
use prover_node::config::Config;

use crate::world::{CAPACITY, CHEAP, NODE, PRICE, REQUESTER, RIVAL, World, ticks};

async fn sealed_world() -> World {
    // Long enough to restart a node in.
    World::with(|params| chain::MarketParams { bidding_period: 90, ..testkit::sealed(params) }).await
}

fn config_in(world: &World, directory: &tempfile::TempDir) -> Config {
    Config { openings: Some(directory.path().to_owned()), ..world.config(CHEAP) }
}

/// Waits until the node has committed to an ask in `round`, and tells how many commitments it has there.
async fn committed(world: &World, number: usize, round: RoundNumber) -> usize {
    let prover = world.bed.anvil.account(number).address();
    let committed = world.until("a commitment", async |history| {
        let count = history.commitments(round).filter(|record| record.account == prover).count();
        (count > 0).then_some(count)
    });
    committed.await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_crashed_between_commitment_and_reveal_opens_its_ask_after_its_restart_and_is_paid() {
    let world = sealed_world().await;
    let rival = world.client(RIVAL).await;
    let other = world.bed.register(&rival, &world.market, CAPACITY, PRICE).await;
    let directory = tempfile::tempdir().unwrap();
    let config = config_in(&world, &directory);
    let wish = config.wish(None).unwrap();
    let node = world.run(NODE, &config, wish).await;
    let round = world.open_with_seats(2).await;
    let (_, dearer) = world.bed.commit_ask(&rival, &world.market, other, PRICE).await;
    let requester = world.client(REQUESTER).await;
    let (_, bid) = world.bed.commit_bid(&requester, &world.market, &World::bid(1)).await;
    assert_eq!(committed(&world, NODE, round).await, 1);

    node.crash().await;
    world.bed.warp_to_close(&world.market, round).await;
    world.bed.reveal(&requester, &world.market, &[bid], &[dearer]).await;
    let node = world.run(NODE, &config, wish).await;
    let seat = world.seat_of(NODE).await;
    world
        .until("the node's ask", async |history| {
            history.seat(seat)?.revealed.contains_key(&round).then_some(())
        })
        .await;
    world.settle(round).await;
    let end = world.end_of(round, 0).await;
    let TaskEnd::Delivered { seat: paid, payment, .. } = end else { panic!("{end:?}") };
    assert_eq!((paid, payment), (seat, ticks(PRICE)));
    // It goes on: one commitment in the round that takes them now, and nothing lost.
    let next = RoundNumber::new(round.get() + 1);
    assert_eq!(committed(&world, NODE, next).await, 1);
    let history = world.history().await;
    let prover = world.bed.anvil.account(NODE).address();
    assert_eq!(history.commitments(round).filter(|record| record.account == prover).count(), 1);
    assert!(history.commitments(round).all(|record| record.forfeited.is_none()));
    let bond = history.commitments(next).find(|record| record.account == prover).unwrap().bond;
    assert_eq!(
        world.available(prover).await,
        ticks(PRICE),
        "the bond of {bond} is at stake again, and no second one"
    );
    assert!(bond > U256::ZERO);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_restarted_in_bidding_does_not_commit_a_second_time() {
    let world = sealed_world().await;
    let directory = tempfile::tempdir().unwrap();
    let config = config_in(&world, &directory);
    let wish = config.wish(None).unwrap();
    let node = world.run(NODE, &config, wish).await;
    let round = world.open_with_seats(1).await;
    committed(&world, NODE, round).await;
    node.crash().await;
    // Another cost does not change what is committed to.
    let dearer = Config { cost: Some(market_types::UnitCost::new(CHEAP + 1)), ..config };
    let node = world.run(NODE, &dearer, dearer.wish(None).unwrap()).await;
    world.bed.warp_to_close(&world.market, round).await;
    let seat = world.seat_of(NODE).await;
    let cost = world.until("the ask", async |history| history.seat(seat)?.revealed.get(&round).copied());
    assert_eq!(cost.await.get(), CHEAP);
    assert_eq!(committed(&world, NODE, round).await, 1);
    node.stop().await;
}
