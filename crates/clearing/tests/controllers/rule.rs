//! The rule by hand, for every input, and against a transcription of its text.

use crate::market::{controllers, terms};
use clearing::{Bounds, Controllers, Signal, Terms, UserPivot};
use market_types::{CapacityCap, ReservePrice, UnitPrice, Units};
use proptest::prelude::*;
use proptest::test_runner::Config;

/// The whole range: nothing is held back.
fn free() -> Controllers {
    controllers((1, u64::MAX), (0, u64::MAX))
}

fn signal(units: u64, capacity: u64, left_out: Option<u64>, cap_binds: bool) -> Signal {
    let pivot = match left_out {
        Some(fee) => UserPivot { fee: UnitPrice::new(fee), index: 3 },
        None => UserPivot { fee: UnitPrice::new(1), index: UserPivot::NOBODY_LEFT_OUT },
    };
    Signal { units: Units::new(units), capacity: Units::new(capacity), pivot, cap_binds }
}

/// The next cap, from the same cap in both rounds.
fn cap_after(cap: u64, units: u64, cap_binds: bool) -> u64 {
    let now = terms(cap, 0);
    free().next(now, now, signal(units, 0, None, cap_binds)).cap.get()
}

fn reserve_after(reserve: u64, units: u64, capacity: u64, left_out: Option<u64>) -> u64 {
    let now = terms(1, reserve);
    free().next(now, now, signal(units, capacity, left_out, false)).reserve.get()
}

#[test]
fn the_cap_steers_towards_twice_what_is_cleared() {
    assert_eq!(cap_after(800, 400, false), 800);
    // All used: an eighth up. Three quarters: half of that.
    assert_eq!([cap_after(800, 800, false), cap_after(800, 600, false)], [900, 850]);
    // A quarter used: half an eighth down. Hardly any: 800 * 399 / (8 * 400) = 99.75.
    assert_eq!([cap_after(800, 200, false), cap_after(800, 1, false)], [750, 701]);
    // A full round and one that the cap held back are the same.
    assert_eq!([cap_after(800, 1, true), cap_after(800, 500, true)], [900, 900]);
    // Without a trade nobody has paid for a move.
    assert_eq!([cap_after(800, 0, false), cap_after(800, 0, true)], [800, 800]);
    // The least step up is one unit; down, it may be none.
    assert_eq!([cap_after(800, 401, false), cap_after(800, 399, false)], [801, 800]);
    assert_eq!([cap_after(1, 1, false), cap_after(2, 1, false), cap_after(2, 2, false)], [2, 2, 3]);
}

#[test]
fn the_cap_moves_from_the_latest_by_what_its_own_round_used() {
    let next = free().next(terms(1_600, 0), terms(800, 0), signal(800, 0, None, false));
    assert_eq!(next.cap.get(), 1_800);
    let next = free().next(terms(80, 0), terms(800, 0), signal(200, 0, None, false));
    assert_eq!(next.cap.get(), 75);
}

#[test]
fn the_reserve_rises_towards_the_fee_that_was_turned_away() {
    // An eighth of the way, rounded up, at most an eighth of itself.
    assert_eq!(reserve_after(800, 5, 5, Some(816)), 802);
    assert_eq!(reserve_after(800, 5, 5, Some(817)), 803);
    assert_eq!([reserve_after(800, 5, 5, Some(1_600)), reserve_after(800, 5, 5, Some(u64::MAX))], [900, 900]);
    assert_eq!([reserve_after(800, 5, 5, Some(800)), reserve_after(800, 5, 9, Some(1))], [800, 800]);
    // One tick where an eighth is less.
    assert_eq!([reserve_after(0, 5, 5, Some(9)), reserve_after(7, 5, 5, Some(99))], [1, 8]);
    assert_eq!(reserve_after(0, 5, 5, Some(0)), 0);
}

