// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {IMarketLog} from "../interfaces/IMarketLog.sol";
import {CertificateLib} from "../types/Certificate.sol";

/// @notice The order of bids: the higher fee first, of equal fees the lower index.
library UserOrder {
    /// @notice A point in that order, and what a pass over all bids found there.
    struct Line {
        uint256 fee;
        uint256 index;
        /// Total size of the bids before it (units).
        uint256 unitsBefore;
        /// Size of the bid at it (units), 0 if there is none.
        uint256 size;
    }

    /// @notice Bids compare as their ranks do, the better one higher.
    /// @dev Fees are 64 bits, indices 32.
    function rank(uint256 fee, uint256 index) internal pure returns (uint256) {
        unchecked {
            return (fee << 32) | (type(uint32).max - index);
        }
    }

    /// @notice How many of `count` bids at one fee, the first of this rank, come before the bid of rank `line`.
    /// @dev The next index is the next lower rank; between two fees lie more ranks than a round has bids.
    function before(uint256 rank_, uint256 count, uint256 line) internal pure returns (uint256) {
        if (rank_ <= line) return 0;
        unchecked {
            return FixedPointMathLib.min(rank_ - line, count);
        }
    }

    /// @notice Checks that the bids before `line` are prefix(`limit`): they fit, and the bid at it would not. Where nobody at or
    /// above the reserve price is left out, only the virtual pivot will do.
    function requireFirstLeftOut(Line memory line, uint256 limit, uint256 reserve) internal pure {
        bool right = line.index == CertificateLib.VIRTUAL_PIVOT
            ? line.fee == reserve
            : line.size != 0 && line.fee >= reserve && line.unitsBefore + line.size > limit;
        if (!right || line.unitsBefore > limit) revert IMarketLog.WrongPivotBid(line.fee, line.index);
    }
}
