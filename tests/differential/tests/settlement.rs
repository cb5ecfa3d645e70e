//! The contract accepts the crate's certificate for every round, and no other.

use alloy::primitives::{B256, U256};
use chain::commitments::BidWord;
use clearing::{CoreOutcome, clear_with_certificate};
use differential::{
    evm::Refused,
    random::{self, Shape},
    staged::{OnChain, Staged, assignment_root, fits, nobody_wins, on_chain},
};
use market_types::{Round, RoundFile};
use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

/// Settles the round with the crate's certificate and compares everything that the contract says about it.
fn agree(round: Round) -> (CoreOutcome, Staged) {
    let (outcome, certificate) = clear_with_certificate(&round);
    let mut staged = Staged::new(round);
    let settled = staged.settle(on_chain(&certificate));
    assert_eq!(settled.assignmentRoot, assignment_root(&staged.words, &outcome), "assignments differ");
    assert_eq!(settled.certificate.units, outcome.units.get());
    if outcome.is_trade() {
        assert_eq!(settled.certificate.pivotFee, outcome.user_price.get(), "user prices differ");
        assert_eq!(settled.proverPrice, U256::from(outcome.prover_price.get()), "prover prices differ");
        let mut seats: Vec<u32> = settled.winners.iter().map(|winner| u32::from(winner.byte(0))).collect();
        seats.sort_unstable();
        let expected: Vec<u32> = outcome.winning_asks.iter().map(|seat| seat.get()).collect();
        assert_eq!(seats, expected, "winning provers differ");
    }
    (outcome, staged)
}

/// Every other certificate next to the right one. `exact` are the fields of which any other value is wrong.
fn mutations(right: &OnChain, staged: &Staged, rng: &mut impl Rng) -> Vec<OnChain> {
    let mut all = Vec::new();
    let seats = staged.round.asks().last().map_or(0, |last| last.seat.get() + 1);
    for seat in (0..=u8::MAX).filter(|seat| u32::from(*seat) <= seats || [200, u8::MAX].contains(seat)) {
        all.push(OnChain { pivotSeat: seat, ..right.clone() });
    }
    for fee in [
        0,
        1,
        right.pivotFee.wrapping_sub(1),
        right.pivotFee.wrapping_add(1),
        staged.round.reserve().get(),
        u64::MAX,
    ] {
        all.push(OnChain { pivotFee: fee, ..right.clone() });
    }
    for index in [0, right.pivotIndex.wrapping_sub(1), right.pivotIndex.wrapping_add(1), u32::MAX] {
        all.push(OnChain { pivotIndex: index, ..right.clone() });
    }
    for units in [0, right.units.wrapping_sub(1), right.units.wrapping_add(1), rng.random(), u64::MAX] {
        all.push(OnChain { units, ..right.clone() });
    }
    // Another bid as the pivot, with the units that would follow from it.
    for (index, bid) in staged.round.indexed_bids() {
        let before = staged
            .round
            .indexed_bids()
            .filter(|(other, b)| (std::cmp::Reverse(b.fee), *other) < (std::cmp::Reverse(bid.fee), index));
        let units = before.map(|(_, b)| u64::from(b.size.get())).sum();
        all.push(OnChain { pivotFee: bid.fee.get(), pivotIndex: index.get(), units, ..right.clone() });
    }
    // The pivots that are no bid, with the units that would follow from them.
    let reserve = staged.round.reserve().get();
    let eligible = staged
        .round
        .bids()
        .iter()
        .filter(|bid| bid.fee.get() >= reserve)
        .map(|bid| u64::from(bid.size.get()))
        .sum();
    all.push(OnChain { pivotFee: reserve, pivotIndex: u32::MAX, units: eligible, ..right.clone() });
    all.push(OnChain { pivotFee: u64::MAX, pivotIndex: 0, units: 0, ..right.clone() });
    all.retain(|candidate| candidate != right);
    all
}

/// The bids, each way that a relayer could tell them wrongly.
fn other_bids(words: &[BidWord], rng: &mut impl Rng) -> Vec<Vec<BidWord>> {
    let mut all = vec![Vec::new()];
    let n = words.len();
    let at = rng.random_range(0..n);
    let mut dropped = words.to_vec();
    dropped.remove(at);
    all.push(dropped);
    let mut doubled = words.to_vec();
    doubled.insert(at, words[at]);
    all.push(doubled);
    let mut shuffled = words.to_vec();
    shuffled.shuffle(rng);
    all.push(shuffled);
    let mut swapped = words.to_vec();
    swapped.swap(at, (at + 1) % n);
    all.push(swapped);
    for bit in [0, 100, 160, 191, 192, 255] {
        let mut altered = words.to_vec();
        if let Some(word) = flipped(words[at], bit) {
            altered[at] = word;
        }
        all.push(altered);
    }
    all.retain(|list| list != words);
    all
}

