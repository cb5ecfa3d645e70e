//! `proophi prover`: a prover's seat by hand. `prover-node` does the same by itself, and proves.

use crate::amount::{Amount, Money};
use crate::commands::money::{available, top_up};
use crate::commands::seats::{Seat, seats};
use crate::commands::session::{OpenMarket, Session};
use crate::failure::{Code, Failure, OrFail, Outcome};
use crate::output::{Output, Report};
use crate::render::{Palette, span};
use crate::settings::{self, Settings};
use alloy::primitives::{B256, U256};
use alloy::rpc::types::TransactionReceipt;
use alloy::sol_types::{SolCall, SolEvent};
use bindings::ProverMarket;
use clap::{Args, Subcommand};
use market_types::RoundNumber;
use serde::Serialize;

/// Register a prover's seat, ask, leave, and get the collateral back
#[derive(Debug, Args)]
#[command(after_help = format!("A seat's life by hand:
  proophi prover register --capacity 200 --cost 18     locks the collateral, asks from the next round on
  proophi prover ask --cost 21                         changes the unit cost from the next round on
  proophi prover leave                                 takes part in no round from the next one on
  proophi prover release                               collateral back, once everything owed has ended
A seat that asks must prove what it is assigned; run prover-node for that.

{}", settings::HELP))]
pub(crate) struct ProverArgs {
    #[command(subcommand)]
    command: ProverCommand,
}

#[derive(Debug, Subcommand)]
enum ProverCommand {
    /// Take a seat and ask
    Register {
        /// Most units of undelivered tasks to hold; at least twice the largest task less one
        #[arg(long, value_name = "UNITS")]
        capacity: u32,
        /// Unit cost; a bare number is ticks per unit
        #[arg(long, value_name = "PRICE")]
        cost: Amount,
    },
    /// Change the unit cost
    Ask {
        /// Unit cost; a bare number is ticks per unit
        #[arg(long, value_name = "PRICE")]
        cost: Amount,
        #[command(flatten)]
        seat: SeatArg,
    },
    /// Take part in no round from the next one on
    Leave {
        #[command(flatten)]
        seat: SeatArg,
    },
    /// Get the collateral of a seat back
    Release {
        #[command(flatten)]
        seat: SeatArg,
    },
}

#[derive(Debug, Clone, Copy, Args)]
struct SeatArg {
    /// Which seat [default: the sender's only one]
    #[arg(long, value_name = "NUMBER")]
    seat: Option<u32>,
}

/// What happened to a seat.
#[derive(Debug, Serialize)]
struct SeatChange {
    market: String,
    seat: u32,
    done: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_round: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    collateral: Option<Money>,
    transaction: B256,
    #[serde(skip)]
    opens: Option<String>,
}

impl Report for SeatChange {
    fn text(&self, palette: Palette, _width: usize) -> String {
        let mut text = format!("{} seat {}", palette.good(self.done), self.seat);
        if let (Some(round), Some(opens)) = (self.from_round, &self.opens) {
            text += &format!(", from round {round} on, which opens {opens}");
        }
        if let Some(collateral) = &self.collateral {
            text += &format!("\ncollateral  {collateral}");
        }
        text
    }
}

/// Runs `proophi prover`.
pub(crate) async fn run(args: ProverArgs, settings: Settings, output: Output) -> Outcome<()> {
    let session = Session::with_key(settings, output).await?;
    let open = session.market().await?;
    let change = match args.command {
        ProverCommand::Register { capacity, cost } => register(&session, &open, capacity, &cost).await?,
        ProverCommand::Ask { cost, seat } => {
            let seat = own_seat(&session, &open, seat).await?.seat;
            let cost = price(&open, &cost)?;
            ask(&session, &open, seat, cost).await?
        }
        ProverCommand::Leave { seat } => {
            let seat = own_seat(&session, &open, seat).await?.seat;
            leave(&session, &open, seat).await?
        }
        ProverCommand::Release { seat } => {
            let seat = own_seat(&session, &open, seat).await?;
            release(&session, &open, &seat).await?
        }
    };
    output.report(&change)
}

