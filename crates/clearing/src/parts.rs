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

/// `work` that goes through bids in so many parts. Where there are several it is handed to a thread of the pool at once, as one
/// outside of the pool would wake one and wait for it at every [`each`].
pub(crate) fn within<R: Send>(parts: usize, work: impl FnOnce() -> R + Send) -> R {
    if parts < 2 { work() } else { rayon::scope(|_| work()) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Condvar, Mutex};
    use std::time::Duration;

    fn with_threads<R: Send>(count: usize, run: impl FnOnce() -> R + Send) -> R {
        rayon::ThreadPoolBuilder::new().num_threads(count).build().unwrap().install(run)
    }

    #[test]
    fn a_part_is_worth_its_core_and_there_are_no_more_than_cores() {
        let of = |bids| with_threads(4, || number_for(bids));
        assert_eq!([of(0), of(1), of(2 * WORTH - 1)], [1, 1, 1]);
        assert_eq!([of(2 * WORTH), of(3 * WORTH - 1), of(3 * WORTH)], [2, 2, 3]);
        assert_eq!([of(4 * WORTH), of(1000 * WORTH)], [4, 4]);
    }

    #[test]
    fn parts_are_as_long_as_each_other_and_never_empty() {
        assert_eq!([length(10, 3), length(9, 3), length(4, 4), length(3, 7)], [4, 3, 1, 1]);
        assert_eq!([length(0, 3), length(5, 0)], [1, 5]);
    }

    #[test]
    fn what_goes_through_several_parts_is_done_in_the_pool() {
        assert!([0, 1].map(|parts| within(parts, rayon::current_thread_index)).iter().all(Option::is_none));
        assert!([2, 3].map(|parts| within(parts, rayon::current_thread_index)).iter().all(Option::is_some));
    }

    #[test]
    fn results_are_in_the_order_of_the_tasks() {
        for count in 0..5 {
            let results = with_threads(3, || each((0..count).collect(), |n: u64| n * n));
            assert_eq!(results, (0..count).map(|n| n * n).collect::<Vec<_>>());
        }
    }

    /// Each waits until all have begun, or for so long that it has to be one after the other.
    #[test]
    fn several_tasks_run_at_once() {
        for count in 2..4 {
            let (begun, all) = (Mutex::new(0), Condvar::new());
            let meet = |_| {
                let mut begun = begun.lock().unwrap();
                *begun += 1;
                all.notify_all();
                let limit = Duration::from_secs(10);
                !all.wait_timeout_while(begun, limit, |begun| *begun < count).unwrap().1.timed_out()
            };
            assert_eq!(with_threads(count, || each((0..count).collect(), meet)), vec![true; count]);
        }
    }
}
