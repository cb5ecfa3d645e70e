//! Settings: flags over environment over file.

use crate::intake::options::{IntakeFlags, IntakeOptions};
use crate::plan::{Factor, Profit};
use crate::relay::RelayOptions;
use alloy::primitives::{Address, U256};
use chain::MarketId;
use chain::settlement::PageLimits;
use clap::{Args, Parser};
use serde::{Deserialize, Serialize};
use service::ops::{OpsFlags, OpsSettings};
use service::{ConfigError, DEFAULT_RPC_URL, Sources, load_config};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use store::{TransactionFlags, TransactionSettings};
use thiserror::Error;

/// About the time between two blocks of Ethereum: whoever sent first is mined by then.
const DEFAULT_TURN_SECONDS: u64 = 12;

/// Keys that `PROOPHI_<KEY>` may set, because other programs of the market mean the same by them.
const SHARED_KEYS: [&str; 6] = ["rpc_url", "chain_id", "contract", "key_file", "kms_key", "from_block"];

const HELP: &str = "\
A relayer reads each closed round from the chain's logs, computes prices, winners and assignment, and submits the outcome.
The first right outcome earns the settlement fees of the round's bids; a wrong one is refused, so a relayer can harm nobody
and any number may run. All that it keeps is a journal of transactions that are on their way: stop and start it at any time. Use
its key in no other program.

A round that is too large for one transaction is settled in pages, from its last bid to its first. A relayer goes on from the
furthest page of the right outcome, whoever settled it; after the last one each settler is credited the fees of the bids of its
pages. Two that send the same page both pay its gas, and one of them is credited.

In a sealed market it settles what has been opened once the time for that is over. It opens nothing itself, as it holds no
openings, and forfeits no commitments.

Without --market it serves every market of the contract, and anyone can create a market. With --market it serves only those that
you name. A round is settled if its fees pay for the gas: --profit-factor 1.2 asks for a fifth more than the cost, and
--settle-at-a-loss settles whatever it costs. Otherwise it waits for gas to be cheaper until the round is void. Fees in tokens count
by --token-price; rounds that pay in other tokens are settled whatever it costs.

Of several relayers each leaves a round to the others for a while first, by chance (--turn-seconds), and to their transactions that it
sees waiting, so that few pay for settlements that are refused.

Example: serve every market of a contract, in the foreground

    install -m 600 /dev/null relayer.key && echo $KEY > relayer.key
    relayer --rpc-url http://127.0.0.1:8545 --contract 0xe7.. --key-file relayer.key

Settle what can be settled now in one market, then exit (for cron)

    relayer --rpc-url http://127.0.0.1:8545 --contract 0xe7.. --key-file relayer.key --market 0x5f.. --once

With --listen it also takes bids that their requesters have signed, over HTTP, keeps them in a database, and posts them before their
round closes, many in one transaction. It pays the gas and earns nothing by it but the settlement fees of the round. The interface is
documented at /v1/openapi.json; put a proxy with TLS before it, and name one with --behind-proxy.

    relayer --rpc-url http://127.0.0.1:8545 --contract 0xe7.. --key-file relayer.key --listen 127.0.0.1:8080 --database relayer.db

Settings: flags win over RELAYER_* variables, these over PROOPHI_* variables (those that all programs share), these over
the file. An unknown key is an error. A private key comes from --key-file (mode 600) or the variable PROOPHI_PRIVATE_KEY,
never from the command line. RUST_LOG chooses what is logged.

Exit codes: 0 stopped, or with --once nothing failed; 1 something failed; 2 wrong usage or settings; 3 another chain,
contract or market than expected, or with --once no connection.";

/// Settles closed rounds of proof markets for the settlement fees
#[derive(Debug, Parser)]
#[command(name = "relayer", version, after_help = HELP)]
pub struct Cli {
    /// TOML file with settings
    #[arg(long, value_name = "FILE", env = "RELAYER_CONFIG")]
    pub config: Option<PathBuf>,
    /// Settings given as flags.
    #[command(flatten)]
    pub flags: Flags,
}

