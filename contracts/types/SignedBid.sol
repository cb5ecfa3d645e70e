// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";
import {LibBit} from "solady/utils/LibBit.sol";
import {BidWord} from "./BidWord.sol";
import {MarketId} from "./MarketId.sol";

/// @notice An entry that its requester has signed with a key, for anyone to submit.
struct SignedBid {
    BidWord entry;
    /// The signature in the short form of EIP-2098.
    bytes32 r;
    bytes32 vs;
}

/// @notice An entry that a contract stands for (ERC-1271), for anyone to submit.
struct WalletBid {
    address requester;
    BidWord entry;
    /// Whatever the contract takes for its signature.
    bytes signature;
}

/// @notice An entry as `SignedBidsSubmitted` tells it.
struct SubmittedBid {
    address requester;
    BidWord entry;
}

/// @notice What is signed, as EIP-712 typed data. The domain binds chain and contract; the round is nonce and expiry at once: a
/// requester has one signed entry in a round, and none can be submitted after the round's close.
library SignedBidLib {
    bytes32 internal constant TYPEHASH = keccak256(
        "Bid(bytes32 market,uint256 round,uint256 fee,uint256 size,uint256 bids,bool told,uint256 ticket)"
    );

    function structHash(MarketId id, uint256 round, BidWord entry) internal pure returns (bytes32) {
        return EfficientHashLib.hash(
            TYPEHASH,
            MarketId.unwrap(id),
            bytes32(round),
            bytes32(entry.fee()),
            bytes32(entry.size()),
            bytes32(entry.count()),
            bytes32(LibBit.toUint(entry.isTold())),
            bytes32(entry.ticket())
        );
    }
}
