//! What do overstated capacity, withheld capacity and several names gain, without defences and with each of them?
//!
//! One prover, picked at random in every round, departs; everybody else follows the custom. *Informed*: it sees the round
//! and takes the plan that pays best in it. *Fixed*: one plan for all rounds, the one that paid best in the mean over half
//! of the rounds, measured on the other half.

use super::common::{Competitive, Customary, base, sampled, somebody};
use crate::account::{Money, Penalties};
use crate::agents::Table as Game;
use crate::agents::prover::{Plan, deviate};
use crate::market::Scenario;
use crate::plot::{Axis, Figure, Panel, Series};
use crate::report::Report;
use crate::runner::Lab;
use crate::stats::Mean;
use crate::table::Table;
use market_types::Mechanism;

/// Slash per unit not delivered, as part of the competitive price.
const SLASHES: [f64; 9] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5];
const OVERSTATED: [f64; 4] = [1.25, 1.5, 2.0, 4.0];
/// How many provers a market has, from thin to thick.
const PROVERS: [u32; 5] = [3, 6, 12, 24, 48];
const KEPT: [f64; 6] = [0.25, 0.4, 0.55, 0.7, 0.85, 0.95];
const NAMES: [u32; 5] = [2, 3, 4, 6, 8];
const STEPS: [f64; 7] = [0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6];
/// The fee of each further seat, as part of the honest payoff of a prover.
const SEAT_FEE: f64 = 0.02;

/// What a prover's honesty is worth in a round, and what each plan gains, in ticks.
struct Observed {
    honest: Money,
    gains: Vec<Money>,
}

/// What plans gained over many rounds.
struct Tried(Vec<Observed>);

impl Tried {
    fn play(lab: &Lab, market: &Customary, plans: &[Plan], slash: u64) -> Self {
        let penalties = Penalties { slash, seat_fee: 0 };
        Self(lab.series("defences", |random, number| {
            let population = market.scenario.draw(random);
            let game = Game { scenario: &market.scenario, population: &population, number, penalties };
            let book = market.book(&population);
            let who = somebody(random, population.provers.len());
            let honest = game.play(&book).provers[who];
            let gain = |plan: &Plan| game.play(&deviate(&game, &book, who, *plan)).provers[who] - honest;
            Observed { honest, gains: plans.iter().map(gain).collect() }
        }))
    }

    /// The mean gain of one plan, in percent of the honest payoff.
    fn of_plan(&self, plan: usize) -> Mean {
        Mean::percent(
            &self.0.iter().map(|one| (one.gains[plan] as f64, one.honest as f64)).collect::<Vec<_>>(),
        )
    }

    /// The mean gain of whoever takes the best of `plans`, or none, in each round; `fee` is due for departing.
    fn informed(&self, plans: &[usize], fee: f64) -> Mean {
        let best =
            |one: &Observed| plans.iter().map(|plan| one.gains[*plan] as f64 - fee).fold(0.0, f64::max);
        Mean::percent(&self.0.iter().map(|one| (best(one), one.honest as f64)).collect::<Vec<_>>())
    }

    /// The mean gain of the plan that is best in the first half, in the other half; none if none pays there.
    fn fixed(&self, plans: &[usize], fee: f64) -> Mean {
        let (first, second) = self.0.split_at(self.0.len() / 2);
        let mean = |plan: usize| Mean::of(first.iter().map(|one| one.gains[plan] as f64 - fee)).value;
        let best = plans.iter().copied().max_by(|one, other| mean(*one).total_cmp(&mean(*other)));
        let gain = |one: &Observed| match best.filter(|plan| mean(*plan) > 0.0) {
            Some(plan) => one.gains[plan] as f64 - fee,
            None => 0.0,
        };
        Mean::percent(&second.iter().map(|one| (gain(one), one.honest as f64)).collect::<Vec<_>>())
    }

    fn honest(&self) -> f64 {
        Mean::of(self.0.iter().map(|one| one.honest as f64)).value
    }
}

/// Where the results go.
struct Sheet<'a> {
    table: Table,
    report: Report,
    lab: &'a Lab,
}