/// Flags. What is not given is not serialized, so that the layer below counts.
#[derive(Debug, Default, Clone, Args, Serialize)]
pub struct Flags {
    /// JSON-RPC interface of the chain, http or https; may be repeated, or name several with commas between, of which one that fails, lags
    /// or lies does no harm [default: http://127.0.0.1:8545]
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "service::serialize_urls")]
    pub rpc_url: Vec<String>,
    /// Refuse to work on any other chain
    #[arg(long, value_name = "ID")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain_id: Option<u64>,
    /// Address of the ProverMarket contract
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract: Option<Address>,
    /// Id of a market to serve (32 bytes), may be repeated [default: every market of the contract]
    #[arg(long = "market", value_name = "ID")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub markets: Vec<String>,
    /// First block that can hold an event of the contract [default: 0]
    #[arg(long, value_name = "BLOCK")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_block: Option<u64>,
    /// File with the private key, readable by its owner only
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// Key in AWS KMS that signs, by its id, ARN or alias, in place of a key file (builds with `--features kms`)
    #[arg(long, value_name = "KEY")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    /// Release bundles of bids whose round is over, at this relayer's expense of gas [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_bundles: Option<bool>,
    /// Settle a round in pages of at most this many entries; an entry is a bid, or a lot of up to 16383 [default: as many as one transaction
    /// holds, with at most 128 KiB and 16.7 million gas]
    #[arg(long, value_name = "ENTRIES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_entries: Option<NonZeroUsize>,
    /// Settle a round if it pays this many times what its gas costs [default: 1]
    #[arg(long, value_name = "FACTOR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profit_factor: Option<Factor>,
    /// Settle rounds whatever it costs, up to --max-fee-gwei and --max-cost-gwei
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub settle_at_a_loss: bool,
    /// What 10^18 of the smallest units of a token are worth (wei), may be repeated [default: rounds in tokens are settled unchecked]
    #[arg(long = "token-price", value_name = "ADDRESS=WEI")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub token_prices: Vec<String>,
    /// Seconds between the turns of relayers; at most a sixteenth of the time in which a round can be settled, 0: nobody waits [default: 12, and
    /// 0 with --once]
    #[arg(long, value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn_seconds: Option<u64>,
    /// How transactions are sent.
    #[command(flatten)]
    #[serde(flatten)]
    pub transactions: TransactionFlags,
    /// Milliseconds between two looks for a new block [default: 400]
    #[arg(long, value_name = "MS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll_ms: Option<u64>,
    /// Most blocks to ask for in one request for logs [default: 5000]
    #[arg(long, value_name = "BLOCKS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_span: Option<u64>,
    /// Those of the intake.
    #[command(flatten)]
    #[serde(flatten)]
    pub intake: IntakeFlags,
    /// Do what can be done now, then exit
    #[arg(long, conflicts_with = "listen")]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub once: bool,
    /// Log one JSON object per line
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub json: bool,
    /// What operators look at.
    #[command(flatten)]
    #[serde(flatten)]
    pub ops: OpsFlags,
}

