//! Settings: flags over environment over file.

use std::{
    net::SocketAddr,
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
    thread,
};

use alloy::primitives::{Address, B256};
use clap::{Args, Parser, Subcommand, ValueEnum};
use market_types::{Capacity, UnitCost};
use serde::{Deserialize, Serialize};
use service::ops::{OpsFlags, OpsSettings};
use service::{ConfigError, DEFAULT_RPC_URL, Sources, load_config};
use store::{TransactionFlags, TransactionSettings};
use thiserror::Error;

use crate::plan::{Expire, Margin, Policy, Wish};

/// Keys that `PROOPHI_<KEY>` may set, because other programs of the market mean the same by them.
const SHARED_KEYS: [&str; 9] = [
    "rpc_url",
    "chain_id",
    "contract",
    "market",
    "key_file",
    "kms_key",
    "key_store",
    "openings",
    "from_block",
];

const HELP: &str = "\
The node takes a seat in one market, asks its unit cost, proves the tasks that rounds assign to it, delivers the proofs
before their deadlines, and takes over tasks that others let default. In a sealed market it commits to its unit cost in
every round and opens that after the close. It keeps no state of its own but a journal of transactions that are on their way and
the openings of its commitments, which are on disk (mode 600) before the commitment is sent: after a restart everything else is
read from the chain again. Use its key in no other program. Do not stop it
for long between a commitment and its reveal: what is not opened loses its bond. `proophi reveal` opens it by hand.

Example: serve the market 0x5f..  of the contract 0xe7.. with 400 units of capacity at 3 ticks per unit

    install -m 600 /dev/null prover.key && echo $KEY > prover.key
    prover-node --rpc-url http://127.0.0.1:8545 --contract 0xe7.. --market 0x5f.. \\
        --key-file prover.key --capacity 400 --cost 3

The same from a file, and leaving the market in order: finish what is assigned, then take the collateral out

    prover-node --config prover-node.toml
    prover-node --config prover-node.toml leave

Settings: flags win over PROVER_NODE_* variables, these over PROOPHI_* variables (those that all programs share), these
over the file. An unknown key is an error. A private key comes from --key-file (mode 600) or the variable
PROOPHI_PRIVATE_KEY, never from the command line. RUST_LOG chooses what is logged.

Exit codes: 0 stopped or left; 1 something failed; 2 wrong usage or settings; 3 another chain, contract or market than
expected, or no queue.";

/// Proves tasks of one market for pay
#[derive(Debug, Parser)]
#[command(name = "prover-node", version, after_help = HELP)]
pub struct Cli {
    /// What to do; without it: serve the market until stopped
    #[command(subcommand)]
    pub command: Option<Command>,
    /// TOML file with settings
    #[arg(long, global = true, value_name = "FILE", env = "PROVER_NODE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Settings given as flags.
    #[command(flatten)]
    pub flags: Flags,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Finish what is assigned, give up the seat, take its collateral back, then exit
    Leave,
    /// Prove what a node with the same market and queue asks for, on this machine, without a private key (builds with `--features queue`)
    Work,
}

