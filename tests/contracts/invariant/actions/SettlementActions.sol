// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BidWord} from "../../../../contracts/types/BidWord.sol";
import {Certificate} from "../../../../contracts/types/Certificate.sol";
import {Page} from "../../../../contracts/types/Page.sol";
import {SlowClearing} from "../../support/SlowClearing.sol";
import {SlowPages} from "../../support/SlowPages.sol";
import {SealedActions} from "./SealedActions.sol";

/// @notice Rounds are settled, in one call or in pages, rightly and wrongly.
abstract contract SettlementActions is SealedActions {
    /// @dev Pages that one settlement is made of, and what the last one left.
    struct Pages {
        uint256 round;
        BidWord[] words;
        PageSettled[] done;
        Page last;
    }

    /// @dev The round that closed last. Any other cannot be settled, and then nothing about the call matters.
    function settleRound(uint256 salt) external acts("settleRound", salt) {
        uint256 current = openRound();
        if (current == 0) return;
        if (isSettleable(current - 1)) return _succeeded(_settle(current - 1));
        uint256 round = current - _draw(current < 3 ? current + 1 : 3);
        Certificate memory c;
        bytes memory call =
            abi.encodeCall(market.settle, (id, round, c, _wordsOf(round, 0, entriesOf[round].length)));
        require(!_try(_anyActor(), call), "a round is settled once, in its time");
    }

    function _settle(uint256 round) internal returns (bool ok) {
        SlowClearing.Result memory result = _clear(round);
        PageSettled[] memory pages = new PageSettled[](1);
        pages[0].settler = _anyActor();
        bytes memory call = abi.encodeCall(
            market.settle, (id, round, result.certificate, _wordsOf(round, 0, entriesOf[round].length))
        );
        ok = _try(pages[0].settler, call);
        require(ok, "the slow result is accepted");
        _bookSettlement(round, result, pages);
        require(!_try(_anyActor(), call), "and only once");
    }

    /// @dev Another certificate, or other words, are refused; half of the time the right ones follow.
    function settleWrong(uint256 salt) external acts("settleWrong", salt) {
        uint256 round = openRound();
        if (round == 0 || !isSettleable(--round)) return;
        Certificate memory c = _clear(round).certificate;
        BidWord[] memory words = _wordsOf(round, 0, entriesOf[round].length);
        uint256 field = _draw(11);
        if (field == 0) c.pivotSeat ^= uint8(_between(1, 3));
        else if (field == 1) c.pivotFee ^= uint64(_between(1, 7));
        else if (field == 2) c.pivotIndex ^= uint32(_between(1, 7));
        else if (field == 3) c.units ^= uint64(_between(1, 7));
        else if (field == 4) c.batchFee ^= uint64(_between(1, 7));
        else if (field == 5) c.batchIndex ^= uint32(_between(1, 7));
        else if (field == 6) c.batchUnits ^= uint64(_between(1, 7));
        else if (field == 7) c.batchRevenue ^= uint128(_between(1, 7));
        else if (field == 8) c.revenue ^= uint128(_between(1, 7));
        else _spoil(words, field == 9);
        bytes memory call = abi.encodeCall(market.settle, (id, round, c, words));
        require(!_try(_anyActor(), call), "another certificate, and other words, are refused");
        if (_oneIn(2)) _settle(round);
        _succeeded(true);
    }

    function _spoil(BidWord[] memory words, bool alters) private {
        uint256 at = _draw(words.length);
        if (alters) words[at] = BidWord.wrap(BidWord.unwrap(words[at]) ^ bytes32(uint256(1) << _draw(256)));
        else if (words.length == 1) words[0] = BidWord.wrap(0);
        else if (BidWord.unwrap(words[0]) == BidWord.unwrap(words[1])) words[0] = BidWord.wrap(0);
        else (words[0], words[1]) = (words[1], words[0]);
    }

    /// @dev From the last entry to the first, each page by anybody, while pages of other claims get in between. One in four is left
    /// before its last page; somebody else may begin anew.
    function settleInPages(uint256 salt) external acts("settleInPages", salt) {
        uint256 round = openRound();
        if (round == 0 || !isSettleable(--round)) return;
        SlowClearing.Result memory result = _clear(round);
        Pages memory p;
        (p.round, p.words) = (round, _wordsOf(round, 0, entriesOf[round].length));
        p.done = new PageSettled[](p.words.length);
        bool stops = _oneIn(4);
        uint256 n;
        for (uint256 end = p.words.length; end > 0; ++n) {
            uint256 first = end - _between(1, end);
            if (stops && first == 0) return;
            _disturb(p, result.certificate, end);
            p.done[n] = PageSettled(first, _anyActor());
            _settlePage(p, result.certificate, n, end);
            end = first;
        }
        PageSettled[] memory done = p.done;
        assembly ("memory-safe") {
            mstore(done, n)
        }
        _bookSettlement(round, result, done);
        _succeeded(true);
    }

    function _settlePage(Pages memory p, Certificate memory c, uint256 n, uint256 end) private {
        Page memory page = _page(p, c, p.done[n].first, end);
        (page.settler, page.shares, page.progress) = (p.last.settler, p.last.shares, p.last.progress);
        vm.recordLogs();
        bool ok = _try(p.done[n].settler, abi.encodeCall(market.settlePage, (id, p.round, c, page)));
        require(ok, "a page that is the round's is accepted");
        if (p.done[n].first == 0) return;
        (p.last.settler, p.last.shares, p.last.progress) = SlowPages.lastOf(vm.getRecordedLogs());
    }

    function _page(Pages memory p, Certificate memory c, uint256 first, uint256 end)
        private
        view
        returns (Page memory)
    {
        return SlowPages.page(SlowPages.seedOf(address(market), id, p.round), p.words, first, end, c);
    }

    /// @dev Beginnings of other settlements, by somebody who settles nothing, and pages that are not the round's.
    function _disturb(Pages memory p, Certificate memory c, uint256 end) private {
        uint256 kind = _draw(4);
        uint256 n = p.words.length;
        Page memory page;
        if (kind == 0) {
            _refused(p.round, c, _page(p, c, n, n));
            page = _page(p, c, n - 1, n);
            bytes memory call = abi.encodeCall(market.settlePage, (id, p.round, c, page));
            if (n > 1) require(_try(params.sink, call), "a page that is the round's is stored");
        } else if (kind == 1) {
            page = _page(p, c, end - 1, end);
            BidWord word = page.words[0];
            page.words[0] = BidWord.wrap(BidWord.unwrap(word) ^ bytes32(uint256(1) << _draw(256)));
            _refused(p.round, c, page);
        } else if (kind == 2) {
            Certificate memory other = abi.decode(abi.encode(c), (Certificate));
            other.units += 1;
            _refused(p.round, other, _page(p, other, 0, n));
        } else if (p.last.progress.length != 0) {
            page = _page(p, c, 0, end);
            (page.settler, page.progress) = (p.last.settler, p.last.progress);
            page.shares = new uint256[](p.last.shares.length);
            for (uint256 i; i < page.shares.length; ++i) {
                page.shares[i] = p.last.shares[i] + (uint256(1) << 64);
            }
            _refused(p.round, c, page);
        }
    }

    function _refused(uint256 round, Certificate memory c, Page memory page) private {
        bytes memory call = abi.encodeCall(market.settlePage, (id, round, c, page));
        require(!_try(params.sink, call), "a page that is not the round's is refused");
    }
}
