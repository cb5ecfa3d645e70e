//! Exactly one certificate passes.

use crate::markets::{any_case, round, small};
use clearing::{
    BatchClaim, Certificate, PrefixRejection, ProverClaim, Rejection, UserPivot, certificate, clear, verify,
};
use market_types::{AskIndex, Mechanism, Round, Ticks, UnitPrice, Units};
use proptest::prelude::*;
use proptest::test_runner::Config;

const CORE: Mechanism = Mechanism::Core;
const AVERAGE_FEE: Mechanism = Mechanism::AverageFee;

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

/// Total size of all bids.
fn total_units(round: &Round) -> u64 {
    round.bids().iter().map(|bid| u64::from(bid.size.get())).sum()
}

/// What the bids ranked before `pivot` and at or above the reserve pay, and their total size.
fn before(round: &Round, pivot: UserPivot) -> (u128, u64) {
    let ahead = round.indexed_bids().filter(|(index, bid)| pivot.admits(bid.fee, *index));
    ahead.fold((0, 0), |(revenue, units), (_, bid)| {
        (revenue + u128::from(bid.fee.get()) * u128::from(bid.size.get()), units + u64::from(bid.size.get()))
    })
}

/// What any point of user order would bring in, one tick more and one less.
fn candidate_revenues(round: &Round) -> Vec<Ticks> {
    let true_ones = candidate_pivots(round).into_iter().map(|pivot| before(round, pivot).0);
    let mut all: Vec<u128> = true_ones.flat_map(|sum| [sum.saturating_sub(1), sum, sum + 1]).collect();
    all.sort_unstable();
    all.dedup();
    all.into_iter().map(Ticks::new).collect()
}

fn core_candidates(round: &Round) -> Vec<Certificate> {
    let mut all = Vec::new();
    for pivot_ask in candidate_seats(round) {
        for user_pivot in candidate_pivots(round) {
            for units in 0..=total_units(round) + 1 {
                let prover_side = ProverClaim::Core { pivot_ask };
                all.push(Certificate { user_pivot, units: Units::new(units), prover_side });
            }
        }
    }
    all
}

/// False claims about the users with the true batch, and every false batch with the users that would follow from
/// it: a forger's best attempts.
fn average_fee_candidates(round: &Round) -> Vec<Certificate> {
    let ProverClaim::AverageFee { batch: right, .. } = certificate(AVERAGE_FEE, round).prover_side else {
        panic!("the claim of another mechanism");
    };
    let revenues = candidate_revenues(round);
    let mut all = Vec::new();
    for pivot in candidate_pivots(round) {
        for units in (0..=total_units(round) + 1).map(Units::new) {
            for revenue in revenues.iter().copied() {
                let prover_side = ProverClaim::AverageFee { batch: right, revenue };
                all.push(Certificate { user_pivot: pivot, units, prover_side });
                let batch = BatchClaim { pivot, units, revenue };
                if batch != right {
                    all.push(following(round, batch));
                }
            }
        }
    }
    all
}

/// The certificate that would be right if `batch` were.
fn following(round: &Round, batch: BatchClaim) -> Certificate {
    let winners = round.asks().iter().filter(|entry| batch.pays_above(entry.ask.cost));
    let capacity: u64 = winners.map(|entry| u64::from(entry.ask.capacity.get())).sum();
    let limit = capacity.min(round.cap().get());
    // Below the reserve nobody takes part.
    let fits = |pivot: &UserPivot| before(round, *pivot).1 <= limit && pivot.fee >= round.reserve().into();
    let points =
        round.indexed_bids().map(|(index, bid)| UserPivot { fee: bid.fee.into(), index: index.get() });
    let points = points.chain([UserPivot::at_reserve(round.reserve())]);
    let last = points.filter(fits).max_by_key(|pivot| (std::cmp::Reverse(pivot.fee), pivot.index));
    let user_pivot = if capacity == 0 { UserPivot::NOBODY_WINS } else { last.expect("the first point fits") };
    let (revenue, units) = before(round, user_pivot);
    let prover_side = ProverClaim::AverageFee { batch, revenue: Ticks::new(revenue) };
    Certificate { user_pivot, units: Units::new(units), prover_side }
}

