// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BidChain} from "../types/BidChain.sol";
import {Certificate} from "../types/Certificate.sol";
import {Mechanism} from "../types/Mechanism.sol";
import {AssignmentTree} from "./AssignmentTree.sol";
import {Claim, ClosedRound, Pass, ProverSide, Tally} from "./Claim.sol";
import {Winner} from "./Winner.sol";

/// @notice A pass between two pages, with what the first page has read from the seats, in few words: each page pays for them in its
/// calldata, and for those that it leaves in a log.
///
///     running hash and number of bids where the page started, as in `BidChain`
///     offset there (64) | between (64) | pivot size (32) | nothing (64) | number of leaves (24) | number of winners (8)
///     above
///     has next (8) | waiting (40) | next capacity (40) | capacity (40) | next price (64) | price (64)
///     `average-fee` alone: offered, and paid
///     for each winner a `Winner`
///     the peaks of the tree that count, the smallest first
///
/// @dev The market stores a hash of it, so that whoever unpacks it may take it for what was packed. Every field has room: offsets are at
/// most the certificate's units, sums of sizes below 2^56, and of capacities below 2^40.
library Progress {
    /// @dev Leaves are counted in 24 bits.
    uint256 private constant MAX_PEAKS = 24;
    uint256 private constant MAX_HEAD = 6;

    /// @notice Number of bids before the page that left this.
    function bidsBefore(bytes calldata progress) internal pure returns (uint256) {
        return BidChain.wrap(_word(progress, 0)).count();
    }

    function pack(Pass memory pass, Claim memory claim) internal pure returns (bytes memory progress) {
        Winner[] memory winners = claim.side.winners;
        uint256 n = winners.length;
        uint256[] memory words = new uint256[](MAX_HEAD + n + MAX_PEAKS);
        uint256 leaves = pass.tree.count;
        Tally memory tally = pass.tally;
        words[0] = BidChain.unwrap(pass.start.chain);
        words[1] =
            (pass.start.offset << 192) | (tally.between << 128) | (pass.pivotSize << 96) | (leaves << 8) | n;
        words[2] = tally.above;
        words[3] = _packSide(claim.side);
        uint256 at = _head(claim.closed.mechanism);
        if (at == MAX_HEAD) (words[4], words[5]) = (tally.offered, tally.paid);
        assembly ("memory-safe") {
            mcopy(add(words, add(0x20, shl(5, at))), add(winners, 0x20), shl(5, n))
        }
        at += n;
        for (uint256 level; leaves != 0; ++level) {
            if (leaves & 1 == 1) words[at++] = uint256(pass.tree.peaks[level]);
            leaves >>= 1;
        }
        assembly ("memory-safe") {
            mstore(words, shl(5, at))
            progress := words
        }
    }

    function unpack(bytes calldata progress, ClosedRound memory closed, Certificate memory certificate)
        internal
        pure
        returns (Pass memory pass, Claim memory claim)
    {
        (claim.closed, claim.certificate) = (closed, certificate);
        uint256 word = _word(progress, 1);
        pass.start.chain = BidChain.wrap(_word(progress, 0));
        pass.start.offset = word >> 192;
        pass.tally.between = (word >> 128) & type(uint64).max;
        pass.pivotSize = (word >> 96) & type(uint32).max;
        pass.tally.above = _word(progress, 2);
        _unpackSide(claim.side, _word(progress, 3));
        uint256 at = _head(closed.mechanism);
        if (at == MAX_HEAD) (pass.tally.offered, pass.tally.paid) = (_word(progress, 4), _word(progress, 5));
        uint256 n = word & type(uint8).max;
        Winner[] memory winners = new Winner[](n);
        assembly ("memory-safe") {
            calldatacopy(add(winners, 0x20), add(progress.offset, shl(5, at)), shl(5, n))
        }
        claim.side.winners = winners;
        at += n;
        uint256 leaves = (word >> 8) & type(uint24).max;
        AssignmentTree.Frontier memory tree = pass.tree;
        tree.count = leaves;
        for (uint256 level; leaves != 0; ++level) {
            if (leaves & 1 == 1) tree.peaks[level] = bytes32(_word(progress, at++));
            leaves >>= 1;
        }
    }

    function _packSide(ProverSide memory side) private pure returns (uint256) {
        return (side.hasNext ? 1 << 248 : 0) | (side.waiting << 208) | (side.nextCapacity << 168)
            | (side.capacity << 128) | (side.nextPrice << 64) | side.price;
    }

    function _unpackSide(ProverSide memory side, uint256 word) private pure {
        side.hasNext = word >> 248 != 0;
        side.waiting = (word >> 208) & type(uint40).max;
        side.nextCapacity = (word >> 168) & type(uint40).max;
        side.capacity = (word >> 128) & type(uint40).max;
        side.nextPrice = (word >> 64) & type(uint64).max;
        side.price = word & type(uint64).max;
    }

    /// @return Number of words before the winners.
    function _head(Mechanism mechanism) private pure returns (uint256) {
        return mechanism == Mechanism.Core ? MAX_HEAD - 2 : MAX_HEAD;
    }

    function _word(bytes calldata progress, uint256 place) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(progress.offset, shl(5, place)))
        }
    }
}
