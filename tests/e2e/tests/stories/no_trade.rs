//! A round without a trade is settled as such: bids come back, and their settlement fees pay the settler.

use circuits::CircuitKind::Transfers1;
use e2e::{Scene, people::*, rollup_bid};

#[tokio::test]
async fn a_round_with_one_prover_is_settled_without_a_trade() {
    let mut scene = Scene::of_small_tasks(|_| {}).await;
    scene.relayer(SELMA);
    // The price would have to be set by a second one.
    scene.prover(ADA, 27, 2).await;
    scene.open(1).await;
    scene.bid(RITA, &rollup_bid(10, Transfers1, 1)).await;
    scene.bid(RALPH, &rollup_bid(6, Transfers1, 2)).await;
    scene.close(1).await;

    let round = scene.settled(1).await;
    let settlement = round.settlement.as_ref().expect("a settlement");
    assert!(!settlement.is_trade());
    assert!(settlement.assignment_root.is_zero() && settlement.winners.is_empty());
    assert_eq!(round.assignments().map(|all| all.len()), Some(0));
    assert_eq!(scene.available(RITA).await, 10 * 14);
    assert_eq!(scene.available(RALPH).await, 6 * 14);
    assert_eq!(scene.available(SELMA).await, 2 * 7);
    scene.everybody_leaves(&[(RITA, -7), (RALPH, -7), (ADA, 0), (SELMA, 14)], 0).await;
}

#[tokio::test]
async fn a_round_without_provers_is_settled_and_its_money_is_free_for_the_next_bid() {
    let mut scene = Scene::of_small_tasks(|_| {}).await;
    scene.relayer(SELMA);
    scene.bid(RITA, &rollup_bid(10, Transfers1, 1)).await;
    scene.close(0).await;
    let round = scene.settled(0).await;
    assert!(!round.settlement.expect("a settlement").is_trade());

    // Nothing has to be claimed: the next bid finds what the first one left, here exactly one settlement fee short.
    let too_dear = scene.price_of(&rollup_bid(10, Transfers1, 2));
    assert_eq!(scene.available(RITA).await + 7, too_dear);
    assert_eq!(scene.bid_from_balance(RITA, &rollup_bid(9, Transfers1, 2)).await, (1, 0));
    assert_eq!(scene.available(RITA).await, 14 - 7);
    scene.close(1).await;
    scene.settled(1).await;
    scene.everybody_leaves(&[(RITA, -14), (SELMA, 14)], 0).await;
}
