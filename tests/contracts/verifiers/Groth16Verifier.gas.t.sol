// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LibBit} from "solady/utils/LibBit.sol";
import {IGroth16Verifier} from "../../../contracts/interfaces/IGroth16Verifier.sol";
import {Bn254} from "../../../contracts/libraries/Bn254.sol";
import {CircuitId} from "../../../contracts/types/CircuitId.sol";
import {Groth16Vectors} from "./Groth16Vectors.sol";

/// @notice What the verifier costs the contract that calls it. A static call is no transaction of its own, isolated or not: the
/// figures are execution only, without the 21,000 and the calldata.
contract Groth16VerifierGasTest is Groth16Vectors {
    IGroth16Verifier private _verifier;
    CircuitId private _circuit;
    Case private _valid;

    function setUp() public {
        _verifier = deployVerifier();
        _circuit = _verifier.circuitAt(0);
        _valid = readCase(0, 0);
    }

    function test_gasOfVerify() public {
        assertTrue(_verifier.verify(_circuit, _valid.publicInputs, _valid.proof));
        vm.snapshotGasLastCall("Groth16Verifier", "verify: valid proof, 2 public inputs");
    }

    function test_gasOfVerifyWithAnInvalidPoint() public {
        assertFalse(_verifier.verify(_circuit, _valid.publicInputs, withWord(_valid.proof, 2, 1)));
        vm.snapshotGasLastCall("Groth16Verifier", "verify: invalid point, 2 public inputs");
    }

    function test_gasOfVerifyWithAPublicInputOutOfRange() public {
        uint256[] memory inputs = _valid.publicInputs;
        inputs[1] += Bn254.R;
        assertFalse(_verifier.verify(_circuit, inputs, _valid.proof));
        vm.snapshotGasLastCall("Groth16Verifier", "verify: public input out of range");
    }

    function test_gasOfVerifyBatch() public {
        uint256[4] memory sizes = [uint256(1), 2, 8, 32];
        for (uint256 i = 0; i < sizes.length; ++i) {
            (uint256[] memory inputs, bytes memory proofs) = packed(readBatch(sizes[i]));
            (, uint256 valid) = _verifier.verifyBatch(_circuit, inputs, proofs);
            vm.snapshotGasLastCall(
                "Groth16Verifier", string.concat("verifyBatch: ", vm.toString(sizes[i]), " valid proofs")
            );
            assertEq(valid, (1 << sizes[i]) - 1);
        }
    }

    function test_gasOfVerifyBatchWithBadProofs() public {
        Case[] memory cases = readBatch(32);
        cases[21].publicInputs[0] ^= 1;
        _recordBad(cases, "verifyBatch: 32 proofs, one of a false statement", 31);
        for (uint256 i = 0; i < 32; ++i) {
            cases[i].proof = withWord(cases[i].proof, 2, 1);
        }
        _recordBad(cases, "verifyBatch: 32 proofs with invalid points", 0);
    }

    function _recordBad(Case[] memory cases, string memory name, uint256 good) private {
        (uint256[] memory inputs, bytes memory proofs) = packed(cases);
        (, uint256 valid) = _verifier.verifyBatch(_circuit, inputs, proofs);
        vm.snapshotGasLastCall("Groth16Verifier", name);
        assertEq(LibBit.popCount(valid), good);
    }

    function test_gasOfIsCircuit() public {
        assertTrue(_verifier.isCircuit(_circuit));
        vm.snapshotGasLastCall("Groth16Verifier", "isCircuit");
    }
}
