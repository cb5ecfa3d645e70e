// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

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
    OutcomeLib.wins,
    OutcomeLib.charge,
    OutcomeLib.payDown,
    OutcomeLib.held,
    OutcomeLib.refund
} for Outcome global;

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

    function wins(Outcome o, uint256 fee, uint256 index) internal pure returns (bool) {
        uint256 pivot = o.pivotFee();
        return fee > pivot || (fee == pivot && index < o.pivotIndex());
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

    /// @return What a bid gets back (ticks): all that it locked for its task, or a winner what it does not pay.
    /// @dev Fees are 64 bits and sizes 32, and a winner's fee is at least the pivot's.
    function refund(Outcome o, uint256 fee, uint256 size, uint256 index) internal pure returns (uint256) {
        unchecked {
            return fee * size - (o.wins(fee, index) ? o.charge(fee, size) : 0);
        }
    }

    function _paysOwnBid(Outcome o) private pure returns (bool) {
        return Outcome.unwrap(o) >> 240 == uint256(Mechanism.AverageFee) + 1;
    }
}
