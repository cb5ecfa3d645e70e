// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IBatchVerifier} from "./IBatchVerifier.sol";

/// @title Groth16 proofs over BN254
/// @notice The circuits and their verifying keys are given at deployment and never change; nobody owns the contract.
///
/// A proof is 256 bytes, eight words: A.x, A.y, B.x imaginary, B.x real, B.y imaginary, B.y real, C.x, C.y. It is valid if
/// `e(A, B) = e(alpha, beta) * e(IC[0] + sum of publicInputs[i] * IC[i + 1], gamma) * e(C, delta)`.
///
/// A verifying key is a sequence of words: alpha (2), beta (4), gamma (4), delta (4), then IC, two words for each of
/// (number of public inputs + 1) points. Points of the second group have the imaginary part of a coordinate first (EIP-197).
///
/// @dev Warning: whoever made a key may know its toxic waste and can then prove false statements. The contract checks that
/// a key is well-formed, it cannot check how it was made.
/// Warning: a proof can be turned into another proof of the same statement by anyone who has seen it.
interface IGroth16Verifier is IBatchVerifier {
    /// @notice A circuit to be registered.
    struct Circuit {
        /// Size of one proof (units), at least 1.
        uint32 units;
        /// The key in the form described above.
        bytes verifyingKey;
    }

    /// @notice The number of circuits must be from 1 to `max`.
    error WrongNumberOfCircuits(uint256 given, uint256 max);

    /// @notice A circuit has a size of zero units.
    error ZeroUnits(uint256 index);

    /// @notice A key's length is not `minimum` bytes (no public input) or that plus 64 bytes for each public input.
    error WrongKeyLength(uint256 index, uint256 length, uint256 minimum);

    /// @notice All keys together are longer than a contract's code may be.
    error KeysTooLong(uint256 length, uint256 max);

    /// @notice A point of a key is infinity, or not a point of its group.
    /// @param index the circuit
    /// @param word position of the point's first word in the key, counted from 0
    error InvalidKeyPoint(uint256 index, uint256 word);

    /// @notice A key has gamma = delta: its second phase was left out, and proofs can be forged.
    error UnfinishedKey(uint256 index);

    /// @notice There is no circuit at `index`.
    error NoSuchCircuit(uint256 index, uint256 count);

    /// @notice Number of public inputs of the circuit at `index`, counted from 0. Reverts if there is none.
    function publicInputCount(uint256 index) external view returns (uint256);

    /// @notice The verifying key of the circuit at `index`, counted from 0. Reverts if there is none.
    function verifyingKey(uint256 index) external view returns (bytes memory);
}
