//! `proophi round`: what a round is at, and what came of it.

use crate::commands::bid_view::{BidView, EntryView};
use crate::commands::forfeit::standings;
use crate::commands::round_view::{CommitmentView, RoundView, phase_of};
use crate::commands::session::{OpenMarket, Session};
use crate::failure::{Code, Failure, OrFail, Outcome};
use crate::output::Output;
use crate::settings::{self, Settings};
use chain::history::TaskEnd;
use chain::{BidRecord, MarketHistory, Retention, RoundRecord};
use clap::{Args, Subcommand};
use market_types::{AskIndex, RoundFile, RoundNumber};

/// Show a round: terms, commitments, prices, winners, assignment, deliveries, deadlines
#[derive(Debug, Args)]
#[command(after_help = format!("Examples:
  proophi round show                         the round that takes bids now
  proophi round show 7
  proophi round show 7 --as-file | proophi clear -        clear it once more, offline, under either mechanism

{}", settings::HELP))]
pub(crate) struct RoundArgs {
    #[command(subcommand)]
    command: RoundCommand,
}

#[derive(Debug, Subcommand)]
enum RoundCommand {
    /// One round in full
    Show {
        /// Number of the round [default: the one that takes bids now]
        round: Option<u64>,
        /// Print the closed round as `proophi clear` reads it
        #[arg(long)]
        as_file: bool,
    },
}

/// Runs `proophi round`.
pub(crate) async fn run(args: RoundArgs, settings: Settings, output: Output) -> Outcome<()> {
    let RoundCommand::Show { round, as_file } = args.command;
    let session = Session::open(settings, output).await?;
    let open = session.market().await?;
    let number = match round {
        Some(number) => RoundNumber::new(number),
        None => open.market.id.round_at(session.now().await?).or_fail(Code::Input)?,
    };
    let follower = session.follow(&open, Retention::Round(number)).await?;
    let (history, now) = (session.history(&follower, &open)?, follower.head().timestamp);
    if as_file {
        let text = serde_json::to_string(&RoundFile::new(vec![closed(&open, history, number, now)?]));
        return output.raw(&text.or_fail(Code::Failed)?);
    }
    let commitments = standings(&session, &open, history, |record| record.round == number).await?;
    let commitments =
        commitments.into_iter().map(|standing| CommitmentView::of(&open.money, &standing)).collect();
    output.report(&view(&open, history, number, commitments, now))
}

/// A round that nothing changes any more, as the auction sees it.
fn closed(
    open: &OpenMarket,
    history: &MarketHistory,
    number: RoundNumber,
    now: u64,
) -> Outcome<market_types::Round> {
    if now < open.market.close_of(number) {
        return Err(Failure::input(format!("round {number} still takes bids; its asks are not fixed yet")));
    }
    if now < open.market.reveal_by(number) {
        return Err(Failure::input(format!(
            "commitments of round {number} can still be opened; wait for the end of that"
        )));
    }
    history.closed_round(number).ok_or_else(|| Failure::input(format!("round {number} has no bids")))
}

fn view(
    open: &OpenMarket,
    history: &MarketHistory,
    number: RoundNumber,
    commitments: Vec<CommitmentView>,
    now: u64,
) -> RoundView {
    let market = &open.market;
    let record = history.round(number);
    let settlement = record.and_then(|record| record.settlement.as_ref());
    let bids = record.map(|record| record.bids().map(|bid| bid_view(history, record, &bid)).collect());
    let entries = record.map(|record| record.entries().iter().map(|entry| EntryView::of(record, entry)));
    let (phase, deadlines) = phase_of(market, number, record, now);
    // Before the asks are fixed a picture of them would only mislead.
    let fixed = record.is_some() && now >= market.reveal_by(number);
    let asks = if fixed { history.asks_at(number) } else { Vec::new() };
    let terms = history.terms_at(number);
    RoundView {
        market: market.id.to_string(),
        round: number.get(),
        now,
        mechanism: market.params.mechanism,
        sealed: market.id.is_sealed(),
        capacity_cap: terms.cap,
        reserve_price: terms.reserve,
        phase,
        deadlines,
        prices: settlement.filter(|s| s.is_trade()).map(|s| s.outcome.prices()),
        units: settlement.map(|s| s.outcome.units),
        winning_seats: settlement
            .map(|s| s.winners.iter().map(|winner| (winner.seat, winner.capacity)).collect())
            .unwrap_or_default(),
        assignment_root: settlement.map(|s| s.assignment_root),
        settler: settlement.map(|s| s.settler),
        settled_in: settlement.map(|s| s.origin.tx_hash),
        entries: entries.into_iter().flatten().collect(),
        bids: bids.unwrap_or_default(),
        asks: asks.into_iter().map(|entry| (entry.seat, entry.ask)).collect(),
        commitments,
        money: open.money.clone(),
    }
}

fn bid_view(history: &MarketHistory, record: &RoundRecord, bid: &BidRecord<'_>) -> BidView {
    let assignment = record.assignment(bid.index());
    let task = record.task(bid.index());
    let name = |seat: AskIndex| (seat, history.seat(seat).map(|record| record.prover));
    let (mut state, mut payment, mut bounty, mut compensation) = ("open", None, None, None);
    if let Some(settlement) = &record.settlement {
        state = if settlement.wins(bid) { "assigned" } else { "lost" };
    }
    if task.is_some_and(|task| !task.takeovers.is_empty()) {
        state = "taken over";
    }
    match task.and_then(|task| task.end.as_ref()) {
        Some(TaskEnd::Delivered { payment: paid, bounty: extra, compensation: late, .. }) => {
            state = "delivered";
            (payment, bounty, compensation) = (Some(*paid), Some(*extra), Some(*late));
        }
        Some(TaskEnd::Expired { .. }) => state = "expired",
        None => {}
    }
    BidView {
        index: bid.index(),
        entry: bid.first_index,
        requester: bid.requester,
        circuit: bid.statement().map(|statement| statement.circuit.to_string()),
        fee: bid.fee,
        units: bid.size(),
        state,
        pays: record.settlement.as_ref().map(|settlement| settlement.charge(bid)),
        assigned: assignment.map(|assignment| name(assignment.seat)),
        holder: assignment.map(|assignment| name(record.holder(&assignment))),
        payment,
        bounty,
        compensation,
        transaction: bid.origin.tx_hash,
    }
}
