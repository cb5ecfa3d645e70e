// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {Mechanism} from "./Mechanism.sol";

/// @notice What a settled round decided, in one slot: `mechanism + 1 (8) | pivot fee (64) | pivot index (32) | revenue (104)
/// | units (40)`. Zero before settlement.
/// @dev A bid won if it ranks before the pivot. See `Certificate` for the pivots that are no bid. Revenue is what the batch's
/// deliveries are paid together, so a unit of it is paid `revenue / units`: the prover price, or the average fee.
type Outcome is uint256;

using {
    OutcomeLib.isSettled,
    OutcomeLib.pivotFee,
    OutcomeLib.pivotIndex,
    OutcomeLib.revenue,
    OutcomeLib.units,
    OutcomeLib.winners,
    OutcomeLib.charge,
    OutcomeLib.payDown,
    OutcomeLib.held,
    OutcomeLib.refund,
    OutcomeLib.digest
} for Outcome global;

/// @notice What most bids need to know of a settled round to find their result: `requesters pay their own bid (1) | pivot fee (31)`.
/// Zero says nothing: ask the outcome. So does a bid whose fee is the pivot's, as its index decides.
type Digest is uint32;

using {DigestLib.decides, DigestLib.refund} for Digest global;

library OutcomeLib {
    /// @dev A batch is at most what all seats together offer, below 2^39 units, of fees below 2^64: every field has room.
    function pack(
        Mechanism mechanism_,
        uint64 pivotFee_,
        uint32 pivotIndex_,
        uint256 revenue_,
        uint256 units_
    ) internal pure returns (Outcome) {
        return Outcome.wrap(
            ((uint256(mechanism_) + 1) << 240) | (uint256(pivotFee_) << 176) | (uint256(pivotIndex_) << 144)
                | (revenue_ << 40) | units_
        );
    }

    function isSettled(Outcome o) internal pure returns (bool) {
        return Outcome.unwrap(o) != 0;
    }

    /// @return Unit fee of the first bid left out (ticks per unit): what winners pay in mechanism `core`.
    function pivotFee(Outcome o) internal pure returns (uint256) {
        return (Outcome.unwrap(o) >> 176) & type(uint64).max;
    }

    function pivotIndex(Outcome o) internal pure returns (uint256) {
        return (Outcome.unwrap(o) >> 144) & type(uint32).max;
    }

    /// @return What all deliveries of the round are paid together (ticks).
    function revenue(Outcome o) internal pure returns (uint256) {
        return (Outcome.unwrap(o) >> 40) & type(uint104).max;
    }

    /// @return Total size of the batch (units), 0 for a round without a trade.
    function units(Outcome o) internal pure returns (uint256) {
        return Outcome.unwrap(o) & type(uint40).max;
    }

    /// @return How many of `count` bids at `fee`, of which the first has this index, won.
    function winners(Outcome o, uint256 fee, uint256 index, uint256 count) internal pure returns (uint256) {
        uint256 pivot = o.pivotFee();
        if (fee != pivot) return fee > pivot ? count : 0;
        return FixedPointMathLib.min(FixedPointMathLib.zeroFloorSub(o.pivotIndex(), index), count);
    }

    /// @return What a winning bid pays (ticks): the pivot's fee, or its own, for each unit.
    /// @dev Fees are 64 bits and sizes 32.
    function charge(Outcome o, uint256 fee, uint256 size) internal pure returns (uint256) {
        unchecked {
            return (_paysOwnBid(o) ? fee : o.pivotFee()) * size;
        }
    }

    /// @return What the delivery of a task is paid (ticks), rounded down.
    function payDown(Outcome o, uint256 size) internal pure returns (uint256) {
        return o.revenue() * size / o.units();
    }

    /// @return What is held for a task until it ends (ticks). With one user price, what its bid paid. Where requesters pay
    /// their own bids, the payments of the batch are pooled and each task holds what its delivery is paid.
    function held(Outcome o, uint256 fee, uint256 size) internal pure returns (uint256) {
        return _paysOwnBid(o) ? o.payDown(size) : o.charge(fee, size);
    }

    /// @return What `count` bids get back together (ticks): all that they locked for their tasks, less what the winners among
    /// them pay.
    /// @dev Fees are 64 bits, sizes 32 and counts 24, and a winner's fee is at least the pivot's.
    function refund(Outcome o, uint256 fee, uint256 size, uint256 index, uint256 count)
        internal
        pure
        returns (uint256)
    {
        unchecked {
            return fee * size * count - o.charge(fee, size) * o.winners(fee, index, count);
        }
    }

    function digest(Outcome o) internal pure returns (Digest) {
        uint256 pivot = o.pivotFee();
        if (!o.isSettled() || pivot > type(uint32).max >> 1) return Digest.wrap(0);
        // forge-lint: disable-next-line(unsafe-typecast) -- below 2^31, as just checked
        return Digest.wrap((_paysOwnBid(o) ? 1 << 31 : 0) | uint32(pivot));
    }

    function _paysOwnBid(Outcome o) private pure returns (bool) {
        return Outcome.unwrap(o) >> 240 == uint256(Mechanism.AverageFee) + 1;
    }
}

library DigestLib {
    uint256 private constant OWN_BID = 1 << 31;

    /// @notice Whether the result of a bid at `fee` follows from the digest.
    function decides(Digest d, uint256 fee) internal pure returns (bool) {
        return Digest.unwrap(d) != 0 && fee != _pivotFee(d);
    }

    /// @return What `count` bids get back together (ticks), as `OutcomeLib.refund` says. Only where the digest decides.
    /// @dev Fees are 64 bits, sizes 32 and counts 24, and a winner's fee is above the pivot's.
    function refund(Digest d, uint256 fee, uint256 size, uint256 count) internal pure returns (uint256) {
        uint256 pivot = _pivotFee(d);
        unchecked {
            uint256 back = fee < pivot ? fee : Digest.unwrap(d) & OWN_BID != 0 ? 0 : fee - pivot;
            return back * size * count;
        }
    }

    function _pivotFee(Digest d) private pure returns (uint256) {
        return Digest.unwrap(d) & ~OWN_BID;
    }
}
