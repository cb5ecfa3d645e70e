// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";
import {BidWord} from "./BidWord.sol";
import {MarketId} from "./MarketId.sol";
import {Digest} from "./Outcome.sol";

/// @notice All bids of a round in one slot: `running hash (200) | digest of the round before last (32) | number of bids (24)`.
/// Zero before the first bid.
/// @dev 200 bits leave 100 bits against a collision between two sequences of bids. The digest lies here so that a bid finds
/// the result that it folds in beside the hash that it extends (docs/adr/0017).
type BidChain is uint256;

using {
    BidChainLib.count,
    BidChainLib.digest,
    BidChainLib.withDigest,
    BidChainLib.hasRoomFor,
    BidChainLib.absorb,
    BidChainLib.split,
    BidChainLib.equals
} for BidChain global;

library BidChainLib {
    /// @notice Most bids of a round.
    uint256 internal constant MAX_BIDS = type(uint24).max;

    uint256 private constant HASH_MASK = ~uint256(type(uint56).max);
    uint256 private constant DIGEST_SHIFT = 24;

    /// @notice The chain before its first bid. Binding chain, contract, market and round to it makes the words of one
    /// round worthless in any other, also on a fork of the chain.
    function seed(MarketId id, uint256 round) internal view returns (BidChain) {
        bytes32 hash = EfficientHashLib.hash(
            bytes32(block.chainid),
            bytes32(uint256(uint160(address(this)))),
            MarketId.unwrap(id),
            bytes32(round)
        );
        return BidChain.wrap(uint256(hash) & HASH_MASK);
    }

    /// @dev The chain has none yet.
    function withDigest(BidChain chain, Digest digest_) internal pure returns (BidChain) {
        return BidChain.wrap(BidChain.unwrap(chain) | (uint256(Digest.unwrap(digest_)) << DIGEST_SHIFT));
    }

    function hasRoomFor(BidChain chain, BidWord word) internal pure returns (bool) {
        unchecked {
            return chain.count() + word.count() <= MAX_BIDS; // 24 and 17 bits
        }
    }

    /// @dev The caller keeps the count at `MAX_BIDS` or below, so that it cannot reach the digest.
    function absorb(BidChain chain, BidWord word) internal pure returns (BidChain) {
        uint256 hash =
            uint256(EfficientHashLib.hash(bytes32(BidChain.unwrap(chain) & HASH_MASK), BidWord.unwrap(word)));
        unchecked {
            return
                BidChain.wrap(
                    (hash & HASH_MASK) | ((BidChain.unwrap(chain) & type(uint56).max) + word.count())
                );
        }
    }

    /// @notice Running hash (the high 200 bits) and number of bids.
    function split(BidChain chain) internal pure returns (uint256 hash, uint256 count_) {
        return (BidChain.unwrap(chain) & HASH_MASK, chain.count());
    }

    /// @notice The chain of a running hash and a number of bids, without a digest.
    function join(uint256 hash, uint256 count_) internal pure returns (BidChain) {
        return BidChain.wrap((hash & HASH_MASK) | (count_ & type(uint24).max));
    }

    function count(BidChain chain) internal pure returns (uint256) {
        return BidChain.unwrap(chain) & type(uint24).max;
    }

    function digest(BidChain chain) internal pure returns (Digest) {
        // forge-lint: disable-next-line(unsafe-typecast) -- the 32 bits that are meant
        return Digest.wrap(uint32(BidChain.unwrap(chain) >> DIGEST_SHIFT));
    }

    /// @notice Whether both stand for the same bids.
    function equals(BidChain a, BidChain b) internal pure returns (bool) {
        uint256 difference = BidChain.unwrap(a) ^ BidChain.unwrap(b);
        return difference & (HASH_MASK | type(uint24).max) == 0;
    }
}
