//! One prover that does not ask for its cost, or not for its capacity.

use super::{Table, around, scaled};
use crate::account::Money;
use crate::book::{Bidder, Book, ask, bid};
use crate::distribution::{narrow, positive};

/// What a prover does, fixed before the round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Plan {
    /// Asks for this part of its cost.
    Scale(f64),
    /// Registers this part of its capacity: below 1 it withholds, above 1 it overstates.
    Capacity(f64),
    /// Takes several seats of equal size; each asks `step` of the cost more than the one before.
    Names {
        /// How many seats; 1 is honest.
        seats: u32,
        /// By which part of the cost the asks rise.
        step: f64,
        /// Whether each seat keeps its own headroom free, as where collateral backs every seat; otherwise they share it.
        backed: bool,
    },
    /// Adds wash bids at this fee (ticks per unit) for so many units in all, in tasks of the largest size.
    Wash {
        /// Unit fee of each, in ticks.
        fee: u64,
        /// Their total size, in units.
        units: u32,
    },
}

/// `honest` with what the prover does instead.
#[must_use]
pub fn deviate(table: &Table<'_>, honest: &Book, who: usize, plan: Plan) -> Book {
    let one = table.population.provers[who];
    let mut book = honest.clone();
    match plan {
        Plan::Scale(factor) => book.asks[who] = ask(scaled(one.cost, factor), one.capacity),
        Plan::Capacity(factor) => book.asks[who] = ask(one.cost, part(one.capacity, factor)),
        Plan::Names { seats, step, backed } => {
            let shares = shares(table, who, seats, backed);
            book.asks[who] = ask(one.cost, shares[0]);
            for (seat, share) in (1..).zip(&shares[1..]) {
                book.submit_ask(who, ask(scaled(one.cost, 1.0 + step * f64::from(seat)), *share));
            }
        }
        Plan::Wash { fee, units } => {
            let mut left = units;
            while left > 0 {
                let size = left.min(table.population.max_task);
                book.submit_bid(Bidder::Wash(who), bid(fee, size));
                left -= size;
            }
        }
    }
    book
}

/// What each of `seats` seats offers, at least one unit; what does not divide goes to the first.
fn shares(table: &Table<'_>, who: usize, seats: u32, backed: bool) -> Vec<u32> {
    let capacity = table.population.provers[who].capacity;
    let seats = seats.clamp(1, capacity);
    let kept = if backed { table.population.headroom() * (seats - 1) } else { 0 };
    let offered = capacity.saturating_sub(kept).max(seats);
    let share = offered / seats;
    let mut shares = vec![share; seats as usize];
    shares[0] = offered - share * (seats - 1);
    shares
}

/// The best of several plans chosen when the round is known, at least `honest_payoff`.
#[must_use]
pub fn best_of(table: &Table<'_>, honest: &Book, who: usize, plans: &[Plan], honest_payoff: Money) -> Money {
    let books = plans.iter().map(|plan| deviate(table, honest, who, *plan));
    table.best(honest_payoff, books, |accounts| accounts.provers[who])
}

/// What the best ask is worth to a prover that sees all others: parts of its cost, and around the asks of others.
#[must_use]
pub fn snipe(table: &Table<'_>, honest: &Book, who: usize, honest_payoff: Money) -> Money {
    let one = table.population.provers[who];
    let mut costs = around(honest.asks.iter().map(|ask| ask.cost.get()).collect(), one.cost, 8);
    costs.extend((2..=12).map(|fifth| scaled(one.cost, f64::from(fifth) / 5.0)));
    let books = costs.into_iter().map(|cost| {
        let mut book = honest.clone();
        book.asks[who] = ask(cost, one.capacity);
        book
    });
    table.best(honest_payoff, books, |accounts| accounts.provers[who])
}

/// What the best wash bids are worth to a prover that sees the whole round: at the asks of the provers next to the margin,
/// so that one more of them wins, and in several sizes.
#[must_use]
pub fn wash(table: &Table<'_>, honest: &Book, who: usize, honest_payoff: Money) -> Money {
    let outcome = clearing::clear(table.scenario.mechanism, &honest.round(table.scenario, table.number));
    let mut costs: Vec<u64> = honest.asks.iter().map(|ask| ask.cost.get()).collect();
    costs.sort_unstable();
    let margin = outcome.winning_asks.len();
    let fees = costs.into_iter().skip(margin).take(4);
    let sizes = [8, 16, 32, 64, 128];
    let plans: Vec<Plan> = fees.flat_map(|fee| sizes.map(|units| Plan::Wash { fee, units })).collect();
    best_of(table, honest, who, &plans, honest_payoff)
}

fn part(capacity: u32, factor: f64) -> u32 {
    narrow(positive(f64::from(capacity) * factor))
}
