//! Named distributions of demand and supply. Prices are in ticks per unit and centred near 1,000.

use crate::random::Stream;
use clap::ValueEnum;
use rand::Rng as _;
use serde::Serialize;

/// What requesters want: what a unit is worth to them, and how large their tasks are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Demand {
    /// Worth 1 to 2,000 per unit, 1 to 8 units
    Uniform,
    /// Worth 1,000 in the mean, exponential; 1 to 8 units
    Exponential,
    /// Worth 1,000 in the median, log-normal with sigma 0.6; 1 to 8 units
    Lognormal,
    /// Seven in ten worth about 600, three in ten about 2,000; 1 to 8 units
    TwoKinds,
    /// All worth within a tenth of 1,000; 1 to 8 units
    Tight,
    /// Log-normal worth; Pareto sizes of 1 to 32 units, a few of them large
    Heavy,
}

/// What provers offer: their cost per unit, and how much they can prove in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Supply {
    /// Cost of 1 to 2,000 per unit, 32 to 64 units of capacity
    Uniform,
    /// Cost of 700 in the median, log-normal with sigma 0.4; 32 to 64 units
    Lognormal,
    /// Three generations of hardware at about 300, 600 and 1,200; 32 to 64 units
    Hardware,
    /// All within a tenth of 700; 32 to 64 units
    Commodity,
}

/// The largest task of any [`Demand`], in units; no prover is smaller.
const MAX_TASK: u32 = 32;
/// The mean capacity of a prover, in units.
pub const MEAN_CAPACITY: f64 = 48.0;

/// A requester as it is, whatever it bids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requester {
    /// What a unit of its task is worth to it, in ticks per unit; at least 1.
    pub value: u64,
    /// The size of its task in units; at least 1.
    pub size: u32,
}

/// A prover as it is, whatever it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prover {
    /// What a unit costs it, in ticks per unit; at least 1.
    pub cost: u64,
    /// What it can offer in a round, in units; at least 1. Its hardware holds one unit less than the largest task
    /// more: so much can a load exceed the share of its prover.
    pub capacity: u32,
}

impl Demand {
    /// One requester.
    #[must_use]
    pub fn draw(self, random: &mut Stream) -> Requester {
        let value = match self {
            Self::Uniform => uniform(random, 1.0, 2000.0),
            Self::Exponential => -1000.0 * unit(random).ln(),
            Self::Lognormal | Self::Heavy => lognormal(random, 1000.0, 0.6),
            Self::TwoKinds => {
                let median = if unit(random) < 0.7 { 600.0 } else { 2000.0 };
                lognormal(random, median, 0.2)
            }
            Self::Tight => uniform(random, 900.0, 1100.0),
        };
        let size = match self {
            // Inverse of the distribution function of a Pareto law with tail index 1.3.
            Self::Heavy => unit(random).powf(-1.0 / 1.3).min(f64::from(MAX_TASK)),
            _ => uniform(random, 1.0, 9.0).floor().min(f64::from(self.max_size())),
        };
        Requester { value: positive(value), size: narrow(positive(size)) }
    }

    /// The largest task, in units.
    #[must_use]
    pub const fn max_size(self) -> u32 {
        match self {
            Self::Heavy => MAX_TASK,
            _ => 8,
        }
    }

    /// The mean size of a task, in units, measured.
    #[must_use]
    pub fn mean_size(self) -> f64 {
        match self {
            Self::Heavy => 3.12,
            _ => 4.5,
        }
    }
}

impl Supply {
    /// One prover.
    #[must_use]
    pub fn draw(self, random: &mut Stream) -> Prover {
        let cost = match self {
            Self::Uniform => uniform(random, 1.0, 2000.0),
            Self::Lognormal => lognormal(random, 700.0, 0.4),
            Self::Hardware => {
                let kind = unit(random);
                let centre = if kind < 0.3 { 300.0 } else { [600.0, 1200.0][usize::from(kind > 0.7)] };
                centre * uniform(random, 0.9, 1.1)
            }
            Self::Commodity => uniform(random, 630.0, 770.0),
        };
        let capacity = uniform(random, 32.0, 65.0).floor().min(64.0);
        Prover { cost: positive(cost), capacity: narrow(positive(capacity)) }
    }
}

/// In (0, 1].
fn unit(random: &mut Stream) -> f64 {
    1.0 - random.random::<f64>()
}

fn uniform(random: &mut Stream, low: f64, high: f64) -> f64 {
    low + (high - low) * random.random::<f64>()
}

/// By Box and Muller.
fn lognormal(random: &mut Stream, median: f64, sigma: f64) -> f64 {
    let normal = (-2.0 * unit(random).ln()).sqrt() * (std::f64::consts::TAU * unit(random)).cos();
    median * (sigma * normal).exp()
}

/// Rounded, and at least 1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded just before")]
pub(crate) fn positive(number: f64) -> u64 {
    number.round().clamp(1.0, 1e15) as u64
}

/// For sizes and capacities, which are small here.
pub(crate) fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;

    #[test]
    fn every_demand_has_its_mean_size_and_no_task_is_too_large() {
        for demand in Demand::value_variants() {
            let mut random = stream(1, "sizes", 0);
            let sizes: Vec<u32> = (0..40_000).map(|_| demand.draw(&mut random).size).collect();
            let mean = f64::from(sizes.iter().sum::<u32>()) / 40_000.0;
            assert!((mean / demand.mean_size() - 1.0).abs() < 0.03, "{demand:?}: {mean}");
            assert!(sizes.iter().all(|size| (1..=demand.max_size()).contains(size)));
        }
    }

    #[test]
    fn every_prover_can_hold_the_largest_task() {
        for supply in Supply::value_variants() {
            let mut random = stream(1, "capacities", 0);
            let capacities: Vec<u32> = (0..20_000).map(|_| supply.draw(&mut random).capacity).collect();
            let mean = f64::from(capacities.iter().sum::<u32>()) / 20_000.0;
            assert!((mean / MEAN_CAPACITY - 1.0).abs() < 0.02, "{supply:?}: {mean}");
            assert!(capacities.iter().all(|capacity| *capacity >= MAX_TASK));
        }
    }
}
