//! Does one thing that the plan asks for, in one transaction.

use crate::plan::{Profit, Trust, next_step};
use alloy::eips::BlockId;
use alloy::network::TransactionBuilder;
use alloy::primitives::{Address, B256, U256};
use alloy::providers::Provider;
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use alloy::sol_types::SolCall;
use bindings::ProverMarket::{NothingToSettle, RoundSettledAlready, RoundVoid, UnknownBundle, WrongProgress};
use chain::commitments::BidChain;
use chain::history::BundleRecord;
use chain::round::{asks_at, release_call, terms_at, to_clearing};
use chain::settlement::{PageLimits, SettlementCall, Settling};
use chain::{CallError, Client, Market, Revert, RoundRecord, SendError, Terms, Worth};
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
        /// What that gas cost (wei).
        spent: U256,
        /// Bids whose settlement fees it earned.
        bids: u64,
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
        /// What that gas cost (wei).
        spent: U256,
        /// Bids of this page, whose settlement fees it earns if the others follow.
        bids: u64,
        /// Bids of the pages that are left.
        bids_left: u64,
    },
    /// The page was to go on from one that its settler has gone on from, or has begun anew instead of. The next look at the chain shows
    /// which is the furthest now.
    Overtaken,
    /// Somebody else settled the round first, with the same outcome: no other passes.
    SettledByOther,
    /// Somebody's settlement waits to be mined after which this relayer's would be refused.
    UnderWay,
    /// It would cost more than it pays, as gas costs now.
    DoesNotPay {
        /// What it pays (wei).
        reward: U256,
        /// What it would cost (wei).
        cost: U256,
    },
    /// The round's deadline passed; every bid is refunded.
    TooLate,
    /// The results of the bundle were credited.
    Released {
        /// The transaction.
        transaction: B256,
        /// Its block.
        block: u64,
        /// Gas it used.
        gas: u64,
        /// What that gas cost (wei).
        spent: U256,
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
#[derive(Debug, Clone)]
pub struct Manner {
    /// Capacity cap and reserve price of the round.
    pub terms: Terms,
    /// Whose pages to go on from.
    pub trust: Trust,
    /// What a transaction may hold.
    pub limits: PageLimits,
    /// When a settlement pays; without it, rounds are settled whatever it costs.
    pub profit: Option<Profit>,
    /// Whether to leave it to a settlement of somebody else that waits to be mined.
    pub polite: bool,
}

impl Manner {
    /// As soon as possible and whatever it costs.
    #[must_use]
    pub const fn eager(terms: Terms) -> Self {
        let (trust, limits) = (Trust::Everybody, PageLimits::TRANSACTION);
        Self { terms, trust, limits, profit: None, polite: true }
    }
}

/// Clears a closed round and settles it, or its next page if it is larger than the limits let a transaction be. Where pages have come to
/// is read from `record`. What it has cleared is `kept` as long as the round is not settled and nothing went wrong.
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
    let next = |trust| next_step(record, &settling, settler, trust, &manner.limits);
    let Some(mut call) = next(manner.trust) else { return Ok(Done::SettledByOther) };
    let mut sent = send(client, market, record, &call, manner).await;
    if matches!(sent, Ok(Sent::Not(Done::DoesNotPay { .. }))) {
        // Others may have left a page that pays nobody. The round is not to rest for that if it pays to settle without them.
        if let Some(own) = next(Trust::Nobody).filter(|own| *own != call) {
            call = own;
            sent = send(client, market, record, &call, manner).await;
        }
    }
    let done = match sent {
        Ok(Sent::Not(done)) => done,
        Ok(Sent::Mined(receipt)) => {
            settled(&receipt, bids_of(&call, record).saturating_to(), bids_left(&call), settling.units())
        }
        Err(error) => came_to_nothing(error)?,
    };
    if matches!(done, Done::PageSettled { .. } | Done::UnderWay | Done::DoesNotPay { .. }) {
        *kept = Some(settling);
    }
    Ok(done)
}

/// A settlement that was sent, or why it was not.
enum Sent {
    Mined(Box<TransactionReceipt>),
    Not(Done),
}

/// Sends a settlement if nobody else's is under way and it pays.
async fn send(
    client: &Client,
    market: &Market,
    record: &RoundRecord,
    call: &SettlementCall,
    manner: &Manner,
) -> Result<Sent, SendError> {
    let settler = client.sender().ok_or(SendError::NoKey)?;
    if manner.polite && is_under_way(client, settler, call).await {
        return Ok(Sent::Not(Done::UnderWay));
    }
    let mut worth = Worth::until(market.settle_by(record.number));
    let fee = U256::from(market.params.settlement_fee);
    let reward = |profit: &Profit| profit.wei_of(market, fee.saturating_mul(bids_of(call, record)));
    if let Some((profit, reward)) = manner.profit.as_ref().and_then(|profit| Some((profit, reward(profit)?)))
    {
        let (to, input) = (client.contract().into(), call.abi_encode().into());
        let estimate = client.connection().estimate(to, input, U256::ZERO).await?;
        if !profit.pays(reward, &estimate) {
            return Ok(Sent::Not(Done::DoesNotPay { reward, cost: estimate.cost() }));
        }
        worth.max_fee_per_gas = Some(profit.most_per_gas(reward, estimate.gas));
    }
    Ok(Sent::Mined(Box::new(client.worth(worth).settle(call.clone()).await?)))
}

