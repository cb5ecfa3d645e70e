// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BatchedTask, DeliveryBatch, DeliveryHead} from "../../../contracts/types/Delivery.sol";
import {Mechanism} from "../../../contracts/types/MarketParams.sol";
import {Delivery} from "../../../contracts/types/Task.sol";
import {ProvedMarketTest} from "./ProvedMarketTest.sol";
import {SlowBatches} from "./SlowBatches.sol";
import {SlowClearing} from "./SlowClearing.sol";
import {SlowMerkle} from "./SlowMerkle.sol";

/// @notice Rounds whose bids are for the statements of the batch's vectors, and batches that deliver their proofs.
abstract contract BatchMarketTest is ProvedMarketTest {
    using SlowBatches for DeliveryBatch;

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

    /// @notice An entry of Alice for as many statements, from number `first` on, which is its bids' index if it is to be delivered.
    function lotForCases(uint64 fee, uint256 first, uint256 count) internal {
        Posted[] memory list = new Posted[](count);
        for (uint256 i; i < count; ++i) {
            list[i] = rollupTask(alice, fee, 0, 0);
            list[i].inputs = readBatchCase((first + i) % 32).publicInputs;
            list[i].data = abi.encode(first + i);
        }
        fund(alice, count * (uint256(fee) * UNITS + params.settlementFee));
        submitLot(list);
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
            Delivery memory d = _delivery(round, result, indexes[k]);
            (bytes32[] memory leaves, uint256 at) = leavesOf(round, result, indexes[k]);
            batch.put(k, d, leaves, at);
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
        (uint256 first, uint256 last) = runOf(result, entry, index);
        (d.task.runBefore, d.task.runAfter) = (uint16(index - first), uint16(last - index));
        d.task.requester = p.requester;
        d.statementPath = SlowMerkle.path(statementLeaves(lotOf(round, entry)), index - entry.first);
    }

    function headOf(Delivery memory d, uint8 length, uint16 anchor) internal pure returns (DeliveryHead) {
        return SlowBatches.headOf(d, length, anchor);
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
