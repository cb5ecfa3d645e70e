//! The contract's events, decoded.

use crate::MarketId;
use alloy::primitives::{Address, B256, U256};
use alloy::rpc::types::{Log, TransactionReceipt};
use alloy::sol_types::{SolEvent, SolEventInterface};
use bindings::ProverMarket;
use market_types::{BidIndex, OutOfRange, RoundNumber};
use thiserror::Error;

pub use bindings::ProverMarket::ProverMarketEvents as Event;

/// Where an event stands on the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// Number of its block.
    pub block: u64,
    /// Time of its block (seconds since the epoch).
    pub time: u64,
    /// Position in the block.
    pub log_index: u64,
    /// Its transaction.
    pub tx_hash: B256,
}

/// An event of one market.
#[derive(Debug, Clone)]
pub struct LoggedEvent {
    /// The market. Every event of the contract has it as its first topic.
    pub market: MarketId,
    /// Where it stands.
    pub origin: Origin,
    /// What happened.
    pub event: Event,
}

/// A log that the market's contract does not write, or not in this way.
#[derive(Debug, Error)]
pub enum EventError {
    /// The block has not been mined yet.
    #[error("a log without block, time or position; ask for mined blocks only")]
    NotMined,
    /// Topics or data are no event of this contract.
    #[error(
        "log {log_index} of block {block} is no event of the market: {reason}; check the contract's address"
    )]
    Undecodable {
        /// Its block.
        block: u64,
        /// Its position there.
        log_index: u64,
        /// What the decoder says.
        reason: String,
    },
}

/// Decodes one log of the market's contract. Nodes that leave a block's time out of its logs are asked for it by the
/// follower.
///
/// # Errors
/// [`EventError`].
pub fn decode(log: &Log) -> Result<LoggedEvent, EventError> {
    let place = (log.block_number, log.block_timestamp, log.log_index, log.transaction_hash);
    let (Some(block), Some(time), Some(log_index), Some(tx_hash)) = place else {
        return Err(EventError::NotMined);
    };
    let origin = Origin { block, time, log_index, tx_hash };
    let undecodable =
        |reason: String| EventError::Undecodable { block: origin.block, log_index: origin.log_index, reason };
    let market = log.topics().get(1).ok_or_else(|| undecodable("it names no market".to_owned()))?;
    let event = Event::decode_log(&log.inner).map_err(|error| undecodable(error.to_string()))?;
    Ok(LoggedEvent { market: MarketId::from(*market), origin, event: event.data })
}

/// The first event `E` that `contract` logged in a transaction.
#[must_use]
pub fn first<E: SolEvent>(receipt: &TransactionReceipt, contract: Address) -> Option<E> {
    let mut logs = receipt.inner.logs().iter().filter(|log| log.address() == contract);
    logs.find_map(|log| E::decode_log(&log.inner).ok()).map(|log| log.data)
}

/// Where an entry stands, as `BidSubmitted` and `BidsSubmitted` pack it: `requester (160) | round (32) | index of its first bid (32)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Who posted it.
    pub requester: Address,
    /// Its round.
    pub round: RoundNumber,
    /// Index of its first bid in the round.
    pub first_index: BidIndex,
}

impl TryFrom<U256> for Place {
    type Error = OutOfRange;

    fn try_from(place: U256) -> Result<Self, OutOfRange> {
        let part = |shift: usize| (place >> shift).as_limbs()[0] & u64::from(u32::MAX);
        Ok(Self {
            requester: Address::from_word(place.wrapping_shr(64).into()),
            round: RoundNumber::new(part(32)),
            first_index: BidIndex::from_u64(part(0))?,
        })
    }
}

/// Where the entries of a transaction of `contract` stand: its first one, whether submitted by itself or with others.
#[must_use]
pub fn first_place(receipt: &TransactionReceipt, contract: Address) -> Option<Place> {
    let one = first::<ProverMarket::BidSubmitted>(receipt, contract).map(|event| event.place);
    let many = || first::<ProverMarket::BidsSubmitted>(receipt, contract).map(|event| event.place);
    Place::try_from(one.or_else(many)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::{Bytes, LogData};

    fn log(data: LogData) -> Log {
        Log {
            inner: alloy::primitives::Log { address: Address::ZERO, data },
            block_number: Some(5),
            block_timestamp: Some(1_700),
            log_index: Some(2),
            transaction_hash: Some(B256::repeat_byte(1)),
            ..Log::default()
        }
    }

    fn surplus() -> ProverMarket::SurplusCollected {
        let id = B256::repeat_byte(3);
        ProverMarket::SurplusCollected { id, sink: Address::ZERO, amount: U256::from(9) }
    }

    #[test]
    fn an_event_keeps_its_market_and_its_place() {
        let logged = decode(&log(surplus().encode_log_data())).unwrap();
        assert_eq!(logged.market.get(), B256::repeat_byte(3));
        assert_eq!((logged.origin.block, logged.origin.time, logged.origin.log_index), (5, 1_700, 2));
        assert!(matches!(logged.event, Event::SurplusCollected(event) if event.amount == U256::from(9)));
    }

    #[test]
    fn logs_that_are_no_events_are_refused_without_a_panic() {
        let whole = surplus().encode_log_data();
        let strange = LogData::new_unchecked(vec![B256::ZERO, B256::ZERO], Bytes::new());
        let cut = LogData::new_unchecked(whole.topics().to_vec(), Bytes::from_static(&[1, 2, 3]));
        let topics = LogData::new_unchecked(vec![whole.topics()[0]], whole.data.clone());
        for data in [strange, cut, topics, LogData::default()] {
            assert!(matches!(decode(&log(data)), Err(EventError::Undecodable { block: 5, .. })));
        }
        let mut pending = log(whole);
        pending.block_number = None;
        assert!(matches!(decode(&pending), Err(EventError::NotMined)));
    }

    #[test]
    fn a_place_is_taken_apart_at_the_ends_of_every_range() {
        let pack = |requester: Address, round: u64, index: u64| {
            (U256::from_be_bytes(requester.into_word().0) << 64)
                | (U256::from(round) << 32)
                | U256::from(index)
        };
        let (who, most) = (Address::repeat_byte(0xff), u64::from(u32::MAX));
        let place = Place::try_from(pack(who, most, most - 1)).unwrap();
        assert_eq!((place.requester, place.round.get()), (who, most));
        assert_eq!(u64::from(place.first_index.get()), most - 1);
        assert!(Place::try_from(pack(who, 0, most)).is_err());
    }
}
