//! One round from bids to the last wei: bids for real rollup batches, a relayer that settles, nodes that prove.

use bindings::ProverMarket::{TaskEnded, deliverCall};
use chain::history::TaskEnd;
use clearing::Prices;
use e2e::{Scene, people::*, post_six_bids};
use market_types::{AskIndex, UnitPrice};
use std::time::Duration;

/// Users in order of their fee: 20 (53 units), 15 (27), 12 (14), 9 (14), 7 (14), 6 (27). Every seat offers 53 units. With two
/// provers there is room for 106 units and demand at Curie's cost of 8 is 108, so Ada and Boole win and are paid 8; the
/// batch of 106 takes 53 + 27 + 14 = 94 units and stops at the bid of 9, which is what users pay.
#[tokio::test]
async fn real_batches_are_bought_and_proved_and_every_wei_is_accounted_for() {
    let mut scene = Scene::of_all_sizes(|_| {}).await;
    scene.relayer(SELMA);
    let ada = scene.prover(ADA, 105, 3).await;
    let boole = scene.prover(BOOLE, 105, 5).await;
    scene.prover(CURIE, 105, 8).await;

    post_six_bids(&mut scene).await;

    let round = scene.settled(1).await;
    let settlement = round.settlement.as_ref().expect("a settlement");
    let (user_price, prover_price) = (UnitPrice::new(9), UnitPrice::new(8));
    assert_eq!(settlement.outcome.prices(), Prices::Uniform { user_price, prover_price });
    assert_eq!(settlement.outcome.units.get(), 94);
    // The walk starts at winner number 1 in round 1. The tasks' offsets 0, 53, 80 of 94 are 0, 59, 90 of 106.
    let assigned: Vec<(u32, AskIndex)> =
        round.assignments().expect("a trade").iter().map(|task| (task.index.get(), task.seat)).collect();
    assert_eq!(assigned, [(0, boole), (1, ada), (3, ada)]);

    let round = scene.ended(1).await;
    for task in &round.assignments().expect("a trade") {
        let payment = 8 * u64::from(task.size.get());
        match round.task(task.index).and_then(|task| task.end) {
            Some(TaskEnd::Delivered { seat, payment: paid, bounty, compensation, .. }) => {
                assert_eq!((seat, paid.to()), (task.seat, payment));
                assert!(bounty.is_zero() && compensation.is_zero());
            }
            other => panic!("task {} was not delivered: {other:?}", task.index),
        }
    }
    // Second bids of a round come back by a release, which is the relayer's work too.
    scene.wait("the release of the second bids", |h| (h.bundles().count() == 0).then_some(())).await;
    refuses_a_second_delivery(&scene, &round).await;

    // Ada and Boole leave by their own programs, Curie by hand.
    for person in [ADA, BOOLE] {
        scene.take_program(person).stop();
        scene.leaving_prover_node(person);
    }
    scene
        .wait("the nodes that leave", |history| {
            let staying = history.seats().filter(|seat| seat.waiting_for_release().is_none());
            (staying.count() == 1).then_some(())
        })
        .await;
    let current = scene.market.id.round_at(scene.now().await).expect("the market is open");
    scene.close(current.get()).await;
    for person in [ADA, BOOLE] {
        scene.take_program(person).finish(Duration::from_secs(60));
    }

    scene
        .everybody_leaves(
            &[
                (RITA, -(9 * (53 + 14) + 2 * 7)),
                (RALPH, -(9 * 27 + 2 * 7)),
                (ROSA, -(2 * 7)),
                (ADA, 8 * (27 + 14)),
                (BOOLE, 8 * 53),
                (CURIE, 0),
                (SELMA, 6 * 7),
            ],
            // A surplus of one tick per unit.
            94,
        )
        .await;
}

/// A copy of a proof from the chain is worth nothing.
async fn refuses_a_second_delivery(scene: &Scene, round: &chain::RoundRecord) {
    let task = &round.assignments().expect("a trade")[0];
    let delivery = round.delivery(task, vec![0; 256].into()).expect("its statement is published");
    let call = deliverCall { id: scene.market.id.get(), delivery };
    let refused = scene.try_call(SIMON, call).await.expect_err("the task has ended");
    assert!(refused.is::<TaskEnded>(), "{refused}");
}
