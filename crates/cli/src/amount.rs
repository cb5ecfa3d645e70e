//! Amounts of money as people write and read them: `0.5eth`, `12gwei`, `1500000` (wei), `150ticks`.
//!
//! The ledger counts *ticks*, wallets count the currency's smallest unit (*wei*, also for tokens here). Nothing is ever
//! rounded: an amount that is no whole number of ticks is refused.

use alloy::primitives::U256;
use serde::Serialize;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Why an amount is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum AmountError {
    #[error("{0:?} is no amount; write for example 0.5eth, 12gwei, 150ticks, or a whole number of wei")]
    Malformed(String),
    #[error("{given:?} has more decimals than {unit} can have")]
    TooFine { given: String, unit: &'static str },
    #[error("{0:?} is too large")]
    TooLarge(String),
    #[error(
        "this market pays in {0}, not in ETH; write for example 1.5tokens, 150ticks, or its smallest unit"
    )]
    NotNative(String),
    #[error(transparent)]
    BetweenTicks(Box<BetweenTicks>),
    #[error("{amount} ticks per unit is too large for a price; the most is {max}", max = u64::MAX)]
    PriceTooLarge { amount: U256 },
}

/// An amount that is no whole number of ticks (all in wei).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{amount} wei is no multiple of the market's tick of {tick} wei; nearest are {below} and {above} wei"
)]
pub(crate) struct BetweenTicks {
    amount: U256,
    tick: U256,
    below: U256,
    above: U256,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// The currency's smallest unit.
    Wei,
    Gwei,
    Ether,
    Ticks,
    /// Whole tokens, with the decimals that the token has.
    Tokens,
    /// No unit was written; its meaning depends on what the number is.
    None,
}

/// An amount as written, not yet in the terms of a market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Amount {
    written: String,
    mantissa: U256,
    /// Number of decimals in `mantissa`.
    scale: u32,
    unit: Unit,
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let malformed = || AmountError::Malformed(text.to_owned());
        let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_')).unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let unit = match unit.trim().to_ascii_lowercase().as_str() {
            "" => Unit::None,
            "wei" => Unit::Wei,
            "gwei" => Unit::Gwei,
            "eth" | "ether" => Unit::Ether,
            "tick" | "ticks" => Unit::Ticks,
            "token" | "tokens" => Unit::Tokens,
            _ => return Err(malformed()),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let (whole, fraction) = (whole.replace('_', ""), fraction.trim_end_matches('0'));
        let digits = format!("{whole}{fraction}");
        if whole.is_empty() || number.ends_with('.') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed());
        }
        let mantissa = digits.parse().map_err(|_| AmountError::TooLarge(text.to_owned()))?;
        let scale = u32::try_from(fraction.len()).map_err(|_| malformed())?;
        Ok(Self { written: text.to_owned(), mantissa, scale, unit })
    }
}

impl Amount {
    /// All digits up to `decimals`.
    fn scaled(&self, decimals: u32, unit: &'static str) -> Result<U256, AmountError> {
        let missing = decimals
            .checked_sub(self.scale)
            .ok_or_else(|| AmountError::TooFine { given: self.written.clone(), unit })?;
        let factor = U256::from(10u8).checked_pow(U256::from(missing));
        factor
            .and_then(|factor| self.mantissa.checked_mul(factor))
            .ok_or_else(|| AmountError::TooLarge(self.written.clone()))
    }
}

/// What a market pays in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Currency {
    /// `ETH`, or the token's symbol.
    pub(crate) symbol: String,
    /// Decimals of the smallest unit.
    pub(crate) decimals: u8,
    /// Whether it is the chain's own currency.
    pub(crate) native: bool,
}

impl Currency {
    /// The chain's own currency.
    pub(crate) fn ether() -> Self {
        Self { symbol: "ETH".into(), decimals: 18, native: true }
    }

