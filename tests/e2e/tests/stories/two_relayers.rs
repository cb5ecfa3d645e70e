//! Two relayers race: each round is settled once, and losing costs next to nothing.

use alloy::primitives::U256;
use alloy::providers::Provider;
use circuits::CircuitKind::Transfers1;
use e2e::{Scene, people::*, rollup_bid};

#[tokio::test]
async fn one_relayer_settles_and_the_other_goes_on_unharmed() {
    let mut scene = Scene::of_small_tasks(|_| {}).await;
    scene.relayer(SELMA);
    scene.relayer(SIMON);
    let mut settlers = Vec::new();
    for number in 0..3 {
        scene.open(number).await;
        scene.bid(RITA, &rollup_bid(10, Transfers1, number)).await;
        scene.close(number).await;
        let settlement = scene.settled(number).await.settlement.expect("a settlement");
        assert_eq!(settlement.reward_of(settlement.settler, 7), U256::from(7));
        settlers.push(settlement.settler);
    }
    let (mut sent, mut won, mut nets) = (0, [0_i64; 2], vec![(RITA, -3 * 7)]);
    for (person, won) in [SELMA, SIMON].into_iter().zip(&mut won) {
        scene.take_program(person).stop();
        let address = scene.client(person).await.sender().expect("a key");
        *won = settlers.iter().filter(|settler| **settler == address).map(|_| 7).sum();
        nets.push((person, *won));
        let provider = scene.bed.anvil.connection().provider();
        sent += provider.get_transaction_count(address).await.expect("a nonce");
    }
    assert_eq!(won.iter().sum::<i64>(), 3 * 7);
    assert!((3..=6).contains(&sent), "three settlements took {sent} transactions");
    scene.everybody_leaves(&nets, 0).await;
}
