//! Rounds under the mechanism `average-fee`: requesters pay what they bid, provers share the average, the dust is the sink's.

use alloy::primitives::{Bytes, U256};
use chain::MarketParams;
use chain::history::TaskEnd;
use circuits::CircuitKind::Transfers1;
use clearing::Prices;
use e2e::{Scene, people::*, post_six_bids, rollup_bid};
use market_types::{AskIndex, Mechanism, RoundNumber, Ticks};

fn average_fee(params: &mut MarketParams) {
    params.mechanism = Mechanism::AverageFee;
}

/// The bids of the story `trade`. All of them fit the cap and offer 2,019 ticks for 149 units, 13.55 each: Ada and Boole ask less
/// and win, Curie does not. They offer 106 units, so the batch is that of 20 (53), 15 (27) and 12 (14), and 9 (14) does not fit
/// any more. It pays 1060 + 405 + 168 = 1,633 ticks for 94 units.
#[tokio::test]
async fn requesters_pay_what_they_bid_and_provers_the_average_of_it() {
    let mut scene = Scene::of_all_sizes(average_fee).await;
    scene.relayer(SELMA);
    let ada = scene.prover(ADA, 105, 3).await;
    let boole = scene.prover(BOOLE, 105, 5).await;
    scene.prover(CURIE, 105, 20).await;

    post_six_bids(&mut scene).await;

    let round = scene.settled(1).await;
    let settlement = round.settlement.as_ref().expect("a settlement");
    assert_eq!(settlement.outcome.prices(), Prices::AverageFee { revenue: Ticks::new(1_633) });
    assert_eq!(settlement.outcome.units.get(), 94);
    let assigned: Vec<(u32, AskIndex)> =
        round.assignments().expect("a trade").iter().map(|task| (task.index.get(), task.seat)).collect();
    assert_eq!(assigned, [(0, boole), (1, ada), (3, ada)]);

    let round = scene.ended(1).await;
    // 17.37 ticks per unit for 53, 27 and 14 units, rounded down.
    for (task, expected) in round.assignments().expect("a trade").iter().zip([920_u64, 469, 243]) {
        match round.task(task.index).and_then(|task| task.end) {
            Some(TaskEnd::Delivered { seat, payment, .. }) => {
                assert_eq!((seat, payment.to()), (task.seat, expected));
            }
            other => panic!("task {} was not delivered: {other:?}", task.index),
        }
    }
    scene.wait("the release of the second bids", |h| (h.bundles().count() == 0).then_some(())).await;
    scene
        .everybody_leaves(
            &[
                (RITA, -(20 * 53 + 12 * 14 + 2 * 7)),
                (RALPH, -(15 * 27 + 2 * 7)),
                (ROSA, -(2 * 7)),
                (ADA, 469 + 243),
                (BOOLE, 920),
                (CURIE, 0),
                (SELMA, 6 * 7),
            ],
            1_633 - (920 + 469 + 243),
        )
        .await;
}

/// Bids of 10 and 8 for 14 units each pay 140 and 112 ticks, and each task holds the average of 126.
#[tokio::test]
async fn an_unprovable_task_returns_what_is_held_for_it_less_the_penalty() {
    let mut scene = Scene::of_small_tasks(average_fee).await;
    scene.relayer(SELMA);
    scene.prover(ADA, 55, 2).await;
    let garbage = rollup_bid(10, Transfers1, 1);
    let garbage = testkit::Bid { data: Bytes::from_static(b"\x01\x01 these are no transfers"), ..garbage };
    scene.open(1).await;
    scene.bid(RITA, &garbage).await;
    scene.bid(ROSA, &rollup_bid(8, Transfers1, 2)).await;
    scene.close(1).await;
    scene.settled(1).await;
    match scene.end_of(1, 1).await {
        TaskEnd::Delivered { payment, .. } => assert_eq!(payment, U256::from(126)),
        other => panic!("not delivered: {other:?}"),
    }

    scene.warp(scene.market.final_at(RoundNumber::new(1))).await;
    // 126 ticks are held, 140 of collateral stand behind the task: 10 % of the lesser, rounded down, is 12.
    match scene.end_of(1, 0).await {
        TaskEnd::Expired { refund, .. } => assert_eq!(refund, U256::from(126 - 12)),
        other => panic!("did not expire: {other:?}"),
    }
    scene
        .everybody_leaves(
            &[(RITA, -140 + 114 - 7), (ROSA, -112 - 7), (ADA, 126 - 12), (SELMA, 2 * 7)],
            2 * 12,
        )
        .await;
}
