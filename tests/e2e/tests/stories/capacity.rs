//! Capacity that changes: later than the rounds that are visible, with its collateral, and at a price for each seat.

use alloy::primitives::U256;
use bindings::ProverMarket::{
    CapacityChangePending, CapacityOutOfRange, CapacityStillOffered, changeCapacityCall, releaseCapacityCall,
};
use circuits::CircuitKind::Transfers1;
use e2e::{Scene, people::*, rollup_bid};
use market_types::RoundNumber;
use testkit::with_reserve;

/// The reserve of 4 buys any quantity, so Ada (cost 2) wins every round with a bid, paid Boole's 3. Changes count two rounds later, a
/// seat has at least 40 units and costs 25 ticks.
#[tokio::test]
async fn a_change_counts_after_its_delay_and_collateral_comes_back_when_no_round_needs_it() {
    let mut scene = Scene::of_small_tasks(|params| {
        *params = with_reserve(params.clone(), 4);
        (params.capacity_delay, params.min_seat_capacity, params.seat_fee) = (2, 40, 25);
    })
    .await;
    let id = scene.market.id.get();
    scene.relayer(SELMA);
    let ada = scene.prover(ADA, 41, 2).await;
    scene.seat(BOOLE, 40, 3).await;
    let seat = U256::from(ada.get());
    let change = |capacity| changeCapacityCall { id, seat, capacity };
    let offered = async |scene: &mut Scene, round: u64| {
        let asks = scene.history().await.asks_at(RoundNumber::new(round));
        asks.iter().find(|entry| entry.seat == ada).map(|entry| entry.ask.capacity.get())
    };

    // Registered in round 0, which counts from round 2 on: 41 units offer 13 fewer.
    assert_eq!(offered(&mut scene, 1).await, None);
    assert_eq!(offered(&mut scene, 2).await, Some(28));
    let refused = scene.try_call(ADA, change(39)).await.expect_err("a small seat");
    assert!(refused.is::<CapacityOutOfRange>(), "{refused}");
    let refused = scene.try_call(ADA, change(0)).await.expect_err("the registration has not ended");
    assert!(refused.is::<CapacityChangePending>(), "{refused}");

    scene.open(2).await;
    scene.deposit(ADA, 29 * 10).await;
    scene.call(ADA, change(70)).await;
    assert_eq!(offered(&mut scene, 3).await, Some(28));
    assert_eq!(offered(&mut scene, 4).await, Some(57));
    scene.bid(RITA, &rollup_bid(10, Transfers1, 1)).await;
    scene.close(2).await;
    assert_eq!(scene.settled(2).await.settlement.expect("a settlement").winners[0].capacity.get(), 28);
    scene.ended(2).await;

    // Less, from round 6 on; the collateral of 20 units waits until round 5 is over.
    scene.open(4).await;
    scene.call(ADA, change(50)).await;
    let refused =
        scene.try_call(ADA, releaseCapacityCall { id, seat }).await.expect_err("two rounds too early");
    assert!(refused.is::<CapacityStillOffered>(), "{refused}");
    assert_eq!((offered(&mut scene, 5).await, offered(&mut scene, 6).await), (Some(57), Some(37)));
    let before = scene.available(ADA).await;
    scene.close(5).await;
    scene.call(ADA, releaseCapacityCall { id, seat }).await;
    assert_eq!(scene.available(ADA).await - before, 20 * 10);
    assert_eq!(offered(&mut scene, 6).await, Some(37));

    // The node leaves as an operator makes it.
    scene.take_program(ADA).stop();
    scene.leaving_prover_node(ADA);
    let leaving = scene
        .wait("the node that leaves", |history| {
            history.seat(ada)?.waiting_for_release().map(|leaving| leaving.from_round)
        })
        .await;
    assert_eq!(leaving, RoundNumber::new(8));
    scene.close(7).await;
    scene.take_program(ADA).finish(std::time::Duration::from_secs(60));
    scene
        .everybody_leaves(
            &[(RITA, -(4 * 14 + 7)), (ADA, 3 * 14 - 25), (BOOLE, -25), (SELMA, 7)],
            // A surplus of one tick per unit, and two seats.
            14 + 2 * 25,
        )
        .await;
}
