//! Programs that are killed in the middle and started again without any state of their own.

use alloy::eips::BlockNumberOrTag;
use alloy::primitives::U256;
use alloy::providers::Provider;
use circuits::CircuitKind::Transfers1;
use e2e::{Person, Scene, people::*, rollup_bid};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::time::sleep;

const PATIENCE: Duration = Duration::from_secs(120);

/// Stops mining: what programs send from now on waits.
async fn hold(scene: &Scene) {
    scene.bed.anvil.set_automine(false).await;
    scene.bed.anvil.request("evm_setIntervalMining", json!([0])).await;
}

/// Mines a block a second again.
async fn resume(scene: &Scene) {
    scene.bed.anvil.request("evm_setIntervalMining", json!([1])).await;
}

/// Waits until `person` has a transaction that is not mined, so that it can be killed in the middle of its work.
async fn in_the_middle(scene: &mut Scene, person: Person) {
    let provider = scene.bed.anvil.connection().provider().clone();
    let address = scene.bed.anvil.account(person.account).address();
    let began = Instant::now();
    loop {
        let mined = provider.get_transaction_count(address).block_id(BlockNumberOrTag::Latest.into()).await;
        let sent = provider.get_transaction_count(address).block_id(BlockNumberOrTag::Pending.into()).await;
        if sent.expect("a nonce") > mined.expect("a nonce") {
            return;
        }
        scene.program(person).require_running();
        assert!(began.elapsed() < PATIENCE, "{} sends nothing", person.name);
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn killed_programs_resume_from_the_chain_without_a_second_effect() {
    let mut scene = Scene::of_small_tasks(|_| {}).await;
    scene.relayer(SELMA);
    scene.prover(ADA, 27, 2).await;
    scene.seat(BOOLE, 27, 4).await;
    for number in [1, 2] {
        scene.open(number).await;
        scene.bid(RITA, &rollup_bid(10, Transfers1, 2 * number)).await;
        scene.bid(RALPH, &rollup_bid(6, Transfers1, 2 * number + 1)).await;

        // The relayer dies with its settlement on the way, and its successor meets it on the chain.
        hold(&scene).await;
        scene.close(number).await;
        in_the_middle(&mut scene, SELMA).await;
        scene.kill(SELMA);
        scene.relayer(SELMA);
        // The node dies idle in the first round, and in the second while the settlement that concerns it is mined.
        scene.kill(ADA);
        if number == 1 {
            scene.prover(ADA, 27, 2).await;
        }
        resume(&scene).await;
        scene.settled(number).await;
        if number == 2 {
            scene.prover(ADA, 27, 2).await;
        }

        // Nothing is mined while the node proves: it dies with its delivery on the way.
        hold(&scene).await;
        in_the_middle(&mut scene, ADA).await;
        scene.kill(ADA);
        scene.prover(ADA, 27, 2).await;
        resume(&scene).await;
        let round = scene.ended(number).await;
        let settlement = round.settlement.expect("a settlement");
        assert_eq!(settlement.reward_of(scene.address(SELMA), 7), U256::from(2 * 7));
    }
    scene
        .everybody_leaves(
            &[(RITA, 2 * (-6 * 14 - 7)), (RALPH, -2 * 7), (ADA, 2 * 4 * 14), (BOOLE, 0), (SELMA, 2 * 14)],
            2 * (6 - 4) * 14,
        )
        .await;
}
