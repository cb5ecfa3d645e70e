//! What do prover cartels cost requesters, by size of the cartel, in open and in sealed rounds?
//!
//! In an *open* round the cartel sees every bid and ask before it chooses, and takes the plan that pays it best in that
//! very round. In a *sealed* one it knows only what usually happens: it takes the plan that paid best in the mean over
//! other rounds of the same market, and keeps it.

use super::common::{Competitive, Customary, sampled};
use crate::account::{Accounts, Money, Penalties};
use crate::agents::Table as Game;
use crate::agents::cartel::{Plan, deviate, open_plans, payoff, sealed_plans};
use crate::distribution::{Demand, Supply};
use crate::market::Scenario;
use crate::plot::{Axis, Figure, Panel, Series};
use crate::report::Report;
use crate::runner::Lab;
use crate::stats::Mean;
use crate::table::Table;
use market_types::Mechanism;

const PROVERS: u32 = 16;
const SIZES: [usize; 8] = [1, 2, 3, 4, 6, 8, 12, 16];

/// What one round is worth, in ticks.
#[derive(Debug, Clone, Copy)]
struct Worth {
    requesters: f64,
    cartel: f64,
    welfare: f64,
}

/// What a round is worth with one of the cartels.
type Arm = fn(&Observed) -> Worth;

/// One round without and with the cartel.
#[derive(Debug, Clone, Copy)]
struct Observed {
    honest: Worth,
    sealed: Worth,
    open: Worth,
}

pub(super) fn run(lab: &Lab) -> Report {
    let market = Scenario::of_size(Mechanism::Core, Demand::Lognormal, Supply::Lognormal, PROVERS, 1.2);
    let competitive = Competitive::of(lab, &market);
    let cap = competitive.cap(1.25);
    lab.progress().start("cartels", 2 * SIZES.len() as u64 * (lab.rounds() + training(lab)));
    let mut report = Report::default();
    let mut table = Table::new(&[
        "mechanism",
        "cartel",
        "round",
        "requesters_lose_percent",
        "margin",
        "cartel_gains_percent",
        "cartel_margin",
        "welfare_lost_percent",
        "rounds",
    ]);
    let mut panels: [Vec<Series>; 3] = Default::default();
    for (number, mechanism) in Mechanism::ALL.into_iter().enumerate() {
        let custom = Customary::of(lab, market.under(mechanism).with_cap(cap));
        let observed = SIZES.map(|size| (size, observe(lab, &custom, size, competitive.price)));
        let arms: [(&str, Arm); 2] = [("open", |one| one.open), ("sealed", |one| one.sealed)];
        for (place, (round, arm)) in arms.into_iter().enumerate() {
            let (name, style) = (format!("{mechanism}, {round}"), 2 * number + place);
            let measured: Vec<_> =
                observed.iter().map(|(size, rounds)| (*size, effects(rounds, arm))).collect();
            for (size, [loss, gain, lost]) in &measured {
                table.row(&[
                    mechanism.name().into(),
                    (*size as u64).into(),
                    round.into(),
                    loss.value.into(),
                    loss.margin.into(),
                    gain.value.into(),
                    gain.margin.into(),
                    lost.value.into(),
                    lab.rounds().into(),
                ]);
                if [1, 4, 8].contains(size) {
                    report.find(
                        format!("{name}, {size} of {PROVERS}: loss of requesters"),
                        *loss,
                        "% of honest welfare",
                    );
                }
            }
            for (effect, lines) in panels.iter_mut().enumerate() {
                let points = measured.iter().map(|(size, effects)| (*size as f64, effects[effect]));
                lines.push(Series::line(name.clone(), style, points));
            }
        }
    }
    let titles = [
        ("Loss of requesters", "% of honest welfare"),
        ("Gain of the cartel", "% of its honest payoff"),
        ("Loss of welfare", "% of honest welfare"),
    ];
    let panels = titles.into_iter().zip(panels).map(|((title, label), series)| Panel {
        title: title.to_owned(),
        x: Axis::log("provers in the cartel"),
        y: Axis::linear(label),
        series,
    });
    let caption = format!(
        "Open: the cartel sees the round before it chooses; sealed: it knows what prices usually are. Under average-fee requesters shade (repeated best response). Market: {PROVERS} \
         provers, 205 requesters, log-normal values and costs, cap {cap} units; a quarter of the rounds again to train sealed \
         cartels. {}",
        sampled(lab.rounds())
    );
    let title = format!("Cartels of provers, by how many of {PROVERS} are in them");
    report.figures =
        vec![("cartels", Figure { title, caption, columns: 3, panel_height: 330, panels: panels.collect() })];
    report.tables = vec![("cartels", table)];
    report
}

/// Rounds in which a sealed cartel learns.
fn training(lab: &Lab) -> u64 {
    (lab.rounds() / 4).max(10)
}

/// Loss of requesters and of welfare, gain of the cartel, over honest welfare and the cartel's honest payoff.
fn effects(rounds: &[Observed], arm: Arm) -> [Mean; 3] {
    let percent = |part: fn(Worth, Worth) -> (f64, f64)| {
        Mean::percent(&rounds.iter().map(|one| part(one.honest, arm(one))).collect::<Vec<_>>())
    };
    [
        percent(|honest, with| (honest.requesters - with.requesters, honest.welfare)),
        percent(|honest, with| (with.cartel - honest.cartel, honest.cartel)),
        percent(|honest, with| (honest.welfare - with.welfare, honest.welfare)),
    ]
}

fn observe(lab: &Lab, market: &Customary, size: usize, price: f64) -> Vec<Observed> {
    let usual = sealed_plans(size, price);
    let learned = learn(lab, market, size, &usual);
    lab.series("cartels", |random, number| {
        let population = market.scenario.draw(random);
        let game = Game {
            scenario: &market.scenario,
            population: &population,
            number,
            penalties: Penalties::default(),
        };
        let book = market.book(&population);
        let honest = game.play(&book);
        let sealed = learned.map(|plan| game.play(&deviate(&game, &book, size, plan)));
        let mut open = honest.clone();
        for plan in usual.iter().copied().chain(open_plans(&book, size, price)) {
            let accounts = game.play(&deviate(&game, &book, size, plan));
            if payoff(&accounts, size) > payoff(&open, size) {
                open = accounts;
            }
        }
        let worth = |accounts: &Accounts| Worth {
            requesters: accounts.requesters_total() as f64,
            cartel: payoff(accounts, size) as f64,
            welfare: accounts.welfare as f64,
        };
        Observed {
            honest: worth(&honest),
            sealed: worth(sealed.as_ref().unwrap_or(&honest)),
            open: worth(&open),
        }
    })
}

/// The plan that pays best in the mean, if any pays more than honesty.
fn learn(lab: &Lab, market: &Customary, size: usize, plans: &[Plan]) -> Option<Plan> {
    let rounds = lab.some_rounds("cartels learn", training(lab), |random, number| {
        let population = market.scenario.draw(random);
        let game = Game {
            scenario: &market.scenario,
            population: &population,
            number,
            penalties: Penalties::default(),
        };
        let book = market.book(&population);
        let honest = payoff(&game.play(&book), size);
        let gain = |plan: &Plan| payoff(&game.play(&deviate(&game, &book, size, *plan)), size) - honest;
        plans.iter().map(gain).collect::<Vec<Money>>()
    });
    let total = |plan: usize| rounds.iter().map(|gains| gains[plan]).sum::<Money>();
    let best = (0..plans.len()).max_by_key(|plan| total(*plan))?;
    (total(best) > 0).then(|| plans[best])
}
