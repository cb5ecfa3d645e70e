// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice A winning prover, in units: `where its tasks end (64) | capacity (64) | load (64) | seat (8)`. It has the tasks that start
/// before its end and no other prover's; its load is what it was assigned so far.
type Winner is uint256;

using {WinnerLib.capacity, WinnerLib.load, WinnerLib.seat} for Winner global;

library WinnerLib {
    /// @dev Ends are at most a batch's units, 64 bits, capacities 40, and there are fewer than 129 seats.
    function pack(uint256 seat_, uint256 capacity_, uint256 end_) internal pure returns (Winner) {
        return Winner.wrap((end_ << 136) | (capacity_ << 72) | seat_);
    }

    function capacity(Winner winner) internal pure returns (uint256) {
        return (Winner.unwrap(winner) >> 72) & type(uint64).max;
    }

    function load(Winner winner) internal pure returns (uint256) {
        return (Winner.unwrap(winner) >> 8) & type(uint64).max;
    }

    function seat(Winner winner) internal pure returns (uint8) {
        // forge-lint: disable-next-line(unsafe-typecast) -- the 8 bits that are meant
        return uint8(Winner.unwrap(winner));
    }
}
