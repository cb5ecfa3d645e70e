//! A requester and a prover that agree outside the market and share what both have more together.

use super::{Table, around, prover, scaled};
use crate::account::{Accounts, Money};
use crate::book::{Book, ask, bid};
use crate::distribution::Prover;
use clap::ValueEnum;

/// What they agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Agreement {
    /// The task leaves the market; the prover proves it for a private price.
    Outside,
    /// The task stays; bid and ask are what is best for both together, and one compensates the other.
    SidePayment,
    /// The requester posts bids for proofs that nobody wants, in the prover's interest.
    Wash,
}

/// Two that agree.
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    /// The requester.
    pub requester: usize,
    /// The prover.
    pub prover: usize,
}

impl Pair {
    /// What a round is worth to both.
    #[must_use]
    pub fn payoff(self, accounts: &Accounts) -> Money {
        accounts.requesters[self.requester] + accounts.provers[self.prover]
    }

    /// What both have more with the agreement than without, knowing the whole round; 0 if they do better without.
    #[must_use]
    pub fn gain(self, table: &Table<'_>, honest: &Book, agreement: Agreement) -> Money {
        let without = table.play(honest);
        let before = self.payoff(&without);
        let after = match agreement {
            Agreement::Outside => self.outside(table, honest),
            Agreement::SidePayment => {
                table.best(before, self.side_payments(table, honest).into_iter(), |accounts| {
                    self.payoff(accounts)
                })
            }
            Agreement::Wash => {
                let least = without.provers[self.prover];
                without.requesters[self.requester] + prover::wash(table, honest, self.prover, least)
            }
        };
        (after - before).max(0)
    }

    /// The task's value and cost outside, and what the market still gives the prover: with as much less capacity in it,
    /// or with all of it where what the market leaves idle is enough.
    fn outside(self, table: &Table<'_>, honest: &Book) -> Money {
        let task = table.population.requesters[self.requester];
        let Prover { cost, capacity } = table.population.provers[self.prover];
        let trade = (Money::from(task.value) - Money::from(cost)) * Money::from(task.size);
        let mut book = honest.clone();
        book.without_requester(self.requester);
        let full = table.play(&book);
        let idle = table.population.hardware(self.prover) >= full.loads[self.prover] + u64::from(task.size);
        let kept = if idle { full.provers[self.prover] } else { Money::MIN / 2 };
        let reduced = if capacity > task.size {
            book.asks[self.prover] = ask(cost, capacity - task.size);
            table.play(&book).provers[self.prover]
        } else {
            book.without_prover(self.prover);
            0
        };
        trade + kept.max(reduced)
    }

    fn side_payments(self, table: &Table<'_>, honest: &Book) -> Vec<Book> {
        let task = table.population.requesters[self.requester];
        let Prover { cost, capacity } = table.population.provers[self.prover];
        let costs = || honest.asks.iter().map(|ask| ask.cost.get()).collect::<Vec<_>>();
        let outcome = clearing::clear(table.scenario.mechanism, &honest.round(table.scenario, table.number));
        let lowest = outcome.assignment().map(|(won, _)| honest.bids[won.get() as usize].fee.get()).min();
        let mut fees = around(honest.bids.iter().map(|bid| bid.fee.get()).collect(), lowest.unwrap_or(1), 4);
        fees.extend((1..=8).map(|quarter| scaled(task.value, f64::from(quarter) / 4.0)));
        fees.push(1);
        let by_fee = fees.into_iter().map(|fee| {
            let mut book = honest.clone();
            book.bids[self.requester] = bid(fee, task.size);
            book
        });
        let by_cost = around(costs(), cost, 4).into_iter().map(|cost| {
            let mut book = honest.clone();
            book.asks[self.prover] = ask(cost, capacity);
            book
        });
        by_fee.chain(by_cost).collect()
    }
}
