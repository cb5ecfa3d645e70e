//! How long proofs take on this machine, and whether a set of them can be made in time.

use std::{collections::BTreeMap, time::Duration};

use market_types::{CircuitId, TaskSize};

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

    /// Units that one worker proves in this time, rounded down; `None` while nothing has been measured.
    #[must_use]
    pub fn units_in(self, time: Duration) -> Option<u64> {
        let units = time.as_nanos().checked_div(self.0?.as_nanos()).unwrap_or(u128::MAX);
        Some(u64::try_from(units).unwrap_or(u64::MAX))
    }

    /// Units that one worker proves in a second; `None` while nothing has been measured.
    #[must_use]
    pub fn units_per_second(self) -> Option<f64> {
        self.0.map(|per_unit| 1.0 / per_unit.as_secs_f64())
    }
}

/// The pace of each circuit that this node serves: what a unit takes differs between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paces(BTreeMap<CircuitId, Pace>);

impl Paces {
    /// Those of a node that serves these circuits and has proved nothing yet.
    #[must_use]
    pub fn unmeasured(circuits: impl IntoIterator<Item = CircuitId>) -> Self {
        Self(circuits.into_iter().map(|circuit| (circuit, Pace::UNKNOWN)).collect())
    }

    /// Notes how long a proof took.
    pub fn measure(&mut self, circuit: CircuitId, size: TaskSize, took: Duration) {
        let pace = self.0.entry(circuit).or_default();
        *pace = pace.measured(size, took);
    }

    /// The pace of a circuit; that of the slowest one while nothing is known of it, or of which circuit it is.
    #[must_use]
    pub fn of(&self, circuit: Option<CircuitId>) -> Pace {
        let own = circuit.and_then(|circuit| self.0.get(&circuit)).copied().filter(|pace| pace.is_known());
        own.unwrap_or_else(|| Pace(self.0.values().filter_map(|pace| pace.0).max()))
    }

    /// The first circuit that has not been measured.
    #[must_use]
    pub fn next_unmeasured(&self) -> Option<CircuitId> {
        self.iter().find(|(_, pace)| !pace.is_known()).map(|(circuit, _)| circuit)
    }

    /// Each circuit with its pace.
    pub fn iter(&self) -> impl Iterator<Item = (CircuitId, Pace)> {
        self.0.iter().map(|(circuit, pace)| (*circuit, *pace))
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
    fn what_fits_into_a_time_is_rounded_down() {
        let pace = Pace::UNKNOWN.measured(size(10), Duration::from_secs(30));
        assert_eq!(pace.units_in(Duration::from_millis(8_999)), Some(2));
        assert_eq!(pace.units_in(Duration::from_secs(9)), Some(3));
        assert_eq!(Pace::UNKNOWN.units_in(Duration::from_secs(9)), None);
        assert_eq!(Pace::UNKNOWN.measured(size(1), Duration::ZERO).units_in(Duration::MAX), Some(u64::MAX));
    }

    #[test]
    fn each_circuit_has_its_own_pace_and_the_slowest_stands_for_those_that_are_unknown() {
        let [first, second, third] = [1, 2, 3].map(CircuitId::new);
        let mut paces = Paces::unmeasured([first, second, third]);
        assert_eq!(paces.next_unmeasured(), Some(first));
        assert!(!paces.of(Some(first)).is_known());
        paces.measure(first, size(1), Duration::from_secs(1));
        paces.measure(second, size(1), Duration::from_secs(5));
        assert_eq!(paces.next_unmeasured(), Some(third));
        let seconds = |circuit| paces.of(circuit).seconds_for(size(1));
        assert_eq!([Some(first), Some(second), Some(third), None].map(seconds), [1, 5, 5, 5]);
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
