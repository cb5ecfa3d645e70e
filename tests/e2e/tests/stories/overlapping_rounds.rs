//! Three rounds at once: one is proved while the next is settled and a third takes bids.

use circuits::CircuitKind::Transfers1;
use e2e::{Scene, people::*, rollup_bid};
use testkit::with_reserve;

/// The reserve of 4 buys any quantity, so a single bid trades: at 4 for the user and at Boole's 3 for the prover.
#[tokio::test]
async fn one_account_bids_in_three_rounds_that_run_at_the_same_time() {
    let mut scene = Scene::of_small_tasks(|params| *params = with_reserve(params.clone(), 4)).await;
    scene.seat(ADA, 55, 2).await;
    scene.seat(BOOLE, 55, 3).await;
    scene.deposit(RITA, 1_000).await;
    let (locked, fee) = (10 * 14, 7);
    let back = (10 - 4) * 14;

    scene.open(1).await;
    assert_eq!(scene.bid_from_balance(RITA, &rollup_bid(10, Transfers1, 1)).await, (1, 0));
    let mut available = 1_000 - locked - fee;
    assert_eq!(scene.available(RITA).await, available);

    // Round 1 is not settled yet: its money stays locked, the rest of the account goes on.
    scene.open(2).await;
    assert_eq!(scene.bid_from_balance(RITA, &rollup_bid(10, Transfers1, 2)).await, (2, 0));
    available -= locked + fee;
    assert_eq!(scene.available(RITA).await, available);
    scene.relayer(SELMA);
    scene.settled(1).await;
    available += back;
    assert_eq!(scene.available(RITA).await, available);

    // Round 3 takes bids, round 2 is being settled, round 1 waits for its proof.
    scene.open(3).await;
    assert_eq!(scene.bid_from_balance(RITA, &rollup_bid(10, Transfers1, 3)).await, (3, 0));
    let round = scene.settled(2).await;
    available = available - locked - fee + back;
    assert_eq!(scene.available(RITA).await, available);
    // The undelivered task of round 1 was not on offer in round 2: 55 - 14 free, less the margin of 13.
    let offered: Vec<u32> =
        round.settlement.expect("a settlement").winners.iter().map(|winner| winner.capacity.get()).collect();
    assert_eq!(offered, [28]);

    // A node that takes over Ada's seat now finds both tasks.
    scene.prover(ADA, 55, 2).await;
    scene.ended(1).await;
    scene.ended(2).await;
    scene.close(3).await;
    scene.settled(3).await;
    available += back;
    scene.ended(3).await;
    assert_eq!(scene.available(RITA).await, available);
    assert_eq!(available, 1_000 - 3 * (4 * 14 + 7));

    scene
        .everybody_leaves(
            &[(RITA, -3 * (4 * 14 + 7)), (ADA, 3 * 3 * 14), (BOOLE, 0), (SELMA, 3 * 7)],
            // A surplus of one tick per unit.
            3 * 14,
        )
        .await;
}
