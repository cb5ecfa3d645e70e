// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {DeliveryBatch, DeliveryHead} from "../../../contracts/types/Delivery.sol";
import {TaskStatus} from "../../../contracts/types/Task.sol";
import {BatchMarketTest} from "../support/BatchMarketTest.sol";

/// @notice Tasks of runs delivered together: a run's path is given once, and what is forged is reported and no more.
contract RunBatchesTest is BatchMarketTest {
    uint256 private constant PAYMENT = 9 * UNITS;
    /// Bids of the lot, after one by itself.
    uint256 private constant LOT = 10;

    /// @dev Round 1, settled: bid 0 and the first four of the lot of bids 1 to 10 fall to Quentin's seat 1, the other six to Paul's seat 0.
    function setUp() public override {
        super.setUp();
        tells = true;
        seat(paul, uint32(6 * UNITS), 6);
        seat(quentin, uint32(5 * UNITS), 7);
        seat(rita, uint32(20 * UNITS), 9);
        open(1);
        lotForCases(60, 0, 1);
        lotForCases(50, 1, LOT);
        lotForCases(20, 11, 3);
        open(2);
        settle(1);
        assertEq(market.outcomeOf(id, 1).units(), 11 * UNITS);
        assertEq(cleared(1).seatOf[4], 1);
        assertEq(cleared(1).seatOf[5], 0);
    }

    function _refuses(uint256 index, bytes4 reason) private {
        vm.expectEmit(address(market));
        emit IMarketLog.DeliveryRefused(id, 1, index, reason);
    }

    function _setHead(DeliveryBatch memory batch, uint256 k, uint256 mask, uint256 part) private pure {
        uint256 head = DeliveryHead.unwrap(batch.deliveries[k].head);
        batch.deliveries[k].head = DeliveryHead.wrap((head & ~mask) | part);
    }

    function _list(uint256 a, uint256 b, uint256 c) private pure returns (uint256[] memory list) {
        list = new uint256[](3);
        (list[0], list[1], list[2]) = (a, b, c);
    }

    function test_wholeRoundIsDeliveredWithOneWayUpForEachRun() public {
        DeliveryBatch memory batch = batchOf(1, firstBids(11));
        uint256 ofStatements;
        for (uint256 k; k < 11; ++k) {
            ofStatements += batch.deliveries[k].head.statementPathLength();
        }
        // Three leaves.
        assertEq(batch.nodes.length - ofStatements, 2);
        for (uint256 k; k < 11; ++k) {
            if (k > 1 && k != 5) assertEq(batch.deliveries[k].head.anchor(), 0xff00 + (k < 5 ? 1 : 5));
        }
        assertEq(deliverBatch(batch), ones(11));
        assertEq(available(paul), 6 * PAYMENT);
        assertEq(available(quentin), 5 * PAYMENT);
    }

    function test_firstMiddleAndLastTaskOfARunShareItsPath() public {
        uint256 state = vm.snapshotState();
        uint8[3][4] memory orders = [[5, 7, 10], [10, 5, 7], [7, 10, 5], [10, 1, 5]];
        for (uint256 i; i < 4; ++i) {
            uint256[] memory list = _list(orders[i][0], orders[i][1], orders[i][2]);
            DeliveryBatch memory batch = batchOf(1, list);
            assertEq(batch.deliveries[2].head.pathLength(), 0);
            assertEq(batch.deliveries[2].head.anchor(), 0xff00);
            assertEq(deliverBatch(batch), 7);
            vm.revertToState(state);
        }
    }

    function test_taskOfARunWithItsWholePathIsDelivered() public {
        DeliveryBatch memory batch = batchOf(1, _list(7, 7, 7));
        DeliveryBatch memory alone = unprovedBatchOf(1, _list(8, 8, 8));
        // The second is bid 8, with its nodes after those of the first.
        uint256 own = alone.deliveries[0].head.statementPathLength() + alone.deliveries[0].head.pathLength();
        bytes32[] memory nodes = new bytes32[](2 * own);
        for (uint256 i; i < nodes.length; ++i) {
            nodes[i] = i < own ? batch.nodes[i] : alone.nodes[i - own];
        }
        (batch.nodes, batch.deliveries[1]) = (nodes, alone.deliveries[0]);
        (batch.publicInputs[2], batch.publicInputs[3]) = (alone.publicInputs[0], alone.publicInputs[1]);
        batch.proofs = bytes.concat(caseOf(7), caseOf(8), caseOf(7));
        _refuses(7, IMarketLog.UnknownTask.selector); // the third's statement has lost its nodes
        assertEq(deliverBatch(batch), 3);
    }

    function test_anchorBeyondTheNodesIsReported() public {
        for (uint256 beyond = 1; beyond < 3; ++beyond) {
            DeliveryBatch memory batch = batchOf(1, _list(0, 5, 7));
            _setHead(batch, 2, 0xffff, batch.nodes.length + beyond);
            uint256 state = vm.snapshotState();
            _refuses(7, IMarketLog.UnknownTask.selector);
            assertEq(deliverBatch(batch), 3);
            vm.revertToState(state);
        }
    }

    function test_forgedRunIsReportedAndTheRestIsPaid() public {
        uint256 state = vm.snapshotState();
        for (uint256 field; field < 10; ++field) {
            DeliveryBatch memory batch = batchOf(1, _list(6, 8, 10));
            uint256 named = 8;
            assertEq(batch.deliveries[1].head.runBefore(), 3);
            assertEq(batch.deliveries[1].head.runAfter(), 2);
            (uint256 before, uint256 behind) = (0xffff << 184, 0xffff << 168);
            if (field == 0) _setHead(batch, 1, before, 2 << 184);
            if (field == 1) _setHead(batch, 1, behind, 3 << 168);
            if (field == 2) _setHead(batch, 1, before | behind, (2 << 184) | (3 << 168));
            if (field == 3) _setHead(batch, 1, before | behind, 0);
            if (field == 4) _setHead(batch, 1, before | behind, before | behind);
            // Below the first bid of the round, and of the entry.
            if (field == 5) _setHead(batch, 1, before, 9 << 184);
            if (field == 6) (named, batch) = (0, _withIndex(batch, 0));
            // The leaf of itself, of a later one, and of none.
            if (field == 7) _setHead(batch, 1, 0xffff, 0xff01);
            if (field == 8) _setHead(batch, 1, 0xffff, 0xff02);
            if (field == 9) _setHead(batch, 1, 0xffff, 0xffff);
            _refuses(named, IMarketLog.UnknownTask.selector);
            assertEq(deliverBatch(batch), 5);
            assertEq(available(paul), 2 * PAYMENT);
            vm.revertToState(state);
        }
    }

    function _withIndex(DeliveryBatch memory batch, uint256 index)
        private
        pure
        returns (DeliveryBatch memory)
    {
        _setHead(batch, 1, 0xffffffff << 96, index << 96);
        return batch;
    }

    /// @dev The leaf of a task that is none is no place where another's way could end.
    function test_leafOfAnUnknownTaskIsNoAnchor() public {
        DeliveryBatch memory batch = batchOf(1, _list(6, 8, 10));
        // All three invent the same run, of which there is no leaf.
        for (uint256 k; k < 3; ++k) {
            uint256 longer = batch.deliveries[k].head.runAfter() + 1;
            _setHead(batch, k, 0xffff << 168, longer << 168);
        }
        vm.expectRevert(
            abi.encodeWithSelector(IMarketLog.NothingDelivered.selector, IMarketLog.UnknownTask.selector)
        );
        market.deliverBatch(id, batch);
    }

    /// @dev A task whose proof is bad, or that has ended, is in the tree nevertheless.
    function test_leafOfARefusedTaskIsAnAnchorIfItIsInTheTree() public {
        DeliveryBatch memory batch = batchOf(1, _list(6, 8, 10));
        batch.proofs[255] ^= 0x01;
        _refuses(6, IMarketLog.ProofRejected.selector);
        assertEq(deliverBatch(batch), 6);
        batch = batchOf(1, _list(8, 6, 7));
        _refuses(8, IMarketLog.TaskEnded.selector);
        assertEq(deliverBatch(batch), 6);
        assertEq(available(paul), 4 * PAYMENT);
    }

    function test_takenTaskOfARunIsPaidToItsTaker() public {
        vm.warp(proveBy(1));
        takeOver(1, 8, 2);
        _refuses(6, IMarketLog.TaskInDefault.selector);
        _refuses(10, IMarketLog.TaskInDefault.selector);
        assertEq(deliverBatch(batchOf(1, _list(6, 8, 10))), 2);
        assertEq(available(rita), PAYMENT + PER_UNIT * UNITS / 2);
        assertEq(available(paul), 0);
    }
}

