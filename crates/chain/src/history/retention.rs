//! What a history forgets as its rounds end, so that it does not grow with the age of the chain.

use super::pieces::Pieces;
use super::{MarketHistory, RoundRecord};
use market_types::RoundNumber;
use std::sync::Arc;

/// How much of the past a history keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Retention {
    /// All rounds, for those who look back. Grows with every bid.
    #[default]
    Everything,
    /// What somebody can still act on, for programs that run for long. Kept are rounds that can be settled or will be, winning
    /// tasks that have not ended, and bids whose results wait to be released: all of them things that the contract holds
    /// money for as well.
    Live,
}

impl MarketHistory {
    /// Whether [`MarketHistory::forget`] would drop anything at `now` (seconds since the epoch).
    #[must_use]
    pub fn can_forget(&self, now: u64) -> bool {
        !self.commitments.is_empty()
            || Some(self.first_unresolved(now)) > self.forgotten
            || self.rounds.values().any(|record| self.is_over(record, now) || has_losers(record))
    }

    /// Drops what nobody can act on any more at `now` (seconds since the epoch), which has to be the time of the last block whose
    /// events were applied. From then on asks and terms are those of rounds that can still be settled; of the rounds before
    /// them there are those with a task or a bundle that waits; and commitments are not kept at all: whether one still
    /// stands is for the contract to say.
    pub fn forget(&mut self, now: u64) {
        let over = self.numbers(|record| self.is_over(record, now));
        for number in over {
            self.rounds.remove(&number);
        }
        for number in self.numbers(has_losers) {
            self.drop_losers(number);
        }
        self.commitments = Arc::default();
        let floor = self.first_unresolved(now);
        if Some(floor) > self.forgotten {
            self.forgotten = Some(floor);
            self.seats.forget_before(floor);
            if let Some(standing) = self.terms.range(..=floor).next_back().map(|(round, _)| *round) {
                self.terms = self.terms.split_off(&standing);
            }
        }
    }

    fn numbers(&self, which: impl Fn(&RoundRecord) -> bool) -> Vec<RoundNumber> {
        self.rounds.values().filter(|record| which(record)).map(|record| record.number).collect()
    }

    /// The first round whose deadline for settlement has not passed at `now`.
    fn first_unresolved(&self, now: u64) -> RoundNumber {
        let params = &self.market.params;
        let waited = params.reveal_period.saturating_add(params.settlement_period);
        let passed = now.saturating_sub(self.market.id.genesis()).saturating_sub(waited);
        // Round `r` closes `r + 1` periods after genesis.
        RoundNumber::new(passed.checked_div(self.market.id.bidding_period()).unwrap_or(0))
    }

    /// Whether nothing about a round waits for anybody: void, or settled and every task ended, and no bundle to release.
    fn is_over(&self, record: &RoundRecord, now: u64) -> bool {
        let ended = match record.assignments() {
            None => now >= self.market.settle_by(record.number),
            Some(assigned) => assigned
                .iter()
                .all(|assignment| record.task(assignment.index).is_some_and(|task| task.end.is_some())),
        };
        ended && !self.bundles.contains_key(&record.number)
    }

    /// Takes the bids of a settled round out that neither won nor wait in a bundle.
    fn drop_losers(&mut self, number: RoundNumber) {
        let bundles = self.bundles.get(&number);
        let bundled: Vec<(u32, u32)> =
            bundles.into_iter().flat_map(Pieces::iter).map(|(first, bundle)| (first, bundle.count)).collect();
        let waits = |index: u32| {
            let before = bundled.partition_point(|(first, _)| *first <= index);
            let nearest = before.checked_sub(1).and_then(|at| bundled.get(at));
            nearest.is_some_and(|(first, count)| index.saturating_sub(*first) < *count)
        };
        let Some(record) = self.rounds.get_mut(&number) else { return };
        let whole = Arc::clone(record);
        Arc::make_mut(record).retain(|index| waits(index.get()) || whole.assignment(index).is_some());
    }
}

/// Whether a settled round still has its bids that lost.
fn has_losers(record: &RoundRecord) -> bool {
    record.settlement.is_some() && !record.trimmed
}
