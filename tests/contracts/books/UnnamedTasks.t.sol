// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {Delivery, Task, TaskStatus} from "../../../contracts/types/Task.sol";
import {MarketTest} from "../support/MarketTest.sol";

/// @notice Tasks of which nobody says what is behind their ticket.
contract UnnamedTasksTest is MarketTest {
    /// Alice's bid of 8 units wins at 20, the fee of the first left out, and is Paul's.
    function setUp() public override {
        super.setUp();
        tells = true;
        seat(paul, 20, 2);
        seat(quentin, 20, 3);
        open(1);
        fundedBid(alice, 20, 8);
        fundedBid(bob, 20, 8);
        fundedBid(bob, 20, 8);
        open(2);
        settle(1);
    }

    function _unnamed() private view returns (Task memory task, bytes32[] memory path) {
        (task, path) = taskOf(1, 0);
        (task.requester, task.statements) = (address(0), bytes32(wordOf(posted(1, 0)).ticket()));
    }

    function _expirableAt() private view returns (uint256) {
        return finalAt(1) + (finalAt(1) - settleBy(1));
    }

    function test_taskThatNobodyNamesEndsAndItsRefundGoesToTheSink() public {
        (Task memory task, bytes32[] memory path) = _unnamed();
        uint256 before = market.surplusOf(id);
        uint256 hers = available(alice);
        uint256 free_ = free(task.seat);
        uint256 paid = 8 * 20;
        uint256 penalty = paid * params.penaltyBps / 10_000;
        vm.warp(_expirableAt());
        vm.expectEmit(address(market));
        emit IMarketLog.TaskExpired(id, 1, 0, 0);
        market.expire(id, task, path);
        assertEq(uint256(market.taskStatus(id, 1, 0)), uint256(TaskStatus.Expired));
        assertEq(available(alice), hers);
        assertEq(market.surplusOf(id), before + paid + penalty);
        assertGt(free(task.seat), free_);
        (task, path) = taskOf(1, 0);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.TaskEnded.selector, 1, 0));
        market.expire(id, task, path);
    }

    function test_requesterHasTimeToNameItsTask() public {
        (Task memory task, bytes32[] memory path) = _unnamed();
        vm.warp(_expirableAt() - 1);
        bytes memory early =
            abi.encodeWithSelector(IMarketLog.TaskNotExpirable.selector, 1, 0, _expirableAt());
        vm.expectRevert(early);
        market.expire(id, task, path);
        uint256 hers = available(alice);
        expire(1, 0);
        assertGt(available(alice), hers);
    }

    function test_RevertWhen_AnUnnamedTaskIsTakenOverOrDelivered() public {
        (Task memory task, bytes32[] memory path) = _unnamed();
        Delivery memory d = deliveryOf(1, 0);
        (d.task, d.path) = (task, path);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongStatement.selector, 1, 0));
        market.deliver(id, d);
        vm.warp(proveBy(1));
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.TaskNotNamed.selector, 1, 0));
        vm.prank(quentin);
        market.takeOver(id, task, path, 1);
    }

    function test_RevertWhen_TheTicketIsAnother() public {
        (Task memory task, bytes32[] memory path) = _unnamed();
        task.statements = bytes32(uint256(task.statements) ^ 1);
        vm.warp(_expirableAt());
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.UnknownTask.selector, 1, 0));
        market.expire(id, task, path);
    }
}
