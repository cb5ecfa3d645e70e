// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice What a settled round says about demand and supply.
struct Signal {
    /// Total size of the batch (units).
    uint256 units;
    /// Capacity of the winning provers (units); in `average-fee` without a batch, of those who ask less than the reserve price.
    uint256 capacity;
    /// The first bid left out, by fee (ticks per unit) and index; see `Certificate`.
    uint256 pivotFee;
    uint256 pivotIndex;
    /// Whether more would have been cleared under a higher capacity cap.
    bool capBinds;
}

/// @notice What a market fixes for a round before it opens: `first round (32) | capacity cap (64) | reserve price (64)`.
/// @dev `first round` is the first one that these terms count for.
type Terms is uint256;

using {TermsLib.isNone, TermsLib.fromRound, TermsLib.capacityCap, TermsLib.reservePrice} for Terms global;

library TermsLib {
    function pack(uint256 fromRound_, uint64 capacityCap_, uint64 reservePrice_)
        internal
        pure
        returns (Terms)
    {
        return Terms.wrap((fromRound_ << 128) | (uint256(capacityCap_) << 64) | reservePrice_);
    }

    /// @dev A capacity cap is never 0.
    function isNone(Terms t) internal pure returns (bool) {
        return Terms.unwrap(t) == 0;
    }

    function fromRound(Terms t) internal pure returns (uint256) {
        return Terms.unwrap(t) >> 128;
    }

    /// @return Upper bound on the total size of the round's batch (units).
    function capacityCap(Terms t) internal pure returns (uint256) {
        return (Terms.unwrap(t) >> 64) & type(uint64).max;
    }

    /// @return Lowest unit fee that can win (ticks per unit), 0 for none.
    function reservePrice(Terms t) internal pure returns (uint256) {
        return Terms.unwrap(t) & type(uint64).max;
    }
}
