//! The program as operators see it: settings, key, logs, signals, exit codes.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

mod support;

use alloy::primitives::hex;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use support::{Stage, until};

struct Operator {
    dir: tempfile::TempDir,
    url: String,
    contract: String,
    secret: String,
}

impl Operator {
    fn of(stage: &Stage) -> Self {
        let secret = hex::encode(stage.bed.anvil.account(7).to_bytes());
        let dir = tempfile::tempdir().unwrap();
        let operator = Self {
            dir,
            url: stage.bed.anvil.url().to_owned(),
            contract: stage.bed.deployment.market.to_string(),
            secret,
        };
        std::fs::write(operator.key_file(), &operator.secret).unwrap();
        std::fs::set_permissions(operator.key_file(), Permissions::from_mode(0o600)).unwrap();
        operator
    }

    fn key_file(&self) -> PathBuf {
        self.dir.path().join("relayer.key")
    }

    /// The program with everything that it needs, for all markets.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare(&["--rpc-url", &self.url, "--contract", &self.contract]);
        command.arg("--key-file").arg(self.key_file()).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> (i32, String) {
        text_of(&self.command(arguments).output().unwrap())
    }
}

fn bare(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relayer"));
    // Rounds of tests pay much less than their gas costs.
    command.arg("--settle-at-a-loss").args(arguments);
    command.env_remove("PROOPHI_PRIVATE_KEY").env_remove("RUST_LOG");
    command
}

fn text_of(output: &Output) -> (i32, String) {
    assert!(output.stdout.is_empty(), "logs belong on stderr");
    (output.status.code().unwrap(), String::from_utf8(output.stderr.clone()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn once_settles_what_can_be_settled_and_exits_with_zero() {
    let stage = Stage::new().await;
    stage.close().await;
    let operator = Operator::of(&stage);
    let (code, log) = operator.run(&["--once", "--json"]);
    assert_eq!(code, 0, "{log}");
    assert!(log.lines().count() >= 3, "{log}");
    assert!(log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{log}");
    assert!(stage.is_settled(&stage.market).await);
    assert!(!log.contains(&operator.secret));

    let (code, log) = operator.run(&["--once"]);
    assert_eq!(code, 0, "{log}");
    assert!(log.contains("settled=0"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_stops_it_cleanly_and_a_kill_loses_nothing() {
    let stage = Stage::new().await;
    let operator = Operator::of(&stage);
    let start = || {
        let mut command = operator.command(&["--poll-ms", "50"]);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    // Killed while it follows the open round; what it knew is gone.
    let mut first = start();
    tokio::time::sleep(std::time::Duration::from_millis(800)).await;
    first.kill().unwrap();
    first.wait().unwrap();

    let second = start();
    stage.close().await;
    until("settled", async || stage.is_settled(&stage.market).await).await;
    let stopped = Command::new("kill").args(["-TERM", &second.id().to_string()]).status().unwrap();
    assert!(stopped.success());
    let output = second.wait_with_output().unwrap();
    let (code, log) = text_of(&output);
    assert_eq!(code, 0, "{log}");
    assert!(log.contains("settled the round") && log.contains("stopping"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_that_is_too_large_is_settled_in_pages() {
    let stage = Stage::new().await;
    stage.close().await;
    let (code, log) = Operator::of(&stage).run(&["--once", "--page-entries", "5"]);
    assert_eq!(code, 0, "{log}");
    assert_eq!(log.matches("settled a page of the round").count(), 2, "{log}");
    assert!(log.contains("settled the round") && stage.is_settled(&stage.market).await, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_and_wrong_contracts_have_their_own_exit_codes() {
    let stage = Stage::new().await;
    let operator = Operator::of(&stage);
    let (code, log) = operator.run(&["--market", "0x12"]);
    assert_eq!(code, 2, "{log}");
    let (code, log) = operator.run(&["--once", "--chain-id", "5"]);
    assert_eq!(code, 3, "{log}");
    assert!(log.contains("31337"), "{log}");
    let lens = stage.bed.deployment.lens.to_string();
    let mut other = bare(&["--rpc-url", &operator.url, "--contract", &lens, "--key-file"]);
    let (code, log) = text_of(&other.arg(operator.key_file()).output().unwrap());
    assert_eq!(code, 3, "{log}");
    let unknown = format!("0x{}", "12".repeat(32));
    let (code, log) = operator.run(&["--market", &unknown]);
    assert_eq!(code, 3, "{log}");
    assert!(log.contains("UnknownMarket"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_others_can_read_or_no_key_is_refused() {
    let stage = Stage::new().await;
    let operator = Operator::of(&stage);
    let arguments =
        ["--rpc-url", &operator.url, "--contract", &operator.contract, "--once", "--journal", "memory"];
    let (code, log) = text_of(&bare(&arguments).output().unwrap());
    assert_eq!(code, 2, "{log}");
    let (code, log) =
        text_of(&bare(&arguments).env("PROOPHI_PRIVATE_KEY", &operator.secret).output().unwrap());
    assert_eq!(code, 0, "{log}");
    std::fs::set_permissions(operator.key_file(), Permissions::from_mode(0o644)).unwrap();
    let (code, log) = operator.run(&["--once"]);
    assert_eq!(code, 2, "{log}");
    assert!(log.contains("chmod 600") && !log.contains(&operator.secret), "{log}");
}

#[tokio::test]
async fn a_node_that_is_not_there_is_no_connection() {
    let contract = format!("0x{}", "12".repeat(20));
    let mut command =
        bare(&["--rpc-url", "http://127.0.0.1:1", "--contract", &contract, "--once", "--journal=memory"]);
    let (code, log) = text_of(&command.env("PROOPHI_PRIVATE_KEY", "11".repeat(32)).output().unwrap());
    assert_eq!(code, 3, "{log}");
}
