//! Where the terms settle after a step in demand or supply, and in how many rounds.
//!
//! 250 rounds under one load, then 250 under another. A term has settled in the first round from which it stays in
//! its band to the end.

use crate::market::{Load, Step, controllers, offers, run, terms};
use market_types::Mechanism;
use std::ops::RangeInclusive;

const PHASE: usize = 250;

/// Steps in demand and in supply.
const STEPS: [(&str, Load, Load); 4] = [
    ("demand times 4", Load::of(1_000, 1_000), Load::of(4_000, 1_000)),
    ("demand down to a quarter", Load::of(4_000, 1_000), Load::of(1_000, 1_000)),
    ("supply times 4", Load::of(1_000, 1_000), Load::of(1_000, 4_000)),
    ("supply down to a quarter", Load::of(1_000, 4_000), Load::of(1_000, 1_000)),
];

fn simulate(mechanism: Mechanism, before: Load, after: Load) -> Vec<Step> {
    let bounds = controllers((100, 1 << 20), (1, 100_000));
    run(mechanism, bounds, terms(100, 1), 2 * PHASE as u64, |number| {
        offers(number, if number < PHASE as u64 { before } else { after })
    })
}

fn cap(step: &Step) -> u64 {
    step.terms.cap.get()
}

fn reserve(step: &Step) -> u64 {
    step.terms.reserve.get()
}

/// From `100 - percent` to `100 + percent` hundredths of `value`.
fn around(value: u64, percent: u64) -> RangeInclusive<u64> {
    value * (100 - percent) / 100..=value * (100 + percent) / 100
}

/// In how many rounds of `phase` a term comes to its band for good; `None` if it never does.
fn settled(phase: &[Step], term: impl Fn(&Step) -> u64, band: &RangeInclusive<u64>) -> Option<usize> {
    let settled = phase.iter().rposition(|step| !band.contains(&term(step))).map_or(0, |last| last + 1);
    (settled < phase.len()).then_some(settled)
}

/// What is cleared in the second half of a phase, on average.
fn usual_units(phase: &[Step]) -> u64 {
    let half = &phase[PHASE / 2..];
    half.iter().map(|step| step.signal.units.get()).sum::<u64>() / half.len() as u64
}

#[track_caller]
fn assert_within(rounds: usize, settled: Option<usize>, what: &str) {
    assert!(settled.is_some_and(|settled| settled <= rounds), "{what}: {settled:?}, not {rounds}");
}

#[test]
fn the_cap_settles_around_twice_what_is_cleared() {
    for (mechanism, first, again) in [(Mechanism::Core, 30, 20), (Mechanism::AverageFee, 45, 45)] {
        for (name, before, after) in STEPS {
            let steps = simulate(mechanism, before, after);
            for (phase, part, rounds) in
                [("from the floor", &steps[..PHASE], first), (name, &steps[PHASE..], again)]
            {
                let twice = 2 * usual_units(part);
                assert!((940..=2_020).contains(&twice), "{mechanism}, {phase}: {twice}");
                let band = around(twice, 15);
                assert_within(
                    rounds,
                    settled(part, cap, &band),
                    &format!("{mechanism}, {phase}: cap {band:?}"),
                );
            }
        }
    }
}

#[test]
fn the_cap_of_core_settles_where_demand_and_supply_cross() {
    for (name, before, after) in STEPS {
        let steps = simulate(Mechanism::Core, before, after);
        let band = around(2 * after.crossing().1, 25);
        assert_within(15, settled(&steps[PHASE..], cap, &band), &format!("{name}: cap {band:?}"));
    }
}

#[test]
fn the_reserve_of_core_hovers_around_the_price_where_demand_and_supply_cross() {
    for (name, before, after) in STEPS {
        let steps = simulate(Mechanism::Core, before, after);
        for (phase, load, part, rounds) in
            [("from 1", before, &steps[..PHASE], 60), (name, after, &steps[PHASE..], 20)]
        {
            let band = around(load.crossing().0, 15);
            assert_within(rounds, settled(part, reserve, &band), &format!("{phase}: reserve {band:?}"));
        }
    }
}

#[test]
fn the_reserve_of_average_fee_settles_too() {
    for (name, before, after) in STEPS {
        let steps = simulate(Mechanism::AverageFee, before, after);
        let part = &steps[PHASE..];
        let half = &part[PHASE / 2..];
        let usual = half.iter().map(reserve).sum::<u64>() / half.len() as u64;
        let band = around(usual, 15);
        assert_within(65, settled(part, reserve, &band), &format!("{name}: reserve {band:?}"));
    }
}

/// Bids below the reserve are refused, so that only a reserve that falls without them can find them again.
#[test]
fn a_reserve_above_every_fee_comes_down_to_users() {
    let poorer = Load { highest_fee: 300, ..Load::of(1_000, 1_000) };
    for mechanism in Mechanism::ALL {
        let bounds = controllers((100, 1 << 20), (1, 100_000));
        let steps = run(mechanism, bounds, terms(1_000, 10_000), 100, |number| offers(number, poorer));
        let trading = steps.iter().position(|step| step.signal.units.get() > 0);
        assert_within(40, trading, &format!("{mechanism}: trading again"));
        assert!(steps[40..].iter().all(|step| step.signal.units.get() > 0), "{mechanism}");
    }
}

/// However much capacity asks less than the reserve, and whether it can move or not.
#[test]
fn without_bids_the_cap_stays() {
    for mechanism in Mechanism::ALL {
        for reserves in [(1, 100_000), (500, 500)] {
            let bounds = controllers((100, 1 << 20), reserves);
            let steps =
                run(mechanism, bounds, terms(100, 500), 60, |number| offers(number, Load::of(0, 4_000)));
            assert!(steps.iter().all(|step| step.terms.cap.get() == 100), "{mechanism}");
        }
    }
}

#[test]
fn the_cap_does_not_overshoot_while_provers_are_short() {
    for mechanism in Mechanism::ALL {
        let steps = simulate(mechanism, Load::of(4_000, 1_000), Load::of(4_000, 1_000));
        let highest = steps.iter().map(cap).max().unwrap();
        assert!(highest < 2 * usual_units(&steps[PHASE..]) * 115 / 100, "{mechanism}: {highest}");
    }
}
