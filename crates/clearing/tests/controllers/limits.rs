//! Where the terms do not go as one would wish. Each is stated in `docs/controllers.md`.

use crate::market::{Load, ask, bid, controllers, offers, round, run, signal, terms};
use crate::wash::{Wash, effect};
use clearing::Controllers;
use market_types::Mechanism;

const CORE: Mechanism = Mechanism::Core;
const AVERAGE_FEE: Mechanism = Mechanism::AverageFee;

fn bounds() -> Controllers {
    controllers((100, 1 << 20), (1, 100_000))
}

/// Capacity that waits for bids counts as idle.
#[test]
fn without_bids_the_reserve_falls_until_it_brings_in_no_prover_and_the_cap_stays() {
    let steps = run(CORE, bounds(), terms(900, 500), 100, |number| offers(number, Load::of(0, 800)));
    // 40 seats: the cheapest asks 12 and the next 37. One seat wins as long as the reserve buys at 37.
    let reserves: Vec<u64> = steps.iter().map(|step| step.terms.reserve.get()).collect();
    assert!(reserves.is_sorted_by(|earlier, later| earlier >= later));
    assert!((30..37).contains(&reserves[60]) && reserves[60] == reserves[99], "{reserves:?}");
    assert!(steps.iter().all(|step| step.terms.cap.get() == 900));

    // In `average-fee` one prover is enough, so it falls until it buys nobody at 12.
    let steps = run(AVERAGE_FEE, bounds(), terms(900, 500), 100, |number| offers(number, Load::of(0, 800)));
    let reserves: Vec<u64> = steps.iter().map(|step| step.terms.reserve.get()).collect();
    assert!(reserves.is_sorted_by(|earlier, later| earlier >= later));
    assert!((10..=12).contains(&reserves[60]) && reserves[60] == reserves[99], "{reserves:?}");
    assert!(steps.iter().all(|step| step.terms.cap.get() == 900));
}

/// Bids that only show demand and lose pay nothing. They can fill the gap between the winners' capacity and the cap,
/// which is less than one seat.
#[test]
fn losing_bids_push_the_cap_of_core_from_what_is_cleared_to_a_full_step_for_nothing() {
    let now = terms(100, 1);
    let asks = vec![ask(1, 60), ask(2, 60), ask(3, 60)];
    let bids = vec![bid(10, 10); 7];
    let honest = signal(CORE, &round(0, now, bids.clone(), asks.clone()));
    assert_eq!((honest.units.get(), honest.cap_binds), (60, false));

    let washed = effect(CORE, bounds(), now, (bids, asks), Wash { units: 60, fee: 3 });
    assert_eq!((washed.washed.units.get(), washed.washed.cap_binds, washed.paid), (60, true, 0));
    assert_eq!((washed.without.cap.get(), washed.with.cap.get()), (102, 112));
}

/// Low bids that the cap still takes lower the average, so that fewer provers win, who then have no room for the low
/// bids: they cost nothing and others lose their place.
#[test]
fn low_bids_crowd_provers_out_of_average_fee_for_nothing() {
    let load = Load::of(1_000, 1_000);
    let low = Wash { units: 600, fee: 348 };
    let effect = effect(AVERAGE_FEE, bounds(), terms(1_273, 347), offers(7, load), low);
    let (honest, washed) = (effect.honest, effect.washed);
    assert_eq!(effect.paid, 0);
    assert!(washed.units.get() * 10 < honest.units.get() * 9, "{honest:?}, {washed:?}");
    assert!(effect.with.cap < effect.without.cap && effect.with.reserve > effect.without.reserve);
}
