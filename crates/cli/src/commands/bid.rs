//! `proophi bid`: one bid, or many from a file.

use crate::amount::{Amount, Money};
use crate::commands::market::{current_round, terms_of};
use crate::commands::money::{available, top_up};
use crate::commands::sealed::commit_bids;
use crate::commands::session::{OpenMarket, Session, refused};
use crate::commands::statement::{Statement, StatementArgs, bids_from, check_terms};
use crate::failure::{Code, Failure, OrFail, Outcome};
use crate::output::{Output, Report};
use crate::render::{Palette, clock, span};
use crate::settings::{self, Settings};
use alloy::primitives::{Address, B256, U256};
use bindings::Groth16Verifier;
use bindings::ProverMarket::{self, NewBid};
use chain::CallError;
use chain::events::BidHead;
use clap::Args;
use market_types::{CircuitId, RoundNumber};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Most bytes of published data in one transaction; nodes take 128 KiB in all.
const MAX_DATA: usize = 96 * 1024;
/// Most bids in one transaction.
const MAX_BIDS: usize = 100;

/// Bid for proofs in the round that is open
#[derive(Debug, Args)]
#[command(after_help = format!("Examples:
  proophi bid --fee 55 --generate 2 --seed 7                    a made-up rollup batch of two transfers
  proophi bid --fee 12gwei --circuit transfers-1 --public-inputs 0x1a…,0x2b… --data task.bin
  proophi bid --file bids.json --top-up                         many, in as few transactions as possible

