// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {Lane, LaneLib} from "../../../contracts/types/Lane.sol";
import {MarketTest} from "../support/MarketTest.sol";

contract LedgerTest is MarketTest {
    uint64[] private _fees = [30, 20, 9, 4];
    uint32[] private _sizes = [8, 4, 8, 3];

    /// @dev Two winning seats of 10 units each and a third that sets the price 9.
    function _seats() private {
        seat(paul, 10, 6);
        seat(quentin, 10, 8);
        seat(rita, 10, 9);
    }

    function test_depositCreditsWhomItNames() public {
        vm.deal(bob, 50 * TICK);
        vm.expectEmit(address(market));
        emit IMarketLog.Deposited(id, alice, bob, 50);
        vm.prank(bob);
        market.deposit{value: 50 * TICK}(id, alice, 50 * TICK);
        assertEq(available(alice), 50);
        assertEq(available(bob), 0);
        assertEq(address(market).balance, 50 * TICK);
    }

    function test_depositFeedsTheLaneOfTheOpenRound() public {
        fund(alice, 10);
        open(1);
        fund(alice, 3);
        Lane[2] memory lanes = market.lanesOf(id, alice);
        assertEq(lanes[0].balance(), 10);
        assertEq(lanes[1].balance(), 3);
    }

    function test_RevertWhen_DepositIsMalformed() public {
        vm.deal(address(this), 1 ether);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.NotMultipleOfTick.selector, TICK + 1, TICK));
        market.deposit{value: TICK + 1}(id, alice, TICK + 1);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongValue.selector, TICK, 2 * TICK));
        market.deposit{value: TICK}(id, alice, 2 * TICK);
        vm.expectRevert(IMarketLog.ZeroAddress.selector);
        market.deposit{value: TICK}(id, address(0), TICK);
    }

    function test_RevertWhen_BalanceExceedsALane() public {
        uint256 most = type(uint96).max;
        params.tick = 1;
        id = market.createMarket(params);
        fund(alice, most);
        vm.deal(address(this), 1);
        vm.expectRevert(abi.encodeWithSelector(LaneLib.BalanceOverflow.selector, most, 1));
        market.deposit{value: 1}(id, alice, 1);
    }

    function test_withdrawPaysFromBothLanes() public {
        fund(alice, 10);
        open(1);
        fund(alice, 5);
        vm.expectEmit(address(market));
        emit IMarketLog.Withdrawn(id, alice, bob, 12);
        vm.prank(alice);
        assertEq(market.withdraw(id, 12, bob), 12 * TICK);
        assertEq(bob.balance, 12 * TICK);
        assertEq(available(alice), 3);
        vm.prank(alice);
        assertEq(market.withdraw(id, type(uint256).max, alice), 3 * TICK);
        assertEq(available(alice), 0);
        assertEq(address(market).balance, 0);
    }

    function test_RevertWhen_WithdrawingMoreThanThere() public {
        fund(alice, 10);
        open(1);
        fund(alice, 5);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.InsufficientBalance.selector, 15, 16));
        vm.prank(alice);
        market.withdraw(id, 16, alice);
        vm.expectRevert(IMarketLog.ZeroAddress.selector);
        vm.prank(alice);
        market.withdraw(id, 1, address(0));
    }

    function test_lockedMoneyCannotBeWithdrawn() public {
        fundedBid(alice, 10, 4);
        assertEq(available(alice), 0);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.InsufficientBalance.selector, 0, 1));
        vm.prank(alice);
        market.withdraw(id, 1, alice);
    }

    function test_resultsFoldInWithoutAClaim() public {
        _seats();
        open(1);
        fundedBid(alice, 20, 8);
        fundedBid(bob, 15, 8);
        fundedBid(carol, 12, 8);
        open(2);
        assertEq(available(carol), 0);
        settle(1);
        assertEq(available(alice), 8 * (20 - 12));
        assertEq(available(bob), 8 * (15 - 12));
        assertEq(available(carol), 8 * 12);
        market.fold(id, carol);
        Lane[2] memory lanes = market.lanesOf(id, carol);
        assertFalse(lanes[1].hasBid());
        assertEq(lanes[1].balance(), 96);
        market.fold(id, carol);
        assertEq(available(carol), 96);
        vm.prank(alice);
        market.withdraw(id, 64, alice);
        assertEq(alice.balance, 64 * TICK);
        open(3);
        bid(bob, 5, 3); // pays with the refund of round 1
        assertEq(available(bob), 24 - 15 - FEE);
    }

    function test_voidRoundRefundsTheSettlementFeeToo() public {
        fundedBid(alice, 20, 8);
        vm.warp(settleBy(0) - 1);
        assertEq(available(alice), 0);
        vm.warp(settleBy(0));
        assertEq(available(alice), 160 + FEE);
        vm.prank(alice);
        market.withdraw(id, 160 + FEE, alice);
        assertEq(alice.balance, (160 + FEE) * TICK);
        assertEq(address(market).balance, 0);
    }

    function test_secondBidInARoundBecomesABundle() public {
        fund(alice, 1000);
        bid(alice, 20, 8);
        vm.expectEmit(true, true, false, false, address(market));
        emit IMarketLog.BidsBundled(id, alice, 0, 1, 1);
        assertEq(bid(alice, 10, 2), 1);
        assertEq(market.bundleHash(id, alice, 0, 1), keccak256(abi.encodePacked(words(0, 1, 1))));
        assertEq(available(alice), 1000 - 160 - 20 - 2 * FEE);
        vm.warp(settleBy(0));
        assertEq(available(alice), 1000 - 20 - FEE);
        assertEq(market.release(id, alice, 0, 1, words(0, 1, 1)), 20 + FEE);
        assertEq(available(alice), 1000);
        assertEq(market.bundleHash(id, alice, 0, 1), 0);
    }

    function test_bundleIsReleasedOnceWithEveryResult() public {
        _seats();
        open(1);
        fundedBid(bob, 25, 8);
        uint256 locked = 240 + 80 + 72 + 12;
        fund(alice, locked + 4 * FEE);
        assertEq(bundle(alice, _fees, _sizes), 1);
        assertEq(available(alice), 0);
        BidWord[] memory list = words(1, 1, 4);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.RoundUnresolved.selector, 1));
        market.release(id, alice, 1, 1, list);
        open(2);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.RoundUnresolved.selector, 1));
        market.release(id, alice, 1, 1, list);
        assertEq(settle(1).userPrice, 9);
        vm.expectEmit(address(market));
        emit IMarketLog.BundleReleased(id, alice, 1, 1, locked - 108);
        assertEq(market.release(id, alice, 1, 1, list), locked - 108); // 8 and 4 units won at price 9
        assertEq(available(alice), locked - 108);
        vm.expectRevert(IMarketLog.UnknownBundle.selector);
        market.release(id, alice, 1, 1, list);
    }

    function test_RevertWhen_BundleIsNotThatOne() public {
        uint256 locked = 240 + 80 + 72 + 12;
        fund(alice, locked + 4 * FEE);
        bundle(alice, _fees, _sizes);
        vm.warp(settleBy(0));
        BidWord[] memory list = words(0);
        vm.expectRevert(IMarketLog.UnknownBundle.selector);
        market.release(id, bob, 0, 0, list);
        vm.expectRevert(IMarketLog.UnknownBundle.selector);
        market.release(id, alice, 1, 0, list);
        vm.expectRevert(IMarketLog.UnknownBundle.selector);
        market.release(id, alice, 0, 1, list);
        BidWord[] memory part = words(0, 0, 3);
        vm.expectRevert(IMarketLog.UnknownBundle.selector);
        market.release(id, alice, 0, 0, part);
        list[0] = BidWord.wrap(bytes32(uint256(BidWord.unwrap(list[0])) + (1 << 192)));
        vm.expectRevert(IMarketLog.UnknownBundle.selector);
        market.release(id, alice, 0, 0, list);
        assertEq(market.release(id, alice, 0, 0, words(0)), locked + 4 * FEE);
    }

    function test_bidPullsFromTheOtherLaneWithHalfOfTheRest() public {
        fund(alice, 300);
        open(1);
        bid(alice, 10, 4);
        Lane[2] memory lanes = market.lanesOf(id, alice);
        assertEq(lanes[0].balance(), 127); // (300 - 47) / 2, the odd tick on the bid's side
        assertEq(lanes[1].balance(), 126);
        assertEq(lanes[1].fee(), 10);
        assertEq(available(alice), 253);
    }

    function test_bidPullsFromTheOtherLaneWhoseBidIsStillOpen() public {
        fund(alice, 300);
        bid(alice, 10, 4); // round 0
        open(1);
        bid(alice, 11, 4); // round 1, while round 0 waits to be settled
        Lane[2] memory lanes = market.lanesOf(id, alice);
        assertTrue(lanes[0].hasBid());
        assertTrue(lanes[1].hasBid());
        assertEq(available(alice), 300 - 47 - 51);
        open(2);
        bid(alice, 12, 4); // round 0 is void by now: folded into the same slot
        lanes = market.lanesOf(id, alice);
        assertEq(lanes[0].round(0), 2);
        assertEq(available(alice), 300 - 51 - 55);
        vm.warp(settleBy(2));
        assertEq(available(alice), 300);
    }

    function test_RevertWhen_BothLanesTogetherHaveTooLittle() public {
        fund(alice, 20);
        open(1);
        fund(alice, 26);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.InsufficientBalance.selector, 46, 47));
        vm.prank(alice);
        market.submitOneBid(id, plainWord(10, 4));
    }

    function test_sinkCollectsItsSurplusOnly() public {
        _seats();
        open(1);
        fundedBid(alice, 20, 8);
        fundedBid(bob, 15, 8);
        fundedBid(carol, 12, 8);
        open(2);
        settle(1);
        deliver(1, 0);
        assertEq(market.surplusOf(id), 8 * (12 - 9));
        vm.expectEmit(address(market));
        emit IMarketLog.SurplusCollected(id, sink, 24);
        assertEq(market.collectSurplus(id), 24 * TICK);
        assertEq(sink.balance, 24 * TICK);
        assertEq(market.surplusOf(id), 0);
        assertEq(market.collectSurplus(id), 0);
    }
}
