// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice Who took a defaulted task over, in one slot: `deadline (40) | number of takers (8) | their seats, the first
/// in the lowest byte (16 x 8)`. Zero while nobody has.
type Takeover is uint256;

using {TakeoverLib.count, TakeoverLib.deadline, TakeoverLib.taker, TakeoverLib.push} for Takeover global;

library TakeoverLib {
    /// @notice Most takers that fit the slot.
    uint256 internal constant MAX_TAKERS = 16;

    function count(Takeover t) internal pure returns (uint256) {
        return (Takeover.unwrap(t) >> 128) & type(uint8).max;
    }

    /// @return First second at which the last taker is in default.
    function deadline(Takeover t) internal pure returns (uint256) {
        return Takeover.unwrap(t) >> 136;
    }

    /// @return Seat of taker number `i`, below `count`.
    function taker(Takeover t, uint256 i) internal pure returns (uint8) {
        return uint8(Takeover.unwrap(t) >> (8 * i)); // the lowest byte of what is left
    }

    /// @dev The caller keeps `count` below `MAX_TAKERS`.
    function push(Takeover t, uint8 seat, uint40 deadline_) internal pure returns (Takeover) {
        uint256 n = t.count();
        uint256 takers = (Takeover.unwrap(t) & type(uint128).max) | (uint256(seat) << (8 * n));
        return Takeover.wrap((uint256(deadline_) << 136) | ((n + 1) << 128) | takers);
    }
}
