// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {DeliveryBatch, DeliveryHead} from "../../../contracts/types/Delivery.sol";
import {Delivery} from "../../../contracts/types/Task.sol";
import {SlowMerkle} from "./SlowMerkle.sol";

/// @notice Batches of deliveries, from the layout as documented, with none of the market's own code.
library SlowBatches {
    /// @notice Delivery number `k` of the batch, its proof last; its nodes, statements and proof are appended to those before.
    /// @param leaves Of the round's assignment tree; the task's is number `at`.
    function put(
        DeliveryBatch memory batch,
        uint256 k,
        Delivery memory d,
        bytes32[] memory leaves,
        uint256 at
    ) internal pure {
        for (uint256 j; j < d.statementPath.length; ++j) {
            addNode(batch, d.statementPath[j]);
        }
        batch.deliveries[k].head = _headAt(batch, k, d, leaves, at);
        batch.deliveries[k].requester = d.task.requester;
        batch.deliveries[k].dataHash = d.dataHash;
        for (uint256 j; j < d.publicInputs.length; ++j) {
            batch.publicInputs = _with(batch.publicInputs, d.publicInputs[j]);
        }
        batch.proofs = bytes.concat(batch.proofs, d.proof);
    }

    /// @dev A task of the same run as one before it has its leaf, and no way to go. No two runs start with one bid.
    function _headAt(
        DeliveryBatch memory batch,
        uint256 k,
        Delivery memory d,
        bytes32[] memory leaves,
        uint256 at
    ) private pure returns (DeliveryHead) {
        uint256 first = d.task.index - d.task.runBefore;
        for (uint256 i; i < k; ++i) {
            if (_firstOfRun(batch.deliveries[i].head) == first) return headOf(d, 0, uint16(0xff00 + i));
        }
        (uint8 length, uint16 anchor) = climb(batch, leaves, at);
        return headOf(d, length, anchor);
    }

    function _firstOfRun(DeliveryHead head) private pure returns (uint256) {
        uint256 bits = DeliveryHead.unwrap(head);
        return uint256(uint32(bits >> 96)) - uint16(bits >> 184);
    }

    /// @notice The head of a delivery.
    function headOf(Delivery memory d, uint8 length, uint16 anchor) internal pure returns (DeliveryHead) {
        return DeliveryHead.wrap(
            uint200(
                bytes25(
                    abi.encodePacked(
                        d.task.runBefore,
                        d.task.runAfter,
                        d.task.lot,
                        d.task.position,
                        uint8(d.statementPath.length),
                        d.task.index,
                        d.task.fee,
                        d.task.seat,
                        length,
                        anchor
                    )
                )
            )
        );
    }

    /// @notice Adds what the way from a leaf to a node that is known already takes.
    function climb(DeliveryBatch memory batch, bytes32[] memory leaves, uint256 at)
        internal
        pure
        returns (uint8 length, uint16 anchor)
    {
        bytes32[] memory path = SlowMerkle.path(leaves, at);
        bytes32[] memory before = batch.nodes;
        bytes32 node = leaves[at];
        for (uint256 level;; ++level) {
            for (uint256 i; i < before.length; ++i) {
                if (before[i] == node) return (length, uint16(i + 1));
            }
            if (level == path.length) return (length, 0);
            bytes32 sibling = path[level];
            addNode(batch, sibling);
            ++length;
            node = node < sibling
                ? keccak256(abi.encodePacked(node, sibling))
                : keccak256(abi.encodePacked(sibling, node));
        }
    }

    function addNode(DeliveryBatch memory batch, bytes32 node) internal pure {
        batch.nodes = abi.decode(
            abi.encodePacked(uint256(0x20), batch.nodes.length + 1, abi.encodePacked(batch.nodes), node),
            (bytes32[])
        );
    }

    function _with(uint256[] memory list, uint256 element) private pure returns (uint256[] memory longer) {
        longer = new uint256[](list.length + 1);
        for (uint256 i; i < list.length; ++i) {
            longer[i] = list[i];
        }
        longer[list.length] = element;
    }
}
