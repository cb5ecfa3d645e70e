// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BidWord} from "../../contracts/types/BidWord.sol";
import {Lane} from "../../contracts/types/Lane.sol";
import {MarketIdLib} from "../../contracts/types/MarketId.sol";
import {TaskStatus} from "../../contracts/types/Task.sol";
import {SealedMarketTest} from "./support/SealedMarketTest.sol";

/// @notice A market takes bids in 2^28 rounds. What they began ends as in any other round, and all money can leave after it.
contract LastRoundTest is SealedMarketTest {
    function setUp() public override {
        super.setUp();
        tells = true;
    }

    uint256 private constant LAST = 2 ** 28 - 1;

    function _openMarket() private {
        (params.revealPeriod, params.bondBps, params.sink) = (0, 0, carol);
        id = market.createMarket(params);
    }

    function _over() private pure returns (bytes memory) {
        return abi.encodeWithSelector(MarketIdLib.MarketOver.selector, 2 ** 28);
    }

    /// @dev Three tasks of each of the last two rounds: Paul's seat is full with those of the first, and Quentin's wins the others.
    function _lastRounds() private {
        open(LAST - 2);
        seat(paul, 24, 6);
        seat(quentin, 24, 9);
        seat(rita, 24, 10);
        for (uint256 round = LAST - 1; round <= LAST; ++round) {
            open(round);
            if (round == LAST) settle(LAST - 1);
            fundedLot(alice, 20, 8, 1);
            fundedLot(bob, 12, 8, 3);
        }
        open(LAST + 1);
    }

    function test_lastRoundIsSettledAndItsTasksEnd() public {
        _openMarket();
        _lastRounds();
        settle(LAST);
        Lane[2] memory lanes = market.lanesOf(id, alice);
        assertEq(lanes[1].round(1), LAST);
        deliver(LAST - 1, 0);
        deliver(LAST, 0);
        vm.warp(proveBy(LAST));
        takeOver(LAST, 1, 2);
        deliver(LAST, 1);
        vm.warp(finalAt(LAST));
        assertEq(uint256(market.taskStatus(id, LAST - 1, 1)), uint256(TaskStatus.Expirable));
        expire(LAST - 1, 1);
        _allLeave();
    }

    function test_lastRoundMayBeVoid() public {
        _openMarket();
        _lastRounds();
        vm.warp(finalAt(LAST));
        expire(LAST - 1, 0);
        expire(LAST - 1, 1);
        _allLeave();
    }

    /// @dev Nothing is left of anybody's money.
    function _allLeave() private {
        // Tasks that are still open end.
        for (uint256 round = LAST - 1; round <= LAST; ++round) {
            if (!market.outcomeOf(id, round).isSettled()) continue;
            for (uint256 i; i < 4; ++i) {
                if (cleared(round).wins[i] && market.taskStatus(id, round, i) == TaskStatus.Expirable) {
                    expire(round, i);
                }
            }
        }
        address[6] memory everybody = [paul, quentin, rita, alice, bob, relayer];
        for (uint256 i; i < 3; ++i) {
            vm.prank(everybody[i]);
            market.changeCapacity(id, i, 0);
        }
        vm.warp(openAt(openRound() + 2));
        for (uint256 i; i < 3; ++i) {
            vm.prank(everybody[i]);
            market.releaseCapacity(id, i);
        }
        for (uint256 i; i < 6; ++i) {
            vm.prank(everybody[i]);
            market.withdraw(id, type(uint256).max, everybody[i]);
        }
        market.collectSurplus(id);
        assertEq(address(market).balance, 0);
    }

    function test_RevertWhen_BidComesAfterTheLastRound() public {
        _openMarket();
        vm.warp(closeAt(LAST) - 1);
        fundedBid(alice, 20, 8);
        assertEq(market.bidChainOf(id, LAST).count(), 1);
        vm.warp(closeAt(LAST));
        fund(alice, 1000);
        vm.startPrank(alice);
        BidWord[] memory one = new BidWord[](1);
        one[0] = plainWord(10, 1);
        vm.expectRevert(_over());
        market.submitOneBid(id, one[0]);
        vm.expectRevert(_over());
        market.submitBids(id, one);
        market.withdraw(id, 1000, alice);
        vm.stopPrank();
        vm.warp(settleBy(LAST));
        assertEq(available(alice), 160 + FEE);
    }

    /// @dev What was committed to for the last round is opened after it.
    function test_lastRoundOfASealedMarketIsOpenedAndSettled() public {
        open(LAST - 1);
        sealedSeat(paul, 24);
        sealedSeat(quentin, 24);
        open(LAST);
        Posted memory p = commit(alice, 20, 8, 1000);
        Posted[] memory more = new Posted[](3);
        for (uint256 i; i < 3; ++i) {
            more[i] = commit(bob, 12, 8, 1000);
        }
        bytes32 forgotten = commitmentOf(LAST, commit(carol, 12, 8, 1000));
        bytes32 salt = commitAsk(0, 6);
        bytes32 other = commitAsk(1, 9);
        open(LAST + 1);
        fund(alice, 1000);
        vm.startPrank(alice);
        vm.expectRevert(_over());
        market.commitBid(id, "c", 1000, uint32(LAST + 1));
        vm.stopPrank();
        fund(paul, bondOf(0));
        vm.expectRevert(_over());
        vm.prank(paul);
        market.commitAsk(id, 0, "c", uint32(LAST + 1));
        reveal(p);
        reveal(more);
        revealAsk(0, 6, salt);
        revealAsk(1, 9, other);
        vm.warp(revealBy(LAST));
        market.forfeit(id, carol, LAST, forgotten);
        settle(LAST);
        deliver(LAST, 0);
        assertEq(available(paul), 2 * bondOf(0) + 8 * 9);
    }
}
