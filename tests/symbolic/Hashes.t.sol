// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AssignmentTree} from "../../contracts/clearing/AssignmentTree.sol";
import {BidChain, BidChainLib} from "../../contracts/types/BidChain.sol";
import {BidWord, BidWordLib} from "../../contracts/types/BidWord.sol";
import {CircuitId} from "../../contracts/types/CircuitId.sol";
import {MarketId} from "../../contracts/types/MarketId.sol";
import {CommitmentLib} from "../../contracts/types/Sealed.sol";
import {StatementLib} from "../../contracts/types/Statement.sol";
import {TaskLib} from "../../contracts/types/Task.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice What a hash binds. The solver takes keccak256 for a function that gives different results for different inputs.
contract HashesSymbolic is Symbolic {
    /// @dev A run, as told by a task of it.
    struct Leaf {
        BidWord word;
        uint32 index;
        uint16 position;
        uint16 runBefore;
        uint16 runAfter;
        uint8 seat;
    }

    struct Said {
        CircuitId circuit;
        uint16 position;
        bytes32 inputs;
        bytes32 data;
    }

    /// @dev Of a run that there is, and of what anybody may say: the same leaf is the same run.
    function check_assignmentLeafBindsAllOfARun(Leaf memory a, Leaf memory b) external pure {
        vm.assume(a.runBefore <= a.position && a.runBefore <= a.index);
        bool same = BidWord.unwrap(a.word) == BidWord.unwrap(b.word) && a.seat == b.seat
            && _first(a.index, a.runBefore) == _first(b.index, b.runBefore)
            && _first(a.position, a.runBefore) == _first(b.position, b.runBefore)
            && uint256(a.runBefore) + a.runAfter == uint256(b.runBefore) + b.runAfter;
        assert((_leaf(a) == _leaf(b)) == same);
    }

    /// @dev Whoever leads to the leaf of a run that there is names one of its tasks, and each by one number.
    function check_taskOfALeafLiesInItsRun(Leaf memory a, Leaf memory b) external pure {
        vm.assume(a.runBefore <= a.position && a.runBefore <= a.index);
        vm.assume(_leaf(a) == _leaf(b));
        uint256 first = uint256(a.position) - a.runBefore;
        assert(b.position >= first && b.position <= uint256(a.position) + a.runAfter);
        assert(_first(b.index, b.position) == _first(a.index, a.position));
        assert(a.index != b.index || (a.position == b.position && a.runBefore == b.runBefore));
    }

    function _first(uint256 at, uint256 before) private pure returns (int256) {
        return int256(at) - int256(before);
    }

    function check_statementLeafBindsAllOfAStatement(Said memory a, Said memory b) external pure {
        bool same =
            a.circuit == b.circuit && a.position == b.position && a.inputs == b.inputs && a.data == b.data;
        assert((_leaf(a) == _leaf(b)) == same);
    }

    function check_nodeIsNoLeaf(bytes32 left, bytes32 right, Leaf memory task, Said memory said)
        external
        pure
    {
        bytes32 node = AssignmentTree.node(left, right);
        assert(node != _leaf(task) && node != _leaf(said));
        assert(node == AssignmentTree.node(right, left));
    }

    function check_nodeBindsWhatIsBelowIt(bytes32 a, bytes32 b, bytes32 c, bytes32 d) external pure {
        bool same = (a == c && b == d) || (a == d && b == c);
        assert((AssignmentTree.node(a, b) == AssignmentTree.node(c, d)) == same);
    }

    /// @dev A commitment of one requester is none of another's, whatever the round.
    function check_commitmentBindsWhoMadeIt(
        BidChain seed,
        BidChain otherSeed,
        address requester,
        address other,
        BidWord word,
        BidWord otherWord,
        bytes32 salt
    ) external pure {
        bytes32 a = CommitmentLib.ofBid(seed, requester, word, salt);
        bytes32 b = CommitmentLib.ofBid(otherSeed, other, otherWord, salt);
        bool same = BidChain.unwrap(seed) == BidChain.unwrap(otherSeed) && requester == other
            && BidWord.unwrap(word) == BidWord.unwrap(otherWord);
        assert((a == b) == same);
    }

    function check_askCommitmentBindsProverSeatAndCost(
        BidChain seed,
        address[2] memory prover,
        uint8[2] memory seat,
        uint64[2] memory cost,
        bytes32 salt
    ) external pure {
        bytes32 a = CommitmentLib.ofAsk(seed, prover[0], seat[0], cost[0], salt);
        bytes32 b = CommitmentLib.ofAsk(seed, prover[1], seat[1], cost[1], salt);
        bool same = prover[0] == prover[1] && seat[0] == seat[1] && cost[0] == cost[1];
        assert((a == b) == same);
    }

    /// @dev Before it is cut to its 200 bits: the whole hash of what stands for a round.
    function check_seedDependsOnItsMarketAndRoundAlone(MarketId id, uint256 round) external view {
        BidChain seed = BidChainLib.seed(id, round);
        bytes32 whole = keccak256(abi.encode(block.chainid, address(this), id, round));
        assert(BidChain.unwrap(seed) == uint256(whole) >> 56 << 56);
        assert(seed.count() == 0);
    }

    /// @dev The words of two bids: each, and their order, is in the hash.
    function check_runningHashIsThatOfEveryWordInOrder(BidChain chain, BidWord first, BidWord second)
        external
        pure
    {
        vm.assume(chain.hasRoomFor(first) && chain.absorb(first).hasRoomFor(second));
        (uint256 hash,) = chain.absorb(first).absorb(second).split();
        uint256 inner = uint256(keccak256(abi.encode(BidChain.unwrap(chain) >> 56 << 56, first)));
        uint256 outer = uint256(keccak256(abi.encode(inner >> 56 << 56, second)));
        assert(hash == outer >> 56 << 56);
    }

    function check_rootOfThreeLeavesIsThatOfTheirNodes(bytes32 a, bytes32 b, bytes32 c) external pure {
        vm.assume(c != 0);
        AssignmentTree.Frontier memory tree;
        tree.count = 3;
        (tree.peaks[0], tree.peaks[1]) = (c, AssignmentTree.node(a, b));
        assert(AssignmentTree.root(tree) == AssignmentTree.node(AssignmentTree.node(a, b), c));
    }

    function _leaf(Leaf memory l) private pure returns (bytes32) {
        return TaskLib.leaf(l.word, l.index, l.position, l.runBefore, l.runAfter, l.seat);
    }

    function _leaf(Said memory s) private pure returns (bytes32) {
        return StatementLib.leaf(s.circuit, s.position, s.inputs, s.data);
    }
}
