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

    /// @dev One transaction of at most 128 KiB carries this many words, with room for everything else in it.
    uint256 internal constant MAX_BIDS = 4000;

    mapping(MarketId => mapping(uint256 round => Round)) private _rounds;

    function _bidChainOf(MarketId id, uint256 round) internal view returns (BidChain) {
        return _rounds[id][round].bids;
    }

    function _outcomeOf(MarketId id, uint256 round) internal view returns (Outcome) {
        return _rounds[id][round].outcome;
    }

    function _assignmentRoot(MarketId id, uint256 round) internal view returns (bytes32) {
        return _rounds[id][round].assignmentRoot;
    }

    /// @notice Counts a committed bid: each must find room in its round when it is opened.
    function _countCommitment(MarketId id, uint256 round) internal {
        Round storage r = _rounds[id][round];
        uint256 committed = r.committed;
        if (committed == MAX_BIDS) revert RoundFull(MAX_BIDS, id.closeOf(round));
        r.committed = committed + 1;
    }

    /// @notice Appends bids to the round that takes them: the open one, or in a sealed market the one that closed last.
    /// @return firstIndex Index of the first one.
    function _absorb(MarketId id, uint256 round, BidWord[] memory words)
        internal
        returns (uint256 firstIndex)
    {
        Round storage r = _rounds[id][round];
        BidChain chain = r.bids;
        firstIndex = chain.count();
        if (firstIndex == 0) chain = BidChainLib.seed(id, round);
        if (firstIndex + words.length > MAX_BIDS) revert RoundFull(MAX_BIDS, id.closeOf(round));
        for (uint256 i; i < words.length; ++i) {
            chain = chain.absorb(words[i]);
        }
        r.bids = chain;
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
}
