//! `proophi account`: what an account has in a market.

use crate::amount::Money;
use crate::commands::bundles::waiting;
use crate::commands::forfeit::standings;
use crate::commands::money::available;
use crate::commands::round_view::{CommitmentView, status_text};
use crate::commands::seats::{Seat, seats};
use crate::commands::session::Session;
use crate::failure::{Code, Failure, OrFail, Outcome};
use crate::output::{Output, Report};
use crate::render::{Column, Palette, Table};
use crate::settings::{self, Settings};
use alloy::primitives::{Address, U256};
use chain::history::BundleRecord;
use chain::{EntryRecord, MarketHistory, Retention, RoundRecord};
use clap::{Args, Subcommand};
use market_types::UnitCost;
use serde::Serialize;
use service::openings::Status;

/// Show what an account has in a market
#[derive(Debug, Args)]
#[command(after_help = format!("Examples:
  proophi account show                      the account of the key
  proophi account show 0x7099…79C8

{}", settings::HELP))]
pub(crate) struct AccountArgs {
    #[command(subcommand)]
    command: AccountCommand,
}

#[derive(Debug, Subcommand)]
enum AccountCommand {
    /// Balance, open bids, bundles, commitments with what stands behind them, and seats
    Show {
        /// Whose account [default: the sender's]
        account: Option<Address>,
    },
}

/// An entry whose round is not resolved: one bid, or a lot.
#[derive(Debug, Serialize)]
struct OpenBid {
    round: u64,
    /// Of its first bid.
    index: u32,
    /// How many it stands for.
    bids: u16,
    fee: u64,
    /// Size of each of its tasks.
    units: u32,
    /// For all its bids.
    locked: Money,
    /// Whether provers can know what it asks proofs of.
    published: bool,
}

/// Entries that were submitted together and whose results have not been released.
#[derive(Debug, Serialize)]
struct Bundle {
    round: u64,
    first_index: u32,
    entries: u32,
    /// How many bids they stand for.
    bids: u32,
    /// What a release brings; none before the round is resolved.
    worth: Option<Money>,
}

#[derive(Debug, Serialize)]
struct AccountView {
    market: String,
    account: Address,
    wallet: String,
    available: Money,
    open_bids: Vec<OpenBid>,
    bundles: Vec<Bundle>,
    /// Commitments that something still stands behind.
    commitments: Vec<CommitmentView>,
    /// What stands behind them, bonds included.
    staked: Money,
    seats: Vec<Seat>,
    collateral: Money,
}

impl Report for AccountView {
    fn text(&self, palette: Palette, _width: usize) -> String {
        let mut text = format!("{} {}\n", palette.strong("account"), self.account);
        text += &format!("  wallet      {}\n  available   {}\n", self.wallet, self.available);
        text += &format!("  collateral  {}\n", self.collateral);
        if !self.staked.ticks.is_zero() {
            text += &format!("  staked      {}\n", self.staked);
        }
        let mut bids = Table::new([
            Column::Right("round"),
            Column::Left("bids"),
            Column::Right("fee"),
            Column::Right("units"),
            Column::Left("locked"),
            Column::Left("statements"),
        ]);
        for bid in &self.open_bids {
            let which = match bid.bids {
                1 => bid.index.to_string(),
                count => format!("{} to {}", bid.index, u64::from(bid.index) + u64::from(count) - 1),
            };
            let published = if bid.published { "published".to_owned() } else { palette.bad("not published") };
            let (fee, units) = (bid.fee.to_string(), bid.units.to_string());
            bids.row([bid.round.to_string(), which, fee, units, bid.locked.to_string(), published]);
        }
        let mut bundles = Table::new([Column::Right("round"), Column::Left("bids"), Column::Left("worth")]);
        for bundle in &self.bundles {
            let worth = bundle.worth.as_ref().map_or("open".into(), ToString::to_string);
            let last = bundle.first_index.saturating_add(bundle.bids.saturating_sub(1));
            bundles.row([bundle.round.to_string(), format!("{} to {last}", bundle.first_index), worth]);
        }
        let mut commitments = Table::new([
            Column::Right("round"),
            Column::Left("commitment"),
            Column::Left("status"),
            Column::Left("deposit"),
            Column::Left("bond"),
        ]);
        for one in &self.commitments {
            let (round, hash) = (one.round.to_string(), one.commitment.to_string());
            let amounts = [&one.deposit, &one.bond].map(ToString::to_string);
            commitments.row([round, hash, status_text(one.status, palette)].into_iter().chain(amounts));
        }
        let mut seats = Table::new([
            Column::Right("seat"),
            Column::Right("capacity"),
            Column::Right("at work"),
            Column::Right("asks"),
            Column::Right("next round"),
            Column::Left("changes"),
        ]);
        for seat in &self.seats {
            let cost = |cost: Option<UnitCost>| cost.map_or("-".into(), |cost| cost.to_string());
            seats.row([
                seat.seat.to_string(),
                seat.capacity.to_string(),
                seat.open_units.to_string(),
                cost(seat.cost),
                cost(seat.next_cost),
                seat.change.map_or(String::new(), |c| format!("to {} from round {}", c.to, c.from_round)),
            ]);
        }
        for (title, table) in [
            ("open bids", bids),
            ("bids to release (`proophi withdraw` does)", bundles),
            (
                "commitments (`proophi reveal` opens them, `proophi forfeit` ends what is too late)",
                commitments,
            ),
            ("seats", seats),
        ] {
            if !table.is_empty() {
                text += &format!("\n{}\n{}", palette.strong(title), table.draw(palette));
            }
        }
        text
    }
}

