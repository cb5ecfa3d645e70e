//! A market whose terms move: rounds drawn from a demand and a supply, cleared by the crate, in the order of time.

use clearing::{Bounds, Controllers, Signal, Terms, certificate, verify_with_signal};
use market_types::{
    Ask, Bid, Capacity, CapacityCap, Mechanism, ReservePrice, Round, RoundNumber, TaskSize, UnitCost, UnitFee,
};

/// Fees and costs are spread evenly over `1..=HIGHEST`.
pub(crate) const HIGHEST: u32 = 1_000;
/// Sizes of tasks, in units: `1..=LARGEST`.
pub(crate) const LARGEST: u32 = 15;
/// Capacity of every seat, in units.
pub(crate) const SEAT: u32 = 20;

/// What comes to one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// Expected total size of all bids, in units.
    pub(crate) demand: u32,
    /// Total capacity of all asks, in units.
    pub(crate) supply: u32,
    /// The highest unit fee.
    pub(crate) highest_fee: u32,
}

impl Load {
    pub(crate) const fn of(demand: u32, supply: u32) -> Self {
        Self { demand, supply, highest_fee: HIGHEST }
    }

    /// Where the lines of demand and supply cross: the unit price and the quantity.
    pub(crate) fn crossing(self) -> (u64, u64) {
        let (demand, supply) = (u64::from(self.demand), u64::from(self.supply));
        (u64::from(HIGHEST) * demand / (demand + supply), demand * supply / (demand + supply))
    }
}

/// A fixed pseudo-random sequence (SplitMix64).
#[derive(Debug, Clone, Copy)]
struct Sequence(u64);

impl Sequence {
    /// A number from 1 to `most`.
    fn up_to(&mut self, most: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        1 + u32::try_from((word ^ (word >> 31)) % u64::from(most)).unwrap()
    }
}

pub(crate) fn bid(fee: u32, size: u32) -> Bid {
    Bid { fee: UnitFee::new(fee.into()).unwrap(), size: TaskSize::new(size).unwrap() }
}

pub(crate) fn ask(cost: u32, capacity: u32) -> Ask {
    Ask { cost: UnitCost::new(cost.into()), capacity: Capacity::new(capacity).unwrap() }
}

/// The offers of round `number`: bids drawn anew in each round, asks that stand.
pub(crate) fn offers(number: u64, load: Load) -> (Vec<Bid>, Vec<Ask>) {
    let mut sequence = Sequence(number);
    let mean = LARGEST.div_ceil(2);
    let bids =
        (0..load.demand / mean).map(|_| bid(sequence.up_to(load.highest_fee), sequence.up_to(LARGEST)));
    let seats = load.supply / SEAT;
    let asks = (0..seats).map(|seat| ask((2 * seat + 1) * HIGHEST / (2 * seats), SEAT));
    (bids.collect(), asks.collect())
}

pub(crate) fn terms(cap: u64, reserve: u64) -> Terms {
    Terms { cap: CapacityCap::new(cap).unwrap(), reserve: ReservePrice::new(reserve) }
}

pub(crate) fn controllers(cap: (u64, u64), reserve: (u64, u64)) -> Controllers {
    let cap_bounds = Bounds::new(CapacityCap::new(cap.0).unwrap(), CapacityCap::new(cap.1).unwrap());
    let reserve_bounds = Bounds::new(ReservePrice::new(reserve.0), ReservePrice::new(reserve.1));
    Controllers { cap: cap_bounds.unwrap(), reserve: reserve_bounds.unwrap() }
}

/// One round of a run: its terms and what it said about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) terms: Terms,
    pub(crate) signal: Signal,
}

pub(crate) fn round(number: u64, terms: Terms, bids: Vec<Bid>, asks: Vec<Ask>) -> Round {
    Round::from_positions(RoundNumber::new(number), terms.cap, terms.reserve, bids, asks).unwrap()
}

pub(crate) fn signal(mechanism: Mechanism, round: &Round) -> Signal {
    verify_with_signal(mechanism, round, &certificate(mechanism, round)).unwrap().1
}

/// Runs rounds `0..count`: the first two under `start`, round `n + 2` under what round `n` set.
pub(crate) fn run(
    mechanism: Mechanism,
    controllers: Controllers,
    start: Terms,
    count: u64,
    mut offers: impl FnMut(u64) -> (Vec<Bid>, Vec<Ask>),
) -> Vec<Step> {
    let (mut now, mut next) = (start, start);
    let mut steps = Vec::new();
    for number in 0..count {
        let (mut bids, asks) = offers(number);
        // A market refuses them when they are submitted.
        bids.retain(|bid| bid.fee.get() >= now.reserve.get());
        let signal = signal(mechanism, &round(number, now, bids, asks));
        steps.push(Step { terms: now, signal });
        (now, next) = (next, controllers.next(next, now, signal));
    }
    steps
}