/// Flags. What is not given is not serialized, so that the layer below counts.
#[derive(Debug, Default, Clone, Args, Serialize)]
pub struct Flags {
    /// JSON-RPC interface of the chain, http or https; may be repeated, or name several with commas between, of which one that fails, lags
    /// or lies does no harm [default: http://127.0.0.1:8545]
    #[arg(long, global = true, value_name = "URL")]
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "service::serialize_urls")]
    pub rpc_url: Vec<String>,
    /// Refuse to work on any other chain
    #[arg(long, global = true, value_name = "ID")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain_id: Option<u64>,
    /// Address of the ProverMarket contract
    #[arg(long, global = true, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract: Option<Address>,
    /// Id of the market (32 bytes)
    #[arg(long, global = true, value_name = "ID")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub market: Option<B256>,
    /// First block that can hold an event of the contract [default: 0]
    #[arg(long, global = true, value_name = "BLOCK")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_block: Option<u64>,
    /// File with the private key, readable by its owner only
    #[arg(long, global = true, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// Key in AWS KMS that signs, by its id, ARN or alias, in place of a key file (builds with `--features kms`)
    #[arg(long, global = true, value_name = "KEY")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    /// Whose seats to serve [default: the key's own account]; who that is has to make this key its operator
    #[arg(long, global = true, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prover: Option<Address>,
    /// Directory of proving keys [default: .proophi/keys]
    #[arg(long, global = true, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_store: Option<PathBuf>,
    /// Directory that keeps the openings of sealed asks [default: ~/.local/share/proophi/openings]
    #[arg(long, global = true, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub openings: Option<PathBuf>,
    /// Most capacity to offer, and what to register if this prover has no seat (units); all of it is backed by collateral. What this
    /// machine cannot prove in time is not offered, see --margin
    #[arg(long, global = true, value_name = "UNITS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// Unit cost to ask (ticks per unit); a standing ask that differs is changed, a sealed one holds for its round
    #[arg(long, global = true, value_name = "TICKS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<u64>,
    /// Proofs made at the same time [default: 1]
    #[arg(long, global = true, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers: Option<NonZeroUsize>,
    /// Part of the proving period (percent, 0 to 100) in which the workers have to be able to prove all capacity, at the pace that each
    /// circuit was measured at; 0 offers the capacity without measuring anything [default: 50]
    #[arg(long, global = true, value_name = "PERCENT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<u8>,
    /// Failures in a row to prove after which the node asks for nothing more, until a proof succeeds [default: 3]
    #[arg(long, global = true, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures: Option<NonZeroU32>,
    /// Threads that one proof uses [default: processors / workers]
    #[arg(long, global = true, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<NonZeroUsize>,
    /// Let other machines prove, which run `prover-node work`: URL of a NATS server with JetStream, nats://USER:PASSWORD@HOST:4222 (builds
    /// with `--features queue`); --workers is then how many proofs may be on order at once
    #[arg(long, global = true, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Take over tasks that other provers let default, if it pays [default: true]
    #[arg(long, global = true, value_name = "BOOL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub takeovers: Option<bool>,
    /// Dead tasks to expire, at this prover's expense of gas [default: own]
    #[arg(long, global = true, value_name = "WHICH", value_enum)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expire: Option<ExpireSetting>,
    /// Milliseconds between two looks for a new block [default: 400]
    #[arg(long, global = true, value_name = "MS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll_ms: Option<u64>,
    /// How transactions are sent.
    #[command(flatten)]
    #[serde(flatten)]
    pub transactions: TransactionFlags,
    /// Log one JSON object per line
    #[arg(long, global = true)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub json: bool,
    /// What operators look at.
    #[command(flatten)]
    #[serde(flatten)]
    pub ops: OpsFlags,
}

/// Which dead tasks to expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExpireSetting {
    /// None
    Never,
    /// Those that hold this prover's own capacity
    #[default]
    Own,
    /// All of the market
    All,
}

impl From<ExpireSetting> for Expire {
    fn from(setting: ExpireSetting) -> Self {
        match setting {
            ExpireSetting::Never => Self::Never,
            ExpireSetting::Own => Self::Own,
            ExpireSetting::All => Self::All,
        }
    }
}