/// Runs `proophi account`.
pub(crate) async fn run(args: AccountArgs, settings: Settings, output: Output) -> Outcome<()> {
    let AccountCommand::Show { account } = args.command;
    let session = Session::open(settings, output).await?;
    let account = account
        .or(session.client.sender())
        .ok_or_else(|| Failure::input("whose account? name it, or give a key with --key-file"))?;
    let open = session.market().await?;
    let follower = session.follow(&open, Retention::Everything).await?;
    let (history, now) = (session.history(&follower, &open)?, follower.head().timestamp);

    let mut open_bids = Vec::new();
    for record in history.rounds().filter(|record| !history.is_resolved(record.number, now)) {
        open_bids.extend(record.entries().iter().filter(|entry| entry.requester == account).map(|entry| {
            OpenBid {
                round: record.number.get(),
                index: entry.first_index.get(),
                bids: entry.count().get(),
                fee: entry.fee.get(),
                units: entry.size().get(),
                locked: open.money.money(locked(entry) * count(entry)),
                published: entry.publication().is_some(),
            }
        }));
    }
    let fee = U256::from(open.market.params.settlement_fee);
    let bundle = |bundle: BundleRecord| Bundle {
        round: bundle.round.get(),
        first_index: bundle.first_index.get(),
        entries: bundle.entries,
        bids: entries_of(history, &bundle).iter().map(|entry| u32::from(entry.count().get())).sum(),
        worth: worth(history, &bundle, fee, now).map(|ticks| open.money.money(ticks)),
    };
    let mut commitments = standings(&session, &open, history, |record| record.account == account).await?;
    commitments.retain(|standing| matches!(standing.status, Status::Sealed | Status::Open | Status::Late));
    let staked = commitments.iter().map(|standing| standing.record.deposit).sum();
    let mut own = seats(&session, &open).await?;
    own.retain(|seat| seat.prover == account);
    let per_unit = U256::from(open.market.params.collateral_per_unit);
    let collateral = own.iter().map(|seat| U256::from(seat.capacity) * per_unit).sum();
    let wallet =
        session.client.wallet(open.market.params.currency, account).await.or_fail(Code::Connection)?;
    output.report(&AccountView {
        market: open.market.id.to_string(),
        account,
        wallet: open.money.currency.show(wallet),
        available: open.money.money(available(&session, &open, account).await?),
        open_bids,
        bundles: waiting(history, account).into_iter().map(bundle).collect(),
        commitments: commitments.iter().map(|standing| CommitmentView::of(&open.money, standing)).collect(),
        staked: open.money.money(staked),
        seats: own,
        collateral: open.money.money(collateral),
    })
}

/// What each bid of an entry locks for its task (ticks).
fn locked(entry: &EntryRecord) -> U256 {
    U256::from(entry.fee.get()) * U256::from(entry.size().get())
}

fn count(entry: &EntryRecord) -> U256 {
    U256::from(entry.count().get())
}

/// The entries of a bundle.
fn entries_of<'a>(history: &'a MarketHistory, bundle: &BundleRecord) -> Vec<&'a EntryRecord> {
    let record = history.round(bundle.round);
    record.and_then(|record| record.entries_from(bundle.first_index, bundle.entries)).unwrap_or_default()
}

/// What releasing a bundle brings (ticks); `None` before its round is resolved.
pub(crate) fn worth(
    history: &MarketHistory,
    bundle: &BundleRecord,
    settlement_fee: U256,
    now: u64,
) -> Option<U256> {
    let record = history.round(bundle.round).filter(|_| history.is_resolved(bundle.round, now))?;
    let entries = entries_of(history, bundle);
    Some(entries.iter().map(|entry| result(record, entry, settlement_fee)).sum())
}

/// What the bids of an entry of a resolved round get back (ticks): a void round returns everything.
fn result(record: &RoundRecord, entry: &EntryRecord, settlement_fee: U256) -> U256 {
    match &record.settlement {
        Some(settlement) => entry.bids().map(|bid| settlement.refund(&bid)).sum(),
        None => (locked(entry) + settlement_fee) * count(entry),
    }
}
