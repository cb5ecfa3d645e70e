//! What a history forgets as its rounds end, so that it does not grow with the age of the chain.

use super::contenders::Contenders;
use super::pieces::Pieces;
use super::{MarketHistory, RoundRecord};
use market_types::{BidIndex, RoundNumber};
use std::sync::Arc;

/// How much of the past a history keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Retention {
    /// All rounds, for those who look back at all of them. Grows with every entry.
    Everything,
    /// What somebody can still act on, for programs that run for long. Kept are rounds that can be settled or will be, winning
    /// tasks that have not ended, and entries whose results wait to be released: all of them things that the contract holds
    /// money for as well. What was published is kept for entries that may win or have a task that has not ended.
    #[default]
    Live,
    /// What is live, and this round whole, with its asks, terms and commitments: for those who look back at it.
    Round(RoundNumber),
}

impl Retention {
    /// Whether a round is kept whole.
    fn keeps(self, round: RoundNumber) -> bool {
        match self {
            Self::Everything => true,
            Self::Live => false,
            Self::Round(kept) => kept == round,
        }
    }
}

impl MarketHistory {
    /// Whether [`MarketHistory::forget`] would drop anything at `now` (seconds since the epoch).
    #[must_use]
    pub fn can_forget(&self, retention: Retention, now: u64) -> bool {
        let goes = |record: &RoundRecord| {
            !retention.keeps(record.number) && (self.is_over(record, now) || self.can_trim(record, now))
        };
        retention != Retention::Everything
            && (Some(self.floor(retention, now)) > self.forgotten
                || self.commitments.iter().any(|((round, ..), _)| !retention.keeps(round))
                || self.rounds.values().any(|record| goes(record)))
    }

    /// Drops what nobody can act on any more at `now` (seconds since the epoch), which has to be the time of the last block whose
    /// events were applied. From then on asks and terms are those of rounds that can still be settled; of the rounds before
    /// them there are those with a task or a bundle that waits; and no commitment is known: whether one still
    /// stands is for the contract to say. All of this is kept of a round that `retention` keeps whole.
    pub fn forget(&mut self, retention: Retention, now: u64) {
        if retention == Retention::Everything {
            return;
        }
        let numbers = |which: &dyn Fn(&RoundRecord) -> bool| {
            let rounds =
                self.rounds.values().filter(|record| !retention.keeps(record.number) && which(record));
            rounds.map(|record| record.number).collect::<Vec<_>>()
        };
        let over = numbers(&|record| self.is_over(record, now));
        let trimmed = numbers(&|record| !self.is_over(record, now) && self.can_trim(record, now));
        for number in &over {
            self.rounds.remove(number);
        }
        for number in &trimmed {
            self.trim(*number, now);
        }
        if !(over.is_empty() && trimmed.is_empty()) {
            let rounds = &self.rounds;
            let awaits = |round, first| rounds.get(&round).is_some_and(|record| record.may_need(first));
            self.unpublished.retain(|(_, round, first)| retention.keeps(round) || awaits(round, first));
        }
        self.commitments.retain(|(round, ..)| retention.keeps(round));
        let floor = self.floor(retention, now);
        if Some(floor) > self.forgotten {
            self.forgotten = Some(floor);
            self.seats.forget_before(floor);
            if let Some(standing) = self.terms.range(..=floor).next_back().map(|(round, _)| *round) {
                self.terms = self.terms.split_off(&standing);
            }
        }
    }

    /// The first round whose asks and terms are kept.
    fn floor(&self, retention: Retention, now: u64) -> RoundNumber {
        let unresolved = self.first_unresolved(now);
        if let Retention::Round(kept) = retention { unresolved.min(kept) } else { unresolved }
    }

    /// The first round whose deadline for settlement has not passed at `now`.
    fn first_unresolved(&self, now: u64) -> RoundNumber {
        let params = &self.market.params;
        let waited = params.reveal_period.saturating_add(params.settlement_period);
        let passed = now.saturating_sub(self.market.id.genesis()).saturating_sub(waited);
        // Round `r` closes `r + 1` periods after genesis.
        RoundNumber::new(passed.checked_div(self.market.id.bidding_period()).unwrap_or(0))
    }

    /// Whether it is known which entries of a round won.
    fn is_decided(&self, record: &RoundRecord, now: u64) -> bool {
        record.settlement.is_some() || now >= self.market.settle_by(record.number)
    }

    /// Whether nothing about a round waits for anybody: void, or settled and every task ended, and no bundle to release.
    fn is_over(&self, record: &RoundRecord, now: u64) -> bool {
        self.is_decided(record, now)
            && record.open_tasks.is_empty()
            && !self.bundles.contains_key(&record.number)
    }

    fn can_trim(&self, record: &RoundRecord, now: u64) -> bool {
        if self.is_decided(record, now) { !record.trimmed } else { record.contenders.exceed(self.cap()) }
    }

    /// Takes out of a round what nobody can act on: of a decided one the entries that neither won nor wait in a bundle, and of those
    /// that stay, and of an open one's, what was published for entries without a task that may have to be proved.
    fn trim(&mut self, number: RoundNumber, now: u64) {
        let cap = self.cap();
        let Some(whole) = self.rounds.get(&number).cloned() else { return };
        let Some(record) = self.rounds.get_mut(&number).map(Arc::make_mut) else { return };
        if record.settlement.is_some() || now >= self.market.settle_by(number) {
            let bundles = self.bundles.get(&number).into_iter().flat_map(Pieces::iter);
            // Where each bundle begins and ends, ascending.
            let bundled: Vec<(BidIndex, u32)> = bundles
                .filter_map(|(first, bundle)| {
                    Some((first, whole.entries.from(first, bundle.entries)?.last()?.end()))
                })
                .collect();
            let waits = |first: BidIndex| {
                let before = bundled.partition_point(|(begin, _)| *begin <= first);
                let nearest = before.checked_sub(1).and_then(|at| bundled.get(at));
                nearest.is_some_and(|(_, end)| first.get() < *end)
            };
            // The bids of an entry win in their order.
            record.entries.retain(|first| waits(first) || whole.assignment(first).is_some());
            (record.contenders, record.pages) = (Contenders::default(), Vec::new());
            record.trimmed = true;
        } else {
            record.contenders.drop_beyond(&whole.entries, cap);
        }
        let needless =
            |entry: &&super::EntryRecord| entry.publication.is_some() && !record.may_need(entry.first_index);
        let needless: Vec<BidIndex> =
            record.entries.iter().filter(needless).map(|entry| entry.first_index).collect();
        for first in needless {
            if let Some(entry) = record.entries.get_mut(first) {
                entry.publication = None;
            }
        }
    }
}
