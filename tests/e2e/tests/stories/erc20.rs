//! The same market in an ERC-20 of six decimals.

use alloy::primitives::U256;
use bindings::ProverMarket::{NotMultipleOfTick, WrongValue, depositCall};
use circuits::CircuitKind::Transfers1;
use e2e::{Scene, people::*, rollup_bid};

/// One tick is a hundredth of a cent; otherwise the trade of `default_and_takeover`, with a prover that delivers.
#[tokio::test]
async fn a_market_that_pays_in_a_token_trades_to_the_last_unit() {
    let mut scene = Scene::paid_in_token(100).await;
    scene.relayer(SELMA);
    scene.prover(ADA, 27, 2).await;
    scene.prover(BOOLE, 27, 4).await;
    let client = scene.client(RITA).await;
    let (id, account) = (scene.market.id.get(), client.sender().expect("a key"));
    let deposit = |amount: u64| depositCall { id, account, amount: U256::from(amount) };
    let refused = client.send(deposit(150), U256::ZERO, None).await.expect_err("half a tick");
    assert!(refused.is::<NotMultipleOfTick>(), "{refused}");
    let refused = client.send(deposit(100), U256::from(100), None).await.expect_err("ether");
    assert!(refused.is::<WrongValue>(), "{refused}");

    scene.open(1).await;
    scene.bid(RITA, &rollup_bid(10, Transfers1, 1)).await;
    scene.bid(RALPH, &rollup_bid(6, Transfers1, 2)).await;
    scene.close(1).await;
    scene.settled(1).await;
    scene.ended(1).await;
    scene
        .everybody_leaves(
            &[(RITA, -6 * 14 - 7), (RALPH, -7), (ADA, 4 * 14), (BOOLE, 0), (SELMA, 14)],
            (6 - 4) * 14,
        )
        .await;
}
