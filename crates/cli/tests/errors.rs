//! What `proophi` says when something is wrong, before it ever reaches a chain.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// Runs `proophi` in `dir`, without any setting of the developer's own environment.
fn proophi(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proophi"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PROOPHI_")) {
        command.env_remove(name);
    }
    command.current_dir(dir).args(arguments).output().expect("proophi starts")
}

/// Exit code, code and message of the JSON error; nothing may be on stdout.
fn refused(dir: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = proophi(dir, &[arguments, &["--json"]].concat());
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    let error: Value = serde_json::from_slice(&output.stderr).expect("stderr is one JSON value");
    let text = |field: &str| error["error"][field].as_str().unwrap_or_default().to_owned();
    assert_eq!(error["error"]["exit_code"].as_i64(), output.status.code().map(i64::from));
    (output.status.code().unwrap_or(-1), text("code"), text("message"))
}

const CONTRACT: &str = "--contract=0x5FbDB2315678afecb367f032d93F642f64180aa3";
/// The first key of every development chain.
const KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

#[test]
fn without_a_contract_the_way_to_one_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (exit, code, message) = refused(dir.path(), &["market", "list"]);
    assert_eq!((exit, code.as_str()), (3, "input"));
    assert!(message.contains("--contract") && message.contains("proophi devnet"), "{message}");
}

#[test]
fn an_unreachable_chain_has_a_code_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    // Port 1 is never listened on.
    let (exit, code, message) =
        refused(dir.path(), &["market", "list", CONTRACT, "--rpc-url=http://127.0.0.1:1"]);
    assert_eq!((exit, code.as_str()), (4, "connection"));
    assert!(message.contains("--rpc-url"), "{message}");
}

#[test]
fn unknown_keys_in_the_settings_file_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("proophi.toml"), "rpc_link = 'http://127.0.0.1:1'").unwrap();
    let (exit, _, message) = refused(dir.path(), &["market", "list"]);
    assert_eq!(exit, 3);
    assert!(message.contains("rpc_link"), "{message}");
}

#[test]
fn the_settings_of_a_devnet_are_picked_up() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join(".proophi")).unwrap();
    let contract = CONTRACT.trim_start_matches("--contract=");
    let settings = format!("rpc_url = 'http://127.0.0.1:1'\ncontract = '{contract}'");
    std::fs::write(dir.path().join(".proophi/config.toml"), settings).unwrap();
    let (exit, ..) = refused(dir.path(), &["market", "list"]);
    assert_eq!(exit, 4);
}

#[test]
fn without_a_key_both_ways_to_give_one_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let (exit, _, message) = refused(dir.path(), &["deposit", "1eth", CONTRACT]);
    assert_eq!(exit, 3);
    assert!(message.contains("--key-file") && message.contains("PROOPHI_PRIVATE_KEY"), "{message}");
}

#[cfg(unix)]
#[test]
fn a_key_file_open_to_others_is_refused_and_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("key"), KEY).unwrap();
    let (exit, _, message) = refused(dir.path(), &["deposit", "1eth", CONTRACT, "--key-file=key"]);
    assert_eq!(exit, 3);
    assert!(message.contains("chmod 600") && !message.contains(&KEY[..8]), "{message}");
}

#[test]
fn no_argument_takes_a_private_key() {
    let dir = tempfile::tempdir().unwrap();
    for command in [&["deposit"][..], &["bid"], &["prover", "register"], &["deploy"]] {
        let help = proophi(dir.path(), &[command, &["--help"]].concat());
        let text = String::from_utf8_lossy(&help.stdout).into_owned();
        assert!(help.status.success() && text.contains("--key-file"), "{text}");
        assert!(!text.contains("--private-key"), "{text}");
    }
}

#[test]
fn amounts_that_make_no_sense_are_refused_as_usage() {
    let dir = tempfile::tempdir().unwrap();
    let (exit, code, message) = refused(dir.path(), &["deposit", "1btc"]);
    assert_eq!((exit, code.as_str()), (2, "usage"));
    assert!(message.contains("0.5eth") && message.contains("150ticks"), "{message}");
}

#[test]
fn a_bid_without_anything_to_prove_is_refused_as_usage() {
    let dir = tempfile::tempdir().unwrap();
    for arguments in [&["bid"][..], &["bid", "--fee", "5", "--generate", "2", "--circuit", "transfers-1"]] {
        let (exit, code, _) = refused(dir.path(), arguments);
        assert_eq!((exit, code.as_str()), (2, "usage"), "{arguments:?}");
    }
}

#[test]
fn help_lists_commands_and_exit_codes() {
    let dir = tempfile::tempdir().unwrap();
    let output = proophi(dir.path(), &["--help"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success());
    for word in [
        "demo",
        "devnet",
        "deploy",
        "market",
        "deposit",
        "withdraw",
        "bid",
        "prover",
        "round",
        "account",
        "clear",
        "Exit codes:",
    ] {
        assert!(text.contains(word), "{word}");
    }
}
