// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";

/// @notice One planted failing test, by which `script/tools/canary` shows that a failing Solidity test fails the run.
contract CanaryTest is Test {
    function test_failsOnlyWhereAFailureIsPlanted() public view {
        assertFalse(vm.envOr("PROOPHI_CANARY", false), "planted failure");
    }
}
