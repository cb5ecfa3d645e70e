//! One closed round: everything that an auction uses, frozen.

use crate::{
    AskIndex, BidIndex, Capacity, CapacityCap, OutOfRange, ReservePrice, RoundNumber, TaskSize, UnitCost,
    UnitFee,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A requester's offer. Written as `[unit fee, size]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "(UnitFee, TaskSize)", into = "(UnitFee, TaskSize)")]
pub struct Bid {
    /// The most it pays, in ticks per unit.
    pub fee: UnitFee,
    /// How large its task is, in units.
    pub size: TaskSize,
}

/// A prover's offer. Written as `[unit cost, capacity]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "(UnitCost, Capacity)", into = "(UnitCost, Capacity)")]
pub struct Ask {
    /// The least it accepts, in ticks per unit.
    pub cost: UnitCost,
    /// How much it offers to prove, in units.
    pub capacity: Capacity,
}

/// An ask and the seat it was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SeatedAsk {
    /// The identity of the ask in its round.
    pub seat: AskIndex,
    /// The offer.
    pub ask: Ask,
}

/// Why a round cannot be built from its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RoundError {
    /// More bids than a round can number.
    #[error("too many bids: the last {0}; split them over several rounds")]
    TooManyBids(OutOfRange),
    /// More asks than there are seats.
    #[error("too many asks: the last {0}; split them over several rounds")]
    TooManyAsks(OutOfRange),
    /// The ask book is out of order, or a seat is in it twice.
    #[error("asks[{position}]: seat {seat} follows seat {previous}; list each seat once, in ascending order")]
    SeatsNotAscending {
        /// Position of the offending ask in the list.
        position: usize,
        /// Its seat.
        seat: AskIndex,
        /// The seat of the ask before it.
        previous: AskIndex,
    },
}

/// A closed round.
///
/// Holds by construction: every bid has a [`BidIndex`], and the seats of the asks strictly ascend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    number: RoundNumber,
    cap: CapacityCap,
    reserve: ReservePrice,
    bids: Vec<Bid>,
    asks: Vec<SeatedAsk>,
}

impl Round {
    /// A round whose asks carry their seat numbers, as on chain. Bids are in order of submission.
    ///
    /// # Errors
    /// [`RoundError`] if there are more bids than indices, or if the seats do not strictly ascend.
    pub fn new(
        number: RoundNumber,
        cap: CapacityCap,
        reserve: ReservePrice,
        bids: Vec<Bid>,
        asks: Vec<SeatedAsk>,
    ) -> Result<Self, RoundError> {
        if let Some(last) = bids.len().checked_sub(1) {
            BidIndex::from_u64(widened(last)).map_err(RoundError::TooManyBids)?;
        }
        let pairs = asks.iter().zip(asks.iter().skip(1)).enumerate();
        for (before, (previous, next)) in pairs {
            if previous.seat >= next.seat {
                return Err(RoundError::SeatsNotAscending {
                    position: before.saturating_add(1),
                    seat: next.seat,
                    previous: previous.seat,
                });
            }
        }
        Ok(Self { number, cap, reserve, bids, asks })
    }

    /// A round whose asks are identified by their position in the list, as in files.
    ///
    /// # Errors
    /// [`RoundError`] if there are more bids or asks than indices.
    pub fn from_positions(
        number: RoundNumber,
        cap: CapacityCap,
        reserve: ReservePrice,
        bids: Vec<Bid>,
        asks: Vec<Ask>,
    ) -> Result<Self, RoundError> {
        let seated: Result<Vec<_>, _> = asks
            .into_iter()
            .enumerate()
            .map(|(position, ask)| Ok(SeatedAsk { seat: AskIndex::from_u64(widened(position))?, ask }))
            .collect();
        Self::new(number, cap, reserve, bids, seated.map_err(RoundError::TooManyAsks)?)
    }

    /// The number of the round; it rotates the assignment.
    #[must_use]
    pub const fn number(&self) -> RoundNumber {
        self.number
    }

    /// The most that the round may prove, in units.
    #[must_use]
    pub const fn cap(&self) -> CapacityCap {
        self.cap
    }

    /// The least unit fee that takes part, in ticks per unit.
    #[must_use]
    pub const fn reserve(&self) -> ReservePrice {
        self.reserve
    }

    /// The bids in order of submission.
    #[must_use]
    pub fn bids(&self) -> &[Bid] {
        &self.bids
    }

    /// The bids in order of submission, each with its index.
    pub fn indexed_bids(&self) -> impl Iterator<Item = (BidIndex, Bid)> + '_ {
        // `new` made sure that the last bid has an index, so nothing is left out here.
        self.bids.iter().zip(0..).filter_map(|(bid, index)| Some((BidIndex::new(index).ok()?, *bid)))
    }

    /// The bid with this index, if the round has it.
    #[must_use]
    pub fn bid(&self, index: BidIndex) -> Option<Bid> {
        usize::try_from(index.get()).ok().and_then(|position| self.bids.get(position)).copied()
    }

    /// The asks in ask-book order.
    #[must_use]
    pub fn asks(&self) -> &[SeatedAsk] {
        &self.asks
    }

    /// The ask made from this seat, if the round has it.
    #[must_use]
    pub fn ask(&self, seat: AskIndex) -> Option<Ask> {
        let position = self.asks.binary_search_by_key(&seat, |entry| entry.seat).ok()?;
        self.asks.get(position).map(|entry| entry.ask)
    }
}

/// A position as u64. No list is longer than 2^64, whatever the width of `usize`.
fn widened(position: usize) -> u64 {
    u64::try_from(position).unwrap_or(u64::MAX)
}

impl From<(UnitFee, TaskSize)> for Bid {
    fn from((fee, size): (UnitFee, TaskSize)) -> Self {
        Self { fee, size }
    }
}

impl From<Bid> for (UnitFee, TaskSize) {
    fn from(bid: Bid) -> Self {
        (bid.fee, bid.size)
    }
}

impl From<(UnitCost, Capacity)> for Ask {
    fn from((cost, capacity): (UnitCost, Capacity)) -> Self {
        Self { cost, capacity }
    }
}

impl From<Ask> for (UnitCost, Capacity) {
    fn from(ask: Ask) -> Self {
        (ask.cost, ask.capacity)
    }
}