fn accepted(
    mechanism: Mechanism,
    round: &Round,
    candidates: Vec<Certificate>,
) -> Vec<(Certificate, clearing::Outcome)> {
    assert!(candidates.contains(&certificate(mechanism, round)));
    candidates.into_iter().filter_map(|claim| Some((claim, verify(mechanism, round, &claim).ok()?))).collect()
}

proptest! {
    #![proptest_config(Config::with_cases(300))]

    #[test]
    fn exactly_one_of_all_candidates_of_core_is_accepted_and_it_proves_the_outcome(round in small()) {
        let accepted = accepted(CORE, &round, core_candidates(&round));
        prop_assert_eq!(accepted, vec![(certificate(CORE, &round), clear(CORE, &round))]);
    }
}

proptest! {
    #![proptest_config(Config::with_cases(100))]

    #[test]
    fn exactly_one_of_the_candidates_of_average_fee_is_accepted_and_it_proves_the_outcome(round in small()) {
        let accepted = accepted(AVERAGE_FEE, &round, average_fee_candidates(&round));
        prop_assert_eq!(accepted, vec![(certificate(AVERAGE_FEE, &round), clear(AVERAGE_FEE, &round))]);
    }
}

/// Random numbers by which a certificate is moved.
#[derive(Debug, Clone)]
struct Steps {
    fee: i64,
    units: u64,
    revenue: u128,
    index: u32,
    place: prop::sample::Index,
}

fn steps() -> impl Strategy<Value = Steps> {
    (any::<i64>(), 1..=u64::MAX, 1..=u128::MAX, any::<u32>(), any::<prop::sample::Index>())
        .prop_map(|(fee, units, revenue, index, place)| Steps { fee, units, revenue, index, place })
}

fn other_pivots(round: &Round, right: UserPivot, steps: &Steps) -> Vec<UserPivot> {
    let mut others = vec![
        UserPivot::NOBODY_WINS,
        UserPivot::at_reserve(round.reserve()),
        UserPivot { index: steps.index, ..right },
        UserPivot { index: right.index.wrapping_add(1), ..right },
        UserPivot { index: right.index.wrapping_sub(1), ..right },
    ];
    for step in [1, -1, steps.fee] {
        others.push(UserPivot { fee: UnitPrice::new(right.fee.get().wrapping_add_signed(step)), ..right });
    }
    if !round.bids().is_empty() {
        let position = steps.place.index(round.bids().len());
        let fee = round.bids()[position].fee.into();
        others.push(UserPivot { fee, index: u32::try_from(position).unwrap() });
    }
    others
}

fn other_units(right: Units, steps: &Steps) -> Vec<Units> {
    [1, u64::MAX, steps.units].map(|step| Units::new(right.get().wrapping_add(step))).to_vec()
}

fn other_revenues(right: Ticks, steps: &Steps) -> Vec<Ticks> {
    [1, u128::MAX, steps.revenue].map(|step| Ticks::new(right.get().wrapping_add(step))).to_vec()
}

fn other_claims(round: &Round, right: ProverClaim, steps: &Steps) -> Vec<ProverClaim> {
    match right {
        ProverClaim::Core { .. } => {
            let place = (!round.asks().is_empty()).then(|| steps.place.get(round.asks()).seat);
            [None, place].map(|pivot_ask| ProverClaim::Core { pivot_ask }).to_vec()
        }
        ProverClaim::AverageFee { batch, revenue } => {
            let pivots = other_pivots(round, batch.pivot, steps).into_iter();
            let units = other_units(batch.units, steps).into_iter();
            let revenues = other_revenues(batch.revenue, steps).into_iter();
            pivots
                .map(|pivot| BatchClaim { pivot, ..batch })
                .chain(units.map(|units| BatchClaim { units, ..batch }))
                .chain(revenues.map(|revenue| BatchClaim { revenue, ..batch }))
                .map(|batch| ProverClaim::AverageFee { batch, revenue })
                .chain(
                    other_revenues(revenue, steps)
                        .into_iter()
                        .map(|revenue| ProverClaim::AverageFee { batch, revenue }),
                )
                .collect()
        }
    }
}

