// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {CircuitId} from "../types/CircuitId.sol";
import {IProofVerifier} from "./IProofVerifier.sol";

/// @title A verifier that checks proofs of one circuit together
/// @notice An extension that a verifier may leave out. Whoever calls it needs no other way to find out whether it is there: an
/// answer counts only if it begins with the function's own selector, which no other function and no catch-all returns.
interface IBatchVerifier is IProofVerifier {
    /// @notice Which of several proofs are valid, exactly as `verify` would say of each of them.
    /// @dev Warning: one bad proof costs several times what a good one does, and whoever put it into the batch pays for it.
    /// @param circuit the circuit that all statements are about
    /// @param publicInputs the public inputs of all statements, one statement after the other
    /// @param proofs as many proofs, one after the other; all proofs of a circuit have one length
    /// @return answer `verifyBatch.selector`
    /// @return valid bit i is set if proof i is valid; 0 also for an unknown circuit, for more than 256 proofs, and for lengths
    /// that are not those of whole proofs and their statements
    function verifyBatch(CircuitId circuit, uint256[] calldata publicInputs, bytes calldata proofs)
        external
        view
        returns (bytes4 answer, uint256 valid);
}