/// The word with one bit changed, unless that leaves no word.
fn flipped(word: BidWord, bit: usize) -> Option<BidWord> {
    let bits = U256::from_be_bytes(B256::from(word).0) ^ (U256::from(1) << bit);
    BidWord::try_from(B256::from(bits)).ok()
}

#[test]
fn contract_settles_every_vector_that_a_market_can_hold() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/clearing.json")).unwrap();
    let file: RoundFile = serde_json::from_str(&text).unwrap();
    let (mut ran, mut trades) = (0, 0);
    for round in file.into_rounds().into_iter().filter(|round| fits(round) && !round.bids().is_empty()) {
        trades += usize::from(agree(round).0.is_trade());
        ran += 1;
    }
    println!("{ran} vectors ran, {trades} of them with a trade");
    // Of 240: the others have no bids, a task above the cap, or a capacity below the largest task.
    assert_eq!((ran, trades), (172, 108));
}

#[test]
fn contract_accepts_the_certificate_and_rejects_every_mutation() {
    let shapes = [Shape::Tiny, Shape::Tiny, Shape::Ordinary, Shape::Ties, Shape::Extreme, Shape::Sparse];
    let (mut accepted, mut traded, mut rejected) = ([0_usize; 6], [0_usize; 6], 0_usize);
    for seed in 0..2_000_u64 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let kind = usize::try_from(seed).unwrap() % shapes.len();
        let round = random::round(rng, shapes[kind]);
        assert!(fits(&round), "seed {seed}: the generator made a round that no market can hold");
        if round.bids().is_empty() {
            continue;
        }
        let (outcome, certificate) = clear_with_certificate(&round);
        let right = on_chain(&certificate);
        let mut staged = Staged::new(round);
        for wrong in mutations(&right, &staged, rng) {
            match staged.check(wrong.clone(), &staged.words.clone()) {
                Err(Refused::Market(_)) => rejected += 1,
                other => {
                    panic!("seed {seed}: {other:?} for {wrong:?}, right is {right:?} in {:?}", staged.round)
                }
            }
        }
        for words in other_bids(&staged.words.clone(), rng) {
            match staged.check(right.clone(), &words) {
                Err(Refused::Market(_)) => rejected += 1,
                other => panic!("seed {seed}: other bids were answered with {other:?}"),
            }
        }
        assert_eq!(
            nobody_wins(&certificate),
            outcome.winning_asks.is_empty() && certificate.user_pivot.index == 0
        );
        agree(staged.round);
        accepted[kind] += 1;
        traded[kind] += usize::from(outcome.is_trade());
    }
    println!("accepted {accepted:?}, traded {traded:?}, rejected {rejected}");
    assert!(accepted.iter().sum::<usize>() >= 1_700);
    // The last shape has a side with one participant or none, which mostly leaves nothing to trade.
    assert!(traded.iter().take(5).all(|trades| *trades >= 10), "a shape hardly trades: {traded:?}");
    assert!(rejected >= 50_000);
}

#[test]
fn nothing_after_the_close_changes_what_is_accepted() {
    let mut meddled = 0;
    for seed in 10_000..10_150_u64 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let shape = if seed % 2 == 0 { Shape::Tiny } else { Shape::Ordinary };
        let round = random::round(rng, shape);
        if round.bids().is_empty() || round.number().get() < 2 {
            continue;
        }
        let (outcome, certificate) = clear_with_certificate(&round);
        let mut staged = Staged::new(round);
        staged.meddle();
        let settled = staged.settle(on_chain(&certificate));
        assert_eq!(settled.assignmentRoot, assignment_root(&staged.words, &outcome), "seed {seed}");
        meddled += usize::from(outcome.is_trade());
    }
    assert!(meddled >= 40, "only {meddled} rounds traded");
}

#[test]
fn contract_settles_a_thousand_bids() {
    let mut trades = 0;
    for seed in 20_000..20_006_u64 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let (outcome, _) = agree(random::round(rng, Shape::Large(1_000)));
        trades += usize::from(outcome.is_trade());
    }
    assert!(trades >= 3, "only {trades} large rounds traded");
}
