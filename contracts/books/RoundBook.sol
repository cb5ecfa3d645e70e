// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BidChain, BidChainLib} from "../types/BidChain.sol";
import {BidWord} from "../types/BidWord.sol";
import {MarketId} from "../types/MarketId.sol";
import {MarketParams} from "../types/MarketParams.sol";
import {Outcome} from "../types/Outcome.sol";
import {MarketBook} from "./MarketBook.sol";

/// @notice What is known of each round: its bids while it takes them, its outcome once it is settled.
abstract contract RoundBook is MarketBook {
    struct Round {
        BidChain bids;
        Outcome outcome;
        bytes32 assignmentRoot;
        /// Bids that were committed to, in a sealed market.
        uint256 committed;
    }

    /// An array, so that a round's slot takes one hash.
    mapping(MarketId => Round[2 ** 32] rounds) private _rounds;

    function _bidChainOf(MarketId id, uint256 round) internal view returns (BidChain) {
        return _rounds[id][round].bids;
    }

    function _outcomeOf(MarketId id, uint256 round) internal view returns (Outcome) {
        return _rounds[id][round].outcome;
    }

    function _assignmentRoot(MarketId id, uint256 round) internal view returns (bytes32) {
        return _rounds[id][round].assignmentRoot;
    }

    /// @return slot Where the round's bids are, for assembly.
    function _chainSlot(MarketId id, uint256 round) internal view returns (bytes32 slot) {
        Round[2 ** 32] storage rounds = _rounds[id];
        assembly ("memory-safe") {
            slot := add(rounds.slot, shl(2, round))
        }
    }

    /// @notice Counts a commitment to an entry of `round`.
    function _countCommitment(MarketId id, uint256 round) internal {
        Round storage r = _rounds[id][round];
        uint256 committed = r.committed;
        if (committed == BidChainLib.MAX_BIDS) revert RoundFull(committed, id.closeOf(round));
        r.committed = committed + 1;
    }

    /// @notice Appends an entry to the round that takes bids: the open one, or in a sealed market the one that closed last.
    /// @return before The round's bids before it: the index of its first bid is their count.
    function _absorb(MarketId id, uint256 round, BidWord word) internal returns (BidChain before) {
        Round storage r = _rounds[id][round];
        before = _chain(id, round, r);
        r.bids = _extended(id, round, before, word);
    }

    /// @notice The same for many entries.
    function _absorbAll(MarketId id, uint256 round, BidWord[] calldata words)
        internal
        returns (BidChain before)
    {
        Round storage r = _rounds[id][round];
        before = _chain(id, round, r);
        BidChain chain = before;
        for (uint256 i; i < words.length; ++i) {
            chain = _extended(id, round, chain, words[i]);
        }
        r.bids = chain;
    }

    /// @notice The bids of a round to which a book appends by itself, and then stores by `_replaceChain`.
    function _chainOf(MarketId id, uint256 round) internal view returns (BidChain) {
        return _chain(id, round, _rounds[id][round]);
    }

    /// @return firstIndex Index of the first bid that was appended.
    function _replaceChain(MarketId id, uint256 round, BidChain chain) internal returns (uint256 firstIndex) {
        firstIndex = _rounds[id][round].bids.count();
        _rounds[id][round].bids = chain;
    }

    /// @notice Checks that `round` can be settled now.
    function _requireSettleable(MarketId id, uint256 round) internal view returns (BidChain bids) {
        Round storage r = _rounds[id][round];
        bids = r.bids;
        if (bids.count() == 0) revert NothingToSettle(round);
        if (r.outcome.isSettled()) revert RoundSettledAlready(round);
        MarketParams storage market = _market(id);
        uint256 settleFrom = market.revealBy(id, round);
        if (block.timestamp < settleFrom) revert RoundOpen(round, settleFrom);
        uint256 settleBy = settleFrom + market.settlementPeriod;
        if (block.timestamp >= settleBy) revert RoundVoid(round, settleBy);
    }

    function _recordOutcome(MarketId id, uint256 round, Outcome outcome, bytes32 root) internal {
        _rounds[id][round].outcome = outcome;
        if (root != 0) _rounds[id][round].assignmentRoot = root;
    }

    /// @notice Whether nothing about the round's result can change any more: settled, void, or over without a bid.
    function _isResolved(MarketId id, uint256 round) internal view returns (bool) {
        Round storage r = _rounds[id][round];
        if (r.outcome.isSettled()) return true;
        MarketParams storage market = _market(id);
        uint256 end = r.bids.count() == 0 ? market.revealBy(id, round) : market.settleBy(id, round);
        return block.timestamp >= end;
    }

    /// @dev When a round opens, the one before last is settled or void for ever.
    function _chain(MarketId id, uint256 round, Round storage r) private view returns (BidChain chain) {
        chain = r.bids;
        if (chain.count() != 0) return chain;
        chain = BidChainLib.seed(id, round);
        if (round > 1) chain = chain.withDigest(_rounds[id][round - 2].outcome.digest());
    }

    function _extended(MarketId id, uint256 round, BidChain chain, BidWord word)
        private
        pure
        returns (BidChain)
    {
        if (!chain.hasRoomFor(word)) revert RoundFull(chain.count(), id.closeOf(round));
        return chain.absorb(word);
    }
}
