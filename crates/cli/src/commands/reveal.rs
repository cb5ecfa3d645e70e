//! `proophi reveal`: opens commitments of the round that closed last.

use crate::commands::lots::{MAX_BYTES, bytes_of};
use crate::commands::revealed::{Refused, Revealed, Said};
use crate::commands::sealed::{store, venue};
use crate::commands::session::{OpenMarket, Session};
use crate::failure::{Code, Failure, OrFail, Outcome};
use crate::output::Output;
use crate::settings::{self, Settings};
use alloy::eips::BlockId;
use alloy::primitives::U256;
use chain::sealed::reveal_bids_call;
use chain::{BidOpening, Client, Market, SendError};
use clap::Args;
use market_types::RoundNumber;
use service::Backoff;
use service::openings::{Kept, NoOpening, Opening, OpeningKey, OpeningStore, Secret, are_staked, is_over};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::JoinSet;

/// How often a watch looks at the chain.
const POLL: Duration = Duration::from_millis(500);
/// Bytes of an opening besides its statement, and of the call that publishes that.
const OPENING_BYTES: usize = 13 * 32;
/// Most bids to open in one transaction: each costs about as much gas as a bid in an open market.
const MAX_BIDS: usize = 100;

/// Open the commitments of the round that closed last
#[derive(Debug, Args)]
#[command(after_help = format!("Examples:
  proophi reveal                              everything that can be opened now, bids and asks
  proophi reveal --watch                      goes on, and opens each round's commitments in time
  proophi reveal --file amber.json --file basalt.json

Commitments can be opened from the close of their round for as long as the market says (`proophi market show`), by
block time. What is not opened loses its bond. Anybody who holds openings may send them: --file takes those that others
have handed over, each file one opening or a list, as they lie in the directory of openings. Nothing is sent twice: what
somebody else has opened is skipped. What the bids ask proofs of is published with them. Openings of rounds that are over are
forgotten.

{}", settings::HELP))]
pub(crate) struct RevealArgs {
    /// Go on until stopped, and open every round's commitments as soon as that is possible
    #[arg(long)]
    watch: bool,
    /// File with openings of others; may be repeated
    #[arg(long, value_name = "FILE")]
    file: Vec<PathBuf>,
}

/// Runs `proophi reveal`.
pub(crate) async fn run(args: RevealArgs, settings: Settings, output: Output) -> Outcome<()> {
    let session = Session::with_key(settings, output).await?;
    let open = session.market().await?;
    let source = Source { store: store(&session)?, received: received(&args.file, &session, &open)? };
    if args.watch {
        return watch(&session, &open, &source).await;
    }
    let done = reveal(&session.client, &open.market, &source).await?;
    output.report(&done)?;
    done.verdict()
}

/// Where openings come from.
pub(crate) struct Source {
    pub(crate) store: OpeningStore,
    /// What others have handed over; if there is any, the own ones are left alone.
    pub(crate) received: Vec<Opening>,
}

fn received(files: &[PathBuf], session: &Session, open: &OpenMarket) -> Outcome<Vec<Opening>> {
    let mut openings = Vec::new();
    for file in files {
        openings.extend(openings_in(file)?);
    }
    let venue = venue(session, open);
    match openings.iter().find(|opening| opening.key().venue != venue) {
        None => Ok(openings),
        Some(other) => Err(Failure::input(format!(
            "commitment {} is of market {} on chain {}; name that one with --market",
            other.key().commitment,
            other.key().venue.market,
            other.key().venue.chain_id
        ))),
    }
}

fn openings_in(file: &Path) -> Outcome<Vec<Opening>> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::input(format!("cannot read {}: {error}", file.display())))?;
    let written = match serde_json::from_str(&text) {
        Ok(serde_json::Value::Array(many)) => many,
        Ok(one) => vec![one],
        Err(_) => return Err(Failure::input(format!("{} holds no openings", file.display()))),
    };
    let refused = |fault: NoOpening| Failure::input(format!("{} holds no openings: {fault}", file.display()));
    written.into_iter().map(|one| Opening::read(one).map_err(refused)).collect()
}

