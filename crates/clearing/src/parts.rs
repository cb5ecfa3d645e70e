//! A round's bids on several cores at once.

use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};

/// Bids that are worth a core of their own: counting them takes some ten times as long as handing them over.
const WORTH: usize = 1 << 16;

/// In how many parts so many bids are counted.
pub(crate) fn number_for(bids: usize) -> usize {
    let worth = bids / WORTH;
    // Asking how many cores there are starts a thread on each.
    if worth < 2 { 1 } else { worth.min(rayon::current_num_threads()) }
}

/// The length of each of at most `parts` parts of `bids` bids; the last one may be shorter.
pub(crate) fn length(bids: usize, parts: usize) -> usize {
    bids.div_ceil(parts.max(1)).max(1)
}

/// `work` on each of `tasks`, at once if there are several. The results are in the order of the tasks.
pub(crate) fn each<T: Send, R: Send>(tasks: Vec<T>, work: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
    if tasks.len() < 2 {
        return tasks.into_iter().map(work).collect();
    }
    tasks.into_par_iter().with_max_len(1).map(work).collect()
}
