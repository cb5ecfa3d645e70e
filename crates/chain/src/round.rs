//! What a settlement needs: the asks of a round, the round as the crate `clearing` takes it, and the call.

use crate::history::{BundleRecord, RoundRecord};
use crate::{CallError, Client, Market, Offer};
use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::SolCall;
use bindings::ProverMarket;
use clearing::Certificate;
use market_types::{AskIndex, Bid, Round, RoundError, RoundNumber, SeatedAsk};

/// A seat as the contract stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeatState {
    /// Its number.
    pub seat: AskIndex,
    /// Who holds it; zero if it is free.
    pub prover: Address,
    /// Registered capacity that is still backed by collateral (units).
    pub capacity: u64,
    /// What it offers.
    pub offer: Offer,
}

/// All seats of a market at the head of the chain, read in one call.
///
/// # Errors
/// [`CallError`].
pub async fn seats(client: &Client, market: &Market) -> Result<Vec<SeatState>, CallError> {
    seats_at(client, market, BlockId::hash(client.head().await?.hash)).await
}

/// All seats of a market at the end of `block`.
///
/// # Errors
/// [`CallError`].
pub async fn seats_at(client: &Client, market: &Market, block: BlockId) -> Result<Vec<SeatState>, CallError> {
    let contract = client.market();
    let id = market.id.get();
    let count = contract.seatCount(id).block(block).call().await?;
    let count = u8::try_from(count).map_err(|_| CallError::Unexpected(format!("{count} seats")))?;
    if count == 0 {
        return Ok(Vec::new());
    }
    let calls: Vec<Bytes> = (0..count)
        .map(|seat| ProverMarket::seatOfCall { id, seat: U256::from(seat) }.abi_encode().into())
        .collect();
    let answers = contract.multicall(calls).block(block).call().await?;
    let seats = (0..count).zip(answers).map(|(seat, answer)| {
        let state = ProverMarket::seatOfCall::abi_decode_returns(&answer)
            .map_err(|error| CallError::Unexpected(error.to_string()))?;
        Ok(SeatState {
            seat: AskIndex::new(seat.into()),
            prover: state.prover,
            capacity: u64::try_from(state.capacity).unwrap_or(u64::MAX),
            offer: Offer::new(state.offer),
        })
    });
    seats.collect()
}

/// The asks that count for the closed round `number`, by ascending seat. Right while the round can be settled: a seat
/// remembers its offer of one round back.
///
/// # Errors
/// [`CallError`].
pub async fn asks_at(
    client: &Client,
    market: &Market,
    number: RoundNumber,
) -> Result<Vec<SeatedAsk>, CallError> {
    Ok(asks_of(&seats(client, market).await?, market, number))
}

/// The asks with which `seats` take part in round `number`, in their order.
#[must_use]
pub fn asks_of(seats: &[SeatState], market: &Market, number: RoundNumber) -> Vec<SeatedAsk> {
    let ask = |state: &SeatState| {
        let ask = state.offer.ask_at(market.id, number)?;
        Some(SeatedAsk { seat: state.seat, ask })
    };
    seats.iter().filter_map(ask).collect()
}

/// A closed round as the crate `clearing` takes it.
///
/// # Errors
/// [`RoundError`] if the asks are not by ascending seat; those of [`asks_at`] are.
pub fn to_clearing(market: &Market, record: &RoundRecord, asks: Vec<SeatedAsk>) -> Result<Round, RoundError> {
    let bids = record.bids.iter().map(|bid| Bid { fee: bid.fee, size: bid.size() }).collect();
    Round::new(record.number, market.params.capacity_cap, market.params.reserve_price, bids, asks)
}

/// The call that settles a round with its certificate.
#[must_use]
pub fn settle_call(
    market: &Market,
    record: &RoundRecord,
    certificate: &Certificate,
) -> ProverMarket::settleCall {
    ProverMarket::settleCall {
        id: market.id.get(),
        round: U256::from(record.number.get()),
        certificate: certificate_to_abi(certificate),
        words: record.bids.iter().map(|bid| bid.word.get()).collect(),
    }
}

/// A certificate as the contract takes it.
#[must_use]
pub fn certificate_to_abi(certificate: &Certificate) -> ProverMarket::Certificate {
    ProverMarket::Certificate {
        // 255 stands for "no ask"; seats on chain are below 128.
        pivotSeat: certificate.pivot_ask.and_then(|seat| u8::try_from(seat.get()).ok()).unwrap_or(u8::MAX),
        pivotFee: certificate.user_pivot.fee.get(),
        pivotIndex: certificate.user_pivot.index,
        units: certificate.units.get(),
    }
}

/// The call that brings back the results of a bundle; `None` if `record` does not hold its bids.
#[must_use]
pub fn release_call(
    market: &Market,
    record: &RoundRecord,
    bundle: &BundleRecord,
) -> Option<ProverMarket::releaseCall> {
    let first = usize::try_from(bundle.first_index.get()).ok()?;
    let end = first.checked_add(usize::try_from(bundle.count).ok()?)?;
    let words: Vec<B256> = record.bids.get(first..end)?.iter().map(|bid| bid.word.get()).collect();
    Some(ProverMarket::releaseCall {
        id: market.id.get(),
        requester: bundle.requester,
        round: U256::from(bundle.round.get()),
        firstIndex: U256::from(bundle.first_index.get()),
        words,
    })
}
