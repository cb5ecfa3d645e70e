//! What does one participant gain by not saying the truth, while all others do?
//!
//! In every round one requester and one prover, picked at random, try every deviation in turn; everybody else and the
//! random numbers stay the same. The gain is what the deviation is worth less what honesty is worth.

use super::common::{Competitive, base, sampled, share_above_zero, somebody};
use crate::account::{Money, Penalties};
use crate::agents::{Table as Game, prover, requester};
use crate::book::Book;
use crate::market::Scenario;
use crate::plot::{Axis, Figure, Panel, Series};
use crate::report::Report;
use crate::runner::Lab;
use crate::stats::Mean;
use crate::table::Table;
use market_types::Mechanism;

/// Which statements of a participant the mechanism promises not to reward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Fee or cost alone.
    Price,
    /// Capacity, names, wash bids, parts of a task.
    Beyond,
}

/// A deviation of a requester.
enum OfRequester {
    Plan(requester::Plan),
    Snipe,
}

/// A deviation of a prover.
enum OfProver {
    Plan(prover::Plan),
    Snipe,
    Wash,
}

const REQUESTERS: [(&str, Kind, OfRequester); 9] = [
    ("bid 5 % less than the value", Kind::Price, OfRequester::Plan(requester::Plan::Scale(0.95))),
    ("bid 10 % less", Kind::Price, OfRequester::Plan(requester::Plan::Scale(0.9))),
    ("bid 20 % less", Kind::Price, OfRequester::Plan(requester::Plan::Scale(0.8))),
    ("bid 30 % less", Kind::Price, OfRequester::Plan(requester::Plan::Scale(0.7))),
    ("bid 50 % less", Kind::Price, OfRequester::Plan(requester::Plan::Scale(0.5))),
    ("bid 10 % more", Kind::Price, OfRequester::Plan(requester::Plan::Scale(1.1))),
    ("bid 50 % more", Kind::Price, OfRequester::Plan(requester::Plan::Scale(1.5))),
    ("snipe: see all, bid last", Kind::Price, OfRequester::Snipe),
    ("split the task into units", Kind::Beyond, OfRequester::Plan(requester::Plan::Split)),
];

const PROVERS: [(&str, Kind, OfProver); 13] = [
    ("ask 20 % less than the cost", Kind::Price, OfProver::Plan(prover::Plan::Scale(0.8))),
    ("ask 5 % more", Kind::Price, OfProver::Plan(prover::Plan::Scale(1.05))),
    ("ask 10 % more", Kind::Price, OfProver::Plan(prover::Plan::Scale(1.1))),
    ("ask 20 % more", Kind::Price, OfProver::Plan(prover::Plan::Scale(1.2))),
    ("ask 50 % more", Kind::Price, OfProver::Plan(prover::Plan::Scale(1.5))),
    ("snipe: see all, ask last", Kind::Price, OfProver::Snipe),
    ("withhold 25 % of capacity", Kind::Beyond, OfProver::Plan(prover::Plan::Capacity(0.75))),
    ("withhold 50 % of capacity", Kind::Beyond, OfProver::Plan(prover::Plan::Capacity(0.5))),
    ("overstate capacity by 50 %", Kind::Beyond, OfProver::Plan(prover::Plan::Capacity(1.5))),
    (
        "2 names, same ask",
        Kind::Beyond,
        OfProver::Plan(prover::Plan::Names { seats: 2, step: 0.0, backed: false }),
    ),
    (
        "2 names, second asks 50 % more",
        Kind::Beyond,
        OfProver::Plan(prover::Plan::Names { seats: 2, step: 0.5, backed: false }),
    ),
    (
        "4 names, 20 % steps",
        Kind::Beyond,
        OfProver::Plan(prover::Plan::Names { seats: 4, step: 0.2, backed: false }),
    ),
    ("wash bids in an open round", Kind::Beyond, OfProver::Wash),
];

/// The gains of one round, in ticks, in the order of the deviations; and what honesty is worth.
struct Observed {
    requester: Money,
    prover: Money,
    by_requester: Vec<Money>,
    by_prover: Vec<Money>,
}

