//! Bids for real rollup batches.

use alloy::primitives::U256;
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
