//! The suite itself: it passes where nothing is wrong, and can turn red.
#![allow(clippy::unwrap_used, reason = "a panic is the failure")]

use std::process::Command;

fn suite(schedules: &str, planted: bool) -> (bool, String) {
    let logs = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_faults"));
    command.args(["--schedules", schedules, "--logs"]).arg(logs.path()).env_remove("PROOPHI_CANARY");
    if planted {
        command.env("PROOPHI_CANARY", "true");
    }
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn it_passes_where_nothing_is_wrong() {
    let (passed, said) = suite("6", false);
    assert!(passed && said.contains("6 passed; 0 failed"), "{said}");
}

#[test]
fn a_planted_failure_turns_it_red() {
    let (passed, said) = suite("1", true);
    assert!(!passed && said.contains("planted failure"), "{said}");
}
