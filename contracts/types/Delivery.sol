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
    Delivery[] deliveries;
    /// Merkle nodes that lead from the tasks' leaves to what is known already, delivery by delivery.
    bytes32[] nodes;
    /// The statements, one after the other.
    uint256[] publicInputs;
    /// The proofs, one after the other.
    bytes proofs;
}

/// @notice A task that is delivered with others: what a `Task` says beyond its batch, and beyond its public inputs.
struct Delivery {
    DeliveryHead head;
    /// Who posted the bid.
    address requester;
    /// keccak256 of the data published with the bid.
    bytes32 dataHash;
}

/// @notice `index (32) | unit fee (64) | seat (8) | path length (8) | anchor (16)`, the first in the highest of 128 bits. A task's
/// path takes the next nodes of its batch and ends at the round's assignment root (anchor 0), or at a node that the path of a
/// delivery before it went through: number `anchor` of the batch's nodes, counted from 1. Tasks that lie together share
/// most of their way up.
type DeliveryHead is uint256;

using {
    DeliveryHeadLib.index,
    DeliveryHeadLib.fee,
    DeliveryHeadLib.seat,
    DeliveryHeadLib.pathLength,
    DeliveryHeadLib.anchor
} for DeliveryHead global;

library DeliveryHeadLib {
    function pack(uint32 index_, uint64 fee_, uint8 seat_, uint8 pathLength_, uint16 anchor_)
        internal
        pure
        returns (DeliveryHead)
    {
        return DeliveryHead.wrap(
            (uint256(index_) << 96) | (uint256(fee_) << 32) | (uint256(seat_) << 24)
                | (uint256(pathLength_) << 16) | anchor_
        );
    }

    /// @return Index of the bid in the round. Bits above it are read too: no task has such an index.
    function index(DeliveryHead h) internal pure returns (uint256) {
        return DeliveryHead.unwrap(h) >> 96;
    }

    function fee(DeliveryHead h) internal pure returns (uint64) {
        return uint64(DeliveryHead.unwrap(h) >> 32); // the 64 bits that are meant
    }

    function seat(DeliveryHead h) internal pure returns (uint256) {
        return (DeliveryHead.unwrap(h) >> 24) & type(uint8).max;
    }

    function pathLength(DeliveryHead h) internal pure returns (uint256) {
        return (DeliveryHead.unwrap(h) >> 16) & type(uint8).max;
    }

    function anchor(DeliveryHead h) internal pure returns (uint256) {
        return DeliveryHead.unwrap(h) & type(uint16).max;
    }
}
