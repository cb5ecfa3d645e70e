//! One requester that does not bid what its task is worth.

use super::{Table, around, scaled};
use crate::account::Money;
use crate::book::{Bidder, Book, bid};
use crate::market::Population;

/// What a requester does, fixed before the round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Plan {
    /// Bids this part of the value: below 1 it shades, above 1 it overbids.
    Scale(f64),
    /// Splits its task over bids of one unit each, if the task can be divided.
    Split,
}

/// Every requester bids this part of its value, and every prover says the truth.
#[must_use]
pub fn all_shade(population: &Population, part: f64) -> Book {
    let mut book = Book::honest(population);
    for (shaded, one) in book.bids.iter_mut().zip(&population.requesters) {
        *shaded = bid(scaled(one.value, part), one.size);
    }
    book
}

/// `honest` with the requester's bid replaced.
#[must_use]
pub fn deviate(table: &Table<'_>, honest: &Book, who: usize, plan: Plan) -> Book {
    let one = table.population.requesters[who];
    let mut book = honest.clone();
    match plan {
        Plan::Scale(factor) => book.bids[who] = bid(scaled(one.value, factor), one.size),
        Plan::Split => {
            book.bids[who] = bid(one.value, 1);
            (1..one.size).for_each(|_| book.submit_bid(Bidder::Requester(who), bid(one.value, 1)));
        }
    }
    book
}

/// The books a sniper chooses from: its bid comes last, at fractions of its value and around the lowest winning fee.
pub fn snipes<'a>(table: &Table<'_>, honest: &'a Book, who: usize) -> impl Iterator<Item = Book> + 'a {
    let one = table.population.requesters[who];
    let outcome = clearing::clear(table.scenario.mechanism, &honest.round(table.scenario, table.number));
    let lowest = outcome.assignment().map(|(won, _)| honest.bids[won.get() as usize].fee.get()).min();
    let mut fees = around(honest.bids.iter().map(|bid| bid.fee.get()).collect(), lowest.unwrap_or(1), 6);
    fees.extend((1..=12).map(|tenth| scaled(one.value, f64::from(tenth) / 10.0)));
    let mut others = honest.clone();
    others.without_requester(who);
    fees.into_iter().map(move |fee| {
        let mut book = others.clone();
        book.submit_bid(Bidder::Requester(who), bid(fee, one.size));
        book
    })
}

/// What the best snipe is worth, at least `honest_payoff`.
#[must_use]
pub fn snipe(table: &Table<'_>, honest: &Book, who: usize, honest_payoff: Money) -> Money {
    table.best(honest_payoff, snipes(table, honest, who), |accounts| accounts.requesters[who])
}
