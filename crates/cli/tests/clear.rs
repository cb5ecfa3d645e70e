//! `proophi clear` as a user runs it.

use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/clearing.json")
}

fn proophi(arguments: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_proophi"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("proophi starts");
    // A command that refuses its arguments may be gone before it reads anything.
    let _ = child.stdin.take().expect("it was piped").write_all(stdin.as_bytes());
    child.wait_with_output().expect("proophi ends")
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("messages are text")
}

fn example() -> Value {
    json!({
        "round": 0, "capacity_cap": "100", "reserve_price": "0",
        "bids": [["9", 4], ["7", 3], ["7", 2], ["5", 5], ["2", 6]],
        "asks": [["1", "5"], ["3", "4"], ["4", "6"], ["8", "9"]],
    })
}

#[test]
fn every_vector_comes_out_exactly() {
    let path = vectors();
    let expected: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let output = proophi(&["clear", path.to_str().unwrap()], "");
    assert!(output.status.success(), "{}", stderr(&output));
    let cleared: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert!(expected.len() >= 100, "only {} vectors", expected.len());
    assert_eq!(cleared.len(), expected.len());
    for (outcome, vector) in cleared.iter().zip(&expected) {
        let both = json!({ "core": vector["core"], "average_fee": vector["average_fee"] });
        assert_eq!(outcome, &both, "{}", vector["name"]);
    }
}

#[test]
fn one_round_from_stdin_gives_a_list_of_one() {
    for arguments in [&["clear", "-"][..], &["--json", "clear", "-"], &["clear", "-", "--json"]] {
        let output = proophi(&[arguments, &["--mechanism", "core"]].concat(), &example().to_string());
        assert!(output.status.success(), "{}", stderr(&output));
        let cleared: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            cleared,
            json!([{ "core": {
                "winning_bids": [0, 1, 2], "winning_asks": [0, 1],
                "user_price": "5", "prover_price": "4", "units": "9",
                "assignment": [[0, 0], [1, 0], [2, 1]],
            }}])
        );
    }
}

#[test]
fn a_mechanism_is_picked_by_name() {
    let cleared = |mechanism| {
        let output = proophi(&["clear", "-", "--mechanism", mechanism], &example().to_string());
        assert!(output.status.success(), "{}", stderr(&output));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    // All bids fit the cap and offer 108 ticks for 20 units, 5.4 each: the asks of 1, 3 and 4 are below that.
    let average = cleared("average-fee");
    assert_eq!(average[0]["average_fee"]["winning_asks"], json!([0, 1, 2]));
    assert_eq!(average[0].as_object().map(serde_json::Map::len), Some(1));
    assert_eq!(cleared("all")[0]["average_fee"], average[0]["average_fee"]);
    assert_eq!(cleared("all")[0]["core"], cleared("core")[0]["core"]);
}

#[test]
fn an_empty_list_gives_an_empty_list() {
    let output = proophi(&["clear", "-"], "[]");
    assert!(output.status.success());
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap(), json!([]));
}

#[test]
fn a_wrong_number_is_named_with_its_place() {
    let mut round = example();
    round["bids"][3][1] = json!(0);
    let output = proophi(&["clear", "-"], &json!([example(), round]).to_string());
    assert_eq!(output.status.code(), Some(3));
    assert!(output.stdout.is_empty());
    assert!(stderr(&output).contains("rounds[1].bids[3], size"), "{}", stderr(&output));
}

#[test]
fn errors_are_json_with_code_when_asked() {
    let output = proophi(&["clear", "no-such-file.json", "--json"], "");
    assert_eq!(output.status.code(), Some(3));
    assert!(output.stdout.is_empty());
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["code"], "input");
    assert_eq!(error["error"]["exit_code"], 3);
    assert!(error["error"]["message"].as_str().unwrap().contains("no-such-file.json"));
}

#[test]
fn usage_errors_are_json_too() {
    let output = proophi(&["clear", "--json"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["code"], "usage");
    assert!(error["error"]["message"].as_str().unwrap().contains("FILE"));
}

#[test]
fn text_that_is_no_json_is_refused_with_the_file() {
    let output = proophi(&["clear", "-"], "round 7");
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("- holds no rounds"), "{}", stderr(&output));
}