A file holds a list of {{\"fee\": \"55\", \"transfers\": 2, \"seed\": 7}} or
{{\"fee\": \"55\", \"circuit\": \"transfers-1\", \"public_inputs\": [\"0x1a…\", \"0x2b…\"], \"data\": \"0x…\"}}.
A fee without a unit is ticks per unit of size. A bid locks its fee times its size and pays the settlement fee; it
cannot be withdrawn. What a round does not use comes back by itself.

In a sealed market this commits to the bids: the chain shows a hash and a deposit, and the openings go to the directory of
openings (mode 600, on disk before anything is sent). The deposit must cover the fee times the size and the settlement
fee, and what it holds beyond them is free again with the reveal. As it can be seen, a deposit close to the cost would
give the fee away; without --deposit it is the next power of two of ticks, which tells only in which range from X to 2X
the cost is. Part of it, the bond, is lost if the bid is not opened in time: run `proophi reveal --watch`.

{}", settings::HELP))]
#[group(id = "what", required = true, multiple = true, args = ["fee", "file"])]
pub(crate) struct BidArgs {
    /// Most to pay per unit of size
    #[arg(long, value_name = "PRICE")]
    fee: Option<Amount>,
    #[command(flatten)]
    statement: StatementArgs,
    /// JSON file with a list of bids
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fee", "generate", "circuit"])]
    file: Option<PathBuf>,
    /// What each bid of a sealed market locks until it is opened [default: its cost, up to the next power of two of ticks]
    #[arg(long, value_name = "AMOUNT")]
    deposit: Option<Amount>,
    /// Deposit what is missing first
    #[arg(long)]
    top_up: bool,
}

/// Bids that went into a round with one transaction.
#[derive(Debug, Serialize)]
pub(crate) struct Submitted {
    pub(crate) round: u64,
    pub(crate) first_index: u64,
    pub(crate) bids: usize,
    transaction: B256,
}

#[derive(Debug, Serialize)]
struct SubmittedAll {
    market: String,
    submitted: Vec<Submitted>,
    /// Locked and paid, for all bids.
    cost: Money,
    available: Money,
    closes_at: u64,
    #[serde(skip)]
    now: u64,
}

impl Report for SubmittedAll {
    fn text(&self, palette: Palette, _width: usize) -> String {
        let mut text = String::new();
        for part in &self.submitted {
            let last = part.first_index + part.bids as u64 - 1;
            let which = if part.bids == 1 {
                format!("bid {}", part.first_index)
            } else {
                format!("bids {} to {last}", part.first_index)
            };
            text += &format!("{} as {which} of round {}\n", palette.good("submitted"), part.round);
        }
        text += &format!("locked and paid  {}\navailable        {}\n", self.cost, self.available);
        text + &format!("the round closes {} ({} UTC)", span(self.now, self.closes_at), clock(self.closes_at))
    }
}

/// Runs `proophi bid`.
pub(crate) async fn run(args: BidArgs, settings: Settings, output: Output) -> Outcome<()> {
    let session = Session::with_key(settings, output).await?;
    let open = session.market().await?;
    let bids = match (&args.file, &args.fee) {
        (Some(file), _) => bids_from(file, &open.money)?,
        (None, Some(fee)) => {
            let fee = open.money.price(fee).or_fail(Code::Input)?;
            let statement = Statement::from_args(&args.statement)?
                .ok_or_else(|| Failure::input("what to prove? give --generate, or --circuit with --data"))?;
            vec![statement.bid(fee)]
        }
        (None, None) => return Err(Failure::input("give --fee or --file")),
    };
    check(&session, &open, &bids).await?;
    let deposit =
        args.deposit.as_ref().map(|amount| open.money.ticks(amount).or_fail(Code::Input)).transpose()?;
    if open.market.id.is_sealed() {
        return output.report(&commit_bids(&session, &open, bids, deposit, args.top_up).await?);
    }
    if deposit.is_some() {
        return Err(Failure::input(
            "--deposit is for sealed markets; bids of this one are open and lock what they offer",
        ));
    }
    let cost: U256 = bids.iter().map(|bid| cost(&open, bid)).sum();
    let held = available(&session, &open, session.sender()?).await?;
    let missing = cost.saturating_sub(held);
    if !missing.is_zero() && !args.top_up {
        return Err(Failure::input(format!(
            "these bids need {}, {} is available; run `proophi deposit {missing}ticks`, or add --top-up",
            open.money.money(cost),
            open.money.money(held),
        )));
    }
    let attach = top_up(&session, &open, missing).await?;
    let submitted = submit_all(&session, &open, bids, attach).await?;
    let last = submitted.last().map_or(0, |part| part.round);
    let report = SubmittedAll {
        market: open.market.id.to_string(),
        submitted,
        cost: open.money.money(cost),
        available: open.money.money(available(&session, &open, session.sender()?).await?),
        closes_at: open.market.close_of(RoundNumber::new(last)),
        now: session.now().await?,
    };
    output.report(&report)
}

/// What a bid takes out of the balance (ticks).
pub(crate) fn cost(open: &OpenMarket, bid: &NewBid) -> U256 {
    let size = U256::from(CircuitId::new(bid.circuit).units());
    U256::from(bid.fee) * size + U256::from(open.market.id.settlement_fee())
}

async fn check(session: &Session, open: &OpenMarket, bids: &[NewBid]) -> Outcome<()> {
    if bids.is_empty() {
        return Err(Failure::input("there is no bid in the list"));
    }
    let params = &open.market.params;
    let terms = terms_of(session, open, current_round(session, open).await?).await?;
    for (position, bid) in bids.iter().enumerate() {
        check_terms(bid, params.max_task_size.get(), terms.reserve_price_ticks)
            .map_err(|failure| Failure::input(format!("bid {position}: {failure}")))?;
    }
    check_circuits(session, params.verifier, bids).await
}

/// Asks the verifier what it knows of the bids' circuits: a bid that it would not accept any proof of may win and then costs a
/// penalty.
async fn check_circuits(session: &Session, verifier: Address, bids: &[NewBid]) -> Outcome<()> {
    let verifier = Groth16Verifier::new(verifier, session.client.provider());
    let circuits: BTreeSet<u64> = bids.iter().map(|bid| bid.circuit).collect();
    for circuit in circuits {
        let id = CircuitId::new(circuit);
        if !verifier.isCircuit(circuit).call().await.or_fail(Code::Connection)? {
            return Err(Failure::input(format!(
                "the market's verifier knows no circuit {id}; a bid for it would cost a penalty"
            )));
        }
        let count = verifier.publicInputCount(U256::from(id.index())).call().await;
        let count = match count.map_err(CallError::from) {
            Ok(count) => count,
            Err(error @ CallError::Rpc(_)) => return Err(Failure::new(Code::Connection, error)),
            // A verifier of another kind need not tell.
            Err(_) => continue,
        };
        let mut given = bids.iter().filter(|bid| bid.circuit == circuit).map(|bid| bid.publicInputs.len());
        if let Some(given) = given.find(|given| U256::from(*given) != count) {
            return Err(Failure::input(format!("circuit {id} takes {count} public inputs, not {given}")));
        }
    }
    Ok(())
}

/// Submits bids in as few transactions as fit; `attach` wei go with the first.
pub(crate) async fn submit_all(
    session: &Session,
    open: &OpenMarket,
    bids: Vec<NewBid>,
    attach: U256,
) -> Outcome<Vec<Submitted>> {
    let bar = session.output.bar(bids.len() as u64, "submitting bids");
    let (mut submitted, mut value) = (Vec::new(), attach);
    for part in parts(bids) {
        let count = part.len();
        submitted.push(submit(session, open, part, value).await?);
        value = U256::ZERO;
        bar.inc(count as u64);
    }
    bar.finish_and_clear();
    Ok(submitted)
}

/// Submits bids in one transaction, a single one in the cheaper way.
async fn submit(
    session: &Session,
    open: &OpenMarket,
    mut bids: Vec<NewBid>,
    value: U256,
) -> Outcome<Submitted> {
    let (id, count) = (open.market.id.get(), bids.len());
    let sent = match (bids.pop(), bids.is_empty()) {
        (Some(NewBid { fee, circuit, publicInputs, data }), true) => {
            let call = ProverMarket::submitBidCall { id, fee, circuit, publicInputs, data };
            session.client.send(call, value, None).await
        }
        (last, _) => {
            bids.extend(last);
            session.client.send(ProverMarket::submitBidsCall { id, bids }, value, None).await
        }
    };
    let receipt = sent.map_err(|error| refused("bidding", error))?;
    let first: ProverMarket::BidSubmitted = session.event(&receipt)?;
    let BidHead { round, index, .. } = BidHead::try_from(first.head).or_fail(Code::Failed)?;
    let (round, first_index) = (round.get(), index.get().into());
    Ok(Submitted { round, first_index, bids: count, transaction: receipt.transaction_hash })
}

/// Splits bids so that each part fits a transaction.
fn parts(bids: Vec<NewBid>) -> Vec<Vec<NewBid>> {
    let mut parts: Vec<Vec<NewBid>> = Vec::new();
    let mut bytes = 0;
    for bid in bids {
        let size = bid.data.len() + 32 * (bid.publicInputs.len() + 8);
        match parts.last_mut() {
            Some(part) if part.len() < MAX_BIDS && bytes + size <= MAX_DATA => {
                bytes += size;
                part.push(bid);
            }
            _ => {
                bytes = size;
                parts.push(vec![bid]);
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bid(bytes: usize) -> NewBid {
        NewBid { fee: 1, circuit: 1, publicInputs: Vec::new(), data: vec![0; bytes].into() }
    }

    #[test]
    fn parts_keep_every_bid_in_order_and_fit_a_transaction() {
        let sizes = [10, 50_000, 40_000, 20_000, 100, 90_000];
        let parts = parts(sizes.iter().map(|size| bid(*size)).collect());
        let lengths: Vec<Vec<usize>> =
            parts.iter().map(|part| part.iter().map(|bid| bid.data.len()).collect()).collect();
        assert_eq!(lengths, [vec![10, 50_000, 40_000], vec![20_000, 100], vec![90_000]]);
    }

    #[test]
    fn parts_hold_at_most_a_hundred_bids() {
        let lengths: Vec<usize> = parts((0..250).map(|_| bid(1)).collect()).iter().map(Vec::len).collect();
        assert_eq!(lengths, [100, 100, 50]);
    }
}
