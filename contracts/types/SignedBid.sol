// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

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

/// @notice What is signed, as EIP-712 typed data, in memory: bound to a domain, a market and a round, for one entry after the other.
/// The domain binds chain and contract; the round is nonce and expiry at once: a requester has one signed entry in a round, and none
/// can be submitted after the round's close.
///
/// `type hash | market | round | fee | size | bids | told | ticket`, each a word, then, 30 bytes on, `0x1901 | domain | struct hash`; from
/// the struct hash on it is also what the precompile takes that recovers the signer, `digest | v | r | s`.
type TypedBid is uint256;

using {TypedBidLib.digest, TypedBidLib.signer} for TypedBid global;

library TypedBidLib {
    bytes32 private constant TYPEHASH = keccak256(
        "Bid(bytes32 market,uint256 round,uint256 fee,uint256 size,uint256 bids,bool told,uint256 ticket)"
    );

    /// @param domain Of the market's contract on its chain.
    function bind(bytes32 domain, MarketId id, uint256 round) internal pure returns (TypedBid typed) {
        bytes32 typehash = TYPEHASH;
        assembly ("memory-safe") {
            typed := mload(0x40)
            mstore(0x40, add(typed, 0x1c0))
            mstore(typed, typehash)
            mstore(add(typed, 0x20), id)
            mstore(add(typed, 0x40), round)
            mstore(add(typed, 0x100), 0x1901)
            mstore(add(typed, 0x120), domain)
        }
    }

    /// @return hash What the requester of the entry signs.
    function digest(TypedBid typed, BidWord entry) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(add(typed, 0x60), shr(192, entry))
            mstore(add(typed, 0x80), and(shr(160, entry), 0xffffffff))
            mstore(add(typed, 0xa0), add(and(shr(144, entry), 0x7fff), 1))
            mstore(add(typed, 0xc0), and(shr(159, entry), 1))
            mstore(add(typed, 0xe0), and(entry, 0xffffffffffffffffffffffffffffffffffff))
            mstore(add(typed, 0x140), keccak256(typed, 0x100))
            hash := keccak256(add(typed, 0x11e), 0x42)
        }
    }

    /// @return requester Who has signed the entry with a key; 0 if nobody can have signed it so.
    /// @dev Nor is it told without the 3,000 gas that the precompile takes, but a 64th of these pays for no log of a refusal either.
    function signer(TypedBid typed, SignedBid calldata bid) internal view returns (address requester) {
        bytes32 hash = typed.digest(bid.entry);
        assembly ("memory-safe") {
            let vs := calldataload(add(bid, 0x40))
            let input := add(typed, 0x140)
            mstore(input, hash)
            mstore(add(input, 0x20), add(shr(255, vs), 27))
            mstore(add(input, 0x40), calldataload(add(bid, 0x20)))
            mstore(add(input, 0x60), shr(1, shl(1, vs)))
            pop(staticcall(gas(), 1, input, 0x80, 0x00, 0x20))
            // It returns nothing if the signature is of nobody, and what is at 0x00 then is something else.
            requester := mul(mload(0x00), eq(returndatasize(), 0x20))
        }
    }
}
