//! How do the moving cap and reserve price answer to jumps, ramps and spikes of demand, against terms that stay fixed; and
//! what does it cost to move them with wash bids?

use super::common::{Competitive, Customary};
use super::course::{BEFORE, Course, Policy, SHOWN, Shape, Shown, Washer};
use crate::distribution::{Demand, Supply, positive};
use crate::market::Scenario;
use crate::plot::{Axis, Figure, Panel, Series};
use crate::report::Report;
use crate::runner::Lab;
use crate::stats::Mean;
use crate::table::Table;
use market_types::Mechanism;

const PROVERS: u32 = 16;
/// Tasks over capacity before anything happens.
const RATIO: f64 = 0.7;
/// Rounds played for one point of a plot are shared among so many runs.
const RUNS_PER_ROUND: u64 = 20;

/// How demand moves.
const SHAPES: [(&str, Shape); 3] = [
    ("step: demand doubles, then falls back", |round| if (30..100).contains(&round) { 2.0 } else { 1.0 }),
    ("ramp: demand doubles over 60 rounds", |round| 1.0 + (round.saturating_sub(30) as f64 / 60.0).min(1.0)),
    ("spike: four times the demand for 5 rounds", |round| if (30..35).contains(&round) { 4.0 } else { 1.0 }),
];

const POLICIES: [(Policy, &str); 5] = [
    (Policy::Moving, "moving, reserve at least half the price"),
    (Policy::MovingLow, "moving, reserve at least a twentieth"),
    (Policy::Steady, "fixed: cap twice the competitive quantity, reserve half the price"),
    (Policy::Tight, "fixed: cap at the competitive quantity, no reserve"),
    (Policy::Free, "no cap, no reserve"),
];

pub(super) fn run(lab: &Lab) -> Report {
    let market = Scenario::of_size(Mechanism::Core, Demand::Lognormal, Supply::Lognormal, PROVERS, RATIO);
    let competitive = Competitive::of(lab, &market);
    lab.progress().start("controllers", runs(lab) * (2 * 15 + 2 * 3 * 6 * 2));
    let mut response = Table::new(&[
        "mechanism",
        "shape",
        "policy",
        "round",
        "cap",
        "reserve",
        "units",
        "welfare_percent",
        "margin",
        "runs",
    ]);
    let mut kept = Table::new(&["mechanism", "shape", "policy", "welfare_percent", "margin", "runs"]);
    let mut report = Report::default();
    for (mechanism, name) in
        [(Mechanism::Core, "controllers-core"), (Mechanism::AverageFee, "controllers-average-fee")]
    {
        let figure =
            respond(lab, market.under(mechanism), competitive, (&mut response, &mut kept), &mut report);
        report.figures.push((name, figure));
    }
    let mut manipulation = Table::new(&[
        "mechanism",
        "fee_over_price",
        "wash_units_percent",
        "cost_percent",
        "cost_margin",
        "cap_change_percent",
        "reserve_change_percent",
        "requesters_lose_percent",
        "requesters_margin",
        "runs",
    ]);
    report
        .figures
        .push(("controllers-manipulation", manipulate(lab, market, competitive, &mut manipulation)));
    report.tables = vec![
        ("controllers", response),
        ("controllers-welfare", kept),
        ("controllers-manipulation", manipulation),
    ];
    report
}

/// What is customary under a policy. Where terms move, the cap settles near twice what is cleared, and under
/// `average-fee` the reserve near its least value.
fn customary(lab: &Lab, scenario: Scenario, competitive: Competitive, policy: Policy) -> Customary {
    Customary::of(
        lab,
        Scenario { reserve: policy.floor(competitive), ..scenario.with_cap(policy.cap(competitive)) },
    )
}

fn runs(lab: &Lab) -> u64 {
    (lab.rounds() / RUNS_PER_ROUND).max(4)
}

