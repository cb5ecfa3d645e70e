//! Does one thing that the plan asks for, in one transaction.

use crate::plan::{Trust, next_step};
use alloy::primitives::{B256, U256};
use alloy::rpc::types::TransactionReceipt;
use bindings::ProverMarket::{NothingToSettle, RoundSettledAlready, RoundVoid, UnknownBundle, WrongProgress};
use chain::commitments::BidChain;
use chain::history::BundleRecord;
use chain::round::{asks_at, release_call, terms_at, to_clearing};
use chain::settlement::{PageLimits, SettlementCall, Settling};
use chain::{CallError, Client, Market, RoundRecord, SendError, Terms};
use clearing::certificate;
use market_types::{RoundError, RoundNumber, Units};
use std::sync::Arc;
use thiserror::Error;

/// What came of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// The round was settled by this relayer.
    Settled {
        /// The transaction.
        transaction: B256,
        /// Its block.
        block: u64,
        /// Gas it used.
        gas: u64,
        /// Total size of the winning tasks (units), 0 without a trade.
        units: Units,
    },
    /// A page of the round was settled by this relayer, and others are left.
    PageSettled {
        /// The transaction.
        transaction: B256,
        /// Its block.
        block: u64,
        /// Gas it used.
        gas: u64,
        /// Bids of the pages that are left.
        bids_left: u64,
    },
    /// The page was to go on from one that its settler has gone on from, or has begun anew instead of. The next look at the chain shows
    /// which is the furthest now.
    Overtaken,
    /// Somebody else settled the round first, with the same outcome: no other passes.
    SettledByOther,
    /// The round's deadline passed; every bid is refunded.
    TooLate,
    /// The results of the bundle were credited.
    Released {
        /// The transaction.
        transaction: B256,
        /// Its block.
        block: u64,
    },
    /// Somebody else released the bundle first.
    ReleasedByOther,
}

/// Why an action came to nothing. It is tried again a while later.
#[derive(Debug, Error)]
pub enum ActError {
    /// The chain does not answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The transaction failed.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The bids that are known are not those of the contract.
    #[error(
        "the {known} bids read from logs are not the {actual} of the contract; the node's logs lag or lack some"
    )]
    OtherBids {
        /// How many bids are known.
        known: u32,
        /// How many the contract has.
        actual: u64,
    },
    /// The terms that are known are not those of the contract.
    #[error(
        "the terms read from logs, {known:?}, are not the contract's, {actual:?}; the node's logs lag or lack some"
    )]
    OtherTerms {
        /// What is known.
        known: Terms,
        /// What the contract has.
        actual: Terms,
    },
    /// The round cannot be cleared, which no round of the contract is.
    #[error(transparent)]
    Round(#[from] RoundError),
    /// The bundle's bids are not known.
    #[error("round {0} has a bundle of bids that were not read; the node's logs lack some")]
    MissingBids(RoundNumber),
}

/// How a round is settled.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Capacity cap and reserve price of the round.
    pub terms: Terms,
    /// Whose pages to go on from.
    pub trust: Trust,
    /// What a transaction may hold.
    pub limits: PageLimits,
}

/// Clears a closed round and settles it, or its next page if it is larger than the limits let a transaction be. Where pages have come to
/// is read from `record`. What it has cleared is `kept` for the next page, and gone whenever anything else came of this one.
///
/// # Errors
/// [`ActError`]. That somebody was faster is none.
pub async fn settle(
    client: &Client,
    market: &Market,
    record: &RoundRecord,
    manner: &Manner,
    kept: &mut Option<Arc<Settling>>,
) -> Result<Done, ActError> {
    let known = kept.take();
    let (id, round) = (market.id.get(), U256::from(record.number.get()));
    if client.market().outcomeOf(id, round).call().await.map_err(CallError::from)? != U256::ZERO {
        return Ok(Done::SettledByOther);
    }
    let settling = cleared(client, market, record, manner.terms, known).await?;
    let settler = client.sender().ok_or(SendError::NoKey)?;
    let Some(call) = next_step(record, &settling, settler, manner.trust, &manner.limits) else {
        return Ok(Done::SettledByOther);
    };
    let left = bids_left(&call);
    let done = match client.settle(call).await {
        Ok(receipt) => settled(&receipt, left, settling.units()),
        Err(error) if error.is::<RoundSettledAlready>() => Done::SettledByOther,
        Err(error) if error.is::<WrongProgress>() => Done::Overtaken,
        Err(error) if error.is::<RoundVoid>() || error.is::<NothingToSettle>() => Done::TooLate,
        Err(error) => return Err(error.into()),
    };
    if matches!(done, Done::PageSettled { .. }) {
        *kept = Some(settling);
    }
    Ok(done)
}

/// A closed round with its certificate, from what is known if that is what the contract has.
async fn cleared(
    client: &Client,
    market: &Market,
    record: &RoundRecord,
    terms: Terms,
    kept: Option<Arc<Settling>>,
) -> Result<Arc<Settling>, ActError> {
    let (id, round) = (market.id.get(), U256::from(record.number.get()));
    let stored = client.market().bidChainOf(id, round).call().await.map_err(CallError::from)?;
    let stored = BidChain::stored(stored);
    if let Some(kept) = kept.filter(|kept| kept.chain() == stored) {
        return Ok(kept);
    }
    let known = BidChain::of(client.chain_id(), client.contract(), market.id, record.number, &record.words());
    if known != stored {
        return Err(ActError::OtherBids { known: record.bid_count(), actual: stored.count() });
    }
    if market.params.is_controlled() {
        let actual = terms_at(client, market, record.number).await?;
        if terms != actual {
            return Err(ActError::OtherTerms { known: terms, actual });
        }
    }
    let asks = asks_at(client, market, record.number).await?;
    let round = to_clearing(record, terms, asks)?;
    let certificate = certificate(market.params.mechanism, &round);
    let seed = client.seed(market, record.number);
    Ok(Arc::new(Settling::new(market, seed, record, &certificate)))
}

/// Bids of the pages that are left after this call.
fn bids_left(call: &SettlementCall) -> u64 {
    match call {
        SettlementCall::Whole(_) => 0,
        SettlementCall::Page(call) => BidChain::stored(call.page.start.chain).count(),
    }
}

fn settled(receipt: &TransactionReceipt, bids_left: u64, units: Units) -> Done {
    let (transaction, gas) = (receipt.transaction_hash, receipt.gas_used);
    let block = receipt.block_number.unwrap_or_default();
    if bids_left == 0 {
        Done::Settled { transaction, block, gas, units }
    } else {
        Done::PageSettled { transaction, block, gas, bids_left }
    }
}

/// Credits the results of a bundle of bids to their requester.
///
/// # Errors
/// [`ActError`]. That somebody was faster is none.
pub async fn release(
    client: &Client,
    market: &Market,
    record: &RoundRecord,
    bundle: &BundleRecord,
) -> Result<Done, ActError> {
    let call = release_call(market, record, bundle).ok_or(ActError::MissingBids(bundle.round))?;
    match client.send(call, U256::ZERO, None).await {
        Ok(receipt) => Ok(Done::Released {
            transaction: receipt.transaction_hash,
            block: receipt.block_number.unwrap_or_default(),
        }),
        Err(error) if error.is::<UnknownBundle>() => Ok(Done::ReleasedByOther),
        Err(error) => Err(error.into()),
    }
}
