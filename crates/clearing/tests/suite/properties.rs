//! What holds for every outcome.

use crate::markets::{any_market, bid, medium, with_offers};
use crate::reference::{Inputs, seats};
use clearing::{CoreOutcome, clear};
use market_types::{AskIndex, Bid, Round};
use proptest::prelude::*;
use proptest::test_runner::Config;

fn size(round: &Round, bid: market_types::BidIndex) -> u128 {
    round.bid(bid).unwrap().size.get().into()
}

/// What a prover has to prove, in units.
fn load(round: &Round, outcome: &CoreOutcome, seat: AskIndex) -> u128 {
    outcome.assignment.iter().filter(|(_, ask)| *ask == seat).map(|(bid, _)| size(round, *bid)).sum()
}

proptest! {
    #![proptest_config(Config::with_cases(1_500))]

    #[test]
    fn no_winner_pays_more_than_its_bid_or_gets_less_than_its_ask(round in any_market()) {
        let outcome = clear(&round);
        for index in &outcome.winning_bids {
            prop_assert!(outcome.user_price.get() <= round.bid(*index).unwrap().fee.get());
        }
        for seat in &outcome.winning_asks {
            prop_assert!(outcome.prover_price.get() >= round.ask(*seat).unwrap().cost.get());
        }
    }

    #[test]
    fn users_pay_at_least_what_provers_get_and_at_least_the_reserve(round in any_market()) {
        let outcome = clear(&round);
        if outcome.is_trade() {
            prop_assert!(outcome.user_price >= round.reserve().into());
            prop_assert!(outcome.user_price >= outcome.prover_price);
        }
        let (fee, pay) = (u128::from(outcome.user_price.get()), u128::from(outcome.prover_price.get()));
        let paid: u128 = outcome.winning_bids.iter().map(|bid| size(&round, *bid) * fee).sum();
        let earned: u128 = outcome.winning_asks.iter().map(|seat| load(&round, &outcome, *seat) * pay).sum();
        prop_assert_eq!(paid, earned + (fee - pay) * u128::from(outcome.units.get()));
    }

    #[test]
    fn a_round_proves_at_most_its_cap_and_what_the_winners_offer(round in any_market()) {
        let outcome = clear(&round);
        let capacity = |seat: &AskIndex| u128::from(round.ask(*seat).unwrap().capacity.get());
        let offered: u128 = outcome.winning_asks.iter().map(capacity).sum();
        prop_assert!(offered <= round.cap().get().into());
        prop_assert!(u128::from(outcome.units.get()) <= offered);
        let total: u128 = outcome.winning_bids.iter().map(|bid| size(&round, *bid)).sum();
        prop_assert_eq!(total, outcome.units.get().into());
    }

    #[test]
    fn every_winning_task_has_one_winning_prover(round in any_market()) {
        let outcome = clear(&round);
        let assigned: Vec<_> = outcome.assignment.iter().map(|(bid, _)| *bid).collect();
        prop_assert_eq!(&assigned, &outcome.winning_bids);
        prop_assert!(outcome.winning_bids.is_sorted_by(|a, b| a < b));
        prop_assert!(outcome.winning_asks.is_sorted_by(|a, b| a < b));
        prop_assert!(outcome.assignment.iter().all(|(_, ask)| outcome.winning_asks.contains(ask)));
        prop_assert!(outcome.winning_asks.iter().all(|ask| seats(&round).contains(ask)));
    }

    #[test]
    fn load_is_pro_rata_to_capacity_within_one_task(round in any_market()) {
        let outcome = clear(&round);
        let capacity = |seat: &AskIndex| u128::from(round.ask(*seat).unwrap().capacity.get());
        let offered: u128 = outcome.winning_asks.iter().map(capacity).sum();
        let batch = u128::from(outcome.units.get());
        let largest = outcome.winning_bids.iter().map(|bid| size(&round, *bid)).max().unwrap_or(0);
        for seat in &outcome.winning_asks {
            let load = load(&round, &outcome, *seat);
            // |load - k * Q / K| < largest, multiplied by K.
            prop_assert!((load * offered).abs_diff(capacity(seat) * batch) < largest * offered);
            prop_assert!(load < capacity(seat) + largest);
        }
    }

    #[test]
    fn load_does_not_depend_on_how_low_a_winner_asks(round in any_market()) {
        let outcome = clear(&round);
        for seat in &outcome.winning_asks {
            let asks = round.asks().iter().copied().map(|mut entry| {
                if entry.seat == *seat {
                    entry.ask.cost = market_types::UnitCost::new(0);
                }
                entry
            });
            prop_assert_eq!(&clear(&with_offers(&round, round.bids().to_vec(), asks.collect())), &outcome);
        }
    }

    #[test]
    fn the_condition_on_winning_provers_is_monotone(round in any_market()) {
        let inputs = Inputs::of(&round);
        let conditions: Vec<bool> = (0..inputs.asks.len()).map(|w| inputs.condition(w)).collect();
        prop_assert!(conditions.is_sorted_by(|fewer, more| fewer >= more), "{:?}", conditions);
    }

    #[test]
    fn a_round_clears_the_same_every_time(round in any_market()) {
        prop_assert_eq!(clear(&round), clear(&round.clone()));
    }

    /// Without ties, order of submission decides nothing but who proves what.
    #[test]
    fn without_ties_the_order_of_bids_changes_neither_winners_nor_prices(
        (round, shuffled) in medium().prop_map(|round| without_ties(&round)).prop_flat_map(|round| {
            let order: Vec<usize> = (0..round.bids().len()).collect();
            (Just(round), Just(order).prop_shuffle())
        }),
    ) {
        let moved = shuffled.iter().map(|i| round.bids()[*i]).collect();
        let before = clear(&round);
        let moved_round = with_offers(&round, moved, round.asks().to_vec());
        let after = clear(&moved_round);
        prop_assert_eq!(
            (before.user_price, before.prover_price, before.units, &before.winning_asks),
            (after.user_price, after.prover_price, after.units, &after.winning_asks)
        );
        prop_assert_eq!(winning_fees(&round, &before), winning_fees(&moved_round, &after));
    }
}

/// Spreads equal fees apart: the fee becomes `100 * fee + position`.
fn without_ties(round: &Round) -> Round {
    let spread = |(place, old): (u64, &Bid)| bid(old.fee.get() * 100 + place, old.size.get());
    let bids = (0..).zip(round.bids()).map(spread).collect();
    with_offers(round, bids, round.asks().to_vec())
}

fn winning_fees(round: &Round, outcome: &CoreOutcome) -> Vec<u64> {
    let mut fees: Vec<u64> =
        outcome.winning_bids.iter().map(|bid| round.bid(*bid).unwrap().fee.get()).collect();
    fees.sort_unstable();
    fees
}
