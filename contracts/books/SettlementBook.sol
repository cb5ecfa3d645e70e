// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ClosedRound} from "../clearing/Claim.sol";
import {IRoundAuditor, Verdict} from "../interfaces/IRoundAuditor.sol";
import {BidChain, BidChainLib} from "../types/BidChain.sol";
import {BidWord, BidWordLib} from "../types/BidWord.sol";
import {Certificate} from "../types/Certificate.sol";
import {MarketId} from "../types/MarketId.sol";
import {MarketParams} from "../types/MarketParams.sol";
import {Terms} from "../types/Terms.sol";
import {SealedAskBook} from "./SealedAskBook.sol";

/// @notice Accepts the one outcome of a closed round.
abstract contract SettlementBook is SealedAskBook {
    function _settle(
        IRoundAuditor auditor,
        MarketId id,
        uint256 round,
        Certificate calldata certificate,
        BidWord[] calldata words
    ) internal {
        BidChain bids = _requireSettleable(id, round);
        MarketParams storage market = _market(id);
        ClosedRound memory closed = _closed(id, market, round, bids);
        Verdict memory v = auditor.audit(closed, certificate, BidWordLib.raw(words));
        uint256 reward = bids.count() * id.settlementFee();

        _recordOutcome(id, round, v.outcome, v.assignmentRoot);
        uint256[] memory winners = _occupyWinners(id, v);
        if (v.dust != 0) _creditSink(id, v.dust);
        _credit(id, msg.sender, reward);
        _moveTerms(id, market, round, closed.capacityCap, v.signal);

        uint256 revenue = v.outcome.revenue();
        emit RoundSettled(id, round, msg.sender, certificate, revenue, winners, v.assignmentRoot, reward);
    }

    function _closed(MarketId id, MarketParams storage market, uint256 round, BidChain bids)
        private
        view
        returns (ClosedRound memory closed)
    {
        Terms terms = _termsAt(id, market, round);
        closed.mechanism = market.mechanism;
        closed.round = round;
        closed.capacityCap = terms.capacityCap();
        closed.reservePrice = terms.reservePrice();
        closed.seed = BidChainLib.seed(id, round);
        closed.bids = bids;
        (closed.costs, closed.capacities) = _asksOf(id, round);
    }

    /// @return winners As `RoundSettled` shows them.
    function _occupyWinners(MarketId id, Verdict memory v) private returns (uint256[] memory winners) {
        winners = new uint256[](v.seats.length);
        for (uint256 k; k < winners.length; ++k) {
            uint256 seat = v.seats[k];
            winners[k] = (v.capacities[k] << 8) | seat;
            if (v.loads[k] != 0) _occupy(id, seat, v.loads[k]);
        }
    }
}
