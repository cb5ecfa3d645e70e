//! The contract accepts the crate's certificate for every round, and no other.
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

use alloy::primitives::{Address, Bytes, U256};
use alloy::sol_types::SolEvent;
use bindings::ProverMarket::{self, Page, PageSettled, ProverMarketErrors};
use chain::commitments::BidWord;
use clearing::{Outcome, Prices, clear_with_certificate};
use differential::{
    auditor::{Auditor, claimed},
    evm::Refused,
    pages::{alone, assignment_root, cuts, lots, words},
    random::{self, Shape},
    settings::{on_every_core, setting},
    staged::{Staged, held_by_a_market, on_chain, settler},
    wrong,
};
use market_types::{Mechanism, Round, RoundFile, Ticks};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::atomic::{AtomicU64, Ordering};

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

/// Lets the contract's auditor check the crate's certificate in pages that begin at the entries `cuts`, and compares everything that it
/// says.
fn audited(
    auditor: &mut Auditor,
    mechanism: Mechanism,
    round: &Round,
    words: &[BidWord],
    outcome: &Outcome,
    cuts: &[usize],
) {
    let (_, certificate) = clear_with_certificate(mechanism, round);
    let right = on_chain(&certificate);
    let pages = claimed(round, words, &right, cuts);
    let verdict = auditor
        .audit_pages(mechanism, round, words, &right, &pages)
        .unwrap_or_else(|refused| panic!("{mechanism}: {refused:?} for {certificate:?} of {round:?}"));
    let decided = chain::Outcome::from_slot(verdict.outcome).unwrap().unwrap();
    assert_eq!((decided.mechanism, decided.prices()), (mechanism, outcome.prices));
    assert_eq!((decided.pivot, decided.units), (certificate.user_pivot, outcome.units));
    let won = round.indexed_bids().filter(|(index, bid)| decided.wins(bid.fee, *index));
    assert_eq!(won.map(|(index, _)| index).collect::<Vec<_>>(), outcome.winning_bids);
    let (revenue, dust) = revenue_and_dust(round, outcome);
    assert_eq!(verdict.dust, U256::from(dust), "dust of {round:?}");
    assert_eq!(verdict.assignmentRoot, assignment_root(words, outcome, cuts), "assignment of {round:?}");
    if outcome.is_trade() {
        assert_eq!(decided.revenue.get(), revenue);
        let mut seats: Vec<u32> = verdict.seats.iter().map(|seat| u32::from(*seat)).collect();
        seats.sort_unstable();
        assert_eq!(seats, outcome.winning_asks.iter().map(|seat| seat.get()).collect::<Vec<_>>());
    }
    for (seat, load) in verdict.seats.iter().zip(&verdict.loads) {
        let tasks = outcome.assignment().filter(|(_, prover)| prover.get() == u32::from(*seat));
        let units: u64 = tasks.map(|(bid, _)| u64::from(round.bid(bid).unwrap().size.get())).sum();
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

/// Settles the round in a market of its own, with lots where it has some and in random pages, and compares what the market says
/// about it.
fn settled(
    mechanism: Mechanism,
    round: Round,
    rng: &mut impl Rng,
    before: impl FnOnce(&mut Staged),
) -> Outcome {
    let (outcome, certificate) = clear_with_certificate(mechanism, &round);
    let (revenue, dust) = revenue_and_dust(&round, &outcome);
    let lots = lots(&round, rng);
    let mut staged = Staged::new(mechanism, round, &lots);
    before(&mut staged);
    let cuts = cuts(staged.words.len(), rng);
    let settled = if cuts.len() == 1 {
        staged.settle(on_chain(&certificate))
    } else {
        staged.settle_in_pages(&on_chain(&certificate), &cuts).0
    };
    assert_eq!(settled.assignmentRoot, assignment_root(&staged.words, &outcome, &cuts), "assignments differ");
    assert_eq!(settled.certificate.units, outcome.units.get());
    let said = chain::round::certificate_from_abi(mechanism, &settled.certificate);
    assert_eq!(said, certificate);
    if outcome.is_trade() {
        assert_eq!(settled.revenue, U256::from(revenue), "revenues differ");
    }
    let surplus = staged.view(&ProverMarket::surplusOfCall { id: staged.id });
    assert_eq!(surplus, U256::from(dust), "dust");
    assert_eq!(settled.shares.len(), cuts.len());
    for share in &settled.shares {
        let (settler, bids) = (Address::from_word((*share >> 64_usize).into()), share.as_limbs()[0]);
        let held = staged.view(&ProverMarket::availableOfCall { id: staged.id, account: settler });
        assert_eq!(held, U256::from(3 * bids), "what {settler} was credited");
    }
    let bids: u64 = settled.shares.iter().map(|share| share.as_limbs()[0]).sum();
    assert_eq!(bids, u64::try_from(staged.round.bids().len()).unwrap());
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
            audited(&mut auditor, mechanism, round, &words(round, &alone(round)), &outcome, &[0]);
            ran += 1;
            trades += usize::from(outcome.is_trade());
        }
    }
    assert_eq!((ran, trades), (480, 157 + 195));
}

