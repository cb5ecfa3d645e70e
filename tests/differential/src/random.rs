//! Random and adversarial rounds that a market can hold.

use chain::CapacityChange;
use market_types::{
    Ask, AskIndex, Bid, Capacity, CapacityCap, ReservePrice, Round, RoundNumber, SeatedAsk, TaskSize,
    UnitCost, UnitFee,
};
use rand::{Rng, seq::IndexedRandom};

/// Most seats of a market.
const MAX_SEATS: u32 = 128;
/// Largest size of a task that a market can allow, in units.
const MAX_TASK_SIZE: u32 = 1 << 30;

/// What a random round looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A few participants and a few values: ties everywhere, every branch within reach.
    Tiny,
    /// Some dozens of bids at prices like those of a real market.
    Ordinary,
    /// Every fee or cost the same.
    Ties,
    /// Fees, costs, sizes and capacities at the ends of their ranges.
    Extreme,
    /// One side empty, or a single bid.
    Sparse,
    /// As many bids as asked for.
    Large(usize),
}

/// A round of this shape. A market whose seats may offer that much can hold it; see [`crate::staged::held_by_a_market`].
///
/// # Panics
/// Never for the ranges written here.
pub fn round(rng: &mut impl Rng, shape: Shape) -> Round {
    let (bids, asks) = match shape {
        Shape::Tiny => (rng.random_range(0..7), rng.random_range(0..5)),
        Shape::Ordinary => (rng.random_range(5..60), rng.random_range(1..12)),
        Shape::Ties => (rng.random_range(1..30), rng.random_range(1..10)),
        Shape::Extreme => (rng.random_range(1..12), rng.random_range(1..8)),
        Shape::Sparse => *[(0, 3), (1, 0), (1, 1), (1, 4), (6, 0), (9, 1)].choose(rng).expect("not empty"),
        Shape::Large(n) => (n, 10),
    };
    let prices: Vec<u64> = match shape {
        Shape::Tiny => (1..5).collect(),
        Shape::Ties => vec![rng.random_range(1..5); 1],
        Shape::Extreme => vec![1, 2, u64::MAX - 2, u64::MAX - 1, u64::MAX],
        _ => (0..24).map(|_| rng.random_range(1..1_000)).collect(),
    };
    let sizes: Vec<u32> = match shape {
        Shape::Tiny => vec![1, 2, 3],
        Shape::Extreme => vec![1, MAX_TASK_SIZE - 1, MAX_TASK_SIZE],
        _ => (1..40).collect(),
    };
    let price = |rng: &mut _| *prices.choose(rng).expect("not empty");
    let mut list: Vec<Bid> = Vec::new();
    while list.len() < bids {
        let bid = Bid {
            fee: UnitFee::new(price(rng)).expect("at least 1"),
            size: TaskSize::new(*sizes.choose(rng).expect("not empty")).expect("at least 1"),
        };
        // Some of the same in a row, which may become a lot.
        let count = if rng.random_bool(0.3) { rng.random_range(2..6) } else { 1 };
        list.extend(std::iter::repeat_n(bid, count.min(bids - list.len())));
    }
    let bids = list;

    let largest = bids.iter().map(|bid| bid.size.get()).max().unwrap_or(1);
    let demand: u64 = bids.iter().map(|bid| u64::from(bid.size.get())).sum();
    let top = CapacityChange::MAX_UNITS - (largest - 1);
    let mut seat = 0;
    let mut seated = Vec::new();
    for _ in 0..asks {
        seat += u32::from(rng.random_bool(0.2));
        if seat >= MAX_SEATS {
            break;
        }
        let usual = u64::from(largest) + rng.random_range(0..=demand / 3 + 2);
        let capacity = match shape {
            Shape::Extreme if rng.random_bool(0.5) => top,
            _ => u32::try_from(usual).unwrap_or(top).min(top),
        };
        // A unit cost may be 0, and is never u64::MAX.
        let cost = if rng.random_bool(0.1) { 0 } else { price(rng).min(u64::MAX - 1) };
        let ask = Ask { cost: UnitCost::new(cost), capacity: Capacity::new(capacity).expect("at least 1") };
        seated.push(SeatedAsk { seat: AskIndex::new(seat), ask });
        seat += 1;
    }

    let cap = match rng.random_range(0..4) {
        0 => u64::from(largest),
        1 => u64::MAX,
        _ => u64::from(largest) + rng.random_range(0..=demand + 2),
    };
    let reserve = if rng.random_bool(0.5) { 0 } else { price(rng) };
    Round::new(
        RoundNumber::new(rng.random_range(2..1_000)),
        CapacityCap::new(cap).expect("at least 1"),
        ReservePrice::new(reserve),
        bids,
        seated,
    )
    .expect("seats ascend")
}
