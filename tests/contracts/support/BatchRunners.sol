// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IBatchVerifier} from "../../../contracts/interfaces/IBatchVerifier.sol";
import {Groth16Batch} from "../../../contracts/libraries/Groth16Batch.sol";
import {GuardedVerify} from "../../../contracts/libraries/GuardedVerify.sol";
import {CircuitId} from "../../../contracts/types/CircuitId.sol";
import {PlainGroth16Batch} from "./PlainGroth16Batch.sol";

/// @notice `Groth16Batch` and `PlainGroth16Batch` behind the same call.
interface IBatchRunner {
    function check(bytes memory key, uint256 inputCount, uint256[] calldata inputs, bytes calldata proofs)
        external
        view
        returns (uint256 valid);
}

contract AssemblyBatchRunner is IBatchRunner {
    function check(bytes memory key, uint256 inputCount, uint256[] calldata inputs, bytes calldata proofs)
        external
        view
        returns (uint256 valid)
    {
        return Groth16Batch.check(key, inputCount, inputs, proofs);
    }
}

contract PlainBatchRunner is IBatchRunner {
    function check(bytes memory key, uint256 inputCount, uint256[] calldata inputs, bytes calldata proofs)
        external
        view
        returns (uint256 valid)
    {
        return PlainGroth16Batch.check(key, inputCount, inputs, proofs);
    }
}

/// @notice `GuardedVerify.batchCall`, and the same in plain words.
contract BatchCallRunner {
    function inAssembly(
        CircuitId circuit,
        uint256[] calldata publicInputs,
        bytes calldata proofs,
        GuardedVerify.Selection calldata s
    ) external pure returns (bytes memory) {
        return GuardedVerify.batchCall(circuit, publicInputs, proofs, s);
    }

    function plain(
        CircuitId circuit,
        uint256[] calldata publicInputs,
        bytes calldata proofs,
        GuardedVerify.Selection calldata s
    ) external pure returns (bytes memory) {
        (uint256 each, uint256 length) = (publicInputs.length / s.count, proofs.length / s.count);
        uint256[] memory inputs = new uint256[](publicInputs.length);
        bytes memory chosen;
        uint256 n;
        for (uint256 k; k < s.count; ++k) {
            if ((s.selected >> k) & 1 == 0) continue;
            for (uint256 j; j < each; ++j) {
                inputs[n++] = publicInputs[k * each + j];
            }
            chosen = bytes.concat(chosen, proofs[k * length:(k + 1) * length]);
        }
        uint256[] memory inputsOfChosen = new uint256[](n);
        for (uint256 i; i < n; ++i) {
            inputsOfChosen[i] = inputs[i];
        }
        return abi.encodeCall(IBatchVerifier.verifyBatch, (circuit, inputsOfChosen, chosen));
    }
}
