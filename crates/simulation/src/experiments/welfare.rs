//! How much of the best trade does each mechanism reach, and who gets it, by thickness of the market and by the ratio of
//! demand to supply?
//!
//! Everybody is honest, except that under `average-fee` requesters also shade: each bids the same part of its value, found by
//! repeated best response among 16 provers and used for every thickness.

use super::common::{Competitive, sampled, shading_reply};
use crate::account::{Penalties, settle};
use crate::agents::requester::all_shade;
use crate::distribution::{Demand, Supply};
use crate::market::{NO_CAP, Population, Scenario};
use crate::plot::{Axis, Figure, Panel, Series};
use crate::report::Report;
use crate::runner::Lab;
use crate::stats::Mean;
use crate::table::Table;
use clap::ValueEnum as _;
use market_types::Mechanism;

const THICKNESS: [u32; 7] = [2, 4, 8, 16, 32, 64, 128];
const RATIOS: [f64; 3] = [0.6, 1.2, 2.4];
/// A market and how its requesters bid.
#[derive(Debug, Clone, Copy)]
struct Arm {
    name: &'static str,
    mechanism: Mechanism,
    /// Whether the cap is the competitive quantity.
    capped: bool,
    shades: bool,
}

const ARMS: [Arm; 4] = [
    Arm { name: "core, no cap", mechanism: Mechanism::Core, capped: false, shades: false },
    Arm { name: "core, competitive cap", mechanism: Mechanism::Core, capped: true, shades: false },
    Arm {
        name: "average-fee, competitive cap, honest",
        mechanism: Mechanism::AverageFee,
        capped: true,
        shades: false,
    },
    Arm {
        name: "average-fee, competitive cap, shading",
        mechanism: Mechanism::AverageFee,
        capped: true,
        shades: true,
    },
];

/// What one round was worth, in ticks, beside its best trade.
#[derive(Debug, Clone, Copy)]
struct Shares {
    best: f64,
    welfare: f64,
    requesters: f64,
    provers: f64,
    surplus: f64,
    units: f64,
    best_units: f64,
}

/// An arm of a market, measured.
struct Measured {
    arm: Arm,
    /// Which part of its value each requester bid.
    shading: f64,
    shares: Vec<Shares>,
}

/// Where a market stands in table and plots.
#[derive(Debug, Clone, Copy)]
struct Place {
    demand: Demand,
    supply: Supply,
    provers: u32,
    ratio: f64,
}

pub(super) fn run(lab: &Lab) -> Report {
    let pairs = Demand::value_variants().len() * Supply::value_variants().len();
    let cells = (THICKNESS.len() * RATIOS.len() + pairs) as u64;
    lab.progress().start("welfare", cells * 5 * lab.rounds());
    let mut report = Report::default();
    let mut table = Table::new(&[
        "demand",
        "supply",
        "provers",
        "ratio",
        "arm",
        "shading",
        "welfare_percent",
        "margin",
        "requesters_percent",
        "provers_percent",
        "surplus_percent",
        "units_percent",
        "rounds",
    ]);
    report.figures = by_thickness(lab, &mut table);
    report.figures.push(("welfare-distributions", by_distribution(lab, &mut table, &mut report.findings)));
    report.tables = vec![("welfare", table)];
    report
}

fn by_thickness(lab: &Lab, table: &mut Table) -> Vec<(&'static str, Figure)> {
    let (mut welfare, mut split) = (Vec::new(), [Vec::new(), Vec::new()]);
    for ratio in RATIOS {
        let mut place = Place { demand: Demand::Lognormal, supply: Supply::Lognormal, provers: 16, ratio };
        let shading = shading_reply(lab, &place.market(lab, ARMS[3]));
        let points: Vec<(f64, [Measured; 4])> = THICKNESS
            .iter()
            .map(|&provers| {
                place.provers = provers;
                (f64::from(provers), measure(lab, place, shading, table))
            })
            .collect();
        let line = |style: usize, name: &str, arm: usize, part: fn(&Shares) -> f64| {
            Series::line(name, style, points.iter().map(|(x, arms)| (*x, arms[arm].percent(part))))
        };
        let panel = |title: String, series| Panel {
            title,
            x: Axis::log("provers"),
            y: Axis::linear("% of the best trade").within(0.0, 100.0),
            series,
        };
        let lines = (0..ARMS.len()).map(|arm| line(arm, ARMS[arm].name, arm, |one| one.welfare));
        welfare.push(panel(format!("tasks for {ratio} times the capacity"), lines.collect()));
        for (panels, arm) in split.iter_mut().zip([0, 3]) {
            let title =
                format!("{}, {ratio} times", if arm == 0 { "core, no cap" } else { "average-fee, shading" });
            panels.push(panel(
                title,
                vec![
                    line(0, "to requesters", arm, |one| one.requesters),
                    line(1, "to provers", arm, |one| one.provers),
                    line(2, "surplus, to the sink", arm, |one| one.surplus),
                ],
            ));
        }
    }
    let caption = format!(
        "Log-normal values and costs. The best trade divides tasks and knows everything; the competitive cap is its mean \
         quantity. Shading: each requester bids the same part of its value, by repeated best response. {}",
        sampled(lab.rounds())
    );
    let sheet = |title: &str, panel_height, panels| Figure {
        title: title.to_owned(),
        caption: caption.clone(),
        columns: 3,
        panel_height,
        panels,
    };
    vec![
        ("welfare", sheet("How much of the best trade is reached, by thickness of the market", 320, welfare)),
        ("welfare-split", sheet("Who gets it", 270, split.concat())),
    ]
}

