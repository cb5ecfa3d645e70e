//! Exhaustive search for a profitable deviation, in fee and in cost, for every participant of small markets.
//!
//! Each offer of a round is taken as the true value of its maker, everybody else's as given; then the maker
//! tries every other offer. Prices go up to 6, so offers up to 8 cover everything that can be told apart.

use crate::markets::{ask, bid, round, small, with_offers};
use clearing::{Certificate, Outcome, Prices, ProverClaim, clear, clear_with_certificate};
use market_types::{AskIndex, Bid, BidIndex, Mechanism, Round, SeatedAsk};
use proptest::prelude::*;
use proptest::test_runner::Config;

const CORE: Mechanism = Mechanism::Core;
const AVERAGE_FEE: Mechanism = Mechanism::AverageFee;
const HIGHEST_OFFER: u64 = 8;

fn signed(amount: market_types::Ticks) -> i128 {
    i128::try_from(amount.get()).unwrap()
}

fn user_utility(outcome: &Outcome, user: BidIndex, truth: Bid, offer: Bid) -> i128 {
    let value = i128::from(truth.fee.get()) * i128::from(truth.size.get());
    let charge = signed(outcome.prices.charge(offer.fee, offer.size));
    if outcome.winning_bids.contains(&user) { value - charge } else { 0 }
}

fn prover_utility(round: &Round, outcome: &Outcome, truth: SeatedAsk) -> i128 {
    paid_by(round, outcome, truth, |size| signed(outcome.prices.pay_down(size, outcome.units)))
}

/// What the prover's tasks pay, less what they cost it.
fn paid_by(
    round: &Round,
    outcome: &Outcome,
    truth: SeatedAsk,
    pay: impl Fn(market_types::TaskSize) -> i128,
) -> i128 {
    let own = outcome.assignment().filter(|(_, ask)| *ask == truth.seat);
    let sizes = own.map(|(bid, _)| round.bid(bid).unwrap().size);
    sizes.map(|size| pay(size) - i128::from(truth.ask.cost.get()) * i128::from(size.get())).sum()
}

fn with_bid(round: &Round, user: BidIndex, offer: Bid) -> Round {
    let bids = round.indexed_bids().map(|(index, bid)| if index == user { offer } else { bid }).collect();
    with_offers(round, bids, round.asks().to_vec())
}

fn with_cost(round: &Round, prover: AskIndex, cost: u64) -> Round {
    let asks = round.asks().iter().map(|entry| match entry.seat == prover {
        true => SeatedAsk { seat: prover, ask: ask(cost, entry.ask.capacity.get()) },
        false => *entry,
    });
    with_offers(round, round.bids().to_vec(), asks.collect())
}

proptest! {
    #![proptest_config(Config::with_cases(4_000))]

    #[test]
    fn no_user_gains_by_another_fee_under_core(round in small()) {
        let truthful = clear(CORE, &round);
        for (user, truth) in round.indexed_bids() {
            let honest = user_utility(&truthful, user, truth, truth);
            prop_assert!(honest >= 0);
            for fee in 1..=HIGHEST_OFFER {
                let offer = bid(fee, truth.size.get());
                let deviated = clear(CORE, &with_bid(&round, user, offer));
                let utility = user_utility(&deviated, user, truth, offer);
                prop_assert!(utility <= honest, "user {}: fee {} gains {} > {}", user, fee, utility, honest);
            }
        }
    }

    #[test]
    fn no_prover_gains_by_another_cost_under_core(round in small()) {
        let truthful = clear(CORE, &round);
        for truth in round.asks().iter().copied() {
            let honest = prover_utility(&round, &truthful, truth);
            prop_assert!(honest >= 0);
            for cost in 0..=HIGHEST_OFFER {
                let deviated = clear(CORE, &with_cost(&round, truth.seat, cost));
                let utility = prover_utility(&round, &deviated, truth);
                prop_assert!(utility <= honest, "prover {}: cost {} gains {} > {}", truth.seat, cost, utility, honest);
            }
        }
    }

    /// The one deviation that pays: a prover above the batch's average asks less than its cost and wins, while the
    /// winning provers are too few for the batch, so that its lowest bids drop out and the average rises.
    #[test]
    fn under_average_fee_a_prover_gains_only_by_asking_less_while_capacity_is_short(round in small()) {
        let truthful = clear(AVERAGE_FEE, &round);
        for truth in round.asks().iter().copied() {
            let honest = prover_utility(&round, &truthful, truth);
            prop_assert!(honest >= 0);
            for cost in 0..=HIGHEST_OFFER {
                let (deviated, certificate) =
                    clear_with_certificate(AVERAGE_FEE, &with_cost(&round, truth.seat, cost));
                if prover_utility(&round, &deviated, truth) > honest {
                    let short = certificate.units < batch(&certificate).units;
                    let lost = !truthful.winning_asks.contains(&truth.seat);
                    prop_assert!(lost && cost < truth.ask.cost.get() && short, "prover {}: cost {}", truth.seat, cost);
                }
            }
        }
    }

    /// What would take that gain away: paying the batch's average also when its lowest bids have dropped out. The
    /// price is then the cost at which a prover loses, whatever the prover says.
    #[test]
    fn no_prover_would_gain_by_another_cost_if_paid_the_average_of_the_whole_batch(round in small()) {
        let utility = |round: &Round, truth| {
            let (outcome, certificate) = clear_with_certificate(AVERAGE_FEE, round);
            let batch = batch(&certificate);
            let prices = Prices::AverageFee { revenue: batch.revenue };
            paid_by(round, &outcome, truth, |size| signed(prices.pay_down(size, batch.units)))
        };
        for truth in round.asks().iter().copied() {
            let honest = utility(&round, truth);
            prop_assert!(honest >= 0);
            for cost in 0..=HIGHEST_OFFER {
                prop_assert!(utility(&with_cost(&round, truth.seat, cost), truth) <= honest);
            }
        }
    }
}

fn batch(certificate: &Certificate) -> clearing::BatchClaim {
    match certificate.prover_side {
        ProverClaim::AverageFee { batch, .. } => batch,
        ProverClaim::Core { .. } => panic!("core has no batch"),
    }
}

#[test]
fn under_average_fee_a_prover_above_the_average_gains_by_asking_less() {
    // The batch of 4 units pays 22, 5.5 on average: a prover with a cost of 9 loses. Asking 0 it wins alone, proves
    // the one unit that fits, and is paid 10 for it.
    let round = round(0, 4, 0, &[(10, 1), (10, 1), (1, 1), (1, 1)], &[(9, 1)]);
    let truth = round.asks()[0];
    let utility = |cost| {
        let deviated = with_cost(&round, truth.seat, cost);
        prover_utility(&round, &clear(AVERAGE_FEE, &deviated), truth)
    };
    assert_eq!((utility(9), utility(0)), (0, 1));
}

/// Users of `average-fee` shade their bids, and the search finds it.
#[test]
fn under_average_fee_a_user_gains_by_shading_its_fee() {
    let round = round(0, 4, 0, &[(8, 2), (5, 2), (3, 2)], &[(1, 4), (2, 4)]);
    let user = BidIndex::new(0).unwrap();
    let truth = round.bid(user).unwrap();
    let utility = |fee| {
        let offer = bid(fee, 2);
        user_utility(&clear(AVERAGE_FEE, &with_bid(&round, user, offer)), user, truth, offer)
    };
    // A fee of 3 still wins the second place behind 5: (8 - 3) * 2.
    assert_eq!((utility(8), (1..=HIGHEST_OFFER).map(utility).max()), (0, Some(10)));
}
