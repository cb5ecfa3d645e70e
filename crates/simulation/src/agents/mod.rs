//! Who takes part and does not simply say the truth.
//!
//! | module | who |
//! |---|---|
//! | `requester` | one requester: shading, overbidding, splitting its task, sniping |
//! | `prover` | one prover: shading, sniping, withholding, overstating, under several names, with wash bids |
//! | `pair` | a requester and a prover that agree outside the market |
//! | `cartel` | several provers that ask as one |
//!
//! A plan is fixed before the round; a *sniper* sees the whole open round, bids last, and takes whatever pays best.

pub mod cartel;
pub mod pair;
pub mod prover;
pub mod requester;

use crate::account::{Accounts, Money, Penalties, settle};
use crate::book::Book;
use crate::market::{Population, Scenario};

/// A round that can be played again and again with other bids and asks.
#[derive(Debug, Clone, Copy)]
pub struct Table<'a> {
    /// The market.
    pub scenario: &'a Scenario,
    /// Its participants in this round.
    pub population: &'a Population,
    /// The number of the round.
    pub number: u64,
    /// What is forfeited, and for what.
    pub penalties: Penalties,
}

impl Table<'_> {
    /// What this book is worth to everybody.
    #[must_use]
    pub fn play(&self, book: &Book) -> Accounts {
        settle(self.scenario, self.population, book, self.number, self.penalties)
    }

    /// The most that any of `books` is worth by `payoff`; `least` if none is worth more.
    pub fn best(
        &self,
        least: Money,
        books: impl Iterator<Item = Book>,
        payoff: impl Fn(&Accounts) -> Money,
    ) -> Money {
        books.map(|book| payoff(&self.play(&book))).fold(least, Money::max)
    }
}

/// A price that is `factor` times another.
#[must_use]
pub fn scaled(price: u64, factor: f64) -> u64 {
    crate::distribution::positive(price as f64 * factor)
}

/// The prices among `others` that are nearest to `price`, up to `count` on each side, each with its two neighbours:
/// wherever an offer's rank can change near the margin, one of them is on either side of it.
fn around(mut others: Vec<u64>, price: u64, count: usize) -> Vec<u64> {
    others.sort_unstable();
    others.dedup();
    let middle = others.partition_point(|other| *other < price);
    let near = &others[middle.saturating_sub(count)..others.len().min(middle + count)];
    near.iter().flat_map(|other| [other.saturating_sub(1).max(1), *other, other + 1]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_around_the_margin_are_the_nearest_and_their_neighbours() {
        assert_eq!(around(vec![50, 10, 30, 20, 40, 30], 30, 1), [19, 20, 21, 29, 30, 31]);
        assert_eq!(around(vec![1], 9, 3), [1, 1, 2]);
    }
}
