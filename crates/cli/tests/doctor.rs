//! `proophi doctor` over a chain: what is well, and what is not.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

use alloy::primitives::{Address, hex};
use alloy::signers::local::PrivateKeySigner;
use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;
use testkit::Testbed;

/// An operator's directory, with the settings of a relayer and of a prover node.
struct Operator {
    bed: Testbed,
    dir: TempDir,
    market: chain::Market,
}

/// What the doctor found.
struct Found {
    exit: i32,
    checks: Vec<Value>,
    text: String,
}

impl Operator {
    async fn new() -> Self {
        let bed = Testbed::start().await;
        let market = bed.market().await;
        let operator = Self { dir: tempfile::tempdir().unwrap(), bed, market };
        operator.key(operator.bed.anvil.account(1), 0o600);
        fs::create_dir(operator.dir.path().join("openings")).unwrap();
        fs::set_permissions(operator.dir.path().join("openings"), Permissions::from_mode(0o700)).unwrap();
        operator.settings("", 31_337, operator.bed.deployment.market);
        operator
    }

    fn key(&self, key: &PrivateKeySigner, mode: u32) {
        let file = self.dir.path().join("key");
        fs::write(&file, hex::encode(key.to_bytes())).unwrap();
        fs::set_permissions(file, Permissions::from_mode(mode)).unwrap();
    }

    /// What a relayer and a prover node both need, for one of them with keys that no check knows.
    fn settings(&self, more: &str, chain: u64, contract: Address) {
        let text = format!(
            "rpc_url = '{}'\nchain_id = {chain}\ncontract = '{contract}'\nmarket = '{}'\nkey_file = 'key'\n\
             openings = 'openings'\ncapacity = 200\ntakeovers = true\n{more}\n",
            self.bed.anvil.url(),
            self.market.id
        );
        let file = self.dir.path().join("program.toml");
        fs::write(&file, text).unwrap();
        fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
    }

    fn doctor(&self, arguments: &[&str]) -> Found {
        let arguments = [&["doctor", "--config", "program.toml", "--json"], arguments].concat();
        let output = proophi(self.dir.path(), &arguments);
        let value: Value = serde_json::from_slice(&output.stdout).expect("one JSON value on stdout");
        Found {
            exit: output.status.code().unwrap(),
            checks: value["checks"].as_array().expect("checks").clone(),
            text: String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr),
        }
    }
}

impl Found {
    /// How a check ended: the worst of those with this name.
    fn of(&self, check: &str) -> &str {
        let of = self.checks.iter().filter(|one| one["check"] == check);
        let results: Vec<&str> = of.filter_map(|one| one["result"].as_str()).collect();
        ["fail", "warn", "ok"].into_iter().find(|result| results.contains(result)).unwrap_or("left out")
    }

    fn failed(&self) -> Vec<&str> {
        let failed = self.checks.iter().filter(|one| one["result"] == "fail");
        failed.filter_map(|one| one["check"].as_str()).collect()
    }

    fn advice(&self, check: &str) -> &str {
        let mut of = self.checks.iter().filter(|one| one["check"] == check);
        of.find_map(|one| one["advice"].as_str()).unwrap_or_default()
    }
}

fn proophi(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proophi"));
    let ours = |name: &str| ["PROOPHI_", "RELAYER_", "PROVER_NODE_"].iter().any(|own| name.starts_with(own));
    for (name, _) in std::env::vars_os().filter(|(name, _)| ours(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    command.current_dir(dir).args(arguments).output().expect("proophi starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_program_gets_no_failure_and_exit_code_0() {
    let operator = Operator::new().await;
    let relayer = operator.doctor(&["--for", "relayer"]);
    assert_eq!((relayer.exit, relayer.failed().len()), (0, 0), "{}", relayer.text);
    for check in
        ["settings", "key", "database", "rpc", "chain", "contract", "auditor", "extension", "logs", "wallet"]
    {
        assert_eq!(relayer.of(check), "ok", "{check}: {}", relayer.text);
    }
    let prover = operator.doctor(&["--for", "prover"]);
    assert_eq!((prover.exit, prover.failed().len()), (0, 0), "{}", prover.text);
    for check in ["openings", "market", "balance", "seat"] {
        assert_eq!(prover.of(check), "ok", "{check}: {}", prover.text);
    }
    assert!(!operator.dir.path().join(".proophi").exists(), "nothing is made");
    let text = proophi(operator.dir.path(), &["doctor", "--for", "prover", "--config", "program.toml"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("ok    contract") && text.contains("0 failed"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_chain_and_a_missing_contract_fail_with_advice() {
    let operator = Operator::new().await;
    operator.settings("", 5, operator.bed.deployment.market);
    let found = operator.doctor(&["--for", "relayer"]);
    assert_eq!((found.exit, found.failed()), (1, vec!["chain"]), "{}", found.text);
    assert!(found.advice("chain").contains("--chain-id"));
    assert_eq!(found.of("contract"), "left out");

    operator.settings("", 31_337, Address::repeat_byte(0x12));
    let found = operator.doctor(&["--for", "relayer"]);
    assert_eq!((found.exit, found.failed()), (1, vec!["contract"]), "{}", found.text);

    let nowhere =
        operator.doctor(&["--for", "relayer", "--rpc-url", "http://127.0.0.1:1/v3/0123456789abcdef"]);
    assert_eq!((nowhere.exit, nowhere.failed()), (1, vec!["rpc"]), "{}", nowhere.text);
    assert!(!nowhere.text.contains("0123456789abcdef"), "keys to endpoints are not shown: {}", nowhere.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poor_wallet_and_an_open_key_file_fail_with_advice() {
    let operator = Operator::new().await;
    let poor = PrivateKeySigner::random();
    operator.key(&poor, 0o600);
    let found = operator.doctor(&["--for", "prover"]);
    assert_eq!((found.exit, found.failed()), (1, vec!["wallet", "seat"]), "{}", found.text);
    assert!(
        found.advice("wallet").contains("send") && found.advice("seat").contains(&poor.address().to_string())
    );

    operator.key(operator.bed.anvil.account(1), 0o644);
    let found = operator.doctor(&["--for", "prover"]);
    assert_eq!((found.exit, found.of("key")), (1, "fail"), "{}", found.text);
    assert!(found.text.contains("chmod 600"), "{}", found.text);
    let secret = hex::encode(operator.bed.anvil.account(1).to_bytes());
    assert!(!found.text.contains(&secret));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_act_for_a_prover_and_who_reads_openings_is_checked() {
    let operator = Operator::new().await;
    let prover = operator.bed.anvil.account(2).address();
    let found = operator.doctor(&["--for", "prover", "--prover", &prover.to_string()]);
    assert_eq!((found.exit, found.failed()), (1, vec!["operator"]), "{}", found.text);
    assert!(found.advice("operator").contains("proophi prover operator"));

    fs::set_permissions(operator.dir.path().join("openings"), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(operator.dir.path().join("program.toml"), Permissions::from_mode(0o666)).unwrap();
    let found = operator.doctor(&["--for", "prover"]);
    assert_eq!(found.failed(), ["settings", "openings"], "{}", found.text);
    assert!(found.advice("openings").contains("chmod 700"));
}
