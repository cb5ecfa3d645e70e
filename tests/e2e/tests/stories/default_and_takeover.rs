//! An assigned prover that is gone: others take its task over, are paid its bounty, and the requester is compensated.

use alloy::primitives::U256;
use bindings::ProverMarket::takeOverCall;
use chain::history::TaskEnd;
use circuits::CircuitKind::Transfers1;
use e2e::{Scene, people::*, rollup_bid};
use market_types::{BidIndex, RoundNumber};

/// Bids of 10 and 6 for 14 units each; Ada (cost 2) offers 14 units, Boole sets the price of 4, the losing bid that of 6.
async fn bids(scene: &mut Scene) {
    scene.open(1).await;
    scene.bid(RITA, &rollup_bid(10, Transfers1, 1)).await;
    scene.bid(RALPH, &rollup_bid(6, Transfers1, 2)).await;
}

#[tokio::test]
async fn the_task_of_a_killed_prover_is_taken_over_and_its_collateral_pays_for_it() {
    let mut scene = Scene::of_small_tasks(|_| {}).await;
    scene.relayer(SELMA);
    let ada = scene.prover(ADA, 27, 2).await;
    let boole = scene.prover(BOOLE, 27, 4).await;
    bids(&mut scene).await;
    scene.kill(ADA);
    scene.close(1).await;

    let round = scene.settled(1).await;
    assert_eq!(round.assignments().expect("a trade")[0].seat, ada);
    scene.warp(scene.market.prove_by(RoundNumber::new(1))).await;

    // 14 units with 10 ticks each behind them: 30 % bounty, 40 % compensation, the rest to the sink.
    let round = scene.ended(1).await;
    let task = round.task(BidIndex::MIN).expect("a task that was taken over");
    assert_eq!(task.takeovers.iter().map(|takeover| takeover.seat).collect::<Vec<_>>(), [boole]);
    match task.end {
        Some(TaskEnd::Delivered { seat, payment, bounty, compensation, .. }) => {
            assert_eq!(seat, boole);
            assert_eq!([payment, bounty, compensation], [4 * 14, 42, 56].map(U256::from));
        }
        other => panic!("not delivered: {other:?}"),
    }
    scene
        .everybody_leaves(
            &[(RITA, -6 * 14 - 7 + 56), (RALPH, -7), (ADA, -140), (BOOLE, 4 * 14 + 42), (SELMA, 14)],
            (6 - 4) * 14 + (140 - 42 - 56),
        )
        .await;
}

#[tokio::test]
async fn a_taker_that_fails_too_pays_like_the_first_and_both_bounties_go_to_who_delivers() {
    let mut scene = Scene::of_small_tasks(|_| {}).await;
    scene.relayer(SELMA);
    // Two provers without programs.
    scene.seat(ADA, 27, 2).await;
    scene.seat(BOOLE, 27, 4).await;
    bids(&mut scene).await;
    scene.close(1).await;
    let round = scene.settled(1).await;
    let assignment = round.assignments().expect("a trade")[0];

    scene.warp(scene.market.prove_by(round.number)).await;
    let id = scene.market.id.get();
    let task = round.named_task(&assignment).expect("its statement is published");
    let path = round.path(&assignment);
    scene.call(BOOLE, takeOverCall { id, task, path, seat: U256::from(1) }).await;
    let curie = scene.prover(CURIE, 27, 5).await;
    let deadline = scene
        .wait("Boole's takeover", |history| {
            let taken = history.round(round.number)?.task(BidIndex::MIN)?.takeovers.first()?;
            Some(taken.deadline)
        })
        .await;
    scene.warp(deadline).await;

    let round = scene.ended(1).await;
    let task = round.task(BidIndex::MIN).expect("a task that was taken over");
    let takers: Vec<u32> = task.takeovers.iter().map(|takeover| takeover.seat.get()).collect();
    assert_eq!(takers, [1, curie.get()]);
    match task.end {
        Some(TaskEnd::Delivered { payment, bounty, compensation, .. }) => {
            assert_eq!([payment, bounty, compensation], [4 * 14, 2 * 42, 2 * 56].map(U256::from));
        }
        other => panic!("not delivered: {other:?}"),
    }
    scene
        .everybody_leaves(
            &[
                (RITA, -6 * 14 - 7 + 2 * 56),
                (RALPH, -7),
                (ADA, -140),
                (BOOLE, -140),
                (CURIE, 4 * 14 + 2 * 42),
                (SELMA, 14),
            ],
            (6 - 4) * 14 + 2 * (140 - 42 - 56),
        )
        .await;
}