impl Sheet<'_> {
    /// Writes a row, and says so if it is one of those that matter most.
    fn note(
        &mut self,
        market: &str,
        attack: &str,
        size: f64,
        defence: &str,
        strength: f64,
        gain: Mean,
    ) -> Mean {
        self.table.row(&[
            market.into(),
            attack.into(),
            size.into(),
            defence.into(),
            strength.into(),
            gain.value.into(),
            gain.margin.into(),
            (gain.count as u64).into(),
        ]);
        let matters = match attack {
            "overstate" => size == 1.5 && [0.0, 0.5].contains(&strength),
            "withhold" => size == 12.0,
            _ => size == 4.0,
        };
        if matters {
            let what = format!("{market}: {attack} ({size}), defence: {defence} {strength}");
            self.report.find(what, gain, "% of the honest payoff");
        }
        gain
    }

    fn caption(&self, text: &str) -> String {
        format!(
            "{text} Under average-fee requesters shade (repeated best response). {}",
            sampled(self.lab.rounds())
        )
    }
}

pub(super) fn run(lab: &Lab) -> Report {
    lab.progress().start("defences", lab.rounds() * (4 * 9 + 2 * 5 + 4 * 2));
    let competitive = Competitive::of(lab, &base(Mechanism::Core));
    let table =
        Table::new(&["market", "attack", "size", "defence", "strength", "gain_percent", "margin", "rounds"]);
    let mut sheet = Sheet { table, report: Report::default(), lab };
    let figures = vec![
        ("defences-overstating", overstating(&mut sheet, competitive)),
        ("defences-withholding", withholding(&mut sheet)),
        ("defences-names", names(&mut sheet, competitive)),
    ];
    Report { tables: vec![("defences", sheet.table)], figures, ..sheet.report }
}

/// Overstated capacity against the slash, where demand is above capacity and where it is below.
fn overstating(sheet: &mut Sheet<'_>, competitive: Competitive) -> Figure {
    let thin = |mechanism| Scenario { requesters: base(mechanism).requesters / 2, ..base(mechanism) };
    let cap = competitive.cap(1.25);
    let reserve = crate::distribution::positive(competitive.price);
    let markets = [
        ("core", base(Mechanism::Core).with_cap(cap)),
        ("average-fee", base(Mechanism::AverageFee).with_cap(cap)),
        ("core, half the demand, reserve price", Scenario { reserve, ..thin(Mechanism::Core).with_cap(cap) }),
        ("average-fee, half the demand", thin(Mechanism::AverageFee).with_cap(cap)),
    ];
    let plans = OVERSTATED.map(Plan::Capacity);
    let mut panels = Vec::new();
    for (title, scenario) in markets {
        let market = Customary::of(sheet.lab, scenario);
        let mut series: Vec<Series> = (0..OVERSTATED.len())
            .map(|number| Series::line(format!("{} times the capacity", OVERSTATED[number]), number, []))
            .collect();
        for part in SLASHES {
            let slash = crate::distribution::positive(competitive.price * part);
            let tried = Tried::play(sheet.lab, &market, &plans, if part == 0.0 { 0 } else { slash });
            for (number, (line, factor)) in series.iter_mut().zip(OVERSTATED).enumerate() {
                let gain = sheet.note(title, "overstate", factor, "slash", part, tried.of_plan(number));
                if gain.value >= -100.0 {
                    line.points.extend(Series::line("", 0, [(part, gain)]).points);
                }
            }
        }
        panels.push(Panel {
            title: title.to_owned(),
            x: Axis::linear("slash per unit not delivered, over the competitive price"),
            y: Axis::linear("mean gain, % of the honest payoff").within(-100.0, 60.0),
            series,
        });
    }
    Figure {
        title: "What overstated capacity gains, by slash".to_owned(),
        caption: sheet.caption(&format!(
            "One of 12 provers registers more than it can prove. Log-normal values and costs, 154 requesters (half: 77), cap \
             {cap} units. A line ends where more than the honest payoff is lost."
        )),
        columns: 2,
        panel_height: 290,
        panels,
    }
}

