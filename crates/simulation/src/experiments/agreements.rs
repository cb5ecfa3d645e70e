//! What does a requester-prover agreement outside the market gain, as a function of the capacity cap?
//!
//! In every round one requester and one prover, picked at random, know the whole round and keep an agreement only if it
//! gives both together more than the custom does. Everybody else follows the custom: the truth under `core`, shading, by
//! repeated best response, under `average-fee`.

use super::common::{Competitive, Customary, base, sampled, share_above_zero, somebody};
use crate::account::Penalties;
use crate::agents::Table as Game;
use crate::agents::pair::{Agreement, Pair};
use crate::plot::{Axis, Figure, Panel, Series};
use crate::report::Report;
use crate::runner::Lab;
use crate::stats::Mean;
use crate::table::Table;
use market_types::Mechanism;

/// Caps, as parts of the competitive quantity.
const CAPS: [f64; 10] = [0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0];

const AGREEMENTS: [(Agreement, &str); 3] = [
    (Agreement::Outside, "trade outside"),
    (Agreement::SidePayment, "side payment for another bid or ask"),
    (Agreement::Wash, "wash bids for the prover"),
];

/// What each agreement gains in one round, in ticks per unit of the requester's task; and the welfare of all without it.
struct Observed {
    gains: [f64; 3],
    welfare: f64,
    best: f64,
}

pub(super) fn run(lab: &Lab) -> Report {
    let competitive = Competitive::of(lab, &base(Mechanism::Core));
    lab.progress().start("agreements", 2 * CAPS.len() as u64 * lab.rounds());
    let mut table = Table::new(&[
        "mechanism",
        "cap_part",
        "cap_units",
        "agreement",
        "gain_percent",
        "margin",
        "gaining_percent",
        "welfare_percent",
        "rounds",
    ]);
    let mut report = Report::default();
    let (mut gains, mut shares) = (Vec::new(), Vec::new());
    for mechanism in Mechanism::ALL {
        let observed = CAPS.map(|part| (part, observe(lab, mechanism, competitive.cap(part))));
        let lines = |of: &dyn Fn(&[Observed], usize) -> Mean| -> Vec<Series> {
            AGREEMENTS
                .iter()
                .enumerate()
                .map(|(number, (_, name))| {
                    Series::line(
                        *name,
                        number,
                        observed.iter().map(|(part, rounds)| (*part, of(rounds, number))),
                    )
                })
                .collect()
        };
        let gain = |rounds: &[Observed], number: usize| {
            Mean::of(rounds.iter().map(|one| 100.0 * one.gains[number] / competitive.price))
        };
        let share =
            |rounds: &[Observed], number: usize| share_above_zero(rounds.iter().map(|one| one.gains[number]));
        for (part, rounds) in &observed {
            let welfare =
                Mean::percent(&rounds.iter().map(|one| (one.welfare, one.best)).collect::<Vec<_>>());
            for (number, (_, name)) in AGREEMENTS.iter().enumerate() {
                let mean = gain(rounds, number);
                table.row(&[
                    mechanism.name().into(),
                    (*part).into(),
                    competitive.cap(*part).into(),
                    (*name).into(),
                    mean.value.into(),
                    mean.margin.into(),
                    share(rounds, number).value.into(),
                    welfare.value.into(),
                    lab.rounds().into(),
                ]);
                if [0.35, 1.0, 2.0].contains(part) {
                    let what = format!("{mechanism}, cap {part} of the competitive quantity: {name}");
                    report.find(what, mean, "% of the competitive price");
                }
            }
        }
        let panel = |y: Axis, series| Panel {
            title: mechanism.name().to_owned(),
            x: Axis::log("capacity cap over the competitive quantity"),
            y,
            series,
        };
        gains.push(panel(Axis::linear("joint gain per unit, % of the competitive price"), lines(&gain)));
        shares.push(panel(Axis::linear("pairs that gain, %").within(0.0, 100.0), lines(&share)));
    }
    gains.extend(shares);
    let caption = format!(
        "One requester and one prover at random, who know the whole round and agree only if it pays; under average-fee all requesters shade (repeated best response). Market: 12 provers, 154 \
         requesters, log-normal values and costs; competitive quantity {:.0} units, competitive price {:.0} ticks. {}",
        competitive.units,
        competitive.price,
        sampled(lab.rounds())
    );
    let title = "What an agreement outside the market gains, by capacity cap".to_owned();
    report.figures =
        vec![("agreements", Figure { title, caption, columns: 2, panel_height: 290, panels: gains })];
    report.tables = vec![("agreements", table)];
    report
}

fn observe(lab: &Lab, mechanism: Mechanism, cap: u64) -> Vec<Observed> {
    let market = Customary::of(lab, base(mechanism).with_cap(cap));
    let scenario = market.scenario;
    lab.series("agreements", |random, number| {
        let population = scenario.draw(random);
        let game =
            Game { scenario: &scenario, population: &population, number, penalties: Penalties::default() };
        let honest = market.book(&population);
        let pair = Pair {
            requester: somebody(random, population.requesters.len()),
            prover: somebody(random, population.provers.len()),
        };
        let size = f64::from(population.requesters[pair.requester].size);
        let gains = AGREEMENTS.map(|(agreement, _)| pair.gain(&game, &honest, agreement) as f64 / size);
        let best = population.optimum(crate::market::NO_CAP).welfare;
        Observed { gains, welfare: game.play(&honest).welfare as f64, best }
    })
}
