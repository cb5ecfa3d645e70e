//! Time to clear a round, by mechanism and number of bids.

use clearing::clear;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use market_types::{
    Ask, Bid, Capacity, CapacityCap, Mechanism, ReservePrice, Round, RoundNumber, TaskSize, UnitCost, UnitFee,
};
use std::hint::black_box;

const PROVERS: u32 = 50;

/// A fixed pseudo-random sequence (SplitMix64), so that every run measures the same rounds.
struct Sequence(u64);

impl Sequence {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((word ^ (word >> 31)) % u64::from(bound)).expect("below a u32")
    }
}

/// Fees and costs from the same range and capacity for about all tasks: some half of the bids win.
fn market(bids: u32) -> Round {
    let mut sequence = Sequence(u64::from(bids));
    let capacity = bids.saturating_mul(32) / PROVERS;
    let asks = (0..PROVERS).map(|_| Ask {
        cost: UnitCost::new(u64::from(sequence.below(1_000_000))),
        capacity: Capacity::new(capacity.max(64)).expect("at least 64"),
    });
    let asks = asks.collect();
    let bids = (0..bids).map(|_| Bid {
        fee: UnitFee::new(1 + u64::from(sequence.below(1_000_000))).expect("at least 1"),
        size: TaskSize::new(1 + sequence.below(64)).expect("at least 1"),
    });
    Round::from_positions(RoundNumber::new(7), CapacityCap::MAX, ReservePrice::new(0), bids.collect(), asks)
        .expect("few enough bids and asks")
}

fn clear_by_number_of_bids(criterion: &mut Criterion) {
    for mechanism in Mechanism::ALL {
        let mut group = criterion.benchmark_group(format!("clear/{mechanism}"));
        group.sample_size(20);
        for bids in [1_000, 10_000, 100_000, 1_000_000] {
            let round = market(bids);
            let trade = clear(mechanism, &round).is_trade();
            assert!(trade, "a round without a trade would measure half of the work");
            group.throughput(Throughput::Elements(bids.into()));
            group.bench_with_input(BenchmarkId::from_parameter(bids), &round, |bencher, round| {
                bencher.iter(|| clear(mechanism, black_box(round)));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, clear_by_number_of_bids);
criterion_main!(benches);
