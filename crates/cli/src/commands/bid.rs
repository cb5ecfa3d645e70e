//! `proophi bid`: one bid, a lot, or many from a file.

use crate::amount::{Amount, Denomination};
use crate::commands::lots::{Entry, entries, parts};
use crate::commands::market::{current_round, terms_of};
use crate::commands::money::available;
use crate::commands::quote::{Quote, Submitted, SubmittedAll};
use crate::commands::relay::Relayer;
use crate::commands::sealed::{commit_bids, fund};
use crate::commands::session::{OpenMarket, Session, refused};
use crate::commands::signed::sign;
use crate::commands::statement::{StatementArgs, Wanted, bids_from, check_terms};
use crate::failure::{Code, Failure, OrFail, Outcome};
use crate::output::{Output, Report, terminal_width};
use crate::render::Palette;
use crate::settings::{self, Settings};
use alloy::primitives::{Address, U256};
use bindings::Groth16Verifier;
use chain::events::first_place;
use chain::{CallError, Lot};
use clap::Args;
use market_types::{CircuitId, RoundNumber};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Bid for proofs in the round that is open, and publish what is to be proved
#[derive(Debug, Args)]
#[command(after_help = format!("Examples:
  proophi bid --fee 55 --generate 2 --seed 7                    a made-up rollup batch of two transfers
  proophi bid --fee 55 --generate 2 --seed 7 --count 20         a lot: twenty of them, as one entry
  proophi bid --fee 12gwei --circuit transfers-1 --public-inputs 0x1a…,0x2b… --data task.bin
  proophi bid --file bids.json --dry-run                        what they would cost, and which entries they make
  proophi bid --file bids.json --top-up                         many, in as few transactions as possible
  proophi bid --fee 55 --generate 2 --relay https://relay.xyz   signed, and sent by a relayer that pays the gas
  proophi bid --fee 55 --generate 2 --sign-only > bid.json      signed, for anyone to `proophi submit-signed`

