//! Capacity cap and reserve price that follow settled rounds, two rounds later.

use circuits::CircuitKind::Transfers1;
use clearing::Prices;
use e2e::{Scene, people::*, rollup_bid};
use market_types::{CapacityCap, ReservePrice, RoundNumber, UnitPrice};

/// A cap of 100 units between 50 and 200, and a reserve price of 8 between 4 and 20. Ada (cost 2) offers 42 units, Boole (cost 3)
/// sets what she is paid.
#[tokio::test]
async fn demand_that_is_turned_away_raises_the_reserve_and_idle_rounds_lower_cap_and_reserve() {
    let mut scene = Scene::of_small_tasks(|params| {
        let cap = |units| CapacityCap::new(units).expect("a cap");
        (params.capacity_cap, params.cap_min, params.cap_max) = (cap(100), cap(50), cap(200));
        let reserve = ReservePrice::new;
        (params.reserve_price, params.reserve_min, params.reserve_max) =
            (reserve(8), reserve(4), reserve(20));
    })
    .await;
    scene.relayer(SELMA);
    scene.prover(ADA, 55, 2).await;
    scene.seat(BOOLE, 55, 3).await;

    // Four bids for 42 units: one is turned away. The reserve rises by an eighth of itself at most, which is 1. The cap of 100
    // was used to 42, 8 below half of it, and falls by 100 * 8 / (8 * 50).
    scene.open(1).await;
    for (person, fee) in [(RITA, 20), (RALPH, 18), (ROSA, 16), (RUDI, 15)] {
        scene.bid(person, &rollup_bid(fee, Transfers1, fee)).await;
    }
    scene.close(1).await;
    let round = scene.settled(1).await;
    let (user_price, prover_price) = (UnitPrice::new(15), UnitPrice::new(3));
    let settlement = round.settlement.as_ref().expect("a settlement");
    assert_eq!(settlement.outcome.prices(), Prices::Uniform { user_price, prover_price });
    assert_eq!(terms(&mut scene, 2).await, (100, 8), "no round that anybody could see");
    assert_eq!(terms(&mut scene, 3).await, (98, 9));
    scene.ended(1).await;

    // A bid of 8 is below the reserve by now. Without a trade the cap stays, and the reserve falls for the idle capacity.
    scene.open(3).await;
    scene.bid(RITA, &rollup_bid(8, Transfers1, 5)).await;
    scene.close(3).await;
    assert!(!scene.settled(3).await.settlement.expect("a settlement").is_trade());
    assert_eq!(terms(&mut scene, 5).await, (98, 8));

    // One bid for 42 units: 28 idle. The reserve falls by its least step, and the cap, used to 14 of 49, by 98 * 35 / (8 * 49).
    scene.open(5).await;
    scene.bid(RITA, &rollup_bid(20, Transfers1, 6)).await;
    scene.close(5).await;
    let round = scene.settled(5).await;
    let user_price = UnitPrice::new(8);
    assert_eq!(
        round.settlement.as_ref().map(|s| s.outcome.prices()),
        Some(Prices::Uniform { user_price, prover_price })
    );
    assert_eq!(terms(&mut scene, 7).await, (90, 7));
    scene.ended(5).await;

    scene
        .everybody_leaves(
            &[
                (RITA, -(15 + 8) * 14 - 3 * 7),
                (RALPH, -15 * 14 - 7),
                (ROSA, -15 * 14 - 7),
                (RUDI, -7),
                (ADA, 4 * 3 * 14),
                (BOOLE, 0),
                (SELMA, 6 * 7),
            ],
            3 * (15 - 3) * 14 + (8 - 3) * 14,
        )
        .await;
}

/// Capacity cap and reserve price of a round, by the events and by the contract, which must agree.
async fn terms(scene: &mut Scene, number: u64) -> (u64, u64) {
    let number = RoundNumber::new(number);
    let client = scene.bed.client(0).await;
    let stored = chain::round::terms_at(&client, &scene.market, number).await.expect("the terms");
    let told = scene.history().await.terms_at(number);
    assert_eq!(stored, told);
    (told.cap.get(), told.reserve.get())
}
