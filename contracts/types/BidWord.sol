// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";

/// @notice One entry of a round as the settlement sees it:
/// `unit fee (64) | task size (32) | told (1) | further bids (15) | ticket (144)`.
/// An entry stands for `1 + further bids` bids with consecutive indices: a *lot* of tasks of one size at one fee. The ticket
/// binds who asked for which proofs; the auction itself needs only fee, size and number. For one that is *told* the statements were
/// published with the bid, so that a prover that defaults owes for it (docs/adr/0020).
type BidWord is bytes32;

using {
    BidWordLib.fee,
    BidWordLib.size,
    BidWordLib.count,
    BidWordLib.isTold,
    BidWordLib.ticket,
    BidWordLib.cost
} for BidWord global;

library BidWordLib {
    /// @notice Most bids of one entry: a lane of an account counts as far.
    uint256 internal constant MAX_LOT = 2 ** 14 - 1;

    /// @param lot `told (1) | further bids (15)`.
    function pack(uint64 fee_, uint32 size_, uint16 lot, uint144 ticket_) internal pure returns (BidWord) {
        return BidWord.wrap(
            bytes32((uint256(fee_) << 192) | (uint256(size_) << 160) | (uint256(lot) << 144) | ticket_)
        );
    }

    /// @notice Binds an entry to its requester and to the statements that it asks proofs for.
    /// @param statements Root over the statements, see `StatementLib`.
    /// @dev 144 bits: finding other contents for a ticket that somebody else used takes 2^144 trials. Two contents for
    /// one's own ticket take 2^72 and gain nothing, as a task ends once whatever its contents (docs/threat-model.md).
    function ticketOf(address requester, bytes32 statements) internal pure returns (uint144) {
        // The cast keeps the low bits of the hash on purpose.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint144(uint256(EfficientHashLib.hash(bytes32(uint256(uint160(requester))), statements)));
    }

    /// @notice Where `words` start and end in the calldata, for a loop over thousands of them.
    function span(bytes32[] calldata words) internal pure returns (uint256 start, uint256 end) {
        assembly ("memory-safe") {
            start := words.offset
            end := add(start, shl(5, words.length))
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

    /// @return Size of each task (units).
    function size(BidWord word) internal pure returns (uint256) {
        return (uint256(BidWord.unwrap(word)) >> 160) & type(uint32).max;
    }

    /// @return How many bids the entry stands for, at least 1.
    function count(BidWord word) internal pure returns (uint256) {
        unchecked {
            return ((uint256(BidWord.unwrap(word)) >> 144) & 0x7fff) + 1;
        }
    }

    /// @return Whether what it asks proofs for was published in the transaction that submitted it.
    function isTold(BidWord word) internal pure returns (bool) {
        return (uint256(BidWord.unwrap(word)) >> 159) & 1 != 0;
    }

    function ticket(BidWord word) internal pure returns (uint256) {
        return uint256(BidWord.unwrap(word)) & type(uint144).max;
    }

    /// @return The most that one bid of the entry can pay for its task (ticks), below 2^96.
    function cost(BidWord word) internal pure returns (uint256) {
        unchecked {
            return word.fee() * word.size(); // 64 and 32 bits
        }
    }
}
