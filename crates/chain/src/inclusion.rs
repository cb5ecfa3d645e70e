//! What became of signed bids: where they went into rounds, by whomever, and which ones a transaction could not submit.

use crate::logs::LogReader;
use crate::{Client, FollowError, MarketId};
use alloy::primitives::{Address, B256, U256};
use alloy::rpc::types::{Filter, Log, TransactionReceipt};
use alloy::sol_types::SolEvent;
use bindings::ProverMarket::{SignedBidRefused, SignedBidsSubmitted};
use market_types::{BidIndex, RoundNumber};

/// An entry that was submitted with its requester's signature, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inclusion {
    /// The market.
    pub market: MarketId,
    /// The round.
    pub round: RoundNumber,
    /// Whose bid it is.
    pub requester: Address,
    /// The entry, as on the wire.
    pub entry: B256,
    /// Index of its first bid in the round.
    pub first_index: BidIndex,
    /// Number of the block.
    pub block: u64,
    /// Hash of the block.
    pub block_hash: B256,
    /// The transaction.
    pub transaction: B256,
    /// Position of the log in the block. Entries of one log follow each other.
    pub log_index: u64,
}

/// An entry that a transaction did not get into the round, and left as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Who signed it, or whoever a signature of something else seems to be of.
    pub requester: Address,
    /// The round that was open.
    pub round: RoundNumber,
    /// Its place in the call, from 0.
    pub position: usize,
    /// Selector of the error that it stands for.
    pub reason: [u8; 4],
}

/// Reads the inclusions of a contract's signed bids, range by range.
#[derive(Debug)]
pub struct InclusionReader {
    reader: LogReader,
}

impl InclusionReader {
    /// Reads from `client`'s contract, at most `max_span` blocks in a request.
    #[must_use]
    pub fn new(client: Client, max_span: u64) -> Self {
        let filter =
            Filter::new().address(client.contract()).event_signature(SignedBidsSubmitted::SIGNATURE_HASH);
        Self { reader: LogReader::new(client, filter, max_span) }
    }

    /// What was submitted in the blocks from `from` on, as far as the node answers for at once and not after `last`, and the last of
    /// these blocks. Logs are those of the chain as it is now: after a reorganisation read again from its first block.
    ///
    /// # Errors
    /// [`FollowError`]. The same call later tries the same blocks again.
    pub async fn next(&mut self, from: u64, last: u64) -> Result<(Vec<Inclusion>, u64), FollowError> {
        let (logs, reached) = self.reader.raw(from, last).await?;
        Ok((logs.iter().flat_map(inclusions).collect(), reached))
    }
}

/// What one log of the contract says was included; nothing if it is another one.
#[must_use]
pub fn inclusions(log: &Log) -> Vec<Inclusion> {
    let place = (log.block_number, log.block_hash, log.transaction_hash, log.log_index);
    let (Some(block), Some(block_hash), Some(transaction), Some(log_index)) = place else {
        return Vec::new();
    };
    let Ok(event) = SignedBidsSubmitted::decode_log(&log.inner) else { return Vec::new() };
    let (market, round) = (MarketId::from(event.id), RoundNumber::new(low(event.round)));
    let mut next = low(event.firstIndex);
    let mut found = Vec::with_capacity(event.bids.len());
    for bid in &event.bids {
        let Ok(first_index) = BidIndex::from_u64(next) else { break };
        next = next.saturating_add(bids_of(bid.entry));
        found.push(Inclusion {
            market,
            round,
            requester: bid.requester,
            entry: bid.entry,
            first_index,
            block,
            block_hash,
            transaction,
            log_index,
        });
    }
    found
}

/// How many bids an entry stands for.
fn bids_of(entry: B256) -> u64 {
    crate::BidWord::try_from(entry).map_or(1, |word| word.count().get().into())
}

/// The signed bids that a transaction of `contract` could not submit.
#[must_use]
pub fn refusals(receipt: &TransactionReceipt, contract: Address) -> Vec<Refusal> {
    let logs = receipt.inner.logs().iter().filter(|log| log.address() == contract);
    logs.filter_map(|log| SignedBidRefused::decode_log(&log.inner).ok())
        .map(|event| Refusal {
            requester: event.requester,
            round: RoundNumber::new(low(event.round)),
            position: usize::try_from(event.position).unwrap_or(usize::MAX),
            reason: event.reason.0,
        })
        .collect()
}

fn low(value: U256) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}