/// Withheld capacity by thickness: free to change in every round, or fixed because changes are delayed.
fn withholding(sheet: &mut Sheet<'_>) -> Figure {
    let plans = KEPT.map(Plan::Capacity);
    let all: Vec<usize> = (0..plans.len()).collect();
    let mut panels = Vec::new();
    for mechanism in Mechanism::ALL {
        let mut points = [Vec::new(), Vec::new()];
        for provers in PROVERS {
            let scenario = Scenario { provers, requesters: provers * 13, ..base(mechanism) };
            let cap = Competitive::of(sheet.lab, &scenario).cap(1.25);
            let tried = Tried::play(sheet.lab, &Customary::of(sheet.lab, scenario.with_cap(cap)), &plans, 0);
            let size = f64::from(provers);
            let informed = tried.informed(&all, 0.0);
            let fixed = tried.fixed(&all, 0.0);
            points[0].push((size, sheet.note(mechanism.name(), "withhold", size, "none", 0.0, informed)));
            points[1].push((size, sheet.note(mechanism.name(), "withhold", size, "delay", 1.0, fixed)));
        }
        let [informed, fixed] = points;
        panels.push(Panel {
            title: mechanism.name().to_owned(),
            x: Axis::log("provers"),
            y: Axis::linear("mean gain, % of the honest payoff"),
            series: vec![
                Series::line("no delay: capacity chosen knowing the round", 1, informed),
                Series::line("delay: one capacity for all rounds", 0, fixed),
            ],
        });
    }
    Figure {
        title: "What withheld capacity gains, by thickness of the market".to_owned(),
        caption: sheet.caption(
            "One prover offers 25 to 95 % of its capacity if that pays. Log-normal values and costs, tasks for 1.2 times the \
             capacity, cap 1.25 times the competitive quantity.",
        ),
        columns: 2,
        panel_height: 290,
        panels,
    }
}

/// Several names, each asking more than the one before, with and without what makes names dear.
fn names(sheet: &mut Sheet<'_>, competitive: Competitive) -> Figure {
    let cap = competitive.cap(1.25);
    let mut panels = Vec::new();
    for mechanism in Mechanism::ALL {
        let defences = [
            ("none", cap, false, 0.0),
            ("seat fee", cap, false, SEAT_FEE),
            ("seats backed one by one", cap, true, 0.0),
            ("cap 0.7 of competitive", competitive.cap(0.7), false, 0.0),
        ];
        let mut lines = [Vec::new(), Vec::new()];
        for (style, (defence, cap, backed, fee)) in defences.into_iter().enumerate() {
            let market = Customary::of(sheet.lab, base(mechanism).with_cap(cap));
            let plans: Vec<Plan> = NAMES
                .iter()
                .flat_map(|&seats| STEPS.map(|step| Plan::Names { seats, step, backed }))
                .collect();
            let tried = Tried::play(sheet.lab, &market, &plans, 0);
            let mut points = [Vec::new(), Vec::new()];
            for (number, seats) in NAMES.into_iter().enumerate() {
                let of: Vec<usize> = (number * STEPS.len()..(number + 1) * STEPS.len()).collect();
                let due = fee * tried.honest() * f64::from(seats - 1);
                let gains =
                    [("names informed", tried.informed(&of, due)), ("names fixed", tried.fixed(&of, due))];
                for (points, (attack, gain)) in points.iter_mut().zip(gains) {
                    points.push((
                        f64::from(seats),
                        sheet.note(mechanism.name(), attack, f64::from(seats), defence, fee, gain),
                    ));
                }
            }
            for (lines, points) in lines.iter_mut().zip(points) {
                lines.push(Series::line(format!("defence: {defence}"), style, points));
            }
        }
        for (what, series) in ["knowing the round", "one ladder for all rounds"].into_iter().zip(lines) {
            panels.push(Panel {
                title: format!("{mechanism}, {what}"),
                x: Axis::linear("names of one prover").within(1.5, 8.5),
                y: Axis::linear("mean gain, % of the honest payoff").within(-4.0, 12.0),
                series,
            });
        }
    }
    Figure {
        title: "What several names gain, by defence".to_owned(),
        caption: sheet.caption(&format!(
            "One of 12 provers splits its capacity evenly; each name asks 0 to 160 % of the cost more than the one before, \
             whatever pays best. Seat fee: {:.0} % of the honest payoff for each further name. Backed: each seat keeps headroom \
             for one task. 154 requesters, cap {cap} units.",
            100.0 * SEAT_FEE
        )),
        columns: 2,
        panel_height: 290,
        panels,
    }
}
