// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {CertificateLib} from "../types/Certificate.sol";
import {MarketParams} from "../types/MarketParams.sol";
import {Signal, Terms, TermsLib} from "../types/Terms.sol";

/// @notice How capacity cap and reserve price follow a settled round, in steps of at most an eighth (docs/controllers.md);
/// crate `clearing` states the same rules in Rust.
library Controllers {
    /// @dev The inverse of the largest step, that of EIP-1559.
    uint256 private constant DENOMINATOR = 8;

    /// @notice The terms after `latest`, from the result of a round that was cleared under a capacity cap of `roundCap`.
    function next(MarketParams storage p, Terms latest, uint256 fromRound, uint256 roundCap, Signal memory s)
        internal
        view
        returns (Terms)
    {
        uint256 cap = FixedPointMathLib.clamp(_cap(latest.capacityCap(), roundCap, s), p.capMin, p.capMax);
        uint256 reserve =
            FixedPointMathLib.clamp(_reserve(latest.reservePrice(), s), p.reserveMin, p.reserveMax);
        // forge-lint: disable-next-line(unsafe-typecast) -- clamped to bounds of 64 bits
        return TermsLib.pack(fromRound, uint64(cap), uint64(reserve));
    }

    /// @dev Aims at a cap of twice what is cleared; what the cap turned away counts as if all of it was used. No product
    /// passes 2^128.
    function _cap(uint256 cap, uint256 roundCap, Signal memory s) private pure returns (uint256) {
        // Without a trade nobody has paid for what moves the cap.
        if (s.units == 0) return cap;
        uint256 used = s.capBinds ? roundCap : s.units;
        uint256 target = roundCap / 2;
        if (used > target) {
            uint256 step = cap * (used - target) / (DENOMINATOR * (roundCap - target));
            return cap + FixedPointMathLib.max(1, step);
        }
        // The target is a whole number by the rule, not a value that lost precision.
        // slither-disable-next-line divide-before-multiply
        return used == target ? cap : cap - cap * (target - used) / (DENOMINATOR * target);
    }

    /// @dev Rises towards the fee of the first bid left out while demand is turned away, falls with the winners' idle
    /// capacity while none is.
    function _reserve(uint256 reserve, Signal memory s) private pure returns (uint256) {
        if (s.capacity == 0) return reserve;
        if (s.pivotIndex != CertificateLib.VIRTUAL_PIVOT) {
            uint256 gap = FixedPointMathLib.zeroFloorSub(s.pivotFee, reserve);
            uint256 largest = FixedPointMathLib.max(1, reserve / DENOMINATOR);
            return reserve + FixedPointMathLib.min(FixedPointMathLib.divUp(gap, DENOMINATOR), largest);
        }
        uint256 idle = s.capacity - s.units;
        if (idle == 0) return reserve;
        uint256 fall = reserve * idle / (DENOMINATOR * s.capacity);
        return FixedPointMathLib.zeroFloorSub(reserve, FixedPointMathLib.max(1, fall));
    }
}
