//! Whether a settlement pays. Pure, in integers: rewards are rounded down and costs up.

use alloy::primitives::{Address, U256};
use chain::transactions::Estimate;
use chain::{Currency, Market};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Smallest units of a token that its price is for.
const PRICED_UNITS: u64 = 1_000_000_000_000_000_000;

/// By how much a reward has to exceed the cost, in thousandths: 1000 is as much as the cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Factor(u32);

/// What is no [`Factor`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} is no factor; write a number like 1.2, from 0 to 1000 with at most three digits after the point"
)]
pub struct InvalidFactor(String);

impl Default for Factor {
    /// The reward is at least the cost.
    fn default() -> Self {
        Self(1_000)
    }
}

impl FromStr for Factor {
    type Err = InvalidFactor;

    fn from_str(text: &str) -> Result<Self, InvalidFactor> {
        let invalid = || InvalidFactor(text.to_owned());
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || part.len() > 3 || !digits(whole) || !digits(part) {
            return Err(invalid());
        }
        let whole: u32 = whole.parse().map_err(|_| invalid())?;
        let part: u32 = format!("{part:0<3}").parse().map_err(|_| invalid())?;
        if whole > 1_000 {
            return Err(invalid());
        }
        Ok(Self(whole.saturating_mul(1_000).saturating_add(part)))
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:03}", self.0 / 1_000, self.0 % 1_000)
    }
}

impl Serialize for Factor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Factor {
    /// From a text or a number.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Whole(u64),
            Decimal(f64),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Text(text) => text,
            Written::Whole(number) => number.to_string(),
            Written::Decimal(number) => number.to_string(),
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// When a settlement pays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profit {
    /// The reward is at least the cost times this.
    pub factor: Factor,
    /// What 10^18 of the smallest units of a token are worth (wei).
    pub prices: BTreeMap<Address, U256>,
    /// Whether rounds that pay in another token are settled whatever it costs. Otherwise such a token is worth nothing: anyone can make
    /// one, and a market that pays in it.
    pub trusts_tokens: bool,
}

impl Profit {
    /// What `ticks` of a market are worth (wei, rounded down); `None` if that is not to be asked.
    #[must_use]
    pub fn wei_of(&self, market: &Market, ticks: U256) -> Option<U256> {
        let amount = market.ticks_to_wei(ticks);
        match market.params.currency {
            Currency::Native => Some(amount),
            Currency::Token(token) => match self.prices.get(&token) {
                Some(price) => Some(amount.saturating_mul(*price) / U256::from(PRICED_UNITS)),
                None => (!self.trusts_tokens).then_some(U256::ZERO),
            },
        }
    }

    /// Whether a reward (wei) pays for what it costs.
    #[must_use]
    pub fn pays(&self, reward: U256, estimate: &Estimate) -> bool {
        let cost = estimate.cost().saturating_mul(U256::from(self.thousandths()));
        reward.saturating_mul(U256::from(1_000)) >= cost
    }

    /// Most that a unit of gas may cost (wei per gas) for a reward (wei) to pay for so much gas.
    #[must_use]
    pub fn most_per_gas(&self, reward: U256, gas: u64) -> u128 {
        let gas = U256::from(gas).saturating_mul(U256::from(self.thousandths()));
        if gas.is_zero() {
            return u128::MAX;
        }
        (reward.saturating_mul(U256::from(1_000)) / gas).saturating_to()
    }

    const fn thousandths(&self) -> u32 {
        self.factor.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chain::transactions::GasPrice;

    fn estimate(gas: u64, price: u128) -> Estimate {
        Estimate { gas, price: GasPrice { base_fee: price - 1, tip: 1, max_fee: 2 * price } }
    }

    fn market(currency: Currency) -> Market {
        let mut params = testkit::default_params(Address::repeat_byte(1), 1_000);
        params.currency = currency;
        Market { id: params.market_id(), params }
    }

    fn factor(text: &str) -> Factor {
        text.parse().unwrap()
    }

    #[test]
    fn a_factor_is_a_decimal_number() {
        assert_eq!((factor("1"), factor("1.0")), (Factor::default(), Factor::default()));
        assert_eq!(
            (factor("0.95").to_string(), factor("1000.001").to_string()),
            ("0.950".into(), "1000.001".into())
        );
        for wrong in ["", ".", ".5", "-1", "1.2345", "1001", "1e3", "1.x", "x", "99999999999"] {
            assert!(wrong.parse::<Factor>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_reward_pays_from_the_cost_times_the_factor_on() {
        let profit = |text| Profit { factor: factor(text), ..Profit::default() };
        let cost = estimate(100, 50);
        assert!(profit("1").pays(U256::from(5_000), &cost));
        assert!(!profit("1").pays(U256::from(4_999), &cost));
        assert!(profit("1.2").pays(U256::from(6_000), &cost));
        assert!(!profit("1.2").pays(U256::from(5_999), &cost));
        assert!(profit("0").pays(U256::ZERO, &cost));
    }

    #[test]
    fn the_most_that_gas_may_cost_is_what_just_pays() {
        let profit = Profit { factor: factor("1.2"), ..Profit::default() };
        let reward = U256::from(6_100);
        let most = profit.most_per_gas(reward, 100);
        assert_eq!(most, 50);
        assert!(profit.pays(reward, &estimate(100, most)) && !profit.pays(reward, &estimate(100, most + 1)));
        assert_eq!(Profit { factor: factor("0"), ..profit }.most_per_gas(reward, 100), u128::MAX);
    }

    #[test]
    fn tokens_are_worth_their_price_and_without_one_nothing_unless_they_are_trusted() {
        let token = Address::repeat_byte(3);
        let ticks = U256::from(7);
        let mut profit = Profit::default();
        // One tick is 10^9 of the smallest units.
        assert_eq!(profit.wei_of(&market(Currency::Native), ticks), Some(U256::from(7_000_000_000_u64)));
        assert_eq!(profit.wei_of(&market(Currency::Token(token)), ticks), Some(U256::ZERO));
        profit.trusts_tokens = true;
        assert_eq!(profit.wei_of(&market(Currency::Token(token)), ticks), None);
        // A token with 6 decimals of which one is worth 4 * 10^14 wei.
        profit.prices.insert(token, U256::from(10).pow(U256::from(26)) * U256::from(4));
        assert_eq!(
            profit.wei_of(&market(Currency::Token(token)), ticks),
            Some(U256::from(28) * U256::from(10).pow(U256::from(17)))
        );
    }
}
