// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MarketLens} from "../../../contracts/lens/MarketLens.sol";
import {TaskStatus} from "../../../contracts/types/Task.sol";
import {MarketTest} from "../support/MarketTest.sol";
import {SealedMarketTest} from "../support/SealedMarketTest.sol";

contract MarketLensTest is MarketTest {
    MarketLens private _lens;

    function setUp() public override {
        super.setUp();
        _lens = MarketLens(vm.deployCode("MarketLens.sol:MarketLens", abi.encode(market)));
        seat(paul, 10, 6);
        seat(quentin, 24, 9);
        open(1);
        fundedBid(alice, 20, 8);
        fundedBid(bob, 12, 8);
    }

    function _phaseAt(uint256 round, uint256 time) private returns (MarketLens.Phase) {
        vm.warp(time);
        return _lens.round(id, round).phase;
    }

    function _expect(uint256 round, uint256 time, MarketLens.Phase phase) private {
        assertEq(uint256(_phaseAt(round, time)), uint256(phase));
    }

    function test_phasesTurnAtTheirSeconds() public {
        _expect(1, openAt(1) - 1, MarketLens.Phase.Future);
        _expect(1, openAt(1), MarketLens.Phase.Bidding);
        _expect(1, closeAt(1) - 1, MarketLens.Phase.Bidding);
        _expect(1, closeAt(1), MarketLens.Phase.Settlement);
        _expect(1, settleBy(1) - 1, MarketLens.Phase.Settlement);
        _expect(1, settleBy(1), MarketLens.Phase.Void);
        _expect(0, closeAt(0), MarketLens.Phase.Void);
        open(2);
        settle(1);
        _expect(1, closeAt(1), MarketLens.Phase.Proving);
        _expect(1, proveBy(1) - 1, MarketLens.Phase.Proving);
        _expect(1, proveBy(1), MarketLens.Phase.Takeover);
        _expect(1, finalAt(1) - 1, MarketLens.Phase.Takeover);
        _expect(1, finalAt(1), MarketLens.Phase.Over);
    }

    function test_roundShowsWhatItDecided() public {
        assertEq(_lens.currentRound(id), 1);
        open(2);
        settle(1);
        MarketLens.RoundView memory v = _lens.round(id, 1);
        assertEq(v.bids, 2);
        assertEq(v.closesAt, closeAt(1));
        assertEq(v.settleBy, settleBy(1));
        assertEq(v.proveBy, proveBy(1));
        assertEq(v.finalAt, finalAt(1));
        assertEq(v.pivotFee, 12);
        assertEq(v.revenue, 8 * 9);
        assertEq(v.revealBy, closeAt(1));
        assertEq(v.capacityCap, 1000);
        assertEq(v.reservePrice, 5);
        assertEq(v.units, 8);
        assertEq(v.pivotIndex, 1);
        assertEq(v.assignmentRoot, market.assignmentRoot(id, 1));
    }

    function test_seatsShowTheirAsksAndOpenUnits() public {
        vm.prank(quentin);
        market.changeCapacity(id, 1, 0);
        open(2);
        settle(1);
        MarketLens.SeatView[] memory seats = _lens.seats(id);
        assertEq(seats.length, 2);
        assertEq(seats[0].prover, paul);
        assertEq(seats[0].capacity, 17);
        assertEq(seats[0].openUnits, 8);
        assertEq(seats[0].offered, 0); // 9 units free are too few
        assertEq(seats[0].offeredNext, 0);
        assertEq(seats[0].collateral, 17 * PER_UNIT);
        assertEq(seats[1].offered + seats[1].offeredNext, 0);
        deliver(1, 0);
        vm.prank(paul);
        market.ask(id, 0, 7);
        seats = _lens.seats(id);
        assertEq(seats[0].offered, 10);
        assertEq(seats[0].cost, 6);
        assertEq(seats[0].offeredNext, 10);
        assertEq(seats[0].nextCost, 7);
    }

    function test_accountShowsWhatIsFreeAndWhatIsLocked() public {
        fund(alice, 5);
        MarketLens.AccountView memory v = _lens.account(id, alice);
        assertEq(v.available, 5);
        assertEq(v.locked, 160);
        open(2);
        settle(1);
        v = _lens.account(id, alice);
        assertEq(v.available, 5 + 8 * 8);
        assertEq(v.locked, 0);
    }

    function test_everyBidOfALotIsLocked() public {
        fundedLot(carol, 11, 2, 3);
        assertEq(_lens.account(id, carol).locked, 66);
    }

    function test_accountOfAVoidRoundHasNothingLocked() public {
        vm.warp(settleBy(1));
        MarketLens.AccountView memory v = _lens.account(id, bob);
        assertEq(v.available, 96 + FEE);
        assertEq(v.locked, 0);
    }

    function test_taskStatusesAreThoseOfTheMarket() public {
        open(2);
        settle(1);
        uint256[] memory indices = new uint256[](1);
        assertEq(uint256(_lens.taskStatuses(id, 1, indices)[0]), uint256(TaskStatus.Assigned));
        deliver(1, 0);
        assertEq(uint256(_lens.taskStatuses(id, 1, indices)[0]), uint256(TaskStatus.Delivered));
    }

    function _open(uint64 capMin, uint64 reserveMax) private {
        (params.capMin, params.reserveMax) = (capMin, reserveMax);
        id = market.createMarket(params);
        seat(paul, 10, 6);
        seat(quentin, 24, 9);
        open(2);
        fundedBid(alice, 20, 8);
        fundedBid(bob, 12, 8);
        open(3);
    }

    function test_forgottenTermsAreNotShown() public {
        _open(100, 9);
        assertEq(_lens.round(id, 2).capacityCap, params.capacityCap);
        settle(2);
        assertEq(_lens.round(id, 2).capacityCap, 0);
        assertEq(_lens.round(id, 3).capacityCap, params.capacityCap);
        assertLt(_lens.round(id, 4).capacityCap, params.capacityCap);
    }

    function test_termsAreForgottenTogetherIfOnlyOneMoves() public {
        uint256 state = vm.snapshotState();
        _open(params.capMin, params.reserveMax + 4);
        settle(2);
        assertEq(_lens.round(id, 2).capacityCap, 0);
        vm.revertToState(state);
        _open(100, params.reserveMax);
        settle(2);
        assertEq(_lens.round(id, 2).reservePrice, 0);
    }
}

