//! Merkle trees over assignments and over statements.

use super::{BidWord, hash_words};
use alloy::primitives::{B256, U256};
use market_types::{AskIndex, BidIndex, LotSize};

/// Leaf of a round's assignment tree, a run: `length` bids of the entry `word` are proved by `seat`, from its bid number `position` on,
/// which is the round's bid `index`.
#[must_use]
pub fn assignment_leaf(
    word: BidWord,
    index: BidIndex,
    position: u16,
    length: LotSize,
    seat: AskIndex,
) -> B256 {
    let which: U256 = (U256::from(position) << 32) | U256::from(index.get());
    let further = length.get().saturating_sub(1);
    let who: U256 = (U256::from(further) << 8) | U256::from(seat.get());
    hash_words(&[word.get(), which.into(), who.into()])
}

/// A Merkle tree. Pairs are hashed in ascending order, an odd node moves up as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MerkleTree {
    /// From the leaves up; every level above has half as many nodes, and the last one the root.
    levels: Vec<Vec<B256>>,
}

impl MerkleTree {
    /// A tree over `leaves` in this order.
    #[must_use]
    pub fn new(leaves: Vec<B256>) -> Self {
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let level = below.chunks(2).map(|pair| pair.iter().copied().reduce(node).unwrap_or_default());
            let level = level.collect();
            levels.push(level);
        }
        Self { levels }
    }

    /// The root: of one leaf the leaf itself, without leaves zero, as the contract stores it.
    #[must_use]
    pub fn root(&self) -> B256 {
        self.levels.last().and_then(|level| level.first()).copied().unwrap_or_default()
    }

    /// Number of leaves.
    #[must_use]
    pub fn len(&self) -> usize {
        self.levels.first().map_or(0, Vec::len)
    }

    /// Whether there is no leaf.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Leaf `position`, `None` if there is no such leaf.
    #[must_use]
    pub fn leaf(&self, position: usize) -> Option<B256> {
        self.levels.first()?.get(position).copied()
    }

    /// The Merkle proof of leaf `position`, `None` if there is no such leaf.
    #[must_use]
    pub fn path(&self, position: usize) -> Option<Vec<B256>> {
        if position >= self.len() {
            return None;
        }
        let siblings = self.levels.iter().enumerate().map(|(height, level)| {
            let at = position.checked_shr(u32::try_from(height).ok()?)?;
            level.get(at ^ 1).copied()
        });
        // An odd node has no sibling and adds nothing to the proof; the root has none either.
        Some(siblings.flatten().collect())
    }
}

/// The node above two: they are hashed in ascending order.
pub(crate) fn node(a: B256, b: B256) -> B256 {
    if a < b { hash_words(&[a, b]) } else { hash_words(&[b, a]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_leaf_has_no_root_and_one_leaf_is_its_own() {
        assert_eq!(MerkleTree::new(vec![]).root(), B256::ZERO);
        let leaf = B256::repeat_byte(3);
        let tree = MerkleTree::new(vec![leaf]);
        assert_eq!((tree.root(), tree.path(0)), (leaf, Some(vec![])));
        assert_eq!((tree.leaf(0), tree.leaf(1), tree.path(1)), (Some(leaf), None, None));
    }

    proptest! {
        /// The check of the contract (solady's `MerkleProofLib`): hash the path up and compare with the root.
        #[test]
        fn every_path_leads_to_the_root(seeds in prop::collection::vec(any::<u64>(), 1..70)) {
            let leaves: Vec<B256> = seeds.iter().enumerate()
                .map(|(i, seed)| hash_words(&[U256::from(*seed).into(), U256::from(i).into()]))
                .collect();
            let tree = MerkleTree::new(leaves.clone());
            for (position, leaf) in leaves.iter().enumerate() {
                let path = tree.path(position).unwrap();
                prop_assert!(path.len() <= 7);
                prop_assert_eq!(path.into_iter().fold(*leaf, node), tree.root());
            }
        }
    }
}
