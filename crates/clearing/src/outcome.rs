//! The result of a round, in the written form of the test vectors.

use market_types::{AskIndex, BidIndex, UnitPrice, Units};
use serde::{Deserialize, Serialize};

/// What the mechanism `core` makes of a round. Without a trade every list is empty and every number 0 (the
/// default).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreOutcome {
    /// The bids that won, in order of submission.
    pub winning_bids: Vec<BidIndex>,
    /// The asks that won, in ask-book order.
    pub winning_asks: Vec<AskIndex>,
    /// What every winning user pays, in ticks per unit.
    pub user_price: UnitPrice,
    /// What every winning prover is paid, in ticks per unit that it proves; at most the user price.
    pub prover_price: UnitPrice,
    /// Total size of the winning tasks, in units.
    pub units: Units,
    /// Each winning bid with the ask that proves it, in order of submission.
    pub assignment: Vec<(BidIndex, AskIndex)>,
}

impl CoreOutcome {
    /// The outcome of a round without a trade.
    #[must_use]
    pub const fn no_trade() -> Self {
        Self {
            winning_bids: Vec::new(),
            winning_asks: Vec::new(),
            user_price: UnitPrice::ZERO,
            prover_price: UnitPrice::ZERO,
            units: Units::ZERO,
            assignment: Vec::new(),
        }
    }

    /// Whether anything was traded.
    #[must_use]
    pub fn is_trade(&self) -> bool {
        self.units > Units::ZERO
    }
}

impl Default for CoreOutcome {
    fn default() -> Self {
        Self::no_trade()
    }
}

/// A round's results by mechanism, as written: `{"core": {...}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClearedRound {
    /// The result under the mechanism `core`.
    pub core: CoreOutcome,
}

impl ClearedRound {
    /// Clears `round` under every mechanism.
    #[must_use]
    pub fn of(round: &market_types::Round) -> Self {
        Self { core: crate::clear(round) }
    }
}
