//! What several experiments share.

use crate::distribution::{Demand, Supply, positive};
use crate::market::{Population, Scenario};
use crate::runner::Lab;
use crate::stats::Mean;
use crate::shim::Mechanism;

/// Both mechanisms, in the order of panels.
pub(super) const MECHANISMS: [Mechanism; 2] = [Mechanism::Core, Mechanism::AverageFee];

/// The name of a mechanism in tables and plots.
pub(super) const fn name(mechanism: Mechanism) -> &'static str {
    match mechanism {
        Mechanism::Core => "core",
        Mechanism::AverageFee => "average-fee",
    }
}

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
    random.random_range(0..among.max(1) as u64) as usize
}

/// The participants of a round, and where its random numbers go on.
pub(super) fn drawn(scenario: &Scenario, random: &mut crate::random::Stream) -> Population {
    scenario.draw(random)
}

/// How a caption tells the size of a sample.
pub(super) fn sampled(rounds: u64) -> String {
    format!("{rounds} rounds per point; bands and bars are 95 % confidence intervals.")
}
