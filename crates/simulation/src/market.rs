//! A market of the laboratory: who is in it, and what the best possible trade would be worth.

use crate::distribution::{Demand, MEAN_CAPACITY, Prover, Requester, Supply, positive};
use crate::random::Stream;
use market_types::Mechanism;
use serde::Serialize;

/// What a series of rounds has in common.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Scenario {
    /// How rounds are cleared.
    pub mechanism: Mechanism,
    /// What requesters want.
    pub demand: Demand,
    /// What provers offer.
    pub supply: Supply,
    /// How many requesters bid in a round.
    pub requesters: u32,
    /// How many provers ask in a round.
    pub provers: u32,
    /// The capacity cap of a round, in units.
    pub cap: u64,
    /// The reserve price, in ticks per unit; 0 for none.
    pub reserve: u64,
}

/// The cap of a market that has none, in units: more than any capacity of the laboratory.
pub const NO_CAP: u64 = 1 << 40;

impl Scenario {
    /// A market of `provers` in which the tasks are `ratio` times as large as the capacity, in the mean. No cap, no
    /// reserve price.
    #[must_use]
    pub fn of_size(mechanism: Mechanism, demand: Demand, supply: Supply, provers: u32, ratio: f64) -> Self {
        let requesters = f64::from(provers) * MEAN_CAPACITY * ratio / demand.mean_size();
        let requesters = crate::distribution::narrow(positive(requesters));
        Self { mechanism, demand, supply, requesters, provers, cap: NO_CAP, reserve: 0 }
    }

    /// The same market with another cap.
    #[must_use]
    pub const fn with_cap(self, cap: u64) -> Self {
        Self { cap, ..self }
    }

    /// The same participants under another mechanism.
    #[must_use]
    pub const fn under(self, mechanism: Mechanism) -> Self {
        Self { mechanism, ..self }
    }

    /// Draws the participants of one round.
    #[must_use]
    pub fn draw(&self, random: &mut Stream) -> Population {
        Population {
            requesters: (0..self.requesters).map(|_| self.demand.draw(random)).collect(),
            provers: (0..self.provers).map(|_| self.supply.draw(random)).collect(),
            max_task: self.demand.max_size(),
        }
    }
}

/// The participants of one round as they are, whatever they bid and ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Population {
    /// Every requester.
    pub requesters: Vec<Requester>,
    /// Every prover.
    pub provers: Vec<Prover>,
    /// The largest task that the market takes, in units.
    pub max_task: u32,
}

/// The most that trade could be worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Optimum {
    /// Value less cost, in ticks.
    pub welfare: f64,
    /// How much is proved, in units.
    pub units: f64,
    /// What the last unit costs, in ticks per unit; 0 without trade.
    pub price: f64,
}

impl Population {
    /// What a prover's hardware can prove in a round, in units.
    #[must_use]
    pub fn hardware(&self, prover: usize) -> u64 {
        u64::from(self.provers[prover].capacity) + u64::from(self.headroom())
    }

    /// By how much a load can exceed the share of its seat, in units: each seat keeps so much free.
    #[must_use]
    pub const fn headroom(&self) -> u32 {
        self.max_task - 1
    }

    /// The best trade if tasks could be divided: highest values meet lowest costs until they cross or the cap is
    /// reached. Of the capacity that is offered: a round can be worth a little more where task borders give a cheap prover
    /// a few units of its headroom.
    #[must_use]
    pub fn optimum(&self, cap: u64) -> Optimum {
        let mut wanted: Vec<(u64, u64)> =
            self.requesters.iter().map(|one| (one.value, u64::from(one.size))).collect();
        let mut offered: Vec<(u64, u64)> =
            self.provers.iter().map(|one| (one.cost, u64::from(one.capacity))).collect();
        wanted.sort_unstable_by_key(|(value, _)| std::cmp::Reverse(*value));
        offered.sort_unstable();
        let (mut wanted, mut offered) = (wanted.into_iter(), offered.into_iter());
        let (mut want, mut offer) = (wanted.next(), offered.next());
        let (mut welfare, mut units, mut price) = (0_u64, 0_u64, 0_u64);
        while let (Some((value, size)), Some((cost, capacity))) = (want, offer) {
            let step = size.min(capacity).min(cap - units);
            if value <= cost || step == 0 {
                break;
            }
            welfare += (value - cost) * step;
            units += step;
            price = cost;
            want = if size > step { Some((value, size - step)) } else { wanted.next() };
            offer = if capacity > step { Some((cost, capacity - step)) } else { offered.next() };
        }
        Optimum { welfare: welfare as f64, units: units as f64, price: price as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn population(requesters: &[(u64, u32)], provers: &[(u64, u32)]) -> Population {
        Population {
            requesters: requesters.iter().map(|&(value, size)| Requester { value, size }).collect(),
            provers: provers.iter().map(|&(cost, capacity)| Prover { cost, capacity }).collect(),
            max_task: 6,
        }
    }

    #[test]
    fn the_optimum_matches_values_and_costs_until_they_cross() {
        let market = population(&[(9, 4), (7, 3), (7, 2), (5, 5), (2, 6)], &[(1, 5), (3, 4), (4, 6), (8, 9)]);
        // 14 units are worth more than the third prover's cost: 36 + 21 + 14 + 25 less 5 + 12 + 20.
        assert_eq!(market.optimum(NO_CAP), Optimum { welfare: 59.0, units: 14.0, price: 4.0 });
        assert_eq!(market.optimum(5), Optimum { welfare: 38.0, units: 5.0, price: 1.0 });
    }

    #[test]
    fn nobody_trades_below_cost() {
        let optimum = population(&[(3, 4)], &[(3, 4)]).optimum(NO_CAP);
        assert_eq!(optimum, Optimum { welfare: 0.0, units: 0.0, price: 0.0 });
    }
}
