// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../../contracts/interfaces/IMarketLog.sol";
import {Delivery} from "../../contracts/types/Task.sol";
import {SlowClearing} from "./support/SlowClearing.sol";
import {ProvedMarketTest} from "./support/ProvedMarketTest.sol";

/// @notice One round with real proofs, from the first deposit until everybody has left.
contract LifecycleTest is ProvedMarketTest {
    function setUp() public override {
        super.setUp();
        tells = true;
    }

    uint256 private constant TASKS = 5;

    function test_roundWithRealProofsFromDepositToExit() public {
        seat(paul, 80, 6);
        seat(quentin, 80, 9);
        seat(rita, 80, 30);
        open(1);
        // Three sizes by two requesters; the last bid of Carol's loses.
        for (uint256 i; i < TASKS; ++i) {
            bidForProof(i % 2 == 0 ? alice : bob, uint64(70 - i), i % 3, i / 3);
        }
        fundedBid(carol, 35, 60);
        open(2);
        SlowClearing.Result memory result = settle(1);
        assertEq(result.winners.length, 2);
        assertEq(result.userPrice, 35);
        assertEq(result.proverPrice, 30);
        assertEq(result.units, 14 + 27 + 53 + 14 + 27);

        // A proof of another statement, and another's proof re-sent, are worth nothing.
        Delivery memory right = provedDelivery(1, 0, 0, 0);
        Delivery memory wrong = provedDelivery(1, 0, 0, 1);
        vm.expectRevert(IMarketLog.ProofRejected.selector);
        market.deliver(id, wrong);
        wrong.publicInputs = readCase(0, 1).publicInputs;
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongStatement.selector, 1, 0));
        market.deliver(id, wrong);

        for (uint256 i; i + 1 < TASKS; ++i) {
            deliverProof(1, i, i % 3, i / 3);
        }
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.TaskEnded.selector, 1, 0));
        market.deliver(id, right);

        // The last task defaults; Rita takes it over and delivers.
        vm.warp(proveBy(1));
        takeOver(1, TASKS - 1, 2);
        uint256 before = available(rita);
        deliverProof(1, TASKS - 1, 1, 1);
        uint256 collateral = 27 * PER_UNIT;
        assertEq(available(rita) - before, 27 * 30 + collateral / 2);

        _leaveAll(result.units, collateral);
    }

    /// @dev Surplus: the spread of the prices, and what a slash leaves after bounty (half) and compensation (3/10).
    function _leaveAll(uint256 units, uint256 collateral) private {
        for (uint256 i = 2; i < TASKS; ++i) {
            market.release(id, i % 2 == 0 ? alice : bob, 1, i, words(1, i, 1)); // their second and third bids
        }
        address[7] memory everybody = [alice, bob, carol, paul, quentin, rita, relayer];
        for (uint256 i; i < 3; ++i) {
            vm.prank(everybody[3 + i]);
            market.changeCapacity(id, i, 0);
        }
        vm.warp(closeAt((block.timestamp - params.genesis) / params.biddingPeriod));
        for (uint256 i; i < 3; ++i) {
            vm.prank(everybody[3 + i]);
            market.releaseCapacity(id, i);
        }
        uint256 surplus = units * (35 - 30) + collateral / 5;
        assertEq(market.surplusOf(id), surplus);
        for (uint256 i; i < everybody.length; ++i) {
            vm.prank(everybody[i]);
            market.withdraw(id, type(uint256).max, everybody[i]);
        }
        assertEq(relayer.balance, (TASKS + 1) * FEE * TICK);
        assertEq(address(market).balance, surplus * TICK);
        market.collectSurplus(id);
        assertEq(sink.balance, surplus * TICK);
        assertEq(address(market).balance, 0);
    }
}
