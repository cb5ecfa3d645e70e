//! Which endpoints to ask, and in which order. Pure.

use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Blocks that an endpoint may be ahead of all others. One that says more makes blocks up.
const LEAD: u64 = 64;

/// What is known of an endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Health {
    /// Number of its newest block, if it said one lately.
    pub(super) head: Option<u64>,
    /// Failures in a row.
    pub(super) failures: u32,
    /// How long it takes to answer (microseconds, of late).
    pub(super) latency: u64,
    /// Whether it is on the right chain.
    pub(super) identified: bool,
    /// Whether it was caught with something that is not so.
    pub(super) distrusted: bool,
}

impl Health {
    /// It has answered after so many microseconds.
    pub(super) fn answered(&mut self, latency: u64) {
        self.failures = 0;
        self.latency = if self.latency == 0 { latency } else { self.latency / 4 * 3 + latency / 4 };
    }

    /// It has not answered.
    pub(super) fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    const fn counts(&self) -> bool {
        self.identified && !self.distrusted
    }
}

/// The endpoints to ask, the best first: those that have come to block `floor`, with the fewest failures, the newest block and the shortest
/// answering times.
pub(super) fn order(healths: &[Health], floor: u64) -> Vec<usize> {
    let mut heads: Vec<u64> =
        healths.iter().filter(|health| health.counts()).filter_map(|health| health.head).collect();
    heads.sort_unstable_by_key(|head| Reverse(*head));
    let most = heads.get(1).map_or(u64::MAX, |second| second.saturating_add(LEAD));
    let usable =
        |health: &Health| health.counts() && health.head.is_some_and(|head| (floor..=most).contains(&head));
    let mut order: Vec<(usize, &Health)> =
        healths.iter().enumerate().filter(|(_, health)| usable(health)).collect();
    order.sort_by_key(|(_, health)| (health.failures, Reverse(health.head), health.latency));
    order.into_iter().map(|(number, _)| number).collect()
}

/// What answers to the same question say about those who gave them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// They are the same, or there are fewer than two.
    Agreed,
    /// More than half are the same; these are not.
    Minority(Vec<usize>),
    /// No answer is that of more than half.
    Tie,
}

/// Compares answers by the numbers of those who gave them.
pub(super) fn compare<T: Ord>(answers: &[(usize, T)]) -> Verdict {
    let mut counts: BTreeMap<&T, usize> = BTreeMap::new();
    for (_, answer) in answers {
        *counts.entry(answer).or_default() += 1;
    }
    if counts.len() < 2 {
        return Verdict::Agreed;
    }
    match counts.into_iter().find(|(_, count)| count.saturating_mul(2) > answers.len()) {
        Some((most, _)) => {
            let others = answers.iter().filter(|(_, answer)| answer != most);
            Verdict::Minority(others.map(|(number, _)| *number).collect())
        }
        None => Verdict::Tie,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(head: u64) -> Health {
        Health { head: Some(head), identified: true, latency: 100, ..Health::default() }
    }

    #[test]
    fn the_newest_and_fastest_comes_first_and_what_fails_last() {
        let failing = Health { failures: 1, ..at(12) };
        let fast = Health { latency: 10, ..at(11) };
        assert_eq!(order(&[failing, at(11), fast, at(12)], 0), [3, 2, 1, 0]);
    }

    #[test]
    fn nobody_is_asked_who_is_behind_distrusted_on_another_chain_or_silent() {
        let distrusted = Health { distrusted: true, ..at(12) };
        let elsewhere = Health { identified: false, ..at(12) };
        let silent = Health { head: None, ..at(0) };
        assert_eq!(order(&[at(11), distrusted, elsewhere, silent, at(12)], 12), [4]);
        assert_eq!(order(&[at(11)], 12), [] as [usize; 0]);
    }

    #[test]
    fn a_head_far_beyond_all_others_is_not_believed() {
        assert_eq!(order(&[at(1_000_000), at(100)], 0), [1]);
        assert_eq!(order(&[at(164), at(100)], 0), [0, 1]);
        assert_eq!(order(&[at(1_000_000)], 0), [0]);
    }

    #[test]
    fn answering_times_are_those_of_late() {
        let mut health = at(1);
        health.failed();
        health.answered(500);
        assert_eq!((health.failures, health.latency), (0, 200));
    }

    #[test]
    fn the_minority_is_named_and_a_tie_is_one() {
        assert_eq!(compare::<u8>(&[]), Verdict::Agreed);
        assert_eq!(compare(&[(0, 'a'), (4, 'a')]), Verdict::Agreed);
        assert_eq!(compare(&[(0, 'a'), (1, 'b'), (4, 'a')]), Verdict::Minority(vec![1]));
        assert_eq!(compare(&[(0, 'a'), (1, 'b')]), Verdict::Tie);
        assert_eq!(compare(&[(0, 'a'), (1, 'b'), (2, 'c'), (3, 'a')]), Verdict::Tie);
    }
}