#[test]
fn auditor_accepts_the_certificate_and_rejects_every_mutation() {
    let shapes = [Shape::Tiny, Shape::Tiny, Shape::Ordinary, Shape::Ties, Shape::Extreme, Shape::Sparse];
    let wanted = setting("PROOPHI_DIFFERENTIAL_CERTIFICATES").unwrap_or(60_000) / 2;
    let mut auditor = Auditor::default();
    for mechanism in Mechanism::ALL {
        let (mut traded, mut certificates, mut others) = ([0_usize; 6], 0_u64, 0_u64);
        for seed in 0.. {
            if certificates >= wanted && seed >= 1_000 {
                break;
            }
            let rng = &mut ChaCha8Rng::seed_from_u64(seed);
            let kind = usize::try_from(seed).unwrap() % shapes.len();
            let round = random::round(rng, shapes[kind]);
            let (outcome, certificate) = clear_with_certificate(mechanism, &round);
            let (right, bids) = (on_chain(&certificate), words(&round, &lots(&round, rng)));
            audited(&mut auditor, mechanism, &round, &bids, &outcome, &[0]);
            let cuts = cuts(bids.len(), rng);
            audited(&mut auditor, mechanism, &round, &bids, &outcome, &cuts);
            for wrong in wrong::certificates(mechanism, &round, &right, rng) {
                match auditor.audit(mechanism, &round, &bids, &wrong, &bids) {
                    Err(Refused::Market(_)) => certificates += 1,
                    other => panic!("seed {seed}: {other:?} for {wrong:?}, right is {right:?} in {round:?}"),
                }
            }
            if !bids.is_empty() {
                for wrong in wrong::bids(&bids, rng) {
                    match auditor.audit(mechanism, &round, &bids, &right, &wrong) {
                        Err(Refused::Market(_)) => others += 1,
                        other => panic!("seed {seed}: other bids were answered with {other:?}"),
                    }
                }
            }
            traded[kind] += usize::from(outcome.is_trade());
        }
        println!(
            "{mechanism}: traded {traded:?}, refused {certificates} certificates, {others} lists of bids"
        );
        // The last shape has a side with one participant or none, which mostly leaves nothing to trade.
        assert!(traded.iter().take(5).all(|trades| *trades >= 10), "a shape hardly trades: {traded:?}");
        assert!(certificates >= wanted && certificates + others >= 50_000);
    }
}

/// Many small rounds, each by both mechanisms.
#[test]
fn auditor_agrees_with_the_crate_on_random_rounds() {
    let wanted = setting("PROOPHI_DIFFERENTIAL_CLEARED").unwrap_or(1_000);
    let (ran, trades) = (AtomicU64::new(0), AtomicU64::new(0));
    on_every_core(|seed| {
        let mut auditor = Auditor::default();
        let rng = &mut ChaCha8Rng::seed_from_u64(1_000_000 + seed);
        for number in 0..100 {
            let shape = match number {
                0..2 => Shape::Ordinary,
                2..8 => Shape::Extreme,
                8..16 => Shape::Ties,
                16..24 => Shape::Sparse,
                _ => Shape::Tiny,
            };
            let round = random::round(rng, shape);
            let bids = words(&round, &lots(&round, rng));
            for mechanism in Mechanism::ALL {
                let outcome = clearing::clear(mechanism, &round);
                audited(&mut auditor, mechanism, &round, &bids, &outcome, &[0]);
                trades.fetch_add(u64::from(outcome.is_trade()), Ordering::Relaxed);
            }
        }
        ran.fetch_add(100, Ordering::Relaxed) + 100 < wanted
    });
    let (ran, trades) = (ran.into_inner(), trades.into_inner());
    println!("agreed: {ran} rounds, each by both mechanisms; {trades} trades");
    assert!(ran >= wanted && trades * 3 >= wanted);
}

