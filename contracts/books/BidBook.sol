// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {LibBit} from "solady/utils/LibBit.sol";
import {LibTransient} from "solady/utils/LibTransient.sol";
import {BidChain} from "../types/BidChain.sol";
import {BidWord, BidWordLib} from "../types/BidWord.sol";
import {Lane} from "../types/Lane.sol";
import {MarketId} from "../types/MarketId.sol";
import {Statement, StatementLib} from "../types/Statement.sol";
import {Ledger} from "./Ledger.sol";

/// @notice Takes bids in the open: locks what they may cost and appends them to the open round.
abstract contract BidBook is Ledger {
    using LibTransient for LibTransient.TUint256;

    /// @dev Tells statements, and notes until the end of the transaction how many there are behind the ticket that they make.
    function _publish(MarketId id, address requester, Statement[] calldata statements) internal {
        if (statements.length == 0) revert NoStatements();
        uint144 ticket = BidWordLib.ticketOf(requester, StatementLib.rootOf(statements));
        _published(id, ticket).set(statements.length);
        emit StatementsPublished(id, requester, statements);
    }

    // `_submitQuickly` ends the call once it has done everything.
    // slither-disable-next-line incorrect-return
    function _submitOneBid(MarketId id, BidWord word) internal returns (uint256 round, uint256 index) {
        _submitQuickly(id, word);
        _requireUnsealed(id);
        _depositValue(id);
        _requireEntry(id, word);
        round = id.biddingRoundAt(block.timestamp);
        index = _enter(id, round, msg.sender, word);
    }

    function _submitBids(MarketId id, BidWord[] calldata words)
        internal
        returns (uint256 round, uint256 firstIndex)
    {
        _requireUnsealed(id);
        _depositValue(id);
        if (words.length == 0) revert NoBids();
        round = id.biddingRoundAt(block.timestamp);
        uint256 cost;
        for (uint256 i; i < words.length; ++i) {
            _requireEntry(id, words[i]);
            cost += _mostOf(id, words[i]);
        }

        BidChain before = _absorbAll(id, round, words);
        _lockAll(id, round, before, cost);
        firstIndex = before.count();
        bytes32[] calldata list = BidWordLib.raw(words);
        _bundle(id, msg.sender, round, firstIndex, keccak256(abi.encodePacked(list)), list.length);

        emit BidsSubmitted(id, _place(msg.sender, round, firstIndex), list);
    }

    // ------------------------------------------------------------------------------------------ for other books

    /// @notice Appends one entry to `round` and locks what it may cost.
    function _enter(MarketId id, uint256 round, address requester, BidWord word)
        internal
        returns (uint256 index)
    {
        BidChain before = _absorb(id, round, word);
        index = before.count();
        if (!_lock(id, requester, round, before, word)) {
            bytes32 wordHash = EfficientHashLib.hash(BidWord.unwrap(word));
            _bundle(id, requester, round, index, wordHash, 1);
        }

        emit BidSubmitted(id, _place(requester, round, index), word);
    }

    /// @notice The lane of an account for `round` with an entry in it and what that may cost taken out, in the case that most
    /// entries are in. What the plain way does, in assembly and with two branches (docs/adr/0027).
    ///
    /// Nothing is attached to the call, and the entry is one: told ones are published. The round has a bid before it, so the market is
    /// there and not sealed. The lane has the money, and no entry, or one of the round before last whose result the digest tells.
    /// @param before The round's bids before it.
    /// @return after_ 0 in any other case.
    // slither-disable-next-line msg-value-in-nonpayable -- the market's door to it is payable, the extension's refuse value
    function _laneWith(MarketId id, Lane lane, uint256 round, BidChain before, BidWord word)
        internal
        view
        returns (Lane after_)
    {
        assembly ("memory-safe") {
            // Not zero if this is another case. A round beyond the last, or before the first, could be in any slot.
            let other := or(callvalue(), shr(28, round))

            let size := and(shr(160, word), 0xffffffff)
            let bids := add(and(shr(144, word), 0x7fff), 1)
            if slt(shl(96, word), 0) {
                mstore(0x00, id)
                mstore(0x20, and(word, 0xffffffffffffffffffffffffffffffffffff))
                other := or(other, xor(tload(keccak256(0x00, 0x40)), bids))
            }
            let cost := mul(shr(192, word), size)
            other := or(or(other, iszero(cost)), or(shr(14, bids), gt(size, and(id, 0x7fffffff))))

            let left := sub(shr(160, lane), mul(bids, add(cost, and(shr(32, id), 0xffffffff))))
            if shl(96, lane) {
                let digest := and(shr(24, before), 0xffffffff)
                let pivot := and(digest, 0x7fffffff)
                let fee := shr(192, shl(161, lane))
                // slither-disable-next-line incorrect-equality -- of fees: at the pivot's the index decides
                other := or(other, or(iszero(digest), eq(fee, pivot)))
                other := or(other, xor(add(and(shr(133, lane), 0x7ffffff), 1), shr(1, round)))
                // A winner pays the pivot's fee, or with the digest's high bit its own.
                let pays := mul(gt(fee, pivot), xor(pivot, mul(shr(31, digest), xor(pivot, fee))))
                left := add(left, mul(mul(sub(fee, pays), and(lane, 0x7fffffff)), and(shr(95, lane), 0x3fff)))
            }

            let index := and(before, 0xffffff)
            other := or(other, gt(sub(index, 1), sub(0xfffffe, bids))) // no bid before it, or no room
            after_ := or(shl(14, or(shl(24, or(shl(27, left), shr(1, round))), index)), bids)
            after_ := or(shl(31, or(shl(64, after_), shr(192, word))), size)
            // What is missing, or more than a lane can count, has bits above those of a balance.
            after_ := mul(after_, iszero(or(other, shr(96, left))))
        }
    }

    /// @return Selector of the error that the entry stands for, or 0 if there is none.
    function _refusal(MarketId id, BidWord word) internal view returns (bytes4) {
        if (_isEntry(id, word)) {
            return word.isTold() && !_isPublished(id, word) ? NotPublishedHere.selector : bytes4(0);
        }
        if (word.fee() == 0) return ZeroFee.selector;
        return word.count() > _maxLot(id) ? LotTooLarge.selector : TaskSizeOutOfRange.selector;
    }

    function _requireUnsealed(MarketId id) internal pure {
        if (id.isSealed()) revert MarketIsSealed();
    }

    // ------------------------------------------------------------------------------------------------- internals

    /// @dev Submits the entry and ends the call, in the case that most bids are in; in any other it does nothing. What the plain way
    /// does, with two fifths of its execution (docs/adr/0027).
    // The extension inherits it without a door to it; the market's is payable.
    // slither-disable-next-line msg-value-in-nonpayable,incorrect-return
    function _submitQuickly(MarketId id, BidWord word) private {
        uint256 round;
        unchecked {
            round = FixedPointMathLib.rawDiv(block.timestamp - id.genesis(), id.biddingPeriod());
        }
        bytes32 chainSlot = _chainSlot(id, round);
        bytes32 laneSlot = _laneSlot(_lanesSlot(id), msg.sender, round);
        BidChain before;
        Lane lane;
        assembly ("memory-safe") {
            before := sload(chainSlot)
            lane := sload(laneSlot)
        }
        lane = _laneWith(id, lane, round, before, word);
        bytes32 topic = BidSubmitted.selector;
        assembly ("memory-safe") {
            if lane {
                // As `absorb` does, with the count that the lane has.
                mstore(0x00, shl(56, shr(56, before)))
                mstore(0x20, word)
                let counted := add(and(before, 0xffffffffffffff), and(shr(95, lane), 0x3fff))
                sstore(chainSlot, or(shl(56, shr(56, keccak256(0x00, 0x40))), counted))
                sstore(laneSlot, lane)

                let index := and(before, 0xffffff)
                mstore(0x00, or(or(shl(64, caller()), shl(32, round)), index))
                log2(0x00, 0x40, topic, id)
                mstore(0x00, round)
                mstore(0x20, index)
                return(0x00, 0x40)
            }
        }
    }

    /// @dev Fee at least 1, size from 1 to the market's limit, and not too many bids.
    function _isEntry(MarketId id, BidWord word) private pure returns (bool) {
        unchecked {
            // A size of 0 wraps to more than any limit.
            return LibBit.rawAnd(
                word.fee() != 0,
                LibBit.rawAnd(word.size() - 1 < id.maxTaskSize(), word.count() <= _maxLot(id))
            );
        }
    }

    /// @dev Whether the entry's statements were published before it in this transaction.
    function _isPublished(MarketId id, BidWord word) private view returns (bool) {
        // slither-disable-next-line incorrect-equality -- a number of statements, not a balance
        return _published(id, word.ticket()).get() == word.count();
    }

    function _published(MarketId id, uint256 ticket) private pure returns (LibTransient.TUint256 storage) {
        return LibTransient.tUint256(EfficientHashLib.hash(MarketId.unwrap(id), bytes32(ticket)));
    }

    function _requireEntry(MarketId id, BidWord word) private view {
        if (_isEntry(id, word)) {
            if (word.isTold() && !_isPublished(id, word)) revert NotPublishedHere();
            return;
        }
        if (word.fee() == 0) revert ZeroFee();
        if (word.count() > _maxLot(id)) revert LotTooLarge(word.count(), _maxLot(id));
        revert TaskSizeOutOfRange(word.size(), id.maxTaskSize());
    }

    /// @dev A commitment does not say how many bids it stands for, and each must find room in its round when it is opened.
    function _maxLot(MarketId id) private pure returns (uint256) {
        return id.isSealed() ? 1 : BidWordLib.MAX_LOT;
    }

    /// @dev As `BidSubmitted` tells it. Rounds are below 2^28 and indices below 2^24.
    function _place(address requester, uint256 round, uint256 index) private pure returns (uint256) {
        return (uint256(uint160(requester)) << 64) | (round << 32) | index;
    }
}
