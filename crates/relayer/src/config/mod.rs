//! Settings: flags over environment over file.
//!
//! | module | what is in it |
//! |---|---|
//! | `flags` | [`Cli`], [`Flags`]: the command line |
//! | this one | [`Config`]: the settings of one run, from all of these |

mod flags;

pub use flags::{Cli, Flags};

use crate::intake::options::IntakeOptions;
use crate::plan::{Factor, Profit};
use crate::relay::{RelayOptions, Releases};
use alloy::primitives::{Address, U256};
use chain::MarketId;
use chain::settlement::PageLimits;
use serde::Deserialize;
use service::ops::OpsSettings;
use service::{ConfigError, DEFAULT_RPC_URL, Sources, load_config};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use store::TransactionSettings;
use thiserror::Error;

/// About the time between two blocks of Ethereum: whoever sent first is mined by then.
const DEFAULT_TURN_SECONDS: u64 = 12;

/// Keys that `PROOPHI_<KEY>` may set, because other programs of the market mean the same by them.
const SHARED_KEYS: [&str; 6] = ["rpc_url", "chain_id", "contract", "key_file", "kms_key", "from_block"];

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
    /// Whether to release bundles; without it, all of the markets that are named, else what their rounds pay for.
    pub release_bundles: Option<bool>,
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
        // Whoever names a market knows what it pays in.
        let trusts_tokens = !self.markets.is_empty();
        let profit = (!self.settle_at_a_loss).then_some(Profit { factor, prices, trusts_tokens });
        let releases = match self.release_bundles {
            Some(false) => Releases::Nothing,
            None if self.markets.is_empty() => Releases::Covered,
            Some(true) | None => Releases::All,
        };
        let turn_seconds = self.turn_seconds.unwrap_or(if self.once { 0 } else { DEFAULT_TURN_SECONDS });
        Ok(RelayOptions { releases, limits: self.limits(), profit, turn_seconds })
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
    use clap::Parser;

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
        let config = load(&[], include_str!("../../examples/relayer.toml")).unwrap();
        assert_eq!(config.relay().unwrap().releases, Releases::All);
        assert_eq!(config.market_ids().unwrap().len(), 1);
    }

    #[test]
    fn flags_win_over_the_file_and_defaults_fill_the_rest() {
        let file = format!("contract = '{CONTRACT}'\nfrom_block = 5\nrelease_bundles = true");
        let config = load(&["--from-block", "7", "--release-bundles", "false", "--once"], &file).unwrap();
        assert_eq!((config.from_block, config.release_bundles, config.once), (7, Some(false), true));
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
    fn strangers_are_paid_for_only_in_markets_that_are_named_or_where_it_is_asked_for() {
        let contract = format!("contract = '{CONTRACT}'");
        let named = format!("--market=0x{}", "5f".repeat(32));
        let of = |arguments: &[&str]| {
            let relay = load(arguments, &contract).unwrap().relay().unwrap();
            (relay.releases, relay.profit.unwrap().trusts_tokens)
        };
        assert_eq!(of(&[]), (Releases::Covered, false));
        assert_eq!(of(&[&named]), (Releases::All, true));
        assert_eq!(of(&["--release-bundles"]), (Releases::All, false));
        assert_eq!(of(&[&named, "--release-bundles=false"]), (Releases::Nothing, true));
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
