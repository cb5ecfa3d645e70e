//! The contract accepts the crate's certificate for every round, and no other.
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

use alloy::primitives::U256;
use bindings::ProverMarket;
use clearing::{Outcome, Prices, clear_with_certificate};
use differential::{
    auditor::{Auditor, words},
    evm::Refused,
    random::{self, Shape},
    staged::{Staged, assignment_root, held_by_a_market, on_chain},
    wrong,
};
use market_types::{Mechanism, Round, RoundFile, Ticks};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const VECTORS: &str = include_str!("../../vectors/clearing.json");

/// What all deliveries of a round are paid together, and what rounding leaves of it.
fn revenue_and_dust(round: &Round, outcome: &Outcome) -> (u128, u128) {
    let revenue = match outcome.prices {
        Prices::Uniform { prover_price, .. } => {
            u128::from(prover_price.get()) * u128::from(outcome.units.get())
        }
        Prices::AverageFee { revenue } => revenue.get(),
    };
    let paid = outcome.winning_bids.iter().fold(Ticks::ZERO, |sum, index| {
        let size = round.bid(*index).expect("a bid of the round").size;
        sum.saturating_add(outcome.prices.pay_down(size, outcome.units))
    });
    (revenue, revenue - paid.get())
}

/// Lets the contract's auditor check the crate's certificate, and compares everything that it says.
fn audited(auditor: &mut Auditor, mechanism: Mechanism, round: &Round, outcome: &Outcome) {
    let (_, certificate) = clear_with_certificate(mechanism, round);
    let words = words(round);
    let verdict = auditor
        .audit(mechanism, round, &on_chain(&certificate), &words)
        .unwrap_or_else(|refused| panic!("{mechanism}: {refused:?} for {certificate:?} of {round:?}"));
    let decided = chain::Outcome::from_slot(verdict.outcome).unwrap().unwrap();
    assert_eq!((decided.mechanism, decided.prices()), (mechanism, outcome.prices));
    assert_eq!((decided.pivot, decided.units), (certificate.user_pivot, outcome.units));
    let won = round.indexed_bids().filter(|(index, bid)| decided.wins(bid.fee, *index));
    assert_eq!(won.map(|(index, _)| index).collect::<Vec<_>>(), outcome.winning_bids);
    let (revenue, dust) = revenue_and_dust(round, outcome);
    assert_eq!(verdict.dust, U256::from(dust), "dust of {round:?}");
    assert_eq!(verdict.assignmentRoot, assignment_root(&words, outcome), "assignment of {round:?}");
    if outcome.is_trade() {
        assert_eq!(decided.revenue.get(), revenue);
        let mut seats: Vec<u32> = verdict.seats.iter().map(|seat| u32::from(*seat)).collect();
        seats.sort_unstable();
        assert_eq!(seats, outcome.winning_asks.iter().map(|seat| seat.get()).collect::<Vec<_>>());
    }
    for (seat, load) in verdict.seats.iter().zip(&verdict.loads) {
        let tasks = outcome.assignment.iter().filter(|(_, prover)| prover.get() == u32::from(*seat));
        let units: u64 = tasks.map(|(bid, _)| u64::from(round.bid(*bid).unwrap().size.get())).sum();
        assert_eq!(*load, U256::from(units), "load of seat {seat}");
    }
    let (_, signal) = clearing::verify_with_signal(mechanism, round, &certificate).unwrap();
    let said = &verdict.signal;
    assert_eq!(said.units, U256::from(signal.units.get()));
    assert_eq!(said.capacity, U256::from(signal.capacity.get()), "{mechanism} {round:?}");
    assert_eq!(said.pivotFee, U256::from(signal.pivot.fee.get()));
    assert_eq!(said.pivotIndex, U256::from(signal.pivot.index));
    assert_eq!(said.capBinds, signal.cap_binds, "{mechanism} {round:?}");
}

/// Settles the round in a market of its own, and compares what the market says about it.
fn settled(mechanism: Mechanism, round: Round, before: impl FnOnce(&mut Staged)) -> Outcome {
    let (outcome, certificate) = clear_with_certificate(mechanism, &round);
    let (revenue, dust) = revenue_and_dust(&round, &outcome);
    let mut staged = Staged::new(mechanism, round);
    before(&mut staged);
    let settled = staged.settle(on_chain(&certificate));
    assert_eq!(settled.assignmentRoot, assignment_root(&staged.words, &outcome), "assignments differ");
    assert_eq!(settled.certificate.units, outcome.units.get());
    let said = chain::round::certificate_from_abi(mechanism, &settled.certificate);
    assert_eq!(said, certificate);
    if outcome.is_trade() {
        assert_eq!(settled.revenue, U256::from(revenue), "revenues differ");
    }
    let surplus = staged.view(&ProverMarket::surplusOfCall { id: staged.id });
    assert_eq!(surplus, U256::from(dust), "dust");
    outcome
}

