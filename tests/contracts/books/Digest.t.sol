// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BidChain} from "../../../contracts/types/BidChain.sol";
import {Lane} from "../../../contracts/types/Lane.sol";
import {Mechanism} from "../../../contracts/types/Mechanism.sol";
import {Outcome} from "../../../contracts/types/Outcome.sol";
import {Digest} from "../../../contracts/types/Outcome.sol";
import {MarketId} from "../../../contracts/types/MarketId.sol";
import {SealedMarketTest} from "../support/SealedMarketTest.sol";

/// @notice A requester's next bid folds its last result in from the digest beside the running hash, and ends where folding from
/// the outcome itself ends.
contract DigestTest is SealedMarketTest {
    uint256 private constant UNKNOWN = 0;

    function _openMarket() private {
        (params.revealPeriod, params.bondBps) = (0, 0);
        fixReserve(0);
        id = market.createMarket(params);
    }

    function _digestOf(uint256 round) private view returns (uint256) {
        return Digest.unwrap(market.bidChainOf(id, round).digest());
    }

    /// @dev From the documentation: who pays its own bid (1), and the pivot's fee (31).
    function _digestFrom(Outcome outcome) private view returns (uint256) {
        if (!outcome.isSettled() || outcome.pivotFee() > 2 ** 31 - 1) return UNKNOWN;
        uint256 ownBid = params.mechanism == Mechanism.AverageFee ? 1 << 31 : 0;
        return ownBid | outcome.pivotFee();
    }

    function _outcomeSlot(uint256 round) private view returns (bytes32) {
        return bytes32(roundSlot(round) + 1);
    }

    /// @dev What Alice has after her next bid, with and without a call that folds before it, is the same in every lane.
    function _nextBidFoldsAsFolding(uint256 round, uint64 fee, uint256 count) private {
        uint256 start = vm.snapshotState();
        market.fold(id, alice);
        uint256 before = available(alice);
        lot(alice, fee, 1, count);
        Lane[2] memory expected = market.lanesOf(id, alice);
        assertEq(available(alice), before - count * (fee + FEE));
        vm.revertToState(start);

        assertEq(available(alice), before);
        lot(alice, fee, 1, count);
        Lane[2] memory lanes = market.lanesOf(id, alice);
        assertEq(Lane.unwrap(lanes[round & 1]), Lane.unwrap(expected[round & 1]));
        market.fold(id, alice);
        lanes = market.lanesOf(id, alice);
        assertEq(Lane.unwrap(lanes[0]), Lane.unwrap(expected[0]));
        assertEq(Lane.unwrap(lanes[1]), Lane.unwrap(expected[1]));
    }

    // -------------------------------------------------------------------------------------------- any history

    /// @dev Both mechanisms, ties at the pivot, fees above 31 bits, void and skipped rounds, lots, and a bid in the other lane.
    function testFuzz_nextBidFoldsWhatFoldingWould(uint256 seed) public {
        params.mechanism = Mechanism(uint8(seed % 2));
        params.sink = address(uint160(seed) | 1);
        _openMarket();
        uint64 scale = [uint64(1), 1, 2 ** 31 - 4, 2 ** 40][(seed >> 8) % 4];
        for (uint64 i; i < 3; ++i) {
            seat(_proverAt(i), 10, i);
        }
        open(1);
        fund(alice, 40 * (scale + 20));
        _bidsOf(seed, scale);
        open(2);
        if ((seed >> 16) % 3 == 0) lot(alice, scale, 1, 2); // round 2, in the other lane
        bool isVoid = (seed >> 24) % 5 == 0;
        if (!isVoid) settle(1);
        uint256 round = (seed >> 32) % 4 == 0 ? 5 : 3;
        open(round);
        if ((seed >> 40) % 2 == 0) fundedBid(bob, scale, 1); // Alice's is not the round's first
        _nextBidFoldsAsFolding(round, scale + uint64(seed >> 48) % 4, 1 + (seed >> 56) % 3);
        assertEq(_digestOf(round), _digestFrom(market.outcomeOf(id, round - 2)));
        if (round == 5) assertEq(_digestOf(5), UNKNOWN);
    }

    function _proverAt(uint64 i) private view returns (address) {
        return [paul, quentin, rita][i];
    }

    /// @dev More than the seats can take, so that the pivot is a bid; sometimes less.
    function _bidsOf(uint256 seed, uint64 scale) private {
        uint256 n = 1 + (seed >> 64) % 6;
        uint256 first = (seed >> 72) % n;
        for (uint256 k; k < n; ++k) {
            uint256 r = uint256(keccak256(abi.encode(seed, k)));
            uint64 fee = scale + uint64(r % 4);
            if (k == first) lot(alice, fee, uint32(1 + (r >> 8) % 3), 1 + (r >> 16) % 6);
            else fundedLot(bob, fee, uint32(1 + (r >> 8) % 8), 1 + (r >> 16) % 3);
        }
    }

    /// @dev In a sealed market a bid is entered when it is opened, after the close of its round.
    function testFuzz_openedBidFoldsWhatFoldingWould(uint256 seed) public {
        params.sink = address(uint160(seed) | 1);
        id = market.createMarket(params);
        for (uint256 i; i < 3; ++i) {
            sealedSeat(_proverAt(uint64(i)), 10);
        }
        open(1);
        Posted[] memory list = new Posted[](5);
        bytes32[3] memory salts;
        for (uint64 i; i < 3; ++i) {
            salts[i] = commitAsk(i, i);
        }
        for (uint256 k; k < 5; ++k) {
            uint256 r = uint256(keccak256(abi.encode(seed, k)));
            list[k] = commit(k == seed % 5 ? alice : bob, uint64(1 + r % 4), uint32(1 + (r >> 8) % 8), 100);
        }
        open(2);
        reveal(list);
        for (uint64 i; i < 3; ++i) {
            revealAsk(i, i, salts[i]);
        }
        vm.warp(revealBy(1));
        if ((seed >> 24) % 5 != 0) settle(1);
        open(3);
        Posted memory p = commit(alice, uint64(1 + (seed >> 32) % 4), 1, 50);
        vm.warp(closeAt(3));
        uint256 start = vm.snapshotState();
        market.fold(id, alice);
        reveal(p);
        Lane[2] memory expected = market.lanesOf(id, alice);
        vm.revertToState(start);
        reveal(p);
        assertEq(_digestOf(3), _digestFrom(market.outcomeOf(id, 1)));
        assertEq(Lane.unwrap(market.lanesOf(id, alice)[1]), Lane.unwrap(expected[1]));
        assertEq(Lane.unwrap(market.lanesOf(id, alice)[0]), Lane.unwrap(expected[0]));
    }

    // ---------------------------------------------------------------------------------------- one case each

    /// @dev Round 1: Paul's 10 units win; fee 20 wins, 12 is the pivot's and wins once in two, 9 loses. Bob is bid 0.
    function _round(uint64 fee, uint64 scale) private {
        seat(paul, 10, 1);
        seat(quentin, 10, 2);
        open(1);
        fundedLot(bob, 20 * scale, 3, 2);
        fund(alice, 1000 * uint256(scale));
        lot(alice, fee * scale, 2, 2);
        fundedLot(bob, 12 * scale, 2, 4);
        open(2);
        settle(1);
        open(3);
        fundedBid(carol, 1, 1);
    }

    /// @dev Slots of the market that Alice's bid reads, and whether the outcome of round 1 is one of them.
    function _readsOutcome(uint64 fee) private returns (bool found) {
        vm.record();
        lot(alice, fee, 1, 1);
        (bytes32[] memory reads,) = vm.accesses(address(market));
        for (uint256 i; i < reads.length; ++i) {
            if (reads[i] == _outcomeSlot(1)) found = true;
        }
    }

    function _folded(uint64 fee, uint64 scale, uint256 back, bool reads) private {
        _openMarket();
        _round(fee, scale);
        uint256 before = market.lanesOf(id, alice)[1].balance();
        assertTrue(market.lanesOf(id, alice)[1].hasBid());
        assertEq(market.outcomeOf(id, 1).pivotFee(), 12 * uint256(scale));
        assertEq(_readsOutcome(1), reads);
        Lane lane = market.lanesOf(id, alice)[1];
        assertEq(lane.round(1), 3);
        assertEq(lane.balance(), before + back - 1 - FEE);
    }

    function test_winnerFoldsWithoutReadingTheOutcome() public {
        _folded(15, 1, 2 * 2 * (15 - 12), false);
    }

    function test_loserFoldsWithoutReadingTheOutcome() public {
        _folded(9, 1, 2 * 2 * 9, false);
    }

    /// @dev At the pivot's fee the index decides: both of Alice's come before Bob's, and pay all that they offered.
    function test_tieAtThePivotFoldsFromTheOutcome() public {
        _folded(12, 1, 0, true);
    }

    function test_pivotAboveThirtyOneBitsFoldsFromTheOutcome() public {
        _folded(15, 2 ** 28, 2 * 2 * 3 * 2 ** 28, true);
        assertEq(_digestOf(3), UNKNOWN);
    }

    function test_winnerAtTheAverageFeeFoldsWithoutReadingTheOutcome() public {
        params.mechanism = Mechanism.AverageFee;
        fixCap(17); // Bob's 6 units, Alice's 4, and three of Bob's four twos, so that the pivot is the last
        _folded(15, 1, 0, false);
        assertEq(_digestOf(3), (1 << 31) | 12);
    }

    function test_voidRoundFoldsFromTheClockWithItsFees() public {
        _openMarket();
        open(1);
        fund(alice, 1000);
        lot(alice, 15, 2, 3);
        open(3);
        fundedBid(bob, 1, 1);
        assertEq(_digestOf(3), UNKNOWN);
        lot(alice, 1, 1, 1);
        assertEq(available(alice), 1000 - 1 - FEE);
    }

    function test_roundWithoutAWinnerFoldsFromTheOutcome() public {
        _openMarket();
        open(1);
        fund(alice, 1000);
        lot(alice, 15, 2, 3);
        open(2);
        settle(1);
        open(3);
        lot(alice, 1, 1, 1);
        assertEq(_digestOf(3), UNKNOWN);
        assertEq(available(alice), 1000 - 3 * FEE - 1 - FEE);
    }

    function test_firstTwoRoundsHaveNoDigest() public {
        _openMarket();
        for (uint256 round; round < 2; ++round) {
            open(round);
            fundedBid(bob, 1, 1);
            assertEq(_digestOf(round), UNKNOWN);
            assertEq(BidChain.unwrap(market.bidChainOf(id, round)) << 200 >> 224, 0);
        }
    }
}
