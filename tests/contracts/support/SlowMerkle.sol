// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice A Merkle tree made level by level: pairs hashed in ascending order, an odd node moves up as it is.
library SlowMerkle {
    function root(bytes32[] memory level) internal pure returns (bytes32) {
        if (level.length == 0) return 0;
        while (level.length > 1) {
            level = up(level);
        }
        return level[0];
    }

    function path(bytes32[] memory level, uint256 at) internal pure returns (bytes32[] memory nodes) {
        nodes = new bytes32[](64);
        uint256 n;
        for (; level.length > 1; level = up(level)) {
            uint256 sibling = at ^ 1;
            if (sibling < level.length) nodes[n++] = level[sibling];
            at /= 2;
        }
        assembly ("memory-safe") {
            mstore(nodes, n)
        }
    }

    function up(bytes32[] memory level) internal pure returns (bytes32[] memory next) {
        next = new bytes32[]((level.length + 1) / 2);
        for (uint256 i; i < next.length; ++i) {
            bytes32 a = level[2 * i];
            if (2 * i + 1 == level.length) {
                next[i] = a;
                continue;
            }
            bytes32 b = level[2 * i + 1];
            next[i] = a < b ? keccak256(abi.encodePacked(a, b)) : keccak256(abi.encodePacked(b, a));
        }
    }
}
