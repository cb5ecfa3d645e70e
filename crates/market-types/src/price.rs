//! Prices, in *ticks per unit*: one tick is a fixed amount of the market's currency (wei per tick, set per
//! market).

use crate::number::number;

number! {
    /// The most that a requester pays per unit of its task, in ticks per unit; at least 1.
    UnitFee(u64) in 1..=u64::MAX, "unit fee", as text
}

number! {
    /// The least that a prover accepts per unit it proves, in ticks per unit.
    ///
    /// On chain `u64::MAX` is not a valid ask.
    UnitCost(u64), "unit cost", as text
}

number! {
    /// The least unit fee that a market takes, in ticks per unit; 0 means that there is none.
    ReservePrice(u64), "reserve price", as text
}

number! {
    /// A clearing price, in ticks per unit: what users pay or what provers are paid. 0 in a round without a
    /// trade.
    UnitPrice(u64), "unit price", as text
}

impl UnitPrice {
    /// The price that a round without a trade reports.
    pub const ZERO: Self = Self::new(0);
}

impl From<UnitFee> for UnitPrice {
    fn from(fee: UnitFee) -> Self {
        Self::new(fee.get())
    }
}

impl From<UnitCost> for UnitPrice {
    fn from(cost: UnitCost) -> Self {
        Self::new(cost.get())
    }
}

impl From<ReservePrice> for UnitPrice {
    fn from(reserve: ReservePrice) -> Self {
        Self::new(reserve.get())
    }
}
