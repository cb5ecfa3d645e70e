//! The suite itself: it passes where nothing is wrong, and can turn red.
#![allow(clippy::unwrap_used, reason = "a panic is the failure")]

use std::process::Command;

fn suite(schedules: &str, variable: Option<(&str, &str)>) -> (bool, String) {
    let logs = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_faults"));
    command.args(["--schedules", schedules, "--logs"]).arg(logs.path()).env_remove("PROOPHI_CANARY");
    let output = command.envs(variable).output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn it_passes_where_nothing_is_wrong() {
    let (passed, said) = suite("6", None);
    assert!(passed && said.contains("6 passed; 0 failed"), "{said}");
}

#[test]
fn a_planted_failure_turns_it_red() {
    let (passed, said) = suite("1", Some(("PROOPHI_CANARY", "true")));
    assert!(!passed && said.contains("planted failure"), "{said}");
}

#[test]
fn a_schedule_that_breaks_off_fails_alone() {
    let (passed, said) = suite("3", Some(("PROOPHI_CANARY", "schedule")));
    assert!(!passed && said.contains("2 passed; 1 failed"), "{said}");
    assert!(said.contains("seed 0") && said.contains("carried-out: planted failure"), "{said}");
}

#[test]
fn without_a_chain_all_fail_and_not_all_are_tried() {
    let (passed, said) = suite("100", Some(("PROOPHI_ANVIL", "true")));
    assert!(!passed && said.contains("0 passed; 1"), "{said}");
    assert!(said.contains("carried-out: Anvil says where it listens"), "{said}");
    assert!(said.matches("replay").count() <= 12 && said.contains("more schedules"), "{said}");
}
