//! Anvil as a child process.

use crate::ChildProcess;
use alloy::primitives::{B256, U256};
use alloy::providers::Provider;
use alloy::signers::local::PrivateKeySigner;
use chain::{Connection, ConnectionOptions, Head, Patience};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The variable that names the Anvil to use.
const VARIABLE: &str = "PROOPHI_ANVIL";

/// How the chain runs.
#[derive(Debug, Clone, Default)]
pub struct AnvilOptions {
    /// Seconds between blocks. Without it every transaction is mined at once, in a block of its own.
    pub block_time: Option<u64>,
    /// Refuse transactions with more gas than EIP-7825 allows.
    pub tx_gas_limit: bool,
    /// Further arguments of Anvil.
    pub arguments: Vec<String>,
}

/// A running chain with funded accounts; it ends when this value is dropped.
#[derive(Debug)]
pub struct Anvil {
    _process: ChildProcess,
    url: String,
    accounts: Vec<PrivateKeySigner>,
    connection: Connection,
    _dir: tempfile::TempDir,
}

const ACCOUNTS: usize = 20;

/// States that Anvil keeps, all of them in memory; what was before cannot be called. By itself it moves older ones to its disk, and of a
/// longer chain all but ten; after a rollback to such a state no account has code any more (Anvil 1.7.1).
const STATES: &str = "500";

impl Anvil {
    /// Starts Anvil on a free port and waits until it answers.
    pub async fn start(options: &AnvilOptions) -> Self {
        let dir = tempfile::tempdir().expect("a directory for Anvil");
        let config = dir.path().join("anvil.json");
        let (process, url) = spawn(options, &config);
        let accounts = accounts(&config);
        let connection = connect(&url, None).await;
        Self { _process: process, url, accounts, connection, _dir: dir }
    }

    /// Its JSON-RPC endpoint.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A funded account, 0 to 19. Account 0 deploys.
    #[must_use]
    pub fn account(&self, number: usize) -> &PrivateKeySigner {
        self.accounts.get(number).expect("Anvil has 20 accounts")
    }

    /// A connection without a key.
    #[must_use]
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// A new connection that sends as account `number`.
    pub async fn connection_of(&self, number: usize) -> Connection {
        connect(&self.url, Some(self.account(number).clone())).await
    }

    /// The head of the chain.
    pub async fn head(&self) -> Head {
        self.connection.head().await.expect("the head of the chain")
    }

    /// Mines a block at `timestamp` (seconds since the epoch), or nothing if that has passed.
    pub async fn warp_to(&self, timestamp: u64) {
        if self.head().await.timestamp < timestamp {
            self.request("evm_setNextBlockTimestamp", json!([timestamp])).await;
            self.mine(1).await;
        }
    }

    /// Mines `count` blocks.
    pub async fn mine(&self, count: u64) {
        self.request("anvil_mine", json!([U256::from(count)])).await;
    }

    /// Whether transactions are mined as they come.
    pub async fn set_automine(&self, on: bool) {
        self.request("evm_setAutomine", json!([on])).await;
    }

    /// Remembers the state of the chain.
    pub async fn snapshot(&self) -> Value {
        self.request("evm_snapshot", json!([])).await
    }

    /// Goes back to a state that was remembered.
    pub async fn revert(&self, snapshot: &Value) {
        let done = self.request("evm_revert", json!([snapshot])).await;
        assert_eq!(done, json!(true), "Anvil knows no such snapshot");
    }

    /// Replaces the last `depth` blocks by as many without transactions.
    pub async fn reorg(&self, depth: u64) {
        self.request("anvil_reorg", json!([depth, []])).await;
    }

    /// Calls any method of Anvil.
    pub async fn request(&self, method: &'static str, parameters: Value) -> Value {
        let answer = self.connection.provider().raw_request(method.into(), parameters).await;
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }
}

async fn connect(url: &str, signer: Option<PrivateKeySigner>) -> Connection {
    let mut options = ConnectionOptions::new(url).signer(signer);
    options.patience =
        Patience { bump_after: Duration::from_secs(5), give_up_after: Duration::from_secs(60) };
    Connection::connect(&options).await.expect("Anvil answers")
}

fn spawn(options: &AnvilOptions, config: &Path) -> (ChildProcess, String) {
    let binary = binary();
    let mut command = Command::new(&binary);
    command.args(["--host", "127.0.0.1", "--port", "0", "--accounts", &ACCOUNTS.to_string()]);
    command.args(["--prune-history", STATES]);
    command.arg("--config-out").arg(config);
    if let Some(seconds) = options.block_time {
        command.args(["--block-time", &seconds.to_string()]);
    }
    if options.tx_gas_limit {
        command.arg("--enable-tx-gas-limit");
    }
    command.args(&options.arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = ChildProcess::spawn(&mut command)
        .unwrap_or_else(|error| panic!("cannot run {}: {error}; run `make setup`", binary.display()));
    let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
    let address = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("Listening on ").map(|address| address.trim().to_owned()))
        .expect("Anvil says where it listens");
    // Anvil stops when nobody reads what it prints.
    std::thread::spawn(move || lines.for_each(drop));
    let said = BufReader::new(process.stderr.take().expect("a pipe")).split(b'\n').map_while(Result::ok);
    std::thread::spawn(move || said.for_each(|line| eprintln!("anvil: {}", String::from_utf8_lossy(&line))));
    (process, format!("http://{address}"))
}

/// `PROOPHI_ANVIL`, else the `script/tools/anvil` of this repository, which prefers an Anvil on PATH.
fn binary() -> PathBuf {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return named.into();
    }
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let script = above.map(|dir| dir.join("script/tools/anvil")).find(|script| script.is_file());
    script.unwrap_or_else(|| "anvil".into())
}

fn accounts(config: &Path) -> Vec<PrivateKeySigner> {
    let text = std::fs::read_to_string(config).expect("Anvil writes its configuration");
    let config: Value = serde_json::from_str(&text).expect("Anvil's configuration is JSON");
    let keys: Vec<B256> =
        serde_json::from_value(config["private_keys"].clone()).expect("Anvil's configuration has keys");
    keys.iter().map(|key| PrivateKeySigner::from_bytes(key).expect("a private key")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn code_is_there_after_a_rollback_in_a_long_chain() {
        let anvil = Anvil::start(&AnvilOptions::default()).await;
        let contract = alloy::primitives::Address::repeat_byte(0xc0);
        anvil.request("anvil_setCode", json!([contract, "0x60016002"])).await;
        anvil.mine(1_100).await;
        anvil.request("anvil_rollback", json!([64])).await;
        assert_eq!(anvil.request("eth_getCode", json!([contract, "latest"])).await, "0x60016002");
    }
}
