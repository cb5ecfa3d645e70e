//! The contract's events, decoded.

use crate::MarketId;
use alloy::primitives::{Address, B256, U256};
use alloy::rpc::types::{Log, TransactionReceipt};
use alloy::sol_types::{SolEvent, SolEventInterface};
use market_types::{BidIndex, CircuitId, OutOfRange, RoundNumber, TaskSize, UnitFee};
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

/// A task of `TasksDelivered`: its index, and the seat that was paid.
#[must_use]
pub fn delivered_task(task: U256) -> (U256, U256) {
    (task >> 8, task & U256::from(u8::MAX))
}

/// The packed first word of `BidSubmitted`: `round (32) | index (32) | unit fee (64) | circuit (64)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BidHead {
    /// Round of the bid.
    pub round: RoundNumber,
    /// Its index in the round.
    pub index: BidIndex,
    /// Its unit fee (ticks per unit).
    pub fee: UnitFee,
    /// The circuit of its task.
    pub circuit: CircuitId,
    /// The size of its task (units), which the circuit states.
    pub size: TaskSize,
}

impl TryFrom<U256> for BidHead {
    type Error = OutOfRange;

    fn try_from(head: U256) -> Result<Self, OutOfRange> {
        let part = |shift: usize| (head >> shift).as_limbs()[0];
        let circuit = CircuitId::new(part(0));
        Ok(Self {
            round: RoundNumber::new(part(160)),
            index: BidIndex::from_u64(part(128) & u64::from(u32::MAX))?,
            fee: UnitFee::from_u64(part(64))?,
            circuit,
            size: TaskSize::new(circuit.units())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::{Bytes, LogData};
    use bindings::ProverMarket;

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
    fn a_bid_head_is_taken_apart_at_the_ends_of_every_range() {
        let pack = |round: u64, index: u64, fee: u64, circuit: u64| {
            (U256::from(round) << 160)
                | (U256::from(index) << 128)
                | (U256::from(fee) << 64)
                | U256::from(circuit)
        };
        let most = u64::from(u32::MAX);
        let head = BidHead::try_from(pack(most, most - 1, u64::MAX, u64::MAX)).unwrap();
        assert_eq!(head.round.get(), most);
        assert_eq!(u64::from(head.index.get()), most - 1);
        assert_eq!(head.fee, UnitFee::MAX);
        assert_eq!(head.circuit.get(), u64::MAX);
        assert!(BidHead::try_from(pack(0, 0, 0, 1)).is_err());
        assert!(BidHead::try_from(pack(0, 0, 1, 0)).is_err());
    }
}
