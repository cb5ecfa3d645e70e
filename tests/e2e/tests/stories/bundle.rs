//! A hundred bids in one call come back by one release, which the relayer makes.

use alloy::primitives::U256;
use circuits::CircuitKind::Transfers1;
use clearing::Prices;
use e2e::{Scene, people::*, rollup_bids};
use market_types::UnitPrice;

/// Fees 200 down to 101; Ada offers 42 units, so three bids win and pay what the fourth one offered.
#[tokio::test]
async fn a_hundred_bids_of_one_call_are_settled_proved_and_released() {
    let mut scene = Scene::of_small_tasks(|_| {}).await;
    scene.relayer(SELMA);
    scene.prover(ADA, 55, 2).await;
    scene.seat(BOOLE, 27, 4).await;
    let fees: Vec<u64> = (101..=200).rev().collect();
    let bids = rollup_bids(&fees, Transfers1, 1);
    scene.open(1).await;
    assert_eq!(scene.bids(RITA, &bids).await, (1, 0));
    assert_eq!(scene.available(RITA).await, 0);
    scene.close(1).await;

    let round = scene.settled(1).await;
    assert_eq!((round.bid_count(), round.entries().len()), (100, 100));
    let settlement = round.settlement.expect("a settlement");
    let (user_price, prover_price) = (UnitPrice::new(197), UnitPrice::new(4));
    assert_eq!(settlement.outcome.prices(), Prices::Uniform { user_price, prover_price });
    assert_eq!(settlement.reward_of(scene.address(SELMA), 7), U256::from(100 * 7));

    scene.wait("the release of the bundle", |history| (history.bundles().count() == 0).then_some(())).await;
    let locked: u64 = fees.iter().map(|fee| fee * 14).sum();
    assert_eq!(scene.available(RITA).await, locked - 3 * 197 * 14);
    scene.ended(1).await;
    scene
        .everybody_leaves(
            &[(RITA, -3 * 197 * 14 - 100 * 7), (ADA, 3 * 4 * 14), (BOOLE, 0), (SELMA, 100 * 7)],
            3 * (197 - 4) * 14,
        )
        .await;
}
