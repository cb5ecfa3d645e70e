//! The crate and the slow transcription of the mechanism agree.

use crate::markets::{any_market, huge, medium, small, tied, wild};
use crate::reference;
use clearing::{clear, clear_with_certificate, verify};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

proptest! {
    #![proptest_config(Config::with_cases(3_000))]

    #[test]
    fn clearing_agrees_with_the_reference(round in any_market()) {
        prop_assert_eq!(clear(&round), reference::outcome(&round));
    }

    #[test]
    fn the_certificate_proves_the_outcome_of_the_reference(round in any_market()) {
        let (outcome, certificate) = clear_with_certificate(&round);
        prop_assert_eq!(&outcome, &reference::outcome(&round));
        prop_assert_eq!(verify(&round, &certificate), Ok(outcome));
    }
}

/// Of 200 rounds of each shape enough have a trade for the properties over random rounds to mean something.
#[test]
fn random_rounds_of_every_shape_trade_often() {
    fn trades(strategy: impl Strategy<Value = market_types::Round>) -> usize {
        let mut runner = TestRunner::deterministic();
        (0..200).filter(|_| clear(&strategy.new_tree(&mut runner).unwrap().current()).is_trade()).count()
    }
    for (shape, count) in [
        ("small", trades(small())),
        ("medium", trades(medium())),
        ("tied", trades(tied())),
        ("huge", trades(huge())),
        ("wild", trades(wild())),
    ] {
        assert!(count >= 40, "{shape}: {count} trades in 200 rounds");
    }
}
