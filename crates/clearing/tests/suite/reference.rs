//! The mechanism as its text says it: sorts by tuples, adds up from scratch, divides. Shares no code with the
//! crate.

use clearing::CoreOutcome;
use market_types::{AskIndex, BidIndex, Round, UnitPrice, Units};
use std::cmp::Reverse;

/// The inputs of a round by the symbols of the mechanism's text.
pub(crate) struct Inputs {
    pub(crate) cap: u128,
    pub(crate) reserve: u128,
    /// `(f, s)`
    pub(crate) bids: Vec<(u128, u128)>,
    /// `(c, k)`
    pub(crate) asks: Vec<(u128, u128)>,
}

impl Inputs {
    pub(crate) fn of(round: &Round) -> Self {
        Self {
            cap: round.cap().get().into(),
            reserve: round.reserve().get().into(),
            bids: round.bids().iter().map(|b| (b.fee.get().into(), b.size.get().into())).collect(),
            asks: round
                .asks()
                .iter()
                .map(|a| (a.ask.cost.get().into(), a.ask.capacity.get().into()))
                .collect(),
        }
    }

    pub(crate) fn user_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> =
            (0..self.bids.len()).filter(|i| self.bids[*i].0 >= self.reserve).collect();
        order.sort_by_key(|i| (Reverse(self.bids[*i].0), *i));
        order
    }

    pub(crate) fn prover_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.asks.len()).collect();
        order.sort_by_key(|j| (self.asks[*j].0, *j));
        order
    }

    /// `None`: unbounded.
    fn demand(&self, price: u128) -> Option<u128> {
        if self.reserve > 0 && price <= self.reserve {
            return None;
        }
        Some(self.bids.iter().filter(|(f, _)| *f >= price.max(self.reserve)).map(|(_, s)| s).sum())
    }

    /// Capacity of the first `w` provers.
    pub(crate) fn capacity(&self, w: usize) -> u128 {
        self.prover_order().iter().take(w).map(|j| self.asks[*j].1).sum()
    }

    /// `K_w <= B and demand(c_{w+1}) > K_w`, for `w` in `0..P-1`.
    pub(crate) fn condition(&self, w: usize) -> bool {
        let capacity = self.capacity(w);
        let price = self.asks[self.prover_order()[w]].0;
        capacity <= self.cap && self.demand(price).is_none_or(|demand| demand > capacity)
    }

    pub(crate) fn winning_provers(&self) -> usize {
        (0..self.asks.len()).filter(|w| self.condition(*w)).max().unwrap_or(0)
    }
}

/// The outcome of `core` for `round`.
pub(crate) fn outcome(round: &Round) -> CoreOutcome {
    let inputs = Inputs::of(round);
    let w = inputs.winning_provers();
    let capacity = inputs.capacity(w);

    let order = inputs.user_order();
    let mut users: Vec<usize> = Vec::new();
    let mut units = 0;
    let mut user_price = inputs.reserve;
    for i in order {
        if units + inputs.bids[i].1 > capacity {
            user_price = inputs.bids[i].0;
            break;
        }
        units += inputs.bids[i].1;
        users.push(i);
    }
    if w == 0 || users.is_empty() {
        return CoreOutcome::no_trade();
    }
    let prover_price = inputs.asks[inputs.prover_order()[w]].0;
    users.sort_unstable();
    let mut provers: Vec<usize> = inputs.prover_order()[..w].to_vec();
    provers.sort_unstable();

    let first = usize::try_from(round.number().get() % w as u64).unwrap();
    let walk: Vec<usize> = (0..w).map(|step| provers[(first + step) % w]).collect();
    let mut offset = 0;
    let mut assignment = Vec::new();
    for i in &users {
        let point = offset * capacity / units;
        let mut start = 0;
        for j in &walk {
            let end = start + inputs.asks[*j].1;
            if (start..end).contains(&point) {
                assignment.push((bid_index(*i), round.asks()[*j].seat));
            }
            start = end;
        }
        offset += inputs.bids[*i].1;
    }
    CoreOutcome {
        winning_bids: users.into_iter().map(bid_index).collect(),
        winning_asks: provers.into_iter().map(|j| round.asks()[j].seat).collect(),
        user_price: UnitPrice::new(narrow(user_price)),
        prover_price: UnitPrice::new(narrow(prover_price)),
        units: Units::new(narrow(units)),
        assignment,
    }
}

fn bid_index(position: usize) -> BidIndex {
    BidIndex::from_u64(position as u64).expect("a test round is small")
}

fn narrow(value: u128) -> u64 {
    u64::try_from(value).expect("prices and totals fit 64 bits")
}

/// Seats of a round, for tests that look for one.
pub(crate) fn seats(round: &Round) -> Vec<AskIndex> {
    round.asks().iter().map(|entry| entry.seat).collect()
}
