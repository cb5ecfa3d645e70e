// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {Offer} from "../../../contracts/types/Offer.sol";
import {SlowClearing} from "../support/SlowClearing.sol";
import {MarketTest} from "../support/MarketTest.sol";

contract SeatBookTest is MarketTest {
    uint32 private constant MINIMUM = 2 * MAX_SIZE - 1;

    function _demand(uint256 bids) private {
        for (uint256 i; i < bids; ++i) {
            fundedBid(alice, uint64(30 - i), MAX_SIZE);
        }
    }

    function test_registerLocksCollateralAndAsksFromTheNextRound() public {
        fund(paul, 2000);
        vm.expectEmit(address(market));
        emit IMarketLog.SeatRegistered(id, 0, paul, 17, 6, 1);
        vm.prank(paul);
        assertEq(market.register(id, 17, 6), 0);
        assertEq(available(paul), 300);
        (address prover, uint256 registered, Offer offer,) = market.seatOf(id, 0);
        assertEq(prover, paul);
        assertEq(registered, 17);
        assertEq(offer.free(), 17);
        assertEq(offer.costAt(0), type(uint64).max);
        assertEq(offer.costAt(1), 6);
        assertEq(market.seatCount(id), 1);
    }

    function test_registerCarriesItsOwnMoney() public {
        vm.deal(paul, 1 ether);
        vm.prank(paul);
        market.register{value: 1600 * TICK}(id, 15, 6);
        assertEq(available(paul), 100);
    }

    function test_RevertWhen_CapacityOutOfRange() public {
        // The largest offers as much as the capacity cap at its lowest.
        uint256 largest = params.capMin + MAX_SIZE - 1;
        fund(paul, 3 * largest * PER_UNIT);
        bytes4 selector = IMarketLog.CapacityOutOfRange.selector;
        vm.startPrank(paul);
        vm.expectRevert(abi.encodeWithSelector(selector, MINIMUM - 1, MINIMUM, largest));
        market.register(id, MINIMUM - 1, 6);
        vm.expectRevert(abi.encodeWithSelector(selector, largest + 1, MINIMUM, largest));
        market.register(id, uint32(largest) + 1, 6);
        vm.expectRevert(abi.encodeWithSelector(selector, 0, MINIMUM, largest));
        market.register(id, 0, 6);
        market.register(id, MINIMUM, 6);
        market.register(id, uint32(largest), 6);
    }

    function test_seatsOfAMarketMayBeLargerThanItsTasksNeed() public {
        params.minSeatCapacity = 40;
        id = market.createMarket(params);
        fund(paul, 1e6);
        vm.startPrank(paul);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.CapacityOutOfRange.selector, 39, 40, 1007));
        market.register(id, 39, 6);
        market.register(id, 40, 6);
    }

    function test_seatFeeGoesToTheSinkForGood() public {
        params.seatFee = 77;
        id = market.createMarket(params);
        fund(paul, 1500 + 76);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.InsufficientBalance.selector, 1576, 1577));
        vm.prank(paul);
        market.register(id, MINIMUM, 6);
        fund(paul, 1);
        vm.prank(paul);
        market.register(id, MINIMUM, 6);
        assertEq(available(paul), 0);
        assertEq(market.surplusOf(id), 77);
        open(1);
        vm.prank(paul);
        market.changeCapacity(id, 0, 0);
        open(2);
        vm.prank(paul);
        assertEq(market.releaseCapacity(id, 0), 1500);
        assertEq(market.collectSurplus(id), 77 * TICK);
    }

    function test_RevertWhen_CollateralIsMissing() public {
        fund(paul, 1499);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.InsufficientBalance.selector, 1499, 1500));
        vm.prank(paul);
        market.register(id, MINIMUM, 6);
    }

    function test_RevertWhen_CostStandsForNoAsk() public {
        fund(paul, 10_000);
        bytes memory invalid = abi.encodeWithSelector(IMarketLog.InvalidCost.selector, type(uint64).max);
        vm.expectRevert(invalid);
        vm.prank(paul);
        market.register(id, MINIMUM, type(uint64).max);
        seat(paul, 10, type(uint64).max - 1);
        vm.expectRevert(invalid);
        vm.prank(paul);
        market.ask(id, 0, type(uint64).max);
    }

    function test_RevertWhen_NoSeatLeft() public {
        for (uint64 i; i < 5; ++i) {
            assertEq(seat(paul, 10, i), i);
        }
        fund(rita, 1700);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.NoSeatLeft.selector, 5));
        vm.prank(rita);
        market.register(id, 17, 6);
    }

    function test_RevertWhen_SeatBelongsToSomebodyElse() public {
        seat(paul, 10, 6);
        bytes memory notOwner = abi.encodeWithSelector(IMarketLog.NotSeatOwner.selector, 0, rita);
        vm.startPrank(rita);
        vm.expectRevert(notOwner);
        market.ask(id, 0, 1);
        vm.expectRevert(notOwner);
        market.changeCapacity(id, 0, 0);
        vm.expectRevert(notOwner);
        market.releaseCapacity(id, 0);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.NotSeatOwner.selector, 1, rita));
        market.ask(id, 1, 1);
    }

    function test_askCountsFromTheNextRound() public {
        seat(paul, 10, 6);
        seat(quentin, 10, 8);
        open(1);
        _demand(3);
        vm.expectEmit(address(market));
        emit IMarketLog.AskSubmitted(id, 0, 20, 2);
        vm.prank(paul);
        market.ask(id, 0, 20);
        open(2);
        _demand(3);
        assertEq(settle(1).proverPrice, 8);
        assertEq(cleared(1).winners[0], 0);
        deliver(1, 0);
        open(3);
        assertEq(settle(2).proverPrice, 20);
        assertEq(cleared(2).winners[0], 1);
    }

    function test_askAfterCloseChangesNothingInTheRound() public {
        seat(paul, 10, 6);
        seat(quentin, 10, 8);
        seat(rita, 10, 9);
        open(1);
        _demand(4);
        open(2);
        SlowClearing.Result memory before = cleared(1);
        vm.prank(paul);
        market.ask(id, 0, 20);
        vm.prank(quentin);
        market.changeCapacity(id, 1, 0);
        seat(steve, 10, 1);
        assertEq(settle(1).proverPrice, 9);
        assertEq(before.winners.length, 2);
        deliver(1, 0);
        deliver(1, 1);
        open(3);
        _demand(4);
        open(4);
        SlowClearing.Result memory later = settle(3);
        assertEq(later.winners.length, 2);
        assertEq(later.winners[0], 2);
        assertEq(later.winners[1], 3);
        assertEq(later.proverPrice, 20);
    }

    function test_RevertWhen_ThirdCostWouldBeNeeded() public {
        seat(paul, 10, 6);
        open(1);
        fundedBid(alice, 9, 1);
        vm.prank(paul);
        market.ask(id, 0, 7); // from round 2
        vm.prank(paul);
        market.ask(id, 0, 8); // another one, in the same round
        open(2);
        bytes memory frozen = abi.encodeWithSelector(IMarketLog.AskFrozen.selector, 1, settleBy(1));
        vm.expectRevert(frozen);
        vm.prank(paul);
        market.ask(id, 0, 9);
        vm.warp(settleBy(1) - 1);
        vm.expectRevert(frozen);
        vm.prank(paul);
        market.ask(id, 0, 9);
        vm.warp(settleBy(1));
        vm.prank(paul);
        market.ask(id, 0, 9);
        (,, Offer offer,) = market.seatOf(id, 0);
        assertEq(offer.costAt(2), 8);
        assertEq(offer.costAt(3), 9);
    }

    function test_askThawsOnceTheRoundBeforeIsSettled() public {
        seat(paul, 10, 6);
        seat(quentin, 10, 8);
        open(1);
        _demand(3);
        vm.prank(paul);
        market.ask(id, 0, 7);
        open(2);
        assertEq(settle(1).proverPrice, 8);
        vm.prank(paul);
        market.ask(id, 0, 9);
    }

    function test_askIsFreeAfterARoundWithoutBids() public {
        seat(paul, 10, 6);
        open(1);
        vm.prank(paul);
        market.ask(id, 0, 7);
        open(2);
        vm.prank(paul);
        market.ask(id, 0, 8);
        open(3);
        vm.prank(paul);
        market.ask(id, 0, 9);
    }

    function test_freedSeatNumberIsTakenAgainAndCountsAfresh() public {
        seat(paul, 10, 6);
        seat(quentin, 10, 8);
        open(1);
        vm.prank(paul);
        market.changeCapacity(id, 0, 0);
        open(2);
        vm.prank(paul);
        market.releaseCapacity(id, 0);
        assertEq(seat(rita, 12, 7), 0);
        assertEq(market.seatCount(id), 2);
        _demand(3);
        open(3);
        assertEq(settle(2).winners.length, 0); // Rita's ask counts from round 3
        fundedBid(alice, 30, 8);
        fundedBid(alice, 29, 8);
        open(4);
        SlowClearing.Result memory result = settle(3);
        assertEq(result.winners.length, 1);
        deliver(3, 0);
        assertEq(available(rita), 8 * 8);
        assertEq(available(paul), 1700);
    }

    function test_seatBelowItsMinimumSitsOutUntilItsTasksEnd() public {
        seat(paul, 10, 6);
        seat(quentin, 10, 8);
        open(1);
        _demand(3);
        open(2);
        settle(1);
        assertEq(free(0), 17 - 8);
        _demand(3);
        open(3);
        SlowClearing.Result memory result = settle(2); // Paul has 9 of the 15 units that a seat needs
        assertEq(result.winners.length, 0);
        assertEq(result.certificate.pivotSeat, 1);
        deliver(1, 0);
        _demand(3);
        open(4);
        assertEq(settle(3).winners[0], 0);
    }

    function test_deliveryAfterCloseDoesNotAddToTheRound() public {
        seat(paul, 24, 6);
        seat(quentin, 24, 8);
        seat(rita, 24, 40);
        open(1);
        _demand(4);
        open(2);
        settle(1); // 24 units, price 8, all on Paul
        assertEq(free(0), 7);
        _demand(4);
        open(3);
        SlowClearing.Result memory before = cleared(2);
        deliver(1, 0);
        deliver(1, 1);
        deliver(1, 2);
        assertEq(free(0), 31);
        SlowClearing.Result memory result = settle(2);
        assertEq(keccak256(abi.encode(result)), keccak256(abi.encode(before)));
        assertEq(result.certificate.pivotSeat, 1);
    }
}
