// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";
import {BidWord} from "./BidWord.sol";
import {MarketId} from "./MarketId.sol";

/// @notice All bids of a round in one slot: `running hash (224) | number of bids (32)`. Zero before the first bid.
/// @dev 224 bits leave 112 bits against a collision between two sequences of bids.
type BidChain is uint256;

using {BidChainLib.count, BidChainLib.absorb, BidChainLib.equals} for BidChain global;

library BidChainLib {
    uint256 private constant HASH_MASK = ~uint256(type(uint32).max);

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

    /// @dev The count is below the market's limit of bids per round, so that adding 1 cannot reach the hash.
    function absorb(BidChain chain, BidWord word) internal pure returns (BidChain) {
        uint256 hash =
            uint256(EfficientHashLib.hash(bytes32(BidChain.unwrap(chain) & HASH_MASK), BidWord.unwrap(word)));
        unchecked {
            return BidChain.wrap((hash & HASH_MASK) | (chain.count() + 1));
        }
    }

    function count(BidChain chain) internal pure returns (uint256) {
        return BidChain.unwrap(chain) & type(uint32).max;
    }

    function equals(BidChain a, BidChain b) internal pure returns (bool) {
        return BidChain.unwrap(a) == BidChain.unwrap(b);
    }
}
