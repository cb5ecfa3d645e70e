//! The command line.

use crate::intake::options::IntakeFlags;
use crate::plan::Factor;
use alloy::primitives::Address;
use clap::{Args, Parser};
use serde::Serialize;
use service::ops::OpsFlags;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use store::TransactionFlags;

const HELP: &str = "\
A relayer reads each closed round from the chain's logs, computes prices, winners and assignment, and submits the outcome.
The first right outcome earns the settlement fees of the round's bids; a wrong one is refused, so a relayer can harm nobody
and any number may run. All that it keeps is a journal of transactions that are on their way: stop and start it at any time. Use
its key in no other program.

A round that is too large for one transaction is settled in pages, from its last bid to its first. A relayer goes on from a page
of others where that saves it a transaction, until one of them takes such a page away in that round, and else from its own. After the
last one each settler is credited the fees of the bids of its pages. Two that send the same page both pay its gas, and one of them is
credited.

In a sealed market it settles what has been opened once the time for that is over. It opens nothing itself, as it holds no
openings, and forfeits no commitments.

Without --market it serves every market of the contract, and anyone can create a market. With --market it serves only those that
you name. A round is settled if its fees pay for the gas: --profit-factor 1.2 asks for a fifth more than the cost, and
--settle-at-a-loss settles whatever it costs. Otherwise it waits for gas to be cheaper until the round is void. Fees in tokens count
by --token-price. Other tokens are worth nothing to it, as anyone can make one; with --market, rounds that pay in them are settled
whatever it costs. Bundles of bids are released for nothing: all of the markets that are named, and without --market only what the
fees of a round that it settled itself have left for that (--release-bundles).

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
    /// Release all bundles of bids whose round is over, at this relayer's expense of gas, or none [default: all with --market; without, those
    /// of rounds that it settled since its start, as far as their fees pay for it]
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
    /// What 10^18 of the smallest units of a token are worth (wei), may be repeated [default: 0; with --market, rounds in tokens are settled
    /// unchecked]
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
