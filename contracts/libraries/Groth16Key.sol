// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {G1Point, G2Point} from "./Bn254.sol";

/// @title A verifying key as it lies in memory
/// @notice The key's words are alpha (2), beta (4), gamma (4), delta (4), then two for each point of IC. What these functions give are
/// pointers into the key, not copies: a point's words lie as Solidity lays out its struct.
/// @dev The caller sees to it that the key is long enough.
library Groth16Key {
    uint256 internal constant HEAD_LENGTH = 14 * 32;
    uint256 internal constant G1_LENGTH = 2 * 32;
    /// @notice A key without public inputs.
    uint256 internal constant MIN_LENGTH = HEAD_LENGTH + G1_LENGTH;

    function alpha(bytes memory key) internal pure returns (G1Point memory) {
        return _g1(key, 0);
    }

    function beta(bytes memory key) internal pure returns (G2Point memory) {
        return _g2(key, 2 * 32);
    }

    function gamma(bytes memory key) internal pure returns (G2Point memory) {
        return _g2(key, 6 * 32);
    }

    function delta(bytes memory key) internal pure returns (G2Point memory) {
        return _g2(key, 10 * 32);
    }

    /// @notice Point number `i` of IC, at most the number of public inputs.
    function ic(bytes memory key, uint256 i) internal pure returns (G1Point memory) {
        return _g1(key, HEAD_LENGTH + i * G1_LENGTH);
    }

    /// @notice Number of public inputs of a circuit whose key has `length` bytes, at least `MIN_LENGTH`.
    function inputCount(uint256 length) internal pure returns (uint256) {
        return (length - MIN_LENGTH) / G1_LENGTH;
    }

    // The points must not be allocated first: the variables only ever hold pointers into the key.

    function _g1(bytes memory key, uint256 offset) private pure returns (G1Point memory point) {
        assembly ("memory-safe") {
            point := add(add(key, 0x20), offset)
        }
    }

    function _g2(bytes memory key, uint256 offset) private pure returns (G2Point memory point) {
        assembly ("memory-safe") {
            point := add(add(key, 0x20), offset)
        }
    }
}