async fn register(session: &Session, open: &OpenMarket, capacity: u32, cost: &Amount) -> Outcome<SeatChange> {
    let minimum = open.market.id.least_capacity();
    if u64::from(capacity) < minimum {
        return Err(Failure::input(format!(
            "a seat needs a capacity of at least {minimum} units here: twice the largest task less one"
        )));
    }
    let cost = price(open, cost)?;
    let collateral = U256::from(capacity) * U256::from(open.market.params.collateral_per_unit);
    let held = available(session, open, session.sender()?).await?;
    let attach = top_up(session, open, collateral.saturating_sub(held)).await?;
    let call = ProverMarket::registerCall { id: open.market.id.get(), capacity, cost };
    let receipt = session.send("registering", call, attach).await?;
    let event: ProverMarket::SeatRegistered = session.event(&receipt)?;
    let collateral = Some(open.money.money(collateral));
    change(session, open, "registered", event.seat, Some(event.fromRound), collateral, &receipt).await
}

async fn ask(session: &Session, open: &OpenMarket, seat: u32, cost: u64) -> Outcome<SeatChange> {
    let call = ProverMarket::askCall { id: open.market.id.get(), seat: U256::from(seat), cost };
    let (receipt, event) = done::<_, ProverMarket::AskSubmitted>(session, "asking", call).await?;
    change(session, open, "asked with", event.seat, Some(event.fromRound), None, &receipt).await
}

async fn leave(session: &Session, open: &OpenMarket, seat: u32) -> Outcome<SeatChange> {
    let call = ProverMarket::leaveCall { id: open.market.id.get(), seat: U256::from(seat) };
    let (receipt, event) = done::<_, ProverMarket::SeatLeft>(session, "leaving", call).await?;
    change(session, open, "left", event.seat, Some(event.fromRound), None, &receipt).await
}

async fn release(session: &Session, open: &OpenMarket, seat: &Seat) -> Outcome<SeatChange> {
    if seat.next_cost.is_some() {
        return Err(Failure::input(format!(
            "seat {} still asks; run `proophi prover leave` first",
            seat.seat
        )));
    }
    if seat.open_units > 0 {
        return Err(Failure::input(format!(
            "seat {} still holds tasks of {} units; its collateral comes back once they have ended",
            seat.seat, seat.open_units
        )));
    }
    let call = ProverMarket::releaseSeatCall { id: open.market.id.get(), seat: U256::from(seat.seat) };
    let (receipt, event) = done::<_, ProverMarket::SeatReleased>(session, "releasing", call).await?;
    let collateral = Some(open.money.money(event.collateral));
    change(session, open, "released", event.seat, None, collateral, &receipt).await
}

async fn done<C: SolCall, E: SolEvent>(
    session: &Session,
    what: &str,
    call: C,
) -> Outcome<(TransactionReceipt, E)> {
    let receipt = session.send(what, call, U256::ZERO).await?;
    let event = session.event(&receipt)?;
    Ok((receipt, event))
}

async fn change(
    session: &Session,
    open: &OpenMarket,
    done: &'static str,
    seat: U256,
    from_round: Option<U256>,
    collateral: Option<Money>,
    receipt: &TransactionReceipt,
) -> Outcome<SeatChange> {
    let from_round: Option<u64> = from_round.map(|round| round.saturating_to());
    let now = session.now().await?;
    let opens = from_round.map(|round| span(now, open.market.id.open_of(RoundNumber::new(round))));
    let (market, seat) = (open.market.id.to_string(), seat.saturating_to());
    let transaction = receipt.transaction_hash;
    Ok(SeatChange { market, seat, done, from_round, collateral, transaction, opens })
}

async fn own_seat(session: &Session, open: &OpenMarket, wanted: SeatArg) -> Outcome<Seat> {
    let sender = session.sender()?;
    let mut own = seats(session, open).await?;
    own.retain(|seat| seat.prover == sender && wanted.seat.is_none_or(|number| number == seat.seat));
    match (own.pop(), own.last()) {
        (Some(seat), None) => Ok(seat),
        (Some(_), Some(_)) => {
            Err(Failure::input(format!("{sender} has several seats; name one with --seat")))
        }
        (None, _) => Err(Failure::input(match wanted.seat {
            Some(number) => format!("seat {number} does not belong to {sender}"),
            None => format!("{sender} has no seat; take one with `proophi prover register`"),
        })),
    }
}

fn price(open: &OpenMarket, cost: &Amount) -> Outcome<u64> {
    let cost = open.money.price(cost).or_fail(Code::Input)?;
    if cost == u64::MAX {
        return Err(Failure::input("this unit cost stands for \"no ask\"; choose a lower one"));
    }
    Ok(cost)
}
