//! The written form of rounds and numbers, both ways, and what its errors say.

use market_types::{
    AskIndex, BidIndex, Capacity, Mechanism, NumberError, Round, RoundFile, RoundNumber, TaskSize, Ticks,
    UnitFee, Units,
};
use serde_json::{Value, json};

const VECTORS: &str = include_str!("../../../tests/vectors/clearing.json");

fn example() -> Value {
    json!({
        "round": 3,
        "capacity_cap": "100",
        "reserve_price": "0",
        "bids": [["9", 4], ["7", 3]],
        "asks": [["1", "5"], ["3", "4"]],
    })
}

fn with(field: &str, value: Value) -> Value {
    let mut round = example();
    round[field] = value;
    round
}

fn refusal(value: Value) -> String {
    serde_json::from_value::<Round>(value).expect_err("the round is refused").to_string()
}

#[test]
fn every_vector_is_read_and_written_back() {
    let file: RoundFile = serde_json::from_str(VECTORS).unwrap();
    let records: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    assert_eq!((file.rounds().len(), records.len()), (240, 240));
    for (round, record) in file.rounds().iter().zip(records) {
        let written = serde_json::to_value(round).unwrap();
        for field in ["round", "capacity_cap", "reserve_price", "bids", "asks"] {
            assert_eq!(written[field], record[field], "{}: {field}", record["name"]);
        }
        assert_eq!(written.as_object().unwrap().len(), 5);
        assert_eq!(&serde_json::from_value::<Round>(written).unwrap(), round);
    }
}

#[test]
fn a_file_holds_one_round_or_a_list() {
    let one: RoundFile = serde_json::from_value(example()).unwrap();
    let list: RoundFile = serde_json::from_value(json!([example(), example()])).unwrap();
    assert_eq!(one.rounds().len(), 1);
    assert_eq!(list.rounds(), [one.rounds()[0].clone(), one.rounds()[0].clone()]);
    assert_eq!(serde_json::to_value(&one).unwrap(), json!([example()]));
}

#[test]
fn numbers_and_decimal_strings_mean_the_same_and_other_fields_are_ignored() {
    let mixed = json!({
        "name": "x", "max_task_size": 64, "core": { "units": "9" },
        "round": "3", "capacity_cap": 100, "reserve_price": 0,
        "bids": [[9, "4"], ["7", 3]],
        "asks": [["1", 5], [3, "4"]],
    });
    let round: Round = serde_json::from_value(mixed).unwrap();
    assert_eq!(round, serde_json::from_value::<Round>(example()).unwrap());
    assert_eq!(serde_json::to_value(&round).unwrap(), example());
}

#[test]
fn seats_with_gaps_survive_writing() {
    let round: Round = serde_json::from_value(with("ask_seats", json!([2, 7]))).unwrap();
    let seats: Vec<u32> = round.asks().iter().map(|entry| entry.seat.get()).collect();
    assert_eq!(seats, [2, 7]);
    assert!(round.ask(AskIndex::new(2)).is_some() && round.ask(AskIndex::new(0)).is_none());
    let written = serde_json::to_value(&round).unwrap();
    assert_eq!(written["ask_seats"], json!([2, 7]));
    assert_eq!(serde_json::from_value::<Round>(written).unwrap(), round);
}

#[test]
fn a_refusal_names_the_entry_and_what_to_write() {
    let decimal = "write a whole number from 0 to 2^64 - 1 in decimal digits";
    let bid = |entry: Value| refusal(with("bids", json!([["9", 4], entry])));
    let ask = |entry: Value| refusal(with("asks", json!([["9", 4], ["9", 4], entry])));
    assert_eq!(
        bid(json!(["7", 0])),
        "bids[1], size: task size is 0; use a whole number from 1 to 4294967295"
    );
    assert_eq!(
        bid(json!(["7", 4_294_967_296_u64])),
        "bids[1], size: task size is 4294967296; use a whole number from 1 to 4294967295"
    );
    assert_eq!(
        bid(json!(["0", 1])),
        "bids[1], unit fee: unit fee is 0; use a whole number from 1 to 18446744073709551615"
    );
    assert_eq!(bid(json!(["1e3", 1])), format!("bids[1], unit fee: found \"1e3\"; {decimal}"));
    assert_eq!(
        bid(json!(["18446744073709551616", 1])),
        format!("bids[1], unit fee: found \"18446744073709551616\"; {decimal}")
    );
    assert_eq!(bid(json!([1.5, 1])), format!("bids[1], unit fee: found 1.5; {decimal}"));
    assert_eq!(bid(json!([-1, 1])), format!("bids[1], unit fee: found -1; {decimal}"));
    assert_eq!(bid(json!([null, 1])), format!("bids[1], unit fee: found nothing; {decimal}"));
    assert_eq!(bid(json!([7])), "bids[1]: found a list of 1; write a list of two numbers, [unit fee, size]");
    assert_eq!(
        bid(json!([7, 1, 2])),
        "bids[1]: found a list of 3; write a list of two numbers, [unit fee, size]"
    );
    assert_eq!(
        bid(json!({"fee": 7})),
        "bids[1]: found an object; write a list of two numbers, [unit fee, size]"
    );
    assert_eq!(bid(json!("7")), "bids[1]: found a text; write a list of two numbers, [unit fee, size]");
    assert_eq!(
        ask(json!([0, "0"])),
        "asks[2], capacity: capacity is 0; use a whole number from 1 to 4294967295"
    );
    assert_eq!(
        ask(json!([])),
        "asks[2]: found an empty list; write a list of two numbers, [unit cost, capacity]"
    );
    assert_eq!(
        refusal(with("capacity_cap", json!("0"))),
        "capacity_cap: capacity cap is 0; use a whole number from 1 to 18446744073709551615"
    );
    assert_eq!(refusal(with("reserve_price", json!(""))), format!("reserve_price: found \"\"; {decimal}"));
    assert_eq!(refusal(with("round", json!([1]))), format!("round: found a list; {decimal}"));
}

