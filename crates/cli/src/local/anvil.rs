//! Anvil as a child process.

use crate::failure::{Code, Failure, OrFail, Outcome};
use alloy::primitives::B256;
use alloy::signers::local::PrivateKeySigner;
use serde::Deserialize;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The variable that names the Anvil to use.
const VARIABLE: &str = "PROOPHI_ANVIL";
const PATIENCE: Duration = Duration::from_secs(20);

/// How the chain is to run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChainOptions {
    /// Port, 0 for any that is free.
    pub(crate) port: u16,
    /// Seconds between blocks.
    pub(crate) block_time: u64,
    /// Number of accounts with ether.
    pub(crate) accounts: u8,
}

/// A running chain; it ends when this value is dropped.
#[derive(Debug)]
pub(crate) struct LocalChain {
    process: Child,
    url: String,
    accounts: Vec<PrivateKeySigner>,
    log: PathBuf,
}

/// The part of Anvil's own description of its configuration that is read here.
#[derive(Deserialize)]
struct AnvilConfig {
    private_keys: Vec<B256>,
}

impl LocalChain {
    /// Starts Anvil and waits until it listens. Its log and its accounts are written to `dir`.
    pub(crate) async fn start(options: ChainOptions, dir: &Path) -> Outcome<Self> {
        let (log, config) = (dir.join("anvil.log"), dir.join("anvil.json"));
        let writer = File::create(&log).or_fail(Code::Failed)?;
        let binary = std::env::var_os(VARIABLE).unwrap_or_else(|| OsString::from("anvil"));
        let mut command = Command::new(&binary);
        command
            .args(["--host", "127.0.0.1", "--port", &options.port.to_string()])
            .args(["--block-time", &options.block_time.to_string()])
            .args(["--accounts", &options.accounts.to_string()])
            .arg("--config-out")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(writer.try_clone().or_fail(Code::Failed)?)
            .stderr(writer);
        let process = command.spawn().map_err(|error| {
            let binary = binary.to_string_lossy();
            Failure::input(format!(
                "cannot run {binary}: {error}; install Foundry, or name Anvil in {VARIABLE} (script/tools/anvil after `make setup`)"
            ))
        })?;
        let mut chain = Self { process, url: String::new(), accounts: Vec::new(), log };
        chain.url = chain.listening().await?;
        chain.accounts = accounts(&config)?;
        Ok(chain)
    }

    /// Address of the JSON-RPC interface.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Accounts with ether.
    pub(crate) fn accounts(&self) -> &[PrivateKeySigner] {
        &self.accounts
    }

    /// Fails if the chain has ended.
    pub(crate) fn check(&mut self) -> Outcome<()> {
        match self.process.try_wait().or_fail(Code::Failed)? {
            None => Ok(()),
            Some(status) => Err(Failure::new(
                Code::Connection,
                eyre::eyre!("Anvil ended ({status}); its last words are in {}", self.log.display()),
            )),
        }
    }

    /// Waits for the line in the log that names the address.
    async fn listening(&mut self) -> Outcome<String> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let text = fs::read_to_string(&self.log).or_fail(Code::Failed)?;
            let address = text.lines().find_map(|line| line.strip_prefix("Listening on "));
            // Only a line that is whole: what was read may end in the middle of the port.
            if let Some(address) = address.filter(|_| text.ends_with('\n')) {
                return Ok(format!("http://{}", address.trim()));
            }
            self.check()?;
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        Err(Failure::new(
            Code::Connection,
            eyre::eyre!("Anvil did not start within {PATIENCE:?}; see {}", self.log.display()),
        ))
    }
}

impl Drop for LocalChain {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn accounts(config: &Path) -> Outcome<Vec<PrivateKeySigner>> {
    let text = fs::read_to_string(config).or_fail(Code::Failed)?;
    let config: AnvilConfig = serde_json::from_str(&text).or_fail(Code::Failed)?;
    config.private_keys.iter().map(|key| PrivateKeySigner::from_bytes(key).or_fail(Code::Failed)).collect()
}
