//! Whether a bid is accepted. What can be told from the bid itself comes first, then what the database knows, and last the contract is
//! asked whether it would accept the bid now.

use crate::intake::Shared;
use crate::intake::feed::{Open, Seen};
use crate::intake::options::MAX_QUEUED_BYTES;
use crate::intake::post::ask;
use crate::intake::weight::weigh;
use alloy::primitives::{Address, B256};
use alloy::sol_types::SolError;
use bindings::ProverMarket::{BidInRoundAlready, InsufficientBalance, WrongSignature};
use chain::{CallError, MarketId, Revert};
use intake_api::{
    BidStatus, Code, MAX_SIGNATURE, Parcel, Problem, Signer, Status, Submission, SubmissionError, id_of,
};
use market_types::RoundNumber;
use service::{CANNOT_ASK, CANNOT_KEEP, trouble};
use store::bids::{BidsError, Group, Kept, NewBid, Room, Waiting};
use tokio::time::Instant;
use tracing::info;

/// Whether a bid was new, and how far it is.
pub(crate) struct Answer {
    pub(crate) is_new: bool,
    pub(crate) bid: BidStatus,
}

/// Accepts a bid, which is then on disk, or says why not.
///
/// # Errors
/// [`Problem`] with what to do next.
pub(crate) async fn accept(shared: &Shared, submission: Submission) -> Result<Answer, Problem> {
    let seen = shared.seen.borrow().clone();
    let open = served(shared, &seen, &submission)?;
    let new = read(submission, &seen, open, shared.options.most_bytes())?;
    // A client that lost the answer gets it again, also after the round's close. One that was refused may have mended the cause.
    match shared.bids.status(new.bid.waiting.id).await.map_err(|error| storage(&error))? {
        Some(bid) if bid.status != Status::Refused => return Ok(Answer { is_new: false, bid }),
        _ => {}
    }
    in_time(shared, &seen, new.bid.waiting.group)?;
    welcome(shared, &new.bid)?;
    let refused =
        ask(&shared.client, &open.market, &new.parcel).await.map_err(|error| unavailable(&error))?;
    if let Some(reason) = refused {
        return Err(refusal(reason, &new, open));
    }
    let room = Room { bids: shared.options.queue.get().into(), bytes: MAX_QUEUED_BYTES };
    match shared.bids.keep(&new.bid, room).await.map_err(|error| storage(&error))? {
        Kept::New => {
            let (market, round) = (new.bid.waiting.group.market, new.bid.waiting.group.round);
            info!(bid = %new.bid.waiting.id, %market, %round, requester = %new.bid.requester, "accepted a signed bid");
            crate::watch::intake("accepted", 1);
            shared.wake.notify_one();
            Ok(Answer { is_new: true, bid: queued(&new.bid) })
        }
        Kept::Known(bid) => Ok(Answer { is_new: false, bid: *bid }),
        Kept::Other(other) => Err(Problem::new(
            Code::AlreadyQueued,
            format!(
                "bid {} of this requester is there for the round, and a requester has one signed entry in a round; sign a lot for \
                 more bids, or bid in the next round",
                other.id
            ),
        )),
        Kept::Full => Err(Problem::new(
            Code::Busy,
            "the relayer holds as many bids as it can; try again in a moment, or submit the bid yourself",
        )),
    }
}

/// The market, if the relayer serves it.
fn served<'a>(shared: &Shared, seen: &'a Seen, submission: &Submission) -> Result<&'a Open, Problem> {
    let (chain_id, contract) = (shared.client.chain_id(), shared.client.contract());
    if (submission.chain_id, submission.contract) != (chain_id, contract) {
        return Err(Problem::new(
            Code::OtherContract,
            format!(
                "this relayer serves {contract} on chain {chain_id}; sign for that, or find the relayer of the other one"
            ),
        ));
    }
    let id = MarketId::from(submission.market);
    let open = seen.markets.get(&id).ok_or_else(|| {
        Problem::new(
            Code::UnknownMarket,
            format!("market {id} is not served here; check its id, or find another relayer"),
        )
    })?;
    if id.is_sealed() {
        let detail = "this market takes commitments, which nobody else can make; use `proophi bid`";
        return Err(Problem::new(Code::SealedMarket, detail));
    }
    Ok(open)
}

struct Read {
    bid: NewBid,
    parcel: Parcel,
}

/// What can be told from the bid itself.
fn read(submission: Submission, seen: &Seen, open: &Open, most: usize) -> Result<Read, Problem> {
    let market = &open.market;
    if submission.signature.len() > MAX_SIGNATURE {
        return Err(Problem::new(
            Code::TooLarge,
            format!("the signature has more than {MAX_SIGNATURE} bytes"),
        ));
    }
    if submission.size.get() > market.id.max_task_size() {
        let most = market.id.max_task_size();
        return Err(Problem::new(
            Code::InvalidBid,
            format!("size is {}; the market takes 1 to {most} units", submission.size),
        ));
    }
    let parcel = Parcel::try_from(&submission).map_err(|error| unfit(&error))?;
    let weight = weigh(market, &parcel);
    if weight.bytes > most {
        return Err(Problem::new(
            Code::TooLarge,
            format!(
                "the bid takes {} bytes of a transaction with its statements, and this relayer pays for {most}; hand in a smaller lot, or \
                 sign it with \"told\" false, publish the statements yourself and leave them out here",
                weight.bytes
            ),
        ));
    }
    let bid = *parcel.entry.bid();
    let (id, requester) = (id_of(submission.requester, &bid), submission.requester);
    let group = Group { market: market.id, round: bid.round, signer: submission.signer };
    let waiting =
        Waiting { id, group, bytes: weight.bytes, gas: weight.gas, accepted_at: seen.head.timestamp };
    let (closes_at, block) = (market.close_of(bid.round), seen.head.number);
    let bid = NewBid { waiting, requester, entry: bid.entry.get(), closes_at, block, submission };
    Ok(Read { bid, parcel })
}

