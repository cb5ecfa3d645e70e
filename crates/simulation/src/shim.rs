//! Stand-in until `clearing` has both mechanisms.
#![allow(missing_docs)]
use market_types::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mechanism { Core, AverageFee }
#[derive(Debug, Clone, Copy)]
pub struct Ticks(u128);
impl Ticks { pub fn get(self) -> u128 { self.0 } }
pub enum Prices { Uniform { user_price: u64, prover_price: u64 }, AverageFee { revenue: u128 } }
impl Prices {
    pub fn charge(&self, fee: UnitFee, size: TaskSize) -> Ticks {
        let price = match self { Self::Uniform { user_price, .. } => *user_price, Self::AverageFee { .. } => fee.get() };
        Ticks(u128::from(price) * u128::from(size.get()))
    }
    pub fn pay_down(&self, size: TaskSize, units: Units) -> Ticks {
        let size = u128::from(size.get());
        match self {
            Self::Uniform { prover_price, .. } => Ticks(u128::from(*prover_price) * size),
            Self::AverageFee { revenue } => Ticks(revenue * size / u128::from(units.get().max(1))),
        }
    }
}
pub struct Outcome { pub units: Units, pub assignment: Vec<(BidIndex, AskIndex)>, pub prices: Prices, pub winning_asks: Vec<AskIndex> }
pub fn clear(mechanism: Mechanism, round: &Round) -> Outcome {
    match mechanism {
        Mechanism::Core => {
            let o = clearing::clear(round);
            Outcome { units: o.units, assignment: o.assignment, winning_asks: o.winning_asks, prices: Prices::Uniform { user_price: o.user_price.get(), prover_price: o.prover_price.get() } }
        }
        Mechanism::AverageFee => average(round),
    }
}
fn average(round: &Round) -> Outcome {
    let mut ranked: Vec<(BidIndex, Bid)> = round.indexed_bids().filter(|(_, b)| b.fee.get() >= round.reserve().get()).collect();
    ranked.sort_by_key(|(i, b)| (std::cmp::Reverse(b.fee), *i));
    let take = |limit: u64| {
        let (mut n, mut q, mut r) = (0, 0u64, 0u128);
        for (_, b) in &ranked {
            let s = u64::from(b.size.get());
            if q + s > limit { break; }
            q += s; n += 1; r += u128::from(b.fee.get()) * u128::from(s);
        }
        (n, q, r)
    };
    let (mut n, mut q, mut r) = take(round.cap().get());
    let winners: Vec<SeatedAsk> = round.asks().iter().copied().filter(|a| u128::from(a.ask.cost.get()) * u128::from(q) < r).collect();
    let k: u64 = winners.iter().map(|a| u64::from(a.ask.capacity.get())).sum();
    if k < q { (n, q, r) = take(k); }
    if k == 0 || n == 0 || q == 0 { return Outcome { units: Units::ZERO, assignment: vec![], winning_asks: vec![], prices: Prices::AverageFee { revenue: 0 } }; }
    let mut batch: Vec<_> = ranked[..n].to_vec();
    batch.sort_by_key(|(i, _)| *i);
    let mut o = 0u64;
    let first = usize::try_from(round.number().get()).unwrap_or(0) % winners.len();
    let mut ends = vec![]; let mut e = 0u64;
    for w in winners.iter().cycle().skip(first).take(winners.len()) { e += u64::from(w.ask.capacity.get()); ends.push((w.seat, e)); }
    let mut assignment = vec![];
    for (i, b) in batch {
        let place = o * k / q;
        let seat = ends.iter().find(|(_, end)| place < *end).map(|x| x.0);
        if let Some(seat) = seat { assignment.push((i, seat)); }
        o += u64::from(b.size.get());
    }
    Outcome { units: Units::new(q), assignment, winning_asks: winners.iter().map(|w| w.seat).collect(), prices: Prices::AverageFee { revenue: r } }
}
