//! A sorted table in pieces that its copies share.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Keys that one piece covers.
const PIECE: u32 = 256;

/// Values by number, such as that of a bid. A copy shares all pieces, and a change costs a copy of the one that it falls into: a
/// history has some copies of itself to go back to, which may hold millions of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pieces<T> {
    /// Piece `p` holds keys from `p * PIECE` on, ascending. None is empty.
    pieces: BTreeMap<u32, Arc<Vec<(u32, T)>>>,
    len: usize,
}

impl<T> Default for Pieces<T> {
    fn default() -> Self {
        Self { pieces: BTreeMap::new(), len: 0 }
    }
}

impl<T: Clone> Pieces<T> {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn get(&self, key: u32) -> Option<&T> {
        let piece = self.pieces.get(&(key / PIECE))?;
        let at = piece.binary_search_by_key(&key, |(key, _)| *key).ok()?;
        piece.get(at).map(|(_, value)| value)
    }

    pub(super) fn insert(&mut self, key: u32, value: T) {
        let piece = Arc::make_mut(self.pieces.entry(key / PIECE).or_default());
        match piece.binary_search_by_key(&key, |(key, _)| *key) {
            Ok(at) => {
                if let Some(entry) = piece.get_mut(at) {
                    entry.1 = value;
                }
            }
            Err(at) => {
                piece.insert(at, (key, value));
                self.len = self.len.saturating_add(1);
            }
        }
    }

    pub(super) fn remove(&mut self, key: u32) -> Option<T> {
        let piece = self.pieces.get_mut(&(key / PIECE))?;
        let at = piece.binary_search_by_key(&key, |(key, _)| *key).ok()?;
        let (_, value) = Arc::make_mut(piece).remove(at);
        if piece.is_empty() {
            self.pieces.remove(&(key / PIECE));
        }
        self.len = self.len.saturating_sub(1);
        Some(value)
    }

    /// Removes what `wanted` does not name. Pieces without any of it stay shared.
    pub(super) fn retain(&mut self, wanted: impl Fn(u32) -> bool) {
        for piece in self.pieces.values_mut() {
            if piece.iter().any(|(key, _)| !wanted(*key)) {
                *piece = Arc::new(piece.iter().filter(|(key, _)| wanted(*key)).cloned().collect());
            }
        }
        self.pieces.retain(|_, piece| !piece.is_empty());
        self.len = self.pieces.values().map(|piece| piece.len()).sum();
    }

    /// All entries, ascending.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (u32, &T)> + Clone {
        self.pieces.values().flat_map(|piece| piece.iter()).map(|(key, value)| (*key, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn up_to(count: u32) -> Pieces<u32> {
        let mut pieces = Pieces::default();
        (0..count).for_each(|key| pieces.insert(key, key * 10));
        pieces
    }

    #[test]
    fn a_copy_shares_all_pieces_but_those_that_change() {
        let before = up_to(2 * PIECE + 5);
        let mut after = before.clone();
        after.insert(2 * PIECE + 5, 0);
        assert_eq!(after.remove(3), Some(30));
        let pairs = before.pieces.values().zip(after.pieces.values());
        assert_eq!(pairs.filter(|(a, b)| Arc::ptr_eq(a, b)).count(), 1);
        assert_eq!((before.len(), before.get(3), after.get(3)), (2 * PIECE as usize + 5, Some(&30), None));
    }

    #[test]
    fn a_far_key_costs_no_more_than_a_near_one() {
        let mut pieces = Pieces::default();
        pieces.insert(u32::MAX, 1);
        assert_eq!((pieces.pieces.len(), pieces.get(u32::MAX)), (1, Some(&1)));
    }

    proptest! {
        #[test]
        fn it_holds_what_a_sorted_map_holds(steps in prop::collection::vec((0..3_u8, 0..1_000_u32), 0..300)) {
            let (mut pieces, mut map) = (Pieces::default(), BTreeMap::new());
            for (what, key) in steps {
                match what {
                    0 | 1 => {
                        pieces.insert(key, key);
                        map.insert(key, key);
                    }
                    _ => prop_assert_eq!(pieces.remove(key), map.remove(&key)),
                }
            }
            prop_assert!(pieces.iter().eq(map.iter().map(|(key, value)| (*key, value))));
            prop_assert_eq!(pieces.len(), map.len());
            pieces.retain(|key| key % 3 == 0);
            map.retain(|key, _| key % 3 == 0);
            prop_assert!(pieces.iter().eq(map.iter().map(|(key, value)| (*key, value))));
            prop_assert_eq!((pieces.len(), pieces.is_empty()), (map.len(), map.is_empty()));
        }
    }
}
