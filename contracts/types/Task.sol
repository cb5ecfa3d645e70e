// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";
import {BidWord, BidWordLib} from "./BidWord.sol";
import {CircuitId} from "./CircuitId.sol";

/// @notice A winning task, as named by whoever delivers it, takes it over or expires it. Everything in it is checked
/// against the round's assignment root.
struct Task {
    /// Round in which the bid won.
    uint32 round;
    /// Index of the bid in the round.
    uint32 index;
    /// Number of the bid in its entry, from 0.
    uint16 position;
    /// How many tasks of its entry before it, and after it, fell to the same prover with it: its *run*.
    uint16 runBefore;
    uint16 runAfter;
    /// Of the entry's word: `told (1) | further bids (15)`.
    uint16 lot;
    /// Seat of the prover that the task was assigned to.
    uint8 seat;
    /// Unit fee of the bid (ticks per unit).
    uint64 fee;
    /// Size of the task (units).
    uint32 size;
    /// Who posted the bid, or who its poster named. Zero for a task of which nobody knows what is behind its ticket.
    address requester;
    /// Root over the statements of the entry, see `StatementLib`; the ticket itself where `requester` is zero.
    bytes32 statements;
}

/// @notice A proof of a task, with the statement that it proves.
struct Delivery {
    Task task;
    /// Merkle proof of the leaf of the task's run under the round's assignment root.
    bytes32[] path;
    /// Circuit of the statement; its size is the task's.
    CircuitId circuit;
    uint256[] publicInputs;
    /// keccak256 of the data published for the statement.
    bytes32 dataHash;
    /// Merkle proof of the statement's leaf under `task.statements`, empty for an entry of one bid.
    bytes32[] statementPath;
    bytes proof;
}

/// @notice Where a winning task stands.
enum TaskStatus {
    /// The holder (assigned prover or last taker) can deliver.
    Assigned,
    /// The holder missed its deadline; the task can be taken over.
    Defaulted,
    /// Nobody can deliver any more; it waits to be expired.
    Expirable,
    /// Proved and paid.
    Delivered,
    /// Ended without a proof.
    Expired
}

using TaskLib for Task global;

library TaskLib {
    function word(Task calldata t) internal pure returns (BidWord) {
        // Of a ticket the low bits are all, and others make another word.
        // forge-lint: disable-next-line(unsafe-typecast)
        uint144 asIs = uint144(uint256(t.statements));
        uint144 ticket = t.isNamed() ? BidWordLib.ticketOf(t.requester, t.statements) : asIs;
        return BidWordLib.pack(t.fee, t.size, t.lot, ticket);
    }

    /// @notice Whether the task says what is behind its ticket.
    function isNamed(Task calldata t) internal pure returns (bool) {
        return t.requester != address(0);
    }

    /// @notice Whether its entry is told, see `BidWord`.
    function isTold(Task calldata t) internal pure returns (bool) {
        return t.lot >> 15 != 0;
    }

    /// @notice The leaf of the task's run.
    function leaf(Task calldata t) internal pure returns (bytes32) {
        return leaf(t.word(), t.index, t.position, t.runBefore, t.runAfter, t.seat);
    }

    /// @notice Leaf of the assignment tree: who proves which run of tasks, as told by any one of them.
    /// @param index Index of the task's bid in the round; `position` is its number in its entry.
    /// @param runBefore How many tasks of its run lie before it, below 2^16, and `runAfter` after it.
    /// @dev `number of the run's first bid in its entry | its index (32)`, and `further tasks of the run | seat (8)`. The tree has only leaves
    /// of runs that a settlement found, so whoever leads to one names a task of that run: its number and its index follow from one another.
    /// Three words, where an inner node hashes two: a node is never taken for a leaf.
    function leaf(
        BidWord word_,
        uint256 index,
        uint256 position,
        uint256 runBefore,
        uint256 runAfter,
        uint256 seat
    ) internal pure returns (bytes32) {
        unchecked {
            // A difference below zero is a number of 256 bits, and so is what it is part of: there is no such leaf. The sum has
            // 17 bits.
            uint256 first = ((position - runBefore) << 32) | (index - runBefore);
            uint256 run = ((runBefore + runAfter) << 8) | seat;
            return EfficientHashLib.hash(BidWord.unwrap(word_), bytes32(first), bytes32(run));
        }
    }
}
