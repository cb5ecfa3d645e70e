//! What was submitted and published.

use super::entry::{Publication, Published};
use super::{EntryRecord, HistoryError, MarketHistory, RoundRecord, bid_index, round_number};
use crate::commitments::{BidWord, Ticket};
use crate::events::{Origin, Place};
use alloy::primitives::{Address, B256, U256};
use bindings::ProverMarket::{SignedBidsSubmitted, StatementsPublished};
use market_types::{BidIndex, RoundNumber};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the last transaction that published anything did publish: entries that follow in it may ask for that.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    transaction: B256,
    publications: BTreeMap<Ticket, Arc<Publication>>,
}

impl Told {
    fn add(&mut self, transaction: B256, ticket: Ticket, publication: Arc<Publication>) {
        if self.transaction != transaction {
            *self = Self { transaction, publications: BTreeMap::new() };
        }
        self.publications.insert(ticket, publication);
    }

    /// What `transaction` has published for the entries with this ticket so far.
    fn of(&self, transaction: B256, ticket: Ticket) -> Option<Arc<Publication>> {
        (self.transaction == transaction).then(|| self.publications.get(&ticket).cloned())?
    }
}

impl MarketHistory {
    /// Appends entries of one requester to a round, the first of them at `place`.
    pub(super) fn submit_at(
        &mut self,
        place: U256,
        words: &[B256],
        origin: Origin,
    ) -> Result<(), HistoryError> {
        let Place { requester, round, first_index } = Place::try_from(place)?;
        self.submit(round, first_index, words.iter().map(|word| (requester, *word)), origin)
    }

    /// Appends what requesters have signed, whoever sent it: each is a bid by itself of whoever signed it.
    pub(super) fn submit_signed(
        &mut self,
        event: &SignedBidsSubmitted,
        origin: Origin,
    ) -> Result<(), HistoryError> {
        let (round, first_index) = (round_number(event.round)?, bid_index(event.firstIndex)?);
        self.submit(round, first_index, event.bids.iter().map(|bid| (bid.requester, bid.entry)), origin)
    }

    /// Appends entries to a round, each with who posted it.
    fn submit(
        &mut self,
        round: RoundNumber,
        first_index: BidIndex,
        submitted: impl IntoIterator<Item = (Address, B256)>,
        origin: Origin,
    ) -> Result<(), HistoryError> {
        let expected = self.round(round).map_or(0, RoundRecord::bid_count);
        if first_index.get() != expected {
            return Err(HistoryError::BidOutOfOrder { round, expected, found: first_index });
        }
        let mut next = u64::from(first_index.get());
        let mut entries = Vec::new();
        for (requester, word) in submitted {
            let (word, first_index) = (BidWord::try_from(word)?, BidIndex::from_u64(next)?);
            next = next.saturating_add(word.count().get().into());
            let fee = word.fee();
            entries.push(EntryRecord { first_index, requester, fee, word, origin, publication: None });
        }
        if expected == 0 {
            self.forget_unpublished(origin.time);
        }
        let cap = self.cap();
        for mut entry in entries {
            let ticket = entry.word.ticket();
            if self.round_mut(round).contenders.add(&entry, cap) {
                entry.publication = self.told.of(origin.tx_hash, ticket);
                if entry.publication.is_none() {
                    self.unpublished.insert((ticket, round, entry.first_index), ());
                }
            }
            self.round_mut(round).entries.push(entry);
        }
        Ok(())
    }

    /// Tells the entries with its ticket what they ask for, those before it and those that follow in its transaction. If there is none,
    /// it means nothing.
    pub(super) fn publish(&mut self, event: &StatementsPublished, origin: Origin) {
        let published = Published::new(event);
        let ticket = published.ticket();
        let asking = self.unpublished.from((ticket, RoundNumber::MIN, BidIndex::MIN)).map(|(key, ())| key);
        let asking: Vec<_> = asking.take_while(|(of, ..)| *of == ticket).collect();
        let publication = published.into_publication();
        for key in asking {
            self.unpublished.remove(key);
            let (_, round, first) = key;
            let record = self.rounds.get_mut(&round).map(Arc::make_mut);
            if let Some(entry) = record.and_then(|record| record.entries.get_mut(first)) {
                entry.publication = Some(Arc::clone(&publication));
            }
        }
        self.told.add(origin.tx_hash, ticket, publication);
    }

    /// Forgets entries of rounds that are over at `now` (seconds since the epoch), but not those with a task that has not ended: it can
    /// be expired as soon as what it asks for is published.
    fn forget_unpublished(&mut self, now: u64) {
        let (market, rounds) = (&self.market, &self.rounds);
        let has_open_task =
            |round: RoundNumber, first| rounds.get(&round).is_some_and(|record| record.has_open_task(first));
        self.unpublished
            .retain(|(_, round, first)| now < market.final_at(round) || has_open_task(round, first));
    }
}