    /// `1.5 ETH`, exact, without needless zeros.
    pub(crate) fn show(&self, wei: U256) -> String {
        format!("{} {}", decimal(wei, self.decimals), self.symbol)
    }
}

/// A market's money: its currency and how much of it one tick is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denomination {
    pub(crate) currency: Currency,
    /// Value of one tick (wei), at least 1.
    pub(crate) tick: U256,
}

/// A number of ticks together with its value, as shown and as written in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Money {
    #[serde(serialize_with = "as_text")]
    pub(crate) ticks: U256,
    #[serde(serialize_with = "as_text")]
    pub(crate) wei: U256,
    pub(crate) shown: String,
}

impl Denomination {
    /// In wei; a bare number is wei.
    pub(crate) fn wei(&self, amount: &Amount) -> Result<U256, AmountError> {
        let ether_like = matches!(amount.unit, Unit::Gwei | Unit::Ether);
        if ether_like && !self.currency.native {
            return Err(AmountError::NotNative(self.currency.symbol.clone()));
        }
        match amount.unit {
            Unit::None | Unit::Wei => amount.scaled(0, "wei"),
            Unit::Gwei => amount.scaled(9, "gwei"),
            Unit::Ether => amount.scaled(18, "ether"),
            Unit::Tokens => amount.scaled(u32::from(self.currency.decimals), "the token"),
            Unit::Ticks => amount
                .scaled(0, "a tick")?
                .checked_mul(self.tick)
                .ok_or_else(|| AmountError::TooLarge(amount.written.clone())),
        }
    }

    /// In ticks; a bare number is wei.
    pub(crate) fn ticks(&self, amount: &Amount) -> Result<U256, AmountError> {
        let wei = self.wei(amount)?;
        let rest = wei % self.tick;
        if rest.is_zero() {
            return Ok(wei / self.tick);
        }
        let below = wei - rest;
        let above = below.saturating_add(self.tick);
        Err(AmountError::BetweenTicks(Box::new(BetweenTicks { amount: wei, tick: self.tick, below, above })))
    }

    /// A price in ticks per unit; a bare number is ticks per unit.
    pub(crate) fn price(&self, amount: &Amount) -> Result<u64, AmountError> {
        let ticks = match amount.unit {
            Unit::None | Unit::Ticks => amount.scaled(0, "a tick")?,
            _ => self.ticks(amount)?,
        };
        u64::try_from(ticks).map_err(|_| AmountError::PriceTooLarge { amount: ticks })
    }

    /// Value of a number of ticks. Saturates, which no amount in a ledger of 96 bits reaches.
    pub(crate) fn money(&self, ticks: U256) -> Money {
        let wei = ticks.saturating_mul(self.tick);
        let shown = format!("{} ticks ({})", grouped(ticks), self.currency.show(wei));
        Money { ticks, wei, shown }
    }

    /// A price, with what a unit costs.
    pub(crate) fn price_text(&self, ticks: u64) -> String {
        let wei = U256::from(ticks).saturating_mul(self.tick);
        format!("{} ticks per unit ({})", grouped(U256::from(ticks)), self.currency.show(wei))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.shown)
    }
}

