// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IBatchVerifier} from "../../../contracts/interfaces/IBatchVerifier.sol";
import {IProofVerifier} from "../../../contracts/interfaces/IProofVerifier.sol";
import {CircuitId} from "../../../contracts/types/CircuitId.sol";
import {HashVerifier} from "./HashVerifier.sol";

/// @notice Answers `verifyBatch` with bytes given beforehand. One by one it takes hashes for proofs, as its base does, so that it shows
/// whether the market took the answer or asked again.
contract AnsweringVerifier is HashVerifier {
    bytes private _answer;
    bool private _reverts;

    function setAnswer(bytes calldata answer, bool reverts) external {
        (_answer, _reverts) = (answer, reverts);
    }

    function verifyBatch(CircuitId, uint256[] calldata, bytes calldata) external view {
        bytes memory answer = _answer;
        bool reverts = _reverts;
        assembly ("memory-safe") {
            if reverts { revert(add(answer, 0x20), mload(answer)) }
            return(add(answer, 0x20), mload(answer))
        }
    }
}

/// @notice Burns all gas that it is given for a batch, and takes hashes for proofs one by one.
contract BurningBatchVerifier is HashVerifier {
    function verifyBatch(CircuitId, uint256[] calldata, bytes calldata) external pure {
        assembly ("memory-safe") {
            invalid()
        }
    }
}

/// @notice Has a catch-all that answers every call with two words of ones.
contract CatchAllVerifier is HashVerifier {
    fallback() external {
        assembly ("memory-safe") {
            mstore(0x00, not(0))
            mstore(0x20, not(0))
            return(0x00, 0x40)
        }
    }
}

/// @notice Accepts every batch in which each proof is the hash of its statement of two inputs, and remembers nothing.
contract BatchHashVerifier is HashVerifier {
    function verifyBatch(CircuitId circuit, uint256[] calldata publicInputs, bytes calldata proofs)
        external
        pure
        returns (bytes4 answer, uint256 valid)
    {
        answer = IBatchVerifier.verifyBatch.selector;
        for (uint256 i; i < proofs.length / 32; ++i) {
            bytes memory expected = proofOf(circuit, publicInputs[2 * i:2 * i + 2]);
            if (keccak256(proofs[32 * i:32 * i + 32]) == keccak256(expected)) valid |= 1 << i;
        }
    }
}

/// @notice Another verifier, which it asks about one proof at a time.
contract OneByOneVerifier is IProofVerifier {
    IProofVerifier private immutable _VERIFIER;

    constructor(IProofVerifier verifier) {
        _VERIFIER = verifier;
    }

    function verify(CircuitId circuit, uint256[] calldata publicInputs, bytes calldata proof)
        external
        view
        returns (bool)
    {
        return _VERIFIER.verify(circuit, publicInputs, proof);
    }

    function isCircuit(CircuitId circuit) external view returns (bool) {
        return _VERIFIER.isCircuit(circuit);
    }

    function circuitCount() external view returns (uint256) {
        return _VERIFIER.circuitCount();
    }

    function circuitAt(uint256 index) external view returns (CircuitId) {
        return _VERIFIER.circuitAt(index);
    }
}

/// @notice Another verifier but for batches, for which it burns all gas that it is given.
contract DearBatchVerifier {
    address private immutable _VERIFIER;

    constructor(address verifier) {
        _VERIFIER = verifier;
    }

    function verifyBatch(CircuitId, uint256[] calldata, bytes calldata) external pure {
        assembly ("memory-safe") {
            invalid()
        }
    }

    fallback(bytes calldata input) external returns (bytes memory output) {
        bool ok;
        (ok, output) = _VERIFIER.staticcall(input);
        require(ok, "as the verifier behind");
    }
}
