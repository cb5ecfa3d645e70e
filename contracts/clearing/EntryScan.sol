// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AssignmentTree} from "./AssignmentTree.sol";

/// @notice Where the pass over the entries of a page stands, and what it has found. Bids compare by their ranks (`UserOrder`), and
/// each mechanism asks the same of a pass: how much lies at or above two ranks, and who proves what lies above a third.
struct Scan {
    /// Place in the calldata of the next entry, and of the end of the list.
    uint256 at;
    uint256 end;
    /// Running hash so far, and index of the next entry's first bid.
    uint256 hash;
    uint256 index;
    /// `high >= low`. Of the bids at rank `high` or above, total size (units, the low 64 bits) and what they offer for it together
    /// (ticks, the bits above); of those from `low` to below `high` the total size.
    uint256 high;
    uint256 low;
    uint256 above;
    uint256 between;
    /// Bids above this rank win. Size of the bid at it, 0 until the pass meets it.
    uint256 pivot;
    uint256 pivotSize;
    /// Total size of the winners before the next entry, and before the first task of the current prover.
    uint256 offset;
    uint256 from;
    /// Where in memory the current prover's `until` and seat stand, the last prover's, and the current one's load. A prover has the
    /// tasks that start below its `until`, and the last one all that remain.
    uint256 prover;
    uint256 lastProver;
    uint256 load;
    AssignmentTree.Frontier tree;
    /// `average-fee`: the batch as claimed (units, 0 otherwise, and ticks), what its winners offer together and what their deliveries are
    /// paid, each rounded down.
    uint256 units;
    uint256 revenue;
    uint256 offered;
    uint256 paid;
}

