//! Certificates and bids next to the right ones, each way that a relayer could tell them wrongly.

use crate::auditor::Claimed;
use crate::staged::OnChain;
use alloy::primitives::{B256, U256};
use chain::commitments::BidWord;
use market_types::{Mechanism, Round};
use rand::{Rng, seq::SliceRandom};
use std::cmp::Reverse;

/// A line in user order that somebody may claim, with the size and the cost of the bids before it.
struct Line {
    fee: u64,
    index: u32,
    units: u64,
    revenue: u128,
}

/// Every other certificate next to `right`.
pub fn certificates(
    mechanism: Mechanism,
    round: &Round,
    right: &OnChain,
    rng: &mut impl Rng,
) -> Vec<OnChain> {
    let mut all = Vec::new();
    let seats = round.asks().last().map_or(0, |last| last.seat.get() + 1);
    for seat in (0..=u8::MAX).filter(|seat| u32::from(*seat) <= seats || [200, u8::MAX].contains(seat)) {
        all.push(OnChain { pivotSeat: seat, ..right.clone() });
    }
    let reserve = round.reserve().get();
    for fee in near(right.pivotFee, rng).into_iter().chain([reserve]) {
        all.push(OnChain { pivotFee: fee, ..right.clone() });
    }
    for fee in near(right.batchFee, rng).into_iter().chain([reserve]) {
        all.push(OnChain { batchFee: fee, ..right.clone() });
    }
    for index in indices(right.pivotIndex) {
        all.push(OnChain { pivotIndex: index, ..right.clone() });
    }
    for index in indices(right.batchIndex) {
        all.push(OnChain { batchIndex: index, ..right.clone() });
    }
    for units in near(right.units, rng) {
        all.push(OnChain { units, ..right.clone() });
    }
    for units in near(right.batchUnits, rng) {
        all.push(OnChain { batchUnits: units, ..right.clone() });
    }
    for revenue in amounts(right.revenue, rng) {
        all.push(OnChain { revenue, ..right.clone() });
    }
    for revenue in amounts(right.batchRevenue, rng) {
        all.push(OnChain { batchRevenue: revenue, ..right.clone() });
    }
    for line in lines(round) {
        all.extend(claims(mechanism, right, &line));
    }
    all.retain(|candidate| candidate != right);
    all
}

/// What is consistent with another line: of the winners, of the batch, or of both.
fn claims(mechanism: Mechanism, right: &OnChain, line: &Line) -> Vec<OnChain> {
    let winners = OnChain { pivotFee: line.fee, pivotIndex: line.index, units: line.units, ..right.clone() };
    if mechanism == Mechanism::Core {
        return vec![winners];
    }
    let winners = OnChain { revenue: line.revenue, ..winners };
    let batch = |certificate: &OnChain| OnChain {
        batchFee: line.fee,
        batchIndex: line.index,
        batchUnits: line.units,
        batchRevenue: line.revenue,
        ..certificate.clone()
    };
    vec![batch(right), batch(&winners), winners]
}

/// Every bid as the line, and the lines that are no bid.
fn lines(round: &Round) -> Vec<Line> {
    let before = |wins: &dyn Fn(u64, u32) -> bool| {
        round.indexed_bids().filter(|(index, bid)| wins(bid.fee.get(), index.get())).fold(
            (0, 0),
            |(units, revenue), (_, bid)| {
                let (fee, size) = (u128::from(bid.fee.get()), bid.size.get());
                (units + u64::from(size), revenue + fee * u128::from(size))
            },
        )
    };
    let line = |fee: u64, index: u32| {
        let (units, revenue) = before(&|f, i| (Reverse(f), i) < (Reverse(fee), index));
        Line { fee, index, units, revenue }
    };
    let bids = round.indexed_bids().map(|(index, bid)| line(bid.fee.get(), index.get()));
    bids.chain([line(round.reserve().get(), u32::MAX), line(u64::MAX, 0)]).collect()
}

fn near(right: u64, rng: &mut impl Rng) -> Vec<u64> {
    vec![0, 1, right.wrapping_sub(1), right.wrapping_add(1), rng.random(), u64::MAX]
}

fn amounts(right: u128, rng: &mut impl Rng) -> Vec<u128> {
    vec![0, 1, right.wrapping_sub(1), right.wrapping_add(1), rng.random(), u128::MAX]
}

fn indices(right: u32) -> Vec<u32> {
    vec![0, right.wrapping_sub(1), right.wrapping_add(1), u32::MAX]
}

/// The bids with one dropped, doubled, swapped, altered, or all shuffled.
///
/// # Panics
/// Without a bid.
pub fn bids(words: &[BidWord], rng: &mut impl Rng) -> Vec<Vec<BidWord>> {
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
    for bit in [0, 100, 143, 144, 157, 160, 191, 192, 255] {
        let mut altered = words.to_vec();
        if let Some(word) = flipped(words[at], bit) {
            altered[at] = word;
        }
        all.push(altered);
    }
    all.retain(|list| list != words);
    all
}

/// Pages next to the right ones: each way to tell wrongly where one starts or what is in it, and pages left out, doubled or in another
/// order.
///
/// # Panics
/// Without a page.
pub fn pages(right: &[Claimed], rng: &mut impl Rng) -> Vec<Vec<Claimed>> {
    let mut all = Vec::new();
    let at = rng.random_range(0..right.len());
    let mut change = |change: &dyn Fn(&mut Claimed)| {
        let mut pages = right.to_vec();
        change(&mut pages[at]);
        all.push(pages);
    };
    for bit in [0, 1, 23, 56, 57, 255] {
        change(&|page| page.chain ^= U256::from(1) << bit);
    }
    for offset in [U256::ZERO, U256::from(1), U256::MAX, U256::from(rng.random::<u64>())] {
        change(&|page| page.offset = offset);
        change(&|page| page.offset = page.offset.wrapping_add(offset));
    }
    if !right[at].words.is_empty() {
        for words in bids(&right[at].words, rng) {
            let mut pages = right.to_vec();
            pages[at].words = words;
            all.push(pages);
        }
    }
    let mut dropped = right.to_vec();
    dropped.remove(at);
    all.push(dropped);
    // After the last page the check is over.
    if at + 1 < right.len() {
        let mut doubled = right.to_vec();
        doubled.insert(at, right[at].clone());
        all.push(doubled);
    }
    let mut swapped = right.to_vec();
    swapped.swap(at, (at + 1) % right.len());
    all.push(swapped);
    let same = |a: &Claimed, b: &Claimed| a.chain == b.chain && a.offset == b.offset && a.words == b.words;
    // A page without an entry is one that may be left out, or there twice.
    all.retain(|pages| {
        let full = |pages: &[Claimed]| pages.iter().filter(|page| !page.words.is_empty()).cloned().collect();
        let (pages, right): (Vec<Claimed>, Vec<Claimed>) = (full(pages), full(right));
        pages.len() != right.len() || pages.iter().zip(&right).any(|(a, b)| !same(a, b))
    });
    all
}

/// The word with one bit changed, unless that leaves no word.
fn flipped(word: BidWord, bit: usize) -> Option<BidWord> {
    let bits = U256::from_be_bytes(B256::from(word).0) ^ (U256::from(1) << bit);
    BidWord::try_from(B256::from(bits)).ok()
}
