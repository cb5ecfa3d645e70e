//! The crate and the slow transcription of the mechanism agree.

use crate::markets::{any_case, huge, large, medium, small, tied, wild};
use crate::reference;
use clearing::{certificate, clear, clear_with_certificate, plain, verify};
use market_types::Mechanism;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

proptest! {
    #![proptest_config(Config::with_cases(5_000))]

    #[test]
    fn clearing_agrees_with_the_reference((mechanism, round) in any_case()) {
        prop_assert_eq!(clear(mechanism, &round), reference::outcome(mechanism, &round));
    }

    #[test]
    fn the_certificate_proves_the_outcome_of_the_reference((mechanism, round) in any_case()) {
        let (outcome, certificate) = clear_with_certificate(mechanism, &round);
        prop_assert_eq!(&outcome, &reference::outcome(mechanism, &round));
        prop_assert_eq!(verify(mechanism, &round, &certificate), Ok(outcome));
    }
}

proptest! {
    #![proptest_config(Config::with_cases(300))]

    #[test]
    fn large_rounds_clear_as_if_all_bids_were_sorted(round in large()) {
        for mechanism in Mechanism::ALL {
            let (outcome, claim) = clear_with_certificate(mechanism, &round);
            prop_assert_eq!(certificate(mechanism, &round), claim);
            // Compared as a whole, since a failure would print thousands of bids.
            prop_assert!((outcome, claim) == plain::clear_with_certificate(mechanism, &round), "{}", mechanism);
        }
    }
}

/// Of 200 rounds of each shape enough have a trade for the properties over random rounds to mean something.
#[test]
fn random_rounds_of_every_shape_trade_often() {
    fn trades(mechanism: Mechanism, strategy: impl Strategy<Value = market_types::Round>) -> usize {
        let mut runner = TestRunner::deterministic();
        (0..200)
            .filter(|_| clear(mechanism, &strategy.new_tree(&mut runner).unwrap().current()).is_trade())
            .count()
    }
    for mechanism in Mechanism::ALL {
        for (shape, count) in [
            ("small", trades(mechanism, small())),
            ("medium", trades(mechanism, medium())),
            ("tied", trades(mechanism, tied())),
            ("huge", trades(mechanism, huge())),
            ("wild", trades(mechanism, wild())),
            ("large", trades(mechanism, large())),
        ] {
            assert!(count >= 40, "{mechanism}, {shape}: {count} trades in 200 rounds");
        }
    }
}
