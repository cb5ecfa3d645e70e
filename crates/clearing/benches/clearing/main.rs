//! Time to decide and to clear a round, by mechanism and number of bids: the crate's way, the plain way that it
//! must agree with, and one read of the same bids, which no way can beat.
//!
//! `script/bench/clearing` runs this and prints the ratios.

use clearing::{certificate, clear, plain};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use market_types::{
    Ask, Bid, Capacity, CapacityCap, Mechanism, ReservePrice, Round, RoundNumber, TaskSize, UnitCost, UnitFee,
};
use std::hint::black_box;
use std::time::Duration;

const PROVERS: u32 = 50;
const BIDS: [u32; 4] = [10_000, 100_000, 1_000_000, 10_000_000];

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

/// How the fees of a round lie.
#[derive(Clone, Copy)]
enum Fees {
    /// Evenly over a million ticks.
    Even,
    /// Within a thousand ticks, with one far above, whose bucket is added up again.
    Hidden,
    /// Evenly over all that there are: payments are counted twice, as 64 bits do not tell them.
    Wide,
}

impl Fees {
    fn next(self, sequence: &mut Sequence, index: u32) -> u64 {
        match self {
            Self::Even => 1 + u64::from(sequence.below(1_000_000)),
            Self::Hidden if index == 0 => u64::MAX,
            Self::Hidden => 1_000_000 + u64::from(sequence.below(1_000)),
            Self::Wide => 1 + (u64::from(sequence.below(u32::MAX)) << 32),
        }
    }
}

/// Fees and costs from the same range and capacity for about all tasks: some half of the bids win.
fn market(bids: u32, fees: Fees) -> Round {
    let mut sequence = Sequence(u64::from(bids));
    let capacity = bids.saturating_mul(32) / PROVERS;
    let asks = (0..PROVERS).map(|index| Ask {
        cost: UnitCost::new(fees.next(&mut sequence, index + 1)),
        capacity: Capacity::new(capacity.max(64)).expect("at least 64"),
    });
    let asks = asks.collect();
    let bids = (0..bids).map(|index| Bid {
        fee: UnitFee::new(fees.next(&mut sequence, index)).expect("at least 1"),
        size: TaskSize::new(1 + sequence.below(64)).expect("at least 1"),
    });
    Round::from_positions(RoundNumber::new(7), CapacityCap::MAX, ReservePrice::new(0), bids.collect(), asks)
        .expect("few enough bids and asks")
}

/// One read of every fee and size.
fn read(round: &Round) -> (u64, u64) {
    round.bids().iter().fold((0, 0), |(fees, sizes), bid| {
        (bid.fee.get().wrapping_add(fees), u64::from(bid.size.get()).wrapping_add(sizes))
    })
}

fn measure<T>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: String,
    round: &Round,
    work: impl Fn(&Round) -> T,
) {
    let id = BenchmarkId::new(name, round.bids().len());
    group.bench_with_input(id, round, |bencher, round| bencher.iter(|| work(black_box(round))));
}

fn measure_all(group: &mut BenchmarkGroup<'_, WallTime>, round: &Round) {
    group.throughput(Throughput::Elements(u64::try_from(round.bids().len()).expect("a length")));
    measure(group, "floor".to_owned(), round, read);
    for mechanism in Mechanism::ALL {
        // What is measured must be the same work, and not that of an empty round.
        let outcome = clear(mechanism, round);
        assert!(outcome.is_trade());
        assert!(outcome == plain::clear(mechanism, round));
        measure(group, format!("{mechanism}/decide/fast"), round, |round| certificate(mechanism, round));
        measure(group, format!("{mechanism}/decide/plain"), round, |round| {
            plain::certificate(mechanism, round)
        });
        measure(group, format!("{mechanism}/clear/fast"), round, |round| clear(mechanism, round));
        measure(group, format!("{mechanism}/clear/plain"), round, |round| plain::clear(mechanism, round));
    }
}

fn by_number_of_bids(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("even");
    for bids in BIDS {
        // Enough samples for an undisturbed one among them.
        group.sample_size(if bids > 1_000_000 { 10 } else { 50 });
        measure_all(&mut group, &market(bids, Fees::Even));
    }
    group.finish();
}

fn by_fees(criterion: &mut Criterion) {
    for (name, fees) in [("hidden", Fees::Hidden), ("wide", Fees::Wide)] {
        let mut group = criterion.benchmark_group(name);
        measure_all(&mut group, &market(1_000_000, fees));
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_secs(3));
    targets = by_number_of_bids, by_fees
}
criterion_main!(benches);
