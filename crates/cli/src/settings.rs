//! Where the chain, the market and the key are: flags over environment over file.

use crate::failure::{Code, OrFail, Outcome};
use alloy::primitives::Address;
use clap::Args;
use serde::{Deserialize, Serialize};
use service::{DEFAULT_RPC_URL, Sources, load_config};
use std::path::{Path, PathBuf};

/// Files that are read if `--config` names none; the first that is there counts.
pub(crate) const FILES: [&str; 2] = ["proophi.toml", ".proophi/config.toml"];

/// Keys that `PROOPHI_<KEY>` may set.
pub(crate) const KEYS: [&str; 10] = [
    "rpc_url",
    "chain_id",
    "contract",
    "lens",
    "verifier",
    "market",
    "key_file",
    "key_store",
    "openings",
    "from_block",
];

/// Printed under the help of every command that talks to a chain.
pub(crate) const HELP: &str = "Settings: flags win over PROOPHI_* variables, these over the file, which is --config, else
proophi.toml, else .proophi/config.toml (`proophi devnet` writes the latter). An unknown key in it is an error.
A private key comes from --key-file (mode 600) or PROOPHI_PRIVATE_KEY, never from the command line.";

/// Flags that say where everything is. What is not given is not serialized, so that the layer below counts.
#[derive(Debug, Clone, Default, Args, Serialize)]
#[command(next_help_heading = "Settings")]
pub(crate) struct SettingFlags {
    /// File with settings
    #[arg(long, global = true, value_name = "FILE", env = "PROOPHI_CONFIG")]
    #[serde(skip)]
    pub(crate) config: Option<PathBuf>,
    /// JSON-RPC interface of the chain, http or https; may be repeated, or name several with commas between
    /// [default: http://127.0.0.1:8545]
    #[arg(long, global = true, value_name = "URL")]
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "service::serialize_urls")]
    rpc_url: Vec<String>,
    /// Refuse to work on any other chain
    #[arg(long, global = true, value_name = "ID")]
    #[serde(skip_serializing_if = "Option::is_none")]
    chain_id: Option<u64>,
    /// Address of the ProverMarket contract
    #[arg(long, global = true, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    contract: Option<Address>,
    /// Id of the market, or a prefix of it that only one market has
    #[arg(long, global = true, value_name = "ID")]
    #[serde(skip_serializing_if = "Option::is_none")]
    market: Option<String>,
    /// File with the private key, readable by its owner only
    #[arg(long, global = true, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    key_file: Option<PathBuf>,
    /// Directory that keeps the openings of sealed bids and asks [default: ~/.local/share/proophi/openings]
    #[arg(long, global = true, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    openings: Option<PathBuf>,
    /// First block that can hold an event of the contract [default: 0]
    #[arg(long, global = true, value_name = "BLOCK")]
    #[serde(skip_serializing_if = "Option::is_none")]
    from_block: Option<u64>,
}

/// The settings of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// JSON-RPC interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rpc_url: Option<String>,
    /// The only chain to work on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) chain_id: Option<u64>,
    /// The market contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contract: Option<Address>,
    /// The lens, for front ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lens: Option<Address>,
    /// Verifier of new markets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verifier: Option<Address>,
    /// Id or prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) market: Option<String>,
    /// File with the private key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key_file: Option<PathBuf>,
    /// Directory with proving keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key_store: Option<PathBuf>,
    /// Directory with openings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) openings: Option<PathBuf>,
    /// First block to read events from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from_block: Option<u64>,
}

impl Settings {
    /// The settings for these flags.
    pub(crate) fn load(flags: &SettingFlags) -> Outcome<Self> {
        let default = FILES.iter().map(Path::new).find(|file| file.is_file());
        let file = flags.config.as_deref().or(default);
        let sources = Sources { file, shared_keys: &KEYS, prefix: "PROOPHI_CLI_" };
        load_config(&sources, flags).or_fail(Code::Input)
    }

    /// The JSON-RPC interface, or the one of a local development chain.
    pub(crate) fn rpc_url(&self) -> &str {
        self.rpc_url.as_deref().unwrap_or(DEFAULT_RPC_URL)
    }

    /// The directory with proving keys.
    pub(crate) fn key_store(&self) -> PathBuf {
        self.key_store.clone().unwrap_or_else(|| circuits::keys::KeyStore::DEFAULT_DIR.into())
    }

    /// The settings as a file that [`Settings::load`] reads.
    pub(crate) fn to_toml(&self) -> Outcome<String> {
        toml::to_string(self).or_fail(Code::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(content: &str) -> Outcome<Settings> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("proophi.toml");
        std::fs::write(&file, content).unwrap();
        let flags = SettingFlags { config: Some(file), chain_id: Some(7), ..SettingFlags::default() };
        Settings::load(&flags)
    }

    #[test]
    fn flags_win_over_the_file() {
        let settings = load("chain_id = 5\nfrom_block = 3").unwrap();
        assert_eq!((settings.chain_id, settings.from_block), (Some(7), Some(3)));
    }

    #[test]
    fn unknown_keys_are_refused_by_name() {
        let failure = load("first_block = 3").unwrap_err();
        assert_eq!(failure.code(), Code::Input);
        assert!(failure.to_string().contains("first_block"), "{failure}");
    }

    #[test]
    fn written_settings_are_read_back() {
        let settings = Settings {
            rpc_url: Some("http://127.0.0.1:1".into()),
            contract: Some(Address::repeat_byte(7)),
            market: Some("0x12".into()),
            chain_id: Some(7),
            ..Settings::default()
        };
        assert_eq!(load(&settings.to_toml().unwrap()).unwrap(), settings);
    }
}
