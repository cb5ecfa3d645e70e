//! Who proves what, in every mechanism.
//!
//! Winning tasks keep their order of submission; task `i` starts at offset `o_i`, the total size of the
//! winning tasks before it. Winning provers keep ask-book order, rotated so that the walk starts at winner
//! number `round mod w`. With `E_j` the total capacity of the walk up to and including prover `j`, `K` the
//! capacity of all and `Q` the size of the batch, task `i` belongs to the first `j` whose interval contains
//! `floor(o_i * K / Q)`.
//!
//! No division is needed: `E_j` is an integer, so `floor(o * K / Q) < E_j` exactly if `o * K < E_j * Q`.

use market_types::{AskIndex, RoundNumber, SeatedAsk, TaskSize, Units};

use crate::ranking::plus_task;

/// Walks the batch in order of submission and names the prover of each task.
pub(crate) struct Assigner {
    /// The winners in rotated ask-book order from the current one on, each with its interval's end `E_j`.
    walk: std::vec::IntoIter<(AskIndex, Units)>,
    current: Option<(AskIndex, Units)>,
    capacity: Units,
    batch: Units,
    offset: Units,
}

impl Assigner {
    /// `winners`: in ask-book order. `batch`: the total size of the tasks that will be placed.
    pub(crate) fn new(winners: &[SeatedAsk], round: RoundNumber, batch: Units) -> Self {
        let mut capacity = Units::ZERO;
        let mut intervals = Vec::with_capacity(winners.len());
        for entry in winners.iter().cycle().skip(first_of_walk(winners.len(), round)).take(winners.len()) {
            capacity = capacity.saturating_add(entry.ask.capacity.into());
            intervals.push((entry.seat, capacity));
        }
        let mut walk = intervals.into_iter();
        let current = walk.next();
        Self { walk, current, capacity, batch, offset: Units::ZERO }
    }

    /// The prover of the next task. `None` only if the tasks placed before already fill the batch, or nobody
    /// won.
    pub(crate) fn place(&mut self, size: TaskSize) -> Option<AskIndex> {
        let start = product(self.offset, self.capacity);
        while let Some((seat, end)) = self.current {
            if start < product(end, self.batch) {
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

/// Below 2^128, so exact.
fn product(left: Units, right: Units) -> u128 {
    u128::from(left.get()).saturating_mul(u128::from(right.get()))
}