/// Pages of wrong certificates may each be right by themselves: then the last one is refused.
#[test]
fn auditor_rejects_every_mutation_of_pages_and_of_certificates_in_pages() {
    let shapes = [Shape::Tiny, Shape::Tiny, Shape::Ordinary, Shape::Ties, Shape::Extreme];
    let mut auditor = Auditor::default();
    for mechanism in Mechanism::ALL {
        let (mut certificates, mut pages) = (0_usize, 0_usize);
        for seed in 50_000..50_150_u64 {
            let rng = &mut ChaCha8Rng::seed_from_u64(seed);
            let round = random::round(rng, shapes[usize::try_from(seed).unwrap() % shapes.len()]);
            let bids = words(&round, &lots(&round, rng));
            if bids.is_empty() {
                continue;
            }
            let (_, certificate) = clear_with_certificate(mechanism, &round);
            let right = on_chain(&certificate);
            let cuts = cuts(bids.len(), rng);
            for wrong in wrong::certificates(mechanism, &round, &right, rng) {
                let claim = claimed(&round, &bids, &wrong, &cuts);
                match auditor.audit_pages(mechanism, &round, &bids, &wrong, &claim) {
                    Err(Refused::Market(_)) => certificates += 1,
                    other => panic!("seed {seed}: {other:?} for {wrong:?}, right is {right:?} in {round:?}"),
                }
            }
            for wrong in wrong::pages(&claimed(&round, &bids, &right, &cuts), rng) {
                match auditor.audit_pages(mechanism, &round, &bids, &right, &wrong) {
                    Err(Refused::Market(_) | Refused::Unfinished) => pages += 1,
                    other => panic!("seed {seed}: {other:?} for {wrong:?} of {round:?} cut at {cuts:?}"),
                }
            }
        }
        println!("{mechanism}: rejected {certificates} certificates, {pages} pages");
        assert!(certificates >= 7_000 && pages >= 2_500);
    }
}

#[test]
fn market_goes_on_only_from_what_a_settler_left() {
    let mut refused = 0;
    for seed in 60_000..60_040_u64 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let mechanism = Mechanism::ALL[usize::try_from(seed % 2).unwrap()];
        let round = held_by_a_market(&random::round(rng, Shape::Ordinary)).expect("a market's round");
        let right = on_chain(&clear_with_certificate(mechanism, &round).1);
        let lots = lots(&round, rng);
        let mut staged = Staged::new(mechanism, round, &lots);
        let end = staged.words.len();
        if end < 3 {
            continue;
        }
        let cut = rng.random_range(1..end);
        let done = staged.settle_page(settler(0), &right, (cut, end), None).unwrap();
        let before = done.logs.iter().find_map(|log| PageSettled::decode_log(log).ok()).unwrap().data;
        let page = staged.page(&right, (0, cut), Some(&before));
        let mut forged = page.progress.to_vec();
        let at = rng.random_range(0..forged.len());
        forged[at] ^= 1;
        let others = [
            Page { progress: forged.into(), ..page.clone() },
            Page { progress: Bytes::new(), ..page.clone() },
            Page { settler: settler(1), ..page.clone() },
            Page { shares: vec![], ..page.clone() },
            Page { shares: vec![before.shares[0] + U256::from(1)], ..page.clone() },
            Page { shares: vec![before.shares[0], U256::from(0)], ..page.clone() },
            Page { shares: vec![before.shares[0] ^ (U256::from(1) << 64)], ..page.clone() },
        ];
        for other in others {
            match staged.try_page(settler(1), &right, other) {
                Err(Refused::Market(error)) => {
                    assert!(matches!(*error, ProverMarketErrors::WrongProgress(_)), "{error:?}");
                    refused += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        // What was left under one certificate is nothing under another.
        let other = ProverMarket::Certificate { units: right.units ^ 1, ..right.clone() };
        assert!(staged.try_page(settler(1), &other, page.clone()).is_err());
        // Whoever begins anew takes nothing from anybody else, and what was left is good for one settlement.
        staged.settle_page(settler(1), &right, (cut, end), None).unwrap();
        staged.try_page(settler(2), &right, page.clone()).unwrap();
        let again = staged.try_page(settler(2), &right, page);
        assert!(matches!(again, Err(Refused::Market(error))
            if matches!(*error, ProverMarketErrors::RoundSettledAlready(_))));
    }
    assert!(refused >= 200, "{refused}");
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
            let rng = &mut ChaCha8Rng::seed_from_u64(ran);
            trades += usize::from(settled(mechanism, round, rng, |_| ()).is_trade());
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
        traded += usize::from(settled(mechanism, round, rng, |staged| staged.meddle(growing)).is_trade());
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
            trades += usize::from(settled(mechanism, round, rng, |_| ()).is_trade());
        }
        assert!(trades >= 3, "only {trades} large rounds traded");
    }
}
