//! What is read from a settled round.

use crate::market::{HIGHEST, Load};
use crate::market::{ask, bid, controllers, offers, round, run, signal, terms};
use clearing::{Signal, UserPivot, certificate, verify, verify_with_signal};
use market_types::{Ask, Mechanism, UnitPrice, Units};

const CORE: Mechanism = Mechanism::Core;
const AVERAGE_FEE: Mechanism = Mechanism::AverageFee;

fn expected(units: u64, capacity: u64, pivot: (u64, u32), cap_binds: bool) -> Signal {
    let pivot = UserPivot { fee: UnitPrice::new(pivot.0), index: pivot.1 };
    Signal { units: Units::new(units), capacity: Units::new(capacity), pivot, cap_binds }
}

fn of(mechanism: Mechanism, cap: u64, bids: &[(u32, u32)], asks: &[(u32, u32)]) -> Signal {
    let bids = bids.iter().map(|(fee, size)| bid(*fee, *size)).collect();
    let asks: Vec<Ask> = asks.iter().map(|(cost, capacity)| ask(*cost, *capacity)).collect();
    signal(mechanism, &round(0, terms(cap, 0), bids, asks))
}

const USERS: [(u32, u32); 5] = [(9, 4), (7, 3), (7, 2), (5, 5), (2, 6)];
const PROVERS: [(u32, u32); 4] = [(1, 5), (3, 4), (4, 6), (8, 9)];

#[test]
fn the_worked_example_gives_its_units_its_capacity_and_its_pivot() {
    assert_eq!(of(CORE, 100, &USERS, &PROVERS), expected(9, 9, (5, 3), false));
    assert_eq!(of(AVERAGE_FEE, 10, &USERS, &PROVERS), expected(9, 15, (5, 3), true));
    // All 20 units in one batch for 108 ticks: S asks too much, and 15 units leave E out.
    assert_eq!(of(AVERAGE_FEE, 20, &USERS, &PROVERS), expected(14, 15, (2, 4), false));
}

#[test]
fn the_cap_binds_in_core_exactly_if_the_pivot_prover_would_win_without_it() {
    // demand(3) = 14 > 5 and demand(4) = 14 > 9, demand(8) = 4: two provers win if the cap is 9 or more.
    for (cap, units, binds) in [(5, 4, true), (8, 4, true), (9, 9, false), (100, 9, false)] {
        let signal = of(CORE, cap, &USERS, &PROVERS);
        assert_eq!((signal.units.get(), signal.cap_binds), (units, binds), "cap {cap}");
    }
    // With nobody behind the pivot prover it could not win anyway.
    assert!(!of(CORE, 5, &USERS, &PROVERS[..2]).cap_binds);
}

/// The reserve buys any quantity, but that is no sign of demand.
#[test]
fn the_reserve_alone_does_not_make_the_cap_bind() {
    let asks = vec![ask(1, 5), ask(1, 5), ask(1, 5), ask(1, 5)];
    for (users, binds) in [(2, false), (3, true)] {
        // 5 or 10 units win; with one prover more, 10 or 15 could be proved, at a price below the reserve.
        let bids = vec![bid(9, 5); users];
        let signal = signal(CORE, &round(0, terms(5, 4), bids, asks.clone()));
        assert_eq!((signal.units.get(), signal.cap_binds), (5, binds), "{users}");
    }
}

#[test]
fn the_cap_binds_in_average_fee_exactly_if_it_leaves_a_bid_out_that_provers_have_room_for() {
    // Three provers with 15 units are below every average here. At 3 not even A fits, at 20 everybody does.
    for (cap, binds) in [(3, false), (9, true), (14, true), (19, true), (20, false), (100, false)] {
        assert_eq!(of(AVERAGE_FEE, cap, &USERS, &PROVERS).cap_binds, binds, "cap {cap}");
    }
    // Only P, with 5 units, is below the average.
    assert!(!of(AVERAGE_FEE, 14, &USERS, &[(1, 5), (7, 9)]).cap_binds);
}

#[test]
fn without_a_batch_average_fee_counts_the_provers_below_the_reserve_as_idle() {
    let asks = vec![ask(1, 5), ask(3, 4), ask(4, 6)];
    let empty = signal(AVERAGE_FEE, &round(0, terms(9, 4), Vec::new(), asks.clone()));
    assert_eq!(empty, expected(0, 9, (4, UserPivot::NOBODY_LEFT_OUT), false));
    // A first bid above the cap leaves no batch either, but is turned away.
    let too_large = signal(AVERAGE_FEE, &round(0, terms(9, 4), vec![bid(7, 10)], asks));
    assert_eq!(too_large, expected(0, 9, (7, 0), false));
}

#[test]
fn only_a_certificate_that_passes_gives_a_signal() {
    let (bids, asks) = offers(3, Load::of(500, 500));
    let round = round(3, terms(300, 100), bids, asks);
    for mechanism in Mechanism::ALL {
        let mut claim = certificate(mechanism, &round);
        let (outcome, _) = verify_with_signal(mechanism, &round, &claim).unwrap();
        assert_eq!(verify(mechanism, &round, &claim), Ok(outcome));
        claim.units = Units::new(claim.units.get() + 1);
        assert_eq!(
            verify_with_signal(mechanism, &round, &claim).err(),
            verify(mechanism, &round, &claim).err()
        );
        assert!(verify(mechanism, &round, &claim).is_err());
    }
}

/// The bids of a round move the terms of the round after the next, and none before it.
#[test]
fn no_bid_moves_the_terms_of_its_own_round_or_of_the_next() {
    let load = Load::of(1_000, 1_000);
    for mechanism in Mechanism::ALL {
        let simulate = |disturbed: bool| {
            run(mechanism, controllers((100, 1 << 20), (1, 100_000)), terms(100, 1), 30, |number| {
                let (mut bids, asks) = offers(number, load);
                if disturbed && number == 10 {
                    bids = vec![bid(HIGHEST, 1)];
                }
                (bids, asks)
            })
        };
        let (calm, disturbed) = (simulate(false), simulate(true));
        for number in 0..12 {
            assert_eq!(calm[number].terms, disturbed[number].terms, "{mechanism}, round {number}");
        }
        assert_ne!(calm[12].terms, disturbed[12].terms, "{mechanism}");
    }
}
