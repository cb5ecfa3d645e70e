// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {BidChain} from "../../../contracts/types/BidChain.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {Certificate} from "../../../contracts/types/Certificate.sol";
import {Mechanism} from "../../../contracts/types/Mechanism.sol";
import {Page} from "../../../contracts/types/Page.sol";
import {ClosedRoundTest} from "../support/ClosedRoundTest.sol";
import {PagedSettling} from "../support/PagedSettling.sol";
import {SlowPages} from "../support/SlowPages.sol";

/// @notice Pages that are not the round's, do not follow from the ones before, or come at the wrong time are refused, and no
/// sequence of pages settles a round by another certificate than the one that settles it in one call.
contract PageRefusalsTest is ClosedRoundTest, PagedSettling {
    Certificate private _good;

    function _close() private {
        _closedRound();
        _good = cleared(1).certificate;
    }

    function _refusedBids(Page memory page) private {
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongBids.selector, 1));
        market.settlePage(id, 1, _good, page);
    }

    function _refusedProgress(Page memory page) private {
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongProgress.selector, 1, page.settler));
        market.settlePage(id, 1, _good, page);
    }

    function _copy(Page memory page) private pure returns (Page memory) {
        return abi.decode(abi.encode(page), (Page));
    }

    // -------------------------------------------------------------------------------------------------- progress

    function test_RevertWhen_ProgressIsStale() public {
        _close();
        Page memory old = settlePage(relayer, 1, _good, pageOf(1, _good, 4, 5));
        Page memory last = settlePage(relayer, 1, _good, continued(pageOf(1, _good, 2, 4), old));
        // The settler's own last page has replaced it.
        _refusedProgress(continued(pageOf(1, _good, 2, 4), old));
        settlePage(relayer, 1, _good, pageOf(1, _good, 3, 5));
        _refusedProgress(continued(pageOf(1, _good, 0, 2), last));
        assertFalse(market.outcomeOf(id, 1).isSettled());
    }

    function test_RevertWhen_SharesOrProgressAreForged() public {
        _close();
        Page memory last = settlePage(relayer, 1, _good, pageOf(1, _good, 2, 5));
        Page memory next = continued(pageOf(1, _good, 0, 2), last);
        for (uint256 kind; kind < 8; ++kind) {
            Page memory bad = _copy(next);
            if (kind == 0) bad.shares[0] = (uint256(uint160(steve)) << 64) | 3; // somebody else's fees
            if (kind == 1) bad.shares[0] += 1; // more bids than there were
            if (kind == 2) bad.shares[0] -= 1;
            if (kind == 3) bad.shares = new uint256[](0);
            if (kind == 4) {
                bad.shares = new uint256[](2);
                (bad.shares[0], bad.shares[1]) = (next.shares[0], uint256(uint160(steve)) << 64);
            }
            if (kind == 5) bad.progress = abi.encodePacked(next.progress, bytes32(0));
            if (kind == 6) bad.settler = steve; // whose last page it is not
            if (kind == 7) bad.settler = address(0);
            _refusedProgress(bad);
        }
        for (uint256 at = 31; at < next.progress.length; at += 32) {
            Page memory bad = _copy(next);
            bad.progress[at] ^= 0x01;
            _refusedProgress(bad);
        }
        settleLastPage(relayer, 1, _good, next);
        assertEq(available(relayer), 5 * FEE);
    }

    function test_RevertWhen_AFirstPageBringsShares() public {
        _close();
        Page memory page = pageOf(1, _good, 0, 5);
        page.shares = new uint256[](1);
        page.shares[0] = (uint256(uint160(steve)) << 64) | 1000;
        _refusedProgress(page);
    }

    function test_RevertWhen_ProgressIsOfAnotherCertificateOrRound() public {
        _close();
        Certificate memory other = cleared(1).certificate;
        other.pivotSeat = 3;
        Page memory last = settlePage(relayer, 1, other, pageOf(1, other, 4, 5));
        _refusedProgress(continued(pageOf(1, _good, 0, 4), last));
        last = settlePage(relayer, 1, _good, pageOf(1, _good, 4, 5));
        Page memory next = continued(pageOf(1, _good, 0, 4), last);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongProgress.selector, 1, relayer));
        market.settlePage(id, 1, other, next);
        // The same bids in the next round, which closes when this one is void.
        fundedLot(alice, 20, 8, 5);
        open(3);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongProgress.selector, 2, relayer));
        market.settlePage(id, 2, _good, next);
    }

    // --------------------------------------------------------------------------------------------------- the page

    function test_RevertWhen_WordsAreNotThePages() public {
        _close();
        Page memory last = settlePage(relayer, 1, _good, pageOf(1, _good, 4, 5));
        Page memory next = continued(pageOf(1, _good, 1, 4), last);
        for (uint256 i; i < 3; ++i) {
            for (uint256 bit; bit < 256; bit += 15) {
                Page memory bad = _copy(next);
                bad.words[i] = BidWord.wrap(BidWord.unwrap(bad.words[i]) ^ bytes32(uint256(1) << bit));
                _refusedBids(bad);
            }
            Page memory swapped = _copy(next);
            (swapped.words[i], swapped.words[(i + 1) % 3]) = (swapped.words[(i + 1) % 3], swapped.words[i]);
            _refusedBids(swapped);
        }
        _refusedBids(continued(pageOf(1, _good, 1, 3), last)); // a word is missing at the end
        _refusedBids(continued(pageOf(1, _good, 1, 5), last)); // one that the last page had
        Page memory late = _copy(next);
        late.start = pageOf(1, _good, 2, 4).start; // one too many at its beginning
        _refusedBids(late);
        late = continued(pageOf(1, _good, 2, 4), last);
        late.start = next.start; // one is missing there
        _refusedBids(late);
        settlePage(relayer, 1, _good, next);
    }

    function test_RevertWhen_TheFirstPageIsNotTheRoundsLast() public {
        _close();
        _refusedBids(pageOf(1, _good, 0, 4));
        _refusedBids(pageOf(1, _good, 3, 4));
    }

    /// @dev A chain of such pages would hold ever more shares, which whoever continues it has to carry.
    function test_RevertWhen_APageHasNoWords() public {
        _close();
        Page memory page = pageOf(1, _good, 5, 5);
        vm.expectRevert(IMarketLog.NoBids.selector);
        market.settlePage(id, 1, _good, page);
        Page memory last = settlePage(relayer, 1, _good, pageOf(1, _good, 4, 5));
        page = continued(pageOf(1, _good, 4, 4), last);
        vm.expectRevert(IMarketLog.NoBids.selector);
        market.settlePage(id, 1, _good, page);
    }

    function test_RevertWhen_TheListIsLongerThanTheRound() public {
        _close();
        Page memory page = pageOf(1, _good, 0, 5);
        page.words = new BidWord[](6);
        _refusedBids(page);
    }

    function test_RevertWhen_TheStartIsWrong() public {
        _close();
        Page memory last = settlePage(relayer, 1, _good, pageOf(1, _good, 4, 5));
        for (uint256 entry; entry < 4; ++entry) {
            Page memory next = continued(pageOf(1, _good, entry, 4), last);
            uint256 chain = BidChain.unwrap(next.start.chain);
            // Another hash, and other numbers of bids, among them those that overflow into the digest beside them.
            uint256[7] memory others =
                [chain ^ (1 << 56), chain ^ (1 << 255), chain + 1, chain - 1, chain ^ (1 << 23), 0, ~chain];
            for (uint256 k; k < 7; ++k) {
                Page memory bad = _copy(next);
                bad.start.chain = BidChain.wrap(others[k]);
                _refusedBids(bad);
            }
        }
    }

    /// @dev What lies beside hash and number has no meaning: it proves nothing and keeps nobody from anything.
    function test_digestOfAPagesStartHasNoMeaning() public {
        _close();
        Page memory last = settlePage(relayer, 1, _good, pageOf(1, _good, 4, 5));
        Page memory next = continued(pageOf(1, _good, 2, 4), last);
        next.start.chain =
            BidChain.wrap(BidChain.unwrap(next.start.chain) | (uint256(type(uint32).max) << 24));
        last = settlePage(relayer, 1, _good, next);
        settleLastPage(relayer, 1, _good, continued(pageOf(1, _good, 0, 2), last));
        assertEq(available(relayer), 5 * FEE);
    }

    function test_RevertWhen_TheOffsetIsWrong() public {
        _close();
        Page memory page = pageOf(1, _good, 3, 5);
        uint256[4] memory offsets = [page.start.offset - 1, page.start.offset + 1, 0, type(uint256).max];
        for (uint256 k; k < 4; ++k) {
            Page memory bad = _copy(page);
            bad.start.offset = offsets[k];
            try market.settlePage(id, 1, _good, bad) {
                assertTrue(false, "another offset passed");
            } catch (bytes memory reason) {
                bool isRule = bytes4(reason) == IMarketLog.WrongUnits.selector;
                assertTrue(isRule || offsets[k] == type(uint256).max);
            }
        }
        // A last page that starts where it should, at an offset that is not 0.
        Page memory last = settlePage(relayer, 1, _good, page);
        Page memory next = continued(pageOf(1, _good, 0, 3), last);
        next.start.offset = 1;
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongUnits.selector, 16, 17));
        market.settlePage(id, 1, _good, next);
    }

    /// @dev Pages that agree with one another and with a certificate of one unit too many.
    function test_RevertWhen_PagesLeaveUnitsOver() public {
        _close();
        Certificate memory more = _good;
        Page memory page = pageOf(1, more, 3, 5);
        more.units += 1;
        page.start.offset += 1;
        Page memory last = settlePage(relayer, 1, more, page);
        Page memory next = continued(pageOf(1, more, 0, 3), last);
        next.start.offset = 1;
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongUnits.selector, 23, 22));
        market.settlePage(id, 1, more, next);
    }

    /// @dev A page that says it starts with the round's first bid, of a round with another seed.
    function test_RevertWhen_TheLastPageDoesNotStartAtTheSeed() public {
        _close();
        Page memory last = settlePage(relayer, 1, _good, pageOf(1, _good, 3, 5));
        Page memory next = continued(pageOf(1, _good, 0, 3), last);
        next.start.chain = BidChain.wrap(runningSeed(2));
        _refusedBids(next);
    }

    // -------------------------------------------------------------------------------------------------- the time

    function test_RevertWhen_RoundTakesNoPageNow() public {
        Page memory none;
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.NothingToSettle.selector, 1));
        market.settlePage(id, 1, _good, none);
        _close();
        Page memory page = pageOf(1, _good, 2, 5);
        uint256 start = vm.snapshotState();
        vm.warp(closeAt(1) - 1);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.RoundOpen.selector, 1, closeAt(1)));
        market.settlePage(id, 1, _good, page);
        vm.warp(settleBy(1) - 1);
        Page memory last = settlePage(relayer, 1, _good, page);
        page = continued(pageOf(1, _good, 0, 2), last);
        vm.warp(settleBy(1));
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.RoundVoid.selector, 1, settleBy(1)));
        market.settlePage(id, 1, _good, page);
        vm.revertToState(start);
        last = settlePage(relayer, 1, _good, pageOf(1, _good, 2, 5));
        settle(1);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.RoundSettledAlready.selector, 1));
        market.settlePage(id, 1, _good, continued(pageOf(1, _good, 0, 2), last));
    }

    // ------------------------------------------------------------------------------------------- the certificate

    /// @dev Certificates near the right one, in pages split anyhow. Offsets are those that the wrong claim itself would lead to
    /// from its own units down, as a liar would choose them.
    function testFuzz_noPagesSettleByAnotherCertificate(uint256 seed) public {
        params.mechanism = Mechanism(uint8(seed % 2));
        fixReserve(uint64((seed >> 8) % 6));
        fixCap(uint64(20 + (seed >> 16) % 40));
        params.sink = address(uint160(seed) | 1);
        id = market.createMarket(params);
        for (uint256 i; i < 2 + (seed >> 24) % 3; ++i) {
            uint256 r = uint256(keccak256(abi.encode(seed, "seat", i)));
            seat(paul, uint32(8 + r % 8), uint64((r >> 8) % 8));
        }
        open(1);
        for (uint256 k; k < 2 + (seed >> 32) % 6; ++k) {
            uint256 r = uint256(keccak256(abi.encode(seed, "bid", k)));
            fundedLot(alice, uint64(1 + r % 12), uint32(1 + (r >> 8) % 8), 1 + (r >> 16) % 3);
        }
        open(2);
        _good = cleared(1).certificate;
        for (uint256 i; i < 12; ++i) {
            uint256 r = uint256(keccak256(abi.encode(seed, "mutation", i)));
            Certificate memory bad = _mutated(r);
            if (keccak256(abi.encode(bad)) == keccak256(abi.encode(_good))) continue;
            assertFalse(_settles(bad, r, i % 2 == 0), "another certificate passed");
        }
        assertTrue(_settles(_good, seed, false));
        assertTrue(market.outcomeOf(id, 1).isSettled());
    }

    function _mutated(uint256 r) private view returns (Certificate memory bad) {
        bad = _good;
        if (r & 1 != 0) bad.pivotSeat = uint8((r >> 8) % 6);
        if (r & 2 != 0) bad.pivotFee = uint64((r >> 16) % 13);
        if (r & 4 != 0) bad.pivotIndex = uint32((r >> 32) % 15);
        if (r & 8 != 0) bad.units = uint64((r >> 64) % 50);
        if (r & 16 != 0) bad.batchFee = uint64((r >> 80) % 13);
        if (r & 32 != 0) bad.batchIndex = uint32((r >> 96) % 15);
        if (r & 64 != 0) bad.batchUnits = uint64((r >> 112) % 60);
        if (r & 128 != 0) bad.batchRevenue = uint128((r >> 128) % 500);
        if (r & 256 != 0) bad.revenue = uint128((r >> 144) % 500);
    }

    /// @dev Whether pages of this claim, split by `seed`, settle the round.
    function _settles(Certificate memory c, uint256 seed, bool lies) private returns (bool) {
        uint256[] memory firsts = randomFirsts(entryCount(1), seed);
        BidWord[] memory all = words(1);
        uint256 end = entryCount(1);
        uint256 won = SlowPages.checkpoint(0, all, end, c.pivotFee, c.pivotIndex).offset;
        Page memory last;
        for (uint256 k; k < firsts.length; ++k) {
            Page memory page = continued(pageOf(1, c, firsts[k], end), last);
            unchecked {
                if (lies) page.start.offset += c.units - won;
            }
            vm.recordLogs();
            vm.prank(steve);
            try market.settlePage(id, 1, c, page) {}
            catch {
                return false;
            }
            end = firsts[k];
            if (end != 0) {
                (last.settler, last.shares, last.progress) = SlowPages.lastOf(vm.getRecordedLogs());
            }
        }
        return market.outcomeOf(id, 1).isSettled();
    }
}
