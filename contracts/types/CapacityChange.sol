// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice A change of a seat's capacity that has not fully taken effect: `shrinks (1) | units (31) | round (32)`.
/// @dev The seat always carries the larger of the two capacities, with its collateral, and the change hides units of it
/// from the auction: those that are added before `round`, those that leave from `round` on.
type CapacityChange is uint64;

using {
    CapacityChangeLib.units,
    CapacityChangeLib.shrinks,
    CapacityChangeLib.round,
    CapacityChangeLib.hiddenAt
} for CapacityChange global;

library CapacityChangeLib {
    /// @notice Most units of a seat.
    uint256 internal constant MAX_UNITS = 2 ** 31 - 1;

    uint64 private constant SHRINKS = 1 << 63;

    /// @dev `units_` is at most `MAX_UNITS`.
    function pack(uint32 units_, bool shrinks_, uint32 round_) internal pure returns (CapacityChange) {
        return CapacityChange.wrap((uint64(units_) << 32) | (shrinks_ ? SHRINKS : 0) | round_);
    }

    /// @return By how much the capacity changes (units), 0 if no change waits.
    function units(CapacityChange c) internal pure returns (uint256) {
        return (CapacityChange.unwrap(c) & ~SHRINKS) >> 32;
    }

    function shrinks(CapacityChange c) internal pure returns (bool) {
        return CapacityChange.unwrap(c) & SHRINKS != 0;
    }

    /// @return First round that the change counts for.
    function round(CapacityChange c) internal pure returns (uint256) {
        return CapacityChange.unwrap(c) & type(uint32).max;
    }

    /// @return Units of the seat that `round_` must not use.
    function hiddenAt(CapacityChange c, uint256 round_) internal pure returns (uint256) {
        return c.shrinks() == (round_ >= c.round()) ? c.units() : 0;
    }
}
