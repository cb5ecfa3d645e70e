//! The vectors made by an independent implementation, and the written form that they fix.

use clearing::{ClearedRound, CoreOutcome, certificate, clear, verify};
use market_types::{Round, RoundFile};
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

#[test]
fn every_vector_clears_to_its_outcome() {
    let mut trades = 0;
    for (round, record) in rounds().iter().zip(records()) {
        let outcome = clear(round);
        assert_eq!(serde_json::to_value(&outcome).unwrap(), record["core"], "{}", record["name"]);
        trades += usize::from(outcome.is_trade());
    }
    assert_eq!(trades, 157, "the vectors hold 157 rounds with a trade and 83 without");
}

#[test]
fn every_vector_has_a_certificate_that_proves_its_outcome() {
    for (round, record) in rounds().iter().zip(records()) {
        let proved = verify(round, &certificate(round)).expect("the certificate is accepted");
        let expected: CoreOutcome = serde_json::from_value(record["core"].clone()).unwrap();
        assert_eq!(proved, expected, "{}", record["name"]);
    }
}

#[test]
fn a_cleared_round_is_written_and_read_back() {
    for round in rounds() {
        let cleared = ClearedRound::of(&round);
        let written = serde_json::to_value(&cleared).unwrap();
        assert_eq!(written.as_object().unwrap().keys().collect::<Vec<_>>(), ["core"]);
        assert_eq!(serde_json::from_value::<ClearedRound>(written).unwrap(), cleared);
    }
}
