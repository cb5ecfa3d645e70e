//! What several experiments share.

use crate::account::{Penalties, settle};
use crate::agents::requester::all_shade;
use crate::agents::scaled;
use crate::book::{Book, bid};
use crate::distribution::{Demand, Supply, positive};
use crate::market::{Population, Scenario};
use crate::runner::Lab;
use crate::stats::Mean;
use market_types::Mechanism;

/// The market of all experiments that do not say otherwise: log-normal values and costs, 12 provers, tasks for 1.2 times
/// their capacity.
pub(super) fn base(mechanism: Mechanism) -> Scenario {
    Scenario::of_size(mechanism, Demand::Lognormal, Supply::Lognormal, 12, 1.2)
}

/// What trade in a market would be like if everything were known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Competitive {
    /// Mean units of the best trade.
    pub(super) units: f64,
    /// Mean cost of its last unit, in ticks.
    pub(super) price: f64,
}

impl Competitive {
    /// Measured over as many rounds as `lab` plays, without a cap.
    pub(super) fn of(lab: &Lab, scenario: &Scenario) -> Self {
        let optima = lab.series("competitive", |random, _| {
            let optimum = scenario.draw(random).optimum(crate::market::NO_CAP);
            (optimum.units, optimum.price)
        });
        Self {
            units: Mean::of(optima.iter().map(|(units, _)| *units)).value,
            price: Mean::of(optima.iter().map(|(_, price)| *price)).value,
        }
    }

    /// A cap of this part of the competitive quantity, in units.
    pub(super) fn cap(&self, factor: f64) -> u64 {
        positive(self.units * factor)
    }
}

/// One participant, the same in every series of rounds with the same label.
pub(super) fn somebody(random: &mut crate::random::Stream, among: usize) -> usize {
    use rand::Rng as _;
    usize::try_from(random.random_range(0..among.max(1) as u64)).unwrap_or(0)
}

/// What requesters may bid, as part of their value.
const PARTS: [f64; 10] = [0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 1.0];
/// Rounds of best response; the part moves halfway to the best reply each time.
const REPLIES: u32 = 8;

/// The part of its value that a requester bids when all others bid the same part, after some rounds of best response.
///
/// An approximation: a coarse grid, at most 200 rounds a reply, and nothing checks that the last reply is a fixed point.
pub(super) fn shading_reply(lab: &Lab, market: &Scenario) -> f64 {
    let rounds = lab.rounds().min(200);
    let mut common = 1.0;
    for _ in 0..REPLIES {
        let payoffs = lab.some_rounds("equilibrium", rounds, |random, number| {
            let population = market.draw(random);
            let one = somebody(random, population.requesters.len());
            let mut book = all_shade(&population, common);
            PARTS.map(|part| {
                let task = population.requesters[one];
                book.bids[one] = bid(scaled(task.value, part), task.size);
                settle(market, &population, &book, number, Penalties::default()).requesters[one]
            })
        });
        let total = |part: usize| payoffs.iter().map(|one| one[part]).sum::<i128>();
        let best = (0..PARTS.len()).max_by_key(|part| total(*part)).map_or(1.0, |part| PARTS[part]);
        common = (common + best) / 2.0;
    }
    common
}

/// A market with what is customary in it: all say the truth under `core`; under `average-fee` requesters shade, each by the
/// same part (see [`shading_reply`]).
#[derive(Debug, Clone, Copy)]
pub(super) struct Customary {
    /// The market.
    pub(super) scenario: Scenario,
    /// Which part of its value each requester bids.
    pub(super) part: f64,
}

impl Customary {
    pub(super) fn of(lab: &Lab, scenario: Scenario) -> Self {
        let part = match scenario.mechanism {
            Mechanism::Core => 1.0,
            Mechanism::AverageFee => shading_reply(lab, &scenario),
        };
        Self { scenario, part }
    }

    /// What everybody says who does not depart from the custom.
    pub(super) fn book(&self, population: &Population) -> Book {
        all_shade(population, self.part)
    }
}

/// How a caption tells the size of a sample.
pub(super) fn sampled(rounds: u64) -> String {
    format!("{rounds} rounds per point; bands and bars are 95 % confidence intervals.")
}

/// The share of rounds in which somebody has more, in percent.
pub(super) fn share_above_zero(gains: impl IntoIterator<Item = f64>) -> Mean {
    Mean::of(gains.into_iter().map(|gain| if gain > 0.0 { 100.0 } else { 0.0 }))
}
