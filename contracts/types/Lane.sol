// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice One half of an account: money that is free, and at most one bid whose round is not folded in yet:
/// `balance in ticks (96) | round + 1, or 0 without a bid (32) | index (32) | unit fee (64) | task size (32)`.
/// @dev Rounds of even number use one lane and odd ones the other. A round's outcome is known when the round after the
/// next opens, so a requester with one bid a round folds its last result in with the slot that it writes anyway.
type Lane is uint256;

using {
    LaneLib.balance,
    LaneLib.hasBid,
    LaneLib.round,
    LaneLib.index,
    LaneLib.fee,
    LaneLib.size,
    LaneLib.withBid,
    LaneLib.withoutBid,
    LaneLib.credit,
    LaneLib.debit
} for Lane global;

library LaneLib {
    /// @notice The account would hold more ticks than a lane can count; withdraw some first.
    error BalanceOverflow(uint256 balance, uint256 amount);

    uint256 private constant BID_MASK = type(uint160).max;

    function balance(Lane lane) internal pure returns (uint256) {
        return Lane.unwrap(lane) >> 160;
    }

    function hasBid(Lane lane) internal pure returns (bool) {
        return Lane.unwrap(lane) & BID_MASK != 0;
    }

    /// @dev Only with a bid in the lane.
    function round(Lane lane) internal pure returns (uint256) {
        return ((Lane.unwrap(lane) >> 128) & type(uint32).max) - 1;
    }

    function index(Lane lane) internal pure returns (uint256) {
        return (Lane.unwrap(lane) >> 96) & type(uint32).max;
    }

    function fee(Lane lane) internal pure returns (uint256) {
        return (Lane.unwrap(lane) >> 32) & type(uint64).max;
    }

    function size(Lane lane) internal pure returns (uint256) {
        return Lane.unwrap(lane) & type(uint32).max;
    }

    /// @dev The types bound every field but the round, of which `round + 1` must fit 32 bits.
    function withBid(Lane lane, uint32 round_, uint32 index_, uint64 fee_, uint32 size_)
        internal
        pure
        returns (Lane)
    {
        uint256 bid =
            (uint256(round_ + 1) << 128) | (uint256(index_) << 96) | (uint256(fee_) << 32) | size_;
        return Lane.wrap((Lane.unwrap(lane) & ~BID_MASK) | bid);
    }

    function withoutBid(Lane lane) internal pure returns (Lane) {
        return Lane.wrap(Lane.unwrap(lane) & ~BID_MASK);
    }

    function credit(Lane lane, uint256 amount) internal pure returns (Lane) {
        uint256 held = lane.balance();
        if (amount > type(uint96).max - held) revert BalanceOverflow(held, amount);
        unchecked {
            // held + amount < 2^96
            return Lane.wrap(Lane.unwrap(lane) + (amount << 160));
        }
    }

    /// @dev The caller has checked that `amount` is there; the checked shift and subtraction hold it to that.
    function debit(Lane lane, uint256 amount) internal pure returns (Lane) {
        uint256 left = lane.balance() - amount;
        return Lane.wrap((left << 160) | (Lane.unwrap(lane) & BID_MASK));
    }
}
