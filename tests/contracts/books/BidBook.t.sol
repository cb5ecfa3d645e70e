// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {BidChain} from "../../../contracts/types/BidChain.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {CircuitId, toCircuitId} from "../../../contracts/types/CircuitId.sol";
import {MarketId} from "../../../contracts/types/MarketId.sol";
import {NewBid} from "../../../contracts/types/Task.sol";
import {MarketTest} from "../support/MarketTest.sol";

contract BidBookTest is MarketTest {
    uint256[] private _none;

    /// @dev The running hash from its documentation.
    function _chainOf(MarketId id_, uint256 round, BidWord[] memory list) private view returns (uint256) {
        bytes32 mask = bytes32(~uint256(type(uint32).max));
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
        fundedBid(bob, 9, 1);
        open(3);
        fundedBid(bob, 9, 1);
        uint256[] memory inputs = new uint256[](2);
        (inputs[0], inputs[1]) = (11, 12);
        CircuitId circuit = toCircuitId(5, 4);
        vm.expectEmit(address(market));
        uint256 head = (3 << 160) | (1 << 128) | (10 << 64) | CircuitId.unwrap(circuit);
        emit IMarketLog.BidSubmitted(id, alice, head, inputs, "abc");
        vm.prank(alice);
        (uint256 round, uint256 index) = market.submitBid(id, 10, circuit, inputs, "abc");
        assertEq(round, 3);
        assertEq(index, 1);
    }

    function test_bidCarriesItsOwnMoney() public {
        vm.deal(alice, 1 ether);
        vm.prank(alice);
        market.submitBid{value: 100 * TICK}(id, 10, circuitOf(8), _none, "");
        assertEq(available(alice), 100 - 80 - FEE);
        NewBid[] memory bids = new NewBid[](1);
        bids[0] = NewBid(10, circuitOf(8), _none, "");
        vm.prank(alice);
        market.submitBids{value: 80 * TICK}(id, bids);
        assertEq(available(alice), 180 - 2 * (80 + FEE));
    }

    function test_RevertWhen_TaskSizeOutOfRange() public {
        fund(alice, 1000);
        vm.startPrank(alice);
        bytes4 selector = IMarketLog.TaskSizeOutOfRange.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, 0, MAX_SIZE));
        market.submitBid(id, 10, circuitOf(0), _none, "");
        vm.expectRevert(abi.encodeWithSelector(selector, MAX_SIZE + 1, MAX_SIZE));
        market.submitBid(id, 10, circuitOf(MAX_SIZE + 1), _none, "");
        market.submitBid(id, 10, circuitOf(MAX_SIZE), _none, "");
    }

    function test_RevertWhen_FeeIsZero() public {
        fund(alice, 1000);
        vm.expectRevert(IMarketLog.ZeroFee.selector);
        vm.prank(alice);
        market.submitBid(id, 0, circuitOf(1), _none, "");
    }

    function test_RevertWhen_NoBids() public {
        vm.expectRevert(IMarketLog.NoBids.selector);
        market.submitBids(id, new NewBid[](0));
    }

    function test_RevertWhen_RoundFull() public {
        NewBid[] memory bids = new NewBid[](4000);
        for (uint256 i; i < bids.length; ++i) {
            bids[i] = NewBid(1, circuitOf(1), _none, "");
        }
        fund(alice, 8 * 5000);
        vm.prank(alice);
        market.submitBids(id, bids);
        bytes memory full = abi.encodeWithSelector(IMarketLog.RoundFull.selector, 4000, closeAt(0));
        vm.expectRevert(full);
        vm.prank(alice);
        market.submitBid(id, 1, circuitOf(1), _none, "");
        open(1);
        vm.prank(alice);
        (uint256 round,) = market.submitBid(id, 1, circuitOf(1), _none, "");
        assertEq(round, 1);
    }

    function test_oneBadBidRefusesAllOfThem() public {
        fund(alice, 1000);
        NewBid[] memory bids = new NewBid[](2);
        bids[0] = NewBid(10, circuitOf(8), _none, "");
        bids[1] = NewBid(10, circuitOf(9), _none, "");
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.TaskSizeOutOfRange.selector, 9, MAX_SIZE));
        vm.prank(alice);
        market.submitBids(id, bids);
        bids[1] = NewBid(200, circuitOf(8), _none, "");
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
