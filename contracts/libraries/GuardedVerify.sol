// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {IMarketLog} from "../interfaces/IMarketLog.sol";
import {CircuitId} from "../types/CircuitId.sol";

/// @notice Calls a verifier that nobody needs to trust to behave: whatever it does costs this call only.
library GuardedVerify {
    /// @notice Whether the verifier answered exactly `true`, within `gasCap`. A revert, another answer, or no answer is
    /// "not verified". An answer of any length costs nothing, as only its first word is copied.
    /// @dev Reverts with `InsufficientGas` rather than let a verification run on less than `gasCap`: a call passes on at
    /// most 63/64 of the gas left (EIP-150), and a proof must not count as wrong because the caller was stingy.
    function verify(
        IProofVerifier verifier,
        uint256 gasCap,
        CircuitId circuit,
        uint256[] calldata publicInputs,
        bytes calldata proof
    ) internal view returns (bool valid) {
        bytes memory input = abi.encodeCall(IProofVerifier.verify, (circuit, publicInputs, proof));
        // 2,600 for a cold account, and some room for what is between this check and the call.
        uint256 needed = gasCap * 64 / 63 + 5000;
        if (gasleft() < needed) revert IMarketLog.InsufficientGas(gasleft(), needed);
        assembly ("memory-safe") {
            mstore(0x00, 0)
            let ok := staticcall(gasCap, verifier, add(input, 0x20), mload(input), 0x00, 0x20)
            valid := and(and(ok, gt(returndatasize(), 0x1f)), eq(mload(0x00), 1))
        }
    }
}
