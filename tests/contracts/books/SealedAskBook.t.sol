// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {Opening} from "../../../contracts/types/Sealed.sol";
import {SealedMarketTest} from "../support/SealedMarketTest.sol";
import {SlowClearing} from "../support/SlowClearing.sol";

/// @notice Unit costs that are committed to, opened, and forfeited.
contract SealedAskBookTest is SealedMarketTest {
    function setUp() public override {
        super.setUp();
        tells = true;
    }

    /// Of a seat that offers 10 units.
    uint256 private constant BOND = 17 * PER_UNIT * BOND_BPS / 10_000;
    uint256 private constant DEPOSIT = 1000;

    /// @dev Seats of Paul, Quentin and Rita from round 1 on, which takes bids.
    function _seats() private {
        sealedSeat(paul, 10);
        sealedSeat(quentin, 10);
        sealedSeat(rita, 10);
        open(1);
    }

    function _ask(uint256 seat_, uint256 round) private view returns (uint256 cost, uint256 offered) {
        (uint256[] memory costs, uint256[] memory capacities) = market.asksOf(id, round);
        return (costs[seat_], capacities[seat_]);
    }

    function _offered(uint256 seat_, uint256 round) private view returns (uint256 offered) {
        (, offered) = _ask(seat_, round);
    }

    /// @dev Three bids of 8 units are opened, and the asks 7, 8, 9: seats 0 and 1 can win.
    function _tradeIn(uint256 round) private {
        bytes32[3] memory salts;
        for (uint64 i; i < 3; ++i) {
            salts[i] = commitAsk(i, 7 + i);
        }
        Posted[] memory list = new Posted[](3);
        for (uint256 i; i < 3; ++i) {
            list[i] = commit(alice, uint64(30 - i), MAX_SIZE, DEPOSIT);
        }
        open(round + 1);
        reveal(list);
        for (uint64 i; i < 3; ++i) {
            revealAsk(i, 7 + i, salts[i]);
        }
    }

    function test_RevertWhen_SealedSeatNamesACost() public {
        fund(paul, 1e6);
        vm.startPrank(paul);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.InvalidCost.selector, 6));
        market.register(id, 17, 6);
        market.register(id, 17, type(uint64).max);
        vm.expectRevert(IMarketLog.MarketIsSealed.selector);
        market.ask(id, 0, 6);
    }

    function test_seatThatCommitsToNothingTakesNoPart() public {
        _seats();
        for (uint256 round; round < 3; ++round) {
            assertEq(_offered(0, round), 0);
        }
    }

    function test_commitmentLocksTheBond() public {
        _seats();
        fund(paul, BOND + 5);
        bytes32 commitment = askCommitment(1, 0, 6, "salt");
        vm.expectEmit(address(market));
        emit IMarketLog.Committed(id, paul, 1, commitment, BOND, BOND);
        vm.prank(paul);
        market.commitAsk(id, 0, commitment, openRound());
        assertEq(available(paul), 5);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.NotSeatOwner.selector, 0, quentin));
        vm.prank(quentin);
        market.commitAsk(id, 0, commitment, openRound());
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.InsufficientBalance.selector, 5, BOND));
        vm.prank(paul);
        market.commitAsk(id, 0, "another", openRound());
    }

    function test_commitmentCarriesItsOwnMoney() public {
        _seats();
        vm.deal(paul, 1 ether);
        vm.prank(paul);
        market.commitAsk{value: (BOND + 9) * TICK}(id, 0, "c", openRound());
        assertEq(available(paul), 9);
    }

    /// @dev The share of nothing is nothing, but a stake of nothing would be none.
    function test_askOfASeatWithoutCollateralIsBondedByATick() public {
        (params.bondBps, params.settlementFee, params.collateralPerUnit) = (1, 0, 0);
        id = market.createMarket(params);
        _seats();
        fund(paul, 1);
        bytes32 commitment = askCommitment(1, 0, 6, "salt");
        vm.prank(paul);
        market.commitAsk(id, 0, commitment, openRound());
        open(2);
        revealAsk(0, 6, "salt");
        assertEq(_offered(0, 1), 10);
        assertEq(available(paul), 1);
    }

    function test_openedAskCountsForItsOneRound() public {
        _seats();
        bytes32 salt = commitAsk(0, 6);
        open(2);
        assertEq(_offered(0, 1), 0);
        vm.expectEmit(address(market));
        emit IMarketLog.AskRevealed(id, 0, 6, 1);
        revealAsk(0, 6, salt);
        assertEq(available(paul), BOND);
        (uint256 cost, uint256 offered) = _ask(0, 1);
        assertEq(cost, 6);
        assertEq(offered, 10);
        assertEq(_offered(0, 0), 0);
        assertEq(_offered(0, 2), 0);
        assertEq(_offered(0, 3), 0);
    }

    function test_sealedRoundClearsUnderTheOpenedAsks() public {
        _seats();
        _tradeIn(1);
        vm.warp(revealBy(1));
        SlowClearing.Result memory result = settle(1);
        assertEq(result.winners.length, 2);
        assertEq(result.proverPrice, 9);
        deliver(1, 0);
        deliver(1, 1);
        open(3);
        bytes32 salt = commitAsk(2, 1); // only Rita goes on
        Posted memory p = commit(alice, 30, MAX_SIZE, DEPOSIT);
        open(4);
        reveal(p);
        revealAsk(2, 1, salt);
        vm.warp(revealBy(3));
        result = settle(3);
        assertEq(result.winners.length, 0);
        assertEq(result.certificate.pivotSeat, 2);
    }

    function test_RevertWhen_AskIsOpenedOutsideOfItsWindow() public {
        _seats();
        bytes32 salt = commitAsk(0, 6);
        vm.warp(closeAt(1) - 1);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.RevealClosed.selector, 0, revealBy(0)));
        market.revealAsk(id, 0, 6, salt);
        vm.warp(revealBy(1));
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.RevealClosed.selector, 1, revealBy(1)));
        market.revealAsk(id, 0, 6, salt);
        uint256 start = vm.snapshotState();
        vm.warp(closeAt(1));
        market.revealAsk(id, 0, 6, salt);
        vm.revertToState(start);
        vm.warp(revealBy(1) - 1);
        market.revealAsk(id, 0, 6, salt);
    }

    function test_RevertWhen_OpeningIsNotWhatWasCommittedTo() public {
        _seats();
        bytes32 salt = commitAsk(0, 6);
        open(2);
        bytes4 unknown = IMarketLog.UnknownCommitment.selector;
        vm.expectRevert(unknown);
        market.revealAsk(id, 0, 5, salt);
        vm.expectRevert(unknown);
        market.revealAsk(id, 0, 6, ~salt);
        vm.expectRevert(unknown);
        market.revealAsk(id, 1, 6, salt);
        vm.expectRevert(unknown);
        market.revealAsk(id, 200, 6, salt);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.InvalidCost.selector, type(uint64).max));
        market.revealAsk(id, 0, type(uint64).max, salt);
        revealAsk(0, 6, salt);
        vm.expectRevert(unknown);
        market.revealAsk(id, 0, 6, salt);
    }

    /// @dev Quentin's own commitment to the same words says that Quentin asks for seat 0, which he does not have.
    function test_copiedAskIsWorthlessToTheCopier() public {
        _seats();
        bytes32 salt = commitAsk(0, 6);
        bytes32 copied = askCommitment(1, 0, 6, salt);
        fund(quentin, BOND);
        vm.prank(quentin);
        market.commitAsk(id, 1, copied, openRound());
        open(2);
        vm.expectRevert(IMarketLog.UnknownCommitment.selector);
        market.revealAsk(id, 1, 6, salt);
        vm.warp(revealBy(1));
        market.forfeit(id, quentin, 1, copied);
        assertEq(available(quentin), 0);
        assertEq(market.surplusOf(id), BOND);
    }

    function test_oneAskARoundIsOpenedAndTheOthersLoseTheirBond() public {
        _seats();
        bytes32 low = commitAsk(0, 6);
        bytes32 high = commitAsk(0, 20);
        open(2);
        revealAsk(0, 20, high);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.AskRevealedAlready.selector, 0, 1));
        market.revealAsk(id, 0, 6, low);
        bytes32 commitment = askCommitment(1, 0, 6, low);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.RevealOpen.selector, 1, revealBy(1)));
        market.forfeit(id, paul, 1, commitment);
        vm.warp(revealBy(1));
        assertEq(market.forfeit(id, paul, 1, commitment), 0);
        assertEq(market.surplusOf(id), BOND);
        assertEq(available(paul), BOND);
        vm.expectRevert(IMarketLog.UnknownCommitment.selector);
        market.forfeit(id, paul, 1, commitment);
    }

    /// @dev A bid's deposit is anything: bonded as one, an ask would be a free option.
    function test_RevertWhen_AskWasBondedAsABid() public {
        _seats();
        bytes32 commitment = askCommitment(1, 0, 6, "salt");
        fund(paul, FEE);
        vm.prank(paul);
        market.commitBid(id, commitment, uint96(FEE), openRound());
        open(2);
        vm.expectRevert(IMarketLog.UnknownCommitment.selector);
        market.revealAsk(id, 0, 6, "salt");
        vm.warp(revealBy(1));
        assertEq(market.forfeit(id, paul, 1, commitment), 0);
    }

    function test_RevertWhen_AskWasBondedForAnotherSeat() public {
        _seats();
        uint256 other = sealedSeat(paul, 10);
        bytes32 commitment = askCommitment(1, 0, 6, "salt");
        fund(paul, BOND);
        vm.prank(paul);
        market.commitAsk(id, other, commitment, openRound());
        open(2);
        vm.expectRevert(IMarketLog.UnknownCommitment.selector);
        market.revealAsk(id, 0, 6, "salt");
    }

    /// @dev Bids that no limit counted could take the room of those that were.
    function test_bidThatWasBondedAsAnAskIsNotOpened() public {
        _seats();
        Posted memory p = newTask(paul, 1, 1);
        p.told = false;
        bytes32 commitment = commitmentOf(1, p);
        fund(paul, BOND);
        vm.prank(paul);
        market.commitAsk(id, 0, commitment, openRound());
        open(2);
        Opening[] memory openings = new Opening[](1);
        openings[0] = openingOf(p);
        bytes4 reason = IMarketLog.UnknownCommitment.selector;
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.NothingRevealed.selector, reason));
        market.revealBids(id, openings);
    }

    function test_RevertWhen_CommitmentArrivesInAnotherRound() public {
        _seats();
        fund(paul, 2 * BOND);
        bytes memory late = abi.encodeWithSelector(IMarketLog.RoundNotOpen.selector, 1, 2);
        bytes memory early = abi.encodeWithSelector(IMarketLog.RoundNotOpen.selector, 3, 2);
        vm.warp(closeAt(1));
        vm.startPrank(paul);
        vm.expectRevert(late);
        market.commitAsk(id, 0, "c", 1);
        vm.expectRevert(late);
        market.commitBid(id, "c", uint96(BOND), 1);
        vm.expectRevert(early);
        market.commitBid(id, "c", uint96(BOND), 3);
        vm.stopPrank();
        assertEq(available(paul), 2 * BOND);
    }

    /// @dev Paul has left from round 2 on, still commits in it, and gives up the seat, which Steve takes.
    function test_askOfASeatThatWasGivenUpCannotBeOpened() public {
        sealedSeat(paul, 10);
        vm.warp(revealBy(0));
        vm.prank(paul);
        market.changeCapacity(id, 0, 0);
        vm.warp(revealBy(1));
        assertEq(openRound(), 2);
        bytes32 salt = commitAsk(0, 6);
        bytes32 commitment = askCommitment(2, 0, 6, salt);
        vm.prank(paul);
        assertEq(market.releaseCapacity(id, 0), 1700);
        assertEq(sealedSeat(steve, 12), 0);
        open(3);
        vm.expectRevert(IMarketLog.UnknownCommitment.selector);
        market.revealAsk(id, 0, 6, salt);
        assertEq(_offered(0, 2), 0);
        vm.warp(revealBy(2));
        market.forfeit(id, paul, 2, commitment);
        assertEq(available(paul), 1700);
        assertEq(market.surplusOf(id), BOND);
    }

    function test_askOfASeatWithoutCapacityInTheRoundTakesNoPart() public {
        open(1);
        sealedSeat(steve, 10); // counts from round 2
        bytes32 salt = commitAsk(0, 6);
        open(2);
        revealAsk(0, 6, salt);
        assertEq(_offered(0, 1), 0);
        assertEq(available(steve), BOND);
    }

    /// @dev The round in whose window the task of round 1 defaults.
    function test_takeoverInTheRevealWindowLeavesWhatTheSeatMayStillWin() public {
        params.provingPeriod = 120; // a default falls on the window of the round after the next
        params.sink = bob;
        id = market.createMarket(params);
        _seats();
        _tradeIn(1);
        vm.warp(revealBy(1));
        settle(1);
        open(3);
        assertEq(proveBy(1), closeAt(2) + 10 + 100);
        bytes32 salt = commitAsk(2, 9);
        Posted memory p = commit(bob, 30, MAX_SIZE, DEPOSIT);
        open(4);
        vm.warp(proveBy(1));
        assertLt(block.timestamp, revealBy(3));
        assertEq(market.bidChainOf(id, 3).count(), 0);
        // Rita's ask for round 3 may still be opened, whether she committed or not.
        bytes memory taken = abi.encodeWithSelector(IMarketLog.CapacityTaken.selector, 0, MAX_SIZE);
        vm.expectRevert(taken);
        this.tryTakeOver(1, 0, 2);
        reveal(p);
        revealAsk(2, 9, salt);
        vm.expectRevert(taken);
        this.tryTakeOver(1, 0, 2);
        vm.warp(revealBy(3));
        vm.expectRevert(taken);
        this.tryTakeOver(1, 0, 2);
        settle(3);
        takeOver(1, 0, 2);
        deliver(1, 0);
    }

    function test_takeoverIsFreeOnceAWindowEndsWithoutABid() public {
        params.provingPeriod = 120;
        params.sink = bob;
        id = market.createMarket(params);
        _seats();
        _tradeIn(1);
        vm.warp(revealBy(1));
        settle(1);
        vm.warp(revealBy(3) - 1);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.CapacityTaken.selector, 0, MAX_SIZE));
        this.tryTakeOver(1, 0, 2);
        vm.warp(revealBy(3));
        takeOver(1, 0, 2);
    }

    function tryTakeOver(uint256 round, uint256 index, uint256 seat_) external {
        takeOver(round, index, seat_);
    }
}
