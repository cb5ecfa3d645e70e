//! What a settlement needs: the ask book and the terms of a round, the round as the crate `clearing` takes it, and the certificate.

use crate::history::{BundleRecord, RoundRecord};
use crate::{CallError, CapacityChange, Client, Market, Offer, Terms};
use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::SolCall;
use bindings::ProverMarket;
use clearing::{BatchClaim, Certificate, ProverClaim, UserPivot};
use market_types::{
    Ask, AskIndex, Bid, Capacity, CapacityCap, Mechanism, OutOfRange, ReservePrice, Round, RoundError,
    RoundNumber, SeatedAsk, Ticks, UnitCost, UnitPrice, Units,
};

/// A seat as the contract stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeatState {
    /// Its number.
    pub seat: AskIndex,
    /// Who holds it; zero if it is free.
    pub prover: Address,
    /// Registered capacity that is still backed by collateral (units), also what is to come or to leave.
    pub capacity: u64,
    /// What it offers.
    pub offer: Offer,
    /// A change of its capacity that has not fully taken effect.
    pub change: CapacityChange,
}

impl SeatState {
    /// Capacity that counts for `round` (units), with or without tasks on it.
    #[must_use]
    pub fn capacity_at(&self, round: RoundNumber) -> u64 {
        self.capacity.saturating_sub(self.change.hidden_at(round))
    }

    /// The ask with which the seat takes part in `round`; `None` if it does not.
    #[must_use]
    pub fn ask_at(&self, market: &Market, round: RoundNumber) -> Option<Ask> {
        self.offer.ask_at(market.id, self.change, round)
    }
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
            change: CapacityChange::new(state.change),
        })
    });
    seats.collect()
}

/// The asks of round `number` by ascending seat, as settlement would see them now: final once the round closed and its asks
/// are revealed, and right until it is settled.
///
/// # Errors
/// [`CallError`].
pub async fn asks_at(
    client: &Client,
    market: &Market,
    number: RoundNumber,
) -> Result<Vec<SeatedAsk>, CallError> {
    let book = client.market().asksOf(market.id.get(), U256::from(number.get())).call().await?;
    ask_book(&book.costs, &book.capacities).map_err(|error| CallError::Unexpected(error.to_string()))
}

/// The ask book in the form of the contract's `asksOf`, where a seat that takes no part has a capacity of 0.
///
/// # Errors
/// [`OutOfRange`] for a number that no ask has.
pub fn ask_book(costs: &[U256], capacities: &[U256]) -> Result<Vec<SeatedAsk>, OutOfRange> {
    let narrow = |value: &U256| u64::try_from(*value).unwrap_or(u64::MAX);
    let seats = (0..).zip(costs.iter().zip(capacities)).filter(|(_, (_, capacity))| !capacity.is_zero());
    let asks = seats.map(|(seat, (cost, capacity))| {
        let ask =
            Ask { cost: UnitCost::from_u64(narrow(cost))?, capacity: Capacity::from_u64(narrow(capacity))? };
        Ok(SeatedAsk { seat: AskIndex::new(seat), ask })
    });
    asks.collect()
}

/// Capacity cap and reserve price of round `number` as the contract has them: final for the open round, and for closed ones
/// until they are settled. [`crate::MarketHistory::terms_at`] tells those of any round.
///
/// # Errors
/// [`CallError`].
pub async fn terms_at(client: &Client, market: &Market, number: RoundNumber) -> Result<Terms, CallError> {
    let terms = client.market().termsOf(market.id.get(), U256::from(number.get())).call().await?;
    terms_from_abi(terms.capacityCap, terms.reservePrice)
        .map_err(|error| CallError::Unexpected(error.to_string()))
}

pub(crate) fn terms_from_abi(cap: U256, reserve: U256) -> Result<Terms, OutOfRange> {
    Ok(Terms {
        cap: CapacityCap::from_u64(u64::try_from(cap).unwrap_or(u64::MAX))?,
        reserve: ReservePrice::from_u64(u64::try_from(reserve).unwrap_or(u64::MAX))?,
    })
}

/// A closed round as the crate `clearing` takes it.
///
/// # Errors
/// [`RoundError`] if the asks are not by ascending seat; those of [`asks_at`] are.
pub fn to_clearing(record: &RoundRecord, terms: Terms, asks: Vec<SeatedAsk>) -> Result<Round, RoundError> {
    let bids = record.bids().map(|bid| Bid { fee: bid.fee, size: bid.size() }).collect();
    Round::new(record.number, terms.cap, terms.reserve, bids, asks)
}