/// The figure of one mechanism: a row for each shape; cap and cleared, reserve, welfare.
fn respond(
    lab: &Lab,
    scenario: Scenario,
    competitive: Competitive,
    (table, kept): (&mut Table, &mut Table),
    report: &mut Report,
) -> Figure {
    let customs = POLICIES.map(|(policy, _)| customary(lab, scenario, competitive, policy));
    let mut panels = Vec::new();
    for (shape, demand) in SHAPES {
        let mut series: [Vec<Series>; 3] = Default::default();
        for (style, (policy, name)) in POLICIES.into_iter().enumerate() {
            let course = Course { market: customs[style], competitive, policy, demand, washer: None };
            let all = lab.some_rounds("controllers", runs(lab), |random, _| course.play(random));
            let over_time = |of: &dyn Fn(&[Shown]) -> Mean| -> Vec<(f64, Mean)> {
                (0..SHOWN)
                    .map(|round| (round as f64, of(&all.iter().map(|run| run[round]).collect::<Vec<_>>())))
                    .collect()
            };
            let mean = |part: fn(&Shown) -> f64| over_time(&|rounds| Mean::of(rounds.iter().map(part)));
            let units = mean(|one| one.units);
            let reserve = mean(|one| one.reserve);
            let cap = mean(|one| one.cap);
            let welfare = over_time(&|rounds| {
                Mean::percent(&rounds.iter().map(|one| (one.welfare, one.best)).collect::<Vec<_>>())
            });
            for round in 0..SHOWN {
                table.row(&[
                    scenario.mechanism.name().into(),
                    (&shape[..shape.find(':').unwrap_or(0)]).into(),
                    name.into(),
                    (round as u64).into(),
                    cap[round].1.value.into(),
                    reserve[round].1.value.into(),
                    units[round].1.value.into(),
                    welfare[round].1.value.into(),
                    welfare[round].1.margin.into(),
                    runs(lab).into(),
                ]);
            }
            let whole: Vec<_> = all
                .iter()
                .map(|run| {
                    run[30..]
                        .iter()
                        .fold((0.0, 0.0), |(welfare, best), one| (welfare + one.welfare, best + one.best))
                })
                .collect();
            let (shape, whole) = (&shape[..shape.find(':').unwrap_or(0)], Mean::percent(&whole));
            kept.row(&[
                scenario.mechanism.name().into(),
                shape.into(),
                name.into(),
                whole.value.into(),
                whole.margin.into(),
                runs(lab).into(),
            ]);
            report.find(format!("{}, {shape}: {name}", scenario.mechanism), whole, "% of the best trade");
            if policy == Policy::Moving {
                series[0].push(Series::line("cap of the first policy", 5, cap));
            }
            if matches!(policy, Policy::Moving | Policy::MovingLow) {
                series[1].push(Series::line(name, style, reserve));
            }
            series[0].push(Series::line(name, style, units));
            series[2].push(Series::line(name, style, welfare));
        }
        let [units, reserve, welfare] = series;
        let panel = |title: &str, y: Axis, series| Panel {
            title: title.to_owned(),
            x: Axis::linear("round").within(0.0, SHOWN as f64),
            y,
            series,
        };
        panels.push(panel(shape, Axis::linear("cleared, and cap: units"), units));
        panels.push(panel("", Axis::linear("reserve price, ticks per unit"), reserve));
        panels.push(panel("", Axis::linear("welfare, % of the best trade").within(0.0, 100.0), welfare));
    }
    Figure {
        title: format!("{}: how cap and reserve price answer to demand", scenario.mechanism),
        caption: format!(
            "{PROVERS} provers, 120 requesters before anything happens, log-normal values and costs; under average-fee requesters \
             shade (repeated best response). Means of {} \
             runs of {SHOWN} rounds after {BEFORE} rounds to settle; bands are 95 % confidence intervals.",
            runs(lab)
        ),
        columns: 3,
        panel_height: 250,
        panels,
    }
}

