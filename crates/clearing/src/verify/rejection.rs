//! Why a certificate is refused.

use market_types::{
    AskIndex, CapacityCap, Mechanism, ReservePrice, TaskSize, Ticks, UnitCost, UnitPrice, Units,
};
use thiserror::Error;

/// Why a certificate is refused. Clear the round again from the same bids and asks to get the one that is
/// accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Rejection {
    /// The certificate is one of another mechanism.
    #[error("the market runs {market}, but the certificate is one of {claimed}; certify under {market}")]
    OtherMechanism {
        /// The market's mechanism.
        market: Mechanism,
        /// The mechanism whose certificate was given.
        claimed: Mechanism,
    },
    /// No pivot prover was named although there are asks.
    #[error("no pivot ask given, but the round has {asks} asks; name the first prover left out")]
    PivotAskMissing {
        /// Number of asks in the round.
        asks: usize,
    },
    /// The pivot prover takes no part in the round.
    #[error("the pivot ask {seat} is not in the round; name a seat that takes part")]
    PivotAskUnknown {
        /// The seat named.
        seat: AskIndex,
    },
    /// The provers ranked before the pivot offer more than the round may prove.
    #[error(
        "the winning provers offer {capacity} units, more than the cap of {cap}; name a cheaper pivot ask"
    )]
    CapExceeded {
        /// Their capacity, in units.
        capacity: Units,
        /// The round's cap, in units.
        cap: CapacityCap,
    },
    /// Users do not want all that the winning provers offer at the prover price.
    #[error(
        "demand at the price {price} does not exceed the {capacity} units offered; name a cheaper pivot ask"
    )]
    DemandTooLow {
        /// The prover price claimed, in ticks per unit.
        price: UnitCost,
        /// Capacity of the provers ranked before the pivot, in units.
        capacity: Units,
    },
    /// One more prover could win.
    #[error("the pivot ask {seat} could win as well; name the next in prover order")]
    NotMaximal {
        /// The seat named as pivot.
        seat: AskIndex,
    },
    /// The batch that decides who proves is not the one that the cap allows.
    #[error("the largest batch: {0}")]
    Batch(PrefixRejection),
    /// The claimed revenue of that batch is wrong.
    #[error("the largest batch pays {actual} ticks, not {claimed}")]
    BatchRevenueMismatch {
        /// The revenue claimed, in ticks.
        claimed: Ticks,
        /// The sum of its payments, in ticks.
        actual: Ticks,
    },
    /// No prover wins, but the user pivot is not the one for that case.
    #[error("no prover wins, so no user can: use the user pivot that admits nobody")]
    UserPivotNotCanonical,
    /// The winning users are not those that the winning provers take.
    #[error("the winning users: {0}")]
    Users(PrefixRejection),
    /// The claimed revenue is wrong.
    #[error("the winning users pay {actual} ticks, not {claimed}")]
    RevenueMismatch {
        /// The revenue claimed, in ticks.
        claimed: Ticks,
        /// The sum of the winning users' payments, in ticks.
        actual: Ticks,
    },
}

/// Why a claimed prefix of the users is not the one that a limit allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PrefixRejection {
    /// The pivot is no bid of the round.
    #[error("no bid has the index {index} and the fee {fee}; name the first bid left out")]
    PivotUnknown {
        /// The index named.
        index: u32,
        /// The fee named, in ticks per unit.
        fee: UnitPrice,
    },
    /// The pivot lies below the reserve price.
    #[error(
        "the pivot's fee {fee} is below the reserve price {reserve}; only bids that take part can be left out"
    )]
    PivotBelowReserve {
        /// The fee named, in ticks per unit.
        fee: UnitPrice,
        /// The reserve price, in ticks per unit.
        reserve: ReservePrice,
    },
    /// The pivot "nobody left out" does not carry the reserve price.
    #[error("nobody is left out, so the pivot's fee is the reserve price {reserve}, not {fee}")]
    PivotNotReserve {
        /// The fee named, in ticks per unit.
        fee: UnitPrice,
        /// The reserve price, in ticks per unit.
        reserve: ReservePrice,
    },
    /// The pivot would have fitted.
    #[error("the pivot of size {size} fits behind {units} of {limit} units; name a later one")]
    PivotFits {
        /// Size of the pivot bid, in units.
        size: TaskSize,
        /// Total size of the bids ranked before the pivot, in units.
        units: Units,
        /// The most that may be taken, in units.
        limit: Units,
    },
    /// The bids ranked before the pivot are more than may be taken.
    #[error("{units} units rank before the pivot, more than {limit}; name an earlier one")]
    TooLarge {
        /// Total size of the bids ranked before the pivot, in units.
        units: Units,
        /// The most that may be taken, in units.
        limit: Units,
    },
    /// The claimed size is wrong.
    #[error("{actual} units rank before the pivot, not {claimed}")]
    UnitsMismatch {
        /// The size claimed, in units.
        claimed: Units,
        /// The total size of the bids ranked before the pivot, in units.
        actual: Units,
    },
}
