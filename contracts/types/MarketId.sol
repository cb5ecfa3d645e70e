// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

/// @notice Names a market, and carries the five parameters that every bid needs, so that a bid reads no parameter from
/// storage (docs/adr/0002): the high 128 bits are the truncated keccak of all parameters, the low 128 bits are
/// `genesis (40) | biddingPeriod (24) | settlementFee (32) | sealed (1) | maxTaskSize (31)`.
/// @dev Warning: an id is only as good as its market. Code that takes an id from a caller and does not find money
/// under it must check that the market exists.
type MarketId is bytes32;

using {
    MarketIdLib.genesis,
    MarketIdLib.biddingPeriod,
    MarketIdLib.settlementFee,
    MarketIdLib.isSealed,
    MarketIdLib.maxTaskSize,
    MarketIdLib.roundAt,
    MarketIdLib.biddingRoundAt,
    MarketIdLib.closeOf
} for MarketId global;

library MarketIdLib {
    /// @notice The market does not take bids before its genesis.
    error MarketNotOpenYet(uint256 time, uint256 genesis);
    /// @notice The market has lived through all rounds that an account can name: it takes no more bids. Create another one.
    error MarketOver(uint256 rounds);
    /// @notice The id is of no market: its bidding period is 0.
    error NotAMarket(MarketId id);

    /// @dev 102 years of rounds of 12 seconds.
    uint256 private constant MAX_ROUNDS = 2 ** 28;
    uint256 private constant SEALED = 1 << 31;

    /// @dev `maxTaskSize_` is at most 2^30.
    function pack(
        bytes32 paramsHash,
        uint40 genesis_,
        uint24 biddingPeriod_,
        uint32 settlementFee_,
        bool isSealed_,
        uint32 maxTaskSize_
    ) internal pure returns (MarketId) {
        return MarketId.wrap(
            bytes32(
                (uint256(paramsHash) >> 128 << 128) | (uint256(genesis_) << 88)
                    | (uint256(biddingPeriod_) << 64) | (uint256(settlementFee_) << 32)
                    | (isSealed_ ? SEALED : 0) | maxTaskSize_
            )
        );
    }

    /// @return Start of round 0 (seconds since the epoch).
    function genesis(MarketId id) internal pure returns (uint256) {
        return (uint256(MarketId.unwrap(id)) >> 88) & type(uint40).max;
    }

    /// @return Length of a round's bidding (seconds); one round opens when the one before closes.
    function biddingPeriod(MarketId id) internal pure returns (uint256) {
        return (uint256(MarketId.unwrap(id)) >> 64) & type(uint24).max;
    }

    /// @return What each bid pays towards the settlement of its round (ticks).
    function settlementFee(MarketId id) internal pure returns (uint256) {
        return (uint256(MarketId.unwrap(id)) >> 32) & type(uint32).max;
    }

    /// @return Whether bids and asks are committed to first and opened after the close.
    function isSealed(MarketId id) internal pure returns (bool) {
        return uint256(MarketId.unwrap(id)) & SEALED != 0;
    }

    /// @return Largest size of a task (units).
    function maxTaskSize(MarketId id) internal pure returns (uint256) {
        return uint256(MarketId.unwrap(id)) & (SEALED - 1);
    }

    /// @notice The round that takes bids at `time`, in a market that still does.
    function biddingRoundAt(MarketId id, uint256 time) internal pure returns (uint32) {
        uint256 round = _periodsUntil(id, time);
        if (round >= MAX_ROUNDS) revert MarketOver(MAX_ROUNDS);
        // forge-lint: disable-next-line(unsafe-typecast) -- below 2^28, as just checked
        return uint32(round);
    }

    /// @notice Number of the bidding period of `time`. It goes on beyond the last round that takes bids, as tasks of the last ones
    /// have to end, and seats to be left.
    function roundAt(MarketId id, uint256 time) internal pure returns (uint32) {
        return SafeCastLib.toUint32(_periodsUntil(id, time));
    }

    /// @notice First second at which `round` takes no bid any more.
    function closeOf(MarketId id, uint256 round) internal pure returns (uint256) {
        return id.genesis() + (round + 1) * id.biddingPeriod();
    }

    function _periodsUntil(MarketId id, uint256 time) private pure returns (uint256) {
        uint256 start = id.genesis();
        if (time < start) revert MarketNotOpenYet(time, start);
        uint256 period = id.biddingPeriod();
        if (period == 0) revert NotAMarket(id);
        return FixedPointMathLib.rawDiv(FixedPointMathLib.rawSub(time, start), period);
    }
}
