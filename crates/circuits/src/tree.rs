//! The Merkle tree of accounts: 256 leaves, Poseidon nodes, and multi-proofs that share siblings.

use std::collections::BTreeSet;

use ark_bn254::Fr;
use ark_ff::Zero;

use crate::poseidon;

/// Levels between a leaf and the root.
pub(crate) const DEPTH: usize = 8;
/// Number of leaves.
pub(crate) const LEAVES: usize = 1 << DEPTH;

/// The siblings of a leaf and of its ancestors, from the leaf up.
pub(crate) type Path = [Fr; DEPTH];

/// All nodes in heap order: the root is node 1, the children of node `i` are `2i` and `2i + 1`, leaf `i` is node `256 + i`.
///
/// An unregistered leaf is zero, which no account hashes to. A tree rebuilt from a multi-proof leaves the nodes unset that
/// its covered leaves do not need; only paths of covered leaves may be taken from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tree {
    nodes: Vec<Fr>,
}

impl Tree {
    /// A tree over all `LEAVES` leaves; missing ones are zero.
    pub(crate) fn new(leaves: impl IntoIterator<Item = (u8, Fr)>) -> Self {
        let mut nodes = vec![Fr::zero(); 2 * LEAVES];
        for (index, leaf) in leaves {
            nodes[LEAVES + usize::from(index)] = leaf;
        }
        // Empty subtrees repeat, and one hash each saves most of the work for sparse states.
        let mut empty = Fr::zero();
        for level in (0..DEPTH).rev() {
            let next_empty = poseidon::hash([empty, empty]);
            for node in (1 << level)..(2 << level) {
                let (left, right) = (nodes[2 * node], nodes[2 * node + 1]);
                nodes[node] =
                    if left == empty && right == empty { next_empty } else { poseidon::hash([left, right]) };
            }
            empty = next_empty;
        }
        Self { nodes }
    }

    /// Rebuilds what can be known from the covered `leaves` and the `siblings` that [`Tree::siblings`] gave for them.
    ///
    /// `None` unless the number of siblings is exactly what the leaves call for.
    pub(crate) fn from_siblings(leaves: &[(u8, Fr)], siblings: &[Fr]) -> Option<Self> {
        let needed = sibling_nodes(leaves.iter().map(|(index, _)| *index));
        if needed.len() != siblings.len() {
            return None;
        }
        let mut tree = Self { nodes: vec![Fr::zero(); 2 * LEAVES] };
        for (node, sibling) in needed.into_iter().zip(siblings) {
            tree.nodes[node] = *sibling;
        }
        let mut known: BTreeSet<usize> = BTreeSet::new();
        for (index, leaf) in leaves {
            let node = LEAVES + usize::from(*index);
            tree.nodes[node] = *leaf;
            known.insert(node / 2);
        }
        for _ in 0..DEPTH {
            for node in &known {
                tree.hash_children(*node);
            }
            known = known.into_iter().map(|node| node / 2).collect();
        }
        Some(tree)
    }

    /// The hashes that somebody who knows the covered leaves lacks to compute the root, from the leaves up.
    pub(crate) fn siblings(&self, covered: impl IntoIterator<Item = u8>) -> Vec<Fr> {
        sibling_nodes(covered).into_iter().map(|node| self.nodes[node]).collect()
    }

    pub(crate) fn root(&self) -> Fr {
        self.nodes[1]
    }

    pub(crate) fn path(&self, index: u8) -> Path {
        let leaf = LEAVES + usize::from(index);
        std::array::from_fn(|level| self.nodes[(leaf >> level) ^ 1])
    }

    pub(crate) fn set(&mut self, index: u8, leaf: Fr) {
        let mut node = LEAVES + usize::from(index);
        self.nodes[node] = leaf;
        while node > 1 {
            node /= 2;
            self.hash_children(node);
        }
    }

    fn hash_children(&mut self, node: usize) {
        self.nodes[node] = poseidon::hash([self.nodes[2 * node], self.nodes[2 * node + 1]]);
    }
}

/// Nodes next to the paths of the covered leaves but on none of them: level by level from the leaves, ascending.
fn sibling_nodes(covered: impl IntoIterator<Item = u8>) -> Vec<usize> {
    let mut level: BTreeSet<usize> = covered.into_iter().map(|index| LEAVES + usize::from(index)).collect();
    let mut nodes = Vec::new();
    for _ in 0..DEPTH {
        nodes.extend(level.iter().map(|node| node ^ 1).filter(|sibling| !level.contains(sibling)));
        level = level.into_iter().map(|node| node / 2).collect();
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn full_tree() -> Tree {
        Tree::new((0..=255u8).map(|index| (index, Fr::from(u64::from(index) + 1))))
    }

    #[test]
    fn setting_leaves_one_by_one_gives_the_tree_built_at_once() {
        let mut tree = Tree::new([]);
        for index in 0..=255u8 {
            tree.set(index, Fr::from(u64::from(index) + 1));
        }
        assert_eq!(tree, full_tree());
    }

    #[test]
    fn neighbours_need_no_sibling_of_their_own() {
        assert_eq!(full_tree().siblings([6, 7]).len(), DEPTH - 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn multi_proof_rebuilds_root_and_paths(covered in prop::collection::btree_set(any::<u8>(), 1..9)) {
            let tree = full_tree();
            let siblings = tree.siblings(covered.iter().copied());
            let leaves: Vec<_> = covered.iter().map(|i| (*i, Fr::from(u64::from(*i) + 1))).collect();
            let rebuilt = Tree::from_siblings(&leaves, &siblings).unwrap();
            prop_assert_eq!(rebuilt.root(), tree.root());
            for index in covered {
                prop_assert_eq!(rebuilt.path(index), tree.path(index));
            }
            prop_assert!(Tree::from_siblings(&leaves, &siblings[1..]).is_none());
        }
    }
}
