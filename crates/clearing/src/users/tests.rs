//! Counting and sorting agree, whatever the grain. A coarse grain makes small rounds take every step that large ones
//! take.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "tests may panic")]

#[path = "../../tests/suite/markets.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod markets;

use super::{Counted, Grain, Sorted, Users};
use crate::demand::Demand;
use crate::prefix::Prefix;
use crate::total::Sales;
use crate::{clear, parts, plain};
use market_types::{Mechanism, Round, RoundFile, UnitCost, Units};
use markets::{any_case, any_market, large, medium, round, small, tied};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::Config;

fn grains() -> impl Strategy<Value = Grain> {
    (1..5_u32, 0..4_usize, 1..5_usize).prop_map(|(bits, few, parts)| Grain { bits, few, parts })
}

fn prefixes(round: &Round, grain: Grain, limit: Units) -> (Prefix<Sales>, Prefix<Sales>) {
    (Counted::of(round, grain).prefix(limit), Sorted::of(round).prefix(limit))
}

proptest! {
    #![proptest_config(Config::with_cases(5_000))]

    #[test]
    fn counting_and_sorting_clear_alike((mechanism, round) in any_case(), grain in grains()) {
        prop_assert_eq!(
            clear::cleared(mechanism, &round, grain),
            plain::clear_with_certificate(mechanism, &round)
        );
    }

    #[test]
    fn counting_and_sorting_take_the_same_users_up_to_any_limit(
        round in any_market(),
        grain in grains(),
        limit in any::<u64>(),
    ) {
        let total: u64 = round.bids().iter().map(|bid| u64::from(bid.size.get())).sum();
        let (counted, sorted) = prefixes(&round, grain, Units::new(limit % (total + 2)));
        prop_assert_eq!(counted, sorted);
    }

    #[test]
    fn counting_and_sorting_find_the_same_demand(
        round in prop_oneof![small(), medium(), tied()],
        grain in grains(),
        steps in vec((0..200_u64, 0..40_u64), 1..40),
    ) {
        // Prices from far apart to one tick apart, as the fees of these rounds are.
        let scale = round.bids().iter().map(|bid| bid.fee.get()).max().unwrap_or(1) / 100 + 1;
        let (counted, sorted) = (Counted::<Units>::of(&round, grain), Sorted::of(&round));
        let (mut counted, mut sorted) = (counted.demand(), Users::<Units>::demand(&sorted));
        let (mut price, mut supply) = (round.reserve().get(), 0);
        for (dearer, more) in steps {
            (price, supply) = (price + dearer % 5 * scale / 4, supply + more);
            let (price, supply) = (UnitCost::new(price), Units::new(supply));
            prop_assert_eq!(counted.exceeds(price, supply), sorted.exceeds(price, supply));
        }
    }
}

proptest! {
    #![proptest_config(Config::with_cases(100))]

    #[test]
    fn large_rounds_clear_alike_in_any_number_of_parts(round in large(), parts in 1..6_usize) {
        for mechanism in Mechanism::ALL {
            let cleared = clear::cleared(mechanism, &round, Grain { parts, ..Grain::of(&round) });
            // Compared as a whole, since a failure would print thousands of bids.
            prop_assert!(cleared == plain::clear_with_certificate(mechanism, &round), "{}", mechanism);
        }
    }
}

/// Large enough to be cut into parts by itself, and called from without the pool of threads.
#[test]
fn rounds_of_two_parts_clear_alike() {
    let spread = |i: u32| (1 + u64::from(i.wrapping_mul(2_654_435_761)), 1 + i % 64);
    let bids: Vec<(u64, u32)> = (0..150_000).map(spread).collect();
    let asks: Vec<(u64, u32)> = (0..20_u64).map(|i| (i << 27, 200_000)).collect();
    let round = round(3, 3_000_000, 1 << 20, &bids, &asks);
    assert!(parts::number_for(round.bids().len()) > 1 || rayon::current_num_threads() == 1);
    for mechanism in Mechanism::ALL {
        let plain = plain::clear_with_certificate(mechanism, &round);
        assert!(plain.0.is_trade());
        assert_eq!(clear::certificate(mechanism, &round), plain.1);
        assert!(clear::clear_with_certificate(mechanism, &round) == plain, "{mechanism}");
    }
}

#[test]
fn counting_and_sorting_take_the_same_users_up_to_every_limit() {
    let bids: Vec<(u64, u32)> =
        (0..40).map(|i| (1 + i * 7 % 13, 1 + u32::try_from(i).unwrap() % 3)).collect();
    for reserve in [0, 1, 2, 7, 13, 14, u64::MAX] {
        let round = round(0, 100, reserve, &bids, &[]);
        for grain in [(1, 0, 1), (2, 1, 7), (3, 5, 2)].map(|(bits, few, parts)| Grain { bits, few, parts }) {
            for limit in (0..=90).map(Units::new) {
                let (counted, sorted) = prefixes(&round, grain, limit);
                assert_eq!(counted, sorted, "reserve {reserve}, {grain:?}, limit {limit}");
            }
        }
    }
}

#[test]
fn every_vector_is_decided_alike() {
    let vectors = include_str!("../../../../tests/vectors/clearing.json");
    let file: RoundFile = serde_json::from_str(vectors).unwrap();
    for round in file.into_rounds() {
        for mechanism in Mechanism::ALL {
            for grain in
                [(1, 0, 3), (3, 2, 1), (10, 0, 2)].map(|(bits, few, parts)| Grain { bits, few, parts })
            {
                let plain = plain::clear_with_certificate(mechanism, &round);
                assert_eq!(clear::cleared(mechanism, &round, grain), plain);
            }
        }
    }
}
