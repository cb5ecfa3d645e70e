//! `average-fee`: rounds that can be checked by hand, and the ends of the ranges.

use crate::markets::round;
use clearing::{
    BatchClaim, Certificate, Outcome, Prices, ProverClaim, UserPivot, certificate, clear,
    clear_with_certificate, verify,
};
use market_types::{AskIndex, BidIndex, Mechanism, Round, TaskSize, Ticks, UnitFee, UnitPrice, Units};

const AVERAGE_FEE: Mechanism = Mechanism::AverageFee;

/// Clears, checks that the certificate proves the same, and returns it.
fn certified(round: &Round) -> (Outcome, Certificate) {
    let outcome = clear(AVERAGE_FEE, round);
    let certificate = certificate(AVERAGE_FEE, round);
    assert_eq!(verify(AVERAGE_FEE, round, &certificate).as_ref(), Ok(&outcome));
    assert_eq!(clear_with_certificate(AVERAGE_FEE, round), (outcome.clone(), certificate));
    (outcome, certificate)
}

fn pivot(fee: u64, index: u32) -> UserPivot {
    UserPivot { fee: UnitPrice::new(fee), index }
}

fn claim(user_pivot: UserPivot, units: u64, revenue: u128, batch: (UserPivot, u64, u128)) -> Certificate {
    let batch = BatchClaim { pivot: batch.0, units: Units::new(batch.1), revenue: Ticks::new(batch.2) };
    let prover_side = ProverClaim::AverageFee { batch, revenue: Ticks::new(revenue) };
    Certificate { user_pivot, units: Units::new(units), prover_side }
}

fn indices(outcome: &Outcome) -> (Vec<u32>, Vec<u32>) {
    (
        outcome.winning_bids.iter().copied().map(BidIndex::get).collect(),
        outcome.winning_asks.iter().copied().map(AskIndex::get).collect(),
    )
}

fn revenue(outcome: &Outcome) -> u128 {
    match outcome.prices {
        Prices::AverageFee { revenue } => revenue.get(),
        Prices::Uniform { .. } => panic!("average-fee has no uniform prices"),
    }
}

const USERS: [(u64, u32); 5] = [(9, 4), (7, 3), (7, 2), (5, 5), (2, 6)];
const PROVERS: [(u64, u32); 4] = [(1, 5), (3, 4), (4, 6), (8, 9)];

#[test]
fn the_worked_example_of_the_mechanism() {
    let (outcome, certificate) = certified(&round(0, 10, 0, &USERS, &PROVERS));
    assert_eq!(indices(&outcome), (vec![0, 1, 2], vec![0, 1, 2]));
    assert_eq!((revenue(&outcome), outcome.units.get()), (71, 9));
    // Offsets 0, 4 and 7 of 9, scaled to 0, 6 and 11 of 15, against [0, 5), [5, 9) and [9, 15).
    let provers: Vec<u32> = outcome.assignment().map(|(_, ask)| ask.get()).collect();
    assert_eq!(provers, [0, 1, 2]);
    assert_eq!(certificate, claim(pivot(5, 3), 9, 71, (pivot(5, 3), 9, 71)));
}

#[test]
fn winners_pay_their_own_bids_and_share_them_rounded_down() {
    let (outcome, _) = certified(&round(0, 10, 0, &USERS, &PROVERS));
    let charges = USERS[..3].iter().map(|(fee, size)| {
        outcome.prices.charge(UnitFee::new(*fee).unwrap(), TaskSize::new(*size).unwrap()).get()
    });
    assert_eq!(charges.collect::<Vec<_>>(), [36, 21, 14]);
    // 71 * 4 / 9 = 31.6, 71 * 3 / 9 = 23.7, 71 * 2 / 9 = 15.8.
    let pays = USERS[..3]
        .iter()
        .map(|(_, size)| outcome.prices.pay_down(TaskSize::new(*size).unwrap(), outcome.units).get());
    assert_eq!(pays.collect::<Vec<_>>(), [31, 23, 15]);
}

#[test]
fn a_prover_that_asks_the_average_exactly_does_not_win() {
    // 4 units for 16 ticks.
    let (outcome, _) = certified(&round(0, 4, 0, &[(5, 2), (3, 2)], &[(4, 9), (3, 9)]));
    assert_eq!(indices(&outcome).1, [1]);
}

#[test]
fn too_few_provers_drop_the_lowest_bids_and_keep_their_places() {
    // The batch of 14 pays 96, 6.86 on average: only P, with 5 units, asks less. Of prefix(5) only A is left, and
    // its 9 per unit do not bring in Q, who asks 7.
    let (outcome, certificate) = certified(&round(0, 14, 0, &USERS, &[(1, 5), (7, 9)]));
    assert_eq!(indices(&outcome), (vec![0], vec![0]));
    assert_eq!((revenue(&outcome), outcome.units.get()), (36, 4));
    assert_eq!(certificate, claim(pivot(7, 1), 4, 36, (pivot(2, 4), 14, 96)));
}

