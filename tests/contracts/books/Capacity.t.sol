// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {Offer} from "../../../contracts/types/Offer.sol";
import {MarketTest} from "../support/MarketTest.sol";

/// @notice Changes of a seat's capacity, in a market where they count two rounds later.
contract CapacityTest is MarketTest {
    function setUp() public override {
        super.setUp();
        tells = true;
        params.capacityDelay = 2;
        id = market.createMarket(params);
    }

    /// @dev Units that the seat offers to `round`, as settlement sees it.
    function _offered(uint256 seat_, uint256 round) private view returns (uint256) {
        (, uint256[] memory capacities) = market.asksOf(id, round);
        return capacities[seat_];
    }

    function _change(uint256 seat_, uint32 units) private returns (uint256) {
        (address prover,,,) = market.seatOf(id, seat_);
        vm.prank(prover);
        return market.changeCapacity(id, seat_, units);
    }

    function _release(uint256 seat_) private returns (uint256) {
        (address prover,,,) = market.seatOf(id, seat_);
        vm.prank(prover);
        return market.releaseCapacity(id, seat_);
    }

    /// @dev Two seats from round 2 on, the cheaper one Paul's, with 24 units registered.
    function _twoSeats() private {
        seat(paul, 17, 6);
        seat(quentin, 17, 9);
    }

    function _tasks(uint256 n) private {
        for (uint256 i; i < n; ++i) {
            fundedBid(alice, uint64(30 - i), MAX_SIZE);
        }
    }

    function test_registeredCapacityCountsAfterTheDelay() public {
        open(3);
        fund(paul, 2400);
        vm.expectEmit(address(market));
        emit IMarketLog.SeatRegistered(id, 0, paul, 24, 6, 5);
        vm.prank(paul);
        market.register(id, 24, 6);
        assertEq(_offered(0, 3), 0);
        assertEq(_offered(0, 4), 0);
        assertEq(_offered(0, 5), 17);
        assertEq(_offered(0, 6), 17);
    }

    function test_delayIsTheMarkets() public {
        for (uint256 delay = 1; delay < 256; delay += 127) {
            params.capacityDelay = uint8(delay);
            params.sink = address(uint160(1 + delay));
            id = market.createMarket(params);
            seat(paul, 17, 6);
            assertEq(_offered(0, delay - 1), 0);
            assertEq(_offered(0, delay), 17);
        }
    }

    function test_addedCapacityIsLockedAtOnceAndCountsAfterTheDelay() public {
        _twoSeats();
        open(3);
        fund(paul, 599);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.InsufficientBalance.selector, 599, 600));
        vm.prank(paul);
        market.changeCapacity(id, 0, 30);
        fund(paul, 1);
        vm.expectEmit(address(market));
        emit IMarketLog.CapacityChanged(id, 0, 30, 5);
        assertEq(_change(0, 30), 5);
        assertEq(available(paul), 0);
        assertEq(capacity(0), 30);
        assertEq(_offered(0, 3), 17);
        assertEq(_offered(0, 4), 17);
        assertEq(_offered(0, 5), 23);
        open(5);
        assertEq(_offered(0, 4), 17);
        assertEq(_offered(0, 5), 23);
    }

    function test_addedCapacityCarriesItsOwnMoney() public {
        _twoSeats();
        open(2);
        vm.deal(paul, 1 ether);
        vm.prank(paul);
        market.changeCapacity{value: 700 * TICK}(id, 0, 30);
        assertEq(available(paul), 100);
    }

    function test_addedCapacityChangesNothingInTheClosedRound() public {
        _twoSeats();
        open(2);
        _tasks(4);
        open(3);
        assertEq(_offered(0, 2), 17);
        fund(paul, 1000);
        _change(0, 34);
        assertEq(_offered(0, 2), 17);
        assertEq(_offered(0, 3), 17);
        assertEq(settle(2).units, 16);
        assertEq(free(0), 34 - 16);
    }

    function test_reducedCapacityIsOfferedUntilTheDelayAndComesBackAfterIt() public {
        _twoSeats();
        open(3);
        vm.expectEmit(address(market));
        emit IMarketLog.CapacityChanged(id, 0, 16, 5);
        assertEq(_change(0, 16), 5);
        assertEq(_offered(0, 4), 17);
        assertEq(_offered(0, 5), 9);
        bytes memory offered = abi.encodeWithSelector(IMarketLog.CapacityStillOffered.selector, 0, 5);
        vm.expectRevert(offered);
        this.tryRelease(0);
        vm.warp(closeAt(4) - 1);
        vm.expectRevert(offered);
        this.tryRelease(0);
        vm.warp(closeAt(4));
        vm.expectEmit(address(market));
        emit IMarketLog.CapacityReleased(id, 0, paul, 8, 800, false);
        assertEq(_release(0), 800);
        assertEq(available(paul), 800);
        assertEq(capacity(0), 16);
        assertEq(free(0), 16);
        assertEq(_offered(0, 4), 9);
        assertEq(_offered(0, 5), 9);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.NothingToRelease.selector, 0));
        this.tryRelease(0);
    }

    function test_reducedCapacityWaitsForTheResultOfTheLastRoundThatItServes() public {
        _twoSeats();
        open(3);
        _change(0, 16);
        open(4);
        _tasks(3);
        open(5);
        bytes memory offered = abi.encodeWithSelector(IMarketLog.CapacityStillOffered.selector, 0, 5);
        vm.warp(settleBy(4) - 1);
        vm.expectRevert(offered);
        this.tryRelease(0);
        assertEq(settle(4).units, 16);
        // 16 of 24 units hold tasks, so that the 8 that leave are free.
        assertEq(_release(0), 800);
        assertEq(capacity(0), 16);
        assertEq(free(0), 0);
        deliver(4, 0);
        deliver(4, 1);
        assertEq(free(0), 16);
    }

    function test_RevertWhen_TasksStandOnTheCapacityThatLeaves() public {
        _twoSeats();
        open(3);
        _change(0, 15);
        open(4);
        _tasks(3);
        open(5);
        settle(4);
        assertEq(free(0), 8);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.SeatHasOpenTasks.selector, 0, 16));
        this.tryRelease(0);
        deliver(4, 0);
        assertEq(_release(0), 900);
        assertEq(capacity(0), 15);
    }

    function test_leavingSeatServesItsLastRoundsAndIsThenFree() public {
        _twoSeats();
        open(3);
        assertEq(_change(0, 0), 5);
        open(4);
        _tasks(3);
        open(5);
        _tasks(3);
        assertEq(settle(4).winners[0], 0);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.SeatHasOpenTasks.selector, 0, 16));
        this.tryRelease(0);
        deliver(4, 0);
        deliver(4, 1);
        open(6);
        assertEq(settle(5).winners.length, 0); // one seat is left, which sets the price
        vm.expectEmit(address(market));
        emit IMarketLog.CapacityReleased(id, 0, paul, 24, 2400, true);
        assertEq(_release(0), 2400);
        assertEq(available(paul), 2400 + 16 * 9);
        (address prover, uint256 registered, Offer offer,) = market.seatOf(id, 0);
        assertEq(prover, address(0));
        assertEq(registered + offer.free(), 0);
        assertEq(_offered(0, 7), 0);
        assertEq(seat(rita, 10, 1), 0);
        assertEq(_offered(0, 7), 0);
        assertEq(_offered(0, 8), 10);
    }

    function test_RevertWhen_AnotherChangeIsOnItsWay() public {
        _twoSeats();
        bytes memory pending = abi.encodeWithSelector(IMarketLog.CapacityChangePending.selector, 0, 2);
        vm.expectRevert(pending);
        this.tryChange(0, 0); // registering is a change too
        open(1);
        _tasks(1);
        vm.warp(closeAt(1));
        vm.expectRevert(pending);
        this.tryChange(0, 0);
        vm.warp(settleBy(1) - 1);
        vm.expectRevert(pending);
        this.tryChange(0, 0);
        vm.warp(settleBy(1));
        assertEq(_change(0, 20), 4);
        pending = abi.encodeWithSelector(IMarketLog.CapacityChangePending.selector, 0, 4);
        vm.expectRevert(pending);
        this.tryChange(0, 30);
        open(5);
        vm.expectRevert(pending);
        this.tryChange(0, 30); // what was taken away has to be released first
        _release(0);
        fund(paul, 1000);
        _change(0, 30);
    }

    function test_RevertWhen_CapacityIsWhatItWas() public {
        _twoSeats();
        open(2);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.CapacityUnchanged.selector, 24));
        this.tryChange(0, 24);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.CapacityOutOfRange.selector, 14, 15, 1007));
        this.tryChange(0, 14);
        fund(paul, 1e6);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.CapacityOutOfRange.selector, 1008, 15, 1007));
        this.tryChange(0, 1008);
        _change(0, 1007);
    }

    function test_RevertWhen_NothingWasTakenAway() public {
        _twoSeats();
        bytes memory nothing = abi.encodeWithSelector(IMarketLog.NothingToRelease.selector, 0);
        vm.expectRevert(nothing);
        this.tryRelease(0);
        open(4);
        vm.expectRevert(nothing);
        this.tryRelease(0);
    }

    /// @dev Round 2 has two tasks on Paul's seat; Quentin takes the first one over and delivers it.
    function _slashPaul() private {
        vm.warp(proveBy(2));
        takeOver(2, 0, 1);
        deliver(2, 0);
    }

    function test_slashDuringAReductionTakesFromTheWhole() public {
        _twoSeats();
        open(2);
        _tasks(3);
        open(3);
        settle(2);
        assertEq(_change(0, 15), 5);
        _slashPaul();
        assertEq(capacity(0), 24 - 8);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.SeatHasOpenTasks.selector, 0, 8));
        this.tryRelease(0);
        vm.warp(finalAt(2));
        expire(2, 1);
        // The fine of 24 ticks took one unit more, and gave back what it held beyond.
        assertEq(available(paul), 100 - 22);
        assertEq(capacity(0), 15);
        assertEq(_release(0), 900);
        assertEq(capacity(0), 6);
    }

    function test_slashDuringAReductionMayLeaveLessThanWasToLeave() public {
        _twoSeats();
        open(2);
        _tasks(3);
        open(3);
        settle(2);
        assertEq(_change(0, 0), 5);
        vm.warp(proveBy(2));
        takeOver(2, 0, 1);
        deliver(2, 0);
        takeOver(2, 1, 1);
        deliver(2, 1);
        assertEq(capacity(0), 8);
        vm.expectEmit(address(market));
        emit IMarketLog.CapacityReleased(id, 0, paul, 8, 800, true);
        assertEq(_release(0), 800);
    }

    function test_slashDuringAnIncreaseKeepsWhatIsAdded() public {
        _twoSeats();
        open(2);
        _tasks(3);
        open(3);
        settle(2);
        open(6);
        fund(paul, 2000);
        assertEq(_change(0, 44), 8);
        _slashPaul();
        assertEq(capacity(0), 44 - 8);
        assertEq(_offered(0, 7), 0); // 8 of its old units are free, and 15 are needed
        assertEq(_offered(0, 8), 36 - 8 - 7);
    }

    /// @dev Paul's seat gets both tasks that start in its half of the batch: 15 units, all it has.
    function test_seatThatLostAllItsCapacityIsFreeOnceReleased() public {
        seat(paul, 8, 6);
        seat(quentin, 8, 7);
        seat(rita, 40, 9);
        open(2);
        fundedBid(alice, 30, 7);
        fundedBid(alice, 29, 8);
        fundedBid(alice, 28, 1);
        fundedBid(alice, 27, 8);
        open(3);
        settle(2);
        assertEq(free(0), 0);
        vm.warp(proveBy(2));
        for (uint256 i; i < 2; ++i) {
            takeOver(2, i, 2);
            deliver(2, i);
        }
        assertEq(capacity(0), 0);
        vm.expectEmit(address(market));
        emit IMarketLog.CapacityReleased(id, 0, paul, 0, 0, true);
        assertEq(_release(0), 0);
        assertEq(seat(steve, 8, 6), 0);
    }

    function test_takeoverMayUseCapacityThatDoesNotCountYet() public {
        _twoSeats();
        open(2);
        _tasks(3);
        open(3);
        settle(2);
        vm.warp(proveBy(2) - 20);
        uint256 fresh = seat(rita, 8, 3);
        vm.warp(proveBy(2));
        takeOver(2, 0, fresh);
        assertEq(free(fresh), 7);
        deliver(2, 0);
        assertEq(available(rita), 8 * 9 + 400);
    }

    function tryChange(uint256 seat_, uint32 units) external {
        _change(seat_, units);
    }

    function tryRelease(uint256 seat_) external {
        _release(seat_);
    }
}
