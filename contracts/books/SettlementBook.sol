// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ClosedRound} from "../clearing/Claim.sol";
import {Progress} from "../clearing/Progress.sol";
import {IRoundAuditor, Verdict} from "../interfaces/IRoundAuditor.sol";
import {BidChainLib} from "../types/BidChain.sol";
import {BidWord, BidWordLib} from "../types/BidWord.sol";
import {Certificate} from "../types/Certificate.sol";
import {MarketId} from "../types/MarketId.sol";
import {MarketParams} from "../types/MarketParams.sol";
import {Page} from "../types/Page.sol";
import {Terms} from "../types/Terms.sol";
import {SealedAskBook} from "./SealedAskBook.sol";

/// @notice Accepts the one outcome of a closed round, in one page or in many.
abstract contract SettlementBook is SealedAskBook {
    /// @dev What each settler's last page in a market left, as `_progressHash`. A settler overwrites only its own, so that nobody can
    /// take away what another one builds on, and nothing that does not come to a settlement outlasts its settler's next page. What is
    /// left of a settled round means nothing: one slot, written again, costs less than one emptied and filled.
    mapping(MarketId => mapping(address settler => bytes32 progressHash)) private _progress;

    function _settle(
        IRoundAuditor auditor,
        MarketId id,
        uint256 round,
        Certificate calldata certificate,
        BidWord[] calldata words
    ) internal {
        ClosedRound memory closed = _closed(id, round);
        (closed.costs, closed.capacities) = _asksOf(id, round);
        // The hash would show it too, but a list that is too long must not be hashed to the end.
        if (words.length > closed.bids.count()) revert WrongBids(round);
        Verdict memory v = auditor.audit(closed, certificate, BidWordLib.raw(words));
        _accept(id, closed, certificate, v, _shares(new uint256[](0), closed.bids.count()));
    }

    function _settlePage(
        IRoundAuditor auditor,
        MarketId id,
        uint256 round,
        Certificate calldata certificate,
        Page calldata page
    ) internal {
        ClosedRound memory closed = _closed(id, round);
        if (page.words.length > closed.bids.count()) revert WrongBids(round);
        // Shares and progress that no work stands behind would only be in the way of who continues them.
        if (page.words.length == 0) revert NoBids();
        bytes32 claim = keccak256(abi.encode(id, round, certificate));
        uint256 end = closed.bids.count();
        if (page.progress.length != 0) {
            if (_progress[id][page.settler] != _progressHash(claim, page.progress, page.shares)) {
                revert WrongProgress(round, page.settler);
            }
            end = Progress.bidsBefore(page.progress);
        } else {
            if (page.shares.length != 0) revert WrongProgress(round, page.settler);
            // Read once, as each is two cold slots, and then handed on from page to page.
            (closed.costs, closed.capacities) = _asksOf(id, round);
        }

        bytes32[] calldata words = BidWordLib.raw(page.words);
        uint256 before = page.start.chain.count();
        if (before == 0) {
            Verdict memory v = auditor.auditLastPage(closed, certificate, page.progress, page.start, words);
            _accept(id, closed, certificate, v, _shares(page.shares, end));
        } else {
            bytes memory next = auditor.auditPage(closed, certificate, page.progress, page.start, words);
            uint256[] memory shares = _shares(page.shares, end - before);
            _progress[id][msg.sender] = _progressHash(claim, next, shares);
            emit PageSettled(id, round, msg.sender, claim, shares, next);
        }
    }

    /// @dev Stores and pays what a round came to.
    function _accept(
        MarketId id,
        ClosedRound memory closed,
        Certificate calldata certificate,
        Verdict memory v,
        uint256[] memory shares
    ) private {
        uint256 round = closed.round;
        _recordOutcome(id, round, v.outcome, v.assignmentRoot);
        uint256[] memory winners = _occupyWinners(id, v);
        if (v.dust != 0) _creditSink(id, v.dust);
        for (uint256 i; i < shares.length; ++i) {
            // forge-lint: disable-next-line(unsafe-typecast) -- the high bits are an address
            _credit(
                id, address(uint160(shares[i] >> 64)), (shares[i] & type(uint64).max) * id.settlementFee()
            );
        }
        _moveTerms(id, _market(id), round, closed.capacityCap, v.signal);

        emit RoundSettled(
            id, round, msg.sender, certificate, v.outcome.revenue(), winners, v.assignmentRoot, shares
        );
    }

    /// @dev `before` with the caller's share of `bids` more.
    function _shares(uint256[] memory before, uint256 bids) private view returns (uint256[] memory shares) {
        uint256 n = before.length;
        shares = new uint256[](n + 1);
        for (uint256 i; i < n; ++i) {
            shares[i] = before[i];
        }
        shares[n] = (uint256(uint160(msg.sender)) << 64) | bids;
    }

    function _progressHash(bytes32 claim, bytes memory progress, uint256[] memory shares)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(claim, progress, shares));
    }

    /// @dev Without its asks.
    function _closed(MarketId id, uint256 round) private view returns (ClosedRound memory closed) {
        closed.bids = _requireSettleable(id, round);
        MarketParams storage market = _market(id);
        Terms terms = _termsAt(id, market, round);
        closed.mechanism = market.mechanism;
        closed.round = round;
        closed.capacityCap = terms.capacityCap();
        closed.reservePrice = terms.reservePrice();
        closed.seed = BidChainLib.seed(id, round);
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
