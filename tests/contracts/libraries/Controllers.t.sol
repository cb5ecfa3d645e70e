// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {Signal} from "../../../contracts/interfaces/IRoundAuditor.sol";
import {Controllers} from "../../../contracts/libraries/Controllers.sol";
import {MarketParams} from "../../../contracts/types/MarketParams.sol";
import {Terms, TermsLib} from "../../../contracts/types/Terms.sol";
import {SlowTerms} from "../support/SlowTerms.sol";

/// @notice The rule alone, over the ends of every range, against its transcription.
contract ControllersTest is Test {
    MarketParams private _params;

    /// @dev One run in four each: the least, the most, close to it, anything.
    function _ends(uint256 value, uint256 min, uint256 max) private pure returns (uint256) {
        uint256 kind = value >> 254;
        if (kind == 0) return min;
        if (kind == 1) return max;
        if (kind == 2) return max == min ? min : max - 1;
        return bound(value & type(uint128).max, min, max);
    }

    function testFuzz_nextTermsAreThoseOfTheRules(uint256[8] memory v, bool isLeftOut, bool capBinds) public {
        uint256 most = type(uint64).max;
        SlowTerms.Bounds memory cap = SlowTerms.Bounds(_ends(v[0], 1, most), 0);
        cap.max = _ends(v[1], cap.min, most);
        SlowTerms.Bounds memory reserve = SlowTerms.Bounds(_ends(v[2], 0, most), 0);
        reserve.max = _ends(v[3], reserve.min, most);
        (_params.capMin, _params.capMax) = (uint64(cap.min), uint64(cap.max));
        (_params.reserveMin, _params.reserveMax) = (uint64(reserve.min), uint64(reserve.max));
        uint256 latestCap = _ends(v[4], cap.min, cap.max);
        uint256 latestReserve = _ends(v[4] << 1, reserve.min, reserve.max);
        uint256 roundCap = _ends(v[5], cap.min, cap.max);
        SlowTerms.Settled memory s;
        s.capacity = _ends(v[6], 0, 2 ** 40);
        s.units = _ends(v[7], 0, s.capacity < roundCap ? s.capacity : roundCap);
        (s.isLeftOut, s.pivotFee, s.capBinds) = (isLeftOut, _ends(v[7] << 1, 0, most), capBinds);

        Terms latest = TermsLib.pack(7, uint64(latestCap), uint64(latestReserve));
        Signal memory signal =
            Signal(s.units, s.capacity, s.pivotFee, isLeftOut ? 3 : type(uint32).max, capBinds);
        Terms next = Controllers.next(_params, latest, 9, roundCap, signal);
        assertEq(next.fromRound(), 9);
        assertEq(next.capacityCap(), SlowTerms.nextCap(latestCap, roundCap, s, cap));
        assertEq(next.reservePrice(), SlowTerms.nextReserve(latestReserve, s, reserve));
        assertTrue(cap.min <= next.capacityCap() && next.capacityCap() <= cap.max);
        assertTrue(reserve.min <= next.reservePrice() && next.reservePrice() <= reserve.max);
    }

    function _nextReserve(uint64 reserve, uint256 units, uint256 capacity) private returns (uint256) {
        (_params.capMin, _params.capMax, _params.reserveMin, _params.reserveMax) = (1, 1000, 0, 1_000_000);
        Signal memory signal = Signal(units, capacity, 0, type(uint32).max, false);
        return Controllers.next(_params, TermsLib.pack(7, 1000, reserve), 9, 1000, signal).reservePrice();
    }

    function test_reserveFallsByAnEighthOfWhatLayIdle() public {
        assertEq(_nextReserve(800, 25, 100), 800 - 75);
        assertEq(_nextReserve(1600, 0, 10), 1600 - 200);
        assertEq(_nextReserve(15, 0, 100), 14);
        assertEq(_nextReserve(800, 100, 100), 800);
    }

    /// @dev A step is at most an eighth, or one where that is less.
    function testFuzz_stepsAreAtMostAnEighth(uint64 cap, uint64 reserve, uint40 units, uint64 fee) public {
        cap = uint64(bound(cap, 1, type(uint64).max));
        (_params.capMin, _params.capMax) = (1, type(uint64).max);
        (_params.reserveMin, _params.reserveMax) = (0, type(uint64).max);
        uint256 used = units < cap ? units : cap;
        Terms latest = TermsLib.pack(7, cap, reserve);
        Terms next = Controllers.next(_params, latest, 9, cap, Signal(used, type(uint40).max, fee, 3, false));
        assertLe(_distance(next.capacityCap(), cap), cap / 8 == 0 ? 1 : cap / 8);
        assertLe(_distance(next.reservePrice(), reserve), reserve / 8 == 0 ? 1 : reserve / 8);
        assertTrue(next.reservePrice() <= (fee > reserve ? fee : reserve));
    }

    function _distance(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a - b : b - a;
    }
}
