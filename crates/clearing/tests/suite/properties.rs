//! What holds for every outcome.

use crate::markets::{any_case, any_market, bid, medium, with_offers};
use crate::reference::{Inputs, seats};
use clearing::{Outcome, Prices, clear};
use market_types::{AskIndex, Bid, BidIndex, Mechanism, Round};
use proptest::prelude::*;
use proptest::test_runner::Config;

fn size(round: &Round, bid: BidIndex) -> u128 {
    round.bid(bid).unwrap().size.get().into()
}

/// What a prover has to prove, in units.
fn load(round: &Round, outcome: &Outcome, seat: AskIndex) -> u128 {
    outcome.assignment().filter(|(_, ask)| *ask == seat).map(|(bid, _)| size(round, bid)).sum()
}

/// What the winning users pay together, in ticks.
fn charged(round: &Round, outcome: &Outcome) -> u128 {
    let bids = outcome.winning_bids.iter().map(|index| round.bid(*index).unwrap());
    bids.map(|bid| outcome.prices.charge(bid.fee, bid.size).get()).sum()
}

/// What the deliveries of all tasks pay together, in ticks.
fn paid(round: &Round, outcome: &Outcome) -> u128 {
    let bids = outcome.winning_bids.iter().map(|index| round.bid(*index).unwrap());
    bids.map(|bid| outcome.prices.pay_down(bid.size, outcome.units).get()).sum()
}

proptest! {
    #![proptest_config(Config::with_cases(1_500))]

    #[test]
    fn no_winner_pays_more_than_its_bid_or_gets_less_than_its_ask((mechanism, round) in any_case()) {
        let outcome = clear(mechanism, &round);
        for (index, seat) in outcome.assignment() {
            let (bid, ask) = (round.bid(index).unwrap(), round.ask(seat).unwrap());
            let size = u128::from(bid.size.get());
            prop_assert!(outcome.prices.charge(bid.fee, bid.size).get() <= u128::from(bid.fee.get()) * size);
            // Rounding down takes nothing from a cost: it is a whole number of ticks too.
            let pay = outcome.prices.pay_down(bid.size, outcome.units).get();
            prop_assert!(pay >= u128::from(ask.cost.get()) * size);
        }
    }

    #[test]
    fn no_winner_bids_below_the_reserve((mechanism, round) in any_case()) {
        let outcome = clear(mechanism, &round);
        for index in &outcome.winning_bids {
            prop_assert!(round.bid(*index).unwrap().fee.get() >= round.reserve().get());
        }
    }

    #[test]
    fn provers_are_paid_out_of_what_users_pay((mechanism, round) in any_case()) {
        let outcome = clear(mechanism, &round);
        let (charged, paid) = (charged(&round, &outcome), paid(&round, &outcome));
        match outcome.prices {
            Prices::Uniform { user_price, prover_price } => {
                if outcome.is_trade() {
                    prop_assert!(user_price >= round.reserve().into());
                    prop_assert!(user_price >= prover_price);
                }
                let spread = u128::from(user_price.get()) - u128::from(prover_price.get());
                prop_assert_eq!(charged, paid + spread * u128::from(outcome.units.get()));
            }
            Prices::AverageFee { revenue } => {
                prop_assert_eq!(charged, revenue.get());
                // What stays is less than a tick for each task.
                prop_assert!(paid <= charged);
                prop_assert!(charged == paid || charged - paid < outcome.winning_bids.len() as u128);
            }
        }
    }

    #[test]
    fn a_round_proves_at_most_its_cap_and_what_the_winners_offer((mechanism, round) in any_case()) {
        let outcome = clear(mechanism, &round);
        let capacity = |seat: &AskIndex| u128::from(round.ask(*seat).unwrap().capacity.get());
        let offered: u128 = outcome.winning_asks.iter().map(capacity).sum();
        let units = u128::from(outcome.units.get());
        prop_assert!(units <= round.cap().get().into());
        prop_assert!(units <= offered);
        // Only `average-fee` spreads a batch over provers who could do more than the cap.
        prop_assert!(mechanism == Mechanism::AverageFee || offered <= round.cap().get().into());
        let total: u128 = outcome.winning_bids.iter().map(|bid| size(&round, *bid)).sum();
        prop_assert_eq!(total, units);
    }

    #[test]
    fn every_winning_task_has_one_winning_prover((mechanism, round) in any_case()) {
        let outcome = clear(mechanism, &round);
        let assigned: Vec<_> = outcome.assignment().map(|(bid, _)| bid).collect();
        prop_assert_eq!(&assigned, &outcome.winning_bids);
        prop_assert!(outcome.winning_bids.is_sorted_by(|a, b| a < b));
        prop_assert!(outcome.winning_asks.is_sorted_by(|a, b| a < b));
        prop_assert!(outcome.assignment().all(|(_, ask)| outcome.winning_asks.contains(&ask)));
        prop_assert!(outcome.winning_asks.iter().all(|ask| seats(&round).contains(ask)));
    }

    #[test]
    fn load_is_pro_rata_to_capacity_within_one_task((mechanism, round) in any_case()) {
        let outcome = clear(mechanism, &round);
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
    fn load_does_not_depend_on_how_low_a_winner_asks((mechanism, round) in any_case()) {
        let outcome = clear(mechanism, &round);
        for seat in &outcome.winning_asks {
            let asks = round.asks().iter().copied().map(|mut entry| {
                if entry.seat == *seat {
                    entry.ask.cost = market_types::UnitCost::new(0);
                }
                entry
            });
            let cheaper = with_offers(&round, round.bids().to_vec(), asks.collect());
            prop_assert_eq!(&clear(mechanism, &cheaper), &outcome);
        }
    }

    #[test]
    fn the_condition_on_winning_provers_is_monotone(round in any_market()) {
        let inputs = Inputs::of(&round);
        let conditions: Vec<bool> = (0..inputs.asks.len()).map(|w| inputs.condition(w)).collect();
        prop_assert!(conditions.is_sorted_by(|fewer, more| fewer >= more), "{:?}", conditions);
    }

    #[test]
    fn a_round_clears_the_same_every_time((mechanism, round) in any_case()) {
        prop_assert_eq!(clear(mechanism, &round), clear(mechanism, &round.clone()));
    }

    /// Without ties, order of submission decides nothing but who proves what.
    #[test]
    fn without_ties_the_order_of_bids_changes_neither_winners_nor_prices(
        mechanism in prop::sample::select(Mechanism::ALL.to_vec()),
        (round, shuffled) in medium().prop_map(|round| without_ties(&round)).prop_flat_map(|round| {
            let order: Vec<usize> = (0..round.bids().len()).collect();
            (Just(round), Just(order).prop_shuffle())
        }),
    ) {
        let moved = shuffled.iter().map(|i| round.bids()[*i]).collect();
        let before = clear(mechanism, &round);
        let moved_round = with_offers(&round, moved, round.asks().to_vec());
        let after = clear(mechanism, &moved_round);
        prop_assert_eq!(
            (before.prices, before.units, &before.winning_asks),
            (after.prices, after.units, &after.winning_asks)
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

fn winning_fees(round: &Round, outcome: &Outcome) -> Vec<u64> {
    let mut fees: Vec<u64> =
        outcome.winning_bids.iter().map(|bid| round.bid(*bid).unwrap().fee.get()).collect();
    fees.sort_unstable();
    fees
}