#[test]
fn a_refusal_in_a_list_names_the_round() {
    let file = json!([example(), with("bids", json!([["7", 0]]))]);
    let error = serde_json::from_value::<RoundFile>(file).unwrap_err().to_string();
    assert!(error.starts_with("rounds[1].bids[0], size: "), "{error}");
}

#[test]
fn a_missing_field_is_named() {
    for field in ["round", "capacity_cap", "reserve_price", "bids", "asks"] {
        let mut round = example();
        round.as_object_mut().unwrap().remove(field);
        assert_eq!(refusal(round), format!("missing field `{field}`"));
    }
}

#[test]
fn seats_must_match_the_asks_and_ascend() {
    assert_eq!(
        refusal(with("ask_seats", json!([1]))),
        "ask_seats has 1 entries for 2 asks; give one seat per ask, or leave the field out"
    );
    for seats in [json!([4, 4]), json!([5, 4])] {
        let expected =
            format!("asks[1]: seat 4 follows seat {}; list each seat once, in ascending order", seats[0]);
        assert_eq!(refusal(with("ask_seats", seats)), expected);
    }
}

#[test]
fn a_long_text_is_cut_in_the_message() {
    let error = refusal(with("round", json!("x".repeat(1_000_000))));
    assert!(error.len() < 200, "{} characters", error.len());
}

#[test]
fn constructors_refuse_what_lies_outside_the_range() {
    assert!(TaskSize::new(0).is_err() && Capacity::new(0).is_err() && UnitFee::new(0).is_err());
    assert!(BidIndex::new(u32::MAX).is_err());
    assert_eq!(BidIndex::new(u32::MAX - 1).unwrap(), BidIndex::MAX);
    let error = TaskSize::from_u64(1 << 32).unwrap_err();
    assert_eq!((error.given, error.min, error.max), (1 << 32, 1, u64::from(u32::MAX)));
    assert_eq!(UnitFee::new(u64::MAX).unwrap().get(), u64::MAX);
}

#[test]
fn numbers_are_parsed_from_plain_digits_only() {
    assert_eq!("12".parse::<UnitFee>().unwrap().to_string(), "12");
    assert!(matches!("0".parse::<UnitFee>(), Err(NumberError::OutOfRange(_))));
    for text in ["", "+1", "-1", " 1", "1_000", "0x1", "1.0", "18446744073709551616"] {
        assert!(matches!(text.parse::<UnitFee>(), Err(NumberError::NotDecimal { .. })), "{text}");
    }
}

#[test]
fn amounts_are_written_as_text_and_counters_as_numbers() {
    assert_eq!(serde_json::to_string(&Units::MAX).unwrap(), "\"18446744073709551615\"");
    assert_eq!(serde_json::to_string(&RoundNumber::new(7)).unwrap(), "7");
    assert_eq!(serde_json::from_str::<Units>("5").unwrap(), serde_json::from_str::<Units>("\"5\"").unwrap());
    assert!(serde_json::from_str::<TaskSize>("0").is_err());
}

#[test]
fn money_is_read_up_to_128_bits() {
    let most = "340282366920938463463374607431768211455";
    assert_eq!(most.parse::<Ticks>().unwrap(), Ticks::new(u128::MAX));
    assert_eq!(serde_json::to_string(&Ticks::new(u128::MAX)).unwrap(), format!("\"{most}\""));
    assert_eq!(serde_json::from_str::<Ticks>(&format!("\"{most}\"")).unwrap(), Ticks::new(u128::MAX));
    assert_eq!(serde_json::from_str::<Ticks>("5").unwrap(), Ticks::new(5));
    let error = "340282366920938463463374607431768211456".parse::<Ticks>().unwrap_err().to_string();
    assert!(error.ends_with("write a whole number from 0 to 2^128 - 1 in decimal digits"), "{error}");
}

#[test]
fn a_mechanism_is_written_by_its_name() {
    for (mechanism, name) in Mechanism::ALL.into_iter().zip(["core", "average-fee"]) {
        assert_eq!(mechanism.to_string(), name);
        assert_eq!(name.parse::<Mechanism>(), Ok(mechanism));
        assert_eq!(serde_json::to_value(mechanism).unwrap(), json!(name));
        assert_eq!(serde_json::from_value::<Mechanism>(json!(name)).unwrap(), mechanism);
    }
    let error = "AverageFee".parse::<Mechanism>().unwrap_err().to_string();
    assert_eq!(error, "there is no mechanism \"AverageFee\"; write core or average-fee");
}
