//! What a transaction may pay for gas. Pure; all amounts in wei per gas unless they say otherwise.

use alloy::primitives::U256;

/// Gas of a transfer to oneself, which is how a nonce is used up without an effect.
pub(super) const CANCEL_GAS: u64 = 21_000;

/// What no transaction of a key ever pays more than.
///
/// A fifth of it is kept back for cancelling: a call is offered at most four fifths, so that there is room for the one raise that replaces
/// it when its effect is worth nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeLimits {
    /// Most that a unit of gas may cost (wei per gas).
    pub max_fee_per_gas: u128,
    /// Most that the gas of one transaction may cost (wei), if there is such a limit.
    pub max_cost: Option<U256>,
}

impl Default for FeeLimits {
    /// 500 gwei per gas, and no limit for a transaction.
    fn default() -> Self {
        Self { max_fee_per_gas: 500_000_000_000, max_cost: None }
    }
}

impl FeeLimits {
    /// The most that a call with this gas limit is offered, if its effect is worth `worth` per gas at most.
    pub(super) fn of_call(&self, gas: u64, worth: Option<u128>) -> u128 {
        let ceiling = self.of_any(gas) / 5 * 4;
        worth.map_or(ceiling, |worth| worth.min(ceiling))
    }

    /// The most that cancelling is offered.
    pub(super) fn of_cancel(&self) -> u128 {
        self.of_any(CANCEL_GAS)
    }

    fn of_any(&self, gas: u64) -> u128 {
        let by_cost = self.max_cost.map(|cost| cost / U256::from(gas.max(1)));
        by_cost.map_or(self.max_fee_per_gas, |most| most.saturating_to::<u128>().min(self.max_fee_per_gas))
    }
}

/// What gas costs in the next blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GasPrice {
    /// Base fee of the next block.
    pub base_fee: u128,
    /// What is offered to whoever builds the block.
    pub tip: u128,
    /// What to offer at most, so that the base fee may rise for a while.
    pub max_fee: u128,
}

impl GasPrice {
    /// What is paid per gas if the transaction is in the next block.
    #[must_use]
    pub const fn expected(&self) -> u128 {
        self.base_fee.saturating_add(self.tip)
    }
}

/// What one form of a transaction offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fees {
    pub(super) max: u128,
    pub(super) tip: u128,
}

impl Fees {
    /// What the market asks, up to `ceiling`. `None` if no block takes so little now.
    pub(super) fn first(price: &GasPrice, ceiling: u128) -> Option<Self> {
        let max = price.max_fee.min(ceiling);
        (max >= price.base_fee && max > 0).then(|| Self { max, tip: price.tip.min(max) })
    }

    /// A quarter more, or what the market asks by now, up to `ceiling`. `None` if that is not an eighth more at least: nodes would not take
    /// it instead of the form before.
    pub(super) fn dearer(self, price: &GasPrice, ceiling: u128) -> Option<Self> {
        let quarter_more = |fee: u128| fee.saturating_mul(5).div_ceil(4);
        let least = |fee: u128| fee.saturating_mul(9).div_ceil(8).max(fee.saturating_add(1));
        let max = quarter_more(self.max).max(price.max_fee).min(ceiling);
        let tip = quarter_more(self.tip).max(price.tip).max(least(self.tip)).min(max);
        (max >= least(self.max) && tip >= least(self.tip)).then_some(Self { max, tip })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICE: GasPrice = GasPrice { base_fee: 100, tip: 10, max_fee: 210 };

    #[test]
    fn the_first_form_offers_what_the_market_asks_but_never_more_than_the_ceiling() {
        assert_eq!(Fees::first(&PRICE, 1_000), Some(Fees { max: 210, tip: 10 }));
        assert_eq!(Fees::first(&PRICE, 120), Some(Fees { max: 120, tip: 10 }));
        assert_eq!(Fees::first(&PRICE, 100), Some(Fees { max: 100, tip: 10 }));
        assert_eq!(Fees::first(&PRICE, 99), None);
        assert_eq!(Fees::first(&GasPrice { base_fee: 0, tip: 0, max_fee: 0 }, 9), None);
    }

    #[test]
    fn a_raise_is_a_quarter_and_never_less_than_an_eighth() {
        let fees = Fees { max: 80, tip: 8 };
        let cheap = GasPrice { base_fee: 1, tip: 1, max_fee: 3 };
        assert_eq!(fees.dearer(&cheap, 1_000), Some(Fees { max: 100, tip: 10 }));
        assert_eq!(fees.dearer(&PRICE, 1_000), Some(Fees { max: 210, tip: 10 }));
        assert_eq!(fees.dearer(&cheap, 95), Some(Fees { max: 95, tip: 10 }));
        assert_eq!(fees.dearer(&cheap, 90), Some(Fees { max: 90, tip: 10 }));
        assert_eq!(fees.dearer(&cheap, 89), None);
        assert_eq!(Fees { max: 5, tip: 0 }.dearer(&cheap, 100).map(|fees| fees.tip), Some(1));
        let most = Fees { max: u128::MAX, tip: u128::MAX };
        assert_eq!(most.dearer(&cheap, u128::MAX), None);
    }

    #[test]
    fn a_call_leaves_room_for_the_raise_that_cancels_it() {
        let limits = FeeLimits { max_fee_per_gas: 1_000, max_cost: None };
        assert_eq!((limits.of_call(50_000, None), limits.of_cancel()), (800, 1_000));
        let fees = Fees { max: limits.of_call(50_000, None), tip: 1 };
        assert!(fees.dearer(&PRICE, limits.of_cancel()).is_some());
        assert_eq!(limits.of_call(50_000, Some(7)), 7);
    }

    #[test]
    fn the_cost_of_a_transaction_bounds_what_its_gas_may_cost() {
        let limits = FeeLimits { max_fee_per_gas: 1_000, max_cost: Some(U256::from(50_000_000)) };
        assert_eq!(limits.of_call(100_000, None), 400);
        assert_eq!(limits.of_call(10, None), 800);
        assert_eq!(limits.of_cancel(), 1_000);
        assert_eq!(FeeLimits { max_cost: Some(U256::ZERO), ..limits }.of_call(0, None), 0);
    }
}
