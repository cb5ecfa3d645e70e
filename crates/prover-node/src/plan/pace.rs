//! How long proofs take on this machine, and whether a set of them can be made in time.

use std::time::Duration;

use market_types::TaskSize;

/// Time per unit, as measured: the slowest proof so far, so that an estimate errs on the side of caution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pace(Option<Duration>);

impl Pace {
    /// Nothing measured yet.
    pub const UNKNOWN: Self = Self(None);

    /// The pace with one more measurement. A task has at least one unit, so this does not divide by zero.
    #[must_use]
    pub fn measured(self, size: TaskSize, took: Duration) -> Self {
        Self(self.0.max(Some(took / size.get())))
    }

    /// Whether a proof has been measured.
    #[must_use]
    pub fn is_known(self) -> bool {
        self.0.is_some()
    }

    /// Whole seconds that a proof is expected to take, rounded up; 0 while nothing has been measured.
    #[must_use]
    pub fn seconds_for(self, size: TaskSize) -> u64 {
        let total = self.0.map_or(Duration::ZERO, |per_unit| per_unit.saturating_mul(size.get()));
        total.as_secs() + u64::from(total.subsec_nanos() != 0)
    }
}

/// A proof to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Job {
    /// First second at which it is too late.
    pub(super) deadline: u64,
    /// Expected time.
    pub(super) seconds: u64,
}

/// Whether `workers` workers that start now and always take the earliest deadline finish every job before its deadline.
/// Jobs that already run are counted as if they began now: that is late, never early.
pub(super) fn all_in_time(mut jobs: Vec<Job>, workers: usize, now: u64) -> bool {
    let mut free_at = vec![now; workers];
    jobs.sort_unstable();
    jobs.into_iter().all(|job| {
        let Some(worker) = free_at.iter_mut().min() else { return false };
        *worker = worker.saturating_add(job.seconds);
        *worker < job.deadline
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(units: u32) -> TaskSize {
        TaskSize::new(units).unwrap()
    }

    #[test]
    fn pace_is_that_of_the_slowest_proof() {
        let pace = Pace::UNKNOWN.measured(size(10), Duration::from_secs(5));
        assert_eq!(pace.seconds_for(size(10)), 5);
        assert_eq!(pace.measured(size(10), Duration::from_secs(1)), pace);
        assert_eq!(pace.measured(size(10), Duration::from_secs(20)).seconds_for(size(1)), 2);
    }

    #[test]
    fn estimates_round_up_to_whole_seconds() {
        let pace = Pace::UNKNOWN.measured(size(1), Duration::from_millis(1));
        assert_eq!(pace.seconds_for(size(1)), 1);
        assert_eq!(pace.seconds_for(size(1000)), 1);
        assert_eq!(pace.seconds_for(size(1001)), 2);
        assert_eq!(Pace::UNKNOWN.seconds_for(size(1000)), 0);
    }

    #[test]
    fn a_job_must_end_before_its_deadline() {
        let job = |deadline| vec![Job { deadline, seconds: 10 }];
        assert!(!all_in_time(job(109), 1, 100));
        assert!(!all_in_time(job(110), 1, 100));
        assert!(all_in_time(job(111), 1, 100));
        assert!(!all_in_time(job(111), 0, 100));
    }

    #[test]
    fn later_jobs_wait_for_a_worker() {
        let jobs = || vec![Job { deadline: 125, seconds: 10 }; 3];
        assert!(!all_in_time(jobs(), 1, 100));
        assert!(all_in_time(jobs(), 2, 100));
        assert!(all_in_time(jobs(), 1, 94));
    }

    #[test]
    fn an_urgent_job_goes_first() {
        let jobs = vec![Job { deadline: 200, seconds: 50 }, Job { deadline: 111, seconds: 10 }];
        assert!(all_in_time(jobs, 1, 100));
    }
}
