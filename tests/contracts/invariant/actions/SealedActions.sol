// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BidWord} from "../../../../contracts/types/BidWord.sol";
import {SeatActions} from "./SeatActions.sol";

/// @notice Commitments, their opening, and what becomes of those that are not opened.
abstract contract SealedActions is SeatActions {
    uint256 private constant MANY = 24;

    function commitBid(uint256 salt) external acts("commitBid", salt) {
        if (commitments.length >= MANY) return;
        _succeeded(_commitBid(_anyDraft(_anyActor(), 1), _draw(3) * 20));
    }

    function commitAsk(uint256 salt) external acts("commitAsk", salt) {
        uint256 seat_ = _anySeat();
        if (seat_ >= seats.length || commitments.length >= 2 * MANY) return;
        _succeeded(_commitAskOf(seat_, uint64(_draw(12))));
    }

    /// @dev Up to three of them, mostly of the round whose window is open; one in eight with a wrong salt.
    function revealBids(uint256 salt) external acts("revealBids", salt) {
        uint256[] memory which = new uint256[](_between(1, 3));
        bool[] memory junk = new bool[](which.length);
        uint256 n;
        uint256 start = _draw(256);
        for (uint256 i; i < commitments.length && n < which.length; ++i) {
            uint256 at = (start + i) % commitments.length;
            Commitment storage c = commitments[at];
            if (c.isAsk || (!_isRevealing(c.round) && !_oneIn(8))) continue;
            junk[n] = _oneIn(8);
            which[n++] = at;
        }
        if (n == 0) return;
        assembly ("memory-safe") {
            mstore(which, n)
            mstore(junk, n)
        }
        _ascending(which, junk);
        _succeeded(_reveal(which, junk));
    }

    /// @dev The list was picked from a start on and around its end; commitments are removed from the end on.
    function _ascending(uint256[] memory which, bool[] memory junk) private pure {
        for (uint256 i; i < which.length; ++i) {
            for (uint256 k = i; k > 0 && which[k - 1] > which[k]; --k) {
                (which[k - 1], which[k]) = (which[k], which[k - 1]);
                (junk[k - 1], junk[k]) = (junk[k], junk[k - 1]);
            }
        }
    }

    function revealAsk(uint256 salt) external acts("revealAsk", salt) {
        uint256 start = _draw(256);
        for (uint256 i; i < commitments.length; ++i) {
            uint256 at = (start + i) % commitments.length;
            if (!commitments[at].isAsk || (!_isRevealing(commitments[at].round) && !_oneIn(8))) continue;
            return _succeeded(_revealAskOf(at));
        }
    }

    /// @dev What most people do before the window closes. By chance alone a round would hardly ever have asks and bids enough for a
    /// trade.
    function _openMost() internal {
        uint256[] memory one = new uint256[](1);
        bool[] memory junk = new bool[](1);
        for (uint256 i = commitments.length; i > 0; --i) {
            if (!_isRevealing(commitments[i - 1].round) || _oneIn(8)) continue;
            one[0] = i - 1;
            if (commitments[i - 1].isAsk) _revealAskOf(i - 1);
            else _reveal(one, junk);
        }
    }

    function forfeit(uint256 salt) external acts("forfeit", salt) {
        if (commitments.length != 0) _succeeded(_forfeit(_draw(commitments.length)));
    }

    /// @dev A sealed market takes nothing in the open.
    function bidOpenly(uint256 salt) external acts("bidOpenly", salt) {
        address who = _anyActor();
        Draft memory d = _draft(who, 9, 3, 1, false);
        _fundFor(who, d.cost);
        BidWord[] memory list = new BidWord[](1);
        list[0] = d.word;
        require(!_try(who, abi.encodeCall(market.submitOneBid, (id, d.word))), "no bid in the open");
        require(!_try(who, abi.encodeCall(market.submitBids, (id, list))), "nor many");
        _succeeded(true);
    }
}
