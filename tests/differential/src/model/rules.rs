//! Parameters, deadlines and shares.

use chain::{Currency, MarketParams};

/// What a market fixes for ever.
#[derive(Debug, Clone)]
pub(crate) struct Rules(pub(crate) MarketParams);

impl Rules {
    pub(crate) fn round_at(&self, time: u64) -> u64 {
        (time - self.0.genesis) / self.0.bidding_period
    }

    /// First second at which the round takes no bid any more.
    pub(crate) fn close_of(&self, round: u64) -> u64 {
        self.0.genesis + (round + 1) * self.0.bidding_period
    }

    /// First second at which commitments can no longer be opened, and the round can be settled.
    pub(crate) fn reveal_by(&self, round: u64) -> u64 {
        self.close_of(round) + self.0.reveal_period
    }

    /// First second at which the round can no longer be settled.
    pub(crate) fn settle_by(&self, round: u64) -> u64 {
        self.reveal_by(round) + self.0.settlement_period
    }

    /// First second at which an undelivered task is in default.
    pub(crate) fn prove_by(&self, round: u64) -> u64 {
        self.settle_by(round) + self.0.proving_period
    }

    /// First second at which an undelivered task can only be expired.
    pub(crate) fn final_at(&self, round: u64) -> u64 {
        self.prove_by(round) + u64::from(self.0.max_takeovers) * self.0.takeover_period
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.0.reveal_period != 0
    }

    pub(crate) fn is_native(&self) -> bool {
        self.0.currency == Currency::Native
    }

    /// Most bids of an entry.
    pub(crate) fn max_lot(&self) -> u64 {
        if self.is_sealed() { 1 } else { 16_383 }
    }

    pub(crate) fn largest_task(&self) -> u64 {
        self.0.max_task_size.get().into()
    }

    /// Collateral behind so many units.
    pub(crate) fn collateral(&self, units: u64) -> u128 {
        u128::from(units) * u128::from(self.0.collateral_per_unit)
    }

    /// What is lost of a commitment to `amount` that is not opened.
    pub(crate) fn bond(&self, amount: u128) -> u128 {
        share(amount, self.0.bond_bps).max(self.0.settlement_fee.into()).max(1)
    }
}

/// A share in basis points, rounded down.
pub(crate) fn share(amount: u128, bps: u16) -> u128 {
    amount * u128::from(bps) / 10_000
}