proptest! {
    #![proptest_config(Config::with_cases(3_000))]

    #[test]
    fn in_rounds_of_every_shape_neighbours_of_the_certificate_are_refused(
        (mechanism, round) in any_case(),
        steps in steps(),
    ) {
        let right = certificate(mechanism, &round);
        let pivots = other_pivots(&round, right.user_pivot, &steps).into_iter();
        let units = other_units(right.units, &steps).into_iter();
        let claims = other_claims(&round, right.prover_side, &steps).into_iter();
        let others = pivots
            .map(|user_pivot| Certificate { user_pivot, ..right })
            .chain(units.map(|units| Certificate { units, ..right }))
            .chain(claims.map(|prover_side| Certificate { prover_side, ..right }));
        for other in others {
            prop_assert_eq!(verify(mechanism, &round, &other).is_ok(), other == right, "{:?}", other);
        }
    }

    #[test]
    fn the_certificate_of_the_other_mechanism_is_refused((mechanism, round) in any_case()) {
        let other = if mechanism == CORE { AVERAGE_FEE } else { CORE };
        let refused = verify(mechanism, &round, &certificate(other, &round));
        prop_assert_eq!(refused, Err(Rejection::OtherMechanism { market: mechanism, claimed: other }));
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
    let prover_side = ProverClaim::Core { pivot_ask: Some(AskIndex::new(seat)) };
    Certificate { user_pivot, units: Units::new(units), prover_side }
}

#[test]
fn each_check_of_core_refuses_with_its_own_reason() {
    let round = example(0);
    assert_eq!(certificate(CORE, &round), claim(2, 5, 3, 9));
    let reason = |claim| verify(CORE, &round, &claim).unwrap_err();
    let users = |claim| match reason(claim) {
        Rejection::Users(reason) => reason,
        other => panic!("refused for {other}"),
    };
    let none = Certificate { prover_side: ProverClaim::Core { pivot_ask: None }, ..claim(2, 5, 3, 9) };
    assert_eq!(reason(none), Rejection::PivotAskMissing { asks: 4 });
    assert_eq!(reason(claim(4, 5, 3, 9)), Rejection::PivotAskUnknown { seat: AskIndex::new(4) });
    assert!(matches!(reason(claim(3, 5, 3, 9)), Rejection::CapExceeded { .. }));
    assert_eq!(reason(claim(1, 5, 3, 9)), Rejection::NotMaximal { seat: AskIndex::new(1) });
    let unknown = PrefixRejection::PivotUnknown { index: 3, fee: UnitPrice::new(6) };
    assert_eq!(users(claim(2, 6, 3, 9)), unknown);
    assert!(matches!(users(claim(2, 7, 2, 7)), PrefixRejection::PivotFits { .. }));
    assert!(matches!(users(claim(2, 2, 4, 14)), PrefixRejection::TooLarge { .. }));
    assert!(matches!(users(claim(2, 1, u32::MAX, 20)), PrefixRejection::PivotNotReserve { .. }));
    assert!(matches!(users(claim(2, 0, u32::MAX, 20)), PrefixRejection::TooLarge { .. }));
    for units in [0, 8, 10] {
        let (claimed, actual) = (Units::new(units), Units::new(9));
        assert_eq!(users(claim(2, 5, 3, units)), PrefixRejection::UnitsMismatch { claimed, actual });
    }

    let below = verify(CORE, &example(3), &claim(2, 2, 4, 14)).unwrap_err();
    assert!(matches!(below, Rejection::Users(PrefixRejection::PivotBelowReserve { .. })));
}

#[test]
fn each_check_of_average_fee_refuses_with_its_own_reason() {
    // Cap 14: the batch is A to D with 14 units for 96 ticks, all but S ask less than 96 / 14, and 15 units are
    // enough.
    let round = example(0);
    let pivot = UserPivot { fee: UnitPrice::new(2), index: 4 };
    let batch = BatchClaim { pivot, units: Units::new(14), revenue: Ticks::new(96) };
    let claim = |batch, revenue| Certificate {
        user_pivot: pivot,
        units: Units::new(14),
        prover_side: ProverClaim::AverageFee { batch, revenue: Ticks::new(revenue) },
    };
    assert_eq!(certificate(AVERAGE_FEE, &round), claim(batch, 96));
    let reason = |claim| verify(AVERAGE_FEE, &round, &claim).unwrap_err();

    let later = BatchClaim { pivot: UserPivot::at_reserve(round.reserve()), ..batch };
    assert!(matches!(reason(claim(later, 96)), Rejection::Batch(PrefixRejection::TooLarge { .. })));
    let (claimed, actual) = (Units::new(15), Units::new(14));
    let larger = BatchClaim { units: claimed, ..batch };
    let mismatch = PrefixRejection::UnitsMismatch { claimed, actual };
    assert_eq!(reason(claim(larger, 96)), Rejection::Batch(mismatch));
    let (claimed, actual) = (Ticks::new(113), Ticks::new(96));
    let dearer = BatchClaim { revenue: claimed, ..batch };
    assert_eq!(reason(claim(dearer, 96)), Rejection::BatchRevenueMismatch { claimed, actual });
    assert_eq!(reason(claim(batch, 113)), Rejection::RevenueMismatch { claimed, actual });
    let fewer_users = Certificate {
        user_pivot: UserPivot { fee: UnitPrice::new(5), index: 3 },
        units: Units::new(9),
        ..claim(batch, 71)
    };
    assert!(matches!(reason(fewer_users), Rejection::Users(PrefixRejection::PivotFits { .. })));
}

#[test]
fn too_many_winning_provers_are_refused_for_lack_of_demand() {
    let round = round(0, 100, 0, &[(9, 4), (7, 3)], &[(1, 3), (2, 4), (3, 5)]);
    let refused = verify(CORE, &round, &claim(2, 0, u32::MAX, 7)).unwrap_err();
    assert!(matches!(refused, Rejection::DemandTooLow { .. }), "{refused}");
}

#[test]
fn a_round_in_which_no_prover_wins_takes_only_the_pivot_that_admits_nobody() {
    let round = round(0, 100, 0, &[(4, 6)], &[(5, 5), (5, 50)]);
    for mechanism in Mechanism::ALL {
        let right = certificate(mechanism, &round);
        for pivot in candidate_pivots(&round) {
            // Give the revenue that this pivot would bring in, so that nothing else is wrong.
            let prover_side = match right.prover_side {
                ProverClaim::AverageFee { batch, .. } => {
                    ProverClaim::AverageFee { batch, revenue: Ticks::new(before(&round, pivot).0) }
                }
                core @ ProverClaim::Core { .. } => core,
            };
            let claim = Certificate { user_pivot: pivot, prover_side, ..right };
            let expected =
                if pivot == UserPivot::NOBODY_WINS { None } else { Some(Rejection::UserPivotNotCanonical) };
            assert_eq!(verify(mechanism, &round, &claim).err(), expected);
        }
        let units = Certificate { units: Units::new(1), ..right };
        let (claimed, actual) = (Units::new(1), Units::ZERO);
        let mismatch = PrefixRejection::UnitsMismatch { claimed, actual };
        assert_eq!(verify(mechanism, &round, &units).err(), Some(Rejection::Users(mismatch)));
    }
}

#[test]
fn a_certificate_is_written_and_read_back() {
    let core = claim(2, u64::MAX, 3, 9);
    let pivot = UserPivot { fee: UnitPrice::new(2), index: 4 };
    let batch = BatchClaim { pivot, units: Units::new(14), revenue: Ticks::new(u128::MAX) };
    let average_fee =
        Certificate { prover_side: ProverClaim::AverageFee { batch, revenue: Ticks::new(71) }, ..core };
    let users = serde_json::json!({ "fee": "18446744073709551615", "index": 3 });
    for (right, prover_side) in [
        (core, serde_json::json!({ "core": { "pivot_ask": 2 } })),
        (
            average_fee,
            serde_json::json!({ "average-fee": {
                "batch": {
                    "pivot": { "fee": "2", "index": 4 },
                    "units": "14",
                    "revenue": "340282366920938463463374607431768211455",
                },
                "revenue": "71",
            } }),
        ),
    ] {
        let written = serde_json::to_value(right).unwrap();
        let expected = serde_json::json!({ "user_pivot": users, "units": "9", "prover_side": prover_side });
        assert_eq!(written, expected);
        assert_eq!(serde_json::from_value::<Certificate>(written).unwrap(), right);
    }
}