#[test]
fn the_reserve_falls_by_the_part_of_the_capacity_that_lay_idle() {
    assert_eq!([reserve_after(800, 0, 50, None), reserve_after(800, 25, 50, None)], [700, 750]);
    assert_eq!(reserve_after(800, 50, 50, None), 800);
    // One tick at least, and not below zero.
    assert_eq!([reserve_after(800, 999, 1_000, None), reserve_after(1, 0, 9, None)], [799, 0]);
    assert_eq!(reserve_after(0, 0, 9, None), 0);
    // Idle capacity does not count while users are turned away, and without capacity nothing does.
    assert_eq!([reserve_after(800, 0, 50, Some(800)), reserve_after(800, 0, 0, Some(900))], [800, 800]);
    assert_eq!(reserve_after(800, 0, 0, None), 800);
}

#[test]
fn bounds_must_hold_a_value_and_equal_ones_fix_a_term() {
    let (low, high) = (CapacityCap::new(5).unwrap(), CapacityCap::new(6).unwrap());
    assert!(Bounds::new(high, low).is_err());
    let error = Bounds::new(ReservePrice::new(2), ReservePrice::new(1)).unwrap_err();
    assert_eq!((error.min, error.max), (2, 1));

    let fixed = controllers((800, 800), (30, 30));
    for signal in [signal(800, 800, Some(900), true), signal(1, 800, None, false)] {
        assert_eq!(fixed.next(terms(800, 30), terms(800, 30), signal), terms(800, 30));
    }
}

fn any_bounds() -> impl Strategy<Value = Controllers> {
    let pair =
        |low: u64| (low..=u64::MAX, low..=u64::MAX).prop_map(|(one, other)| (one.min(other), one.max(other)));
    (pair(1), pair(0)).prop_map(|(cap, reserve)| controllers(cap, reserve))
}

fn any_terms() -> impl Strategy<Value = Terms> {
    (wide().prop_map(|cap| cap.max(1)), wide()).prop_map(|(cap, reserve)| terms(cap, reserve))
}

/// Numbers of every magnitude.
fn wide() -> impl Strategy<Value = u64> {
    prop_oneof![any::<u64>(), (any::<u64>(), 0..64_u32).prop_map(|(bits, shift)| bits >> shift)]
}

fn any_signal() -> impl Strategy<Value = Signal> {
    (wide(), wide(), prop::option::of(wide()), any::<bool>())
        .prop_map(|(units, capacity, left_out, binds)| signal(units, capacity, left_out, binds))
}

/// A signal that a round under `cap` can give: `Q <= B` and `Q <= K`.
fn possible_signal(cap: u64) -> impl Strategy<Value = Signal> {
    (0..=cap, wide(), prop::option::of(wide()), any::<bool>())
        .prop_map(|(units, more, left_out, binds)| signal(units, units.saturating_add(more), left_out, binds))
}

/// The rule as its text says it.
fn text(controllers: Controllers, latest: Terms, of_round: Terms, signal: Signal) -> (u128, u128) {
    let (b, q, k) =
        (u128::from(of_round.cap.get()), u128::from(signal.units.get()), u128::from(signal.capacity.get()));
    let (cap_min, cap_max) =
        (u128::from(controllers.cap.min().get()), u128::from(controllers.cap.max().get()));
    let (reserve_min, reserve_max) =
        (u128::from(controllers.reserve.min().get()), u128::from(controllers.reserve.max().get()));

    let latest_cap = u128::from(latest.cap.get());
    let used = if signal.cap_binds { b } else { q };
    let t = b / 2;
    let cap = if q == 0 || used == t {
        latest_cap
    } else if used > t {
        latest_cap + 1.max(latest_cap * (used - t) / (8 * (b - t)))
    } else {
        latest_cap - latest_cap * (t - used) / (8 * t)
    };

    let latest_reserve = u128::from(latest.reserve.get());
    let turned_away = signal.pivot.index != UserPivot::NOBODY_LEFT_OUT;
    let u = u128::from(signal.pivot.fee.get());
    let reserve = if k == 0 {
        latest_reserve
    } else if turned_away && u > latest_reserve {
        latest_reserve + (u - latest_reserve).div_ceil(8).min(1.max(latest_reserve / 8))
    } else if !turned_away && k > q {
        latest_reserve.saturating_sub(1.max(latest_reserve * (k - q) / (8 * k)))
    } else {
        latest_reserve
    };
    (cap.clamp(cap_min, cap_max), reserve.clamp(reserve_min, reserve_max))
}

