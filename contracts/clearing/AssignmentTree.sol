// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";

/// @notice Merkle tree built leaf by leaf in constant memory (by `EntryScan`), so that a settlement can build it in the same pass, and
/// in pages. Pairs are hashed in ascending order and an odd node moves up as it is, so proofs are those of
/// `solady/utils/MerkleProofLib.sol`.
library AssignmentTree {
    /// @notice Roots of the complete subtrees of the leaves so far: `peaks[i]` covers 2^i leaves and counts if bit i of
    /// `count` is set.
    struct Frontier {
        uint256 count;
        bytes32[32] peaks;
    }

    /// @return top Root over all leaves, zero without any.
    function root(Frontier memory tree) internal pure returns (bytes32 top) {
        uint256 level;
        for (uint256 rest = tree.count; rest != 0; rest >>= 1) {
            if (rest & 1 == 1) {
                bytes32 peak = tree.peaks[level];
                top = top == 0 ? peak : node(peak, top);
            }
            unchecked {
                ++level; // below 256, as `rest` has run out by then
            }
        }
    }

    /// @notice The node over two others.
    function node(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return a < b ? EfficientHashLib.hash(a, b) : EfficientHashLib.hash(b, a);
    }
}
