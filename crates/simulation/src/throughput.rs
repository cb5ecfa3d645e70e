//! How many bids one thread clears in a second.

use crate::account::{Penalties, settle};
use crate::book::Book;
use crate::distribution::{Demand, Supply};
use crate::market::Scenario;
use crate::random::stream;
use market_types::Mechanism;
use serde::Serialize;
use std::time::Instant;

/// What was measured on one thread, by mechanism.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Throughput {
    /// Bids in each round.
    pub bids_per_round: u32,
    /// Rounds played with each mechanism.
    pub rounds: u64,
    /// Bids per second under `core`.
    pub core: f64,
    /// Bids per second under `average-fee`.
    pub average_fee: f64,
}

/// Draws the participants, builds, clears and accounts for `rounds` rounds on this thread.
#[must_use]
pub(crate) fn measure(seed: u64, rounds: u64) -> Throughput {
    let scenario = Scenario::of_size(Mechanism::Core, Demand::Lognormal, Supply::Lognormal, 64, 1.2);
    let speed = |mechanism| {
        let scenario = scenario.under(mechanism).with_cap(2000);
        let started = Instant::now();
        let mut units = 0;
        for number in 0..rounds {
            let population = scenario.draw(&mut stream(seed, "throughput", number));
            let book = Book::honest(&population);
            units += settle(&scenario, &population, &book, number, Penalties::default()).units;
        }
        // Keeps the compiler from leaving the work out.
        std::hint::black_box(units);
        rounds as f64 * f64::from(scenario.requesters) / started.elapsed().as_secs_f64()
    };
    Throughput {
        bids_per_round: scenario.requesters,
        rounds,
        core: speed(Mechanism::Core),
        average_fee: speed(Mechanism::AverageFee),
    }
}

impl Throughput {
    /// The measurement for people.
    #[must_use]
    pub fn text(self) -> String {
        format!(
            "one thread, {} rounds of {} bids, from drawing agents to their accounts\n  core         {:>9.0} bids/s\n  average-fee  {:>9.0} bids/s",
            self.rounds, self.bids_per_round, self.core, self.average_fee
        )
    }
}
