//! Exactly one certificate passes.

use crate::markets::{any_market, round, small};
use clearing::{Certificate, Rejection, UserPivot, certificate, clear, verify};
use market_types::{AskIndex, Round, UnitPrice, Units};
use proptest::prelude::*;
use proptest::test_runner::Config;

/// Every seat and none, also seats that do not take part.
fn candidate_seats(round: &Round) -> Vec<Option<AskIndex>> {
    let end = round.asks().last().map_or(1, |entry| entry.seat.get() + 2);
    std::iter::once(None).chain((0..end).map(|seat| Some(AskIndex::new(seat)))).collect()
}

/// Every point of user order near the bids: all fees with all indices, real ones and not, and both special
/// pivots.
fn candidate_pivots(round: &Round) -> Vec<UserPivot> {
    let highest = round.bids().iter().map(|bid| bid.fee.get()).max().unwrap_or(0).max(round.reserve().get());
    let count = u32::try_from(round.bids().len()).unwrap();
    let indices: Vec<u32> = (0..=count).chain([u32::MAX - 1, UserPivot::NOBODY_LEFT_OUT]).collect();
    let fees = (0..=highest + 1).chain([u64::MAX]);
    fees.flat_map(|fee| {
        indices.iter().map(move |index| UserPivot { fee: UnitPrice::new(fee), index: *index })
    })
    .collect()
}

fn candidates(round: &Round) -> Vec<Certificate> {
    let total: u64 = round.bids().iter().map(|bid| u64::from(bid.size.get())).sum();
    let mut all = Vec::new();
    for pivot_ask in candidate_seats(round) {
        for user_pivot in candidate_pivots(round) {
            for units in 0..=total + 1 {
                all.push(Certificate { pivot_ask, user_pivot, units: Units::new(units) });
            }
        }
    }
    all
}

proptest! {
    #![proptest_config(Config::with_cases(400))]

    #[test]
    fn exactly_one_of_all_candidates_is_accepted_and_it_proves_the_outcome(round in small()) {
        let candidates = candidates(&round);
        prop_assert!(candidates.contains(&certificate(&round)));
        let accepted: Vec<_> =
            candidates.into_iter().filter_map(|claim| Some((claim, verify(&round, &claim).ok()?))).collect();
        prop_assert_eq!(accepted, vec![(certificate(&round), clear(&round))]);
    }
}

proptest! {
    #![proptest_config(Config::with_cases(2_000))]

    #[test]
    fn in_rounds_of_every_shape_neighbours_of_the_certificate_are_refused(
        round in any_market(),
        fee_step in any::<i64>(),
        units_step in 1..=u64::MAX,
        index in any::<u32>(),
        place in any::<prop::sample::Index>(),
    ) {
        let right = certificate(&round);
        let mut others = vec![
            Certificate { pivot_ask: None, ..right },
            Certificate { units: Units::new(right.units.get().wrapping_add(1)), ..right },
            Certificate { units: Units::new(right.units.get().wrapping_sub(1)), ..right },
            Certificate { units: Units::new(right.units.get().wrapping_add(units_step)), ..right },
            Certificate { user_pivot: UserPivot::NOBODY_WINS, ..right },
            Certificate { user_pivot: UserPivot::at_reserve(round.reserve()), ..right },
            Certificate { user_pivot: UserPivot { index, ..right.user_pivot }, ..right },
        ];
        for step in [1, -1, fee_step] {
            let fee = UnitPrice::new(right.user_pivot.fee.get().wrapping_add_signed(step));
            others.push(Certificate { user_pivot: UserPivot { fee, ..right.user_pivot }, ..right });
        }
        for step in [1, u32::MAX] {
            let index = right.user_pivot.index.wrapping_add(step);
            others.push(Certificate { user_pivot: UserPivot { index, ..right.user_pivot }, ..right });
        }
        if !round.asks().is_empty() {
            others.push(Certificate { pivot_ask: Some(place.get(round.asks()).seat), ..right });
        }
        if !round.bids().is_empty() {
            let index = u32::try_from(place.index(round.bids().len())).unwrap();
            let fee = round.bids()[place.index(round.bids().len())].fee.into();
            others.push(Certificate { user_pivot: UserPivot { fee, index }, ..right });
        }
        for other in others {
            prop_assert_eq!(verify(&round, &other).is_ok(), other == right, "{:?}", other);
        }
    }
}

