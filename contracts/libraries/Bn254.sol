// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice A point of the curve's first group: y^2 = x^3 + 3 over the base field; (0, 0) stands for infinity.
struct G1Point {
    uint256 x;
    uint256 y;
}

/// @notice A point of the second group, each coordinate in two parts, the imaginary part first (EIP-197).
struct G2Point {
    uint256 xImaginary;
    uint256 xReal;
    uint256 yImaginary;
    uint256 yReal;
}

/// @title The curve BN254 ("alt_bn128") through the precompiles of EIP-196 and EIP-197
/// @dev A precompile that refuses its input burns all gas it was given, and one that was given too little fails in the
/// same way. So each call gets a fixed amount, just above its price, and is not made at all unless the amount is there:
/// what then fails, fails because of its input.
/// Warning: the amounts follow the prices of EIP-1108. If a chain raises a price above them, points are no longer added
/// (revert) and no pairing equation holds (false).
library Bn254 {
    /// @notice Order of the base field: coordinates are below it.
    uint256 internal constant P =
        21888242871839275222246405745257275088696311157297823662689037894645226208583;

    /// @notice Order of both groups and of the scalar field: public inputs are below it.
    uint256 internal constant R =
        21888242871839275222246405745257275088548364400416034343698204186575808495617;

    /// @dev Twice the price.
    uint256 internal constant ADD_GAS = 2 * 150;
    uint256 internal constant MUL_GAS = 2 * 6000;

    /// @dev The prices and a twentieth more: only the caller pays for this headroom, and only for an invalid point.
    uint256 internal constant ONE_PAIR_GAS = (45_000 + 34_000) * 21 / 20;
    uint256 internal constant PAIRING_GAS = 45_000 * 21 / 20;
    uint256 internal constant PER_PAIR_GAS = 34_000 * 21 / 20;

    /// @dev Covers what is spent between the check of the gas and the start of the precompile.
    uint256 private constant CALL_OVERHEAD = 500;

    address internal constant ADD = address(6);
    address internal constant MUL = address(7);
    address private constant PAIRING = address(8);

    /// @notice Too little gas was given to find out whether a proof is valid.
    /// @param left gas that was left (gas)
    /// @param needed gas that had to be left for the next precompile (gas)
    error NotEnoughGas(uint256 left, uint256 needed);

    /// @notice A precompile refused points that are known to be valid: this chain prices it above EIP-1108 or lacks it.
    error PrecompileFailed(address precompile);

    /// @notice Whether `a` is a point of the first group other than infinity.
    /// @dev The curve has prime order, so each of its points is in the group.
    function isValid(G1Point memory a) internal pure returns (bool) {
        return isOnCurve(a.x, a.y);
    }

    /// @notice Whether (x, y) is a point of the first group other than infinity.
    function isOnCurve(uint256 x, uint256 y) internal pure returns (bool) {
        if (x >= P || y >= P) return false;
        return mulmod(y, y, P) == addmod(mulmod(mulmod(x, x, P), x, P), 3, P);
    }

    /// @notice Whether `b` is a point of the second group other than infinity.
    /// @dev The pairing precompile checks the curve and the subgroup, and the pairing of infinity with any point is one.
    function isValid(G2Point memory b) internal view returns (bool) {
        if ((b.xImaginary | b.xReal | b.yImaginary | b.yReal) == 0) return false;
        uint256[6] memory input = [0, 0, b.xImaginary, b.xReal, b.yImaginary, b.yReal];
        _requireGas(ONE_PAIR_GAS);
        uint256 result;
        bool success;
        address precompile = PAIRING;
        uint256 stipend = ONE_PAIR_GAS;
        assembly ("memory-safe") {
            // The scratch space receives the answer, one word.
            success := staticcall(stipend, precompile, input, 0xc0, 0x00, 0x20)
            result := mload(0x00)
        }
        return success && result == 1;
    }

    /// @notice -a. The coordinates must be below `P`.
    function negate(G1Point memory a) internal pure returns (G1Point memory) {
        return G1Point(a.x, a.y == 0 ? 0 : P - a.y);
    }

    /// @notice a + b. Both must be valid points or infinity.
    function add(G1Point memory a, G1Point memory b) internal view returns (G1Point memory sum) {
        uint256[4] memory input = [a.x, a.y, b.x, b.y];
        _requireGas(ADD_GAS);
        bool success;
        address precompile = ADD;
        uint256 stipend = ADD_GAS;
        assembly ("memory-safe") {
            success := staticcall(stipend, precompile, input, 0x80, sum, 0x40)
        }
        if (!success) revert PrecompileFailed(precompile);
    }

    /// @notice scalar * a. The point must be valid or infinity.
    function mul(G1Point memory a, uint256 scalar) internal view returns (G1Point memory product) {
        uint256[3] memory input = [a.x, a.y, scalar];
        _requireGas(MUL_GAS);
        bool success;
        address precompile = MUL;
        uint256 stipend = MUL_GAS;
        assembly ("memory-safe") {
            success := staticcall(stipend, precompile, input, 0x60, product, 0x40)
        }
        if (!success) revert PrecompileFailed(precompile);
    }

    /// @notice Whether e(a[0], b[0]) * ... * e(a[count - 1], b[count - 1]) = 1.
    /// @param pairs where in memory the points lie, six words for each pair
    /// @return False also if a point is not in its group.
    function pairsToOne(uint256 pairs, uint256 count) internal view returns (bool) {
        uint256 stipend = PAIRING_GAS + count * PER_PAIR_GAS;
        _requireGas(stipend);
        uint256 result;
        bool success;
        address precompile = PAIRING;
        assembly ("memory-safe") {
            // The scratch space receives the answer, one word.
            success := staticcall(stipend, precompile, pairs, mul(count, 0xc0), 0x00, 0x20)
            result := mload(0x00)
        }
        return success && result == 1;
    }

    /// @dev A call passes on at most 63/64 of the gas that is left and does not fail when asked for more.
    function _requireGas(uint256 stipend) private view {
        uint256 needed = stipend + stipend / 63 + CALL_OVERHEAD;
        uint256 left = gasleft();
        if (left < needed) revert NotEnoughGas(left, needed);
    }
}
