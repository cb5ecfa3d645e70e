//! What several experiments share.

use crate::distribution::{Demand, Supply, positive};
use crate::market::Scenario;
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
    random.random_range(0..among.max(1) as u64) as usize
}

/// How a caption tells the size of a sample.
pub(super) fn sampled(rounds: u64) -> String {
    format!("{rounds} rounds per point; bands and bars are 95 % confidence intervals.")
}

/// The share of rounds in which somebody has more, in percent.
pub(super) fn share_above_zero(gains: impl IntoIterator<Item = f64>) -> Mean {
    Mean::of(gains.into_iter().map(|gain| if gain > 0.0 { 100.0 } else { 0.0 }))
}
