// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";
import {BidChain} from "./BidChain.sol";
import {BidWord} from "./BidWord.sol";

/// @notice What opens a committed bid.
struct Opening {
    /// Who committed to the bid.
    address requester;
    BidWord word;
    /// 32 random bytes. Without them a commitment could be guessed by trying fees.
    bytes32 salt;
}

/// @notice What stands behind a commitment: `for (64) | deposit (96) | bond (96)`, amounts in ticks. The bond is the part of the
/// deposit that is lost if the commitment is never opened. Zero: there is no such commitment.
/// @dev `for` is `StakeLib.BID`, or the seat of an ask plus 1: what was bonded as one cannot be opened as another.
type Stake is uint256;

using {StakeLib.isFor, StakeLib.deposit, StakeLib.bond} for Stake global;

library StakeLib {
    uint64 internal constant BID = 0;

    /// @dev Seats are below 128.
    function forAsk(uint256 seat) internal pure returns (uint64) {
        // forge-lint: disable-next-line(unsafe-typecast) -- see above
        return uint64(seat + 1);
    }

    function pack(uint64 for_, uint96 deposit_, uint96 bond_) internal pure returns (Stake) {
        return Stake.wrap((uint256(for_) << 192) | (uint256(deposit_) << 96) | bond_);
    }

    /// @notice Whether there is a stake, and it stands for this.
    function isFor(Stake s, uint64 for_) internal pure returns (bool) {
        return s.deposit() != 0 && Stake.unwrap(s) >> 192 == for_;
    }

    function deposit(Stake s) internal pure returns (uint256) {
        return (Stake.unwrap(s) >> 96) & type(uint96).max;
    }

    function bond(Stake s) internal pure returns (uint256) {
        return Stake.unwrap(s) & type(uint96).max;
    }
}

/// @notice Commitments bind chain, contract, market and round by the round's seed, and who made them: a copy of somebody else's
/// commitment cannot be opened.
library CommitmentLib {
    function ofBid(BidChain seed, address requester, BidWord word, bytes32 salt)
        internal
        pure
        returns (bytes32)
    {
        bytes32 who = bytes32(uint256(uint160(requester)));
        return EfficientHashLib.hash(bytes32(BidChain.unwrap(seed)), who, BidWord.unwrap(word), salt);
    }

    /// @dev What was bonded as a bid cannot be opened as an ask: the stake says which it is.
    function ofAsk(BidChain seed, address prover, uint256 seat, uint64 cost, bytes32 salt)
        internal
        pure
        returns (bytes32)
    {
        bytes32 who = bytes32((uint256(uint160(prover)) << 64) | cost);
        return EfficientHashLib.hash(bytes32(BidChain.unwrap(seed)), who, bytes32(seat), salt);
    }
}
