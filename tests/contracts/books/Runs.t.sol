// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {Mechanism} from "../../../contracts/types/Mechanism.sol";
import {Delivery, Task, TaskStatus} from "../../../contracts/types/Task.sol";
import {ClosedRoundTest} from "../support/ClosedRoundTest.sol";
import {SlowClearing} from "../support/SlowClearing.sol";
import {SlowMerkle} from "../support/SlowMerkle.sol";

/// @notice A lot that falls to more than one prover: its tasks are one run for each of them, and each task ends by itself.
contract RunsTest is ClosedRoundTest {
    uint256 private constant SIZE = 3;
    uint256 private constant PAYMENT = 9 * SIZE;
    uint256 private constant LAST = 11;

    function setUp() public override {
        super.setUp();
        tells = true;
    }

    /// @dev Round 1, settled: bid 0 of Carol is 2 units, bids 1 to 11 of Alice are a lot of 3 each. The 13 units of Quentin's seat 1 come
    /// first: bid 0 and Alice's first four, a run, are his; her other seven are another, of Paul's seat 0. Prices 12 and 9.
    function _wonRuns() private {
        seat(paul, 22, 6);
        seat(quentin, 13, 7);
        seat(rita, 40, 9);
        open(1);
        fundedBid(carol, 25, 2);
        assertEq(fundedLot(alice, 20, 3, LAST), 1);
        fundedLot(bob, 12, 8, 5);
        open(2);
        SlowClearing.Result memory result = settle(1);
        assertEq(result.units, 35);
        assertEq(result.seatOf[4], 1);
        assertEq(result.seatOf[5], 0);
    }

    function _refusedAsTask(Delivery memory d) private {
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.UnknownTask.selector, d.task.round, d.task.index));
        market.deliver(id, d);
    }

    function _status(uint256 index) private view returns (TaskStatus) {
        return market.taskStatus(id, 1, index);
    }

    // ------------------------------------------------------------------------------------------------ settlement

    function test_settlementMakesOneLeafForEachRun() public {
        _wonRuns();
        BidWord[] memory list = words(1);
        bytes32[] memory leaves = new bytes32[](3);
        leaves[0] = keccak256(abi.encode(list[0], 0, 1));
        leaves[1] = keccak256(abi.encode(list[1], 1, (3 << 8) | 1));
        leaves[2] = keccak256(abi.encode(list[1], (4 << 32) | 5, 6 << 8));
        assertEq(market.assignmentRoot(id, 1), SlowMerkle.root(leaves));
        assertEq(free(0), 22 + MARGIN - 7 * SIZE);
        assertEq(free(1), 13 + MARGIN - 2 - 4 * SIZE);
    }

    /// @dev Random lots over three seats, in both mechanisms: the root is that of the runs as the mechanism document has them, every task
    /// is delivered and paid, and no unit stays taken.
    function testFuzz_everyTaskOfEveryRunIsDelivered(uint256 seed) public {
        params.mechanism = Mechanism(uint8(seed % 2));
        fixCap(uint64(60 + seed % 60));
        id = market.createMarket(params);
        for (uint256 k; k < 3; ++k) {
            uint256 r = uint256(keccak256(abi.encode(seed, "seat", k)));
            seat(address(uint160(0xa000 + k)), uint32(8 + r % 30), uint64(1 + (r >> 8) % 4));
        }
        seat(rita, 50, 5);
        open(1);
        for (uint256 k; k < 4; ++k) {
            uint256 r = uint256(keccak256(abi.encode(seed, k)));
            fundedLot(
                address(uint160(0xc000 + k)),
                uint64(6 + r % 4),
                uint32(1 + (r >> 8) % MAX_SIZE),
                1 + (r >> 16) % 20
            );
        }
        open(2);
        SlowClearing.Result memory result = settle(1);
        (bytes32[] memory leaves,) = leavesOf(1, result, 0);
        assertEq(market.assignmentRoot(id, 1), SlowMerkle.root(leaves));
        for (uint256 i; i < result.wins.length; ++i) {
            if (result.wins[i]) deliver(1, i);
        }
        for (uint256 k; k < 4; ++k) {
            assertEq(free(k), capacity(k));
        }
    }

    // ------------------------------------------------------------------------------------- first, middle and last

    function test_tasksOfARunAreDeliveredInAnyOrder() public {
        _wonRuns();
        uint8[11] memory order = [5, 11, 8, 1, 4, 2, 3, 10, 6, 9, 7];
        for (uint256 k; k < 11; ++k) {
            vm.expectEmit(address(market));
            emit IMarketLog.TaskDelivered(id, 1, order[k], order[k] < 5 ? 1 : 0, PAYMENT, 0, 0);
            deliver(1, order[k]);
            assertEq(uint256(_status(order[k])), uint256(TaskStatus.Delivered));
        }
        deliver(1, 0);
        assertEq(available(paul), 7 * PAYMENT);
        assertEq(available(quentin), 4 * PAYMENT + 2 * 9);
        for (uint256 i; i <= LAST; ++i) {
            Delivery memory again = deliveryOf(1, i);
            vm.expectRevert(abi.encodeWithSelector(IMarketLog.TaskEnded.selector, 1, i));
            market.deliver(id, again);
        }
    }

    function test_tasksOfARunAreTakenOverOneByOne() public {
        _wonRuns();
        vm.warp(proveBy(1));
        uint8[3] memory taken = [5, 8, 11];
        for (uint256 k; k < 3; ++k) {
            takeOver(1, taken[k], 2);
            assertEq(uint256(_status(taken[k])), uint256(TaskStatus.Assigned));
        }
        assertEq(uint256(_status(7)), uint256(TaskStatus.Defaulted));
        for (uint256 k; k < 3; ++k) {
            deliver(1, taken[k]);
        }
        uint256 collateral = PER_UNIT * SIZE;
        assertEq(available(rita), 3 * (PAYMENT + collateral / 2));
        // Of Paul's units those of the four tasks that nobody took over are still taken.
        assertEq(capacity(0), 22 + MARGIN - 3 * SIZE);
        assertEq(free(0), 22 + MARGIN - 7 * SIZE);
    }

    function test_tasksOfARunExpireOneByOne() public {
        _wonRuns();
        uint256 before = available(alice);
        vm.warp(finalAt(1));
        uint8[3] memory ended = [1, 3, 4];
        uint256 payment = 12 * SIZE;
        for (uint256 k; k < 3; ++k) {
            vm.expectEmit(address(market));
            emit IMarketLog.TaskExpired(id, 1, ended[k], payment - payment / 10);
            expire(1, ended[k]);
            assertEq(uint256(_status(ended[k])), uint256(TaskStatus.Expired));
        }
        assertEq(uint256(_status(2)), uint256(TaskStatus.Expirable));
        assertEq(available(alice), before + 3 * (payment - payment / 10));
    }

    // ------------------------------------------------------------------------------------------------ forged runs

    function test_RevertWhen_RunIsNotAsItWasSettled() public {
        _wonRuns();
        for (uint256 field; field < 13; ++field) {
            Delivery memory d = deliveryOf(1, 8);
            Task memory task = d.task;
            assertEq(task.position, 7);
            assertEq(task.runBefore, 3);
            assertEq(task.runAfter, 3);
            if (field == 0) task.runBefore = 2;
            if (field == 1) task.runBefore = 4;
            if (field == 2) task.runAfter = 2;
            if (field == 3) task.runAfter = 4;
            // As long as it is, elsewhere.
            if (field == 4) (task.runBefore, task.runAfter) = (2, 4);
            if (field == 5) (task.runBefore, task.runAfter) = (4, 2);
            // As if it were by itself, or the whole lot.
            if (field == 6) (task.runBefore, task.runAfter) = (0, 0);
            if (field == 7) (task.runBefore, task.runAfter) = (7, 3);
            // A task before the run, with its path, and what would be one after it.
            if (field == 8) (task.index, task.position, task.runBefore, task.runAfter) = (4, 3, 0, 7);
            if (field == 9) (task.index, task.position, task.runBefore, task.runAfter) = (12, 11, 7, 0);
            // Another bid by this one's number, and this one by another's.
            if (field == 10) task.index = 9;
            if (field == 11) task.position = 6;
            // More before it than there are bids.
            if (field == 12) (task.runBefore, task.runAfter) = (type(uint16).max, type(uint16).max);
            _refusedAsTask(d);
            vm.expectRevert(abi.encodeWithSelector(IMarketLog.UnknownTask.selector, 1, task.index));
            market.expire(id, task, d.path);
            vm.expectRevert(abi.encodeWithSelector(IMarketLog.UnknownTask.selector, 1, task.index));
            vm.prank(rita);
            market.takeOver(id, task, d.path, 2);
        }
    }

    /// @dev Whatever is said of a task, the path of a run leads to the root for what its settlement has put there alone. Numbers below
    /// zero are no way out.
    function testFuzz_pathOfARunIsThatOfItsTasksAlone(
        uint32 index,
        uint16 position,
        uint16 runBefore,
        uint16 runAfter,
        bool near
    ) public {
        _wonRuns();
        if (near) {
            (index, position, runBefore, runAfter) = (index % 14, position % 13, runBefore % 9, runAfter % 9);
        }
        Delivery memory d = deliveryOf(1, 8);
        Task memory task = d.task;
        (task.index, task.position, task.runBefore, task.runAfter) = (index, position, runBefore, runAfter);
        bool isInRun = index >= 5 && index <= 11 && position == index - 1 && runBefore == index - 5
            && runAfter == 11 - index;
        _isKnown(d, isInRun);
    }

    /// @dev Every task of the run, and all that can be said of its run in 8 numbers.
    function test_everyTaskOfARunHasOneNameAlone() public {
        _wonRuns();
        Delivery memory d = deliveryOf(1, 8);
        for (uint32 index = 4; index < 13; ++index) {
            for (uint16 runBefore; runBefore < 9; ++runBefore) {
                for (uint16 runAfter; runAfter < 9; ++runAfter) {
                    (d.task.index, d.task.position) = (index, uint16(index) - 1);
                    (d.task.runBefore, d.task.runAfter) = (runBefore, runAfter);
                    _isKnown(d, runBefore + 5 == index && index + runAfter == 11);
                }
            }
        }
    }

    /// @dev What is known is refused for the statement, which is bid 8's.
    function _isKnown(Delivery memory d, bool known) private {
        if (known && d.task.index == 8) return;
        bytes4 reason = known ? IMarketLog.WrongStatement.selector : IMarketLog.UnknownTask.selector;
        vm.expectRevert(abi.encodeWithSelector(reason, 1, d.task.index));
        market.deliver(id, d);
    }

    /// @dev Two runs of one lot do not share a path, nor does a run with a bid by itself.
    function test_RevertWhen_ThePathIsAnotherRuns() public {
        _wonRuns();
        Delivery memory d = deliveryOf(1, 8);
        d.path = deliveryOf(1, 4).path;
        _refusedAsTask(d);
        d.path = deliveryOf(1, 0).path;
        _refusedAsTask(d);
        // With the path of the same run it is delivered.
        d.path = deliveryOf(1, 11).path;
        market.deliver(id, d);
    }

    function test_RevertWhen_RunIsClaimedForAnotherSeat() public {
        _wonRuns();
        Delivery memory d = deliveryOf(1, 8);
        d.task.seat = 1;
        _refusedAsTask(d);
        // The seat is the low 8 bits of what also tells the length.
        d = deliveryOf(1, 4);
        assertEq(d.task.seat, 1);
        (d.task.seat, d.task.runBefore) = (0, 4);
        _refusedAsTask(d);
    }
}
