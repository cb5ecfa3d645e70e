//! A round that nobody settles: it is void after its deadline, and every bid comes back in full.

use bindings::ProverMarket::{RoundVoid, foldCall};
use chain::settlement::{PageLimits, SettlementCall, Settling};
use circuits::CircuitKind::Transfers1;
use e2e::{Scene, people::*, rollup_bid, rollup_bids};
use market_types::RoundNumber;

#[tokio::test]
async fn without_a_relayer_every_bid_comes_back_with_its_settlement_fee() {
    let mut scene = Scene::of_small_tasks(|_| {}).await;
    scene.seat(ADA, 27, 2).await;
    scene.seat(BOOLE, 27, 4).await;
    scene.open(1).await;
    assert_eq!(scene.bid(RITA, &rollup_bid(10, Transfers1, 1)).await, (1, 0));
    assert_eq!(scene.bids(RALPH, &rollup_bids(&[9, 6, 3], Transfers1, 2)).await, (1, 1));
    for person in [RITA, RALPH] {
        assert_eq!(scene.available(person).await, 0, "all of {}'s money is in its bids", person.name);
    }

    let round = RoundNumber::new(1);
    scene.close(1).await;
    let record = scene.history().await.round(round).expect("a round with bids").clone();
    let closed = scene.history().await.closed_round(round).expect("a round");
    let certificate = clearing::certificate(scene.market.params.mechanism, &closed);
    let seed = scene.client(SELMA).await.seed(&scene.market, round);
    let settling = Settling::new(&scene.market, seed, &record, &certificate);
    let Some(SettlementCall::Whole(settle)) = settling.next(None, &PageLimits::TRANSACTION) else {
        panic!("four bids fit a transaction")
    };

    scene.warp(scene.market.settle_by(round)).await;
    let late = scene.try_call(SELMA, settle).await.expect_err("it is too late to settle");
    assert!(late.is::<RoundVoid>(), "{late}");
    assert_eq!(scene.available(RITA).await, 10 * 14 + 7);
    let account = scene.client(RITA).await.sender().expect("a key");
    scene.call(SELMA, foldCall { id: scene.market.id.get(), account }).await;
    assert_eq!(scene.available(RITA).await, 10 * 14 + 7, "folding changes nothing about what is owed");

    // A relayer that comes too late settles nothing, but brings back what was bid together.
    scene.relayer(SELMA);
    scene.wait("the release of the bundle", |history| (history.bundles().count() == 0).then_some(())).await;
    assert_eq!(scene.available(RALPH).await, (9 + 6 + 3) * 14 + 3 * 7);
    let record = scene.history().await.round(round).expect("a round with bids").clone();
    assert_eq!(record.settlement, None);

    scene.everybody_leaves(&[(RITA, 0), (RALPH, 0), (ADA, 0), (BOOLE, 0)], 0).await;
}
