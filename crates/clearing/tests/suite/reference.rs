//! The mechanism as its text says it: sorts by tuples, adds up from scratch, divides. Shares no code with the
//! crate.

use clearing::{Outcome, Prices, Share};
use market_types::{AskIndex, BidIndex, Mechanism, Round, Ticks, UnitPrice, Units};
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

    /// Users in user order while they fit, up to the first that does not.
    pub(crate) fn prefix(&self, limit: u128) -> Vec<usize> {
        let mut taken = Vec::new();
        for i in self.user_order() {
            if self.size(&taken) + self.bids[i].1 > limit {
                break;
            }
            taken.push(i);
        }
        taken
    }

    pub(crate) fn size(&self, users: &[usize]) -> u128 {
        users.iter().map(|i| self.bids[*i].1).sum()
    }

    pub(crate) fn revenue(&self, users: &[usize]) -> u128 {
        users.iter().map(|i| self.bids[*i].0 * self.bids[*i].1).sum()
    }

    pub(crate) fn winning_provers(&self) -> usize {
        (0..self.asks.len()).filter(|w| self.condition(*w)).max().unwrap_or(0)
    }
}

/// Users and provers that win, as positions, and the prices.
struct Winners {
    users: Vec<usize>,
    provers: Vec<usize>,
    prices: Prices,
}

/// The outcome of `mechanism` for `round`.
pub(crate) fn outcome(mechanism: Mechanism, round: &Round) -> Outcome {
    let inputs = Inputs::of(round);
    let winners = match mechanism {
        Mechanism::Core => core(&inputs),
        Mechanism::AverageFee => average_fee(&inputs),
    };
    if winners.provers.is_empty() || winners.users.is_empty() {
        return Outcome::no_trade(mechanism);
    }
    placed(round, &inputs, winners)
}

fn core(inputs: &Inputs) -> Winners {
    let w = inputs.winning_provers();
    let order = inputs.user_order();
    let users = inputs.prefix(inputs.capacity(w));
    let user_price = order.get(users.len()).map_or(inputs.reserve, |i| inputs.bids[*i].0);
    let provers = inputs.prover_order();
    let prover_price = provers.get(w).map_or(0, |j| inputs.asks[*j].0);
    let prices = Prices::Uniform {
        user_price: UnitPrice::new(narrow(user_price)),
        prover_price: UnitPrice::new(narrow(prover_price)),
    };
    Winners { users, provers: provers[..w].to_vec(), prices }
}

fn average_fee(inputs: &Inputs) -> Winners {
    let mut users = inputs.prefix(inputs.cap);
    let (size, revenue) = (inputs.size(&users), inputs.revenue(&users));
    let provers: Vec<usize> = (0..inputs.asks.len()).filter(|j| inputs.asks[*j].0 * size < revenue).collect();
    let capacity: u128 = provers.iter().map(|j| inputs.asks[*j].1).sum();
    if capacity < size {
        users = inputs.prefix(capacity);
    }
    let prices = Prices::AverageFee { revenue: Ticks::new(inputs.revenue(&users)) };
    Winners { users, provers, prices }
}

/// Who proves what.
fn placed(round: &Round, inputs: &Inputs, winners: Winners) -> Outcome {
    let Winners { mut users, mut provers, prices } = winners;
    users.sort_unstable();
    provers.sort_unstable();
    let units = inputs.size(&users);
    let capacity: u128 = provers.iter().map(|j| inputs.asks[*j].1).sum();

    let w = provers.len();
    let first = usize::try_from(round.number().get() % w as u64).unwrap();
    let walk: Vec<usize> = (0..w).map(|step| provers[(first + step) % w]).collect();
    let mut offset = 0;
    let mut shares: Vec<Share> = Vec::new();
    for i in &users {
        let point = offset * capacity / units;
        let mut start = 0;
        for j in &walk {
            let end = start + inputs.asks[*j].1;
            if (start..end).contains(&point) {
                let ask = round.asks()[*j].seat;
                match shares.last_mut() {
                    Some(share) if share.ask == ask => share.tasks += 1,
                    _ => shares.push(Share { ask, tasks: 1 }),
                }
            }
            start = end;
        }
        offset += inputs.bids[*i].1;
    }
    Outcome {
        winning_bids: users.into_iter().map(bid_index).collect(),
        winning_asks: provers.into_iter().map(|j| round.asks()[j].seat).collect(),
        prices,
        units: Units::new(narrow(units)),
        shares,
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