/// What it means that a settlement had no effect.
fn came_to_nothing(error: SendError) -> Result<Done, ActError> {
    if error.is::<RoundSettledAlready>() {
        Ok(Done::SettledByOther)
    } else if error.is::<WrongProgress>() {
        Ok(Done::Overtaken)
    } else if error.is::<RoundVoid>()
        || error.is::<NothingToSettle>()
        || matches!(error, SendError::Outdated { .. })
    {
        Ok(Done::TooLate)
    } else {
        Err(error.into())
    }
}

/// Whether the call would be refused because of what waits to be mined, as far as the node knows of that.
async fn is_under_way(client: &Client, settler: Address, call: &SettlementCall) -> bool {
    let request = TransactionRequest::default()
        .with_from(settler)
        .with_to(client.contract())
        .with_input(call.abi_encode());
    let overtaken = async |block| {
        // Some nodes know no pending block. Then the transaction's simulation has to do.
        let refused = client.provider().call(request.clone()).block(block).await.err();
        let revert = refused.as_ref().and_then(Revert::of_rpc);
        revert.is_some_and(|revert| revert.is::<RoundSettledAlready>() || revert.is::<WrongProgress>())
    };
    overtaken(BlockId::pending()).await && !overtaken(BlockId::latest()).await
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

/// Bids that this call settles.
fn bids_of(call: &SettlementCall, record: &RoundRecord) -> U256 {
    let all = u64::from(record.bid_count());
    U256::from(match call {
        SettlementCall::Whole(_) => all,
        SettlementCall::Page(page) => {
            // The lowest 64 bits of a share are its bids.
            let shares = page.page.shares.iter().map(|share| share.as_limbs()[0]);
            let before = shares.fold(0, u64::saturating_add);
            all.saturating_sub(before).saturating_sub(bids_left(call))
        }
    })
}

/// Bids of the pages that are left after this call.
fn bids_left(call: &SettlementCall) -> u64 {
    match call {
        SettlementCall::Whole(_) => 0,
        SettlementCall::Page(call) => BidChain::stored(call.page.start.chain).count(),
    }
}

fn settled(receipt: &TransactionReceipt, bids: u64, bids_left: u64, units: Units) -> Done {
    let (transaction, gas) = (receipt.transaction_hash, receipt.gas_used);
    let (block, spent) = (receipt.block_number.unwrap_or_default(), spent(receipt));
    if bids_left == 0 {
        Done::Settled { transaction, block, gas, spent, bids, units }
    } else {
        Done::PageSettled { transaction, block, gas, spent, bids, bids_left }
    }
}

/// What the gas of a mined transaction cost (wei).
pub(crate) fn spent(receipt: &TransactionReceipt) -> U256 {
    U256::from(receipt.effective_gas_price).saturating_mul(U256::from(receipt.gas_used))
}

/// Credits the results of a bundle of bids to their requester, if that costs no more than `budget` (wei).
///
/// # Errors
/// [`ActError`]. That somebody was faster is none.
pub async fn release(
    client: &Client,
    market: &Market,
    record: &RoundRecord,
    bundle: &BundleRecord,
    budget: Option<U256>,
) -> Result<Done, ActError> {
    let call = release_call(market, record, bundle).ok_or(ActError::MissingBids(bundle.round))?;
    let (to, input) = (client.contract().into(), call.abi_encode().into());
    let mut worth = Worth::default();
    if let Some(budget) = budget {
        match client.connection().estimate(to, input, U256::ZERO).await {
            Ok(estimate) if estimate.cost() > budget => {
                return Ok(Done::DoesNotPay { reward: budget, cost: estimate.cost() });
            }
            Ok(estimate) => {
                worth.max_fee_per_gas = Some(Profit::default().most_per_gas(budget, estimate.gas));
            }
            Err(error) if error.is::<UnknownBundle>() => return Ok(Done::ReleasedByOther),
            Err(error) => return Err(error.into()),
        }
    }
    match client.worth(worth).send(call, U256::ZERO, None).await {
        Ok(receipt) => Ok(Done::Released {
            transaction: receipt.transaction_hash,
            block: receipt.block_number.unwrap_or_default(),
            gas: receipt.gas_used,
            spent: spent(&receipt),
        }),
        Err(error) if error.is::<UnknownBundle>() => Ok(Done::ReleasedByOther),
        Err(error) => Err(error.into()),
    }
}
