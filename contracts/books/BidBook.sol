// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BidChain} from "../types/BidChain.sol";
import {BidWord, BidWordLib} from "../types/BidWord.sol";
import {MarketId} from "../types/MarketId.sol";
import {Ledger} from "./Ledger.sol";

/// @notice Takes bids in the open: locks what they may cost and appends them to the open round.
abstract contract BidBook is Ledger {
    function _submitBid(MarketId id, BidWord word) internal returns (uint256 round, uint256 index) {
        _requireUnsealed(id);
        _depositValue(id);
        _requireEntry(id, word);
        round = id.roundAt(block.timestamp);
        index = _enter(id, round, msg.sender, word);
    }

    function _submitBids(MarketId id, BidWord[] calldata words)
        internal
        returns (uint256 round, uint256 firstIndex)
    {
        _requireUnsealed(id);
        _depositValue(id);
        if (words.length == 0) revert NoBids();
        round = id.roundAt(block.timestamp);
        uint256 cost;
        for (uint256 i; i < words.length; ++i) {
            _requireEntry(id, words[i]);
            cost += _mostOf(id, words[i]);
        }

        BidChain before = _absorbAll(id, round, words);
        _lockAll(id, round, before, cost);
        firstIndex = before.count();
        _bundle(id, msg.sender, round, firstIndex, words);

        emit BidsSubmitted(id, _place(msg.sender, round, firstIndex), words);
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
            BidWord[] memory words = new BidWord[](1);
            words[0] = word;
            _bundle(id, requester, round, index, words);
        }

        emit BidSubmitted(id, _place(requester, round, index), word);
    }

    /// @return Selector of the error that the entry stands for, or 0 if there is none.
    function _refusal(MarketId id, BidWord word) internal pure returns (bytes4) {
        if (word.fee() == 0) return ZeroFee.selector;
        uint256 size = word.size();
        if (size == 0 || size > id.maxTaskSize()) return TaskSizeOutOfRange.selector;
        if (word.count() > _maxLot(id)) return LotTooLarge.selector;
        return 0;
    }

    function _requireUnsealed(MarketId id) internal pure {
        if (id.isSealed()) revert MarketIsSealed();
    }

    // ------------------------------------------------------------------------------------------------- internals

    function _requireEntry(MarketId id, BidWord word) private pure {
        bytes4 refusal = _refusal(id, word);
        if (refusal == 0) return;
        if (refusal == ZeroFee.selector) revert ZeroFee();
        if (refusal == LotTooLarge.selector) revert LotTooLarge(word.count(), _maxLot(id));
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
