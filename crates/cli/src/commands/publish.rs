//! `proophi publish`: tells provers what bids ask proofs of that were sent without it.

use crate::commands::lots::{Entry, entries, parts};
use crate::commands::session::{OpenMarket, Session};
use crate::commands::statement::{StatementArgs, Wanted, bids_from};
use crate::failure::{Failure, Outcome};
use crate::output::{Output, Report};
use crate::render::Palette;
use crate::settings::{self, Settings};
use alloy::primitives::{Address, B256, U256};
use alloy::sol_types::SolCall;
use bindings::ProverMarket;
use chain::{EntryRecord, MarketHistory, Retention};
use clap::Args;
use market_types::RoundNumber;
use serde::Serialize;
use std::path::PathBuf;

/// Publish what earlier bids ask proofs of, for oneself or for someone else
#[derive(Debug, Args)]
#[command(after_help = format!("Examples:
  proophi publish --generate 2 --seed 7                         of the bid that asked for this batch
  proophi publish --file bids.json --requester 0x7099…79C8      of somebody else's bids, as their file has them

`proophi bid` and `proophi reveal` publish by themselves. A bid that was sent by other means may not have been: the chain then has
no more of it than a ticket, so that no prover can prove it, and if it wins it costs the penalty. Published afterwards it can be
proved, but the prover that it is assigned to owes nothing if it does not. Whoever knows the requester and
the statements can publish them, from the transaction of the bid on until the round is over. Statements of one entry are published
together and in the order of its bids: give the whole lot, as it was bid for. `proophi round show` tells what is not published.

{}", settings::HELP))]
#[group(id = "what", required = true, multiple = true, args = ["generate", "circuit", "file"])]
pub(crate) struct PublishArgs {
    #[command(flatten)]
    statement: StatementArgs,
    /// JSON file with a list of bids, as `proophi bid` takes it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["generate", "circuit"])]
    file: Option<PathBuf>,
    /// The requester that the bids named [default: the sender]
    #[arg(long, value_name = "ADDRESS")]
    requester: Option<Address>,
}

/// An entry whose statements are published.
#[derive(Debug, Serialize)]
struct Published {
    round: u64,
    first_index: u32,
    bids: u16,
    statements_root: B256,
    /// None if they had been published before.
    transaction: Option<B256>,
}

#[derive(Debug, Serialize)]
struct PublishedAll {
    market: String,
    requester: Address,
    published: Vec<Published>,
}

impl Report for PublishedAll {
    fn text(&self, palette: Palette, _width: usize) -> String {
        let line = |one: &Published| {
            let last = u64::from(one.first_index) + u64::from(one.bids.saturating_sub(1));
            let bids = match one.bids {
                1 => format!("bid {last}"),
                _ => format!("bids {} to {last}", one.first_index),
            };
            let done = match one.transaction {
                Some(_) => palette.good("published"),
                None => palette.faint("had been published:"),
            };
            format!("{done} what {bids} of round {} asks proofs of\n", one.round)
        };
        self.published.iter().map(line).collect()
    }
}

/// Runs `proophi publish`.
pub(crate) async fn run(args: PublishArgs, settings: Settings, output: Output) -> Outcome<()> {
    let session = Session::with_key(settings, output).await?;
    let open = session.market().await?;
    let requester = args.requester.unwrap_or(session.sender()?);
    let wanted = match &args.file {
        Some(file) => bids_from(file, &open.money)?,
        None => {
            // No ticket depends on the fee.
            let wanted = |statement| Wanted { fee: 1, statement };
            args.statement.statements()?.into_iter().map(wanted).collect()
        }
    };
    let entries = entries(requester, wanted, open.market.id.is_sealed())?;
    let follower = session.follow(&open, Retention::Everything).await?;
    let (history, now) = (session.history(&follower, &open)?, follower.head().timestamp);
    let (mut published, mut missing) = (Vec::new(), Vec::new());
    for entry in entries {
        let (round, record) = asking(history, &entry, now).ok_or_else(|| unknown(&entry, requester))?;
        published.push(Published {
            round: round.get(),
            first_index: record.first_index.get(),
            bids: record.count().get(),
            statements_root: entry.lot.root(),
            transaction: None,
        });
        if record.publication().is_none() {
            missing.push(entry);
        }
    }
    for part in parts(missing) {
        let transaction = publish(&session, &open, &part).await?;
        for entry in part {
            let of_entry = published.iter_mut().filter(|one| one.statements_root == entry.lot.root());
            of_entry.for_each(|one| one.transaction = Some(transaction));
        }
    }
    output.report(&PublishedAll { market: open.market.id.to_string(), requester, published })
}

/// The newest entry that asks for these statements, of a round whose tasks have not all ended.
fn asking<'a>(history: &'a MarketHistory, entry: &Entry, now: u64) -> Option<(RoundNumber, &'a EntryRecord)> {
    let ticket = entry.lot.word().ticket();
    let running = history.rounds().rev().filter(|round| now < history.market().final_at(round.number));
    let mut all = running.flat_map(|round| round.entries().iter().map(|record| (round.number, record)));
    all.find(|(_, record)| record.word.ticket() == ticket)
}

fn unknown(entry: &Entry, requester: Address) -> Failure {
    let first = entry.given.first().copied().unwrap_or_default();
    Failure::input(format!(
        "no bid of a round that is not over asks for these {} statements (from number {first} on) in the name of {requester}; give the \
         whole lot in the order of its bids, and name the requester with --requester",
        entry.given.len()
    ))
}

async fn publish(session: &Session, open: &OpenMarket, part: &[Entry]) -> Outcome<B256> {
    let data = part.iter().map(|entry| entry.lot.publish_call(&open.market).abi_encode().into()).collect();
    let call = ProverMarket::multicallCall { data };
    Ok(session.send("publishing", call, U256::ZERO).await?.transaction_hash)
}
