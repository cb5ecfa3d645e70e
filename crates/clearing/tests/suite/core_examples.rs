//! `core`: rounds that can be checked by hand, and the ends of the ranges.

use crate::markets::round;
use clearing::{
    Certificate, Outcome, Prices, ProverClaim, UserPivot, certificate, clear, clear_with_certificate, verify,
};
use market_types::{AskIndex, BidIndex, Mechanism, Round, UnitPrice, Units};

const CORE: Mechanism = Mechanism::Core;

fn pivot(fee: u64, index: u32) -> UserPivot {
    UserPivot { fee: UnitPrice::new(fee), index }
}

/// Clears, checks that the certificate proves the same, and returns it.
fn certified(round: &Round) -> (Outcome, Certificate) {
    let outcome = clear(CORE, round);
    let certificate = certificate(CORE, round);
    assert_eq!(verify(CORE, round, &certificate).as_ref(), Ok(&outcome));
    assert_eq!(clear_with_certificate(CORE, round), (outcome.clone(), certificate));
    (outcome, certificate)
}

/// User price and prover price.
fn prices(outcome: &Outcome) -> (u64, u64) {
    match outcome.prices {
        Prices::Uniform { user_price, prover_price } => (user_price.get(), prover_price.get()),
        Prices::AverageFee { .. } => panic!("core has uniform prices"),
    }
}

/// Seat of the first prover left out.
fn pivot_ask(certificate: &Certificate) -> Option<u32> {
    match certificate.prover_side {
        ProverClaim::Core { pivot_ask } => pivot_ask.map(AskIndex::get),
        ProverClaim::AverageFee { .. } => panic!("core names a pivot ask"),
    }
}

fn bids(outcome: &Outcome) -> Vec<u32> {
    outcome.winning_bids.iter().copied().map(BidIndex::get).collect()
}

#[test]
fn the_worked_example_of_the_mechanism() {
    let users = [(9, 4), (7, 3), (7, 2), (5, 5), (2, 6)];
    let round = round(0, 100, 0, &users, &[(1, 5), (3, 4), (4, 6), (8, 9)]);
    let (outcome, certificate) = certified(&round);
    assert_eq!(bids(&outcome), [0, 1, 2]);
    assert_eq!(outcome.winning_asks, [AskIndex::new(0), AskIndex::new(1)]);
    assert_eq!((prices(&outcome), outcome.units.get()), ((5, 4), 9));
    // Offsets 0, 4 and 7 in a batch of 9 against the intervals [0, 5) and [5, 9).
    let provers: Vec<u32> = outcome.assignment().map(|(_, ask)| ask.get()).collect();
    assert_eq!(provers, [0, 0, 1]);
    let prover_side = ProverClaim::Core { pivot_ask: Some(AskIndex::new(2)) };
    assert_eq!(certificate, Certificate { user_pivot: pivot(5, 3), units: Units::new(9), prover_side });
}

#[test]
fn the_round_number_rotates_the_assignment() {
    let users = [(9, 4), (7, 3), (7, 2), (5, 5), (2, 6)];
    let (outcome, _) = certified(&round(7, 100, 0, &users, &[(1, 5), (3, 4), (4, 6), (8, 9)]));
    // 7 mod 2 = 1: the walk is Q with [0, 4), then P with [4, 9).
    let provers: Vec<u32> = outcome.assignment().map(|(_, ask)| ask.get()).collect();
    assert_eq!(provers, [1, 0, 0]);
}

#[test]
fn user_price_is_first_bid_left_out_even_if_a_smaller_one_would_fit() {
    let (outcome, certificate) = certified(&round(0, 100, 0, &[(9, 4), (8, 5), (7, 1)], &[(1, 6), (2, 9)]));
    assert_eq!(bids(&outcome), [0]);
    assert_eq!(certificate.user_pivot, pivot(8, 1));
    assert_eq!(prices(&outcome).0, 8);
}

#[test]
fn equal_fees_are_taken_in_order_of_submission() {
    let (outcome, certificate) = certified(&round(0, 100, 0, &[(5, 2), (5, 2), (5, 2)], &[(1, 4), (2, 9)]));
    assert_eq!(bids(&outcome), [0, 1]);
    assert_eq!(certificate.user_pivot, pivot(5, 2));
    assert_eq!(prices(&outcome).0, 5);
}

#[test]
fn equal_costs_win_in_seat_order_and_pay_the_tied_cost() {
    let (outcome, certificate) = certified(&round(0, 100, 0, &[(5, 4), (5, 4)], &[(3, 5), (3, 5)]));
    assert_eq!(outcome.winning_asks, [AskIndex::new(0)]);
    assert_eq!(pivot_ask(&certificate), Some(1));
    assert_eq!(prices(&outcome).1, 3);
}

#[test]
fn user_price_is_the_reserve_when_nobody_is_left_out() {
    let (outcome, certificate) = certified(&round(0, 100, 4, &[(9, 2), (4, 1), (3, 8)], &[(1, 5), (4, 5)]));
    assert_eq!(bids(&outcome), [0, 1]);
    assert_eq!(prices(&outcome), (4, 4));
    assert_eq!(certificate.user_pivot, pivot(4, UserPivot::NOBODY_LEFT_OUT));
}

