//! Does one thing that the plan asks for.

use alloy::primitives::{B256, U256};
use bindings::ProverMarket::{NothingToSettle, RoundSettledAlready, RoundVoid, UnknownBundle};
use chain::commitments::BidChain;
use chain::history::BundleRecord;
use chain::round::{asks_at, release_call, settle_call, terms_at, to_clearing};
use chain::{CallError, Client, Market, RoundRecord, SendError, Terms};
use clearing::clear_with_certificate;
use market_types::{RoundError, RoundNumber, Units};
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
        known: usize,
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

/// Clears a closed round under its `terms` and settles it.
///
/// # Errors
/// [`ActError`]. That somebody was faster is none.
pub async fn settle(
    client: &Client,
    market: &Market,
    record: &RoundRecord,
    terms: Terms,
) -> Result<Done, ActError> {
    let (id, round) = (market.id.get(), U256::from(record.number.get()));
    let contract = client.market();
    if contract.outcomeOf(id, round).call().await.map_err(CallError::from)? != U256::ZERO {
        return Ok(Done::SettledByOther);
    }
    let stored = BidChain::stored(contract.bidChainOf(id, round).call().await.map_err(CallError::from)?);
    let known = BidChain::of(client.chain_id(), client.contract(), market.id, record.number, &record.words());
    if known != stored {
        return Err(ActError::OtherBids { known: record.bids.len(), actual: stored.count() });
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
    match client.send(settle_call(market, record, &certificate), U256::ZERO, None).await {
        Ok(receipt) => Ok(Done::Settled {
            transaction: receipt.transaction_hash,
            block: receipt.block_number.unwrap_or_default(),
            gas: receipt.gas_used,
            units: outcome.units,
        }),
        Err(error) if error.is::<RoundSettledAlready>() => Ok(Done::SettledByOther),
        Err(error) if error.is::<RoundVoid>() || error.is::<NothingToSettle>() => Ok(Done::TooLate),
        Err(error) => Err(error.into()),
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
