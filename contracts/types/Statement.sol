// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";
import {AssignmentTree} from "../clearing/AssignmentTree.sol";
import {CircuitId} from "./CircuitId.sol";

/// @notice What is to be proved, and what a prover needs for it.
struct Statement {
    CircuitId circuit;
    /// The statement's public inputs, besides the circuit.
    uint256[] publicInputs;
    /// What a prover needs to build the witness.
    bytes data;
}

/// @notice The statements of an entry are the leaves of a Merkle tree in order of their bids; pairs are hashed in ascending order,
/// as in `solady/utils/MerkleProofLib.sol`, and an odd node moves up as it is. A single bid's root is its one leaf.
library StatementLib {
    /// @param position Number of the bid in its entry, from 0: one proof must not do for every bid of a lot.
    /// @param inputsHash keccak256 of the public inputs, 32 bytes each.
    /// @param dataHash keccak256 of the data.
    /// @dev Three words, where an inner node hashes two: a node is never taken for a leaf.
    function leaf(CircuitId circuit, uint256 position, bytes32 inputsHash, bytes32 dataHash)
        internal
        pure
        returns (bytes32)
    {
        bytes32 what = bytes32((position << 64) | CircuitId.unwrap(circuit));
        return EfficientHashLib.hash(what, inputsHash, dataHash);
    }

    /// @return The root over at least one statement.
    function rootOf(Statement[] calldata statements) internal pure returns (bytes32) {
        uint256 n = statements.length;
        bytes32[] memory nodes = new bytes32[](n);
        for (uint256 i; i < n; ++i) {
            Statement calldata s = statements[i];
            bytes32 inputsHash = keccak256(abi.encodePacked(s.publicInputs));
            nodes[i] = leaf(s.circuit, i, inputsHash, EfficientHashLib.hashCalldata(s.data));
        }
        for (; n > 1; n = (n + 1) / 2) {
            for (uint256 i; i < n; i += 2) {
                nodes[i / 2] = i + 1 == n ? nodes[i] : AssignmentTree.node(nodes[i], nodes[i + 1]);
            }
        }
        return nodes[0];
    }
}
