// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AssignmentTree} from "../../../contracts/clearing/AssignmentTree.sol";

/// @notice What `EntryScan` does, in plain words: entry by entry, bid by bid, task by task, run by run.
library PlainScan {
    /// @notice A point in the order of bids: the higher fee first, of equal fees the lower index.
    struct Line {
        uint256 fee;
        uint256 index;
    }

    struct Prover {
        /// It has the tasks that start below this offset, and the last prover all that remain.
        uint256 until;
        uint256 seat;
        uint256 load;
    }

    struct State {
        uint256 hash;
        uint256 index;
        Line high;
        Line low;
        uint256 unitsAbove;
        uint256 offeredAbove;
        uint256 between;
        Line pivot;
        uint256 pivotSize;
        uint256 offset;
        /// Which prover's turn it is, and since which offset; what it has since then is not in its load yet.
        uint256 turn;
        uint256 from;
        Prover[] provers;
        AssignmentTree.Frontier tree;
        uint256 units;
        uint256 revenue;
        uint256 offered;
        uint256 paid;
    }

    struct Bid {
        uint256 fee;
        uint256 size;
        uint256 index;
        uint256 position;
    }

    /// @notice Tasks of an entry that fall to one prover: the first of them, how many there are, and whose they are.
    struct Run {
        Bid first;
        uint256 length;
        uint256 seat;
    }

    function run(State memory s, bytes32[] memory words) internal pure {
        for (uint256 i; i < words.length; ++i) {
            bytes32 word = words[i];
            s.hash = uint256(keccak256(abi.encode(s.hash, word))) >> 56 << 56;
            uint256 count = (uint256(uint16(bytes2(word << 96))) & 0x7fff) + 1;
            Run memory open;
            for (uint256 position; position < count; ++position) {
                _bid(s, word, open, Bid(uint64(bytes8(word)), uint32(bytes4(word << 64)), s.index, position));
                ++s.index;
            }
            _endRun(s, word, open);
        }
    }

    /// @notice Adds what the prover whose turn it is has had since.
    function close(State memory s) internal pure {
        s.provers[s.turn].load += s.offset - s.from;
        s.from = s.offset;
    }

    /// @notice The leaf carries through the peaks as a one carries through the bits of a counter.
    function push(AssignmentTree.Frontier memory tree, bytes32 leaf) internal pure {
        uint256 level;
        for (uint256 carry = tree.count; carry % 2 == 1; carry /= 2) {
            bytes32 peak = tree.peaks[level++];
            leaf = peak < leaf
                ? keccak256(abi.encodePacked(peak, leaf))
                : keccak256(abi.encodePacked(leaf, peak));
        }
        tree.peaks[level] = leaf;
        ++tree.count;
    }

    function isBefore(Bid memory bid, Line memory line) internal pure returns (bool) {
        return bid.fee > line.fee || (bid.fee == line.fee && bid.index < line.index);
    }

    function isAt(Bid memory bid, Line memory line) internal pure returns (bool) {
        return bid.fee == line.fee && bid.index == line.index;
    }

    function _bid(State memory s, bytes32 word, Run memory open, Bid memory bid) private pure {
        if (isBefore(bid, s.high) || isAt(bid, s.high)) {
            s.unitsAbove += bid.size;
            s.offeredAbove += bid.fee * bid.size;
        } else if (isBefore(bid, s.low) || isAt(bid, s.low)) {
            s.between += bid.size;
        }
        if (isAt(bid, s.pivot)) s.pivotSize = bid.size;
        if (isBefore(bid, s.pivot)) _win(s, word, open, bid);
    }

    function _win(State memory s, bytes32 word, Run memory open, Bid memory bid) private pure {
        if (s.offset >= s.provers[s.turn].until && s.turn + 1 < s.provers.length) {
            close(s);
            _endRun(s, word, open);
            while (s.offset >= s.provers[s.turn].until && s.turn + 1 < s.provers.length) ++s.turn;
        }
        if (open.length == 0) (open.first, open.seat) = (bid, s.provers[s.turn].seat);
        ++open.length;
        s.offset += bid.size;
        if (s.units != 0) {
            s.offered += bid.fee * bid.size;
            s.paid += s.revenue * bid.size / s.units;
        }
    }

    function _endRun(State memory s, bytes32 word, Run memory open) private pure {
        if (open.length == 0) return;
        uint256 place = open.first.position * 2 ** 32 + open.first.index;
        push(s.tree, keccak256(abi.encode(word, place, (open.length - 1) * 2 ** 8 + open.seat)));
        open.length = 0;
    }
}
