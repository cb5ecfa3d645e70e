//! The entries of a round.

use super::entry::{BidRecord, EntryRecord};
use super::pieces::Pieces;
use market_types::BidIndex;
use std::fmt;

/// The entries of a round in order of submission. Cheap to clone: copies share their entries.
///
/// [`Retention::Live`](super::Retention::Live) takes out what lost.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct EntryList {
    /// By the index of the first bid.
    entries: Pieces<BidIndex, EntryRecord>,
    bids: u32,
}

impl EntryList {
    /// How many entries are known.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no entry is known.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entry whose first bid has this index, if it is known.
    #[must_use]
    pub fn get(&self, first: BidIndex) -> Option<&EntryRecord> {
        self.entries.get(first)
    }

    /// The entries that are known, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &EntryRecord> + Clone {
        self.entries.iter().map(|(_, entry)| entry)
    }

    /// How many bids were submitted, with those that were taken out: the next one has this index.
    pub(super) const fn bid_count(&self) -> u32 {
        self.bids
    }

    pub(super) fn bid(&self, index: BidIndex) -> Option<BidRecord<'_>> {
        let (first, entry) = self.entries.nearest(index)?;
        let position = u16::try_from(index.get().checked_sub(first.get())?).ok()?;
        (position < entry.count().get()).then(|| BidRecord::of(entry, position))
    }

    /// The `count` entries from that on whose first bid has index `first`, if all of them are known.
    pub(super) fn from(&self, first: BidIndex, count: u32) -> Option<Vec<&EntryRecord>> {
        let mut entries = self.entries.from(first);
        let (mut found, mut next) = (Vec::new(), first.get());
        for _ in 0..count {
            let (_, entry) = entries.next().filter(|(first, _)| first.get() == next)?;
            next = entry.end();
            found.push(entry);
        }
        Some(found)
    }

    /// Adds the next entry. Its first bid has to have the index that comes next.
    pub(super) fn push(&mut self, entry: EntryRecord) {
        self.bids = entry.end();
        self.entries.insert(entry.first_index, entry);
    }

    pub(super) fn get_mut(&mut self, first: BidIndex) -> Option<&mut EntryRecord> {
        self.entries.get_mut(first)
    }

    /// Takes out every entry that `wanted` does not name by its first index.
    pub(super) fn retain(&mut self, wanted: impl Fn(BidIndex) -> bool) {
        self.entries.retain(wanted);
    }
}

impl fmt::Debug for EntryList {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}
