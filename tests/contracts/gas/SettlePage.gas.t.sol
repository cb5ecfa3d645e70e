// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LibSort} from "solady/utils/LibSort.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {Certificate, CertificateLib} from "../../../contracts/types/Certificate.sol";
import {Mechanism} from "../../../contracts/types/MarketParams.sol";
import {Page} from "../../../contracts/types/Page.sol";
import {MarketTest} from "../support/MarketTest.sol";
import {SlowPages} from "../support/SlowPages.sol";

/// @notice What a settlement in pages costs more than one in a single call: run with the profile `gas`.
contract SettlePageGasTest is MarketTest {
    /// Bids of a page that fills a transaction: 128 KiB of calldata, less what a relayer leaves for all but the words.
    uint256 private constant FULL = 3900;
    uint64 private constant PROVERS = 10;

    /// Goes on from the relayer's pages.
    address private _other = makeAddr("other");

    // -------------------------------------------------------------------------------------------------- full pages

    function test_fullPagesCostAtMostThreePercentMoreThanOneCall() public {
        _fullPages(Mechanism.Core, "");
    }

    function test_fullPagesCostAtMostThreePercentMoreThanOneCallAtTheAverageFee() public {
        _fullPages(Mechanism.AverageFee, ", average fee");
    }

    /// @dev Two bounds. A settlement in full pages against a full round in one call, by the bid. And, since a round of many pages also
    /// shares what is paid once among more bids, the extra of one page alone: a full round in two pages against the same in one call,
    /// also when another settler goes on from the first.
    function _fullPages(Mechanism mechanism, string memory suffix) private {
        BidWord[] memory list = _closedRoundOf(FULL, mechanism);
        Certificate memory c = _certificate(list, mechanism);
        uint256 before = vm.snapshotState();
        uint256 whole = _settleWhole(c, list);
        vm.revertToState(before);
        uint256 extra = _settlePaged(c, list, 2, relayer) - whole;
        vm.revertToState(before);
        uint256 handed = _settlePaged(c, list, 2, _other) - whole;
        _snapshot("settle, 3900 bids, 10 provers", suffix, whole);
        _snapshot("settlePage, extra of a page, 3900 bids, 10 provers", suffix, extra);
        _snapshot("settlePage, extra of a page by another settler, 3900 bids, 10 provers", suffix, handed);
        assertLe(extra * 100, whole * 3, "extra of a page");
        assertLe(handed * 100, whole * 3, "extra of a page by another settler");

        list = _closedRoundOf(3 * FULL, mechanism);
        uint256 paged = _settlePaged(_certificate(list, mechanism), list, 3, relayer);
        _snapshot("settlePage x 3, 11700 bids, 10 provers, together", suffix, paged);
        assertLe(paged * 100, 3 * whole * 103, "by the bid");
    }

    // ------------------------------------------------------------------------------------------------- small pages

    function test_gasOfSettlementInPages() public {
        BidWord[] memory list = _closedRoundOf(4000, Mechanism.Core);
        Certificate memory c = _certificate(list, Mechanism.Core);
        uint256 before = vm.snapshotState();
        uint256 whole = _settleWhole(c, list);
        vm.snapshotGasLastCall("ProverMarket", "settle, 4000 bids, 10 provers");
        vm.revertToState(before);
        uint256 paged = _settlePaged(c, list, 4, relayer);
        _snapshot("settlePage x 4, 4000 bids, 10 provers, together", "", paged);
        _snapshot(
            "settlePage x 4, 4000 bids, 10 provers, more than in one call, per mille",
            "",
            (paged - whole) * 1000 / whole
        );
        assertLe(paged * 100, whole * 107);
    }

    // ------------------------------------------------------------------------------------------------------- helpers

    function _snapshot(string memory name, string memory suffix, uint256 value) private {
        vm.snapshotValue("ProverMarket", string.concat(name, suffix), value);
    }

    /// @dev Round 2 of a new market: provers win about half of the bids. Round 1 is void, but both settlers have settled a page of it.
    function _closedRoundOf(uint256 bids, Mechanism mechanism) private returns (BidWord[] memory list) {
        vm.warp(params.genesis);
        fixTaskSize(64);
        fixCap(1e6);
        (params.mechanism, params.maxSeats, params.settlementPeriod) = (mechanism, 12, 60);
        params.sink = address(uint160(0xc000 + bids)); // a market of its own
        id = market.createMarket(params);
        uint256 together = bids * 184 / 10;
        for (uint64 i; i < PROVERS; ++i) {
            seat(address(uint160(0xa000 + i)), uint32(together / _winners(mechanism)), 10 + i);
        }
        open(1);
        list = _submitted(100);
        open(2);
        Certificate memory c = _certificate(list, mechanism);
        Page memory page = SlowPages.page(SlowPages.seedOf(address(market), id, 1), list, 99, 100, c);
        address[2] memory settlers = [relayer, _other];
        for (uint256 i; i < settlers.length; ++i) {
            fund(settlers[i], 1); // one that was rewarded before
            vm.prank(settlers[i]);
            market.settlePage(id, 1, c, page);
        }
        list = _submitted(bids);
        open(3);
    }

    function _submitted(uint256 bids) private returns (BidWord[] memory list) {
        list = new BidWord[](bids);
        for (uint256 first; first < bids; first += 100) {
            _submit(list, first);
        }
    }

    /// @dev In `core` the tenth is the pivot. All ten are below the average fee.
    function _winners(Mechanism mechanism) private pure returns (uint256) {
        return mechanism == Mechanism.Core ? PROVERS - 1 : PROVERS;
    }

    /// @dev A hundred bids of one requester.
    function _submit(BidWord[] memory list, uint256 first) private {
        BidWord[] memory entries = new BidWord[](100);
        for (uint256 i; i < entries.length; ++i) {
            uint256 r = uint256(keccak256(abi.encode(first / 100, i)));
            entries[i] = entryWord(uint64(20 + r % 1000), uint32(1 + (r >> 64) % 64), 1, uint144(r >> 112));
            list[first + i] = entries[i];
        }
        address requester = address(uint160(0xb000 + first));
        fund(requester, entries.length * (64 * 1020 + FEE));
        vm.prank(requester);
        market.submitBids(id, entries);
    }

    function _certificate(BidWord[] memory list, Mechanism mechanism)
        private
        view
        returns (Certificate memory c)
    {
        uint256 n = list.length;
        uint256[] memory ranks = new uint256[](n);
        for (uint256 i; i < n; ++i) {
            ranks[i] = (list[i].fee() << 64) | ((type(uint32).max - i) << 32) | list[i].size();
            c.batchUnits += uint64(list[i].size());
            c.batchRevenue += uint128(list[i].cost());
        }
        LibSort.sort(ranks);
        uint256 capacity_ = n * 184 / 10 / _winners(mechanism) * _winners(mechanism);
        for (uint256 i = n; i > 0; --i) {
            uint256 size = uint32(ranks[i - 1]);
            if (c.units + size > capacity_) {
                c.pivotFee = uint64(ranks[i - 1] >> 64);
                c.pivotIndex = type(uint32).max - uint32(ranks[i - 1] >> 32);
                break;
            }
            c.units += uint64(size);
            c.revenue += uint128(size * (ranks[i - 1] >> 64));
        }
        if (mechanism == Mechanism.Core) {
            (c.batchUnits, c.batchRevenue, c.revenue) = (0, 0, 0);
            c.pivotSeat = uint8(PROVERS - 1);
        } else {
            // The capacity cap leaves out nobody.
            (c.batchFee, c.batchIndex) = (params.reservePrice, CertificateLib.VIRTUAL_PIVOT);
            c.pivotSeat = CertificateLib.NO_SEAT;
        }
    }

    function _settleWhole(Certificate memory c, BidWord[] memory list) private returns (uint256) {
        vm.prank(relayer);
        market.settle(id, 2, c, list);
        return vm.lastCallGas().gasTotalUsed;
    }

    /// @dev In `pages` pages of equal size: the relayer's, but for the last one.
    function _settlePaged(Certificate memory c, BidWord[] memory list, uint256 pages, address finisher)
        private
        returns (uint256 gasUsed)
    {
        uint256 seed = SlowPages.seedOf(address(market), id, 2);
        uint256 each = list.length / pages;
        Page memory last;
        for (uint256 k = pages; k > 0; --k) {
            Page memory p = SlowPages.page(seed, list, (k - 1) * each, k * each, c);
            (p.settler, p.shares, p.progress) = (last.settler, last.shares, last.progress);
            vm.recordLogs();
            vm.prank(k == 1 ? finisher : relayer);
            market.settlePage(id, 2, c, p);
            gasUsed += vm.lastCallGas().gasTotalUsed;
            if (pages == 4) _snapshotOf(k);
            if (k > 1) {
                (last.settler, last.shares, last.progress) = SlowPages.lastOf(vm.getRecordedLogs());
            }
        }
        assertTrue(market.outcomeOf(id, 2).isSettled());
    }

    function _snapshotOf(uint256 k) private {
        if (k == 4) vm.snapshotGasLastCall("ProverMarket", "settlePage, first of 4, 1000 bids, 10 provers");
        if (k == 3) vm.snapshotGasLastCall("ProverMarket", "settlePage, second of 4, 1000 bids, 10 provers");
        if (k == 1) vm.snapshotGasLastCall("ProverMarket", "settlePage, last of 4, 1000 bids, 10 provers");
    }
}
