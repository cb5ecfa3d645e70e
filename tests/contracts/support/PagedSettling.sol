// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";
import {Certificate} from "../../../contracts/types/Certificate.sol";
import {Page} from "../../../contracts/types/Page.sol";
import {MarketTest} from "./MarketTest.sol";
import {SlowPages} from "./SlowPages.sol";

/// @notice Settles rounds of remembered bids page by page, from the last entry to the first.
abstract contract PagedSettling is MarketTest {
    function runningSeed(uint256 round) internal view returns (uint256) {
        return SlowPages.seedOf(address(market), id, round);
    }

    /// @notice The page of entries `first .. end - 1`, without what it continues.
    function pageOf(uint256 round, Certificate memory c, uint256 first, uint256 end)
        internal
        view
        returns (Page memory)
    {
        return SlowPages.page(runningSeed(round), words(round), first, end, c);
    }

    /// @notice `page` as the continuation of `last`, what `settlePage` returned.
    function continued(Page memory page, Page memory last) internal pure returns (Page memory) {
        (page.settler, page.shares, page.progress) = (last.settler, last.shares, last.progress);
        return page;
    }

    /// @notice Settles a page that is not the round's last one.
    /// @return next What the page that continues it has to carry.
    function settlePage(address settler, uint256 round, Certificate memory c, Page memory page)
        internal
        returns (Page memory next)
    {
        vm.recordLogs();
        vm.prank(settler);
        market.settlePage(id, round, c, page);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        (next.settler, next.shares, next.progress) = SlowPages.lastOf(logs);
    }

    function settleLastPage(address settler, uint256 round, Certificate memory c, Page memory page) internal {
        vm.prank(settler);
        market.settlePage(id, round, c, page);
    }

    /// @notice Settles a round in pages that start at entries `firsts`, descending to 0, each by its settler.
    function settleInPages(uint256 round, uint256[] memory firsts, address[] memory settlers) internal {
        Certificate memory c = cleared(round).certificate;
        uint256[] memory bids = new uint256[](firsts.length);
        Page memory last;
        uint256 end = entryCount(round);
        for (uint256 k; k < firsts.length; ++k) {
            Page memory page = continued(pageOf(round, c, firsts[k], end), last);
            bids[k] = bidsBefore(round, end) - bidsBefore(round, firsts[k]);
            if (firsts[k] == 0) settleLastPage(settlers[k], round, c, page);
            else last = settlePage(settlers[k], round, c, page);
            end = firsts[k];
        }
        notePages(round, bids);
    }

    /// @notice Where pages start that split `entries` at random.
    function randomFirsts(uint256 entries, uint256 seed) internal pure returns (uint256[] memory firsts) {
        firsts = new uint256[](entries);
        uint256 n;
        for (uint256 left = entries; left > 0;) {
            seed = uint256(keccak256(abi.encode(seed)));
            left -= 1 + seed % left;
            firsts[n++] = left;
        }
        assembly ("memory-safe") {
            mstore(firsts, n)
        }
    }
}
