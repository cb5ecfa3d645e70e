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

use market_types::{AskIndex, RoundNumber, SeatedAsk, TaskSize, Units};

use crate::ranking::{capacity as total_capacity, plus_task};

/// Walks the batch in order of submission and names the prover of each task.
pub(crate) struct Assigner {
    /// The winners in rotated ask-book order from the current one on, each with the first offset that is no
    /// longer its own: `ceil(E_j * Q / K)`.
    walk: std::vec::IntoIter<(AskIndex, Units)>,
    current: Option<(AskIndex, Units)>,
    offset: Units,
}

impl Assigner {
    /// `winners`: in ask-book order. `batch`: the total size of the tasks that will be placed.
    pub(crate) fn new(winners: &[SeatedAsk], round: RoundNumber, batch: Units) -> Self {
        let capacity = total_capacity(winners);
        let mut end = Units::ZERO;
        let mut ends = Vec::with_capacity(winners.len());
        for entry in winners.iter().cycle().skip(first_of_walk(winners.len(), round)).take(winners.len()) {
            end = end.saturating_add(entry.ask.capacity.into());
            ends.push((entry.seat, scaled_up(end, batch, capacity)));
        }
        let mut walk = ends.into_iter();
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
