// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {CircuitId} from "./CircuitId.sol";

/// @notice Proofs of one circuit for tasks of one round. Delivery number k has proof number k; the lists of public inputs and
/// proofs hold equally much for each.
struct DeliveryBatch {
    /// Round in which the bids won.
    uint32 round;
    /// Circuit of all tasks.
    CircuitId circuit;
    /// The tasks, at most 256. Those of one seat are best kept together: they are paid by one transfer.
    BatchedTask[] deliveries;
    /// Merkle nodes that lead from the statements to their entries' roots, and from the tasks' leaves to what is known already,
    /// delivery by delivery.
    bytes32[] nodes;
    /// The statements, one after the other.
    uint256[] publicInputs;
    /// The proofs, one after the other.
    bytes proofs;
}

/// @notice A task that is delivered with others: what a `Task` says beyond its batch, and beyond its public inputs.
struct BatchedTask {
    DeliveryHead head;
    /// Who posted the bid, or who its poster named.
    address requester;
    /// keccak256 of the data published for the statement.
    bytes32 dataHash;
}

/// @notice `tasks of its run before it (16) | after it (16) | told (1) | further bids of the entry (15) | number of the bid in its entry (16) |
/// statement path length (8) | index (32) | unit fee (64) | seat (8) | path length (8) | anchor (16)`, the first in the highest of 200 bits; the
/// bits above are not read.
/// @dev A task takes the next nodes of its batch: first the path of its statement to the root over the statements of its entry, then
/// its own path, which ends at the round's assignment root (anchor 0), or at a node that the path of a task before it went through:
/// number `anchor` of the batch's nodes, counted from 1. Tasks that lie together share most of their way up, and those of one run all of
/// it: anchor `LEAVES + k` is the leaf of delivery number k.
type DeliveryHead is uint256;

using {
    DeliveryHeadLib.runBefore,
    DeliveryHeadLib.runAfter,
    DeliveryHeadLib.lot,
    DeliveryHeadLib.isTold,
    DeliveryHeadLib.position,
    DeliveryHeadLib.statementPathLength,
    DeliveryHeadLib.index,
    DeliveryHeadLib.fee,
    DeliveryHeadLib.seat,
    DeliveryHeadLib.pathLength,
    DeliveryHeadLib.anchor
} for DeliveryHead global;

/// @dev The casts keep the bits that are meant.
library DeliveryHeadLib {
    /// @notice The first anchor that is a leaf: one for each delivery that a batch can have.
    uint256 internal constant LEAVES = 0xff00;

    function runBefore(DeliveryHead h) internal pure returns (uint256) {
        return uint16(DeliveryHead.unwrap(h) >> 184);
    }

    function runAfter(DeliveryHead h) internal pure returns (uint256) {
        return uint16(DeliveryHead.unwrap(h) >> 168);
    }

    /// @return Of the entry's word: `told (1) | further bids (15)`.
    function lot(DeliveryHead h) internal pure returns (uint16) {
        return uint16(DeliveryHead.unwrap(h) >> 152);
    }

    function isTold(DeliveryHead h) internal pure returns (bool) {
        return (DeliveryHead.unwrap(h) >> 167) & 1 != 0;
    }

    function position(DeliveryHead h) internal pure returns (uint256) {
        return uint16(DeliveryHead.unwrap(h) >> 136);
    }

    function statementPathLength(DeliveryHead h) internal pure returns (uint256) {
        return uint8(DeliveryHead.unwrap(h) >> 128);
    }

    function index(DeliveryHead h) internal pure returns (uint256) {
        return uint32(DeliveryHead.unwrap(h) >> 96);
    }

    function fee(DeliveryHead h) internal pure returns (uint64) {
        return uint64(DeliveryHead.unwrap(h) >> 32);
    }

    function seat(DeliveryHead h) internal pure returns (uint256) {
        return uint8(DeliveryHead.unwrap(h) >> 24);
    }

    function pathLength(DeliveryHead h) internal pure returns (uint256) {
        return uint8(DeliveryHead.unwrap(h) >> 16);
    }

    function anchor(DeliveryHead h) internal pure returns (uint256) {
        return uint16(DeliveryHead.unwrap(h));
    }
}
