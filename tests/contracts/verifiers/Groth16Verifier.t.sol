// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IGroth16Verifier} from "../../../contracts/interfaces/IGroth16Verifier.sol";
import {Bn254} from "../../../contracts/libraries/Bn254.sol";
import {CircuitId, toCircuitId} from "../../../contracts/types/CircuitId.sol";
import {Groth16Vectors} from "./Groth16Vectors.sol";

/// @notice Proofs that are accepted, proofs that are not, and what finding out may cost.
contract Groth16VerifierTest is Groth16Vectors {
    /// @dev A curve point of the second group's curve (y^2 = x^3 + 3 / (9 + i), x = 1) outside the group itself:
    /// almost every point of that curve is.
    uint256 private constant OUTSIDE_Y_IMAGINARY =
        5912654199736721486680175016176231956195085055698687135131307249486702594212;
    uint256 private constant OUTSIDE_Y_REAL =
        18278151005453108793778860132295291098363647455926340152056652516292830556603;

    /// @dev More than any verification of a two-input circuit uses, an invalid point's burnt gas included.
    uint256 private constant GAS_BOUND = 240_000;

    IGroth16Verifier private _verifier;

    function setUp() public {
        _verifier = deployVerifier();
    }

    function test_everyVectorIsAccepted() public view {
        uint256 accepted;
        for (uint256 i = 0; i < _verifier.circuitCount(); ++i) {
            for (uint256 j = 0; j < countCases(i); ++j) {
                Case memory c = readCase(i, j);
                assertTrue(_verifier.verify(_verifier.circuitAt(i), c.publicInputs, c.proof));
                ++accepted;
            }
        }
        assertGe(accepted, 6);
    }

    function test_proofWithAnyWordChangedIsRejected() public view {
        (CircuitId circuit, Case memory c) = _first();
        for (uint256 i = 0; i < 8; ++i) {
            uint256 word = wordAt(c.proof, i);
            uint256[7] memory others =
                [word ^ 1, word ^ (1 << 200), Bn254.P - word, word + Bn254.P, 0, Bn254.P, type(uint256).max];
            for (uint256 j = 0; j < others.length; ++j) {
                assertNotEq(others[j], word);
                assertFalse(_verifier.verify(circuit, c.publicInputs, withWord(c.proof, i, others[j])));
            }
        }
    }

    function testFuzz_proofWithAnyBitsChangedIsRejected(uint256 index, uint256 mask) public view {
        (CircuitId circuit, Case memory c) = _first();
        vm.assume(mask != 0);
        index = bound(index, 0, 7);
        bytes memory proof = withWord(c.proof, index, wordAt(c.proof, index) ^ mask);
        assertFalse(_verifier.verify(circuit, c.publicInputs, proof));
    }

    function test_proofOfTwoOtherProofsPartsIsRejected() public view {
        (CircuitId circuit, Case memory c) = _first();
        Case memory other = readCase(0, 1);
        bytes memory mixed = c.proof;
        for (uint256 i = 6; i < 8; ++i) {
            mixed = withWord(mixed, i, wordAt(other.proof, i));
        }
        assertFalse(_verifier.verify(circuit, c.publicInputs, mixed));
    }

    function test_proofOfAnotherStatementIsRejected() public view {
        (CircuitId circuit, Case memory c) = _first();
        Case memory other = readCase(0, 1);
        assertNotEq(keccak256(abi.encode(c.publicInputs)), keccak256(abi.encode(other.publicInputs)));
        assertFalse(_verifier.verify(circuit, other.publicInputs, c.proof));
        assertFalse(_verifier.verify(circuit, c.publicInputs, other.proof));
    }

    function testFuzz_otherPublicInputIsRejected(uint256 index, uint256 value) public view {
        (CircuitId circuit, Case memory c) = _first();
        index = bound(index, 0, c.publicInputs.length - 1);
        vm.assume(value != c.publicInputs[index]);
        c.publicInputs[index] = value;
        assertFalse(_verifier.verify(circuit, c.publicInputs, c.proof));
    }

    function test_swappedPublicInputsAreRejected() public view {
        (CircuitId circuit, Case memory c) = _first();
        (c.publicInputs[0], c.publicInputs[1]) = (c.publicInputs[1], c.publicInputs[0]);
        assertFalse(_verifier.verify(circuit, c.publicInputs, c.proof));
    }

    /// @dev Modulo the field's order these are the inputs of a true statement: a second name for it must not exist.
    function test_publicInputPlusFieldOrderIsRejected() public view {
        (CircuitId circuit, Case memory c) = _first();
        for (uint256 i = 0; i < c.publicInputs.length; ++i) {
            uint256 input = c.publicInputs[i];
            for (uint256 k = 1; k <= 4; ++k) {
                c.publicInputs[i] = input + k * Bn254.R;
                assertFalse(_verifier.verify(circuit, c.publicInputs, c.proof));
            }
            c.publicInputs[i] = input;
        }
        assertTrue(_verifier.verify(circuit, c.publicInputs, c.proof));
    }

    function test_wrongCircuitIsRejected() public view {
        (CircuitId circuit, Case memory c) = _first();
        uint256 count = _verifier.circuitCount();
        for (uint256 i = 1; i < count; ++i) {
            assertFalse(_verifier.verify(_verifier.circuitAt(i), c.publicInputs, c.proof));
        }
        assertFalse(_verifier.verify(toCircuitId(uint32(count), 1), c.publicInputs, c.proof));
        assertFalse(_verifier.verify(toCircuitId(0, circuit.units() + 1), c.publicInputs, c.proof));
        assertFalse(_verifier.verify(toCircuitId(0, circuit.units() - 1), c.publicInputs, c.proof));
        assertFalse(_verifier.verify(CircuitId.wrap(type(uint64).max), c.publicInputs, c.proof));
    }

    function test_wrongNumberOfPublicInputsIsRejected() public view {
        (CircuitId circuit, Case memory c) = _first();
        uint256 count = c.publicInputs.length;
        for (uint256 length = 0; length < count + 3; ++length) {
            if (length == count) continue;
            uint256[] memory inputs = new uint256[](length);
            for (uint256 i = 0; i < length && i < count; ++i) {
                inputs[i] = c.publicInputs[i];
            }
            assertFalse(_verifier.verify(circuit, inputs, c.proof));
        }
    }

    function test_proofOfWrongLengthIsRejected() public view {
        (CircuitId circuit, Case memory c) = _first();
        assertEq(c.proof.length, 256);
        assertFalse(_verifier.verify(circuit, c.publicInputs, ""));
        assertFalse(_verifier.verify(circuit, c.publicInputs, bytes.concat(c.proof, hex"00")));
        assertFalse(_verifier.verify(circuit, c.publicInputs, bytes.concat(c.proof, bytes32(0))));
        bytes memory shorter = c.proof;
        assembly ("memory-safe") {
            mstore(shorter, 255)
        }
        assertFalse(_verifier.verify(circuit, c.publicInputs, shorter));
    }

    function test_proofOfInfinitiesIsRejected() public view {
        (CircuitId circuit, Case memory c) = _first();
        assertFalse(_verifier.verify(circuit, c.publicInputs, new bytes(256)));
    }

    /// @dev (-A, -B, C) proves what (A, B, C) proves. A market must therefore key a payment on the task: a proof that it has
    /// not seen may well be one that it has.
    function test_malleatedProofOfSameStatementIsAccepted() public view {
        (CircuitId circuit, Case memory c) = _first();
        bytes memory twin = withWord(c.proof, 1, Bn254.P - wordAt(c.proof, 1));
        twin = withWord(twin, 4, Bn254.P - wordAt(c.proof, 4));
        twin = withWord(twin, 5, Bn254.P - wordAt(c.proof, 5));
        assertNotEq(keccak256(twin), keccak256(c.proof));
        assertTrue(_verifier.verify(circuit, c.publicInputs, twin));
    }

    /// @dev As above, with a random factor: the third vector is the first, re-randomised.
    function test_rerandomisedProofOfSameStatementIsAccepted() public view {
        (CircuitId circuit, Case memory c) = _first();
        Case memory twin = readCase(0, 2);
        assertEq(twin.publicInputs, c.publicInputs);
        for (uint256 i = 0; i < 8; ++i) {
            assertNotEq(wordAt(twin.proof, i), wordAt(c.proof, i));
        }
        assertTrue(_verifier.verify(circuit, twin.publicInputs, twin.proof));
    }

    function test_invalidPointBurnsBoundedGas() public view {
        (, Case memory c) = _first();
        bytes[5] memory proofs;
        // A off the curve, with coordinates in range.
        proofs[0] = withWord(c.proof, 0, 1);
        // B off its curve.
        proofs[1] = withWord(c.proof, 2, 1);
        // B on its curve, outside the group.
        proofs[2] = withWord(withWord(c.proof, 2, 0), 3, 1);
        proofs[2] = withWord(withWord(proofs[2], 4, OUTSIDE_Y_IMAGINARY), 5, OUTSIDE_Y_REAL);
        // C off the curve.
        proofs[3] = withWord(c.proof, 6, 1);
        // A coordinate out of range.
        proofs[4] = withWord(c.proof, 7, type(uint256).max);
        for (uint256 i = 0; i < proofs.length; ++i) {
            (bool valid, uint256 used) = _verifyWithGas(10_000_000, c.publicInputs, proofs[i]);
            assertFalse(valid);
            // The precompile did burn what it got, or the test shows nothing.
            assertGt(used, Bn254.PAIRING_GAS + 4 * Bn254.PER_PAIR_GAS);
            assertLt(used, GAS_BOUND);
        }
        (bool holds, uint256 usedByValid) = _verifyWithGas(10_000_000, c.publicInputs, c.proof);
        assertTrue(holds);
        assertLt(usedByValid, GAS_BOUND);
    }

    /// @dev Whatever the gas, a valid proof is never called invalid: the call reverts instead.
    function testFuzz_validProofIsNeverRejectedForLackOfGas(uint256 gasGiven) public view {
        _assertTrueOrRevert(bound(gasGiven, 0, GAS_BOUND));
    }

    function test_validProofIsNeverRejectedAtAnyStepOfGas() public view {
        bool enough;
        uint256 reverted;
        for (uint256 gasGiven = 0; gasGiven < GAS_BOUND + 1000; gasGiven += 499) {
            bool succeeded = _assertTrueOrRevert(gasGiven);
            assertTrue(succeeded || !enough, "more gas cannot make it fail");
            enough = succeeded;
            if (!succeeded) ++reverted;
        }
        assertTrue(enough);
        assertGt(reverted, 100);
    }

    function test_RevertWhen_TooLittleGasForThePairing() public {
        (CircuitId circuit, Case memory c) = _first();
        vm.expectPartialRevert(Bn254.NotEnoughGas.selector);
        _verifier.verify{gas: 150_000}(circuit, c.publicInputs, c.proof);
    }

    function _first() private view returns (CircuitId circuit, Case memory c) {
        return (_verifier.circuitAt(0), readCase(0, 0));
    }

    function _verifyWithGas(uint256 gasGiven, uint256[] memory publicInputs, bytes memory proof)
        private
        view
        returns (bool valid, uint256 used)
    {
        CircuitId circuit = _verifier.circuitAt(0);
        uint256 before = gasleft();
        valid = _verifier.verify{gas: gasGiven}(circuit, publicInputs, proof);
        used = before - gasleft();
    }

    function _assertTrueOrRevert(uint256 gasGiven) private view returns (bool succeeded) {
        (CircuitId circuit, Case memory c) = _first();
        bytes memory input = abi.encodeCall(_verifier.verify, (circuit, c.publicInputs, c.proof));
        bytes memory answer;
        (succeeded, answer) = address(_verifier).staticcall{gas: gasGiven}(input);
        if (succeeded) assertEq(answer, abi.encode(true));
    }
}
