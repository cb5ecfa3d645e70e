// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {stdJson} from "forge-std/StdJson.sol";

import {IGroth16Verifier} from "../../../contracts/interfaces/IGroth16Verifier.sol";
import {CircuitId} from "../../../contracts/types/CircuitId.sol";

/// @notice Keys and proofs made by the crate `circuits` (tests/vectors/groth16.json, and groth16-batch.json with many proofs of the
/// first circuit): what a prover delivers on chain.
abstract contract Groth16Vectors is Test {
    using stdJson for string;

    /// @notice One true statement and a proof of it.
    struct Case {
        uint256[] publicInputs;
        bytes proof;
    }

    string private _json;
    string private _batchJson;

    constructor() {
        _json = vm.readFile("tests/vectors/groth16.json");
        _batchJson = vm.readFile("tests/vectors/groth16-batch.json");
    }

    /// @notice A verifier with every circuit of the vectors, in their order.
    function deployVerifier() internal returns (IGroth16Verifier) {
        return deploy(readCircuits());
    }

    /// @notice The verifier's contract from its artifact: what is tested is the build that is deployed.
    function deploy(IGroth16Verifier.Circuit[] memory circuits) internal returns (IGroth16Verifier made) {
        bytes memory code =
            abi.encodePacked(vm.getCode("Groth16Verifier.sol:Groth16Verifier"), abi.encode(circuits));
        assembly ("memory-safe") {
            made := create(0, add(code, 0x20), mload(code))
            if iszero(made) {
                let free := mload(0x40)
                returndatacopy(free, 0, returndatasize())
                revert(free, returndatasize())
            }
        }
    }

    function readCircuits() internal view returns (IGroth16Verifier.Circuit[] memory circuits) {
        circuits = new IGroth16Verifier.Circuit[](countCircuits());
        for (uint256 i = 0; i < circuits.length; ++i) {
            circuits[i] = IGroth16Verifier.Circuit(readUnits(i), readKey(i));
        }
    }

    function countCircuits() internal view returns (uint256 count) {
        while (_json.keyExists(_circuitPath(count))) ++count;
        assertGe(count, 3, "the vectors hold every circuit of the demo");
    }

    function countCases(uint256 circuit) internal view returns (uint256 count) {
        while (_json.keyExists(_casePath(circuit, count))) ++count;
        assertGe(count, 2, "the vectors hold two statements of each circuit");
    }

    function readUnits(uint256 circuit) internal view returns (uint32) {
        return uint32(_json.readUint(string.concat(_circuitPath(circuit), ".units")));
    }

    /// @notice The circuit's id as the crate computes it.
    function readId(uint256 circuit) internal view returns (CircuitId) {
        return CircuitId.wrap(uint64(_json.readUint(string.concat(_circuitPath(circuit), ".id"))));
    }

    function readKey(uint256 circuit) internal view returns (bytes memory) {
        return abi.encodePacked(_json.readUintArray(string.concat(_circuitPath(circuit), ".vk")));
    }

    function readCase(uint256 circuit, uint256 index) internal view returns (Case memory) {
        string memory at = _casePath(circuit, index);
        return Case(
            _json.readUintArray(string.concat(at, ".public_inputs")),
            abi.encodePacked(_json.readUintArray(string.concat(at, ".proof")))
        );
    }

    /// @notice The first `count` of many proofs of the first circuit, each of another statement.
    function readBatch(uint256 count) internal view returns (Case[] memory cases) {
        cases = new Case[](count);
        for (uint256 i = 0; i < count; ++i) {
            cases[i] = readBatchCase(i);
        }
    }

    function readBatchCase(uint256 index) internal view returns (Case memory) {
        string memory at = string.concat("$.proofs[", vm.toString(index), "]");
        return Case(
            _batchJson.readUintArray(string.concat(at, ".public_inputs")),
            abi.encodePacked(_batchJson.readUintArray(string.concat(at, ".proof")))
        );
    }

    /// @notice Statements and proofs as `verifyBatch` takes them.
    function packed(Case[] memory cases)
        internal
        pure
        returns (uint256[] memory inputs, bytes memory proofs)
    {
        uint256 each = cases[0].publicInputs.length;
        inputs = new uint256[](cases.length * each);
        for (uint256 i = 0; i < cases.length; ++i) {
            for (uint256 j = 0; j < each; ++j) {
                inputs[i * each + j] = cases[i].publicInputs[j];
            }
            proofs = bytes.concat(proofs, cases[i].proof);
        }
    }

    /// @notice Word number `index` of packed words.
    function wordAt(bytes memory words, uint256 index) internal pure returns (uint256 word) {
        assertLt(index, words.length / 32);
        assembly ("memory-safe") {
            word := mload(add(words, mul(add(index, 1), 0x20)))
        }
    }

    /// @notice A copy of packed words with word number `index` replaced.
    function withWord(bytes memory words, uint256 index, uint256 word)
        internal
        pure
        returns (bytes memory copy)
    {
        assertLt(index, words.length / 32);
        copy = bytes.concat(words);
        assembly ("memory-safe") {
            mstore(add(copy, mul(add(index, 1), 0x20)), word)
        }
    }

    function _circuitPath(uint256 index) private pure returns (string memory) {
        return string.concat("$[", vm.toString(index), "]");
    }

    function _casePath(uint256 circuit, uint256 index) private pure returns (string memory) {
        return string.concat(_circuitPath(circuit), ".proofs[", vm.toString(index), "]");
    }
}
