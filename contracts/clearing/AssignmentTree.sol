// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";

/// @notice Merkle tree built leaf by leaf in constant memory, so that a settlement can build it in the same pass, and
/// in pages. Pairs are hashed in ascending order and an odd node moves up as it is, so proofs are those of
/// `solady/utils/MerkleProofLib.sol`.
library AssignmentTree {
    /// @notice Roots of the complete subtrees of the leaves so far: `peaks[i]` covers 2^i leaves and counts if bit i of
    /// `count` is set.
    struct Frontier {
        uint256 count;
        bytes32[32] peaks;
    }

    /// @dev Fewer than 2^32 leaves, as indices of bids are 32 bits. In assembly, because a round's settlement does this once
    /// a winning bid; the tests hold it against a tree built level by level.
    function push(Frontier memory tree, bytes32 leaf) internal pure {
        assembly ("memory-safe") {
            let carry := mload(tree)
            mstore(tree, add(carry, 1))
            let peak := mload(add(tree, 0x20))
            for {} and(carry, 1) { carry := shr(1, carry) } {
                // `leaf` becomes the node over the peak and itself, as `_node` makes it.
                let left := mload(peak)
                let at := shl(5, gt(left, leaf))
                mstore(at, left)
                mstore(xor(at, 0x20), leaf)
                leaf := keccak256(0x00, 0x40)
                peak := add(peak, 0x20)
            }
            mstore(peak, leaf)
        }
    }

    /// @return node Root over all leaves, zero without any.
    function root(Frontier memory tree) internal pure returns (bytes32 node) {
        uint256 level;
        for (uint256 rest = tree.count; rest != 0; rest >>= 1) {
            if (rest & 1 == 1) {
                bytes32 peak = tree.peaks[level];
                node = node == 0 ? peak : _node(peak, node);
            }
            unchecked {
                ++level; // below 256, as `rest` has run out by then
            }
        }
    }

    function _node(bytes32 a, bytes32 b) private pure returns (bytes32) {
        return a < b ? EfficientHashLib.hash(a, b) : EfficientHashLib.hash(b, a);
    }
}
