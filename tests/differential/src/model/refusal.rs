//! Why a call is refused.

/// Named like the contract's errors; where many were refused, with the reason of the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    AskFrozen,
    AskRevealedAlready,
    BidInRoundAlready,
    CapacityChangePending,
    CapacityOutOfRange,
    CapacityStillOffered,
    CapacityTaken,
    CapacityUnchanged,
    CommitmentExists,
    DepositTooSmall,
    HeldBefore,
    InsufficientBalance,
    InvalidCost,
    LotTooLarge,
    MarketIsOpen,
    MarketIsSealed,
    NoBids,
    /// Of a list without an opening the contract says that nothing was revealed, for no reason.
    NoOpenings,
    NoSeatLeft,
    NotMultipleOfTick,
    NotPublishedHere,
    NotSeatOwner,
    NothingDelivered(Box<Refusal>),
    NothingRevealed(Box<Refusal>),
    NothingSubmitted(Box<Refusal>),
    NothingToRelease,
    NothingToSettle,
    ProofRejected,
    RevealClosed,
    RevealOpen,
    RoundNotOpen,
    RoundOpen,
    RoundSettledAlready,
    RoundUnresolved,
    RoundVoid,
    SeatHasOpenTasks,
    TaskEnded,
    TaskInDefault,
    TaskNotExpirable,
    TaskNotInDefault,
    TaskNotNamed,
    TaskNotTakeable,
    TaskSizeOutOfRange,
    UnknownBundle,
    UnknownCommitment,
    UnknownTask,
    WrongProgress,
    WrongSignature,
    WrongStatement,
    WrongValue,
    ZeroAddress,
    ZeroFee,
    /// What is claimed about a round is not what it came to. Which part of it the contract finds wrong first is its own affair.
    WrongClaim,
}

/// The contract's errors that stand for [`Refusal::WrongClaim`].
const WRONG_CLAIMS: [&str; 6] =
    ["WrongBids", "WrongPivotSeat", "WrongPivotBid", "WrongBatch", "WrongRevenue", "WrongUnits"];

impl Refusal {
    /// Whether the contract's error, as `Name` or `Name(Reason)`, is this one.
    pub(crate) fn is(&self, error: &str) -> bool {
        match self {
            Self::WrongClaim => WRONG_CLAIMS.contains(&error),
            Self::NoOpenings => error == "NothingRevealed",
            other => format!("{other:?}") == error,
        }
    }
}
