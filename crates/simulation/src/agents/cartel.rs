//! Provers that ask as one: some of them ask more than their cost, or nothing at all, to lift the price for the others.

use super::Table;
use crate::account::{Accounts, Money};
use crate::book::{Book, ask};

/// What a cartel does: its members with the highest costs hold back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How many members hold back.
    pub held: usize,
    /// The least they ask for, in ticks per unit.
    pub floor: u64,
}

/// A floor that no bid reaches: the members do not take part.
const WITHDRAW: u64 = 1 << 40;

/// The first `size` provers of every population are the cartel; populations are drawn independently, so any would do.
#[must_use]
pub fn payoff(accounts: &Accounts, size: usize) -> Money {
    accounts.provers.iter().take(size).sum()
}

/// `honest` with what the cartel of the first `size` provers does instead.
#[must_use]
pub fn deviate(table: &Table<'_>, honest: &Book, size: usize, plan: Plan) -> Book {
    let provers = &table.population.provers;
    let mut members: Vec<usize> = (0..size.min(provers.len())).collect();
    members.sort_unstable_by_key(|member| std::cmp::Reverse(provers[*member].cost));
    let mut book = honest.clone();
    for member in members.into_iter().take(plan.held) {
        let one = provers[member];
        book.asks[member] = ask(one.cost.max(plan.floor), one.capacity);
    }
    book
}

/// The plans a cartel of `size` chooses from when it knows what prices usually are: `price`, in ticks per unit.
#[must_use]
pub fn sealed_plans(size: usize, price: f64) -> Vec<Plan> {
    let floors = [0.9, 1.0, 1.1, 1.25, 1.5, 2.0].map(|factor| crate::distribution::positive(price * factor));
    parts(size)
        .into_iter()
        .flat_map(|held| floors.into_iter().chain([WITHDRAW]).map(move |floor| Plan { held, floor }))
        .collect()
}

/// The further plans of a cartel that sees the asks of all others: just below the next outsiders above `price`.
#[must_use]
pub fn open_plans(honest: &Book, size: usize, price: f64) -> Vec<Plan> {
    let price = crate::distribution::positive(price * 0.8);
    let mut outsiders: Vec<u64> =
        honest.asks.iter().skip(size).map(|ask| ask.cost.get()).filter(|cost| *cost > price).collect();
    outsiders.sort_unstable();
    let floors = outsiders.into_iter().take(5).map(|cost| cost - 1);
    floors.flat_map(|floor| parts(size).into_iter().map(move |held| Plan { held, floor })).collect()
}

/// One, a quarter, half, three quarters and all of `size`.
fn parts(size: usize) -> Vec<usize> {
    let mut parts = vec![1, size.div_ceil(4), size.div_ceil(2), (3 * size).div_ceil(4), size];
    parts.sort_unstable();
    parts.dedup();
    parts
}