/// The settings of one run. Units as in [`Flags`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// JSON-RPC interfaces of the chain, http or https, with commas between.
    #[serde(default = "default_rpc_url", deserialize_with = "service::deserialize_urls")]
    pub rpc_url: String,
    /// The only chain to work on.
    #[serde(default)]
    pub chain_id: Option<u64>,
    /// The market contract.
    pub contract: Address,
    /// The market.
    pub market: B256,
    /// First block to read events from.
    #[serde(default)]
    pub from_block: u64,
    /// File with the private key.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// Key in AWS KMS, in its place.
    #[serde(default)]
    pub kms_key: Option<String>,
    /// Whose seats to serve, if not the key's own account's.
    #[serde(default)]
    pub prover: Option<Address>,
    /// Directory of proving keys.
    #[serde(default = "default_key_store")]
    pub key_store: PathBuf,
    /// Directory of openings.
    #[serde(default)]
    pub openings: Option<PathBuf>,
    /// Most capacity to offer (units).
    #[serde(default)]
    pub capacity: Option<Capacity>,
    /// Unit cost to ask (ticks per unit).
    #[serde(default)]
    pub cost: Option<UnitCost>,
    /// Proofs made at the same time.
    #[serde(default = "default_workers")]
    pub workers: NonZeroUsize,
    /// Part of the proving period for all that is offered (percent).
    #[serde(default = "default_margin")]
    pub margin: Margin,
    /// Failures to prove after which nothing more is asked for.
    #[serde(default = "default_failures")]
    pub failures: NonZeroU32,
    /// Threads that one proof uses.
    #[serde(default)]
    pub threads: Option<NonZeroUsize>,
    /// Queue of the machines that prove; without one this machine does.
    #[serde(default)]
    pub queue: Option<String>,
    /// Whether to take over tasks.
    #[serde(default = "default_takeovers")]
    pub takeovers: bool,
    /// Which dead tasks to expire.
    #[serde(default)]
    pub expire: ExpireSetting,
    /// Most that a unit of gas may cost (gwei).
    #[serde(default)]
    pub max_fee_gwei: Option<u64>,
    /// Most that the gas of one transaction may cost (gwei).
    #[serde(default)]
    pub max_cost_gwei: Option<u64>,
    /// When more is offered for a transaction that is not mined (seconds).
    #[serde(default)]
    pub raise_after: Option<NonZeroU32>,
    /// Where signed transactions go.
    #[serde(default)]
    pub private_rpc_url: Option<String>,
    /// Where transactions are written down.
    #[serde(default)]
    pub journal: Option<String>,
    /// Whether to forget what is written there: a flag only, for one start.
    #[serde(skip)]
    pub rebuild: bool,
    /// Milliseconds between two looks for a new block.
    #[serde(default = "default_poll_ms")]
    pub poll_ms: u64,
    /// Whether logs are JSON.
    #[serde(default)]
    pub json: bool,
    /// Where metrics and health are served.
    #[serde(default)]
    pub ops_listen: Option<SocketAddr>,
    /// Oldest head with which it is ready (seconds).
    #[serde(default)]
    pub ready_within: Option<u64>,
    /// Most time for a stop (seconds).
    #[serde(default)]
    pub stop_within: Option<u64>,
}

fn default_rpc_url() -> String {
    DEFAULT_RPC_URL.to_owned()
}

fn default_key_store() -> PathBuf {
    circuits::keys::KeyStore::DEFAULT_DIR.into()
}

fn default_workers() -> NonZeroUsize {
    NonZeroUsize::MIN
}

fn default_margin() -> Margin {
    Margin::HALF
}

fn default_failures() -> NonZeroU32 {
    const { NonZeroU32::new(3).unwrap() }
}

fn default_takeovers() -> bool {
    true
}

const fn default_poll_ms() -> u64 {
    400
}

impl Config {
    /// The settings of a command line, with environment and file under them.
    ///
    /// # Errors
    /// [`ConfigError`] with a message that says which key of which source is wrong.
    pub fn load(cli: &Cli) -> Result<Self, ConfigError> {
        let sources =
            Sources { file: cli.config.as_deref(), shared_keys: &SHARED_KEYS, prefix: "PROVER_NODE_" };
        let mut config: Self = load_config(&sources, &cli.flags)?;
        config.rebuild = cli.flags.transactions.rebuild;
        Ok(config)
    }

    /// How transactions are sent.
    #[must_use]
    pub fn transactions(&self) -> TransactionSettings {
        TransactionSettings {
            max_fee_gwei: self.max_fee_gwei,
            max_cost_gwei: self.max_cost_gwei,
            raise_after: self.raise_after,
            private_rpc_url: self.private_rpc_url.clone(),
            journal: self.journal.clone(),
            rebuild: self.rebuild,
        }
    }

    /// What operators look at, and how long a stop takes.
    #[must_use]
    pub fn ops(&self) -> OpsSettings {
        OpsSettings::new(self.ops_listen, self.ready_within, self.stop_within)
    }

