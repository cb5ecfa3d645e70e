//! What a history forgets as its rounds end, so that it does not grow with the age of the chain.

use super::{MarketHistory, RoundRecord};
use market_types::{BidIndex, RoundNumber};
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
        self.first_unresolved(now) > self.forgotten
            || self.rounds.values().any(|record| self.is_over(record, now) || self.has_losers(record))
    }

    /// Drops what nobody can act on any more at `now` (seconds since the epoch), which has to be the time of the last block whose
    /// events were applied. From then on asks, terms and commitments are those of rounds that can still be settled or opened,
    /// and of the rounds before them there are those with a task or a bundle that waits.
    pub fn forget(&mut self, now: u64) {
        let over: Vec<RoundNumber> = self
            .rounds
            .values()
            .filter(|record| self.is_over(record, now))
            .map(|record| record.number)
            .collect();
        for number in over {
            self.rounds.remove(&number);
        }
        self.drop_losers();
        let floor = self.first_unresolved(now);
        if floor > self.forgotten {
            self.forgotten = floor;
            // Commitments end by their round's deadline; what is forfeited later is money, which the contract counts.
            self.commitments.retain(|(round, ..), _| *round >= floor);
            self.seats.forget_before(floor);
            if let Some(standing) = self.terms.range(..=floor).next_back().map(|(round, _)| *round) {
                self.terms = self.terms.split_off(&standing);
            }
        }
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
        ended && self.bundles_of(record.number).next().is_none()
    }

    /// Whether a settled round holds bids that neither won nor wait in a bundle.
    fn has_losers(&self, record: &RoundRecord) -> bool {
        record.settlement.is_some() && record.bids.iter().any(|bid| !self.is_wanted(record, bid.index))
    }

    fn drop_losers(&mut self) {
        let settled: Vec<RoundNumber> = self
            .rounds
            .values()
            .filter(|record| self.has_losers(record))
            .map(|record| record.number)
            .collect();
        for number in settled {
            let Some(mut record) = self.rounds.remove(&number) else { continue };
            let whole = Arc::clone(&record);
            Arc::make_mut(&mut record).retain(|index| self.is_wanted(&whole, index));
            self.rounds.insert(number, record);
        }
    }

    fn is_wanted(&self, record: &RoundRecord, index: BidIndex) -> bool {
        let bundles = self.bundles.range((record.number, BidIndex::MIN)..=(record.number, index));
        let bundled = bundles
            .last()
            .is_some_and(|((_, first), bundle)| index.get().saturating_sub(first.get()) < bundle.count);
        bundled || record.assignment(index).is_some()
    }

    fn bundles_of(&self, round: RoundNumber) -> impl Iterator<Item = &super::BundleRecord> {
        self.bundles
            .range((round, BidIndex::MIN)..)
            .take_while(move |(key, _)| key.0 == round)
            .map(|(_, one)| one)
    }
}
