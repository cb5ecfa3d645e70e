//! The vectors made by an independent implementation, and the written form that they fix.

use clearing::{ClearedRound, Outcome, certificate, clear, verify};
use market_types::{Mechanism, Round, RoundFile};
use serde_json::Value;

const VECTORS: &str = include_str!("../../../../tests/vectors/clearing.json");
const COUNT: usize = 240;

fn rounds() -> Vec<Round> {
    let file: RoundFile = serde_json::from_str(VECTORS).expect("the vectors are rounds");
    assert_eq!(file.rounds().len(), COUNT);
    file.into_rounds()
}

fn records() -> Vec<Value> {
    let records: Vec<Value> = serde_json::from_str(VECTORS).expect("the vectors are a list");
    assert_eq!(records.len(), COUNT);
    records
}

/// The mechanisms, each with its key in the vectors and the number of rounds with a trade.
const PARTS: [(Mechanism, &str, usize); 2] =
    [(Mechanism::Core, "core", 157), (Mechanism::AverageFee, "average_fee", 195)];

#[test]
fn every_vector_clears_to_its_outcome() {
    for (mechanism, part, with_a_trade) in PARTS {
        let mut trades = 0;
        for (round, record) in rounds().iter().zip(records()) {
            let outcome = clear(mechanism, round);
            assert_eq!(serde_json::to_value(&outcome).unwrap(), record[part], "{}", record["name"]);
            trades += usize::from(outcome.is_trade());
        }
        assert_eq!(trades, with_a_trade, "{mechanism}");
    }
}

#[test]
fn every_vector_has_a_certificate_that_proves_its_outcome() {
    for (mechanism, part, _) in PARTS {
        for (round, record) in rounds().iter().zip(records()) {
            let claim = certificate(mechanism, round);
            let proved = verify(mechanism, round, &claim).expect("the certificate is accepted");
            let expected: Outcome = serde_json::from_value(record[part].clone()).unwrap();
            assert_eq!(proved, expected, "{}", record["name"]);
        }
    }
}

#[test]
fn a_cleared_round_is_written_and_read_back() {
    for round in rounds() {
        let cleared = ClearedRound::of(&round);
        let written = serde_json::to_value(&cleared).unwrap();
        let parts: Vec<_> = written.as_object().unwrap().keys().cloned().collect();
        assert_eq!(parts, ["average_fee", "core"]);
        assert_eq!(serde_json::from_value::<ClearedRound>(written).unwrap(), cleared);
    }
}