/// The settings of one run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// JSON-RPC interfaces of the chain, http or https, with commas between.
    #[serde(default = "default_rpc_url", deserialize_with = "service::deserialize_urls")]
    pub rpc_url: String,
    /// The only chain to work on.
    pub chain_id: Option<u64>,
    /// The market's contract.
    pub contract: Address,
    /// Markets to serve; none stands for all.
    #[serde(default)]
    pub markets: Vec<String>,
    /// First block to read.
    #[serde(default)]
    pub from_block: u64,
    /// File with the private key.
    pub key_file: Option<PathBuf>,
    /// Key in AWS KMS, in its place.
    pub kms_key: Option<String>,
    /// Whether to release bundles.
    #[serde(default = "default_release_bundles")]
    pub release_bundles: bool,
    /// Most entries of a round that are settled in one transaction; `None`: as many as it holds.
    pub page_entries: Option<NonZeroUsize>,
    /// How much more than its gas a settlement pays.
    #[serde(default)]
    pub profit_factor: Factor,
    /// Whether to settle whatever it costs.
    #[serde(default)]
    pub settle_at_a_loss: bool,
    /// What tokens are worth, as `ADDRESS=WEI` (wei per 10^18 of the smallest units).
    #[serde(default)]
    pub token_prices: Vec<String>,
    /// Seconds between the turns of relayers.
    pub turn_seconds: Option<u64>,
    /// Most that a unit of gas may cost (gwei).
    pub max_fee_gwei: Option<u64>,
    /// Most that the gas of one transaction may cost (gwei).
    pub max_cost_gwei: Option<u64>,
    /// When more is offered for a transaction that is not mined (seconds).
    pub raise_after: Option<NonZeroU32>,
    /// Where signed transactions go.
    pub private_rpc_url: Option<String>,
    /// Where transactions are written down.
    pub journal: Option<String>,
    /// Whether to forget what is written there: a flag only, for one start.
    #[serde(skip)]
    pub rebuild: bool,
    /// Milliseconds between two looks for a new block.
    #[serde(default = "default_poll_ms")]
    pub poll_ms: u64,
    /// Most blocks in one request for logs.
    #[serde(default = "default_max_span")]
    pub max_span: u64,
    /// Where to take signed bids; none are taken without.
    pub listen: Option<SocketAddr>,
    /// Where accepted bids are kept.
    pub database: Option<String>,
    /// Seconds before the close at which bids are posted.
    pub post_before: Option<NonZeroU32>,
    /// Most seconds that a bid waits for others.
    pub post_after: Option<u64>,
    /// Most bids in a transaction, and how many are enough for one.
    pub post_at: Option<NonZeroUsize>,
    /// Most bytes of a transaction that a bid may take.
    pub bid_bytes: Option<NonZeroUsize>,
    /// Most bids that are queued at once.
    pub queue: Option<NonZeroU32>,
    /// Most requests a minute from one address.
    pub requests_per_minute: Option<NonZeroU32>,
    /// Whether clients are told apart by X-Forwarded-For.
    #[serde(default)]
    pub behind_proxy: bool,
    /// Whether to exit once everything that can be done is done.
    #[serde(default)]
    pub once: bool,
    /// Whether to log JSON.
    #[serde(default)]
    pub json: bool,
    /// Where metrics and health are served.
    pub ops_listen: Option<SocketAddr>,
    /// Oldest head with which it is ready (seconds).
    pub ready_within: Option<u64>,
    /// Most time for a stop (seconds).
    pub stop_within: Option<u64>,
}

fn default_rpc_url() -> String {
    DEFAULT_RPC_URL.to_owned()
}

const fn default_release_bundles() -> bool {
    true
}

const fn default_poll_ms() -> u64 {
    400
}

const fn default_max_span() -> u64 {
    5_000
}

/// Why the settings cannot be used.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// A key is unknown, missing or of the wrong kind.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A market's id is none.
    #[error("markets: {0}")]
    Market(#[from] chain::InvalidMarketId),
    /// A token's price cannot be read.
    #[error("{0:?} is no price of a token; write ADDRESS=WEI, such as 0x5f..=400000000000000000000000000")]
    Price(String),
}

impl Config {
    /// The settings for this command line.
    ///
    /// # Errors
    /// [`SettingsError`] naming what is wrong.
    pub fn load(cli: &Cli) -> Result<Self, SettingsError> {
        let sources = Sources { file: cli.config.as_deref(), shared_keys: &SHARED_KEYS, prefix: "RELAYER_" };
        let mut config: Self = load_config(&sources, &cli.flags)?;
        config.rebuild = cli.flags.transactions.rebuild;
        config.market_ids()?;
        config.prices()?;
        Ok(config)
    }

