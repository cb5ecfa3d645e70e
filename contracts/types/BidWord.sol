// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";
import {CircuitId} from "./CircuitId.sol";

/// @notice One bid as the settlement sees it: `unit fee (64) | task size (32) | ticket (160)`.
/// The ticket binds who asked for which proof; the auction itself needs only fee and size.
type BidWord is bytes32;

using {BidWordLib.fee, BidWordLib.size, BidWordLib.cost} for BidWord global;

library BidWordLib {
    function pack(uint64 fee_, uint32 size_, uint160 ticket_) internal pure returns (BidWord) {
        return BidWord.wrap(bytes32((uint256(fee_) << 192) | (uint256(size_) << 160) | ticket_));
    }

    /// @notice Binds a bid to its requester, its statement and the data published with it.
    /// @dev 160 bits: finding other contents for a ticket that somebody else used takes 2^160 trials. Two contents for
    /// one's own ticket take 2^80 and gain nothing, as a task ends once whatever its contents (docs/threat-model.md).
    function ticket(address requester, CircuitId circuit, bytes32 inputsHash, bytes32 dataHash)
        internal
        pure
        returns (uint160)
    {
        bytes32 who = bytes32((uint256(uint160(requester)) << 64) | CircuitId.unwrap(circuit));
        return uint160(uint256(EfficientHashLib.hash(who, inputsHash, dataHash)));
    }

    /// @notice Element `i` of `words` without the check of its bound, for a loop over thousands of them.
    /// @dev The caller keeps `i` below the length.
    function at(bytes32[] calldata words, uint256 i) internal pure returns (BidWord word) {
        assembly ("memory-safe") {
            word := calldataload(add(words.offset, shl(5, i)))
        }
    }

    /// @notice The same array as words without a name: the compiler passes these on in one copy, and others one by one.
    function raw(BidWord[] calldata words) internal pure returns (bytes32[] calldata list) {
        assembly ("memory-safe") {
            list.offset := words.offset
            list.length := words.length
        }
    }

    /// @return Unit fee (ticks per unit).
    function fee(BidWord word) internal pure returns (uint256) {
        return uint256(BidWord.unwrap(word)) >> 192;
    }

    /// @return Task size (units).
    function size(BidWord word) internal pure returns (uint256) {
        return (uint256(BidWord.unwrap(word)) >> 160) & type(uint32).max;
    }

    /// @return The most the bid can pay for its task (ticks), below 2^96.
    function cost(BidWord word) internal pure returns (uint256) {
        return word.fee() * word.size();
    }
}
