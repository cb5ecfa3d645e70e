// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {Outcome} from "../../../contracts/types/Outcome.sol";
import {ClosedRoundTest} from "../support/ClosedRoundTest.sol";
import {SlowClearing} from "../support/SlowClearing.sol";
import {SlowMerkle} from "../support/SlowMerkle.sol";

contract SettlementBookTest is ClosedRoundTest {
    function test_settlementRecordsTheOutcomeAndRewardsTheCaller() public {
        _closedRound();
        SlowClearing.Result memory expected = cleared(1);
        (bytes32[] memory leaves,) = leavesOf(1, expected, 0);
        uint256[] memory winners = new uint256[](2);
        (winners[0], winners[1]) = ((12 << 8) | 1, 10 << 8); // rotated by the round's number
        uint256[] memory shares = new uint256[](1);
        shares[0] = (uint256(uint160(relayer)) << 64) | 5;
        vm.expectEmit(address(market));
        emit IMarketLog.RoundSettled(
            id, 1, relayer, core(2, 12, 2, 22), 9 * 22, winners, SlowMerkle.root(leaves), shares
        );
        settle(1);
        Outcome outcome = market.outcomeOf(id, 1);
        assertEq(outcome.pivotFee(), 12);
        assertEq(outcome.pivotIndex(), 2);
        assertEq(outcome.revenue(), 9 * 22);
        assertEq(outcome.units(), 22);
        assertEq(market.assignmentRoot(id, 1), SlowMerkle.root(leaves));
        assertEq(available(relayer), 5 * FEE);
        assertEq(free(0) + free(1), 17 + 19 - 22);
    }

    function test_workedExampleOfTheMechanismDocument() public {
        fixReserve(0);
        fixCap(100);
        id = market.createMarket(params);
        uint64[4] memory fees = [uint64(9), 7, 7, 5];
        uint32[4] memory sizes = [uint32(4), 3, 2, 5];
        SlowClearing.Round memory r;
        r.capacityCap = 100;
        r.bids = new SlowClearing.Bid[](5);
        for (uint256 i; i < 4; ++i) {
            r.bids[i] = SlowClearing.Bid(fees[i], sizes[i]);
        }
        r.bids[4] = SlowClearing.Bid(2, 6);
        r.asks = new SlowClearing.Ask[](4);
        r.asks[0] = SlowClearing.Ask(1, 5);
        r.asks[1] = SlowClearing.Ask(3, 4);
        r.asks[2] = SlowClearing.Ask(4, 6);
        r.asks[3] = SlowClearing.Ask(8, 9);
        SlowClearing.Result memory result = SlowClearing.clear(r);
        assertEq(result.winners.length, 2);
        assertEq(result.proverPrice, 4);
        assertEq(result.userPrice, 5);
        assertEq(result.units, 9);
        (r.averageFee, r.capacityCap) = (true, 10);
        result = SlowClearing.clear(r);
        assertEq(result.winners.length, 3);
        assertEq(result.units, 9);
        assertEq(result.revenue, 71);
    }

    function test_RevertWhen_RoundCannotBeSettledNow() public {
        _seats();
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.NothingToSettle.selector, 0));
        this.trySettle(0);
        open(1);
        fundedBid(alice, 20, 8);
        vm.warp(closeAt(1) - 1);
        noteAsks(1);
        bytes memory open_ = abi.encodeWithSelector(IMarketLog.RoundOpen.selector, 1, closeAt(1));
        vm.expectRevert(open_);
        this.trySettle(1);
        vm.warp(settleBy(1));
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.RoundVoid.selector, 1, settleBy(1)));
        this.trySettle(1);
        vm.warp(settleBy(1) - 1);
        this.trySettle(1);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.RoundSettledAlready.selector, 1));
        this.trySettle(1);
    }

    function test_roundIsSettledAtTheSecondOfItsClose() public {
        _closedRound();
        assertEq(block.timestamp, closeAt(1));
        settle(1);
    }

    function test_roundsOverlap() public {
        _closedRound();
        fundedBid(alice, 20, 8);
        settle(1);
        fundedBid(bob, 20, 8);
        open(3);
        fundedBid(carol, 20, 8);
        fundedBid(carol, 19, 8);
        deliver(1, 0);
        settle(2);
        deliver(1, 1);
        deliver(2, 0);
        deliver(1, 3);
        open(4);
        settle(3);
        deliver(3, 0);
        assertEq(free(0) + free(1) + free(2) + free(3), 17 * 3 + 19);
    }

    function test_roundWithoutAnAskIsSettledAsSuch() public {
        fundedBid(alice, 20, 8);
        open(1);
        SlowClearing.Result memory result = settle(0);
        assertEq(result.certificate.pivotSeat, type(uint8).max);
        assertTrue(market.outcomeOf(id, 0).isSettled());
        assertEq(market.assignmentRoot(id, 0), 0);
        assertEq(available(alice), 160);
        assertEq(available(relayer), FEE);
    }

    function test_roundWithOneAskHasNoPriceSetterAndNoTrade() public {
        seat(paul, 10, 6);
        open(1);
        fundedBid(alice, 20, 8);
        open(2);
        settle(1);
        assertEq(market.outcomeOf(id, 1).units(), 0);
        assertEq(available(alice), 160);
    }

    function test_roundWithAllBidsBelowTheReserveHasNoTrade() public {
        _seats();
        open(1);
        fundedBid(alice, 4, 8);
        open(2);
        settle(1);
        assertEq(market.outcomeOf(id, 1).units(), 0);
        assertEq(available(alice), 32);
    }

    function test_everyBidWinsAtTheReserveIfAllFit() public {
        fixReserve(8);
        id = market.createMarket(params);
        _seats();
        open(1);
        fundedBid(alice, 20, 8);
        fundedBid(bob, 8, 2);
        open(2);
        SlowClearing.Result memory result = settle(1);
        assertEq(result.userPrice, 8);
        assertEq(result.proverPrice, 8);
        assertEq(result.certificate.pivotIndex, type(uint32).max);
        assertEq(result.units, 10);
    }

    function test_capacityCapBoundsTheBatch() public {
        fixCap(21);
        id = market.createMarket(params);
        _closedRound();
        SlowClearing.Result memory result = settle(1);
        assertEq(result.winners.length, 1);
        assertEq(result.units, 8);
    }

    function trySettle(uint256 round) external {
        settle(round);
    }
}
