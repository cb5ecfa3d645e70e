//! A round: what was bid, what it came to, and its tasks.

use super::tasks::Task;
use alloy::primitives::Address;
use clearing::Prices;
use market_types::Units;
use std::collections::{BTreeMap, BTreeSet};

/// What is bid: `count` bids for tasks of `size` units at `fee` ticks a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Who is compensated or refunded if a task is not delivered in time.
    pub(crate) named: Address,
    pub(crate) fee: u64,
    pub(crate) size: u32,
    pub(crate) count: u16,
    pub(crate) told: bool,
}

impl Entry {
    /// What one bid can cost.
    pub(crate) fn cost(&self) -> u128 {
        u128::from(self.fee) * u128::from(self.size)
    }

    /// What the entry can cost, with its settlement fees.
    pub(crate) fn most(&self, settlement_fee: u64) -> u128 {
        u128::from(self.count) * (self.cost() + u128::from(settlement_fee))
    }
}

/// An entry in its round.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) entry: Entry,
    pub(crate) payer: Address,
    /// Index of its first bid.
    pub(crate) first: u32,
    /// Index of the first bid of what it is released with; `None` if its result comes back by itself.
    pub(crate) parcel: Option<u32>,
}

/// What a settled round decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decided {
    pub(crate) winners: BTreeSet<u32>,
    pub(crate) prices: Prices,
    pub(crate) units: Units,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// Without a result.
    Open,
    Settled(Decided),
    Void,
}

/// What a seat had at the close of a round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AtClose {
    /// Free capacity that the round may use (units).
    pub(crate) free: u64,
    pub(crate) cost: Option<u64>,
}

#[derive(Debug, Clone)]
pub(crate) struct Round {
    pub(crate) entries: Vec<Placed>,
    pub(crate) state: State,
    /// Seat by seat, once it has closed.
    pub(crate) book: Vec<AtClose>,
    /// By the index of the bid.
    pub(crate) tasks: BTreeMap<u32, Task>,
}

impl Default for Round {
    fn default() -> Self {
        Self { entries: Vec::new(), state: State::Open, book: Vec::new(), tasks: BTreeMap::new() }
    }
}

impl Round {
    /// How many bids it has.
    pub(crate) fn count(&self) -> u32 {
        self.entries.iter().map(|placed| u32::from(placed.entry.count)).sum()
    }

    /// The entries that `requester` gets back together with the one of this first index.
    pub(crate) fn parcel(&self, requester: Address, first: u32) -> impl Iterator<Item = &Placed> {
        self.entries.iter().filter(move |placed| placed.payer == requester && placed.parcel == Some(first))
    }

    /// What the bids of an entry get back in the end, of what they have locked.
    pub(crate) fn result_of(&self, placed: &Placed, settlement_fee: u64) -> u128 {
        let entry = placed.entry;
        match &self.state {
            State::Open => 0,
            State::Void => entry.most(settlement_fee),
            State::Settled(decided) => (placed.first..placed.first + u32::from(entry.count))
                .map(|index| match decided.winners.contains(&index) {
                    true => entry.cost() - self.charge(entry.fee, entry.size),
                    false => entry.cost(),
                })
                .sum(),
        }
    }

    fn prices(&self) -> (Prices, Units) {
        match &self.state {
            State::Settled(decided) => (decided.prices, decided.units),
            other => panic!("{other:?} has no prices"),
        }
    }

    /// What a winning bid pays.
    pub(crate) fn charge(&self, fee: u64, size: u32) -> u128 {
        let unit = match self.prices().0 {
            Prices::Uniform { user_price, .. } => user_price.get(),
            Prices::AverageFee { .. } => fee,
        };
        u128::from(unit) * u128::from(size)
    }

    /// What a delivery is paid, rounded down.
    pub(crate) fn pay(&self, size: u32) -> u128 {
        match self.prices() {
            (Prices::Uniform { prover_price, .. }, _) => u128::from(prover_price.get()) * u128::from(size),
            (Prices::AverageFee { revenue }, units) => {
                revenue.get() * u128::from(size) / u128::from(units.get())
            }
        }
    }

    /// What is held for a task until it ends: what its bid paid, or where users pay their own bids its part of the pool.
    pub(crate) fn held(&self, fee: u64, size: u32) -> u128 {
        match self.prices().0 {
            Prices::Uniform { .. } => self.charge(fee, size),
            Prices::AverageFee { .. } => self.pay(size),
        }
    }
}