#[test]
fn auditor_accepts_every_vector_of_both_mechanisms() {
    let file: RoundFile = serde_json::from_str(VECTORS).unwrap();
    let records: Vec<serde_json::Value> = serde_json::from_str(VECTORS).unwrap();
    let mut auditor = Auditor::default();
    let (mut ran, mut trades) = (0, 0);
    for (round, record) in file.rounds().iter().zip(&records) {
        for (mechanism, part) in [(Mechanism::Core, "core"), (Mechanism::AverageFee, "average_fee")] {
            let outcome: Outcome = serde_json::from_value(record[part].clone()).unwrap();
            audited(&mut auditor, mechanism, round, &outcome);
            ran += 1;
            trades += usize::from(outcome.is_trade());
        }
    }
    assert_eq!((ran, trades), (480, 157 + 195));
}

#[test]
fn auditor_accepts_the_certificate_and_rejects_every_mutation() {
    let shapes = [Shape::Tiny, Shape::Tiny, Shape::Ordinary, Shape::Ties, Shape::Extreme, Shape::Sparse];
    let mut auditor = Auditor::default();
    for mechanism in Mechanism::ALL {
        let (mut traded, mut rejected) = ([0_usize; 6], 0_usize);
        for seed in 0..1_000_u64 {
            let rng = &mut ChaCha8Rng::seed_from_u64(seed);
            let kind = usize::try_from(seed).unwrap() % shapes.len();
            let round = random::round(rng, shapes[kind]);
            let (outcome, certificate) = clear_with_certificate(mechanism, &round);
            let (right, bids) = (on_chain(&certificate), words(&round));
            audited(&mut auditor, mechanism, &round, &outcome);
            for wrong in wrong::certificates(mechanism, &round, &right, rng) {
                match auditor.audit(mechanism, &round, &wrong, &bids) {
                    Err(Refused::Market(_)) => rejected += 1,
                    other => panic!("seed {seed}: {other:?} for {wrong:?}, right is {right:?} in {round:?}"),
                }
            }
            if !bids.is_empty() {
                for wrong in wrong::bids(&bids, rng) {
                    match auditor.audit(mechanism, &round, &right, &wrong) {
                        Err(Refused::Market(_)) => rejected += 1,
                        other => panic!("seed {seed}: other bids were answered with {other:?}"),
                    }
                }
            }
            traded[kind] += usize::from(outcome.is_trade());
        }
        println!("{mechanism}: traded {traded:?}, rejected {rejected}");
        // The last shape has a side with one participant or none, which mostly leaves nothing to trade.
        assert!(traded.iter().take(5).all(|trades| *trades >= 10), "a shape hardly trades: {traded:?}");
        assert!(rejected >= 50_000);
    }
}

#[test]
fn market_settles_rounds_of_both_mechanisms_from_its_own_book() {
    let file: RoundFile = serde_json::from_str(VECTORS).unwrap();
    let shapes = [Shape::Tiny, Shape::Ordinary, Shape::Ties, Shape::Extreme, Shape::Sparse];
    let random = (0..250_u64).map(|seed| {
        let rng = &mut ChaCha8Rng::seed_from_u64(30_000 + seed);
        random::round(rng, shapes[usize::try_from(seed).unwrap() % shapes.len()])
    });
    let rounds: Vec<Round> = file.into_rounds().into_iter().chain(random).collect();
    for mechanism in Mechanism::ALL {
        let (mut ran, mut trades) = (0, 0);
        for round in rounds.iter().filter_map(held_by_a_market).filter(|round| !round.bids().is_empty()) {
            trades += usize::from(settled(mechanism, round, |_| ()).is_trade());
            ran += 1;
        }
        println!("{mechanism}: {ran} rounds settled, {trades} of them with a trade");
        assert!(ran >= 350 && trades >= 200);
    }
}

/// Settles rounds after everybody has done what can be done between their close and their settlement.
fn settled_after_meddling(growing: bool) {
    let mut traded = 0;
    for seed in 10_000..10_150_u64 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let shape = if seed % 2 == 0 { Shape::Tiny } else { Shape::Ordinary };
        let Some(round) = held_by_a_market(&random::round(rng, shape)) else { continue };
        if round.bids().is_empty() || round.number().get() < 2 {
            continue;
        }
        let mechanism = Mechanism::ALL[usize::try_from(seed / 2 % 2).unwrap()];
        traded += usize::from(settled(mechanism, round, |staged| staged.meddle(growing)).is_trade());
    }
    assert!(traded >= 40, "only {traded} rounds traded");
}

#[test]
fn nothing_after_the_close_changes_what_is_accepted() {
    settled_after_meddling(false);
}

#[test]
fn capacity_that_grows_after_the_close_changes_nothing_for_the_closed_round() {
    settled_after_meddling(true);
}

#[test]
fn market_settles_a_thousand_bids() {
    for mechanism in Mechanism::ALL {
        let mut trades = 0;
        for seed in 20_000..20_006_u64 {
            let rng = &mut ChaCha8Rng::seed_from_u64(seed);
            let round = held_by_a_market(&random::round(rng, Shape::Large(1_000))).expect("a market's round");
            trades += usize::from(settled(mechanism, round, |_| ()).is_trade());
        }
        assert!(trades >= 3, "only {trades} large rounds traded");
    }
}