    /// What the operator wants of its seat.
    ///
    /// # Errors
    /// [`MissingOffer`] if a seat is wanted without saying on what terms.
    pub fn wish(&self, command: Option<Command>) -> Result<Wish, MissingOffer> {
        match (command, self.capacity, self.cost) {
            (Some(Command::Leave), ..) => Ok(Wish::Leave),
            (_, Some(capacity), Some(cost)) => Ok(Wish::Serve { capacity, cost }),
            _ => Err(MissingOffer),
        }
    }

    /// Which optional work to do.
    #[must_use]
    pub fn policy(&self) -> Policy {
        let (margin, failures) = (self.margin, self.failures);
        Policy { takeovers: self.takeovers, expire: self.expire.into(), margin, failures }
    }

    /// Threads that one proof uses: what was set, or an equal part of this machine's processors.
    #[must_use]
    pub fn threads(&self) -> usize {
        let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        self.threads.map_or((processors / self.workers).max(1), NonZeroUsize::get)
    }
}

/// There is no offer to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("to serve a market, say what to offer: --capacity UNITS and --cost TICKS")]
pub struct MissingOffer;

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    const FILE: &str = include_str!("../examples/prover-node.toml");

    fn load(content: &str, arguments: &[&str]) -> Result<Config, ConfigError> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("node.toml");
        std::fs::write(&file, content).unwrap();
        let mut line = vec!["prover-node", "--config", file.to_str().unwrap()];
        line.extend(arguments);
        Config::load(&Cli::parse_from(line))
    }

    /// The example file without one of its keys.
    fn without(key: &str) -> String {
        FILE.lines().filter(|line| !line.starts_with(key)).map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_example_file_is_complete_and_flags_win_over_it() {
        let config = load(FILE, &[]).unwrap();
        let offer = Wish::Serve { capacity: Capacity::new(400).unwrap(), cost: UnitCost::new(3) };
        assert_eq!(config.wish(None), Ok(offer));
        assert_eq!(config.wish(Some(Command::Leave)), Ok(Wish::Leave));
        let policy = Policy {
            takeovers: true,
            expire: Expire::Own,
            margin: Margin::HALF,
            failures: NonZeroU32::new(3).unwrap(),
        };
        assert_eq!(config.policy(), policy);
        let config = load(FILE, &["--takeovers", "false", "--expire", "all", "--cost", "4"]).unwrap();
        assert_eq!(config.policy(), Policy { takeovers: false, expire: Expire::All, ..policy });
        assert_eq!(config.cost, Some(UnitCost::new(4)));
        let config = load(FILE, &["--margin", "0", "--failures", "5"]).unwrap();
        let failures = NonZeroU32::new(5).unwrap();
        assert_eq!(config.policy(), Policy { margin: Margin::OFF, failures, ..policy });
    }

    #[test]
    fn an_unknown_key_or_an_impossible_value_is_an_error_that_names_it() {
        let error = load(&format!("capacitty = 1\n{FILE}"), &[]).unwrap_err().to_string();
        assert!(error.contains("capacitty"), "{error}");
        let error = load(FILE, &["--capacity", "0"]).unwrap_err().to_string();
        assert!(error.contains("capacity"), "{error}");
        let error = load(FILE, &["--margin", "101"]).unwrap_err().to_string();
        assert!(error.contains("0 to 100"), "{error}");
    }

    #[test]
    fn serving_needs_an_offer_and_leaving_does_not() {
        let config = load(&without("capacity"), &[]).unwrap();
        assert_eq!(config.wish(None), Err(MissingOffer));
        assert_eq!(config.wish(Some(Command::Leave)), Ok(Wish::Leave));
    }

    #[test]
    fn proofs_share_the_processors_unless_told_otherwise() {
        assert_eq!(load(&without("threads"), &["--workers", "1000"]).unwrap().threads(), 1);
        assert_eq!(load(FILE, &["--workers", "1000"]).unwrap().threads(), 2);
        assert_eq!(load(FILE, &["--threads", "7"]).unwrap().threads(), 7);
    }
}
