//! A sorted table in pieces that its copies share.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::sync::Arc;

/// Values by key, such as the entries of a round. A copy shares all pieces, of at most `N` keys each, and a change costs a copy of
/// the one that it falls into: a history has some copies of itself to go back to, which may hold millions of entries.
#[derive(Clone)]
pub(super) struct Pieces<K, T, const N: usize = 256> {
    /// Each under a key that is not after its first one. None is empty.
    pieces: BTreeMap<K, Arc<Vec<(K, T)>>>,
    len: usize,
}

impl<K, T, const N: usize> Default for Pieces<K, T, N> {
    fn default() -> Self {
        Self { pieces: BTreeMap::new(), len: 0 }
    }
}

impl<K: Copy + Ord, T: Clone, const N: usize> Pieces<K, T, N> {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn contains(&self, key: K) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn get(&self, key: K) -> Option<&T> {
        self.nearest(key).filter(|(found, _)| *found == key).map(|(_, value)| value)
    }

    /// The last entry up to `key`.
    pub(super) fn nearest(&self, key: K) -> Option<(K, &T)> {
        for piece in self.pieces.range(..=key).rev().map(|(_, piece)| piece) {
            // Only what was under the piece's own key may have been removed, so that the one before it is looked at.
            let after = piece.partition_point(|(other, _)| *other <= key);
            if let Some((found, value)) = after.checked_sub(1).and_then(|at| piece.get(at)) {
                return Some((*found, value));
            }
        }
        None
    }

    pub(super) fn get_mut(&mut self, key: K) -> Option<&mut T> {
        let piece = self.pieces.range_mut(..=key).next_back()?.1;
        let at = piece.binary_search_by_key(&key, |(key, _)| *key).ok()?;
        Arc::make_mut(piece).get_mut(at).map(|(_, value)| value)
    }

    pub(super) fn insert(&mut self, key: K, value: T) {
        if let Some(known) = self.get_mut(key) {
            *known = value;
            return;
        }
        self.len = self.len.saturating_add(1);
        let Some((_, piece)) = self.pieces.range_mut(..=key).next_back() else {
            self.pieces.insert(key, Arc::new(vec![(key, value)]));
            return;
        };
        let at = piece.partition_point(|(other, _)| *other < key);
        if piece.len() < N {
            Arc::make_mut(piece).insert(at, (key, value));
            return;
        }
        // A full one ends where the new key comes, and in the middle at the latest; what is added at the end leaves it full.
        let mut tail = if at == piece.len() { Vec::new() } else { Arc::make_mut(piece).split_off(N / 2) };
        let in_tail = at.checked_sub(N / 2).filter(|_| !tail.is_empty());
        match in_tail {
            Some(at) => tail.insert(at, (key, value)),
            None if tail.is_empty() => tail.push((key, value)),
            None => Arc::make_mut(piece).insert(at, (key, value)),
        }
        if let Some((first, _)) = tail.first() {
            self.pieces.insert(*first, Arc::new(tail));
        }
    }

    pub(super) fn remove(&mut self, key: K) -> Option<T> {
        let (under, piece) = self.pieces.range_mut(..=key).next_back()?;
        let under = *under;
        let at = piece.binary_search_by_key(&key, |(key, _)| *key).ok()?;
        let (_, value) = Arc::make_mut(piece).remove(at);
        if piece.is_empty() {
            self.pieces.remove(&under);
        }
        self.len = self.len.saturating_sub(1);
        Some(value)
    }

    /// Removes what `wanted` does not name. Pieces without any of it stay shared.
    pub(super) fn retain(&mut self, wanted: impl Fn(K) -> bool) {
        for piece in self.pieces.values_mut() {
            if piece.iter().any(|(key, _)| !wanted(*key)) {
                *piece = Arc::new(piece.iter().filter(|(key, _)| wanted(*key)).cloned().collect());
            }
        }
        self.pieces.retain(|_, piece| !piece.is_empty());
        self.len = self.pieces.values().map(|piece| piece.len()).sum();
    }