/// @notice Tasks so far apart in their round that they end in different slots.
contract LongBatchesTest is BatchMarketTest {
    /// @dev Round 1, settled: bids 0, 1 and 300 to 302 win, those between are left out.
    function setUp() public override {
        super.setUp();
        tells = true;
        seat(paul, uint32(5 * UNITS), 6);
        seat(quentin, uint32(20 * UNITS), 9);
        open(1);
        lotForCases(60, 0, 2);
        fundedLot(bob, 10, uint32(UNITS), 298);
        lotForCases(50, 300, 3);
        open(2);
        settle(1);
        assertEq(market.outcomeOf(id, 1).units(), 5 * UNITS);
    }

    function _list() private pure returns (uint256[] memory list) {
        list = new uint256[](5);
        (list[0], list[1], list[2], list[3], list[4]) = (301, 0, 302, 1, 300);
    }

    function test_tasksFarApartEndEachInItsOwnPlace() public {
        DeliveryBatch memory batch = batchOf(1, _list());
        assertEq(deliverBatch(batch), ones(5));
        assertEq(available(paul), 5 * 9 * UNITS);
        for (uint256 k; k < 5; ++k) {
            assertEq(uint256(market.taskStatus(id, 1, _list()[k])), uint256(TaskStatus.Delivered));
        }
        assertEq(uint256(market.taskStatus(id, 1, 128)), uint256(TaskStatus.Assigned));
        vm.expectRevert(
            abi.encodeWithSelector(IMarketLog.NothingDelivered.selector, IMarketLog.TaskEnded.selector)
        );
        market.deliverBatch(id, batch);
    }

    function test_thoseThatEndedBeforeAreReportedAlone() public {
        uint256[] memory two = new uint256[](2);
        (two[0], two[1]) = (302, 1);
        assertEq(deliverBatch(batchOf(1, two)), 3);
        assertEq(deliverBatch(batchOf(1, _list())), 19); // 301, 0 and 300
        assertEq(available(paul), 5 * 9 * UNITS);
    }
}
