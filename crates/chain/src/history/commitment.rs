//! Commitments of a sealed market as events tell them.

use crate::events::Origin;
use alloy::primitives::{Address, B256, U256};
use market_types::RoundNumber;

/// A commitment to a bid or an ask. Which of them were opened events do not say: a bid that is opened does not name its
/// commitment. The contract's `stakeOf` shows whether one still stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitmentRecord {
    /// The round.
    pub round: RoundNumber,
    /// Who made it.
    pub account: Address,
    /// What hides the offer.
    pub commitment: B256,
    /// What was locked (ticks).
    pub deposit: U256,
    /// The part of it that is lost if the commitment is not opened (ticks).
    pub bond: U256,
    /// Where it was made.
    pub origin: Origin,
    /// Where it was forfeited, if it was.
    pub forfeited: Option<Origin>,
}