A file holds a list of {{\"fee\": \"55\", \"transfers\": 2, \"seed\": 7}}, with \"count\" for several in a row, or
{{\"fee\": \"55\", \"circuit\": \"transfers-1\", \"public_inputs\": [\"0x1a…\", \"0x2b…\"], \"data\": \"0x…\"}}.
A fee without a unit is ticks per unit of size. A bid locks its fee times its size and pays the settlement fee; it
cannot be withdrawn. What a round does not use comes back by itself.

Lots: bids of one size at one fee that are sent together become one entry of the round, whatever they ask proofs of, and
nothing has to be done for it. An entry takes 32 bytes on the chain however many bids it stands for, so that a lot costs little
more than a single bid. Its bids have consecutive numbers, win or lose one by one in that order, and are proved, paid and refunded
one by one. Bids of other sizes or at other fees become entries of their own, and entries that are sent together come back by one
release.

What is to be proved is published in the same transaction. Money goes in before it (--top-up, or `proophi deposit`).

Signed bids: with --relay or --sign-only nothing is sent by this command. The bid is signed (EIP-712) for the round that is open,
counts once, and is paid from the signer's balance in the market, which needs to have the money already; somebody else submits it
and pays the gas. A requester has one signed entry in a round, so that many bids have to make one lot. A relayer keeps the bid and
posts it before the round closes; the command waits for the receipt, which says where in the round the bid is. Until then it is
worth a promise: whoever wants to be sure sends by itself.

In a sealed market this commits to the bids, each by itself: the chain shows a hash and a deposit, and the openings go to the
directory of openings (mode 600, on disk before anything is sent). The deposit must cover the fee times the size and the
settlement fee, and what it holds beyond them is free again with the reveal. As it can be seen, a deposit close to the cost would
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
    /// Show what the bids would cost and which entries they make, and send nothing
    #[arg(long, conflicts_with = "top_up")]
    dry_run: bool,
    /// Sign the bid and hand it in at this relayer, then wait until it is in the round
    #[arg(long, value_name = "URL", conflicts_with_all = ["dry_run", "deposit", "sign_only"])]
    relay: Option<String>,
    /// With --relay: do not wait once the relayer has accepted the bid
    #[arg(long, requires = "relay")]
    no_wait: bool,
    /// Print the signed bid as JSON and send nothing
    #[arg(long, conflicts_with_all = ["dry_run", "deposit", "top_up"])]
    sign_only: bool,
}

/// Runs `proophi bid`.
pub(crate) async fn run(args: BidArgs, settings: Settings, output: Output) -> Outcome<()> {
    let session = Session::with_key(settings, output).await?;
    let open = session.market().await?;
    let wanted = args.wanted(&open.money)?;
    check(&session, &open, &wanted).await?;
    let sealed = open.market.id.is_sealed();
    let deposit =
        args.deposit.as_ref().map(|amount| open.money.ticks(amount).or_fail(Code::Input)).transpose()?;
    if deposit.is_some() && !sealed {
        return Err(Failure::input(
            "--deposit is for sealed markets; bids of this one are open and lock what they offer",
        ));
    }
    let entries = entries(session.sender()?, wanted.clone(), sealed)?;
    let signed = match args.sign_only || args.relay.is_some() {
        true => Some(sign(&session, &open, &entries).await?),
        false => None,
    };
    if let Some(signed) = signed.as_ref().filter(|_| args.sign_only) {
        return output.raw(&serde_json::to_string_pretty(signed).or_fail(Code::Failed)?);
    }
    let quote = Quote::of(&session, &open, &entries, deposit).await?;
    if args.dry_run {
        return output.report(&quote);
    }
    output.say(quote.text(Palette::of_stdout(), terminal_width()).trim_end())?;
    if sealed {
        return output.report(&commit_bids(&session, &open, wanted, deposit, args.top_up).await?);
    }
    fund(&session, &open, cost(&open, &entries), args.top_up).await?;
    if let (Some(url), Some(signed)) = (&args.relay, &signed) {
        let relayer = Relayer::at(url)?;
        let bid = relayer.hand_in(signed).await?;
        let relayed = if args.no_wait { relayer.report(bid) } else { relayer.follow(bid, output).await? };
        return output.report(&relayed);
    }
    let cost = open.money.money(cost(&open, &entries));
    let submitted = submit_all(&session, &open, entries).await?;
    let last = submitted.last().map_or(0, |part| part.round);
    output.report(&SubmittedAll {
        market: open.market.id.to_string(),
        submitted,
        cost,
        available: open.money.money(available(&session, &open, session.sender()?).await?),
        closes_at: open.market.close_of(RoundNumber::new(last)),
        now: session.now().await?,
    })
}

impl BidArgs {
    fn wanted(&self, money: &Denomination) -> Outcome<Vec<Wanted>> {
        let fee = match (&self.file, &self.fee) {
            (Some(file), _) => return bids_from(file, money),
            (None, Some(fee)) => money.price(fee).or_fail(Code::Input)?,
            (None, None) => return Err(Failure::input("give --fee or --file")),
        };
        let statements = self.statement.statements()?;
        if statements.is_empty() {
            return Err(Failure::input("what to prove? give --generate, or --circuit with --data"));
        }
        Ok(statements.into_iter().map(|statement| Wanted { fee, statement }).collect())
    }
}

/// What entries take out of the balance (ticks).
pub(crate) fn cost(open: &OpenMarket, entries: &[Entry]) -> U256 {
    entries.iter().map(|entry| U256::from(entry.lot.cost(&open.market))).sum()
}

async fn check(session: &Session, open: &OpenMarket, bids: &[Wanted]) -> Outcome<()> {
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
async fn check_circuits(session: &Session, verifier: Address, bids: &[Wanted]) -> Outcome<()> {
    let verifier = Groth16Verifier::new(verifier, session.client.provider());
    let circuits: BTreeSet<u64> = bids.iter().map(|bid| bid.statement.circuit.get()).collect();
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
        let statements = bids.iter().map(|bid| &bid.statement).filter(|statement| statement.circuit == id);
        let mut given = statements.map(|statement| statement.public_inputs.len());
        if let Some(given) = given.find(|given| U256::from(*given) != count) {
            return Err(Failure::input(format!("circuit {id} takes {count} public inputs, not {given}")));
        }
    }
    Ok(())
}

/// Submits entries from the sender's balance and publishes their statements, in as few transactions as fit.
pub(crate) async fn submit_all(
    session: &Session,
    open: &OpenMarket,
    entries: Vec<Entry>,
) -> Outcome<Vec<Submitted>> {
    let bar = session.output.bar(entries.len() as u64, "submitting bids");
    let mut submitted = Vec::new();
    for part in parts(entries) {
        submitted.push(submit(session, open, &part).await?);
        bar.inc(part.len() as u64);
    }
    bar.finish_and_clear();
    Ok(submitted)
}

/// Submits entries in one transaction, a single one in the cheaper way.
async fn submit(session: &Session, open: &OpenMarket, part: &[Entry]) -> Outcome<Submitted> {
    let lots: Vec<Lot> = part.iter().map(|entry| entry.lot.clone()).collect();
    let receipt = session.client.submit(&open.market, &lots).await;
    let receipt = receipt.map_err(|error| refused("bidding", error))?;
    let place = first_place(&receipt, session.client.contract())
        .ok_or_else(|| Failure::new(Code::Failed, eyre::eyre!("the receipt shows no bid")))?;
    Ok(Submitted::new(open, part, &place, receipt.transaction_hash))
}
