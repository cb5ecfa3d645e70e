// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {MerkleProofLib} from "solady/utils/MerkleProofLib.sol";
import {AssignmentTree} from "../../../contracts/clearing/AssignmentTree.sol";
import {SlowMerkle} from "../support/SlowMerkle.sol";

contract AssignmentTreeTest is Test {
    using AssignmentTree for AssignmentTree.Frontier;

    function test_rootAndProofsAreThoseOfATreeBuiltLevelByLevel() public pure {
        for (uint256 n = 1; n <= 40; ++n) {
            _check(n, bytes32(n));
        }
    }

    function testFuzz_rootAndProofsAreThoseOfATreeBuiltLevelByLevel(uint256 n, bytes32 salt) public pure {
        _check(bound(n, 1, 64), salt);
    }

    function _check(uint256 n, bytes32 salt) private pure {
        bytes32[] memory leaves = new bytes32[](n);
        AssignmentTree.Frontier memory tree;
        for (uint256 i; i < n; ++i) {
            leaves[i] = keccak256(abi.encode(salt, i));
            tree.push(leaves[i]);
        }
        bytes32 root = tree.root();
        assertEq(root, SlowMerkle.root(leaves));
        uint256 last = n - 1;
        assertTrue(MerkleProofLib.verify(SlowMerkle.path(leaves, 0), root, leaves[0]));
        assertTrue(MerkleProofLib.verify(SlowMerkle.path(leaves, n / 2), root, leaves[n / 2]));
        assertTrue(MerkleProofLib.verify(SlowMerkle.path(leaves, last), root, leaves[last]));
        assertFalse(MerkleProofLib.verify(SlowMerkle.path(leaves, last), root, keccak256("no leaf")));
    }

    /// @dev `push` without assembly: the leaf carries through the peaks as a one carries through the bits of a counter.
    function _plainPush(AssignmentTree.Frontier memory tree, bytes32 leaf) private pure {
        uint256 level;
        for (uint256 carry = tree.count; carry & 1 == 1; carry >>= 1) {
            bytes32 peak = tree.peaks[level++];
            leaf = peak < leaf
                ? keccak256(abi.encodePacked(peak, leaf))
                : keccak256(abi.encodePacked(leaf, peak));
        }
        tree.peaks[level] = leaf;
        ++tree.count;
    }

    function testFuzz_pushDoesWhatItsPlainVersionDoes(uint256 n, bytes32 salt) public pure {
        AssignmentTree.Frontier memory tree;
        AssignmentTree.Frontier memory plain;
        n = bound(n, 1, 70);
        for (uint256 i; i < n; ++i) {
            bytes32 leaf = keccak256(abi.encode(salt, i));
            tree.push(leaf);
            _plainPush(plain, leaf);
            assertEq(keccak256(abi.encode(tree)), keccak256(abi.encode(plain)));
        }
    }

    function test_noLeafHasNoRoot() public pure {
        AssignmentTree.Frontier memory tree;
        assertEq(tree.root(), 0);
    }
}