pub(super) fn run(lab: &Lab) -> Report {
    let cap = Competitive::of(lab, &base(Mechanism::Core)).cap(1.25);
    lab.progress().start("incentives", 2 * lab.rounds());
    let mut table = Table::new(&[
        "mechanism",
        "side",
        "deviation",
        "promised",
        "gain_percent",
        "margin",
        "gain_ticks",
        "better_percent",
        "rounds",
    ]);
    let mut panels = [Vec::new(), Vec::new()];
    let mut report = Report::default();
    let observe = |mechanism| {
        let scenario = base(mechanism).with_cap(cap);
        lab.series("incentives", |random, number| observe(&scenario, random, number))
    };
    let all = Mechanism::ALL.map(observe);
    let [in_core, _] = &all;
    for (mechanism, observed) in Mechanism::ALL.into_iter().zip(&all) {
        let requesters: Vec<_> = REQUESTERS.iter().map(|(what, kind, _)| (*what, *kind)).collect();
        let provers: Vec<_> = PROVERS.iter().map(|(what, kind, _)| (*what, *kind)).collect();
        let sides = [
            Side {
                name: "requester",
                deviations: requesters,
                honest: |one| one.requester,
                gains: |one| &one.by_requester,
            },
            Side {
                name: "prover",
                deviations: provers,
                honest: |one| one.prover,
                gains: |one| &one.by_prover,
            },
        ];
        for (side, panels) in sides.into_iter().zip(&mut panels) {
            panels.push(side.panel(mechanism.name(), observed, in_core, &mut table, &mut report));
        }
    }
    let caption = format!(
        "One participant deviates, everybody else is honest. 100 % is what honesty is worth to the same participant under core, in the mean. Market: 12 provers, \
         154 requesters, log-normal values and costs, cap {cap} units. {}",
        sampled(lab.rounds())
    );
    let [requesters, provers] = panels;
    let sheet = |title: &str, panel_height, panels| Figure {
        title: title.to_owned(),
        caption: caption.clone(),
        columns: 2,
        panel_height,
        panels,
    };
    report.figures = vec![
        ("incentives-requester", sheet("What a requester gains by not bidding its value", 330, requesters)),
        (
            "incentives-prover",
            sheet("What a prover gains by not asking for its cost and capacity", 420, provers),
        ),
    ];
    report.tables = vec![("incentives", table)];
    report
}

fn observe(scenario: &Scenario, random: &mut crate::random::Stream, number: u64) -> Observed {
    let population = scenario.draw(random);
    let game = Game { scenario, population: &population, number, penalties: Penalties::default() };
    let honest = Book::honest(&population);
    let accounts = game.play(&honest);
    let one = somebody(random, population.requesters.len());
    let before = accounts.requesters[one];
    let by_requester = REQUESTERS.iter().map(|(_, _, deviation)| match deviation {
        OfRequester::Plan(plan) => {
            game.play(&requester::deviate(&game, &honest, one, *plan)).requesters[one] - before
        }
        OfRequester::Snipe => requester::snipe(&game, &honest, one, before) - before,
    });
    let by_requester = by_requester.collect();
    let requester = before;
    let one = somebody(random, population.provers.len());
    let before = accounts.provers[one];
    let by_prover = PROVERS.iter().map(|(_, _, deviation)| match deviation {
        OfProver::Plan(plan) => game.play(&prover::deviate(&game, &honest, one, *plan)).provers[one] - before,
        OfProver::Snipe => prover::snipe(&game, &honest, one, before) - before,
        OfProver::Wash => prover::wash(&game, &honest, one, before) - before,
    });
    Observed { requester, prover: before, by_requester, by_prover: by_prover.collect() }
}

/// One side of the market, and where its numbers are.
struct Side {
    name: &'static str,
    deviations: Vec<(&'static str, Kind)>,
    honest: fn(&Observed) -> Money,
    gains: fn(&Observed) -> &Vec<Money>,
}

impl Side {
    /// The gains under a mechanism, over what honesty is worth `in_core`: under `average-fee` an honest requester gets
    /// nothing at all.
    fn panel(
        &self,
        mechanism: &'static str,
        observed: &[Observed],
        in_core: &[Observed],
        table: &mut Table,
        report: &mut Report,
    ) -> Panel {
        let mut series = [
            Series::rows("misreported fee or cost (covered by the promise of core)", 0, []),
            Series::rows("everything else (not covered)", 1, []),
        ];
        for (row, (what, kind)) in self.deviations.iter().enumerate() {
            let pairs: Vec<(f64, f64)> = observed
                .iter()
                .zip(in_core)
                .map(|(one, core)| ((self.gains)(one)[row] as f64, (self.honest)(core) as f64))
                .collect();
            let gain = Mean::percent(&pairs);
            let ticks = Mean::of(pairs.iter().map(|(gain, _)| *gain)).value;
            let better = share_above_zero(pairs.iter().map(|(gain, _)| *gain)).value;
            let promised = if *kind == Kind::Price { "yes" } else { "no" };
            table.row(&[
                mechanism.into(),
                self.name.into(),
                (*what).into(),
                promised.into(),
                gain.value.into(),
                gain.margin.into(),
                ticks.into(),
                better.into(),
                (pairs.len() as u64).into(),
            ]);
            if gain.low() > 0.0 {
                report.find(
                    format!("{mechanism}, {}: {what}", self.name),
                    gain,
                    "% of the honest payoff in core",
                );
            }
            let group = &mut series[usize::from(*kind == Kind::Beyond)];
            group.points.extend(Series::rows("", 0, [(row, gain)]).points);
        }
        Panel {
            title: format!("{mechanism}: {}", self.name),
            x: Axis::linear("mean gain, % of the honest payoff in core"),
            y: Axis::names(self.deviations.iter().map(|(what, _)| (*what).to_owned())),
            series: series.into(),
        }
    }
}