/// Reveals until the process is told to stop. Trouble with the chain is sat out.
async fn watch(session: &Session, open: &OpenMarket, source: &Source) -> Outcome<()> {
    let stop = service::shutdown();
    tokio::pin!(stop);
    let (mut backoff, mut said) = (Backoff::new(POLL, Duration::from_secs(5)), Said::default());
    loop {
        let pause = match reveal(&session.client, &open.market, source).await {
            Ok(done) => {
                if let Some(news) = said.news(done) {
                    session.output.report(&news)?;
                }
                backoff.reset();
                POLL
            }
            Err(failure) if failure.code() == Code::Connection => {
                let pause = backoff.delay();
                session.output.warn(&format!("{failure}; trying again in {pause:?}"));
                pause
            }
            Err(failure) => return Err(failure),
        };
        tokio::select! {
            stopped = &mut stop => return stopped.or_fail(Code::Failed),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Opens what can be opened now, and forgets what is over.
pub(crate) async fn reveal(client: &Client, market: &Market, source: &Source) -> Outcome<Revealed> {
    let venue = service::openings::Venue::of(client, market);
    let own = source.received.is_empty();
    let Kept { openings, mut faults } = if own {
        source.store.of_market(&venue)
    } else {
        Kept { openings: source.received.clone(), faults: Vec::new() }
    };
    let head = client.head().await.or_fail(Code::Connection)?;
    let keys: Vec<OpeningKey> = openings.iter().map(|opening| *opening.key()).collect();
    let staked = are_staked(client, &keys, BlockId::hash(head.hash)).await.or_fail(Code::Connection)?;
    let (now, mut done) = (head.timestamp, Revealed { market: market.id.to_string(), ..Revealed::default() });
    let revealing =
        market.id.round_at(now).ok().and_then(|round| round.get().checked_sub(1)).map(RoundNumber::new);
    let revealing = revealing.filter(|round| now < market.reveal_by(*round));
    (done.round, done.now) = (revealing.map(RoundNumber::get), now);

    let mut ready = Vec::new();
    for (opening, staked) in openings.into_iter().zip(staked) {
        let key = *opening.key();
        let close = market.close_of(key.round);
        if own && is_over(market, key.round, staked, now) {
            match source.store.forget(&key) {
                Ok(()) => done.forgotten += 1,
                Err(fault) => faults.push(fault),
            }
        } else if now < close {
            done.early += 1;
            done.next_at = Some(done.next_at.map_or(close, |next| next.min(close)));
        } else if Some(key.round) != revealing {
            done.late += usize::from(staked);
        } else if staked {
            ready.push(opening);
        } else {
            done.already += 1;
        }
    }
    done.faults = faults.iter().map(ToString::to_string).collect();
    send(client, market, ready, &mut done).await?;
    Ok(done)
}

/// What one transaction opens.
enum Batch {
    Bids(Vec<BidOpening>),
    Ask(chain::AskOpening),
}

/// Opens all of `ready` at the same time, in as few transactions as fit, and notes what came of each.
async fn send(client: &Client, market: &Market, ready: Vec<Opening>, done: &mut Revealed) -> Outcome<()> {
    let keys: Vec<OpeningKey> = ready.iter().map(|opening| *opening.key()).collect();
    let mut sending = JoinSet::new();
    for batch in batches(ready) {
        let (client, market) = (client.clone(), market.clone());
        sending.spawn(async move { send_batch(&client, &market, batch).await });
    }
    let mut trouble = None;
    while let Some(sent) = sending.join_next().await {
        if let Err(error) = sent.or_fail(Code::Failed)? {
            trouble = Some(error);
        }
    }
    // Not what was sent counts, but what the chain has now: somebody else may have been faster.
    let head = client.head().await.or_fail(Code::Connection)?;
    let staked = are_staked(client, &keys, BlockId::hash(head.hash)).await.or_fail(Code::Connection)?;
    for (key, staked) in keys.iter().zip(staked) {
        let commitment = key.commitment.to_string();
        match (&trouble, staked) {
            (_, false) => done.revealed.push(commitment),
            (Some(error), true) if error.revert().is_none() => {
                return Err(Failure::new(Code::Connection, eyre::eyre!("revealing: {error}")));
            }
            (error, true) => {
                let reason = error.as_ref().map_or_else(
                    || "its deposit is too small, or it is not mined yet".into(),
                    ToString::to_string,
                );
                done.refused.push(Refused { commitment, reason });
            }
        }
    }
    Ok(())
}

async fn send_batch(client: &Client, market: &Market, batch: Batch) -> Result<(), SendError> {
    match batch {
        // What was kept was committed to, so that its circuit has a size.
        Batch::Bids(bids) => match reveal_bids_call(market, &bids) {
            Ok(call) => client.send(call, U256::ZERO, None).await?,
            Err(_) => return Ok(()),
        },
        Batch::Ask(ask) => client.send(ask.reveal_call(market), U256::ZERO, None).await?,
    };
    Ok(())
}

/// Bids in batches that fit a transaction, asks one by one.
fn batches(ready: Vec<Opening>) -> Vec<Batch> {
    let (mut batches, mut bids, mut bytes) = (Vec::new(), Vec::new(), 0);
    for opening in ready {
        match opening.secret() {
            Secret::Ask(ask) => batches.push(Batch::Ask(*ask)),
            Secret::Bid(bid) => {
                let size = OPENING_BYTES + bytes_of(&bid.statement());
                if !bids.is_empty() && (bids.len() == MAX_BIDS || bytes + size > MAX_BYTES) {
                    batches.push(Batch::Bids(std::mem::take(&mut bids)));
                    bytes = 0;
                }
                bytes += size;
                bids.push(bid.clone());
            }
        }
    }
    if !bids.is_empty() {
        batches.push(Batch::Bids(bids));
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::{Address, B256};
    use market_types::{AskIndex, CircuitId, UnitCost, UnitFee};
    use service::openings::Venue;

    fn venue() -> Venue {
        Venue { chain_id: 1, contract: Address::ZERO, market: B256::ZERO }
    }

    fn bid(bytes: usize) -> Opening {
        let bid = BidOpening {
            requester: Address::ZERO,
            fee: UnitFee::MIN,
            circuit: CircuitId::of(0, 1),
            public_inputs: Vec::new(),
            data: vec![0; bytes].into(),
            salt: B256::ZERO,
        };
        Opening::of_bid(venue(), RoundNumber::MIN, bid).unwrap()
    }

    fn ask() -> Opening {
        let (prover, seat, cost) = (Address::ZERO, AskIndex::new(0), UnitCost::new(1));
        Opening::of_ask(venue(), RoundNumber::MIN, chain::AskOpening { prover, seat, cost, salt: B256::ZERO })
    }

    fn sizes(openings: Vec<Opening>) -> Vec<usize> {
        let size = |batch: &Batch| match batch {
            Batch::Bids(bids) => bids.len(),
            Batch::Ask(_) => 0,
        };
        batches(openings).iter().map(size).collect()
    }

    #[test]
    fn bids_are_opened_together_and_asks_alone() {
        assert_eq!(sizes(vec![bid(1), ask(), bid(1), ask()]), [0, 0, 2]);
        assert!(sizes(Vec::new()).is_empty());
    }

    #[test]
    fn a_transaction_has_room_for_so_many_bids_and_so_many_bytes() {
        assert_eq!(sizes((0..250).map(|_| bid(1)).collect()), [100, 100, 50]);
        assert_eq!(sizes(vec![bid(60_000), bid(30_000), bid(60_000)]), [2, 1]);
    }

    #[test]
    fn a_file_holds_one_opening_or_a_list() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("openings.json");
        let read = |text: String| {
            std::fs::write(&file, text).unwrap();
            openings_in(&file)
        };
        assert_eq!(read(serde_json::to_string(&ask()).unwrap()).unwrap(), [ask()]);
        assert_eq!(read(serde_json::to_string(&[ask(), bid(3)]).unwrap()).unwrap(), [ask(), bid(3)]);
        let other = serde_json::to_string(&ask()).unwrap().replace("\"1\"", "\"2\"");
        assert!(read(other).unwrap_err().to_string().contains("no openings"));
        let old = serde_json::to_string(&[ask(), bid(3)]).unwrap().replace("\"format\":2,", "");
        assert!(read(old).unwrap_err().to_string().contains("another version"));
    }
}
