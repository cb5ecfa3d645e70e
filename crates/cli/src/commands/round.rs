//! `proophi round`: what a round is at, and what came of it.

use crate::commands::round_view::{BidView, RoundView, phases};
use crate::commands::session::{OpenMarket, Session};
use crate::failure::{Code, Failure, OrFail, Outcome};
use crate::output::Output;
use crate::settings::{self, Settings};
use alloy::eips::BlockId;
use chain::history::TaskEnd;
use chain::round::{asks_at, asks_of, seats_at, to_clearing};
use chain::{BidRecord, MarketHistory, RoundRecord};
use clap::{Args, Subcommand};
use market_types::{AskIndex, RoundFile, RoundNumber, SeatedAsk};

/// Show a round: prices, winners, assignment, deliveries, deadlines
#[derive(Debug, Args)]
#[command(after_help = format!("Examples:
  proophi round show                         the round that takes bids now
  proophi round show 7
  proophi round show 7 --as-file | proophi clear -        clear it once more, offline

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
    let follower = session.follow(&open).await?;
    let (history, now) = (session.history(&follower, &open)?, follower.head().timestamp);
    let number = match round {
        Some(number) => RoundNumber::new(number),
        None => open.market.id.round_at(now).or_fail(Code::Input)?,
    };
    let empty = MarketHistory::new(open.market.clone());
    let record = history.round(number);
    if as_file {
        let record = record.ok_or_else(|| Failure::input(format!("round {number} has no bids")))?;
        let asks = asks(&session, &open, record, now).await?;
        let round = to_clearing(&open.market, record, asks).or_fail(Code::Failed)?;
        let text = serde_json::to_string(&RoundFile::new(vec![round])).or_fail(Code::Failed)?;
        return output.raw(&text);
    }
    let asks = match record {
        // Without them only the picture is missing; a node may have forgotten the state they are in.
        Some(record) => asks(&session, &open, record, now).await.unwrap_or_default(),
        None => Vec::new(),
    };
    let history = if record.is_some() { history } else { &empty };
    output.report(&view(&open, history, number, asks, now))
}

/// The asks of a closed round, as the auction saw them.
async fn asks(
    session: &Session,
    open: &OpenMarket,
    record: &RoundRecord,
    now: u64,
) -> Outcome<Vec<SeatedAsk>> {
    let (market, number) = (&open.market, record.number);
    if let Some(settlement) = &record.settlement {
        // The settlement itself puts tasks on seats, which the offers remember as of the next round.
        let before = BlockId::number(settlement.origin.block.saturating_sub(1));
        let seats = seats_at(&session.client, market, before).await.or_fail_with(Code::Connection, || {
            "the node no longer has the state of the round's settlement; ask an archive node".to_owned()
        })?;
        return Ok(asks_of(&seats, market, number));
    }
    if now < market.close_of(number) {
        return Err(Failure::input(format!("round {number} still takes bids; its asks are not fixed yet")));
    }
    if now >= market.settle_by(number) {
        return Err(Failure::input(format!("round {number} is void; nothing fixed its asks")));
    }
    asks_at(&session.client, market, number).await.or_fail(Code::Connection)
}

fn view(
    open: &OpenMarket,
    history: &MarketHistory,
    number: RoundNumber,
    asks: Vec<SeatedAsk>,
    now: u64,
) -> RoundView {
    let market = &open.market;
    let record = history.round(number);
    let settlement = record.and_then(|record| record.settlement.as_ref());
    let bids = record.map(|record| record.bids.iter().map(|bid| bid_view(history, record, bid)).collect());
    let (phase, deadlines) = phases(market, number, record, now);
    RoundView {
        market: market.id.to_string(),
        round: number.get(),
        now,
        phase,
        deadlines,
        user_price: settlement.filter(|s| s.is_trade()).map(|s| s.user_price),
        prover_price: settlement.filter(|s| s.is_trade()).map(|s| s.prover_price),
        units: settlement.map(|s| s.units),
        winning_seats: settlement
            .map(|s| s.winners.iter().map(|winner| (winner.seat, winner.capacity)).collect())
            .unwrap_or_default(),
        assignment_root: settlement.map(|s| s.assignment_root),
        settler: settlement.map(|s| s.settler),
        settled_in: settlement.map(|s| s.origin.tx_hash),
        bids: bids.unwrap_or_default(),
        asks: asks.into_iter().map(|entry| (entry.seat, entry.ask)).collect(),
        money: open.money.clone(),
    }
}

fn bid_view(history: &MarketHistory, record: &RoundRecord, bid: &BidRecord) -> BidView {
    let assignment = record.assignment(bid.index);
    let task = record.task(bid.index);
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
        index: bid.index,
        requester: bid.requester,
        circuit: bid.circuit.to_string(),
        fee: bid.fee,
        units: bid.size(),
        state,
        assigned: assignment.map(|assignment| name(assignment.seat)),
        holder: assignment.map(|assignment| name(record.holder(assignment))),
        payment,
        bounty,
        compensation,
        transaction: bid.origin.tx_hash,
    }
}
