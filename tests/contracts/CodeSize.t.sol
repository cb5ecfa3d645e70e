// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";

/// @notice Limits of the chain that forge does not hold a test's deployments to.
contract CodeSizeTest is Test {
    uint256 private constant MAX_CODE = 24_576; // EIP-170
    uint256 private constant MAX_INITCODE = 2 * MAX_CODE; // EIP-3860

    function test_everyContractCanBeDeployed() public view {
        string[4] memory names = [
            "ProverMarket.sol:ProverMarket",
            "MarketExtension.sol:MarketExtension",
            "MarketLens.sol:MarketLens",
            "Groth16Verifier.sol:Groth16Verifier"
        ];
        for (uint256 i; i < names.length; ++i) {
            uint256 code = vm.getDeployedCode(names[i]).length;
            uint256 initcode = vm.getCode(names[i]).length;
            assertGt(code, 0);
            assertLe(code, MAX_CODE, names[i]);
            // A verifier's keys are behind its code: what is counted here is without.
            assertLe(initcode, MAX_INITCODE, names[i]);
        }
    }
}