fn by_distribution(lab: &Lab, table: &mut Table, findings: &mut Vec<crate::report::Finding>) -> Figure {
    let mut names = Vec::new();
    let mut series = [0, 2, 3].map(|arm| (arm, Series::rows(ARMS[arm].name, arm, [])));
    for demand in Demand::value_variants().iter().copied() {
        for supply in Supply::value_variants().iter().copied() {
            let place = Place { demand, supply, provers: 16, ratio: 1.2 };
            let shading = shading_reply(lab, &place.market(lab, ARMS[3]));
            let arms = measure(lab, place, shading, table);
            for (arm, series) in &mut series {
                let mean = arms[*arm].percent(|one| one.welfare);
                series.points.extend(Series::rows("", 0, [(names.len(), mean)]).points);
                if (demand, supply) == (Demand::Lognormal, Supply::Lognormal) {
                    let what =
                        format!("welfare of {} at 16 provers, 1.2 times their capacity", ARMS[*arm].name);
                    findings.push(crate::report::Finding {
                        what,
                        value: mean.value,
                        margin: Some(mean.margin),
                        unit: "% of the best trade",
                    });
                }
            }
            names.push(format!("{} / {}", word(&demand), word(&supply)));
        }
    }
    Figure {
        title: "How much of the best trade is reached, by distribution".to_owned(),
        caption: format!(
            "16 provers, tasks for 1.2 times their capacity. Demand / supply. {}",
            sampled(lab.rounds())
        ),
        columns: 1,
        panel_height: 560,
        panels: vec![Panel {
            title: String::new(),
            x: Axis::linear("welfare, % of the best trade").within(0.0, 100.0),
            y: Axis::names(names),
            series: series.map(|(_, series)| series).into(),
        }],
    }
}

/// The name of a distribution on the command line.
fn word(distribution: &impl clap::ValueEnum) -> String {
    distribution.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

impl Place {
    /// The market of this place under an arm.
    fn market(self, lab: &Lab, arm: Arm) -> Scenario {
        let scenario = Scenario::of_size(arm.mechanism, self.demand, self.supply, self.provers, self.ratio);
        let cap = if arm.capped { Competitive::of(lab, &scenario).cap(1.0) } else { NO_CAP };
        scenario.with_cap(cap)
    }
}

impl Measured {
    /// A part of the round over its best trade.
    fn percent(&self, part: impl Fn(&Shares) -> f64) -> Mean {
        Mean::percent(&self.shares.iter().map(|one| (part(one), one.best)).collect::<Vec<_>>())
    }
}

/// Measures every arm of a market and writes its rows.
fn measure(lab: &Lab, place: Place, shading: f64, table: &mut Table) -> [Measured; 4] {
    let capped = place.market(lab, ARMS[1]).cap;
    ARMS.map(|arm| {
        let cap = if arm.capped { capped } else { NO_CAP };
        let market = Scenario::of_size(arm.mechanism, place.demand, place.supply, place.provers, place.ratio);
        let market = market.with_cap(cap);
        let shading = if arm.shades { shading } else { 1.0 };
        let shares = lab.series("welfare", |random, number| {
            let population = market.draw(random);
            shares(&market, &population, shading, number)
        });
        let measured = Measured { arm, shading, shares };
        measured.write(place, table);
        measured
    })
}

impl Measured {
    fn write(&self, place: Place, table: &mut Table) {
        let welfare = self.percent(|one| one.welfare);
        let units: Vec<_> = self.shares.iter().map(|one| (one.units, one.best_units)).collect();
        table.row(&[
            (&*word(&place.demand)).into(),
            (&*word(&place.supply)).into(),
            u64::from(place.provers).into(),
            place.ratio.into(),
            self.arm.name.into(),
            self.shading.into(),
            welfare.value.into(),
            welfare.margin.into(),
            self.percent(|one| one.requesters).value.into(),
            self.percent(|one| one.provers).value.into(),
            self.percent(|one| one.surplus).value.into(),
            Mean::percent(&units).value.into(),
            (self.shares.len() as u64).into(),
        ]);
    }
}

fn shares(market: &Scenario, population: &Population, shading: f64, number: u64) -> Shares {
    let best = population.optimum(NO_CAP);
    let accounts = settle(market, population, &all_shade(population, shading), number, Penalties::default());
    Shares {
        best: best.welfare,
        welfare: accounts.welfare as f64,
        requesters: accounts.requesters_total() as f64,
        provers: accounts.provers_total() as f64,
        surplus: accounts.surplus as f64,
        units: accounts.units as f64,
        best_units: best.units,
    }
}
