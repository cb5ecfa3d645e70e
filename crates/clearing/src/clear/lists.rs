//! Who won and who proves it, given the line.

use crate::assignment::{Share, Tasks, walk};
use crate::certificate::{Certificate, UserPivot};
use crate::parts;
use market_types::{AskIndex, Bid, BidIndex, Round, SeatedAsk, Units};

/// How many bids are looked at before those of them that won are listed: a power of two, whose positions fit 16 bits.
const BLOCK: usize = 512;
const _: () = assert!(BLOCK.is_power_of_two() && BLOCK <= 1 << 16);

/// Bids that follow each other: how many of them won, and the size of their tasks together.
struct Block {
    tasks: usize,
    units: Units,
}

/// The winning tasks and who proves them. `parts`: on how many cores.
pub(super) fn tasks(round: &Round, winners: &[SeatedAsk], certificate: &Certificate, parts: usize) -> Tasks {
    let length = parts::length(round.bids().len(), parts);
    // The first bid's index: every position in a round is one.
    let first = |part: usize| u32::try_from(part.saturating_mul(length)).unwrap_or(u32::MAX);
    let cut = round.bids().chunks(length).zip((0..).map(first)).collect();
    let mut found = parts::each(cut, |(bids, first)| won(bids, first, certificate.user_pivot)).into_iter();
    let (mut bids, mut blocks) = found.next().unwrap_or_default();
    for (more, others) in found {
        bids.extend(more);
        blocks.extend(others);
    }
    let walk = walk(winners, round.number(), certificate.units);
    let shares = shares(round, &bids, &blocks, walk);
    Tasks { bids, shares }
}

/// Those of `bids` that won, by blocks. `first`: index of the first bid.
///
/// Bids before the pivot win at its fee, those from it on above it: on either side one comparison decides.
fn won(bids: &[Bid], first: u32, pivot: UserPivot) -> (Vec<BidIndex>, Vec<Block>) {
    let before = usize::try_from(pivot.index.saturating_sub(first)).unwrap_or(usize::MAX);
    let (before, after) = bids.split_at(before.min(bids.len()));
    // Room for every bid: pages that are never written to cost nothing.
    let mut won =
        (Vec::with_capacity(bids.len()), Vec::with_capacity(bids.len().div_ceil(BLOCK).saturating_add(1)));
    list(before, first, pivot.fee.get(), &mut won);
    if let Some(above) = pivot.fee.get().checked_add(1) {
        list(after, first.max(pivot.index), above, &mut won);
    }
    won
}

/// Appends those of `bids` whose fee is `least` or more. `first`: index of the first bid.
///
/// Whether a bid wins is as good as random in order of submission, so a branch on it would be guessed wrong for
/// every other bid. Instead each bid is written to the same place until one wins.
fn list(bids: &[Bid], first: u32, least: u64, (all, blocks): &mut (Vec<BidIndex>, Vec<Block>)) {
    let mut ahead = [0_u16; BLOCK];
    for (bids, first) in bids.chunks(BLOCK).zip((first..).step_by(BLOCK)) {
        let (mut tasks, mut units) = (0_usize, 0_u64);
        for (bid, position) in bids.iter().zip(0_u16..) {
            if let Some(next) = ahead.get_mut(tasks & (BLOCK - 1)) {
                *next = position;
            }
            let wins = bid.fee.get() >= least;
            tasks = tasks.wrapping_add(wins.into());
            // All ones for a bid that won.
            let mask = 0_u32.wrapping_sub(wins.into());
            units = units.wrapping_add((bid.size.get() & mask).into());
        }
        // Every position in a round is an index.
        let index =
            |position: &u16| BidIndex::new(first.wrapping_add(u32::from(*position))).unwrap_or(BidIndex::MIN);
        all.extend(ahead.get(..tasks).unwrap_or_default().iter().map(index));
        blocks.push(Block { tasks, units: Units::new(units) });
    }
}

/// Cuts the winning `bids` where the walk turns from one prover to the next: a prover has the tasks that start before its end.
/// Most blocks end before it and are passed over whole.
fn shares(
    round: &Round,
    bids: &[BidIndex],
    blocks: &[Block],
    walk: impl IntoIterator<Item = (AskIndex, Units)>,
) -> Vec<Share> {
    let mut shares = Vec::new();
    let mut placed = 0_usize;
    // Tasks and units before the next block.
    let (mut tasks, mut offset) = (0_usize, Units::ZERO);
    let mut blocks = blocks.iter().peekable();
    for (ask, end) in walk {
        while let Some(block) = blocks.next_if(|block| offset.saturating_add(block.units) <= end) {
            tasks = tasks.saturating_add(block.tasks);
            offset = offset.saturating_add(block.units);
        }
        let mut until = tasks;
        let mut start = offset;
        while start < end
            && let Some(bid) = bids.get(until).and_then(|index| round.bid(*index))
        {
            until = until.saturating_add(1);
            start = start.saturating_add(bid.size.into());
        }
        if until > placed {
            shares.push(Share { ask, tasks: until.saturating_sub(placed) });
            placed = until;
        }
    }
    shares
}
