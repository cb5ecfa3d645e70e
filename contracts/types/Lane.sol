// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice One half of an account: money that is free, and at most one entry whose round is not folded in yet:
/// `balance in ticks (96) | half of the round, rounded down (27) | index of its first bid (24) | bids, or 0 without an entry (14)
/// | unit fee (64) | task size (31)`.
/// @dev Rounds of even number use one lane and odd ones the other, so that half a round's number names it. A round's outcome is known when the round after the
/// next opens, so a requester with one bid a round folds its last result in with the slot that it writes anyway.
type Lane is uint256;

using {
    LaneLib.balance,
    LaneLib.hasBid,
    LaneLib.round,
    LaneLib.index,
    LaneLib.count,
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

    /// @param parity Which of an account's lanes this is: 0 or 1.
    /// @dev Only with an entry in the lane, as for all that follows.
    function round(Lane lane, uint256 parity) internal pure returns (uint256) {
        return (((Lane.unwrap(lane) >> 133) & (2 ** 27 - 1)) << 1) | parity;
    }

    function index(Lane lane) internal pure returns (uint256) {
        return (Lane.unwrap(lane) >> 109) & type(uint24).max;
    }

    function count(Lane lane) internal pure returns (uint256) {
        return (Lane.unwrap(lane) >> 95) & (2 ** 14 - 1);
    }

    function fee(Lane lane) internal pure returns (uint256) {
        return (Lane.unwrap(lane) >> 31) & type(uint64).max;
    }

    function size(Lane lane) internal pure returns (uint256) {
        return Lane.unwrap(lane) & (2 ** 31 - 1);
    }

    /// @dev The lane has no entry. Rounds are below 2^28, indices 2^24, counts 2^14, fees 2^64 and sizes 2^31: the caller has
    /// checked what its types do not say.
    function withBid(Lane lane, uint256 round_, uint256 index_, uint256 count_, uint256 fee_, uint256 size_)
        internal
        pure
        returns (Lane)
    {
        uint256 bid = ((round_ >> 1) << 133) | (index_ << 109) | (count_ << 95) | (fee_ << 31) | size_;
        return Lane.wrap(Lane.unwrap(lane) | bid);
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
