// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LibBit} from "solady/utils/LibBit.sol";
import {IBatchVerifier} from "../interfaces/IBatchVerifier.sol";
import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {IMarketLog} from "../interfaces/IMarketLog.sol";
import {CircuitId} from "../types/CircuitId.sol";

/// @notice Calls a verifier that nobody needs to trust to behave: whatever it does costs this call only.
library GuardedVerify {
    /// @notice Which of so many proofs are asked about, as a bitmap.
    struct Selection {
        uint256 count;
        uint256 selected;
    }

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

    /// @notice Which of the selected proofs of one circuit are valid. A verifier that is an `IBatchVerifier` is asked about all of
    /// them at once, for at most as much gas as one by one; if it gives no answer that counts, or is none, one by one.
    /// @dev So a batch costs at most twice the market's `verifierGas` for each proof. Reverts with `InsufficientGas` as `verify` does,
    /// at each of the calls.
    /// @param publicInputs all statements, one after the other, selected or not
    /// @param proofs all proofs, likewise
    function verifyEach(
        IProofVerifier verifier,
        uint256 gasCap,
        CircuitId circuit,
        uint256[] calldata publicInputs,
        bytes calldata proofs,
        Selection memory s
    ) internal view returns (uint256 valid) {
        bool answered;
        (answered, valid) = _verifyTogether(verifier, gasCap, circuit, publicInputs, proofs, s);
        if (answered) return valid;
        uint256 inputs = publicInputs.length / s.count;
        uint256 length = proofs.length / s.count;
        for (uint256 k; k < s.count; ++k) {
            if ((s.selected >> k) & 1 == 0) continue;
            bool one = verify(
                verifier,
                gasCap,
                circuit,
                publicInputs[k * inputs:(k + 1) * inputs],
                proofs[k * length:(k + 1) * length]
            );
            // forge-lint: disable-next-line(incorrect-shift) -- bit k
            if (one) valid |= 1 << k;
        }
    }

    /// @return answered Whether the verifier answered two words, the first of which is the function's selector.
    /// @return valid What it answered, by position in the batch; 0 if it did not.
    function _verifyTogether(
        IProofVerifier verifier,
        uint256 gasCap,
        CircuitId circuit,
        uint256[] calldata publicInputs,
        bytes calldata proofs,
        Selection memory s
    ) private view returns (bool answered, uint256 valid) {
        bytes memory input = batchCall(circuit, publicInputs, proofs, s);
        gasCap *= LibBit.popCount(s.selected);
        uint256 needed = gasCap * 64 / 63 + 5000;
        if (gasleft() < needed) revert IMarketLog.InsufficientGas(gasleft(), needed);
        bytes4 selector = IBatchVerifier.verifyBatch.selector;
        uint256 answer;
        assembly ("memory-safe") {
            let ok := staticcall(gasCap, verifier, add(input, 0x20), mload(input), 0x00, 0x40)
            answered := and(and(ok, eq(returndatasize(), 0x40)), eq(mload(0x00), selector))
            answer := mload(0x20)
        }
        if (!answered) return (false, 0);
        for (uint256 k; k < s.count; ++k) {
            if ((s.selected >> k) & 1 == 0) continue;
            valid |= (answer & 1) << k;
            answer >>= 1;
        }
    }

    /// @notice The call that asks an `IBatchVerifier` about the selected proofs.
    /// @dev In assembly, as it moves a quarter of a kilobyte a proof; the tests hold it against `abi.encodeCall`.
    function batchCall(
        CircuitId circuit,
        uint256[] calldata publicInputs,
        bytes calldata proofs,
        Selection memory s
    ) internal pure returns (bytes memory input) {
        // The caller has checked that nothing is left over.
        // slither-disable-next-line divide-before-multiply
        uint256 inputsLength = publicInputs.length / s.count * 32;
        // slither-disable-next-line divide-before-multiply
        uint256 proofLength = proofs.length / s.count;
        uint256 n = LibBit.popCount(s.selected);
        bytes4 selector = IBatchVerifier.verifyBatch.selector;
        uint256 at;
        uint256 source;
        assembly ("memory-safe") {
            // Beyond the free memory pointer until it is moved at the end.
            input := mload(0x40)
            at := add(input, 0x20)
            mstore(at, selector)
            mstore(add(at, 0x04), circuit)
            mstore(add(at, 0x24), 0x60)
            mstore(add(at, 0x44), add(0x80, mul(n, inputsLength)))
            mstore(add(at, 0x64), div(mul(n, inputsLength), 0x20))
            at := add(at, 0x84)
            source := publicInputs.offset
        }
        at = _copySelected(source, inputsLength, s, at);
        assembly ("memory-safe") {
            mstore(at, mul(n, proofLength))
            at := add(at, 0x20)
            source := proofs.offset
        }
        uint256 end = _copySelected(source, proofLength, s, at);
        assembly ("memory-safe") {
            mstore(end, 0)
            end := add(at, and(add(sub(end, at), 0x1f), not(0x1f)))
            mstore(input, sub(end, add(input, 0x20)))
            mstore(0x40, and(add(end, 0x3f), not(0x1f)))
        }
    }

    /// @dev Copies the selected ones of elements of `length` bytes that lie in calldata from `source` on.
    /// @return end First place behind the copy that begins at `at`.
    function _copySelected(uint256 source, uint256 length, Selection memory s, uint256 at)
        private
        pure
        returns (uint256 end)
    {
        (uint256 count, uint256 selected) = (s.count, s.selected);
        assembly ("memory-safe") {
            for { let k := 0 } lt(k, count) { k := add(k, 1) } {
                if and(shr(k, selected), 1) {
                    calldatacopy(at, add(source, mul(k, length)), length)
                    at := add(at, length)
                }
            }
            end := at
        }
    }
}
