// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {CircuitId} from "../types/CircuitId.sol";

/// @title Proof verifier
/// @notice A fixed set of circuits and the check of their proofs. A market trusts its verifier for two facts: which
/// circuits exist and how large each one is, and whether a proof is valid. It trusts it for nothing else: a market must
/// bound the gas it forwards and treat a revert or a malformed answer as "not verified".
///
/// What an implementation promises:
/// - `isCircuit` never turns from true to false, and an id never comes to mean another circuit;
/// - `verify` returns false, and does not revert, for every proof that is wrong, however malformed;
/// - `verify` never returns false for lack of gas: it reverts, so that the caller's failure is not the prover's;
/// - the gas of `verify` is bounded, whatever the proof and the inputs are.
///
/// Circuits are numbered from 0 without gaps in the order of `circuitAt`.
interface IProofVerifier {
    /// @notice Whether `proof` shows that the statement (`circuit`, `publicInputs`) is true.
    /// @dev Warning: a valid proof may have many valid encodings (Groth16 proofs re-randomise). Never use a proof, or its
    /// hash, to tell deliveries apart: key a payment on the task.
    /// @param circuit the circuit that the statement is about
    /// @param publicInputs as many elements as the circuit has public inputs, each below the order of its scalar field;
    /// an element out of range is refused, never reduced
    /// @param proof the encoded proof; the encoding is the implementation's
    /// @return false also for an unknown circuit, a wrong number of inputs and a proof of the wrong length
    function verify(CircuitId circuit, uint256[] calldata publicInputs, bytes calldata proof)
        external
        view
        returns (bool);

    /// @notice Whether `circuit` exists here, with exactly the size that its id states.
    function isCircuit(CircuitId circuit) external view returns (bool);

    /// @notice Number of circuits.
    function circuitCount() external view returns (uint256);

    /// @notice The circuit at `index`, counted from 0. Reverts if `index` is not below `circuitCount()`.
    function circuitAt(uint256 index) external view returns (CircuitId);
}
