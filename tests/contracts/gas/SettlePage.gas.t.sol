// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LibSort} from "solady/utils/LibSort.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {Certificate} from "../../../contracts/types/Certificate.sol";
import {Mechanism} from "../../../contracts/types/MarketParams.sol";
import {Page} from "../../../contracts/types/Page.sol";
import {MarketTest} from "../support/MarketTest.sol";
import {SlowPages} from "../support/SlowPages.sol";

/// @notice What a settlement in pages costs more than one in a single call: run with the profile `gas`.
contract SettlePageGasTest is MarketTest {
    uint256 private constant BIDS = 4000;
    uint256 private constant PAGES = 4;
    uint64 private constant PROVERS = 10;
    /// Nine provers win about half of the bids.
    uint32 private constant OFFERED = 8192;

    BidWord[] private _all;

    /// @dev Each page more costs a transaction, the seats read once more, and a slot of progress: with pages of 1,000 bids less than
    /// a tenth, and in proportion less with larger ones.
    function test_gasOfSettlementInPages() public {
        fixTaskSize(64);
        (params.maxSeats, params.settlementPeriod) = (12, 60);
        fixCap(1e6);
        id = market.createMarket(params);
        for (uint64 i; i < PROVERS; ++i) {
            seat(address(uint160(0xa000 + i)), OFFERED, 10 + i);
        }
        open(1);
        _submit();
        vm.warp(openAt(2));
        fund(relayer, 1); // a relayer that was rewarded before
        Certificate memory c = _certificate();

        uint256 before = vm.snapshotState();
        uint256 whole = _settleWhole(c);
        vm.revertToState(before);
        uint256 paged = _settlePaged(c);

        vm.snapshotValue("ProverMarket", "settlePage x 4, 4000 bids, 10 provers, together", paged);
        vm.snapshotValue(
            "ProverMarket",
            "settlePage x 4, 4000 bids, 10 provers, more than in one call, per mille",
            (paged - whole) * 1000 / whole
        );
        assertLt(paged * 100, whole * 115);
    }

    function _submit() private {
        BidWord[] memory entries = new BidWord[](100);
        for (uint256 k; k < BIDS / entries.length; ++k) {
            address requester = address(uint160(0xb000 + k));
            for (uint256 i; i < entries.length; ++i) {
                uint256 r = uint256(keccak256(abi.encode(k, i)));
                entries[i] =
                    entryWord(uint64(20 + r % 1000), uint32(1 + (r >> 64) % 64), 1, uint144(r >> 112));
                _all.push(entries[i]);
            }
            fund(requester, entries.length * (64 * 1020 + FEE));
            vm.prank(requester);
            market.submitBids(id, entries);
        }
    }

    /// @dev The tenth seat is the pivot, and the nine before it win what fits.
    function _certificate() private view returns (Certificate memory c) {
        uint256[] memory ranks = new uint256[](BIDS);
        for (uint256 i; i < BIDS; ++i) {
            uint256 word = uint256(BidWord.unwrap(_all[i]));
            ranks[i] = ((word >> 192) << 64) | ((type(uint32).max - i) << 32) | uint32(word >> 160);
        }
        LibSort.sort(ranks);
        uint256 capacity_ = uint256(OFFERED) * (PROVERS - 1);
        c.pivotSeat = uint8(PROVERS - 1);
        for (uint256 i = BIDS; i > 0; --i) {
            uint256 size = uint32(ranks[i - 1]);
            if (c.units + size > capacity_) {
                c.pivotFee = uint64(ranks[i - 1] >> 64);
                c.pivotIndex = type(uint32).max - uint32(ranks[i - 1] >> 32);
                return c;
            }
            c.units += uint64(size);
        }
        revert("every bid wins");
    }

    function _settleWhole(Certificate memory c) private returns (uint256) {
        BidWord[] memory list = _all;
        vm.prank(relayer);
        market.settle(id, 1, c, list);
        vm.snapshotGasLastCall("ProverMarket", "settle, 4000 bids, 10 provers");
        return vm.lastCallGas().gasTotalUsed;
    }

    function _settlePaged(Certificate memory c) private returns (uint256 gasUsed) {
        uint256 seed = SlowPages.seedOf(address(market), id, 1);
        BidWord[] memory list = _all;
        Page memory last;
        for (uint256 k; k < PAGES; ++k) {
            uint256 end = BIDS - k * (BIDS / PAGES);
            Page memory p = SlowPages.page(seed, list, end - BIDS / PAGES, end, c);
            (p.settler, p.shares, p.progress) = (last.settler, last.shares, last.progress);
            vm.recordLogs();
            vm.prank(relayer);
            market.settlePage(id, 1, c, p);
            gasUsed += vm.lastCallGas().gasTotalUsed;
            if (k == 0) {
                vm.snapshotGasLastCall("ProverMarket", "settlePage, first of 4, 1000 bids, 10 provers");
            }
            if (k == 1) {
                vm.snapshotGasLastCall("ProverMarket", "settlePage, second of 4, 1000 bids, 10 provers");
            }
            if (k + 1 < PAGES) {
                (last.settler, last.shares, last.progress) = SlowPages.lastOf(vm.getRecordedLogs());
            } else {
                vm.snapshotGasLastCall("ProverMarket", "settlePage, last of 4, 1000 bids, 10 provers");
            }
        }
        assertTrue(market.outcomeOf(id, 1).isSettled());
    }
}
