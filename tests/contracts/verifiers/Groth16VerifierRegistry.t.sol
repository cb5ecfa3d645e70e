// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IBatchVerifier} from "../../../contracts/interfaces/IBatchVerifier.sol";
import {IGroth16Verifier} from "../../../contracts/interfaces/IGroth16Verifier.sol";
import {Bn254} from "../../../contracts/libraries/Bn254.sol";
import {CircuitId, toCircuitId} from "../../../contracts/types/CircuitId.sol";
import {Groth16Vectors} from "./Groth16Vectors.sol";

/// @notice Which circuits and keys a verifier takes at deployment, and what it says of them afterwards.
contract Groth16VerifierRegistryTest is Groth16Vectors {
    uint256 private constant KEY_WORDS = 20;

    function test_circuitsAreListedInOrderWithTheirSizes() public {
        IGroth16Verifier verifier = deployVerifier();
        uint256 count = countCircuits();
        assertEq(verifier.circuitCount(), count);
        for (uint256 i = 0; i < count; ++i) {
            CircuitId circuit = verifier.circuitAt(i);
            assertTrue(circuit == readId(i), "both sides number circuits alike");
            assertEq(circuit.index(), i);
            assertEq(circuit.units(), readUnits(i));
            assertTrue(verifier.isCircuit(circuit));
            assertEq(verifier.publicInputCount(i), readCase(i, 0).publicInputs.length);
            assertEq(verifier.verifyingKey(i), readKey(i));
        }
    }

    function testFuzz_onlyListedIdsAreCircuits(uint64 raw) public {
        IGroth16Verifier verifier = deployVerifier();
        bool listed;
        for (uint256 i = 0; i < verifier.circuitCount(); ++i) {
            if (verifier.circuitAt(i) == CircuitId.wrap(raw)) listed = true;
        }
        assertEq(verifier.isCircuit(CircuitId.wrap(raw)), listed);
    }

    function test_idWithAnotherSizeOrIndexIsNoCircuit() public {
        IGroth16Verifier verifier = deployVerifier();
        uint32 count = uint32(verifier.circuitCount());
        assertFalse(verifier.isCircuit(toCircuitId(0, readUnits(0) + 1)));
        assertFalse(verifier.isCircuit(toCircuitId(0, 0)));
        // Slots of the tables that no circuit fills hold zeros, and the last index wraps round in none of them.
        assertFalse(verifier.isCircuit(toCircuitId(count, 0)));
        assertFalse(verifier.isCircuit(toCircuitId(16, readUnits(0))));
        assertFalse(verifier.isCircuit(toCircuitId(type(uint32).max, 0)));
    }

    function test_sixteenCircuitsOfSeveralShapesKeepTheirKeysApart() public {
        IGroth16Verifier.Circuit[] memory circuits = new IGroth16Verifier.Circuit[](16);
        for (uint256 i = 0; i < 16; ++i) {
            // A key with i public inputs more than the vectors' own.
            bytes memory key = readKey(0);
            for (uint256 j = 0; j < i; ++j) {
                key = abi.encodePacked(key, uint256(1), uint256(2));
            }
            circuits[i] = IGroth16Verifier.Circuit(i == 15 ? type(uint32).max : uint32(i + 1), key);
        }
        IGroth16Verifier verifier = deploy(circuits);
        for (uint256 i = 0; i < 16; ++i) {
            assertEq(verifier.verifyingKey(i), circuits[i].verifyingKey);
            assertEq(verifier.publicInputCount(i), 2 + i);
            assertEq(verifier.circuitAt(i).units(), circuits[i].units);
            assertTrue(verifier.isCircuit(toCircuitId(uint32(i), circuits[i].units)));
            assertFalse(verifier.isCircuit(toCircuitId(uint32(i), circuits[(i + 1) % 16].units)));
        }
        Case memory c = readCase(0, 0);
        assertTrue(verifier.verify(verifier.circuitAt(0), c.publicInputs, c.proof));
        assertFalse(verifier.verify(verifier.circuitAt(15), c.publicInputs, c.proof));

        // With zeros for the added inputs the statement, and so the proof, is the same.
        uint256[] memory inputs = new uint256[](17);
        (inputs[0], inputs[1]) = (c.publicInputs[0], c.publicInputs[1]);
        assertTrue(verifier.verify(verifier.circuitAt(15), inputs, c.proof));
        // Zero has one name only, alone and among others.
        uint256[] memory twice = new uint256[](34);
        (twice[0], twice[1], twice[17], twice[18]) = (inputs[0], inputs[1], inputs[0], inputs[1]);
        assertEq(_verifyTwice(verifier, twice, c.proof), 3);
        for (uint256 i = 2; i < 17; ++i) {
            inputs[i] = twice[i] = Bn254.R;
            assertFalse(verifier.verify(verifier.circuitAt(15), inputs, c.proof));
            assertEq(_verifyTwice(verifier, twice, c.proof), 2);
            inputs[i] = twice[i] = 0;
        }
    }

    function _verifyTwice(IGroth16Verifier verifier, uint256[] memory inputs, bytes memory proof)
        private
        view
        returns (uint256 valid)
    {
        bytes memory both = bytes.concat(proof, proof);
        (, valid) = IBatchVerifier(address(verifier)).verifyBatch(verifier.circuitAt(15), inputs, both);
    }

    function test_RevertWhen_IndexIsNotBelowTheCount() public {
        IGroth16Verifier verifier = deployVerifier();
        uint256 count = verifier.circuitCount();
        bytes memory refusal = abi.encodeWithSelector(IGroth16Verifier.NoSuchCircuit.selector, count, count);
        vm.expectRevert(refusal);
        verifier.circuitAt(count);
        vm.expectRevert(refusal);
        verifier.publicInputCount(count);
        vm.expectRevert(refusal);
        verifier.verifyingKey(count);
    }

    function test_RevertWhen_NoCircuitOrTooMany() public {
        IGroth16Verifier.Circuit[] memory none = new IGroth16Verifier.Circuit[](0);
        vm.expectRevert(abi.encodeWithSelector(IGroth16Verifier.WrongNumberOfCircuits.selector, 0, 16));
        deploy(none);
        IGroth16Verifier.Circuit[] memory many = new IGroth16Verifier.Circuit[](17);
        vm.expectRevert(abi.encodeWithSelector(IGroth16Verifier.WrongNumberOfCircuits.selector, 17, 16));
        deploy(many);
    }

    function test_RevertWhen_CircuitHasNoSize() public {
        IGroth16Verifier.Circuit[] memory circuits = readCircuits();
        circuits[1].units = 0;
        vm.expectRevert(abi.encodeWithSelector(IGroth16Verifier.ZeroUnits.selector, 1));
        deploy(circuits);
    }

    function test_keyWithoutPublicInputsIsAKey() public {
        bytes memory key = readKey(0);
        assembly ("memory-safe") {
            mstore(key, 0x200)
        }
        IGroth16Verifier verifier = deploy(_single(key));
        assertEq(verifier.publicInputCount(0), 0);
        assertFalse(verifier.verify(verifier.circuitAt(0), new uint256[](0), readCase(0, 0).proof));
    }

    function test_RevertWhen_KeyLengthIsWrong() public {
        bytes memory key = readKey(0);
        assertEq(key.length, KEY_WORDS * 32);
        _expectLengthRefused("");
        _expectLengthRefused(bytes.concat(key, hex"00"));
        _expectLengthRefused(bytes.concat(key, bytes32(0)));
        bytes memory shorter = new bytes(14 * 32);
        _expectLengthRefused(shorter);
    }

    function test_RevertWhen_AllKeysTogetherAreTooLong() public {
        IGroth16Verifier.Circuit[] memory circuits = new IGroth16Verifier.Circuit[](2);
        bytes memory key = readKey(0);
        while (key.length < 14_000) key = abi.encodePacked(key, uint256(1), uint256(2));
        circuits[0] = IGroth16Verifier.Circuit(1, key);
        circuits[1] = IGroth16Verifier.Circuit(1, key);
        vm.expectRevert(abi.encodeWithSelector(IGroth16Verifier.KeysTooLong.selector, 2 * key.length, 24_575));
        deploy(circuits);
    }

    function test_RevertWhen_KeyHasAPointOutsideItsGroup() public {
        bytes memory key = readKey(0);
        for (uint256 word = 0; word < KEY_WORDS; ++word) {
            uint256 start = _startOfPoint(word);
            _expectPointRefused(withWord(key, word, wordAt(key, word) ^ 1), start);
            // The same number modulo the field's order, if it fits; a coordinate has one encoding.
            _expectPointRefused(withWord(key, word, wordAt(key, word) + Bn254.P), start);
        }
    }

    function test_RevertWhen_KeyHasInfinity() public {
        uint256[7] memory starts = [uint256(0), 2, 6, 10, 14, 16, 18];
        for (uint256 i = 0; i < starts.length; ++i) {
            bytes memory key = readKey(0);
            for (uint256 word = 0; word < KEY_WORDS; ++word) {
                if (_startOfPoint(word) == starts[i]) key = withWord(key, word, 0);
            }
            _expectPointRefused(key, starts[i]);
        }
    }

    function test_RevertWhen_GammaEqualsDelta() public {
        bytes memory key = readKey(0);
        for (uint256 i = 0; i < 4; ++i) {
            key = withWord(key, 10 + i, wordAt(key, 6 + i));
        }
        vm.expectRevert(abi.encodeWithSelector(IGroth16Verifier.UnfinishedKey.selector, 0));
        deploy(_single(key));
    }

    function _startOfPoint(uint256 word) private pure returns (uint256) {
        if (word < 2) return 0;
        return word < 14 ? (word - 2) / 4 * 4 + 2 : word / 2 * 2;
    }

    function _expectLengthRefused(bytes memory key) private {
        vm.expectRevert(
            abi.encodeWithSelector(IGroth16Verifier.WrongKeyLength.selector, 0, key.length, 16 * 32)
        );
        deploy(_single(key));
    }

    function _expectPointRefused(bytes memory key, uint256 word) private {
        vm.expectRevert(abi.encodeWithSelector(IGroth16Verifier.InvalidKeyPoint.selector, 0, word));
        deploy(_single(key));
    }

    function _single(bytes memory key) private pure returns (IGroth16Verifier.Circuit[] memory circuits) {
        circuits = new IGroth16Verifier.Circuit[](1);
        circuits[0] = IGroth16Verifier.Circuit(1, key);
    }
}