/// Numbers that may pass 2^53 are strings in JSON.
pub(crate) fn as_text<S: serde::Serializer>(value: &impl fmt::Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

/// [`as_text`] of an amount that may be missing.
pub(crate) fn as_optional_text<S: serde::Serializer>(
    value: &Option<impl fmt::Display>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => to.collect_str(value),
        None => to.serialize_none(),
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(value: U256) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `value` with the point `decimals` places from the right, without needless zeros.
pub(crate) fn decimal(value: U256, decimals: u8) -> String {
    let decimals = usize::from(decimals);
    let digits = format!("{value:0>width$}", width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    match fraction.trim_end_matches('0') {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn market() -> Denomination {
        Denomination { currency: Currency::ether(), tick: U256::from(1_000_000_000u64) }
    }

    fn wei(text: &str) -> Result<U256, AmountError> {
        market().wei(&text.parse()?)
    }

    #[test]
    fn units_give_their_wei() {
        assert_eq!(wei("0.5eth").unwrap(), U256::from(500_000_000_000_000_000u64));
        assert_eq!(wei("12gwei").unwrap(), U256::from(12_000_000_000u64));
        assert_eq!(wei("12.5 Gwei").unwrap(), U256::from(12_500_000_000u64));
        assert_eq!(wei("1_000").unwrap(), U256::from(1_000));
        assert_eq!(wei("150ticks").unwrap(), U256::from(150_000_000_000u64));
        assert_eq!(wei("1.50000000000000000000eth").unwrap(), wei("1.5eth").unwrap());
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "eth", ".5eth", "5.", "-1", "1e18", "0x10", "1.2.3eth", "5 btc", "1,000"] {
            assert_eq!(wei(text), Err(AmountError::Malformed(text.into())), "{text}");
        }
    }

    #[test]
    fn decimals_below_the_unit_are_refused() {
        for text in ["0.5", "1.5wei", "0.5ticks", "0.0000000001gwei", "0.0000000000000000001eth"] {
            assert!(matches!(wei(text), Err(AmountError::TooFine { .. })), "{text}");
        }
    }

    #[test]
    fn overflow_is_refused() {
        let most = U256::MAX.to_string();
        assert_eq!(wei(&most).unwrap(), U256::MAX);
        assert!(matches!(wei(&format!("{most}0")), Err(AmountError::TooLarge(_))));
        assert!(matches!(wei(&format!("{most}eth")), Err(AmountError::TooLarge(_))));
        assert!(matches!(wei(&format!("{most}ticks")), Err(AmountError::TooLarge(_))));
    }

    #[test]
    fn amounts_between_ticks_are_refused_with_the_neighbours() {
        let error = market().ticks(&"1500000001".parse().unwrap()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("1000000000") && text.contains("2000000000"), "{text}");
        assert_eq!(market().ticks(&"3gwei".parse().unwrap()), Ok(U256::from(3)));
    }

    #[test]
    fn bare_prices_are_ticks_per_unit() {
        assert_eq!(market().price(&"12".parse().unwrap()), Ok(12));
        assert_eq!(market().price(&"12gwei".parse().unwrap()), Ok(12));
        assert!(matches!(market().price(&"1wei".parse().unwrap()), Err(AmountError::BetweenTicks(_))));
        assert!(matches!(
            market().price(&"18446744073709551616".parse().unwrap()),
            Err(AmountError::PriceTooLarge { .. })
        ));
    }

    #[test]
    fn ether_is_refused_where_a_token_is_paid() {
        let token = Denomination {
            currency: Currency { symbol: "USDX".into(), decimals: 6, native: false },
            tick: U256::from(100),
        };
        assert!(matches!(token.wei(&"1eth".parse().unwrap()), Err(AmountError::NotNative(_))));
        assert_eq!(token.wei(&"1.5tokens".parse().unwrap()), Ok(U256::from(1_500_000)));
    }

    #[test]
    fn money_shows_ticks_and_currency() {
        assert_eq!(market().money(U256::from(1_500_000)).to_string(), "1,500,000 ticks (0.0015 ETH)");
        assert_eq!(market().money(U256::ZERO).to_string(), "0 ticks (0 ETH)");
        let json = serde_json::to_value(market().money(U256::from(2))).unwrap();
        assert_eq!(json["ticks"], "2");
        assert_eq!(json["wei"], "2000000000");
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(decimal(U256::from(1), 18), "0.000000000000000001");
        assert_eq!(decimal(U256::from(10), 0), "10");
        assert_eq!(grouped(U256::from(1_234_567)), "1,234,567");
        assert_eq!(grouped(U256::from(123)), "123");
    }
}
