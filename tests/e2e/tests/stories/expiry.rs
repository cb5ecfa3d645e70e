//! Tasks that nobody can prove: the node leaves them alone, they expire, and both sides lose the same.

use alloy::primitives::{Bytes, U256};
use chain::history::TaskEnd;
use circuits::CircuitKind::Transfers1;
use e2e::{Scene, people::*, rollup_bid};
use market_types::RoundNumber;

/// Ada (cost 2) offers 42 units, three tasks; Boole sets the price of 4, the fourth bid the users' price of 6.
#[tokio::test]
async fn unprovable_tasks_expire_at_the_same_loss_for_requester_and_prover() {
    let mut scene = Scene::of_small_tasks(|_| {}).await;
    scene.relayer(SELMA);
    scene.prover(ADA, 55, 2).await;
    scene.seat(BOOLE, 27, 4).await;

    let garbage = rollup_bid(10, Transfers1, 1);
    let garbage = testkit::Bid { data: Bytes::from_static(b"\x01\x01 these are no transfers"), ..garbage };
    let mut lie = rollup_bid(9, Transfers1, 2);
    lie.public_inputs[1] += U256::ONE;
    scene.open(1).await;
    scene.bid(RITA, &garbage).await;
    scene.bid(RALPH, &lie).await;
    scene.bid(ROSA, &rollup_bid(8, Transfers1, 3)).await;
    scene.bid(RUDI, &rollup_bid(6, Transfers1, 4)).await;
    scene.close(1).await;
    let round = scene.settled(1).await;
    assert_eq!(round.assignments().map(|all| all.len()), Some(3));

    // Others' nonsense does not keep the node from its honest work.
    assert!(matches!(scene.end_of(1, 2).await, TaskEnd::Delivered { .. }));
    let said = scene.program(ADA).said();
    assert_eq!(said.matches("no proof of it can be made").count(), 2, "{said}");

    scene.warp(scene.market.final_at(RoundNumber::new(1))).await;
    // Payment 6 * 14 = 84, collateral 140: 10 % of the lesser, rounded down, is 8.
    for index in [0, 1] {
        match scene.end_of(1, index).await {
            TaskEnd::Expired { refund, .. } => assert_eq!(refund, U256::from(84 - 8)),
            other => panic!("task {index} did not expire: {other:?}"),
        }
    }
    scene
        .everybody_leaves(
            &[
                (RITA, -8 - 7),
                (RALPH, -8 - 7),
                (ROSA, -84 - 7),
                (RUDI, -7),
                (ADA, 4 * 14 - 8 - 8),
                (BOOLE, 0),
                (SELMA, 4 * 7),
            ],
            (6 - 4) * 14 + 2 * (8 + 8),
        )
        .await;
}