#[test]
fn enough_provers_leave_the_batch_as_it_is_however_much_they_offer() {
    // K = 4 is what the batch needs; a bid of 3 would not fit it either.
    for capacity in [4, 5, 6, 7, 1_000] {
        let (outcome, certificate) = certified(&round(0, 6, 0, &[(5, 4), (3, 3)], &[(1, capacity)]));
        assert_eq!((revenue(&outcome), outcome.units.get()), (20, 4));
        assert_eq!(certificate, claim(pivot(3, 1), 4, 20, (pivot(3, 1), 4, 20)));
    }
}

#[test]
fn a_first_bid_too_large_for_the_winning_provers_is_no_trade() {
    let (outcome, certificate) = certified(&round(0, 9, 0, &[(9, 6), (8, 1)], &[(1, 5)]));
    assert_eq!(outcome, Outcome::no_trade(AVERAGE_FEE));
    let nobody_left_out = pivot(0, UserPivot::NOBODY_LEFT_OUT);
    assert_eq!(certificate, claim(pivot(9, 0), 0, 0, (nobody_left_out, 7, 62)));
}

#[test]
fn a_first_bid_above_the_cap_is_no_trade() {
    let (outcome, certificate) = certified(&round(0, 5, 0, &[(9, 6), (8, 1)], &[(0, 50)]));
    assert_eq!(outcome, Outcome::no_trade(AVERAGE_FEE));
    assert_eq!(certificate, claim(UserPivot::NOBODY_WINS, 0, 0, (pivot(9, 0), 0, 0)));
}

#[test]
fn nobody_below_the_average_is_no_trade_but_the_batch_is_still_claimed() {
    let (outcome, certificate) = certified(&round(0, 9, 4, &[(9, 2), (3, 1)], &[(9, 50), (12, 5)]));
    assert_eq!(outcome, Outcome::no_trade(AVERAGE_FEE));
    let at_reserve = pivot(4, UserPivot::NOBODY_LEFT_OUT);
    assert_eq!(certificate, claim(UserPivot::NOBODY_WINS, 0, 0, (at_reserve, 2, 18)));
}

#[test]
fn a_round_without_bids_or_without_asks_is_no_trade() {
    let at_reserve = pivot(2, UserPivot::NOBODY_LEFT_OUT);
    let (outcome, certificate) = certified(&round(3, 9, 2, &[], &[(0, 5)]));
    assert_eq!(outcome, Outcome::no_trade(AVERAGE_FEE));
    assert_eq!(certificate, claim(UserPivot::NOBODY_WINS, 0, 0, (at_reserve, 0, 0)));
    let (outcome, certificate) = certified(&round(3, 9, 2, &[(9, 5)], &[]));
    assert_eq!(outcome, Outcome::no_trade(AVERAGE_FEE));
    assert_eq!(certificate, claim(UserPivot::NOBODY_WINS, 0, 0, (at_reserve, 5, 45)));
}

#[test]
fn one_prover_alone_can_trade() {
    let (outcome, _) = certified(&round(0, 9, 0, &[(9, 5)], &[(1, 5)]));
    assert_eq!((revenue(&outcome), outcome.units.get()), (45, 5));
}

#[test]
fn the_ends_of_the_ranges_do_not_overflow() {
    let bids = vec![(u64::MAX, u32::MAX); 1_000];
    let asks = vec![(u64::MAX - 1, u32::MAX); 999];
    let (outcome, certificate) = certified(&round(u64::MAX, u64::MAX, u64::MAX, &bids, &asks));
    let task = u128::from(u64::MAX) * u128::from(u32::MAX);
    assert_eq!((revenue(&outcome), outcome.units.get()), (999 * task, 999 * u64::from(u32::MAX)));
    assert_eq!(outcome.winning_asks.len(), 999);
    let batch = (pivot(u64::MAX, UserPivot::NOBODY_LEFT_OUT), 1_000 * u64::from(u32::MAX), 1_000 * task);
    assert_eq!(certificate, claim(pivot(u64::MAX, 999), 999 * u64::from(u32::MAX), 999 * task, batch));
    assert_eq!(outcome.prices.pay_down(TaskSize::MAX, outcome.units).get(), task);
    // A revenue near 2^128: the product with a size does not fit, the share does.
    let most = u128::from(u64::MAX) * u128::from(u64::MAX);
    let prices = Prices::AverageFee { revenue: Ticks::new(most) };
    assert_eq!(prices.pay_down(TaskSize::MAX, Units::MAX).get(), task);
}
