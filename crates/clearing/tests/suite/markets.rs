//! Random rounds of many shapes.

use market_types::{
    Ask, AskIndex, Bid, Capacity, CapacityCap, Mechanism, ReservePrice, Round, RoundNumber, SeatedAsk,
    TaskSize, UnitCost, UnitFee,
};
use proptest::collection::vec;
use proptest::prelude::*;
use std::ops::RangeInclusive;

pub(crate) fn bid(fee: u64, size: u32) -> Bid {
    Bid { fee: UnitFee::new(fee).unwrap(), size: TaskSize::new(size).unwrap() }
}

pub(crate) fn ask(cost: u64, capacity: u32) -> Ask {
    Ask { cost: UnitCost::new(cost), capacity: Capacity::new(capacity).unwrap() }
}

/// A round whose asks are numbered by position.
pub(crate) fn round(number: u64, cap: u64, reserve: u64, bids: &[(u64, u32)], asks: &[(u64, u32)]) -> Round {
    Round::from_positions(
        RoundNumber::new(number),
        CapacityCap::new(cap).unwrap(),
        ReservePrice::new(reserve),
        bids.iter().map(|(fee, size)| bid(*fee, *size)).collect(),
        asks.iter().map(|(cost, capacity)| ask(*cost, *capacity)).collect(),
    )
    .unwrap()
}

/// The same round with other bids and asks; the seats stay.
pub(crate) fn with_offers(round: &Round, bids: Vec<Bid>, asks: Vec<SeatedAsk>) -> Round {
    Round::new(round.number(), round.cap(), round.reserve(), bids, asks).unwrap()
}

/// The ranges that a family of rounds draws from.
struct Shape {
    bids: RangeInclusive<usize>,
    asks: RangeInclusive<usize>,
    fees: RangeInclusive<u64>,
    sizes: RangeInclusive<u32>,
    capacities: RangeInclusive<u32>,
    caps: RangeInclusive<u64>,
    reserves: RangeInclusive<u64>,
}

fn shaped(shape: Shape) -> impl Strategy<Value = Round> {
    let bids = vec((shape.fees.clone(), shape.sizes), shape.bids);
    // A gap of up to two empty seats before every prover. A cost may also be 0, below every fee.
    let costs = prop_oneof![4 => shape.fees, 1 => Just(0)];
    let asks = vec((costs, shape.capacities, 0..3u32), shape.asks);
    // Half of the rounds have no reserve price.
    let reserve = prop_oneof![Just(0), shape.reserves];
    (any::<u32>(), shape.caps, reserve, bids, asks).prop_map(|(number, cap, reserve, bids, asks)| {
        let mut seat = 0;
        let mut seated = Vec::new();
        for (cost, capacity, gap) in asks {
            seat += gap;
            seated.push(SeatedAsk { seat: AskIndex::new(seat), ask: ask(cost, capacity) });
            seat += 1;
        }
        Round::new(
            RoundNumber::new(number.into()),
            CapacityCap::new(cap).unwrap(),
            ReservePrice::new(reserve),
            bids.into_iter().map(|(fee, size)| bid(fee, size)).collect(),
            seated,
        )
        .unwrap()
    })
}

/// Few participants, few prices: ties everywhere, small enough for exhaustive searches.
pub(crate) fn small() -> impl Strategy<Value = Round> {
    shaped(Shape {
        bids: 0..=7,
        asks: 0..=5,
        fees: 1..=6,
        sizes: 1..=4,
        capacities: 1..=6,
        caps: 1..=24,
        reserves: 1..=6,
    })
}

/// Dozens of bids with distinct-looking prices and sizes far apart.
pub(crate) fn medium() -> impl Strategy<Value = Round> {
    shaped(Shape {
        bids: 0..=60,
        asks: 0..=12,
        fees: 1..=1_000,
        sizes: 1..=64,
        capacities: 64..=400,
        caps: 1..=4_000,
        reserves: 1..=1_000,
    })
}

/// Many bids at hardly more than one price.
pub(crate) fn tied() -> impl Strategy<Value = Round> {
    shaped(Shape {
        bids: 10..=60,
        asks: 1..=12,
        fees: 1..=2,
        sizes: 1..=9,
        capacities: 1..=60,
        caps: 1..=300,
        reserves: 1..=2,
    })
}

/// Fees, sizes, capacities and caps at the upper ends of their ranges.
pub(crate) fn huge() -> impl Strategy<Value = Round> {
    shaped(Shape {
        bids: 0..=30,
        asks: 0..=10,
        fees: u64::MAX - 3..=u64::MAX,
        sizes: u32::MAX - 2..=u32::MAX,
        capacities: u32::MAX - 2..=u32::MAX,
        caps: 1 << 32..=1 << 36,
        reserves: u64::MAX - 3..=u64::MAX,
    })
}

/// Every value of every range.
pub(crate) fn wild() -> impl Strategy<Value = Round> {
    shaped(Shape {
        bids: 0..=40,
        asks: 0..=10,
        fees: 1..=u64::MAX,
        sizes: 1..=u32::MAX,
        capacities: 1..=u32::MAX,
        caps: 1..=u64::MAX,
        reserves: 1..=u64::MAX,
    })
}

/// Rounds with so many bids that they are counted instead of sorted: at few prices, at many, at both ends of the
/// range, and with all fees but a few in a range too narrow for the first count.
pub(crate) fn large() -> impl Strategy<Value = Round> {
    let fees =
        prop_oneof![Just(1..=3), Just(1..=1_000_000), Just(u64::MAX - 5_000..=u64::MAX), Just(1..=u64::MAX)];
    let sizes = prop_oneof![Just(1..=64), Just(1..=u32::MAX)];
    let outliers = prop_oneof![Just(vec![]), Just(vec![(1, 1), (u64::MAX, 3), (1 << 40, 7)])];
    (257..6_000_usize, fees, sizes, outliers).prop_flat_map(|(bids, fees, sizes, outliers)| {
        // Capacity and cap for some of the bids, or for all.
        let most = u64::from(*sizes.end()).saturating_mul(bids as u64 / 8).min(u32::MAX.into());
        let shape = Shape {
            bids: bids..=bids,
            asks: 0..=12,
            fees: fees.clone(),
            sizes,
            capacities: 1..=u32::try_from(most).unwrap(),
            caps: 1..=most.saturating_mul(8),
            reserves: fees,
        };
        shaped(shape).prop_map(move |round| {
            let outliers = outliers.iter().map(|(fee, size)| bid(*fee, *size));
            with_offers(&round, outliers.chain(round.bids().iter().copied()).collect(), round.asks().to_vec())
        })
    })
}

/// All small ones of the above.
pub(crate) fn any_market() -> impl Strategy<Value = Round> {
    prop_oneof![3 => small(), 2 => medium(), 2 => tied(), 1 => huge(), 1 => wild()]
}

/// Any mechanism and any market.
pub(crate) fn any_case() -> impl Strategy<Value = (Mechanism, Round)> {
    (prop::sample::select(Mechanism::ALL.to_vec()), any_market())
}
