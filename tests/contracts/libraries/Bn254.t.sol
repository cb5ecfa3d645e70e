// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {Bn254, G1Point} from "../../../contracts/libraries/Bn254.sol";

contract Bn254Test is Test {
    function test_pointAndItsNegativeAddUpToInfinity() public view {
        G1Point memory one = G1Point(1, 2);
        assertEq(Bn254.negate(one).y, Bn254.P - 2);
        G1Point memory sum = Bn254.add(one, Bn254.negate(one));
        assertEq(sum.x + sum.y, 0);
    }

    /// @dev The coordinate `P` would be refused by the precompiles.
    function test_infinityIsItsOwnNegative() public pure {
        G1Point memory infinity = Bn254.negate(G1Point(0, 0));
        assertEq(infinity.x + infinity.y, 0);
    }
}
