// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";
import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {Lane} from "../../../contracts/types/Lane.sol";
import {MarketId} from "../../../contracts/types/MarketId.sol";
import {Mechanism} from "../../../contracts/types/Mechanism.sol";
import {MarketTest} from "../support/MarketTest.sol";

/// @notice Most bids go a way of their own through the market, in assembly. One that brings money goes the plain way: with the same money
/// deposited just before, both end alike, whatever the bid, its round and its requester's lanes.
contract QuickBidsTest is MarketTest {
    uint256 private constant MOST_BIDS = 2 ** 24 - 1;

    struct End {
        bool done;
        bytes answer;
        uint256[2] lanes;
        uint256 chain;
        uint256 available;
        /// Of all that the bid logs.
        bytes32 logs;
    }

    function _bid(BidWord word, uint256 value) private returns (End memory end) {
        vm.recordLogs();
        vm.prank(alice);
        (end.done, end.answer) =
            address(market).call{value: value}(abi.encodeCall(market.submitOneBid, (id, word)));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] == IMarketLog.Deposited.selector) continue;
            end.logs = keccak256(abi.encode(end.logs, logs[i].topics, logs[i].data));
        }
        Lane[2] memory lanes = market.lanesOf(id, alice);
        (end.lanes[0], end.lanes[1]) = (Lane.unwrap(lanes[0]), Lane.unwrap(lanes[1]));
        uint256 round = block.timestamp < params.genesis ? 0 : openRound();
        end.chain = uint256(vm.load(address(market), bytes32(roundSlot(round))));
        end.available = available(alice);
    }

    function _bothWays(BidWord word) private {
        vm.deal(alice, TICK);
        uint256 start = vm.snapshotState();
        End memory plain = _bid(word, TICK);
        vm.revertToState(start);
        market.deposit{value: TICK}(id, alice, TICK);
        End memory quick = _bid(word, 0);
        assertEq(quick.done, plain.done, "done");
        assertEq(quick.answer, plain.answer, "answer");
        assertEq(quick.logs, plain.logs, "logs");
        assertEq(quick.chain, plain.chain, "chain");
        if (!plain.done) return;
        assertEq(quick.lanes[0], plain.lanes[0], "lane 0");
        assertEq(quick.lanes[1], plain.lanes[1], "lane 1");
        assertEq(quick.available, plain.available, "available");
    }

    // ---------------------------------------------------------------------------------------------- any bid

    /// @dev Both mechanisms, either lane, ties at the pivot, fees above 31 bits, void and skipped rounds, lots, entries in both lanes, an old
    /// entry beside a digest, a second entry of the round, the round's first, a round that is almost full, too little money and more than
    /// a lane counts, and words that are no entry.
    function testFuzz_everyBidEndsAsThePlainWay(uint256 seed) public {
        seed = uint256(keccak256(abi.encode(seed))); // small numbers are drawn often, and have no high bits
        params.mechanism = Mechanism(uint8(seed % 2));
        params.sink = address(uint160(seed) | 1);
        fixReserve(0);
        id = market.createMarket(params);
        uint64 scale = [uint64(1), 1, 2 ** 31 - 4, 2 ** 40][(seed >> 8) % 4];
        uint256 first = 1 + (seed >> 120) % 2;
        seat(paul, 10, 0);
        seat(quentin, 10, 1);
        open(first);
        fund(alice, ((seed >> 112) % 2 == 0 ? 40 : 70_000) * (uint256(scale) + 20));
        lot(alice, scale + uint64(seed >> 16) % 4, 1 + uint32(seed >> 24) % 3, 1 + (seed >> 32) % 4);
        _others(seed >> 40, scale);
        open(first + 1);
        if ((seed >> 48) % 3 == 0) lot(alice, scale, 1, 2);
        if ((seed >> 56) % 5 != 0) settle(first);
        uint256 last = first + [uint256(2), 2, 2, 3, 4][(seed >> 64) % 5];
        if (last == first + 4 && (seed >> 128) % 2 == 0) {
            seat(rita, 10, 0); // the others may have their hands full
            seat(steve, 10, 1);
            open(first + 2);
            _others(seed >> 136, scale);
            open(first + 3);
            settle(first + 2);
        }
        open(last);
        if ((seed >> 72) % 5 != 0) fundedBid(bob, scale, 1);
        if ((seed >> 80) % 5 == 0) lot(alice, scale, 1, 1);
        if ((seed >> 88) % 5 == 0) _fill(openRound(), (seed >> 96) % 4);
        uint256 money = (seed >> 104) % 5;
        if (money < 4) {
            _spend(money * scale);
        } else {
            fund(
                alice,
                type(uint96).max - market.lanesOf(id, alice)[last & 1].balance() - 1 - (seed >> 144) % 8
            );
        }
        _bothWays(_word(uint256(keccak256(abi.encode(seed))), scale));
    }

    function _others(uint256 r, uint64 scale) private {
        for (uint64 i; i < 4; ++i) {
            fundedLot(bob, scale + i, 3, 1 + (r >> i) % 2);
        }
    }

    /// @dev Leaves the round room for `room` bids, if it has a bid.
    function _fill(uint256 round, uint256 room) private {
        bytes32 slot = bytes32(roundSlot(round));
        uint256 chain = uint256(vm.load(address(market), slot));
        if (chain != 0) vm.store(address(market), slot, bytes32((chain >> 24 << 24) | (MOST_BIDS - room)));
    }

    /// @dev Nothing, or so much that about one bid at `fee` remains.
    function _spend(uint256 fee) private {
        uint256 all = available(alice);
        if (fee == 0 || all < fee + FEE) return;
        vm.prank(alice);
        market.withdraw(id, all - fee - FEE, alice);
    }

    /// @dev An entry in three of eight, else one that is wrong in one way, or told: not published, published, or with another number of bids.
    function _word(uint256 r, uint64 scale) private returns (BidWord) {
        uint256 kind = r % 8;
        uint64 fee = scale + uint64(r >> 8) % 4;
        uint32 size = 1 + uint32(r >> 16) % 2;
        uint16 further = uint16(r >> 24) % 3;
        if (kind == 3) fee = (r >> 32) % 2 == 0 ? 0 : type(uint64).max;
        if (kind == 4) size = [0, MAX_SIZE, MAX_SIZE + 1, 2 ** 31, type(uint32).max][(r >> 32) % 5];
        if (kind == 5) further = [uint16(2 ** 14 - 2), 2 ** 14 - 1, 2 ** 15 - 1][(r >> 32) % 3];
        tells = kind >= 6;
        uint144 ticket = uint144(r >> 112);
        if (kind == 7) {
            Posted[] memory list = newTasks(alice, fee, size, further + 1);
            tell(list);
            ticket = uint144(uint256(BidWord.unwrap(wordOf(list))));
            if ((r >> 32) % 2 == 0) ++further;
        }
        return packWord(fee, size, (tells ? 2 ** 15 : 0) | further, ticket);
    }

    // ---------------------------------------------------------------------------------------- one case each

    /// @dev The plain way, if it has to be gone after the other, reads and writes the two slots once more.
    function _readsTwoSlots(BidWord word, bool twoOnly) private {
        uint256 start = vm.snapshotState();
        vm.record();
        assertTrue(_bid(word, 0).done);
        (bytes32[] memory reads, bytes32[] memory writes) = vm.accesses(address(market));
        vm.revertToState(start);
        uint256 own;
        for (uint256 i; i < reads.length; ++i) {
            if (reads[i] == bytes32(roundSlot(openRound()))) ++own;
        }
        assertEq(writes.length, 2);
        // Once by the bid, once as foundry counts a write for a read too, and once by this test.
        assertEq(own, twoOnly ? 3 : 4);
    }

    function test_mostBidsGoTheirOwnWay() public {
        seat(paul, 10, 6);
        seat(quentin, 24, 9);
        open(1);
        fund(alice, 1e6);
        bid(alice, 20, 8);
        fundedBid(bob, 12, 8);
        open(2);
        settle(1);
        open(3);
        _readsTwoSlots(entryWord(20, 1, 1, 7), false);
        fundedBid(bob, 12, 8);
        _readsTwoSlots(entryWord(20, 1, 1, 7), true);
        _readsTwoSlots(entryWord(20, 1, 100, 7), true);
        tells = true;
        Posted[] memory list = newTasks(alice, 20, 1, 3);
        tell(list);
        _readsTwoSlots(wordOf(list), true);
        open(4);
        fundedBid(bob, 12, 8);
        fund(alice, 1e6);
        _readsTwoSlots(entryWord(20, 1, 1, 7), true); // no entry in this lane
    }

    function test_lotsEndAtTheMostAsInThePlainWay() public {
        fundedBid(bob, 20, 1);
        fund(alice, 1e9);
        uint256 start = vm.snapshotState();
        for (uint256 count = 2 ** 14 - 1; count <= 2 ** 15; count += count == 2 ** 14 - 1 ? 1 : 2 ** 14) {
            _bothWays(entryWord(20, 1, count, 7));
            assertEq(market.bidChainOf(id, 0).count(), count < 2 ** 14 ? 2 ** 14 : 1);
            vm.revertToState(start);
        }
    }

    function test_bidBeforeGenesisIsRefusedAsThePlainWayDoes() public {
        params.genesis += 1000;
        id = market.createMarket(params);
        fund(alice, 1000);
        uint256 wrapped;
        unchecked {
            wrapped = (block.timestamp - params.genesis) / params.biddingPeriod;
            wrapped = roundSlot(0) + 4 * wrapped;
        }
        vm.store(address(market), bytes32(wrapped), bytes32(uint256(1)));
        _bothWays(entryWord(20, 1, 1, 7));
    }

    /// @dev Whatever is where its next round would be.
    function test_bidOfAMarketThatIsOverIsRefusedAsThePlainWayDoes() public {
        fund(alice, 1000);
        vm.warp(openAt(2 ** 28));
        vm.store(address(market), bytes32(roundSlot(2 ** 28)), bytes32(uint256(1)));
        _bothWays(entryWord(20, 1, 1, 7));
    }

    function test_bidOfAnUnknownMarketIsRefusedAsThePlainWayDoes() public {
        BidWord word = entryWord(20, 1, 1, 7);
        fund(alice, 1000);
        MarketId unknown = MarketId.wrap(MarketId.unwrap(id) ^ bytes32(uint256(1) << 255));
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.InsufficientBalance.selector, 0, 20 + FEE));
        vm.prank(alice);
        market.submitOneBid(unknown, word);
    }

    /// @dev Its open round has no bid before its close.
    function test_bidOfASealedMarketIsRefusedAsThePlainWayDoes() public {
        (params.revealPeriod, params.bondBps) = (30, 1000);
        id = market.createMarket(params);
        fund(alice, 1000);
        _bothWays(entryWord(20, 1, 1, 7));
    }
}
