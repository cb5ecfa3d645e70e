// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice The rules of docs/controllers.md, transcribed with its names and none of the market's own code.
library SlowTerms {
    struct Bounds {
        uint256 min;
        uint256 max;
    }

    /// @dev What a settled round says.
    struct Settled {
        /// Q and K.
        uint256 units;
        uint256 capacity;
        /// The first bid left out, if there is one.
        bool isLeftOut;
        uint256 pivotFee;
        bool capBinds;
    }

    function nextCap(uint256 latest, uint256 b, Settled memory s, Bounds memory bounds)
        internal
        pure
        returns (uint256)
    {
        uint256 t = b / 2;
        uint256 used = s.capBinds ? b : s.units;
        if (s.units == 0) return latest;
        if (used > t) return _min(bounds.max, latest + _max(1, (latest * (used - t)) / (8 * (b - t))));
        if (used == t) return latest;
        return _max(bounds.min, latest - (latest * (t - used)) / (8 * t));
    }

    function nextReserve(uint256 latest, Settled memory s, Bounds memory bounds)
        internal
        pure
        returns (uint256)
    {
        if (s.capacity == 0) return latest;
        if (s.isLeftOut) {
            if (s.pivotFee <= latest) return latest;
            uint256 rise = _min((s.pivotFee - latest + 7) / 8, _max(1, latest / 8));
            return _min(bounds.max, latest + rise);
        }
        if (s.capacity == s.units) return latest;
        uint256 fall = _max(1, (latest * (s.capacity - s.units)) / (8 * s.capacity));
        return _max(bounds.min, fall > latest ? 0 : latest - fall);
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }

    function _max(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a : b;
    }
}