contract SealedMarketLensTest is SealedMarketTest {
    function test_roundIsOpenedBetweenItsCloseAndItsSettlement() public {
        MarketLens lens = MarketLens(vm.deployCode("MarketLens.sol:MarketLens", abi.encode(market)));
        open(1);
        Posted memory p = commit(alice, 20, 8, 200);
        open(2);
        assertEq(uint256(lens.round(id, 1).phase), uint256(MarketLens.Phase.Reveal));
        reveal(p);
        vm.warp(revealBy(1) - 1);
        assertEq(uint256(lens.round(id, 1).phase), uint256(MarketLens.Phase.Reveal));
        vm.warp(revealBy(1));
        assertEq(uint256(lens.round(id, 1).phase), uint256(MarketLens.Phase.Settlement));
    }

    function test_openedBidIsLockedUntilTheRoundCanNoLongerBeSettled() public {
        MarketLens lens = MarketLens(vm.deployCode("MarketLens.sol:MarketLens", abi.encode(market)));
        open(1);
        Posted memory p = commit(alice, 20, 8, 200);
        open(2);
        reveal(p);
        vm.warp(settleBy(1) - 1);
        assertEq(lens.account(id, alice).locked, 160);
        vm.warp(settleBy(1));
        assertEq(lens.account(id, alice).locked, 0);
    }
}
