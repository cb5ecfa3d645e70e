//! Exhaustive search for a profitable deviation, in fee and in cost, for every participant of small markets.
//!
//! Each offer of a round is taken as the true value of its maker, everybody else's as given; then the maker
//! tries every other offer. Prices go up to 6, so offers up to 8 cover everything that can be told apart.

use crate::markets::{ask, bid, small, with_offers};
use clearing::{CoreOutcome, clear};
use market_types::{AskIndex, Bid, BidIndex, Round, SeatedAsk};
use proptest::prelude::*;
use proptest::test_runner::Config;

const HIGHEST_OFFER: u64 = 8;

fn user_utility(outcome: &CoreOutcome, user: BidIndex, truth: Bid) -> i128 {
    let gain = i128::from(truth.fee.get()) - i128::from(outcome.user_price.get());
    if outcome.winning_bids.contains(&user) { gain * i128::from(truth.size.get()) } else { 0 }
}

fn prover_utility(round: &Round, outcome: &CoreOutcome, truth: SeatedAsk) -> i128 {
    let size = |bid: BidIndex| i128::from(round.bid(bid).unwrap().size.get());
    let load: i128 =
        outcome.assignment.iter().filter(|(_, ask)| *ask == truth.seat).map(|(bid, _)| size(*bid)).sum();
    (i128::from(outcome.prover_price.get()) - i128::from(truth.ask.cost.get())) * load
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
    fn no_user_gains_by_another_fee(round in small()) {
        let truthful = clear(&round);
        for (user, truth) in round.indexed_bids() {
            let honest = user_utility(&truthful, user, truth);
            prop_assert!(honest >= 0);
            for fee in 1..=HIGHEST_OFFER {
                let deviated = clear(&with_bid(&round, user, bid(fee, truth.size.get())));
                let utility = user_utility(&deviated, user, truth);
                prop_assert!(utility <= honest, "user {}: fee {} gains {} > {}", user, fee, utility, honest);
            }
        }
    }

    #[test]
    fn no_prover_gains_by_another_cost(round in small()) {
        let truthful = clear(&round);
        for truth in round.asks().iter().copied() {
            let honest = prover_utility(&round, &truthful, truth);
            prop_assert!(honest >= 0);
            for cost in 0..=HIGHEST_OFFER {
                let deviated = clear(&with_cost(&round, truth.seat, cost));
                let utility = prover_utility(&round, &deviated, truth);
                prop_assert!(utility <= honest, "prover {}: cost {} gains {} > {}", truth.seat, cost, utility, honest);
            }
        }
    }
}

/// The search itself must be able to find a gain: under pay-as-bid, shading a fee is one.
#[test]
fn the_search_finds_the_gain_of_shading_under_pay_as_bid() {
    let round = crate::markets::round(0, 100, 0, &[(8, 2), (5, 2), (3, 2)], &[(1, 4), (2, 4)]);
    let user = BidIndex::new(0).unwrap();
    let truth = round.bid(user).unwrap();
    let pay_as_bid = |round: &Round| CoreOutcome {
        user_price: market_types::UnitPrice::from(round.bid(user).unwrap().fee),
        ..clear(round)
    };
    let honest = user_utility(&pay_as_bid(&round), user, truth);
    let best = (1..=HIGHEST_OFFER)
        .map(|fee| user_utility(&pay_as_bid(&with_bid(&round, user, bid(fee, 2))), user, truth))
        .max();
    // A fee of 3 still wins the second place behind 5: (8 - 3) * 2.
    assert_eq!((honest, best), (0, Some(10)));
}
