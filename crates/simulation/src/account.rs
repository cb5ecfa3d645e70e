//! What a round is worth to each participant, in whole ticks.

use crate::book::{Bidder, Book};
use crate::market::{Population, Scenario};
use clearing::Outcome;

/// What somebody has more than before, in ticks; negative is a loss.
pub type Money = i128;

/// What happens to a prover that was assigned more than it can prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Penalties {
    /// Collateral lost per unit not delivered, in ticks.
    pub slash: u64,
    /// Fee for each seat beyond the first, in ticks per round.
    pub seat_fee: u64,
}

/// The accounts of one round.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts {
    /// What the round is worth to each requester.
    pub requesters: Vec<Money>,
    /// What the round is worth to each prover, with its wash bids, slashes and seat fees.
    pub provers: Vec<Money>,
    /// What each prover delivered, in units; its own wash bids not included.
    pub loads: Vec<u64>,
    /// Paid for delivered tasks, in ticks.
    pub payments: Money,
    /// What wash bids are worth to whoever posted them: what they pay, so never positive, in ticks.
    pub wash: Money,
    /// Paid to provers for deliveries, in ticks.
    pub pay: Money,
    /// Payments less pay: goes to the market's sink. Negative only under `average-fee` where dear tasks are not delivered:
    /// they are refunded, and the average fee of the batch is due for the others all the same.
    pub surplus: Money,
    /// Slashes and seat fees, in ticks.
    pub forfeited: Money,
    /// Value of the proofs that a requester wanted less what all proofs cost, in ticks.
    pub welfare: Money,
    /// Delivered, in units; wash bids included.
    pub units: u64,
    /// Assigned and not delivered, in units.
    pub undelivered: u64,
}

/// Clears the round that `book` is and settles every account.
///
/// A prover delivers its tasks in order of submission as far as its hardware goes; the requester of a task that is
/// not delivered gets its money back.
#[must_use]
pub fn settle(
    scenario: &Scenario,
    population: &Population,
    book: &Book,
    number: u64,
    penalties: Penalties,
) -> Accounts {
    let outcome = clearing::clear(scenario.mechanism, &book.round(scenario, number));
    account(population, book, &outcome, penalties)
}

/// The accounts of a cleared round.
#[must_use]
pub fn account(population: &Population, book: &Book, outcome: &Outcome, penalties: Penalties) -> Accounts {
    let mut accounts = Accounts {
        requesters: vec![0; population.requesters.len()],
        provers: vec![0; population.provers.len()],
        loads: vec![0; population.provers.len()],
        ..Accounts::default()
    };
    for (bid_index, ask_index) in outcome.assignment() {
        let (bid_index, ask_index) = (bid_index.get() as usize, ask_index.get() as usize);
        let (bid, bidder, prover) = (book.bids[bid_index], book.bidders[bid_index], book.askers[ask_index]);
        let size = u64::from(bid.size.get());
        let washes_itself = bidder == Bidder::Wash(prover);
        let free = population.hardware(prover) - accounts.loads[prover];
        if !washes_itself && free < size {
            accounts.default_on(prover, size, penalties.slash);
            continue;
        }
        let payment = money(outcome.prices.charge(bid.fee, bid.size).get());
        let pay = money(outcome.prices.pay_down(bid.size, outcome.units).get());
        let cost = if washes_itself {
            0
        } else {
            accounts.loads[prover] += size;
            Money::from(population.provers[prover].cost) * Money::from(size)
        };
        let value = match bidder {
            Bidder::Requester(requester) => {
                let value = Money::from(population.requesters[requester].value) * Money::from(size);
                accounts.requesters[requester] += value - payment;
                value
            }
            Bidder::Wash(owner) => {
                accounts.wash -= payment;
                if let Some(payoff) = accounts.provers.get_mut(owner) {
                    *payoff -= payment;
                }
                0
            }
        };
        accounts.provers[prover] += pay - cost;
        accounts.payments += payment;
        accounts.pay += pay;
        accounts.welfare += value - cost;
        accounts.units += size;
    }
    accounts.surplus = accounts.payments - accounts.pay;
    accounts.collect_seat_fees(book, penalties.seat_fee);
    accounts
}

impl Accounts {
    fn default_on(&mut self, prover: usize, units: u64, slash: u64) {
        let lost = Money::from(slash) * Money::from(units);
        self.provers[prover] -= lost;
        self.forfeited += lost;
        self.undelivered += units;
    }

    /// The first seat of each prover is free.
    fn collect_seat_fees(&mut self, book: &Book, fee: u64) {
        if fee == 0 {
            return;
        }
        let mut seated = vec![false; self.provers.len()];
        for &prover in &book.askers {
            if std::mem::replace(&mut seated[prover], true) {
                self.provers[prover] -= Money::from(fee);
                self.forfeited += Money::from(fee);
            }
        }
    }

    /// What the round is worth to all requesters, in ticks.
    #[must_use]
    pub fn requesters_total(&self) -> Money {
        self.requesters.iter().sum()
    }

    /// What the round is worth to all provers, in ticks.
    #[must_use]
    pub fn provers_total(&self) -> Money {
        self.provers.iter().sum()
    }
}

/// No amount of the laboratory comes near 2^127.
fn money(amount: u128) -> Money {
    Money::try_from(amount).unwrap_or(Money::MAX)
}
