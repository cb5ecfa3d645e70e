//! Does one thing that the plan asks for.

use alloy::primitives::{B256, U256};
use bindings::ProverMarket::{
    NothingToSettle, PageSettled, RoundSettledAlready, RoundVoid, UnknownBundle, WrongProgress,
};
use chain::commitments::BidChain;
use chain::events::first;
use chain::history::{BundleRecord, PageRecord};
use chain::round::{asks_at, release_call, terms_at, to_clearing};
use chain::settlement::{PageLimits, Settling};
use chain::{CallError, Client, Market, RoundRecord, SendError, Terms};
use clearing::clear_with_certificate;
use market_types::{RoundError, RoundNumber, Units};
use thiserror::Error;

/// What came of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// The round was settled by this relayer.
    Settled {
        /// The last transaction.
        transaction: B256,
        /// Its block.
        block: u64,
        /// Gas that all of its pages used.
        gas: u64,
        /// How many pages this relayer settled.
        pages: usize,
        /// Total size of the winning tasks (units), 0 without a trade.
        units: Units,
    },
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
        known: u64,
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
    /// A page is none of the round's, which no page that the contract took is.
    #[error("round {0}: what a settlement left does not fit its bids; the node's logs lag or lack some")]
    OtherPage(RoundNumber),
    /// The bundle's bids are not known.
    #[error("round {0} has a bundle of bids that were not read; the node's logs lack some")]
    MissingBids(RoundNumber),
}

/// Clears a closed round under its `terms` and settles it, in pages within `limits` if it is large. Goes on from what others have
/// begun.
///
/// # Errors
/// [`ActError`]. That somebody was faster is none.
pub async fn settle(
    client: &Client,
    market: &Market,
    record: &RoundRecord,
    terms: Terms,
    limits: &PageLimits,
) -> Result<Done, ActError> {
    let (id, round) = (market.id.get(), U256::from(record.number.get()));
    let contract = client.market();
    if contract.outcomeOf(id, round).call().await.map_err(CallError::from)? != U256::ZERO {
        return Ok(Done::SettledByOther);
    }
    let stored = BidChain::stored(contract.bidChainOf(id, round).call().await.map_err(CallError::from)?);
    let known = BidChain::of(client.chain_id(), client.contract(), market.id, record.number, &record.words());
    if known != stored {
        return Err(ActError::OtherBids { known: known.count(), actual: stored.count() });
    }
    if market.params.is_controlled() {
        let actual = terms_at(client, market, record.number).await?;
        if terms != actual {
            return Err(ActError::OtherTerms { known: terms, actual });
        }
    }
    let asks = asks_at(client, market, record.number).await?;
    let round = to_clearing(record, terms, asks)?;
    let (outcome, certificate) = clear_with_certificate(market.params.mechanism, &round);
    let settling = Settling::new(market, client.seed(market, record.number), record, &certificate);
    let settled = match settle_from(client, &settling, settling.furthest(), limits).await {
        // Its settler has begun anew, as anyone may with its own pages. Nobody does that with ours.
        Err(Stop::Send(error)) if error.is::<WrongProgress>() => {
            let own = client.sender().and_then(|account| settling.furthest_of(account));
            settle_from(client, &settling, own, limits).await
        }
        other => other,
    };
    match settled {
        Ok(Pages { transaction, block, gas, count: pages }) => {
            Ok(Done::Settled { transaction, block, gas, pages, units: outcome.units })
        }
        Err(Stop::Misfit) => Err(ActError::OtherPage(record.number)),
        Err(Stop::Send(error)) if error.is::<RoundSettledAlready>() => Ok(Done::SettledByOther),
        Err(Stop::Send(error)) if error.is::<RoundVoid>() || error.is::<NothingToSettle>() => {
            Ok(Done::TooLate)
        }
        Err(Stop::Send(error)) => Err(error.into()),
    }
}

/// What settling took.
struct Pages {
    transaction: B256,
    block: u64,
    gas: u64,
    count: usize,
}

/// Why a settlement stopped.
enum Stop {
    /// A transaction failed.
    Send(SendError),
    /// A page does not fit the bids, or its receipt does not show it.
    Misfit,
}

/// Settles what is left after the page `after`, page by page.
async fn settle_from(
    client: &Client,
    settling: &Settling<'_>,
    after: Option<&PageRecord>,
    limits: &PageLimits,
) -> Result<Pages, Stop> {
    let (mut after, mut gas, mut count) = (after.cloned(), 0_u64, 0_usize);
    loop {
        let call = settling.next(after.as_ref(), limits).ok_or(Stop::Misfit)?;
        let is_last = call.is_last();
        let receipt = client.settle(call).await.map_err(Stop::Send)?;
        (gas, count) = (gas.saturating_add(receipt.gas_used), count.saturating_add(1));
        if is_last {
            let (transaction, block) = (receipt.transaction_hash, receipt.block_number.unwrap_or_default());
            return Ok(Pages { transaction, block, gas, count });
        }
        let page = first::<PageSettled>(&receipt, client.contract()).ok_or(Stop::Misfit)?;
        after = Some(PageRecord::from(&page));
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