proptest! {
    #![proptest_config(Config::with_cases(20_000))]

    #[test]
    fn the_rule_is_its_text(
        bounds in any_bounds(),
        latest in any_terms(),
        of_round in any_terms(),
        signal in any_signal(),
    ) {
        let next = bounds.next(latest, of_round, signal);
        let expected = text(bounds, latest, of_round, signal);
        prop_assert_eq!((next.cap.get().into(), next.reserve.get().into()), expected);
    }

    #[test]
    fn the_terms_stay_within_their_bounds_whatever_the_signal(
        bounds in any_bounds(),
        latest in any_terms(),
        of_round in any_terms(),
        signal in any_signal(),
    ) {
        let next = bounds.next(latest, of_round, signal);
        prop_assert!((bounds.cap.min()..=bounds.cap.max()).contains(&next.cap));
        prop_assert!((bounds.reserve.min()..=bounds.reserve.max()).contains(&next.reserve));
    }

    #[test]
    fn no_step_is_larger_than_an_eighth_or_one(
        latest in any_terms(),
        (of_round, signal) in any_terms().prop_flat_map(|terms| (Just(terms), possible_signal(terms.cap.get()))),
    ) {
        let next = free().next(latest, of_round, signal);
        prop_assert!(next.cap.get().abs_diff(latest.cap.get()) <= (latest.cap.get() / 8).max(1));
        prop_assert!(next.reserve.get().abs_diff(latest.reserve.get()) <= (latest.reserve.get() / 8).max(1));
        prop_assert!(next.reserve <= latest.reserve || next.reserve.get() <= signal.pivot.fee.get());
    }

    #[test]
    fn a_round_in_which_nobody_could_prove_moves_nothing(latest in any_terms(), of_round in any_terms(), fee in wide()) {
        for left_out in [None, Some(fee)] {
            prop_assert_eq!(free().next(latest, of_round, signal(0, 0, left_out, false)), latest);
        }
    }

    /// From one unit on: a round in which nothing is cleared says nothing, and leaves the cap where it is.
    #[test]
    fn more_cleared_never_lowers_the_next_cap(
        latest in any_terms(),
        of_round in any_terms(),
        one in wide(),
        other in wide(),
        capacity in wide(),
    ) {
        let (less, more) = (one.min(other).max(1), one.max(other).max(1));
        let next = |units, binds| free().next(latest, of_round, signal(units, capacity, None, binds)).cap;
        prop_assert!(next(less, false) <= next(more, false));
        prop_assert!(next(less.min(of_round.cap.get()), false) <= next(less, true));
    }

    #[test]
    fn more_idle_never_raises_and_a_higher_fee_turned_away_never_lowers_the_next_reserve(
        latest in any_terms(),
        (capacity, one, other) in wide().prop_flat_map(|k| (Just(k), 0..=k, 0..=k)),
        fees in (wide(), wide()),
    ) {
        let next = |units, left_out| free().next(latest, latest, signal(units, capacity, left_out, false)).reserve;
        prop_assert!(next(one.min(other), None) <= next(one.max(other), None));
        prop_assert!(next(one, Some(fees.0.min(fees.1))) <= next(one, Some(fees.0.max(fees.1))));
        prop_assert!(next(one, None) <= next(one, Some(fees.0)));
    }
}