#[test]
fn the_cap_holds_provers_back() {
    let (outcome, certificate) =
        certified(&round(0, 9, 0, &[(9, 5), (9, 4), (9, 6)], &[(1, 5), (1, 5), (1, 5)]));
    assert_eq!(outcome.units.get(), 5);
    assert_eq!(pivot_ask(&certificate), Some(1));
}

#[test]
fn a_round_without_asks_is_no_trade() {
    let (outcome, certificate) = certified(&round(3, 9, 0, &[(9, 5)], &[]));
    assert_eq!(outcome, Outcome::no_trade(CORE));
    let prover_side = ProverClaim::Core { pivot_ask: None };
    let nobody = Certificate { user_pivot: UserPivot::NOBODY_WINS, units: Units::ZERO, prover_side };
    assert_eq!(certificate, nobody);
}

#[test]
fn a_round_without_bids_is_no_trade_with_and_without_a_reserve() {
    let asks = [(3, 5), (1, 5), (2, 5)];
    let (outcome, certificate) = certified(&round(3, 9, 0, &[], &asks));
    assert_eq!(outcome, Outcome::no_trade(CORE));
    assert_eq!((pivot_ask(&certificate), certificate.user_pivot), (Some(1), UserPivot::NOBODY_WINS));

    // The reserve buys from one prover, but no user is there to win.
    let (outcome, certificate) = certified(&round(3, 9, 2, &[], &asks));
    assert_eq!(outcome, Outcome::no_trade(CORE));
    let at_reserve = pivot(2, UserPivot::NOBODY_LEFT_OUT);
    assert_eq!((pivot_ask(&certificate), certificate.user_pivot), (Some(2), at_reserve));
}

#[test]
fn one_prover_alone_cannot_trade() {
    let (outcome, certificate) = certified(&round(0, 9, 0, &[(9, 5)], &[(1, 5)]));
    assert_eq!(outcome, Outcome::no_trade(CORE));
    assert_eq!(pivot_ask(&certificate), Some(0));
}

#[test]
fn a_first_bid_too_large_for_the_winning_provers_is_no_trade() {
    let (outcome, certificate) = certified(&round(0, 100, 0, &[(9, 6), (8, 1)], &[(1, 5), (2, 50)]));
    assert_eq!(outcome, Outcome::no_trade(CORE));
    assert_eq!((pivot_ask(&certificate), certificate.user_pivot), (Some(1), pivot(9, 0)));
}

#[test]
fn no_trade_below_the_cheapest_cost() {
    let (outcome, certificate) = certified(&round(0, 100, 0, &[(4, 6)], &[(5, 5), (5, 50)]));
    assert_eq!(outcome, Outcome::no_trade(CORE));
    assert_eq!((pivot_ask(&certificate), certificate.user_pivot), (Some(0), UserPivot::NOBODY_WINS));
}

#[test]
fn a_real_bid_at_the_point_of_nobody_wins_can_be_the_pivot() {
    let (outcome, certificate) = certified(&round(0, 100, 0, &[(u64::MAX, 6)], &[(1, 5), (2, 50)]));
    assert_eq!(outcome, Outcome::no_trade(CORE));
    assert_eq!((pivot_ask(&certificate), certificate.user_pivot), (Some(1), UserPivot::NOBODY_WINS));
}

#[test]
fn the_ends_of_the_ranges_do_not_overflow() {
    let bids = vec![(u64::MAX, u32::MAX); 1_000];
    let asks = vec![(u64::MAX, u32::MAX); 1_000];
    let (outcome, certificate) = certified(&round(u64::MAX, u64::MAX, u64::MAX, &bids, &asks));
    assert_eq!(outcome.winning_bids.len(), 999);
    assert_eq!(outcome.winning_asks.len(), 999);
    assert_eq!(outcome.units.get(), 999 * u64::from(u32::MAX));
    assert_eq!(certificate.user_pivot, pivot(u64::MAX, 999));
    // Equal sizes and capacities: one task each, from winner number (2^64 - 1) mod 999 on.
    let first = u32::try_from(u64::MAX % 999).unwrap();
    for (place, (bid, ask)) in (0..999).zip(outcome.assignment()) {
        assert_eq!((bid.get(), ask.get()), (place, (first + place) % 999));
    }
}

#[test]
fn a_thousand_unequal_bids_fill_the_provers_in_proportion() {
    let bids: Vec<(u64, u32)> = (0..1_000).map(|i| (1_000 + u64::from(i * 7 % 1_000), 1 + i % 5)).collect();
    let (outcome, _) =
        certified(&round(5, 10_000, 0, &bids, &[(10, 300), (11, 600), (12, 100), (13, 900), (14, 4_000)]));
    assert_eq!(outcome.winning_asks.len(), 4);
    assert!((1_896..=1_900).contains(&outcome.units.get()), "{}", outcome.units);
    assert_eq!(outcome.winning_bids.len(), outcome.assignment().count());
}
