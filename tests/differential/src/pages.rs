//! Entries of a round, the places between them, and ways to cut it into pages: bid by bid, as a second way to what the crate `chain`
//! does entry by entry.

use crate::staged::OnChain;
use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::sol_types::SolValue;
use chain::commitments::{BidChain, BidWord, Ticket};
use clearing::Outcome;
use market_types::{Bid, LotSize, Round};
use rand::Rng;

/// Numbers of bids of the entries, if each bid is one.
#[must_use]
pub fn alone(round: &Round) -> Vec<u16> {
    vec![1; round.bids().len()]
}

/// The same if bids of one fee and size that follow each other may share an entry, as far as one requester can lock what it costs.
pub fn lots(round: &Round, rng: &mut impl Rng) -> Vec<u16> {
    let mut lots: Vec<u16> = Vec::new();
    let mut last: Option<Bid> = None;
    for bid in round.bids() {
        let cost = u128::from(bid.fee.get()) * u128::from(bid.size.get()) + 3;
        match lots.last_mut() {
            Some(count)
                if last == Some(*bid)
                    && rng.random_bool(0.8)
                    && *count < LotSize::MAX.get()
                    && cost * u128::from(*count + 1) <= 1 << 95 =>
            {
                *count += 1;
            }
            _ => lots.push(1),
        }
        last = Some(*bid);
    }
    lots
}

/// The round's entries as settlement wants them, of these numbers of bids, each of another requester.
///
/// # Panics
/// If there are other bids than the lots hold.
#[must_use]
pub fn words(round: &Round, lots: &[u16]) -> Vec<BidWord> {
    let mut bids = round.bids().iter();
    let words = (0_u32..).zip(lots).map(|(number, count)| {
        let bid = bids.next().expect("a bid for each lot");
        assert!(bids.by_ref().take(usize::from(*count) - 1).all(|other| other == bid));
        let ticket = Ticket::new(Address::left_padding_from(&number.to_be_bytes()), B256::ZERO);
        BidWord::new(bid.fee, bid.size, LotSize::new(*count).expect("a lot"), ticket)
    });
    let words = words.collect();
    assert_eq!(bids.next(), None, "all bids are in lots");
    words
}

/// Entries with which the pages of a round begin, from the last page to the first: any places.
pub fn cuts(entries: usize, rng: &mut impl Rng) -> Vec<usize> {
    let pages = rng.random_range(0..4.min(entries + 1));
    let mut cuts: Vec<usize> = (0..pages).map(|_| rng.random_range(0..entries)).collect();
    cuts.push(0);
    cuts.sort_unstable_by(|a, b| b.cmp(a));
    cuts.dedup();
    cuts
}

/// The places between the entries of a round under a certificate.
#[derive(Debug, Clone)]
pub struct Marks(Vec<(BidChain, u64)>);

impl Marks {
    /// Before each entry, and after the last.
    #[must_use]
    pub fn new(seed: BidChain, words: &[BidWord], certificate: &OnChain) -> Self {
        let (mut chain, mut offset, mut index) = (seed, 0, 0_u32);
        let mut marks = vec![(chain, offset)];
        for word in words {
            chain.absorb(*word);
            for _ in 0..word.count().get() {
                let (fee, pivot) = (word.fee().get(), certificate.pivotFee);
                let wins = fee > pivot || (fee == pivot && index < certificate.pivotIndex);
                offset += if wins { u64::from(word.size().get()) } else { 0 };
                index += 1;
            }
            marks.push((chain, offset));
        }
        Self(marks)
    }

    /// Running hash and total size of the winners (units) before entry number `entry`.
    ///
    /// # Panics
    /// If there is no such place.
    #[must_use]
    pub fn at(&self, entry: usize) -> (BidChain, u64) {
        self.0[entry]
    }
}

/// The root over an outcome's assignment for pages that begin at these entries, made level by level: a second way to what the
/// contract builds leaf by leaf.
///
/// # Panics
/// Never: a round has fewer bids than an index counts.
#[must_use]
pub fn assignment_root(words: &[BidWord], outcome: &Outcome, cuts: &[usize]) -> B256 {
    let mut of_entry: Vec<Vec<B256>> = Vec::new();
    let mut assigned = outcome.assignment().peekable();
    let mut index = 0_u32;
    for word in words {
        // Each a run of bids that fall to one seat: number of its first bid in the entry, its index, further bids, seat.
        let mut runs: Vec<(u64, u32, u64, u32)> = Vec::new();
        for position in 0..u64::from(word.count().get()) {
            if let Some((_, seat)) = assigned.next_if(|(bid, _)| bid.get() == index) {
                match runs.last_mut() {
                    Some(run) if run.3 == seat.get() => run.2 += 1,
                    _ => runs.push((position, index, 0, seat.get())),
                }
            }
            index += 1;
        }
        let leaf = |(position, index, further, seat)| {
            let which: U256 = (U256::from(position) << 32) | U256::from(index);
            let who: U256 = (U256::from(further) << 8) | U256::from(seat);
            keccak256((B256::from(*word), which, who).abi_encode())
        };
        of_entry.push(runs.into_iter().map(leaf).collect());
    }
    let mut end = words.len();
    let mut level = Vec::new();
    for begin in cuts {
        level.extend(of_entry[*begin..end].concat());
        end = *begin;
    }
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [a, b] => keccak256(if a < b { [*a, *b] } else { [*b, *a] }.concat()),
                odd => odd.first().copied().unwrap_or_default(),
            })
            .collect();
    }
    level.first().copied().unwrap_or_default()
}
