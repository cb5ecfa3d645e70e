//! Does every wei add up? Each check compares figures that were come by in different ways.

use crate::amount::{as_text, decimal, grouped};
use crate::failure::{Code, Failure, Outcome};
use crate::render::{Column, Palette, Table};
use alloy::primitives::{Address, U256};
use serde::Serialize;

use super::statement::Statement;

/// One thing that must hold.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Check {
    pub(crate) what: String,
    pub(crate) holds: bool,
    /// The figures that were compared.
    pub(crate) figures: String,
}

impl Check {
    /// That two amounts are equal, to the last unit.
    pub(crate) fn equal(what: impl Into<String>, unit: &str, left: U256, right: U256) -> Self {
        let (holds, mut figures) = (left == right, format!("{} {unit}", grouped(left)));
        if !holds {
            figures += &format!(" against {}", grouped(right));
        }
        Self { what: what.into(), holds, figures }
    }

    /// That something is so.
    pub(crate) fn that(what: impl Into<String>, holds: bool, figures: impl Into<String>) -> Self {
        Self { what: what.into(), holds, figures: figures.into() }
    }
}

/// The checks, each with its verdict.
pub(crate) fn check_table(checks: &[Check], palette: Palette) -> String {
    let mut table = Table::new([Column::Left(""), Column::Left("what must hold"), Column::Right("figures")]);
    for check in checks {
        let mark = if check.holds { palette.good("✓") } else { palette.bad("✗") };
        table.row([mark, check.what.clone(), check.figures.clone()]);
    }
    table.draw(palette)
}

/// Fails if one of the checks does not hold.
pub(crate) fn require(checks: &[Check]) -> Outcome<()> {
    let broken: Vec<String> = checks
        .iter()
        .filter(|check| !check.holds)
        .map(|check| format!("{} ({})", check.what, check.figures))
        .collect();
    if broken.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Code::Audit, eyre::eyre!("the audit found: {}", broken.join("; "))))
}

/// What the contract owes one account (ticks), as the contract says itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Claim {
    /// Could be withdrawn now.
    #[serde(serialize_with = "as_text")]
    pub(crate) available: U256,
    /// Backs a seat.
    #[serde(serialize_with = "as_text")]
    pub(crate) collateral: U256,
    /// Waits in bundles of bids.
    #[serde(serialize_with = "as_text")]
    pub(crate) bundled: U256,
}

impl Claim {
    /// All of it.
    pub(crate) fn total(&self) -> U256 {
        self.available + self.collateral + self.bundled
    }
}

/// One account of the demo, from its wallet before to its wallet after.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct AccountFigures {
    pub(crate) name: String,
    pub(crate) role: &'static str,
    pub(crate) address: Address,
    /// In the market (ticks).
    pub(crate) statement: Statement,
    /// Wallet at the chain's first block (wei).
    #[serde(serialize_with = "as_text")]
    pub(crate) before: U256,
    /// Sent into the market (wei).
    #[serde(serialize_with = "as_text")]
    pub(crate) sent: U256,
    /// Got out of the market (wei).
    #[serde(serialize_with = "as_text")]
    pub(crate) received: U256,
    /// Paid for transactions (wei).
    #[serde(serialize_with = "as_text")]
    pub(crate) gas: U256,
    /// Wallet now (wei).
    #[serde(serialize_with = "as_text")]
    pub(crate) after: U256,
}

impl AccountFigures {
    /// What the wallet must hold now (wei).
    pub(crate) fn expected(&self) -> Option<U256> {
        (self.before + self.received).checked_sub(self.sent + self.gas)
    }

    /// That it does.
    pub(crate) fn check(&self) -> Check {
        let what = format!("wallet of {}: before - sent + received - gas = after", self.name);
        match self.expected() {
            Some(expected) => Check::equal(what, "wei", expected, self.after),
            None => Check::that(what, false, "more left the wallet than was in it"),
        }
    }
}

/// What happened to each account in the market (ticks).
pub(crate) fn statement_table(accounts: &[AccountFigures], palette: Palette) -> String {
    let mut table = Table::new([
        Column::Left("account"),
        Column::Right("deposited"),
        Column::Right("paid"),
        Column::Right("fees"),
        Column::Right("compens."),
        Column::Right("earned"),
        Column::Right("bounty"),
        Column::Right("reward"),
        Column::Right("lost"),
        Column::Right("withdrawn"),
    ]);
    let signed = |sign: &str, amount: U256| {
        if amount.is_zero() { palette.faint("·") } else { format!("{sign}{}", grouped(amount)) }
    };
    for account in accounts {
        let s = &account.statement;
        table.row([
            account.name.clone(),
            signed("+", s.deposited),
            signed("-", s.paid),
            signed("-", s.fees),
            signed("+", s.compensation + s.refunds),
            signed("+", s.earned),
            signed("+", s.bounties),
            signed("+", s.rewards),
            signed("-", s.slashed + s.bonds),
            signed("=", s.withdrawn),
        ]);
    }
    table.draw(palette)
}

/// What happened to each wallet (ether).
pub(crate) fn wallet_table(accounts: &[AccountFigures], palette: Palette) -> String {
    let mut table = Table::new([
        Column::Left("account"),
        Column::Right("before"),
        Column::Right("sent"),
        Column::Right("received"),
        Column::Right("gas"),
        Column::Right("after"),
    ]);
    let signed = |sign: &str, wei: U256| {
        if wei.is_zero() { palette.faint("·") } else { format!("{sign}{}", decimal(wei, 18)) }
    };
    for account in accounts {
        table.row([
            account.name.clone(),
            signed("", account.before),
            signed("-", account.sent),
            signed("+", account.received),
            signed("-", account.gas),
            signed("=", account.after),
        ]);
    }
    table.draw(palette)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(value: u64) -> U256 {
        U256::from(value)
    }

    fn account(after: u64) -> AccountFigures {
        AccountFigures {
            name: "Amber".into(),
            role: "requester",
            address: Address::ZERO,
            statement: Statement { deposited: n(20), paid: n(5), withdrawn: n(15), ..Statement::default() },
            before: n(100),
            sent: n(20),
            received: n(15),
            gas: n(3),
            after: n(after),
        }
    }

    #[test]
    fn one_wei_too_few_or_too_many_fails_the_audit() {
        assert!(account(92).check().holds);
        for after in [91, 93] {
            let check = account(after).check();
            assert!(!check.holds);
            let failure = require(&[account(92).check(), check]).unwrap_err();
            assert_eq!(failure.code(), Code::Audit);
            assert!(failure.to_string().contains("Amber"), "{failure}");
        }
        assert!(require(&[account(92).check()]).is_ok());
    }

    #[test]
    fn a_wallet_that_spent_more_than_it_had_fails() {
        let account = AccountFigures { gas: n(500), ..account(0) };
        assert_eq!(account.expected(), None);
        assert!(!account.check().holds);
    }

    #[test]
    fn tables_show_signs_and_leave_zeros_out() {
        let text = statement_table(&[account(92)], Palette::PLAIN);
        let row = text.lines().last().unwrap();
        assert_eq!(
            row.split_whitespace().collect::<Vec<_>>(),
            ["Amber", "+20", "-5", "·", "·", "·", "·", "·", "·", "=15"]
        );
        let text = wallet_table(&[account(92)], Palette::PLAIN);
        assert!(text.lines().last().unwrap().contains("=0.000000000000000092"), "{text}");
    }
}
