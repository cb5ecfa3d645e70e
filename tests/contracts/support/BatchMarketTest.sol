// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BatchedTask, DeliveryBatch, DeliveryHead} from "../../../contracts/types/Delivery.sol";
import {Mechanism} from "../../../contracts/types/MarketParams.sol";
import {Delivery} from "../../../contracts/types/Task.sol";
import {ProvedMarketTest} from "./ProvedMarketTest.sol";
import {SlowClearing} from "./SlowClearing.sol";
import {SlowMerkle} from "./SlowMerkle.sol";

/// @notice Rounds whose bids are for the statements of the batch's vectors, and batches that deliver their proofs.
abstract contract BatchMarketTest is ProvedMarketTest {
    /// Units of the circuit.
    uint256 internal constant UNITS = 14;

    /// @notice Round 1, settled: bid i of Alice is for statement i, all on Paul's seat 0. User price 20, prover price 9.
    function makeRound(uint256 bids) internal {
        // Bob's bids come after them and fill Paul's capacity, and the last one is left out.
        uint32 offered = uint32((bids + 2) * UNITS);
        seat(paul, offered, 6);
        seat(quentin, offered, 9);
        open(1);
        for (uint256 i; i < bids; ++i) {
            _bidForCase(alice, 60, i);
        }
        for (uint256 i; i < 3; ++i) {
            _bidForCase(bob, 20, i);
        }
        open(2);
        SlowClearing.Result memory result = settle(1);
        assertTrue(result.wins[bids - 1]);
        if (params.mechanism == Mechanism.Core) assertEq(result.units, offered);
    }

    function _bidForCase(address requester, uint64 fee, uint256 index) private {
        Posted memory p = rollupTask(requester, fee, 0, 0);
        p.inputs = readBatchCase(index % 32).publicInputs;
        p.data = abi.encode(requester, index);
        fund(requester, uint256(fee) * UNITS + params.settlementFee);
        submit(p);
    }

    /// @notice The proof of bid `index` of a round of `makeRound`.
    function caseOf(uint256 index) internal view returns (bytes memory) {
        return readBatchCase(index % 32).proof;
    }

    /// @notice Delivers one of them alone.
    function deliverBid(uint256 round, uint256 index, Case memory c) internal {
        Delivery memory d = deliveryOf(round, index);
        d.proof = c.proof;
        vm.prank(relayer);
        market.deliver(id, d);
    }

    function firstBids(uint256 count) internal pure returns (uint256[] memory indexes) {
        indexes = new uint256[](count);
        for (uint256 i; i < count; ++i) {
            indexes[i] = i;
        }
    }

    /// @notice Deliveries of these bids in this order, with their proofs.
    function batchOf(uint256 round, uint256[] memory indexes)
        internal
        view
        returns (DeliveryBatch memory batch)
    {
        batch = unprovedBatchOf(round, indexes);
        for (uint256 k; k < indexes.length; ++k) {
            batch.proofs = bytes.concat(batch.proofs, caseOf(indexes[k]));
        }
    }

    /// @notice The same without proofs.
    function unprovedBatchOf(uint256 round, uint256[] memory indexes)
        internal
        view
        returns (DeliveryBatch memory batch)
    {
        SlowClearing.Result memory result = cleared(round);
        batch.round = uint32(round);
        batch.circuit = posted(round, indexes[0]).circuit;
        batch.deliveries = new BatchedTask[](indexes.length);
        for (uint256 k; k < indexes.length; ++k) {
            uint256 index = indexes[k];
            Delivery memory d = _delivery(round, result, index);
            for (uint256 j; j < d.statementPath.length; ++j) {
                _addNode(batch, d.statementPath[j]);
            }
            (bytes32[] memory leaves, uint256 at) = leavesOf(round, result, index);
            (uint8 length, uint16 anchor) = _climb(batch, leaves, at);
            batch.deliveries[k].head = headOf(d, length, anchor);
            batch.deliveries[k].requester = d.task.requester;
            batch.deliveries[k].dataHash = d.dataHash;
            for (uint256 j; j < d.publicInputs.length; ++j) {
                batch.publicInputs = _with(batch.publicInputs, d.publicInputs[j]);
            }
        }
    }

    /// @dev What a batch says of a delivery, without clearing the round anew for each.
    function _delivery(uint256 round, SlowClearing.Result memory result, uint256 index)
        private
        view
        returns (Delivery memory d)
    {
        Posted memory p = posted(round, index);
        Entry memory entry = entryOf(round, index);
        (d.publicInputs, d.dataHash) = (p.inputs, keccak256(p.data));
        (d.task.index, d.task.seat, d.task.fee) = (uint32(index), uint8(result.seatOf[index]), p.fee);
        (d.task.position, d.task.lot) = (uint16(index - entry.first), lotBits(p.told, entry.count));
        d.task.requester = p.requester;
        d.statementPath = SlowMerkle.path(statementLeaves(lotOf(round, entry)), index - entry.first);
    }

    /// @notice The head of a delivery, from the layout as documented.
    function headOf(Delivery memory d, uint8 length, uint16 anchor) internal pure returns (DeliveryHead) {
        return DeliveryHead.wrap(
            uint168(
                bytes21(
                    abi.encodePacked(
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

    function _addNode(DeliveryBatch memory batch, bytes32 node) private pure {
        batch.nodes = abi.decode(
            abi.encodePacked(uint256(0x20), batch.nodes.length + 1, abi.encodePacked(batch.nodes), node),
            (bytes32[])
        );
    }

    /// @dev Adds what the way from a leaf to a node that is known already takes.
    function _climb(DeliveryBatch memory batch, bytes32[] memory leaves, uint256 at)
        private
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
            _addNode(batch, sibling);
            ++length;
            node = node < sibling
                ? keccak256(abi.encodePacked(node, sibling))
                : keccak256(abi.encodePacked(sibling, node));
        }
    }

    function _with(uint256[] memory list, uint256 element) private pure returns (uint256[] memory longer) {
        longer = new uint256[](list.length + 1);
        for (uint256 i; i < list.length; ++i) {
            longer[i] = list[i];
        }
        longer[list.length] = element;
    }

    function deliverBatch(DeliveryBatch memory batch) internal returns (uint256 delivered) {
        vm.prank(relayer);
        return market.deliverBatch(id, batch);
    }

    /// @notice So many lowest bits.
    function ones(uint256 count) internal pure returns (uint256) {
        return (1 << count) - 1;
    }
}
