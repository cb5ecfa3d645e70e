// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {Task} from "../../../contracts/types/Task.sol";
import {MarketTest} from "../support/MarketTest.sol";
import {SealedMarketTest} from "../support/SealedMarketTest.sol";

/// @notice Keys that act for a prover whose money they cannot take. Paul's operator is Oscar.
contract OperatorsTest is MarketTest {
    address private _oscar = makeAddr("oscar");

    function setUp() public override {
        super.setUp();
        seat(paul, 20, 6);
        vm.expectEmit(address(market));
        emit IMarketLog.OperatorSet(id, paul, _oscar);
        vm.prank(paul);
        market.setOperator(id, _oscar);
        assertEq(market.operatorOf(id, paul), _oscar);
        open(2); // the seat's registration is decided
    }

    function _refused(uint256 seat_, address caller) private {
        bytes memory notOwner = abi.encodeWithSelector(IMarketLog.NotSeatOwner.selector, seat_, caller);
        vm.startPrank(caller);
        vm.expectRevert(notOwner);
        market.ask(id, seat_, 1);
        vm.expectRevert(notOwner);
        market.changeCapacity(id, seat_, 0);
        vm.expectRevert(notOwner);
        market.releaseCapacity(id, seat_);
        vm.stopPrank();
    }

    function test_operatorAsksAndChangesCapacityAtItsProversExpense() public {
        fund(paul, 5 * PER_UNIT + 3);
        fund(_oscar, 1000);
        vm.startPrank(_oscar);
        market.ask(id, 0, 7);
        market.changeCapacity(id, 0, 27 + 5);
        assertEq(available(paul), 3);
        assertEq(available(_oscar), 1000);
        vm.stopPrank();
        open(4);
        vm.prank(_oscar);
        market.changeCapacity(id, 0, 0);
        vm.warp(settleBy(5));
        vm.expectEmit(address(market));
        emit IMarketLog.CapacityReleased(id, 0, paul, 32, 32 * PER_UNIT, true);
        vm.prank(_oscar);
        market.releaseCapacity(id, 0);
        assertEq(available(paul), 3 + 32 * PER_UNIT);
        assertEq(available(_oscar), 1000);
    }

    function test_operatorTakesTasksOverForItsProver() public {
        seat(quentin, 10, 3);
        open(3);
        fundedBid(alice, 20, 8);
        fundedBid(bob, 12, 8); // which loses and makes the price
        open(4);
        settle(3);
        (Task memory task, bytes32[] memory path) = taskOf(3, 0);
        assertEq(task.seat, 1);
        vm.warp(proveBy(3));
        vm.prank(_oscar);
        market.takeOver(id, task, path, 0);
        deliver(3, 0);
        assertGt(available(paul), 0);
        assertEq(available(_oscar), 0);
    }

    function test_RevertWhen_OperatorWithdraws() public {
        fund(paul, 10);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.InsufficientBalance.selector, 0, 10));
        vm.prank(_oscar);
        market.withdraw(id, 10, _oscar);
    }

    function test_RevertWhen_ActingForAnybodyElse() public {
        seat(quentin, 10, 8);
        _refused(1, _oscar);
        _refused(2, _oscar);
        _refused(0, rita);
        // Nobody is the operator of all whose seat is free.
        vm.prank(address(0));
        market.setOperator(id, rita);
        open(4);
        vm.prank(quentin);
        market.changeCapacity(id, 1, 0);
        vm.warp(settleBy(5));
        vm.prank(quentin);
        market.releaseCapacity(id, 1);
        _refused(1, rita);
    }

    function test_RevertWhen_OperatorWasReplacedOrIsOfAnotherMarket() public {
        vm.prank(paul);
        market.setOperator(id, rita);
        _refused(0, _oscar);
        vm.prank(rita);
        market.ask(id, 0, 7);
        vm.prank(paul);
        market.setOperator(id, address(0));
        _refused(0, rita);
        params.sink = bob;
        id = market.createMarket(params);
        seat(paul, 20, 6);
        vm.prank(rita);
        market.setOperator(id, rita);
        _refused(0, rita);
    }

    function test_operatorOfAProverThatLeftActsForNoOneElse() public {
        vm.prank(paul);
        market.changeCapacity(id, 0, 0);
        vm.warp(settleBy(3));
        vm.prank(paul);
        market.releaseCapacity(id, 0);
        assertEq(seat(quentin, 10, 8), 0);
        _refused(0, _oscar);
    }
}

contract SealedOperatorsTest is SealedMarketTest {
    function test_bondOfAnOperatorsCommitmentIsItsProvers() public {
        address oscar = makeAddr("oscar");
        sealedSeat(paul, 20);
        vm.prank(paul);
        market.setOperator(id, oscar);
        open(2);
        fund(paul, 1e6);
        fund(oscar, 7);
        uint256 before = available(paul);
        bytes32 commitment = askCommitment(2, 0, 6, "salt");
        vm.prank(oscar);
        market.commitAsk(id, 0, commitment, openRound());
        (uint256 deposit, uint256 bond) = market.stakeOf(id, paul, 2, commitment);
        assertGt(bond, 0);
        assertEq(available(paul), before - deposit);
        assertEq(available(oscar), 7);
        open(3);
        market.revealAsk(id, 0, 6, "salt");
        assertEq(available(paul), before);
    }
}