/// Cost and effect of wash bids in 20 rounds, by their volume.
fn manipulate(lab: &Lab, market: Scenario, competitive: Competitive, table: &mut Table) -> Figure {
    let volumes = [0.0, 0.125, 0.25, 0.5, 1.0, 2.0];
    let mut series: [Vec<Series>; 4] = Default::default();
    for (number, mechanism) in Mechanism::ALL.into_iter().enumerate() {
        let customary = customary(lab, market.under(mechanism), competitive, Policy::Moving);
        for (place, part) in [0.9, 1.1, 3.0].into_iter().enumerate() {
            let mut points: [Vec<(f64, Mean)>; 4] = Default::default();
            for volume in volumes {
                let units = crate::distribution::narrow(positive(competitive.units * volume));
                let washer = Washer { units, fee: positive(competitive.price * part), rounds: 20 };
                let washer = (volume > 0.0).then_some(washer);
                let course = |washer| Course {
                    market: customary,
                    competitive,
                    policy: Policy::Moving,
                    demand: |_| 1.0,
                    washer,
                };
                let quiet = lab.some_rounds("wash", runs(lab), |random, _| course(None).play(random));
                let washed = lab.some_rounds("wash", runs(lab), |random, _| course(washer).play(random));
                let effects = effects(&quiet, &washed);
                let [cost, cap, reserve, loss] = effects;
                table.row(&[
                    mechanism.name().into(),
                    part.into(),
                    (100.0 * volume).into(),
                    cost.value.into(),
                    cost.margin.into(),
                    cap.value.into(),
                    reserve.value.into(),
                    loss.value.into(),
                    loss.margin.into(),
                    runs(lab).into(),
                ]);
                for (points, mean) in points.iter_mut().zip(effects) {
                    points.push((100.0 * volume, mean));
                }
            }
            let name = format!("{mechanism}, fee {part} times the competitive price");
            for (series, points) in series.iter_mut().zip(points) {
                series.push(Series::line(name.clone(), 3 * number + place, points));
            }
        }
    }
    let titles = [
        ("What the washer pays", "% of what honest requesters pay in these rounds"),
        ("Cap after 20 rounds", "change, %"),
        ("Reserve price after 20 rounds", "change, %"),
        ("Loss of requesters", "% of their payoff, from the first wash bid on"),
    ];
    let panels = titles.into_iter().zip(series).map(|((title, label), series)| Panel {
        title: title.to_owned(),
        x: Axis::linear("wash bids per round, % of the competitive quantity"),
        y: Axis::linear(label),
        series,
    });
    Figure {
        title: "What it costs to move cap and reserve price with wash bids".to_owned(),
        caption: format!(
            "Wash bids in 20 rounds against the same rounds without them, and {} rounds on. {PROVERS} provers, 120 requesters. \
             Means of {} runs; bands are 95 % confidence intervals.",
            SHOWN - 50,
            runs(lab)
        ),
        columns: 2,
        panel_height: 290,
        panels: panels.collect(),
    }
}

/// Two numbers of the same run without and with wash bids.
type Compare<'a> = dyn Fn(&[Shown], &[Shown]) -> (f64, f64) + 'a;

/// Payments of the washer, changes of cap and reserve, loss of requesters; in percent.
fn effects(quiet: &[Vec<Shown>], washed: &[Vec<Shown>]) -> [Mean; 4] {
    let pairs = |part: &Compare<'_>| {
        Mean::percent(
            &quiet.iter().zip(washed).map(|(quiet, washed)| part(quiet, washed)).collect::<Vec<_>>(),
        )
    };
    let sum = |run: &[Shown], part: fn(&Shown) -> f64| run.iter().map(part).sum::<f64>();
    // Rounds 30 to 49 are washed; the last of them moves the terms of round 51.
    [
        pairs(&|quiet, washed| {
            (sum(&washed[30..50], |one| one.washer), sum(&quiet[30..50], |one| one.payments))
        }),
        pairs(&|quiet, washed| (washed[51].cap - quiet[51].cap, quiet[51].cap)),
        pairs(&|quiet, washed| (washed[51].reserve - quiet[51].reserve, quiet[51].reserve)),
        pairs(&|quiet, washed| {
            let before = sum(&quiet[30..], |one| one.requesters);
            (before - sum(&washed[30..], |one| one.requesters), before)
        }),
    ]
}
