// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice What a settled round decided, in one slot: `settled (8) | user price (64) | pivot index (32) | prover price
/// (64) | units (64)`. Zero before settlement.
/// @dev A bid won if it ranks before the pivot, whose unit fee is the user price. See `Certificate` for the pivots that
/// are no bid.
type Outcome is uint256;

using {
    OutcomeLib.isSettled,
    OutcomeLib.userPrice,
    OutcomeLib.pivotIndex,
    OutcomeLib.proverPrice,
    OutcomeLib.units,
    OutcomeLib.wins,
    OutcomeLib.refund
} for Outcome global;

library OutcomeLib {
    function pack(uint64 userPrice_, uint32 pivotIndex_, uint64 proverPrice_, uint64 units_)
        internal
        pure
        returns (Outcome)
    {
        return Outcome.wrap(
            (uint256(1) << 224) | (uint256(userPrice_) << 160) | (uint256(pivotIndex_) << 128)
                | (uint256(proverPrice_) << 64) | units_
        );
    }

    function isSettled(Outcome o) internal pure returns (bool) {
        return Outcome.unwrap(o) != 0;
    }

    /// @return What a winner pays (ticks per unit): the unit fee of the first bid left out.
    function userPrice(Outcome o) internal pure returns (uint256) {
        return (Outcome.unwrap(o) >> 160) & type(uint64).max;
    }

    function pivotIndex(Outcome o) internal pure returns (uint256) {
        return (Outcome.unwrap(o) >> 128) & type(uint32).max;
    }

    /// @return What a delivery pays (ticks per unit).
    function proverPrice(Outcome o) internal pure returns (uint256) {
        return (Outcome.unwrap(o) >> 64) & type(uint64).max;
    }

    /// @return Total size of the batch (units), 0 for a round without a trade.
    function units(Outcome o) internal pure returns (uint256) {
        return Outcome.unwrap(o) & type(uint64).max;
    }

    function wins(Outcome o, uint256 fee, uint256 index) internal pure returns (bool) {
        uint256 price = o.userPrice();
        return fee > price || (fee == price && index < o.pivotIndex());
    }

    /// @return What a bid gets back (ticks): all that it locked for its task, or a winner the difference to the user
    /// price.
    function refund(Outcome o, uint256 fee, uint256 size, uint256 index) internal pure returns (uint256) {
        return (o.wins(fee, index) ? fee - o.userPrice() : fee) * size;
    }
}