/// Stands for "no ask" in a certificate; seats on chain are below 128.
const NO_SEAT: u8 = u8::MAX;

/// A certificate as the contract takes it. What the mechanism does not use holds the value that the contract demands for it.
#[must_use]
pub fn certificate_to_abi(certificate: &Certificate) -> ProverMarket::Certificate {
    let common = ProverMarket::Certificate {
        pivotFee: certificate.user_pivot.fee.get(),
        pivotIndex: certificate.user_pivot.index,
        units: certificate.units.get(),
        pivotSeat: NO_SEAT,
        ..Default::default()
    };
    match certificate.prover_side {
        ProverClaim::Core { pivot_ask } => ProverMarket::Certificate {
            pivotSeat: pivot_ask.and_then(|seat| u8::try_from(seat.get()).ok()).unwrap_or(NO_SEAT),
            ..common
        },
        ProverClaim::AverageFee { batch, revenue } => ProverMarket::Certificate {
            batchFee: batch.pivot.fee.get(),
            batchIndex: batch.pivot.index,
            batchUnits: batch.units.get(),
            batchRevenue: batch.revenue.get(),
            revenue: revenue.get(),
            ..common
        },
    }
}

/// A certificate of a market that runs `mechanism`, from the contract's form.
#[must_use]
pub fn certificate_from_abi(mechanism: Mechanism, certificate: &ProverMarket::Certificate) -> Certificate {
    let pivot = |fee, index| UserPivot { fee: UnitPrice::new(fee), index };
    let seat = Some(certificate.pivotSeat).filter(|seat| *seat != NO_SEAT);
    Certificate {
        user_pivot: pivot(certificate.pivotFee, certificate.pivotIndex),
        units: Units::new(certificate.units),
        prover_side: match mechanism {
            Mechanism::Core => ProverClaim::Core { pivot_ask: seat.map(|seat| AskIndex::new(seat.into())) },
            Mechanism::AverageFee => ProverClaim::AverageFee {
                batch: BatchClaim {
                    pivot: pivot(certificate.batchFee, certificate.batchIndex),
                    units: Units::new(certificate.batchUnits),
                    revenue: Ticks::new(certificate.batchRevenue),
                },
                revenue: Ticks::new(certificate.revenue),
            },
        },
    }
}

/// The call that brings back the results of a bundle; `None` if `record` does not hold its bids.
#[must_use]
pub fn release_call(
    market: &Market,
    record: &RoundRecord,
    bundle: &BundleRecord,
) -> Option<ProverMarket::releaseCall> {
    let entries = record.entries_from(bundle.first_index, bundle.entries)?;
    let words: Vec<B256> = entries.iter().map(|entry| entry.word.get()).collect();
    Some(ProverMarket::releaseCall {
        id: market.id.get(),
        requester: bundle.requester,
        round: U256::from(bundle.round.get()),
        firstIndex: U256::from(bundle.first_index.get()),
        words,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_survives_the_way_to_the_contract_and_back() {
        let pivot = UserPivot { fee: UnitPrice::new(5), index: 3 };
        let of = |prover_side| Certificate { user_pivot: pivot, units: Units::new(9), prover_side };
        let batch =
            BatchClaim { pivot: UserPivot::NOBODY_WINS, units: Units::new(12), revenue: Ticks::new(80) };
        for certificate in [
            of(ProverClaim::Core { pivot_ask: None }),
            of(ProverClaim::Core { pivot_ask: Some(AskIndex::new(7)) }),
            of(ProverClaim::AverageFee { batch, revenue: Ticks::new(71) }),
        ] {
            let abi = certificate_to_abi(&certificate);
            assert_eq!(certificate_from_abi(certificate.prover_side.mechanism(), &abi), certificate);
        }
        let core = certificate_to_abi(&of(ProverClaim::Core { pivot_ask: None }));
        assert_eq!((core.pivotSeat, core.batchIndex, core.revenue), (u8::MAX, 0, 0));
    }

    #[test]
    fn seats_without_capacity_are_not_in_the_ask_book() {
        let numbers = |numbers: [u64; 3]| numbers.map(U256::from);
        let asks = ask_book(&numbers([5, 0, 0]), &numbers([10, 0, 20])).unwrap();
        let asks: Vec<_> = asks.iter().map(|entry| (entry.seat.get(), entry.ask.cost.get())).collect();
        assert_eq!(asks, [(0, 5), (2, 0)]);
    }
}
