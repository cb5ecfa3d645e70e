//! Who proves what, in every mechanism.
//!
//! Winning tasks keep their order of submission; task `i` starts at offset `o_i`, the total size of the
//! winning tasks before it. Winning provers keep ask-book order, rotated so that the walk starts at winner
//! number `round mod w`. With `E_j` the total capacity of the walk up to and including prover `j`, `K` the
//! capacity of all and `Q` the size of the batch, task `i` belongs to the first `j` whose interval contains
//! `floor(o_i * K / Q)`.
//!
//! No division is needed for a task: `E_j` is an integer, so `floor(o * K / Q) < E_j` exactly if
//! `o * K < E_j * Q`, that is, if `o < ceil(E_j * Q / K)`.

use market_types::{AskIndex, BidIndex, RoundNumber, SeatedAsk, TaskSize, Units};

use crate::ranking::{capacity as total_capacity, plus_task};

/// Winning tasks that follow each other in order of submission and have one prover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The prover's ask.
    pub ask: AskIndex,
    /// How many tasks, at least 1.
    pub tasks: usize,
}

/// The winning tasks in order of submission, and who proves them.
#[derive(Default)]
pub(crate) struct Tasks {
    pub(crate) bids: Vec<BidIndex>,
    pub(crate) shares: Vec<Share>,
}

impl FromIterator<(BidIndex, AskIndex)> for Tasks {
    fn from_iter<I: IntoIterator<Item = (BidIndex, AskIndex)>>(placed: I) -> Self {
        let mut tasks = Self::default();
        for (bid, ask) in placed {
            tasks.bids.push(bid);
            match tasks.shares.last_mut() {
                Some(share) if share.ask == ask => share.tasks = share.tasks.saturating_add(1),
                _ => tasks.shares.push(Share { ask, tasks: 1 }),
            }
        }
        tasks
    }
}

/// The winners in rotated ask-book order, each with the first offset that is no longer its own: `ceil(E_j * Q / K)`.
/// `winners`: in ask-book order. `batch`: the total size of the tasks that will be placed.
pub(crate) fn walk(winners: &[SeatedAsk], round: RoundNumber, batch: Units) -> Vec<(AskIndex, Units)> {
    let capacity = total_capacity(winners);
    let mut end = Units::ZERO;
    let mut ends = Vec::with_capacity(winners.len());
    for entry in winners.iter().cycle().skip(first_of_walk(winners.len(), round)).take(winners.len()) {
        end = end.saturating_add(entry.ask.capacity.into());
        ends.push((entry.seat, scaled_up(end, batch, capacity)));
    }
    ends
}

/// Walks the batch in order of submission and names the prover of each task.
pub(crate) struct Assigner {
    /// The walk from the current winner on.
    walk: std::vec::IntoIter<(AskIndex, Units)>,
    current: Option<(AskIndex, Units)>,
    offset: Units,
}

impl Assigner {
    /// As [`walk`] takes them.
    pub(crate) fn new(winners: &[SeatedAsk], round: RoundNumber, batch: Units) -> Self {
        let mut walk = walk(winners, round, batch).into_iter();
        let current = walk.next();
        Self { walk, current, offset: Units::ZERO }
    }

    /// The prover of the next task. `None` only if the tasks placed before already fill the batch, or nobody
    /// won.
    pub(crate) fn place(&mut self, size: TaskSize) -> Option<AskIndex> {
        while let Some((seat, end)) = self.current {
            if self.offset < end {
                self.offset = plus_task(self.offset, size);
                return Some(seat);
            }
            self.current = self.walk.next();
        }
        None
    }
}

/// `round mod winners`: which winner the walk starts at.
fn first_of_walk(winners: usize, round: RoundNumber) -> usize {
    let remainder = u64::try_from(winners).ok().and_then(|winners| round.get().checked_rem(winners));
    // Less than `winners`, so it fits. Without winners there is no walk.
    remainder.and_then(|start| usize::try_from(start).ok()).unwrap_or(0)
}

/// `ceil(part * batch / whole)`, for `0 < part <= whole`: at most `batch`.
fn scaled_up(part: Units, batch: Units, whole: Units) -> Units {
    let whole = u128::from(whole.get());
    // The product of two numbers of 64 bits and the rest of a division by a third stay below 2^128, so exact.
    let product = u128::from(part.get()).saturating_mul(u128::from(batch.get()));
    let scaled = product.saturating_add(whole.saturating_sub(1)).checked_div(whole).unwrap_or(0);
    Units::new(u64::try_from(scaled).unwrap_or(u64::MAX))
}
