//! What it costs to move the terms by bids that nobody needs. `cargo run -p clearing --example cost_of_moving`
//! writes every attempt as CSV.

use crate::market::{LARGEST, controllers};
use crate::wash::{Effect, attempts, effect, settled_market};
use market_types::Mechanism;

fn effects(mechanism: Mechanism) -> Vec<Effect> {
    let (now, offers) = settled_market(mechanism);
    let bounds = controllers((100, 1 << 20), (1, 100_000));
    attempts().map(|wash| effect(mechanism, bounds, now, offers.clone(), wash)).collect()
}

/// The cheapest of those that moved a term as asked.
fn cheapest(effects: &[Effect], moved: impl Fn(&Effect) -> bool) -> Option<Effect> {
    effects.iter().copied().filter(moved).min_by_key(|effect| effect.paid)
}

/// What the honest users of the round pay, in ticks.
fn turnover(effects: &[Effect]) -> u128 {
    let honest = effects[0].honest;
    u128::from(honest.units.get()) * u128::from(honest.pivot.fee.get())
}

#[test]
fn a_full_step_of_either_term_of_core_costs_almost_twice_what_the_honest_users_pay() {
    let (now, _) = settled_market(Mechanism::Core);
    let effects = effects(Mechanism::Core);
    let full_cap = now.cap.get() + now.cap.get() / 8;
    let full_reserve = now.reserve.get() + now.reserve.get() / 8;
    for cheapest in [
        cheapest(&effects, |effect| effect.with.cap.get() == full_cap),
        cheapest(&effects, |effect| effect.with.reserve.get() == full_reserve),
    ] {
        let cheapest = cheapest.unwrap();
        assert_eq!((cheapest.paid, cheapest.earned, turnover(&effects)), (378_000, 370_440, 190_128));
    }
    assert!(cheapest(&effects, |effect| effect.with.cap.get() > full_cap).is_none());
    assert!(cheapest(&effects, |effect| effect.with.reserve.get() > full_reserve).is_none());
}

#[test]
fn every_unit_that_wash_bids_add_to_a_round_of_core_costs_at_least_the_reserve() {
    let (now, _) = settled_market(Mechanism::Core);
    for effect in effects(Mechanism::Core) {
        // Honest bids may win or lose a place at the border: less than a task on either side.
        let border = 2 * u64::from(LARGEST);
        let added = effect.washed.units.get().saturating_sub(effect.honest.units.get() + border);
        assert!(effect.paid >= u128::from(added) * u128::from(now.reserve.get()), "{effect:?}");
        // What comes back to a washer that owns every prover is never more.
        assert!(effect.earned <= effect.paid);
    }
}

#[test]
fn wash_bids_lower_neither_term_of_core() {
    for effect in effects(Mechanism::Core) {
        assert!(effect.with.cap >= effect.without.cap, "{effect:?}");
        assert!(effect.with.reserve >= effect.without.reserve, "{effect:?}");
    }
}

/// The average that others pay for comes on top: a washer that owns every prover is paid more than it pays.
#[test]
fn a_full_step_of_the_cap_of_average_fee_costs_what_fills_the_cap() {
    let cap = settled_market(Mechanism::AverageFee).0.cap.get();
    let effects = effects(Mechanism::AverageFee);
    let cheapest = cheapest(&effects, |effect| effect.with.cap.get() == cap + cap / 8).unwrap();
    assert_eq!((cheapest.paid, cheapest.earned), (504_000, 626_892));
}
