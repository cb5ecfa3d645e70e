//! `proophi prover`: a prover's seat by hand. `prover-node` does the same by itself, and proves.

use crate::amount::{Amount, Money};
use crate::commands::sealed::{commit_ask, fund};
use crate::commands::seats::{Change, Seat, seats};
use crate::commands::session::{OpenMarket, Session};
use crate::failure::{Code, Failure, OrFail, Outcome};
use crate::output::{Output, Report};
use crate::render::{Palette, span};
use crate::settings::{self, Settings};
use alloy::primitives::{Address, B256, U256};
use alloy::rpc::types::TransactionReceipt;
use alloy::sol_types::{SolCall, SolEvent};
use bindings::ProverMarket;
use chain::Offer;
use clap::{Args, Subcommand};
use market_types::{AskIndex, RoundNumber, UnitCost};
use serde::Serialize;

/// Register a prover's seat, ask, change its capacity, leave, and get the collateral back
#[derive(Debug, Args)]
#[command(after_help = format!("A seat's life by hand:
  proophi prover register --capacity 200 --cost 18     locks the collateral; asks once the market's capacity delay is over
  proophi prover ask --cost 21                         changes the unit cost from the next round on
  proophi prover capacity 400                          changes the capacity, after the same delay
  proophi prover leave                                 as `capacity 0`: takes part in no round after it
  proophi prover release                               collateral back of capacity that left, once nothing needs it
  proophi prover operator 0x7099…79C8                  lets the key of a node act for the seat, which can withdraw nothing
In a sealed market a seat has no standing ask: it commits to its unit cost round by round, and opens it after the close:
  proophi prover register --capacity 200
  proophi prover commit --cost 18
  proophi reveal --watch
A seat that asks must prove what it is assigned; run prover-node for that.

{}", settings::HELP))]
pub(crate) struct ProverArgs {
    #[command(subcommand)]
    command: ProverCommand,
}