/// @notice The one loop over all entries of a round. Of an entry's winning tasks those that fall to one prover, a run, share a leaf of the
/// tree, see `TaskLib.leaf`: what an entry costs does not grow with its bids.
library EntryScan {
    /// @notice Goes to the end of the list.
    /// @dev In assembly, as it runs once for every entry of every round: a settlement's gas is mostly this, and the tests hold it
    /// against the same in plain words. No sum overflows: a round has fewer than 2^24 bids, of fewer than 2^32 units at fewer
    /// than 2^64 ticks. A wrong claim may start at any offset; then it wraps, and what it leads to is refused.
    ///
    /// What is hashed stays where it is hashed, the running hash with the word, and the word with place and seat of its task:
    /// `hash | word | place | seat` from 0x00 to 0x80, where the nodes of the tree share the room of word and place.
    function run(Scan memory scan) internal pure {
        assembly ("memory-safe") {
            /// The task of one bid that wins.
            function assign(s, size, index) {
                let offset := mload(add(s, 0x140))
                if iszero(lt(offset, mload(mload(add(s, 0x180))))) { pop(turn(s, offset)) }
                mstore(add(s, 0x140), add(offset, size))
                mstore(0x40, index)
                push(mload(add(s, 0x1e0)), keccak256(0x20, 0x60))
            }

            /// The tasks of a lot's first `won` bids: one leaf for each prover that they fall to.
            function assignLot(s, word, index, won) {
                let size := and(shr(160, word), 0xffffffff)
                for { let position := 0 } lt(position, won) {} {
                    let offset := mload(add(s, 0x140))
                    let prover := mload(add(s, 0x180))
                    if iszero(lt(offset, mload(prover))) { prover := turn(s, offset) }
                    let n := sub(won, position)
                    if lt(prover, mload(add(s, 0x1a0))) {
                        // Its tasks start below its `until`: all that remain do if the last one does. If not, no size is 0.
                        let until := mload(prover)
                        if iszero(lt(add(offset, mul(sub(n, 1), size)), until)) {
                            n := add(div(sub(sub(until, offset), 1), size), 1)
                        }
                    }
                    mstore(add(s, 0x140), add(offset, mul(n, size)))
                    mstore(0x20, word)
                    mstore(0x40, or(shl(32, position), add(index, position)))
                    mstore(0x60, or(shl(8, sub(n, 1)), mload(add(prover, 0x20))))
                    push(mload(add(s, 0x1e0)), keccak256(0x20, 0x60))
                    position := add(position, n)
                }
                mstore(0x60, mload(add(mload(add(s, 0x180)), 0x20)))
            }

            /// Counts `won` winning bids of an entry under `average-fee`.
            function charge(s, word, won) {
                let size := and(shr(160, word), 0xffffffff)
                let offered := mul(mul(won, size), shr(192, word))
                mstore(add(s, 0x240), add(mload(add(s, 0x240)), offered))
                // slither-disable-next-line divide-before-multiply -- each delivery is paid rounded down
                let paid := mul(won, div(mul(mload(add(s, 0x220)), size), mload(add(s, 0x200))))
                mstore(add(s, 0x260), add(mload(add(s, 0x260)), paid))
            }

            /// Moves to the prover that the task at `offset` falls to.
            function turn(s, offset) -> prover {
                prover := mload(add(s, 0x180))
                let last := mload(add(s, 0x1a0))
                let load := mload(add(s, 0x1c0))
                mstore(load, add(mload(load), sub(offset, mload(add(s, 0x160)))))
                mstore(add(s, 0x160), offset)
                for {} and(iszero(lt(offset, mload(prover))), lt(prover, last)) {} {
                    prover := add(prover, 0x40)
                    load := add(load, 0x20)
                }
                mstore(add(s, 0x180), prover)
                mstore(0x60, mload(add(prover, 0x20)))
                mstore(add(s, 0x1c0), load)
            }

            /// Appends a leaf to the tree.
            function push(tree, leaf) {
                let carry := mload(tree)
                mstore(tree, add(carry, 1))
                let peak := mload(add(tree, 0x20))
                for {} and(carry, 1) { carry := shr(1, carry) } {
                    // `leaf` becomes the node over the peak and itself, as `AssignmentTree` makes it.
                    let left := mload(peak)
                    let at := shl(5, add(gt(left, leaf), 1))
                    mstore(at, left)
                    mstore(xor(at, 0x60), leaf)
                    leaf := keccak256(0x20, 0x40)
                    peak := add(peak, 0x20)
                }
                mstore(peak, leaf)
            }

            /// An entry of more than one bid: what the loop below does for each of them, in one.
            function lot(s, word, index, rank, above) -> sum {
                let count := add(and(shr(144, word), 0x7fff), 1)
                let size := and(shr(160, word), 0xffffffff)
                let n := atOrAbove(rank, mload(add(s, 0x80)), count)
                sum := add(above, mul(mul(n, size), or(shl(64, shr(192, word)), 1)))
                n := sub(atOrAbove(rank, mload(add(s, 0xa0)), count), n)
                mstore(add(s, 0xe0), add(mload(add(s, 0xe0)), mul(n, size)))
                let won := atOrAbove(rank, add(mload(add(s, 0x100)), 1), count)
                if and(lt(won, count), eq(sub(rank, won), mload(add(s, 0x100)))) {
                    mstore(add(s, 0x120), size)
                }
                assignLot(s, word, index, won)
                if mload(add(s, 0x200)) { charge(s, word, won) }
            }

            /// How many of `count` bids, the first of this rank, have a rank at or above `line`.
            function atOrAbove(rank, line, count) -> n {
                if iszero(lt(rank, line)) {
                    n := add(sub(rank, line), 1)
                    if gt(n, count) { n := count }
                }
            }

            let free := mload(0x40)
            mstore(0x60, mload(add(mload(add(scan, 0x180)), 0x20)))
            let index := mload(add(scan, 0x60))
            let high := mload(add(scan, 0x80))
            let above := mload(add(scan, 0xc0))
            let pivot := mload(add(scan, 0x100))
            mstore(0x00, mload(add(scan, 0x40)))
            let at := mload(scan)
            for { let end := mload(add(scan, 0x20)) } xor(at, end) { at := add(at, 0x20) } {
                let word := calldataload(at)
                mstore(0x20, word)
                mstore(0x00, and(keccak256(0x00, 0x40), not(0xffffffffffffff)))
                // fee << 32 | type(uint32).max - index; the next bid of an entry has the next lower rank
                let rank := sub(or(shl(32, shr(192, word)), 0xffffffff), index)
                let further := and(shr(144, word), 0x7fff)
                if further {
                    above := lot(scan, word, index, rank, above)
                    index := add(index, add(further, 1))
                    continue
                }
                let size := and(shr(160, word), 0xffffffff)
                switch lt(rank, high)
                case 0 { above := add(above, mul(size, or(shl(64, shr(192, word)), 1))) }
                default {
                    if iszero(lt(rank, mload(add(scan, 0xa0)))) {
                        mstore(add(scan, 0xe0), add(mload(add(scan, 0xe0)), size))
                    }
                }
                if iszero(lt(rank, pivot)) {
                    switch eq(rank, pivot)
                    case 0 {
                        assign(scan, size, index)
                        if mload(add(scan, 0x200)) { charge(scan, word, 1) }
                    }
                    default { mstore(add(scan, 0x120), size) }
                }
                index := add(index, 1)
            }
            mstore(scan, at)
            mstore(add(scan, 0x40), mload(0x00))
            mstore(add(scan, 0x60), index)
            mstore(add(scan, 0xc0), above)
            mstore(0x40, free)
            mstore(0x60, 0)
        }
    }
}