fn unfit(error: &SubmissionError) -> Problem {
    let code = match error {
        SubmissionError::Ticket(_) => Code::InvalidBid,
        SubmissionError::Signature(_) | SubmissionError::OtherSigner { .. } => Code::WrongSignature,
        SubmissionError::Untold
        | SubmissionError::Count { .. }
        | SubmissionError::Size { .. }
        | SubmissionError::OtherTicket { .. } => Code::OtherStatements,
    };
    Problem::new(code, error.to_string())
}

/// Whether there is time to post a bid of this round.
fn in_time(shared: &Shared, seen: &Seen, group: Group) -> Result<(), Problem> {
    let (market, round) = (group.market, group.round);
    let open = round_at(seen, market)?;
    if round != open {
        return Err(Problem::new(
            Code::WrongRound,
            format!("round {open} is open and the bid is for round {round}; sign for round {open}"),
        ));
    }
    let hours = shared.options.hours(market, round);
    if seen.now() >= hours.accepts_until {
        let next = open.get().saturating_add(1);
        return Err(Problem::new(
            Code::RoundClosing,
            format!(
                "round {round} closes at {} and its bids were accepted until {}; sign for round {next} once that is open, or submit \
                 the bid yourself",
                hours.closes_at, hours.accepts_until
            ),
        ));
    }
    Ok(())
}

/// Whether a contract has not been refused on chain lately.
fn welcome(shared: &Shared, bid: &NewBid) -> Result<(), Problem> {
    let is_wallet = bid.waiting.group.signer == Signer::Wallet;
    let away = shared.wallets.away(bid.requester, Instant::now()).filter(|_| is_wallet);
    away.map_or(Ok(()), |left| {
        let (wallet, minutes) = (bid.requester, left.as_secs().div_ceil(60));
        Err(Problem::new(
            Code::Refused,
            format!(
                "{wallet} stood for a bid when it was asked and the contract refused it afterwards, which this relayer has paid for; submit                  the bid yourself, or try again in {minutes} minutes"
            ),
        ))
    })
}

/// The round that is open at the head.
///
/// # Errors
/// [`Problem`] before the market opens.
pub(crate) fn round_at(seen: &Seen, market: MarketId) -> Result<RoundNumber, Problem> {
    market.round_at(seen.head.timestamp).map_err(|error| Problem::new(Code::WrongRound, error.to_string()))
}

fn refusal(reason: [u8; 4], new: &Read, open: &Open) -> Problem {
    let error = Revert::of_selector(reason);
    let requester = new.bid.requester;
    match reason {
        InsufficientBalance::SELECTOR => {
            let cost = new.bid.submission.cost(&open.market).unwrap_or_default();
            Problem::new(
                Code::InsufficientBalance,
                format!(
                    "the bid costs {cost} ticks, which {requester} does not have free in this market; deposit them and post the bid again"
                ),
            )
        }
        BidInRoundAlready::SELECTOR => Problem::new(Code::BidInRound, advised(&error)),
        WrongSignature::SELECTOR => Problem::new(
            Code::WrongSignature,
            format!(
                "{requester} does not stand for this signature of the bid, or needs more than 100,000 gas to say so"
            ),
        ),
        _ => Problem::new(Code::Refused, advised(&error)),
    }
}

fn advised(error: &Revert) -> String {
    match error.advice() {
        Some(advice) => format!("{}: {advice}", error.name()),
        None => format!("the contract refuses it with {}", error.name()),
    }
}

fn queued(bid: &NewBid) -> BidStatus {
    let (market, round): (B256, u64) = (bid.waiting.group.market.get(), bid.waiting.group.round.get());
    let requester: Address = bid.requester;
    BidStatus {
        id: bid.waiting.id,
        status: Status::Queued,
        market,
        round,
        closes_at: bid.closes_at,
        requester,
        entry: bid.entry,
        receipt: None,
        refusal: None,
        trouble: None,
    }
}

/// The chain could not be asked, or the contract refused the whole call.
fn unavailable(error: &CallError) -> Problem {
    if let Some(revert) = error.revert() {
        return Problem::new(Code::Refused, revert.to_string());
    }
    trouble!(warn, CANNOT_ASK, %error, "cannot ask the contract about a bid");
    Problem::new(Code::ChainUnavailable, "the relayer's node does not answer; try again in a moment")
}

/// The database could not be asked.
pub(crate) fn storage(error: &BidsError) -> Problem {
    trouble!(warn, CANNOT_KEEP, %error, "cannot keep bids safely");
    Problem::new(
        Code::StorageUnavailable,
        "the relayer cannot keep the bid safely; it was not accepted, try again in a moment",
    )
}