#[derive(Debug, Subcommand)]
enum ProverCommand {
    /// Take a seat, and in an open market ask
    Register {
        /// Most units of undelivered tasks to hold
        #[arg(long, value_name = "UNITS")]
        capacity: u32,
        /// Unit cost; a bare number is ticks per unit. Not in a sealed market
        #[arg(long, value_name = "PRICE")]
        cost: Option<Amount>,
    },
    /// Change the unit cost
    Ask {
        /// Unit cost; a bare number is ticks per unit
        #[arg(long, value_name = "PRICE")]
        cost: Amount,
        #[command(flatten)]
        seat: SeatArg,
    },
    /// Commit to a unit cost for the open round of a sealed market; `proophi reveal` opens it
    Commit {
        /// Unit cost; a bare number is ticks per unit
        #[arg(long, value_name = "PRICE")]
        cost: Amount,
        #[command(flatten)]
        seat: SeatArg,
        /// Deposit what the bond needs
        #[arg(long)]
        top_up: bool,
    },
    /// Change the capacity of a seat, in either direction
    Capacity {
        /// The new capacity; 0 to leave
        #[arg(value_name = "UNITS")]
        capacity: u32,
        #[command(flatten)]
        seat: SeatArg,
    },
    /// Take part in no round any more, from as many rounds on as capacity changes take
    Leave {
        #[command(flatten)]
        seat: SeatArg,
    },
    /// Get the collateral of capacity back that has left
    Release {
        #[command(flatten)]
        seat: SeatArg,
    },
    /// Let another key act for the sender's seats, in place of the one before; it can withdraw nothing
    #[command(group = clap::ArgGroup::new("whom").required(true).args(["operator", "none"]))]
    Operator {
        /// Account of that key, as `prover-node --prover <SENDER>` uses it
        #[arg(value_name = "ADDRESS")]
        operator: Option<Address>,
        /// Nobody from now on
        #[arg(long)]
        none: bool,
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

/// Who may act for a prover from now on.
#[derive(Debug, Serialize)]
struct OperatorChange {
    market: String,
    prover: Address,
    /// None: nobody.
    operator: Option<Address>,
    transaction: B256,
}

impl Report for OperatorChange {
    fn text(&self, palette: Palette, _width: usize) -> String {
        match self.operator {
            Some(operator) => format!("{} {operator} for {}", palette.good("may act:"), self.prover),
            None => format!("{} for {}", palette.good("nobody may act"), self.prover),
        }
    }
}

/// Runs `proophi prover`.
pub(crate) async fn run(args: ProverArgs, settings: Settings, output: Output) -> Outcome<()> {
    let session = Session::with_key(settings, output).await?;
    let open = session.market().await?;
    let change = match args.command {
        ProverCommand::Register { capacity, cost } => {
            register(&session, &open, capacity, cost.as_ref()).await?
        }
        ProverCommand::Ask { cost, seat } => {
            if open.market.id.is_sealed() {
                return Err(Failure::input(
                    "asks of this market are sealed; run `proophi prover commit` in each round",
                ));
            }
            let seat = own_seat(&session, &open, seat).await?.seat;
            ask(&session, &open, seat, price(&open, &cost)?).await?
        }
        ProverCommand::Commit { cost, seat, top_up } => {
            if !open.market.id.is_sealed() {
                return Err(Failure::input(
                    "asks of this market are open and stand; run `proophi prover ask`",
                ));
            }
            let seat = own_seat(&session, &open, seat).await?;
            require_part(&open, &seat)?;
            let (number, cost) = (AskIndex::new(seat.seat), UnitCost::new(price(&open, &cost)?));
            return output.report(&commit_ask(&session, &open, number, seat.capacity, cost, top_up).await?);
        }
        ProverCommand::Capacity { capacity, seat } => {
            let seat = own_seat(&session, &open, seat).await?;
            change_capacity(&session, &open, &seat, capacity).await?
        }
        ProverCommand::Leave { seat } => {
            let seat = own_seat(&session, &open, seat).await?;
            change_capacity(&session, &open, &seat, 0).await?
        }
        ProverCommand::Operator { operator, none: _ } => {
            let operator = operator.unwrap_or_default();
            return output.report(&set_operator(&session, &open, operator).await?);
        }
        ProverCommand::Release { seat } => {
            let seat = own_seat(&session, &open, seat).await?;
            release(&session, &open, &seat).await?
        }
    };
    output.report(&change)
}

async fn register(
    session: &Session,
    open: &OpenMarket,
    capacity: u32,
    cost: Option<&Amount>,
) -> Outcome<SeatChange> {
    let params = &open.market.params;
    require_capacity(open, capacity)?;
    let cost = match (cost, params.is_sealed()) {
        (Some(cost), false) => price(open, cost)?,
        (None, true) => Offer::NO_ASK,
        (None, false) => return Err(Failure::input("what does a unit cost? give --cost")),
        (Some(_), true) => {
            return Err(Failure::input(
                "asks of this market are sealed: register without --cost, then run `proophi prover commit` in each round",
            ));
        }
    };
    let collateral = U256::from(capacity) * U256::from(params.collateral_per_unit);
    fund(session, open, collateral + U256::from(params.seat_fee), true).await?;
    let call = ProverMarket::registerCall { id: open.market.id.get(), capacity, cost };
    let (receipt, event) = done::<_, ProverMarket::SeatRegistered>(session, "registering", call).await?;
    let collateral = Some(open.money.money(collateral));
    change(session, open, "registered", event.seat, Some(event.fromRound), collateral, &receipt).await
}

async fn ask(session: &Session, open: &OpenMarket, seat: u32, cost: u64) -> Outcome<SeatChange> {
    let call = ProverMarket::askCall { id: open.market.id.get(), seat: U256::from(seat), cost };
    let (receipt, event) = done::<_, ProverMarket::AskSubmitted>(session, "asking", call).await?;
    change(session, open, "asked with", event.seat, Some(event.fromRound), None, &receipt).await
}

async fn change_capacity(
    session: &Session,
    open: &OpenMarket,
    seat: &Seat,
    capacity: u32,
) -> Outcome<SeatChange> {
    if capacity != 0 {
        require_capacity(open, capacity)?;
    }
    require_change(seat, capacity)?;
    let added = u64::from(capacity).saturating_sub(seat.capacity);
    fund(session, open, U256::from(added) * U256::from(open.market.params.collateral_per_unit), true).await?;
    let call =
        ProverMarket::changeCapacityCall { id: open.market.id.get(), seat: U256::from(seat.seat), capacity };
    let (receipt, event) =
        done::<_, ProverMarket::CapacityChanged>(session, "changing the capacity", call).await?;
    let what = if capacity == 0 { "left" } else { "changed" };
    change(session, open, what, event.seat, Some(event.fromRound), None, &receipt).await
}

/// None to nothing where nothing is left, and one change at a time.
fn require_change(seat: &Seat, capacity: u32) -> Outcome<()> {
    if capacity == 0 && seat.capacity == 0 {
        return Err(Failure::input(format!(
            "slashes have left nothing of seat {}; run `proophi prover release` to give it up",
            seat.seat
        )));
    }
    if let Some(change) = seat.change {
        let advice = if change.shrinks { "; run `proophi prover release` then" } else { "" };
        return Err(Failure::input(format!(
            "the capacity of seat {} changes to {} units from round {} on, one change at a time: wait until the round before \
             that one is settled or void{advice}",
            seat.seat, change.to, change.from_round
        )));
    }
    Ok(())
}

/// What leaves a seat, or `None` if slashes have left nothing of it; the seat is then given up as it is.
fn releasable(seat: &Seat) -> Outcome<Option<Change>> {
    let leaving = seat.change.filter(|change| change.shrinks);
    if leaving.is_none() && seat.capacity != 0 {
        return Err(Failure::input(format!(
            "no capacity of seat {} leaves; run `proophi prover leave` first, or `proophi prover capacity` with less",
            seat.seat
        )));
    }
    Ok(leaving)
}

async fn release(session: &Session, open: &OpenMarket, seat: &Seat) -> Outcome<SeatChange> {
    let leaving = releasable(seat)?;
    let call = ProverMarket::releaseCapacityCall { id: open.market.id.get(), seat: U256::from(seat.seat) };
    let sent = session.client.send(call, U256::ZERO, None).await;
    let receipt = sent.map_err(|error| {
        let early = error.is::<ProverMarket::CapacityStillOffered>();
        let busy = error.is::<ProverMarket::SeatHasOpenTasks>();
        let failure = super::session::refused("releasing", error);
        match leaving {
            Some(change) if early => failure.and(&format!(
                "wait until round {} is settled or void",
                change.from_round.get().saturating_sub(1)
            )),
            _ if busy => failure.and("the collateral comes back once enough tasks have ended"),
            _ => failure,
        }
    })?;
    let event: ProverMarket::CapacityReleased = session.event(&receipt)?;
    let collateral = Some(open.money.money(event.collateral));
    let what = if event.left { "released" } else { "released capacity of" };
    change(session, open, what, event.seat, None, collateral, &receipt).await
}

async fn set_operator(session: &Session, open: &OpenMarket, operator: Address) -> Outcome<OperatorChange> {
    let call = ProverMarket::setOperatorCall { id: open.market.id.get(), operator };
    let (receipt, event) =
        done::<_, ProverMarket::OperatorSet>(session, "setting the operator", call).await?;
    Ok(OperatorChange {
        market: open.market.id.to_string(),
        prover: event.prover,
        operator: Some(event.operator).filter(|operator| !operator.is_zero()),
        transaction: receipt.transaction_hash,
    })
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

fn require_capacity(open: &OpenMarket, capacity: u32) -> Outcome<()> {
    let (least, most) = (open.market.params.min_seat_capacity, open.market.params.max_seat_capacity());
    if (least..=most).contains(&capacity) {
        return Ok(());
    }
    Err(Failure::input(format!("a seat has from {least} to {most} units in this market, not {capacity}")))
}

/// A commitment of a seat that has nothing to offer would only cost its bond.
fn require_part(open: &OpenMarket, seat: &Seat) -> Outcome<()> {
    let least = u64::from(open.market.id.max_task_size()) * 2 - 1;
    let usable = seat.usable.saturating_sub(seat.open_units);
    if usable >= least {
        return Ok(());
    }
    Err(Failure::input(format!(
        "seat {} has {usable} units for this round and takes part with {least} or more{}",
        seat.seat,
        seat.change.map_or(String::new(), |change| format!(
            "; its capacity changes from round {} on",
            change.from_round
        ))
    )))
}

fn price(open: &OpenMarket, cost: &Amount) -> Outcome<u64> {
    let cost = open.money.price(cost).or_fail(Code::Input)?;
    if cost == Offer::NO_ASK {
        return Err(Failure::input("this unit cost stands for \"no ask\"; choose a lower one"));
    }
    Ok(cost)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seat(capacity: u64, change: Option<Change>) -> Seat {
        let (prover, cost, next_cost) = (Address::ZERO, None, None);
        Seat { seat: 4, prover, capacity, usable: 0, open_units: 0, cost, next_cost, change }
    }

    const SHRINKS: Change = Change { to: 0, from_round: RoundNumber::new(7), shrinks: true };
    const GROWS: Change = Change { to: 60, from_round: RoundNumber::new(7), shrinks: false };

    fn refusal<T: std::fmt::Debug>(outcome: Outcome<T>) -> String {
        let refusal = outcome.unwrap_err();
        assert_eq!(refusal.code(), Code::Input);
        refusal.to_string()
    }

    #[test]
    fn a_seat_of_which_nothing_is_left_is_released_and_need_not_leave() {
        require_change(&seat(30, None), 0).unwrap();
        require_change(&seat(0, None), 30).unwrap();
        for change in [None, Some(GROWS)] {
            assert!(refusal(require_change(&seat(0, change), 0)).contains("nothing of seat 4"));
        }
        assert!(refusal(require_change(&seat(30, Some(SHRINKS)), 60)).contains("prover release"));
        assert!(refusal(require_change(&seat(30, Some(GROWS)), 0)).contains("wait"));
    }

    #[test]
    fn a_seat_is_released_while_capacity_leaves_or_if_none_is_left() {
        assert_eq!(releasable(&seat(30, Some(SHRINKS))).unwrap(), Some(SHRINKS));
        assert_eq!(releasable(&seat(0, Some(SHRINKS))).unwrap(), Some(SHRINKS));
        assert_eq!(releasable(&seat(0, None)).unwrap(), None);
        assert_eq!(releasable(&seat(0, Some(GROWS))).unwrap(), None);
        for change in [None, Some(GROWS)] {
            assert!(refusal(releasable(&seat(30, change))).contains("prover leave"));
        }
    }
}
