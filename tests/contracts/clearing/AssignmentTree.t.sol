// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {MerkleProofLib} from "solady/utils/MerkleProofLib.sol";
import {AssignmentTree} from "../../../contracts/clearing/AssignmentTree.sol";
import {PlainScan} from "../support/PlainScan.sol";
import {ScanRunner} from "../support/ScanRunner.sol";
import {SlowMerkle} from "../support/SlowMerkle.sol";

/// @notice The tree over the tasks of a round, as a scan over its entries builds it.
contract AssignmentTreeTest is Test {
    ScanRunner private _runner = new ScanRunner();

    function test_rootAndProofsAreThoseOfATreeBuiltLevelByLevel() public view {
        for (uint256 n = 1; n <= 300; ++n) {
            this.check(n, bytes32(n), 0);
        }
    }

    function testFuzz_rootAndProofsAreThoseOfATreeBuiltLevelByLevel(uint256 n, bytes32 salt, uint256 cut)
        public
        view
    {
        n = bound(n, 1, 128);
        this.check(n, salt, bound(cut, 0, n));
    }

    /// @dev Single bids that all win, of which the first `cut` are in a run of their own.
    function check(uint256 n, bytes32 salt, uint256 cut) external view {
        bytes32[] memory leaves = new bytes32[](n);
        PlainScan.State memory s;
        s.provers = new PlainScan.Prover[](1);
        s.provers[0].seat = uint8(salt[0]) % 128;
        AssignmentTree.Frontier memory plain;
        bytes32[] memory first = new bytes32[](cut);
        bytes32[] memory second = new bytes32[](n - cut);
        for (uint256 i; i < n; ++i) {
            uint144 ticket = uint144(uint256(keccak256(abi.encode(salt, i))));
            bytes32 word = bytes32(abi.encodePacked(uint64(1), uint32(1), uint16(0), ticket));
            if (i < cut) first[i] = word;
            else second[i - cut] = word;
            leaves[i] = keccak256(abi.encode(word, i, s.provers[0].seat));
            PlainScan.push(plain, leaves[i]);
        }
        s = _runner.run(_runner.run(s, first), second);
        assertEq(keccak256(abi.encode(s.tree)), keccak256(abi.encode(plain)));
        bytes32 root = AssignmentTree.root(s.tree);
        assertEq(root, SlowMerkle.root(leaves));
        if (n > 128) return;
        uint256 last = n - 1;
        assertTrue(MerkleProofLib.verify(SlowMerkle.path(leaves, 0), root, leaves[0]));
        assertTrue(MerkleProofLib.verify(SlowMerkle.path(leaves, n / 2), root, leaves[n / 2]));
        assertTrue(MerkleProofLib.verify(SlowMerkle.path(leaves, last), root, leaves[last]));
        assertFalse(MerkleProofLib.verify(SlowMerkle.path(leaves, last), root, keccak256("no leaf")));
    }

    function test_noLeafHasNoRoot() public pure {
        AssignmentTree.Frontier memory tree;
        assertEq(AssignmentTree.root(tree), 0);
    }
}