    /// All entries, ascending.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (K, &T)> + Clone {
        self.pieces.values().flat_map(|piece| piece.iter()).map(|(key, value)| (*key, value))
    }

    /// The entries from `key` on, ascending.
    pub(super) fn from(&self, key: K) -> impl Iterator<Item = (K, &T)> {
        let begin = self.pieces.range(..=key).next_back().map_or(key, |(under, _)| *under);
        let pieces = self.pieces.range(begin..).flat_map(|(_, piece)| piece.iter());
        pieces.skip_while(move |(other, _)| *other < key).map(|(key, value)| (*key, value))
    }
}

impl<K: Copy + Ord, T: Clone + Default, const N: usize> Pieces<K, T, N> {
    /// The value of `key`, the default one if there was none.
    pub(super) fn or_default(&mut self, key: K) -> &mut T {
        if !self.contains(key) {
            self.insert(key, T::default());
        }
        #[expect(clippy::unwrap_used, reason = "it was inserted if it was not there")]
        self.get_mut(key).unwrap()
    }
}

/// What they hold counts, and not how it is cut.
impl<K: Copy + Ord, T: Clone + PartialEq, const N: usize> PartialEq for Pieces<K, T, N> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<K: Copy + Ord, T: Clone + Eq, const N: usize> Eq for Pieces<K, T, N> {}

impl<K: Copy + Ord + Debug, T: Clone + Debug, const N: usize> Debug for Pieces<K, T, N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn up_to(count: u32) -> Pieces<u32, u32> {
        let mut pieces = Pieces::default();
        (0..count).for_each(|key| pieces.insert(key, key * 10));
        pieces
    }

    #[test]
    fn a_copy_shares_all_pieces_but_those_that_change() {
        let before = up_to(2 * 256 + 5);
        let mut after = before.clone();
        after.insert(2 * 256 + 5, 0);
        assert_eq!(after.remove(3), Some(30));
        let pairs = before.pieces.values().zip(after.pieces.values());
        assert_eq!(pairs.filter(|(a, b)| Arc::ptr_eq(a, b)).count(), 1);
        assert_eq!((before.len(), before.get(3), after.get(3)), (2 * 256 + 5, Some(&30), None));
    }

    #[test]
    fn keys_far_apart_fill_pieces_as_well_as_near_ones() {
        let mut pieces = Pieces::<u32, u32>::default();
        (0..1_024).for_each(|key| pieces.insert(key * 16_383, key));
        assert_eq!((pieces.pieces.len(), pieces.get(16_383)), (4, Some(&1)));
    }

    proptest! {
        #[test]
        fn it_holds_what_a_sorted_map_holds(steps in prop::collection::vec((0..3_u8, 0..1_000_u32), 0..300)) {
            let (mut pieces, mut map) = (Pieces::<u32, u32, 8>::default(), BTreeMap::new());
            for (what, key) in steps {
                match what {
                    0 | 1 => {
                        pieces.insert(key, key);
                        map.insert(key, key);
                    }
                    _ => prop_assert_eq!(pieces.remove(key), map.remove(&key)),
                }
                let nearest = map.range(..=500).next_back().map(|(key, value)| (*key, value));
                prop_assert_eq!(pieces.nearest(500), nearest);
                prop_assert!(pieces.pieces.values().all(|piece| !piece.is_empty() && piece.len() <= 8));
            }
            prop_assert!(pieces.iter().eq(map.iter().map(|(key, value)| (*key, value))));
            prop_assert!(pieces.from(500).eq(map.range(500..).map(|(key, value)| (*key, value))));
            prop_assert_eq!(pieces.len(), map.len());
            pieces.retain(|key| key % 3 == 0);
            map.retain(|key, _| key % 3 == 0);
            prop_assert!(pieces.iter().eq(map.iter().map(|(key, value)| (*key, value))));
            prop_assert_eq!((pieces.len(), pieces.is_empty()), (map.len(), map.is_empty()));
        }
    }
}
