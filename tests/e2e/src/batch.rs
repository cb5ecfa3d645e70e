//! Bids for real rollup batches.

use crate::Scene;
use crate::cast::people::{RALPH, RITA, ROSA};
use alloy::primitives::U256;
use circuits::CircuitKind::{Transfers1, Transfers2, Transfers4};
use circuits::rollup::Demo;
use circuits::{CircuitKind, Task};
use testkit::Bid;

/// A bid of `fee` ticks per unit for the proof of one batch on a state of its own; equal seeds give equal batches.
#[must_use]
pub fn rollup_bid(fee: u64, kind: CircuitKind, seed: u64) -> Bid {
    let demo = Demo::new(seed);
    bid(fee, &demo, kind, seed)
}

/// Bids for different batches that all start from one state.
#[must_use]
pub fn rollup_bids(fees: &[u64], kind: CircuitKind, seed: u64) -> Vec<Bid> {
    let demo = Demo::new(seed);
    (seed..).zip(fees).map(|(seed, fee)| bid(*fee, &demo, kind, seed)).collect()
}

fn bid(fee: u64, demo: &Demo, kind: CircuitKind, seed: u64) -> Bid {
    let task =
        Task::new(demo.state(), &demo.batch(kind.batch_size(), seed)).expect("a batch that can be proved");
    Bid {
        fee,
        circuit: kind.id(),
        public_inputs: task.public_inputs().into_iter().map(U256::from_be_bytes).collect(),
        data: task.encode().into(),
    }
}

/// The six bids of the story `trade`, posted in round 1, which is then closed. By fee: 20 (53 units), 15 (27), 12 (14), 9 (14),
/// 7 (14), 6 (27).
pub async fn post_six_bids(scene: &mut Scene) {
    scene.open(1).await;
    for (person, fee, kind, seed) in [
        (RITA, 20, Transfers4, 1),
        (RALPH, 15, Transfers2, 2),
        (ROSA, 7, Transfers1, 3),
        (RITA, 12, Transfers1, 4),
        (RALPH, 9, Transfers1, 5),
        (ROSA, 6, Transfers2, 6),
    ] {
        scene.bid(person, &rollup_bid(fee, kind, seed)).await;
    }
    scene.close(1).await;
}
