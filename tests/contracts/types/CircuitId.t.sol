// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";

import {CircuitId, toCircuitId} from "../../../contracts/types/CircuitId.sol";

contract CircuitIdTest is Test {
    function testFuzz_partsSurviveTheRoundTrip(uint32 index, uint32 units) public pure {
        CircuitId id = toCircuitId(index, units);
        assertEq(id.index(), index);
        assertEq(id.units(), units);
        assertEq(CircuitId.unwrap(id), uint256(index) * 2 ** 32 + units);
    }

    function test_equalityComparesBothParts() public pure {
        assertTrue(toCircuitId(1, 2) == toCircuitId(1, 2));
        assertTrue(toCircuitId(1, 2) != toCircuitId(2, 2));
        assertTrue(toCircuitId(1, 2) != toCircuitId(1, 3));
        assertFalse(toCircuitId(1, 2) == toCircuitId(2, 1));
    }
}
