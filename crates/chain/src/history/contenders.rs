//! Which entries of an open round may still win.

use super::entry::EntryRecord;
use super::entry_list::EntryList;
use super::pieces::Pieces;
use market_types::{BidIndex, UnitFee};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// The entries that may still win, by their first index.
///
/// A round takes any number of bids, but no more win than the largest capacity cap has room for, by falling fee and rising index,
/// and none is withdrawn. An entry beyond that is beyond it for good, and nobody has to prove what it asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Contenders {
    entries: Pieces<BidIndex, ()>,
    /// Units of their tasks, of each entry no more than the cap.
    units: u64,
    /// An entry with this fee is known to be beyond the cap, and so is every later one that offers no more.
    beyond: Option<UnitFee>,
}

impl Contenders {
    /// Follows the newest entry of the round; whether it may win.
    pub(super) fn add(&mut self, entry: &EntryRecord, cap: u64) -> bool {
        if self.beyond.is_some_and(|fee| entry.fee <= fee) {
            return false;
        }
        self.entries.insert(entry.first_index, ());
        self.units = self.units.saturating_add(entry.units().min(cap));
        true
    }

    pub(super) fn contains(&self, first: BidIndex) -> bool {
        self.entries.contains(first)
    }

    /// Whether there are so many that it is worth a look which of them are beyond the cap: seldom enough to cost little by entry.
    pub(super) const fn exceed(&self, cap: u64) -> bool {
        self.units > cap.saturating_mul(2)
    }

    /// Leaves those that `cap` units have room for at least in part.
    pub(super) fn drop_beyond(&mut self, entries: &EntryList, cap: u64) {
        let known = self.entries.iter().filter_map(|(first, ())| entries.get(first));
        let mut ranked: Vec<&EntryRecord> = known.collect();
        ranked.sort_unstable_by_key(|entry| (Reverse(entry.fee), entry.first_index));
        let (mut units, mut within) = (0_u64, BTreeSet::new());
        for entry in ranked {
            if units.saturating_add(entry.size().get().into()) > cap {
                self.beyond = Some(entry.fee);
                break;
            }
            units = units.saturating_add(entry.units());
            within.insert(entry.first_index);
        }
        self.units = units.min(cap);
        self.entries.retain(|first| within.contains(&first));
    }
}
