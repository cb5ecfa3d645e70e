// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";

/// @notice What is checked for all inputs at once, by halmos (docs/verification.md). A failed `assert` is what it looks for, and any other
/// panic too: arithmetic that overflows, a division by zero, an index out of range. Other reverts end a path in silence, so whatever
/// may revert is called from outside and its success is looked at.
abstract contract Symbolic {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @notice `value` as a number that is known, on a path for each number from 0 to `max`; there is no path for others. What is
    /// multiplied by it or divided by it is then easy for a solver.
    function each(uint256 value, uint256 max) internal pure returns (uint256 known) {
        for (; known <= max; ++known) {
            if (value == known) return known;
        }
        vm.assume(false);
    }

    function below(uint256 value, uint256 bits) internal pure returns (bool) {
        return value >> bits == 0;
    }
}