    /// How the relayer works.
    ///
    /// # Errors
    /// [`SettingsError::Price`] if one cannot be read.
    pub fn relay(&self) -> Result<RelayOptions, SettingsError> {
        let (factor, prices) = (self.profit_factor, self.prices()?);
        let profit = (!self.settle_at_a_loss).then_some(Profit { factor, prices });
        let turn_seconds = self.turn_seconds.unwrap_or(if self.once { 0 } else { DEFAULT_TURN_SECONDS });
        Ok(RelayOptions {
            release_bundles: self.release_bundles,
            limits: self.limits(),
            profit,
            turn_seconds,
        })
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

    fn prices(&self) -> Result<BTreeMap<Address, U256>, SettingsError> {
        let price = |text: &String| {
            let (token, wei) = text.split_once('=')?;
            Some((token.trim().parse().ok()?, wei.trim().parse().ok()?))
        };
        self.token_prices
            .iter()
            .map(|text| price(text).ok_or_else(|| SettingsError::Price(text.clone())))
            .collect()
    }

    /// What operators look at, and how long a stop takes.
    #[must_use]
    pub fn ops(&self) -> OpsSettings {
        OpsSettings::new(self.ops_listen, self.ready_within, self.stop_within)
    }

    /// What one transaction of a settlement may hold.
    #[must_use]
    pub fn limits(&self) -> PageLimits {
        let most = PageLimits::TRANSACTION;
        PageLimits { entries: self.page_entries.map_or(most.entries, NonZeroUsize::get), ..most }
    }

    /// How signed bids are taken, if they are.
    #[must_use]
    pub fn intake(&self) -> Option<IntakeOptions> {
        let defaults = IntakeOptions::new(self.listen.filter(|_| !self.once)?);
        Some(IntakeOptions {
            database: self.database.clone().unwrap_or(defaults.database),
            post_before: self.post_before,
            post_after: self.post_after,
            post_at: self.post_at.unwrap_or(defaults.post_at),
            bid_bytes: self.bid_bytes.unwrap_or(defaults.bid_bytes),
            queue: self.queue.unwrap_or(defaults.queue),
            requests_per_minute: self.requests_per_minute.unwrap_or(defaults.requests_per_minute),
            behind_proxy: self.behind_proxy,
            max_span: self.max_span,
            last_wait: self.ops().stop_within,
            ..defaults
        })
    }

    /// The markets to serve; none stands for all.
    ///
    /// # Errors
    /// [`SettingsError::Market`] if one is no id.
    pub fn market_ids(&self) -> Result<Vec<MarketId>, SettingsError> {
        Ok(self.markets.iter().map(|id| id.parse()).collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: &str = "0xe7f1725e7734ce288f8367e1bb143e90bb3f0512";

    fn load(arguments: &[&str], file: &str) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("relayer.toml");
        std::fs::write(&path, file).unwrap();
        let config = format!("--config={}", path.display());
        let arguments = ["relayer", &config].into_iter().chain(arguments.iter().copied());
        let cli = Cli::try_parse_from(arguments).map_err(|error| error.to_string())?;
        Config::load(&cli).map_err(|error| error.to_string())
    }

    #[test]
    fn the_example_file_is_valid() {
        let config = load(&[], include_str!("../examples/relayer.toml")).unwrap();
        assert!(config.release_bundles);
        assert_eq!(config.market_ids().unwrap().len(), 1);
    }

    #[test]
    fn flags_win_over_the_file_and_defaults_fill_the_rest() {
        let file = format!("contract = '{CONTRACT}'\nfrom_block = 5\nrelease_bundles = true");
        let config = load(&["--from-block", "7", "--release-bundles", "false", "--once"], &file).unwrap();
        assert_eq!((config.from_block, config.release_bundles, config.once), (7, false, true));
        assert_eq!((config.poll_ms, config.json), (400, false));
        assert_eq!(config.limits(), PageLimits::TRANSACTION);
    }

    #[test]
    fn pages_are_made_smaller_by_a_flag_or_the_file_and_never_empty() {
        let file = format!("contract = '{CONTRACT}'\npage_entries = 50");
        assert_eq!(load(&[], &file).unwrap().limits().entries, 50);
        let limits = load(&["--page-entries", "7"], &file).unwrap().limits();
        assert_eq!(limits, PageLimits { entries: 7, ..PageLimits::TRANSACTION });
        let error = load(&["--page-entries", "0"], &file).unwrap_err();
        assert!(error.contains("--page-entries"), "{error}");
    }

    #[test]
    fn signed_bids_are_taken_only_where_that_is_asked_for() {
        let file = format!("contract = '{CONTRACT}'\npost_at = 7\nbehind_proxy = true");
        assert_eq!(load(&[], &file).unwrap().intake(), None);
        let intake =
            load(&["--listen", "127.0.0.1:80", "--post-before", "9"], &file).unwrap().intake().unwrap();
        assert_eq!((intake.post_at.get(), intake.post_before.map(NonZeroU32::get)), (7, Some(9)));
        assert!(intake.behind_proxy && intake.queue.get() == 10_000);
        let error = load(&["--listen", "127.0.0.1:80", "--once"], &file).unwrap_err();
        assert!(error.contains("--once"), "{error}");
    }

    #[test]
    fn a_settlement_has_to_pay_unless_told_otherwise() {
        let contract = format!("contract = '{CONTRACT}'");
        let relay = |arguments: &[&str], file: &str| {
            load(arguments, &format!("{contract}\n{file}")).unwrap().relay().unwrap()
        };
        assert_eq!(relay(&[], "").profit, Some(Profit::default()));
        assert_eq!((relay(&[], "").turn_seconds, relay(&["--once"], "").turn_seconds), (12, 0));
        assert_eq!(relay(&["--settle-at-a-loss"], "profit_factor = 2").profit, None);
        for factor in ["1.25", "'1.25'"] {
            let profit = relay(&[], &format!("profit_factor = {factor}")).profit.unwrap();
            assert_eq!(profit.factor, "1.25".parse().unwrap());
        }
        assert_eq!(
            relay(&["--profit-factor", "0.5"], "profit_factor = 2").profit.unwrap().factor,
            "0.5".parse().unwrap()
        );
        let token = format!("--token-price={CONTRACT}=400000000000000000000000000");
        let profit = relay(&[&token], "").profit.unwrap();
        assert_eq!(profit.prices.values().next().unwrap().to_string(), "400000000000000000000000000");
        let wrong = load(&[&format!("--token-price={CONTRACT}")], &contract).unwrap_err();
        assert!(wrong.contains("ADDRESS=WEI"), "{wrong}");
        let wrong = load(&["--profit-factor", "much"], &contract).unwrap_err();
        assert!(wrong.contains("much"), "{wrong}");
    }

    #[test]
    fn several_endpoints_are_named_by_flags_a_text_or_a_list() {
        let contract = format!("contract = '{CONTRACT}'");
        let flags = load(&["--rpc-url", "http://a", "--rpc-url", "http://b,http://c"], &contract).unwrap();
        assert_eq!(flags.rpc_url, "http://a,http://b,http://c");
        let list = load(&[], &format!("{contract}\nrpc_url = ['http://a', 'http://b']")).unwrap();
        assert_eq!(list.rpc_url, "http://a,http://b");
        assert_eq!(load(&[], &contract).unwrap().rpc_url, DEFAULT_RPC_URL);
    }

    #[test]
    fn what_gas_may_cost_is_set_by_flag_or_file() {
        let file = format!("contract = '{CONTRACT}'\nmax_fee_gwei = 30\njournal = 'a.db'");
        let settings =
            load(&["--max-cost-gwei", "5", "--private-rpc-url", "http://x"], &file).unwrap().transactions();
        assert_eq!((settings.max_fee_gwei, settings.max_cost_gwei), (Some(30), Some(5)));
        assert_eq!(
            (settings.journal.as_deref(), settings.private_rpc_url.as_deref()),
            (Some("a.db"), Some("http://x"))
        );
    }

    #[test]
    fn an_unknown_key_a_missing_contract_and_a_wrong_market_are_named() {
        let error = load(&[], &format!("contract = '{CONTRACT}'\nfrom_blok = 5")).unwrap_err();
        assert!(error.contains("from_blok"), "{error}");
        let error = load(&[], "").unwrap_err();
        assert!(error.contains("contract"), "{error}");
        let error = load(&["--market", "0x12"], &format!("contract = '{CONTRACT}'")).unwrap_err();
        assert!(error.contains("0x12"), "{error}");
    }

    #[test]
    fn there_is_no_flag_for_a_private_key() {
        let error = load(&["--private-key", "0x1"], "").unwrap_err();
        assert!(error.contains("--private-key"), "{error}");
    }
}
