// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IProofVerifier} from "../../../contracts/interfaces/IProofVerifier.sol";
import {CircuitId, toCircuitId} from "../../../contracts/types/CircuitId.sol";

/// @notice Knows every circuit, and accepts a proof if it is the hash of its statement: tests of the money need no curve.
contract HashVerifier is IProofVerifier {
    function proofOf(CircuitId circuit, uint256[] memory publicInputs) public pure returns (bytes memory) {
        return abi.encode(keccak256(abi.encode(circuit, publicInputs)));
    }

    function verify(CircuitId circuit, uint256[] calldata publicInputs, bytes calldata proof)
        external
        pure
        returns (bool)
    {
        return keccak256(proof) == keccak256(proofOf(circuit, publicInputs));
    }

    function isCircuit(CircuitId) external pure returns (bool) {
        return true;
    }

    function circuitCount() external pure returns (uint256) {
        return type(uint32).max;
    }

    function circuitAt(uint256 index) external pure returns (CircuitId) {
        return toCircuitId(uint32(index), 1);
    }
}
