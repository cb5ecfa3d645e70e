//! What winners pay and are paid.

use market_types::{Mechanism, TaskSize, Ticks, UnitFee, UnitPrice, Units};
use serde::{Deserialize, Serialize};

/// The prices of a round. Without a trade every one is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Prices {
    /// One price for all users and one for all provers: mechanism `core`.
    Uniform {
        /// What every winning user pays, in ticks per unit.
        user_price: UnitPrice,
        /// What every winning prover is paid, in ticks per unit that it proves; at most the user price.
        prover_price: UnitPrice,
    },
    /// Users pay their own bids, provers get the average: mechanism `average-fee`.
    AverageFee {
        /// Sum of what the winning users pay, in ticks.
        revenue: Ticks,
    },
}

impl Prices {
    /// The prices of a round without a trade.
    #[must_use]
    pub const fn none(mechanism: Mechanism) -> Self {
        match mechanism {
            Mechanism::Core => Self::Uniform { user_price: UnitPrice::ZERO, prover_price: UnitPrice::ZERO },
            Mechanism::AverageFee => Self::AverageFee { revenue: Ticks::ZERO },
        }
    }

    /// What a winning bid of this fee and size pays: the user price for its size, or its own bid.
    #[must_use]
    pub fn charge(&self, fee: UnitFee, size: TaskSize) -> Ticks {
        match *self {
            Self::Uniform { user_price, .. } => times(user_price, size),
            Self::AverageFee { .. } => times(fee.into(), size),
        }
    }

    /// What the delivery of a task of this size pays: the prover price for its size, or its share of the revenue
    /// rounded down, `floor(revenue * size / units)`. `units`: total size of the round's winning tasks.
    #[must_use]
    pub fn pay_down(&self, size: TaskSize, units: Units) -> Ticks {
        match *self {
            Self::Uniform { prover_price, .. } => times(prover_price, size),
            Self::AverageFee { revenue } => share_down(revenue, size, units),
        }
    }
}

/// A price for a number of units: below 2^128, so exact.
pub(crate) fn times(price: UnitPrice, size: impl Into<Units>) -> Ticks {
    Ticks::new(u128::from(price.get()).saturating_mul(u128::from(size.into().get())))
}

/// `floor(revenue * size / units)`, in two parts because the product may pass 2^128. Without units there is
/// nothing to share.
fn share_down(revenue: Ticks, size: TaskSize, units: Units) -> Ticks {
    let (revenue, size, units) = (revenue.get(), u128::from(size.get()), u128::from(units.get()));
    // The average is below 2^64 and the rest below `units`, so both products are below 2^96.
    let average = revenue.checked_div(units).unwrap_or(0);
    let rest = revenue.checked_rem(units).unwrap_or(0);
    let of_rest = rest.saturating_mul(size).checked_div(units).unwrap_or(0);
    Ticks::new(average.saturating_mul(size).saturating_add(of_rest))
}
