// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {BidChain} from "../../../contracts/types/BidChain.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {MarketId} from "../../../contracts/types/MarketId.sol";
import {MarketTest} from "../support/MarketTest.sol";

contract BidBookTest is MarketTest {
    /// @dev The running hash from its documentation.
    function _chainOf(MarketId id_, uint256 round, BidWord[] memory list) private view returns (uint256) {
        bytes32 mask = bytes32(~uint256(type(uint56).max));
        bytes32 hash = keccak256(abi.encode(block.chainid, address(market), id_, round)) & mask;
        for (uint256 i; i < list.length; ++i) {
            hash = keccak256(abi.encode(hash, list[i])) & mask;
        }
        return uint256(hash) | list.length;
    }

    function test_bidsStandInTheRunningHashInOrder() public {
        fundedBid(alice, 20, 8);
        fundedBid(bob, 10, 4);
        fundedBid(alice, 20, 8);
        BidChain chain = market.bidChainOf(id, 0);
        assertEq(chain.count(), 3);
        assertEq(BidChain.unwrap(chain), _chainOf(id, 0, words(0)));
    }

    function test_manyBidsInOneCallEqualManyCalls() public {
        uint64[] memory fees = new uint64[](3);
        uint32[] memory sizes = new uint32[](3);
        for (uint32 i; i < 3; ++i) {
            (fees[i], sizes[i]) = (10 + i, 1 + i);
        }
        fund(alice, 1000);
        fundedBid(bob, 9, 1);
        assertEq(bundle(alice, fees, sizes), 1);
        assertEq(BidChain.unwrap(market.bidChainOf(id, 0)), _chainOf(id, 0, words(0)));
        assertEq(available(alice), 1000 - 10 - 22 - 36 - 3 * FEE);
    }

    function test_eventTellsTheWholeBid() public {
        fund(alice, 1000);
        _submitsAndTells();
    }

    /// @dev With money in the round's own lane a bid goes the quick way.
    function test_eventOfAQuickBidTellsTheSame() public {
        open(3);
        fund(alice, 1000);
        _submitsAndTells();
    }

    function _submitsAndTells() private {
        open(3);
        fundedBid(bob, 9, 1);
        BidWord word = wordOf(newTasks(alice, 10, 4, 3));
        uint256 place = (uint256(uint160(alice)) << 64) | (3 << 32) | 1;
        vm.expectEmit(address(market));
        emit IMarketLog.BidSubmitted(id, place, word);
        vm.prank(alice);
        (uint256 round, uint256 index) = market.submitOneBid(id, word);
        assertEq(round, 3);
        assertEq(index, 1);
    }

    function test_bidCarriesItsOwnMoney() public {
        vm.deal(alice, 1 ether);
        vm.prank(alice);
        market.submitOneBid{value: 100 * TICK}(id, plainWord(10, 8));
        assertEq(available(alice), 100 - 80 - FEE);
        BidWord[] memory bids = new BidWord[](1);
        bids[0] = plainWord(10, 8);
        vm.prank(alice);
        market.submitBids{value: 80 * TICK}(id, bids);
        assertEq(available(alice), 180 - 2 * (80 + FEE));
    }

    function test_RevertWhen_TaskSizeOutOfRange() public {
        fund(alice, 1000);
        vm.startPrank(alice);
        bytes4 selector = IMarketLog.TaskSizeOutOfRange.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, 0, MAX_SIZE));
        market.submitOneBid(id, plainWord(10, 0));
        vm.expectRevert(abi.encodeWithSelector(selector, MAX_SIZE + 1, MAX_SIZE));
        market.submitOneBid(id, plainWord(10, MAX_SIZE + 1));
        market.submitOneBid(id, plainWord(10, MAX_SIZE));
    }

    function test_RevertWhen_FeeIsZero() public {
        fund(alice, 1000);
        vm.expectRevert(IMarketLog.ZeroFee.selector);
        vm.prank(alice);
        market.submitOneBid(id, plainWord(0, 1));
    }

    function test_RevertWhen_NoBids() public {
        vm.expectRevert(IMarketLog.NoBids.selector);
        market.submitBids(id, new BidWord[](0));
    }

    function test_RevertWhen_RoundFull() public {
        uint256 most = 2 ** 24 - 1;
        fund(alice, 8 * (most + 1));
        vm.startPrank(alice);
        BidWord[] memory lots = new BidWord[](1025);
        for (uint256 i; i < lots.length; ++i) {
            lots[i] = entryWord(1, 1, i == 1024 ? 1022 : 2 ** 14 - 1, 0);
        }
        // 1,024 of the largest lots and one that leaves room for a single bid.
        market.submitBids(id, lots);
        bytes memory full = abi.encodeWithSelector(IMarketLog.RoundFull.selector, most - 1, closeAt(0));
        vm.expectRevert(full);
        market.submitOneBid(id, entryWord(1, 1, 2, 0));
        lots = new BidWord[](2);
        (lots[0], lots[1]) = (plainWord(1, 1), plainWord(1, 1));
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.RoundFull.selector, most, closeAt(0)));
        market.submitBids(id, lots);
        (, uint256 index) = market.submitOneBid(id, plainWord(1, 1));
        assertEq(index, most - 1);
        assertEq(market.bidChainOf(id, 0).count(), most);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.RoundFull.selector, most, closeAt(0)));
        market.submitOneBid(id, plainWord(1, 1));
        vm.stopPrank();
        open(1);
        vm.prank(alice);
        (uint256 round,) = market.submitOneBid(id, plainWord(1, 1));
        assertEq(round, 1);
    }

    function test_oneBadBidRefusesAllOfThem() public {
        fund(alice, 1000);
        BidWord[] memory bids = new BidWord[](2);
        (bids[0], bids[1]) = (plainWord(10, 8), plainWord(10, 9));
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.TaskSizeOutOfRange.selector, 9, MAX_SIZE));
        vm.prank(alice);
        market.submitBids(id, bids);
        bids[1] = plainWord(0, 8);
        vm.expectRevert(IMarketLog.ZeroFee.selector);
        vm.prank(alice);
        market.submitBids(id, bids);
        bids[1] = plainWord(200, 8);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.InsufficientBalance.selector, 1000, 1680 + 2 * FEE));
        vm.prank(alice);
        market.submitBids(id, bids);
        assertEq(market.bidChainOf(id, 0).count(), 0);
    }

    function test_roundClosesAtItsSecond() public {
        vm.warp(closeAt(4) - 1);
        fundedBid(alice, 10, 1);
        assertEq(market.bidChainOf(id, 4).count(), 1);
        vm.warp(closeAt(4));
        fundedBid(alice, 10, 1);
        assertEq(market.bidChainOf(id, 4).count(), 1);
        assertEq(market.bidChainOf(id, 5).count(), 1);
    }

    function testFuzz_nothingOfABidIsLostOrMade(uint64 fee, uint32 size, uint8 more) public {
        fee = uint64(bound(fee, 1, type(uint64).max));
        size = uint32(bound(size, 1, MAX_SIZE));
        fund(alice, uint256(fee) * size + FEE + more);
        bid(alice, fee, size);
        assertEq(available(alice), more);
        vm.warp(settleBy(0));
        assertEq(available(alice), uint256(fee) * size + FEE + more);
    }
}