/// Worked example of the mechanism: pivots are R (seat 2) and D (index 3), the batch is 9 units of a capacity
/// of 9.
fn example(reserve: u64) -> Round {
    let users = [(9, 4), (7, 3), (7, 2), (5, 5), (2, 6)];
    round(0, 14, reserve, &users, &[(1, 5), (3, 4), (4, 6), (8, 9)])
}

fn claim(seat: u32, fee: u64, index: u32, units: u64) -> Certificate {
    let user_pivot = UserPivot { fee: UnitPrice::new(fee), index };
    Certificate { pivot_ask: Some(AskIndex::new(seat)), user_pivot, units: Units::new(units) }
}

#[test]
fn each_check_refuses_with_its_own_reason() {
    let round = example(0);
    assert_eq!(certificate(&round), claim(2, 5, 3, 9));
    let reason = |claim| verify(&round, &claim).unwrap_err();
    let none = Certificate { pivot_ask: None, ..claim(2, 5, 3, 9) };
    assert_eq!(reason(none), Rejection::PivotAskMissing { asks: 4 });
    assert_eq!(reason(claim(4, 5, 3, 9)), Rejection::PivotAskUnknown { seat: AskIndex::new(4) });
    assert!(matches!(reason(claim(3, 5, 3, 9)), Rejection::CapExceeded { .. }));
    assert_eq!(reason(claim(1, 5, 3, 9)), Rejection::NotMaximal { seat: AskIndex::new(1) });
    assert_eq!(reason(claim(2, 6, 3, 9)), Rejection::UserPivotUnknown { index: 3, fee: UnitPrice::new(6) });
    assert!(matches!(reason(claim(2, 7, 2, 7)), Rejection::UserPivotFits { .. }));
    assert!(matches!(reason(claim(2, 2, 4, 14)), Rejection::BatchTooLarge { .. }));
    assert!(matches!(reason(claim(2, 1, u32::MAX, 20)), Rejection::UserPivotNotReserve { .. }));
    assert!(matches!(reason(claim(2, 0, u32::MAX, 20)), Rejection::BatchTooLarge { .. }));
    for units in [0, 8, 10] {
        let mismatch = Rejection::UnitsMismatch { claimed: Units::new(units), actual: Units::new(9) };
        assert_eq!(reason(claim(2, 5, 3, units)), mismatch);
    }

    let with_reserve = example(3);
    let below = verify(&with_reserve, &claim(2, 2, 4, 14)).unwrap_err();
    assert!(matches!(below, Rejection::UserPivotBelowReserve { .. }));
}

#[test]
fn too_many_winning_provers_are_refused_for_lack_of_demand() {
    let round = round(0, 100, 0, &[(9, 4), (7, 3)], &[(1, 3), (2, 4), (3, 5)]);
    let refused = verify(&round, &claim(2, 0, u32::MAX, 7)).unwrap_err();
    assert!(matches!(refused, Rejection::DemandTooLow { .. }), "{refused}");
}

#[test]
fn a_round_in_which_no_prover_wins_takes_only_the_pivot_that_admits_nobody() {
    let round = round(0, 100, 0, &[(4, 6)], &[(5, 5), (5, 50)]);
    for pivot in candidate_pivots(&round) {
        let claim = Certificate { user_pivot: pivot, ..certificate(&round) };
        let expected =
            if pivot == UserPivot::NOBODY_WINS { None } else { Some(Rejection::UserPivotNotCanonical) };
        assert_eq!(verify(&round, &claim).err(), expected);
    }
}

#[test]
fn a_certificate_is_written_and_read_back() {
    let right = claim(2, u64::MAX, 3, 9);
    let written = serde_json::to_value(right).unwrap();
    let expected = serde_json::json!({
        "pivot_ask": 2,
        "user_pivot": { "fee": "18446744073709551615", "index": 3 },
        "units": "9",
    });
    assert_eq!(written, expected);
    assert_eq!(serde_json::from_value::<Certificate>(written).unwrap(), right);
}
