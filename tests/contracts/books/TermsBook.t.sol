// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";
import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {Mechanism} from "../../../contracts/types/Mechanism.sol";
import {MarketTest} from "../support/MarketTest.sol";
import {SlowClearing} from "../support/SlowClearing.sol";
import {SlowTerms} from "../support/SlowTerms.sol";

/// @notice Capacity cap and reserve price that follow settled rounds.
contract TermsBookTest is MarketTest {
    struct Terms {
        uint256 cap;
        uint256 reserve;
    }

    mapping(uint256 round => Terms) private _expected;

    function setUp() public override {
        super.setUp();
        _control();
    }

    /// @dev A seat offers at most the lowest cap, 30 units.
    function _control() private {
        (params.capacityCap, params.capMin, params.capMax) = (60, 30, 120);
        (params.reservePrice, params.reserveMin, params.reserveMax) = (10, 2, 40);
        vm.warp(params.genesis);
        id = market.createMarket(params);
    }

    function _terms(uint256 round, uint256 cap, uint256 reserve) private view {
        (uint256 cap_, uint256 reserve_) = market.termsOf(id, round);
        assertEq(cap_, cap);
        assertEq(reserve_, reserve);
    }

    /// @dev Two seats that win up to 40 units, and one that sets the price.
    function _seats() private {
        seat(paul, 20, 6);
        seat(quentin, 20, 8);
        seat(rita, 20, 9);
        open(1);
    }

    function _bids(uint256 n, uint64 fee) private {
        for (uint256 i; i < n; ++i) {
            fundedBid(alice, fee, MAX_SIZE);
        }
    }

    function _deliverAll(uint256 round, SlowClearing.Result memory result) private {
        for (uint256 i; i < result.wins.length; ++i) {
            if (result.wins[i]) deliver(round, i);
        }
    }

    function test_marketOpensUnderItsFirstTerms() public view {
        for (uint256 round; round < 4; ++round) {
            _terms(round, 60, 10);
        }
    }

    /// @dev 40 of 60 units are used: up by 60 * (40 - 30) / (8 * 30) = 2. Bids at 30 are left out: up by an eighth, 1.
    function test_settlementMovesTheTermsOfTheRoundAfterTheNext() public {
        _seats();
        _bids(6, 30);
        open(2);
        vm.expectEmit(address(market));
        emit IMarketLog.TermsMoved(id, 3, 62, 11);
        settle(1);
        _terms(1, 60, 10);
        _terms(2, 60, 10);
        _terms(3, 62, 11);
        _terms(9, 62, 11);
    }

    /// @dev 8 of 60 units are used: down by 60 * 22 / (8 * 30) = 5. 32 of 40 lie idle: down by max(1, 10 * 32 / 320).
    function test_idleRoundLowersBoth() public {
        _seats();
        _bids(1, 30);
        open(2);
        settle(1);
        _terms(3, 55, 9);
    }

    function test_roundIsClearedUnderTheTermsThatWereFixedBeforeItOpened() public {
        _seats();
        _bids(6, 30);
        open(2);
        _deliverAll(1, settle(1)); // from 3: 62, 11
        _bids(5, 10);
        open(3);
        // Round 2 takes a fee of 10, round 3 does not.
        SlowClearing.Result memory result = settle(2);
        assertEq(result.units, 40);
        _deliverAll(2, result);
        _bids(5, 10);
        fundedBid(bob, 11, MAX_SIZE);
        open(4);
        assertEq(settle(3).units, 8);
    }

    function test_voidAndEmptyRoundsMoveNothing() public {
        _seats();
        _bids(6, 30);
        open(4);
        assertEq(market.outcomeOf(id, 1).units(), 0);
        _terms(5, 60, 10);
    }

    function test_fixedTermsNeverMove() public {
        fixCap(60);
        fixReserve(10);
        id = market.createMarket(params);
        _seats();
        _bids(6, 30);
        open(2);
        vm.recordLogs();
        settle(1);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            assertTrue(logs[i].topics[0] != IMarketLog.TermsMoved.selector);
        }
        for (uint256 round; round < 5; ++round) {
            _terms(round, 60, 10);
        }
    }

    function test_oneOfTheTwoCanBeFixed() public {
        fixReserve(10);
        params.capMin = 30;
        params.capMax = 120;
        id = market.createMarket(params);
        _seats();
        _bids(6, 30);
        open(2);
        settle(1);
        _terms(3, 62, 10);
    }

    /// @dev Without a batch in `average-fee` those wait whose cost is below the reserve price.
    function test_proversAtTheReservePriceDoNotWait() public {
        params.mechanism = Mechanism.AverageFee;
        for (uint64 cost = 9; cost < 12; ++cost) {
            params.sink = address(uint160(cost));
            _control();
            seat(paul, 20, cost);
            open(1);
            _bids(1, 5);
            open(2);
            settle(1);
            (, uint256 reserve) = market.termsOf(id, 3);
            assertEq(reserve, cost < 10 ? 9 : 10);
        }
    }

    function test_boundsHold() public {
        (params.capacityCap, params.capMin, params.capMax) = (60, 58, 61);
        (params.reservePrice, params.reserveMin, params.reserveMax) = (10, 10, 10);
        id = market.createMarket(params);
        _seats();
        _bids(6, 30);
        open(2);
        _deliverAll(1, settle(1));
        _terms(3, 61, 10);
        open(3);
        _bids(1, 30);
        open(4);
        settle(3);
        _terms(5, 58, 10);
    }

    // ------------------------------------------------------------------------------------------- against the rules

    function testFuzz_termsFollowSettledRoundsAsTheRulesSay(uint256 seed) public {
        params.mechanism = Mechanism(uint8(seed % 2));
        params.sink = address(uint160(seed | 1));
        _control();
        _expected[0] = _expected[1] = Terms(60, 10);
        for (uint256 i; i < 5; ++i) {
            uint256 r = _random(seed, "seat", i);
            seat(paul, uint32(MAX_SIZE + r % 23), uint64((r >> 16) % 30));
        }
        for (uint256 round = 0; round < 12; ++round) {
            uint256 r = _random(seed, "round", round);
            uint256 n = (r & 3 == 0) ? r >> 8 & 1 : (r >> 8) % 24;
            for (uint256 i; i < n; ++i) {
                uint256 b = _random(r, "bid", i);
                fundedBid(alice, uint64(1 + b % 50), uint32(1 + (b >> 8) % MAX_SIZE));
            }
            open(round + 1);
            _terms(round, _expected[round].cap, _expected[round].reserve);
            _terms(round + 1, _expected[round + 1].cap, _expected[round + 1].reserve);
            _expected[round + 2] = _expected[round + 1];
            if (n != 0 && r >> 16 & 7 != 0) {
                SlowClearing.Result memory result = settle(round);
                _expected[round + 2] = _next(round, result);
                if (r >> 20 & 3 != 0) _deliverAll(round, result);
            }
            _terms(round + 1, _expected[round + 1].cap, _expected[round + 1].reserve);
            _terms(round + 2, _expected[round + 2].cap, _expected[round + 2].reserve);
        }
    }

    function _next(uint256 round, SlowClearing.Result memory result) private view returns (Terms memory) {
        SlowTerms.Settled memory s;
        (s.units, s.capacity, s.capBinds) = (result.units, result.capacity, result.capBinds);
        s.isLeftOut = result.certificate.pivotIndex != type(uint32).max;
        s.pivotFee = result.certificate.pivotFee;
        Terms memory latest = _expected[round + 1];
        Terms memory here = _expected[round];
        if (params.mechanism == Mechanism.AverageFee && result.certificate.batchUnits == 0) {
            // Without a batch, those below the reserve are below the average of any, and nobody is left out.
            SlowClearing.Ask[] memory list = asks(round);
            for (uint256 i; i < list.length; ++i) {
                if (list[i].cost < here.reserve) s.capacity += list[i].capacity;
            }
            s.isLeftOut = false;
        }
        return Terms(
            SlowTerms.nextCap(latest.cap, here.cap, s, SlowTerms.Bounds(params.capMin, params.capMax)),
            SlowTerms.nextReserve(latest.reserve, s, SlowTerms.Bounds(params.reserveMin, params.reserveMax))
        );
    }

    // --------------------------------------------------------------------------------------------------- extremes

    /// @dev Whatever the bounds and the bids, a round can be settled, and its terms stay within them.
    function testFuzz_noTermsAndNoFeesKeepARoundFromSettling(uint256 seed) public {
        params.mechanism = Mechanism(uint8(seed % 2));
        params.sink = address(uint160(seed | 1));
        params.tick = 1;
        uint64[4] memory caps = [uint64(30), 31, 2 ** 63, type(uint64).max];
        (params.capMin, params.capacityCap, params.capMax) = _ascending(caps, seed >> 8);
        uint64[4] memory reserves = [uint64(0), 1, 2 ** 63, type(uint64).max];
        (params.reserveMin, params.reservePrice, params.reserveMax) = _ascending(reserves, seed >> 16);
        vm.warp(params.genesis);
        id = market.createMarket(params);
        uint64[5] memory prices = [uint64(0), 1, 2 ** 63, type(uint64).max - 1, type(uint64).max];
        for (uint256 i; i < 4; ++i) {
            seat(paul, 20, prices[_random(seed, "cost", i) % 4]);
        }
        for (uint256 round; round < 4; ++round) {
            uint256 n = _random(seed, "bids", round) % 8;
            for (uint256 i; i < n; ++i) {
                uint256 b = _random(seed, "bid", round * 8 + i);
                fundedBid(address(uint160(0xe000 + i)), prices[1 + b % 4], uint32(1 + (b >> 8) % MAX_SIZE));
            }
            open(round + 1);
            if (n != 0) _deliverAll(round, settle(round));
            (uint256 cap, uint256 reserve) = market.termsOf(id, round + 2);
            assertTrue(params.capMin <= cap && cap <= params.capMax);
            assertTrue(params.reserveMin <= reserve && reserve <= params.reserveMax);
        }
    }

    function _ascending(uint64[4] memory values, uint256 r) private pure returns (uint64, uint64, uint64) {
        uint256 low = r % 4;
        uint256 middle = low + (r >> 2) % (4 - low);
        uint256 high = middle + (r >> 4) % (4 - middle);
        return (values[low], values[middle], values[high]);
    }

    function _random(uint256 seed, string memory what, uint256 i) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, what, i)));
    }
}
