//! The bids of a round.

use super::pieces::Pieces;
use super::round::BidRecord;
use market_types::BidIndex;
use std::fmt;
use std::ops::{Index, Range};

/// The bids of a round in order of submission. Cheap to clone: copies share their bids.
///
/// A bid stands at its index. [`Retention::Live`](super::Retention::Live) takes out what lost.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct BidList {
    bids: Pieces<BidRecord>,
    submitted: usize,
}

impl BidList {
    /// How many bids are known.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bids.len()
    }

    /// Whether no bid is known.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bids.is_empty()
    }

    /// How many bids were submitted, with those that were taken out: the next one has this index.
    #[must_use]
    pub const fn submitted(&self) -> usize {
        self.submitted
    }

    /// The bid with this index, if it is known.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&BidRecord> {
        self.bids.get(u32::try_from(index).ok()?)
    }

    /// The bids with these indices, if all of them are known.
    #[must_use]
    pub fn range(&self, indices: Range<usize>) -> Option<Vec<&BidRecord>> {
        indices.map(|index| self.get(index)).collect()
    }

    /// The bids that are known, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &BidRecord> + Clone {
        self.bids.iter().map(|(_, bid)| bid)
    }

    /// Adds the next bid. Its index has to be [`BidList::submitted`].
    pub(super) fn push(&mut self, bid: BidRecord) {
        self.bids.insert(bid.index.get(), bid);
        self.submitted = self.submitted.saturating_add(1);
    }

    /// Takes the newest bid off, as if it had never been read.
    pub fn pop(&mut self) -> Option<BidRecord> {
        let newest = self.submitted.checked_sub(1)?;
        let bid = self.bids.remove(u32::try_from(newest).ok()?)?;
        self.submitted = newest;
        Some(bid)
    }

    /// Takes out every bid that `wanted` does not name.
    pub(super) fn retain(&mut self, wanted: impl Fn(BidIndex) -> bool) {
        self.bids.retain(|index| BidIndex::new(index).is_ok_and(&wanted));
    }
}

impl Index<usize> for BidList {
    type Output = BidRecord;

    /// The bid with this index. Panics if it is not known.
    fn index(&self, index: usize) -> &BidRecord {
        self.get(index).unwrap_or_else(|| panic!("bid {index} is not known"))
    }
}

impl fmt::Debug for BidList {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commitments::{BidWord, Ticket};
    use crate::events::Origin;
    use alloy::primitives::{Address, B256};
    use market_types::{CircuitId, TaskSize, UnitFee};

    const PIECE: usize = 256;

    fn bid(index: usize) -> BidRecord {
        let (fee, size) = (UnitFee::MIN, TaskSize::MIN);
        BidRecord {
            index: BidIndex::from_u64(index as u64).unwrap(),
            requester: Address::ZERO,
            fee,
            circuit: CircuitId::of(3, 1),
            word: BidWord::new(fee, size, Ticket::truncated(B256::ZERO)),
            origin: Origin { block: 1, time: 1, log_index: 0, tx_hash: B256::ZERO },
        }
    }

    fn list(count: usize) -> BidList {
        let mut list = BidList::default();
        (0..count).for_each(|index| list.push(bid(index)));
        list
    }

    fn indices(list: &BidList) -> Vec<usize> {
        list.iter().map(|bid| bid.index.get() as usize).collect()
    }

    #[test]
    fn bids_stand_at_their_indices_over_the_ends_of_pieces() {
        for count in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE] {
            let list = list(count);
            assert_eq!((list.len(), list.submitted(), list.is_empty()), (count, count, count == 0));
            assert_eq!(indices(&list), (0..count).collect::<Vec<_>>());
            assert!(list.get(count).is_none());
            assert!((0..count).all(|index| list[index] == bid(index)));
            assert_eq!(list.range(0..count).map(|all| all.len()), Some(count));
            assert!(list.range(0..count + 1).is_none());
        }
    }

    #[test]
    fn what_was_taken_out_leaves_the_others_at_their_indices() {
        let mut list = list(PIECE + 10);
        list.retain(|index| index.get().is_multiple_of(2));
        assert_eq!((list.len(), list.submitted()), (PIECE / 2 + 5, PIECE + 10));
        assert!(list.get(3).is_none() && list.get(PIECE + 2).is_some());
        list.push(bid(PIECE + 10));
        assert_eq!(list.get(PIECE + 10), Some(&bid(PIECE + 10)));
    }

    #[test]
    fn the_newest_bid_can_be_taken_off() {
        let mut list = list(PIECE + 1);
        for left in (0..=PIECE).rev() {
            assert_eq!(list.pop(), Some(bid(left)));
            assert_eq!(indices(&list).len(), left);
        }
        assert_eq!((list.pop(), list), (None, BidList::default()));
    }
}
