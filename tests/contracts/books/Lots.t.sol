// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {Certificate} from "../../../contracts/types/Certificate.sol";
import {Mechanism} from "../../../contracts/types/Mechanism.sol";
import {Outcome} from "../../../contracts/types/Outcome.sol";
import {ClosedRoundTest} from "../support/ClosedRoundTest.sol";

/// @notice Entries that stand for many bids: what they lock, win and get back.
contract LotsTest is ClosedRoundTest {
    uint256 private constant BIDS = 5 + 4 + 3;

    /// @dev Five bids of Alice at 20, four of Bob at 12, three of Carol at 10: 20, 32 and 6 units. Paul offers 40 units at 6,
    /// Quentin as many at 9.
    function _closedLots() private {
        seat(paul, 40, 6);
        seat(quentin, 40, 9);
        open(1);
        assertEq(fundedLot(alice, 20, 4, 5), 0);
        assertEq(fundedLot(bob, 12, 8, 4), 5);
        assertEq(fundedLot(carol, 10, 2, 3), 9);
        assertEq(available(alice) + available(bob) + available(carol), 0);
        open(2);
    }

    function _marketAtTheAverageFee(uint64 cap) private {
        params.mechanism = Mechanism.AverageFee;
        fixCap(cap);
        id = market.createMarket(params);
    }

    function _withdraws(address who, uint256 ticks) private {
        vm.prank(who);
        market.withdraw(id, type(uint256).max, who);
        assertEq(who.balance, ticks * TICK);
    }

    /// @dev Every winning task is delivered and everybody takes what is theirs: of all the money nothing is left but the
    /// collateral of seats of 47 units.
    function _allMoney(uint256[3] memory back, uint256 paulGets, uint256 quentinGets, uint256 surplus)
        private
    {
        for (uint256 i; i < BIDS; ++i) {
            if (cleared(1).wins[i]) deliver(1, i);
        }
        assertEq(market.surplusOf(id), surplus);
        _withdraws(alice, back[0]);
        _withdraws(bob, back[1]);
        _withdraws(carol, back[2]);
        _withdraws(paul, paulGets);
        _withdraws(quentin, quentinGets);
        _withdraws(relayer, BIDS * FEE);
        market.collectSurplus(id);
        assertEq(address(market).balance, market.seatCount(id) * 47 * PER_UNIT * TICK);
    }

    // ------------------------------------------------------------------------------------------------- results

    function test_lotsWinInFullInPartOrNotAtAll() public {
        _closedLots();
        settle(1);
        Outcome outcome = market.outcomeOf(id, 1);
        // Bob's third bid would be units 37 to 44 of 40.
        assertEq(outcome.pivotFee(), 12);
        assertEq(outcome.pivotIndex(), 7);
        assertEq(outcome.units(), 36);
        assertEq(outcome.winners(20, 0, 5), 5);
        assertEq(outcome.winners(12, 5, 4), 2);
        assertEq(outcome.winners(10, 9, 3), 0);
        uint256[3] memory back = [uint256(20 * (20 - 12)), 2 * 8 * 12, 3 * 2 * 10];
        assertEq(available(alice), back[0]);
        assertEq(available(bob), back[1]);
        assertEq(available(carol), back[2]);
        _allMoney(back, 36 * 9, 0, 36 * (12 - 9));
    }

    /// @dev The cap of 47 units leaves Bob's last bid out; all others pay their own, and what rounding leaves is dust.
    function test_lotsWinInPartAtTheAverageFee() public {
        _marketAtTheAverageFee(47);
        _closedLots();
        settle(1);
        Outcome outcome = market.outcomeOf(id, 1);
        assertEq(outcome.pivotFee(), 12);
        assertEq(outcome.pivotIndex(), 8);
        assertEq(outcome.units(), 44);
        assertEq(outcome.revenue(), 20 * 20 + 24 * 12);
        uint256 small = uint256(688 * 4) / 44;
        uint256 large = uint256(688 * 8) / 44;
        // Quentin, then Paul: each has half of the capacity, so the tasks that start below 22 are Quentin's.
        assertEq(cleared(1).seatOf[5], 1);
        assertEq(cleared(1).seatOf[6], 0);
        uint256[3] memory back = [uint256(0), 8 * 12, 3 * 2 * 10];
        _allMoney(back, 2 * large, 5 * small + large, 688 - 5 * small - 3 * large);
    }

    /// @dev The provers in offer less than the batch: the pivot lies within the lot twice, at two places.
    function test_lotsWinInPartWhereProversOfferLessThanTheAverageFeesBatch() public {
        _marketAtTheAverageFee(47);
        seat(paul, 40, 6);
        open(1);
        fundedLot(alice, 20, 4, 5);
        fundedLot(bob, 12, 8, 4);
        fundedLot(carol, 10, 2, 3);
        open(2);
        Certificate memory c = settle(1).certificate;
        assertEq(c.batchIndex, 8);
        assertEq(c.pivotIndex, 7);
        assertEq(c.units, 36);
        uint256 small = uint256(592 * 4) / 36;
        uint256 large = uint256(592 * 8) / 36;
        uint256[3] memory back = [uint256(0), 2 * 8 * 12, 3 * 2 * 10];
        _allMoney(back, 5 * small + 2 * large, 0, 592 - 5 * small - 2 * large);
    }

    function test_voidRoundRefundsEveryBidOfALotAndItsFees() public {
        fundedLot(alice, 20, 4, 5);
        vm.warp(settleBy(0) - 1);
        assertEq(available(alice), 0);
        vm.warp(settleBy(0));
        _withdraws(alice, 5 * (20 * 4 + FEE));
        assertEq(address(market).balance, 0);
    }

    function test_lotBesideAnotherEntryComesBackByRelease() public {
        seat(paul, 40, 6);
        seat(quentin, 40, 9);
        open(1);
        fundedLot(alice, 20, 4, 5);
        fundedLot(alice, 12, 8, 4);
        BidWord[] memory one = words(1, 1, 1);
        assertEq(market.bundleHash(id, alice, 1, 5), keccak256(abi.encodePacked(one)));
        open(2);
        settle(1);
        assertEq(available(alice), 20 * (20 - 12));
        assertEq(market.release(id, alice, 1, 5, one), 2 * 8 * 12);
        assertEq(available(alice), 20 * (20 - 12) + 2 * 8 * 12);
    }

    function test_lotsSubmittedTogetherComeBackByOneRelease() public {
        seat(paul, 40, 6);
        seat(quentin, 40, 9);
        open(1);
        BidWord[] memory entries = new BidWord[](3);
        Posted[][3] memory lists =
            [newTasks(alice, 20, 4, 5), newTasks(alice, 12, 8, 4), newTasks(alice, 10, 2, 3)];
        for (uint256 i; i < 3; ++i) {
            entries[i] = wordOf(lists[i]);
        }
        uint256 locked = 400 + 384 + 60 + BIDS * FEE;
        fund(alice, locked);
        uint256 place = (uint256(uint160(alice)) << 64) | (1 << 32);
        vm.expectEmit(address(market));
        emit IMarketLog.BidsBundled(id, alice, 1, 0, 3);
        vm.expectEmit(address(market));
        emit IMarketLog.BidsSubmitted(id, place, rawWords(entries));
        vm.prank(alice);
        market.submitBids(id, entries);
        assertEq(available(alice), 0);
        assertEq(market.bidChainOf(id, 1).count(), BIDS);
        for (uint256 i; i < 3; ++i) {
            rememberLot(1, lists[i]);
        }
        open(2);
        settle(1);
        assertEq(market.release(id, alice, 1, 0, entries), 20 * 8 + 2 * 8 * 12 + 60);
        deliver(1, 6);
        assertEq(available(paul), 8 * 9);
    }

    /// @dev A lot is what as many single bids at its place would be, but for its place in the tree.
    function testFuzz_lotsAreWhatTheirBidsWouldBe(uint256 seed) public {
        params.mechanism = Mechanism(uint8(seed % 2));
        fixCap(uint64(30 + seed % 40));
        params.sink = address(uint160(seed) | 1);
        id = market.createMarket(params);
        seat(paul, 20, uint64(seed >> 8) % 8);
        seat(quentin, 20, uint64(seed >> 16) % 8);
        seat(rita, 20, uint64(seed >> 24) % 8);
        open(1);
        uint256 start = vm.snapshotState();
        bytes32 asLots = _resultOf(seed, true);
        vm.revertToState(start);
        assertEq(_resultOf(seed, false), asLots);
    }

    /// @dev Hash over the outcome, what every requester has then, and every seat's load.
    function _resultOf(uint256 seed, bool inLots) private returns (bytes32 hash) {
        for (uint256 k; k < 4; ++k) {
            uint256 r = uint256(keccak256(abi.encode(seed, k)));
            address requester = address(uint160(0xc000 + k));
            (uint64 fee, uint32 size) = (uint64(1 + r % 9), uint32(1 + (r >> 8) % MAX_SIZE));
            uint256 count = 1 + (r >> 16) % 6;
            if (inLots) {
                fundedLot(requester, fee, size, count);
                continue;
            }
            for (uint256 i; i < count; ++i) {
                fundedBid(requester, fee, size);
            }
        }
        open(2);
        settle(1);
        for (uint256 i; i < entryCount(1); ++i) {
            Entry memory e = entryOf(1, bidsBefore(1, i));
            address requester = posted(1, e.first).requester;
            if (market.bundleHash(id, requester, 1, e.first) != 0) {
                market.release(id, requester, 1, e.first, words(1, i, 1));
            }
        }
        hash = keccak256(abi.encode(market.outcomeOf(id, 1), free(0), free(1), free(2)));
        for (uint256 k; k < 4; ++k) {
            hash = keccak256(abi.encode(hash, available(address(uint160(0xc000 + k)))));
        }
    }

    // -------------------------------------------------------------------------------------------------- limits

    function test_RevertWhen_LotIsTooLarge() public {
        uint256 most = 2 ** 14 - 1;
        fund(alice, 100 * most);
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.LotTooLarge.selector, most + 1, most));
        market.submitOneBid(id, entryWord(1, 1, most + 1, 0));
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.LotTooLarge.selector, 2 ** 15, most));
        market.submitOneBid(id, entryWord(1, 1, 2 ** 15, 0));
        BidWord[] memory entries = new BidWord[](2);
        (entries[0], entries[1]) = (plainWord(1, 1), entryWord(1, 1, most + 1, 0));
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.LotTooLarge.selector, most + 1, most));
        market.submitBids(id, entries);
        market.submitOneBid(id, entryWord(1, 1, most, 0));
        assertEq(market.bidChainOf(id, 0).count(), most);
        assertEq(market.lanesOf(id, alice)[0].count(), most);
    }

    function test_RevertWhen_TasksOfTheLargestLotHaveNoSize() public {
        fund(alice, 1000);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.TaskSizeOutOfRange.selector, 0, MAX_SIZE));
        vm.prank(alice);
        market.submitOneBid(id, entryWord(1, 0, 2 ** 14 - 1, 0));
    }

    function test_RevertWhen_TheMoneyIsThereForAllBidsOfALotButOne() public {
        fund(alice, 5 * (80 + FEE) - 1);
        bytes4 selector = IMarketLog.InsufficientBalance.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, 5 * (80 + FEE) - 1, 5 * (80 + FEE)));
        vm.prank(alice);
        market.submitOneBid(id, entryWord(20, 4, 5, 0));
    }

    /// @dev The largest lot, the pivot in its midst.
    function test_largestLotIsSettled() public {
        uint256 most = 2 ** 14 - 1;
        seat(paul, 1000, 6);
        seat(quentin, 1000, 9);
        open(1);
        fund(alice, most * (20 + FEE));
        vm.prank(alice);
        market.submitOneBid(id, entryWord(20, 1, most, 0));
        open(2);
        BidWord[] memory one = new BidWord[](1);
        one[0] = entryWord(20, 1, most, 0);
        vm.prank(relayer);
        market.settle(id, 1, core(1, 20, 1000, 1000), one);
        assertEq(market.outcomeOf(id, 1).units(), 1000);
        assertEq(available(alice), (most - 1000) * 20);
        assertEq(available(relayer), most * FEE);
        assertEq(free(0), MARGIN);
    }

    /// @dev At the ends of its types an entry costs less than a balance can hold only if it is small.
    function testFuzz_nothingOfALotIsLostOrMade(uint64 fee, uint32 size, uint16 count, uint8 more) public {
        fee = uint64(bound(fee, 1, type(uint64).max));
        size = uint32(bound(size, 1, MAX_SIZE));
        count = uint16(bound(count, 1, 2 ** 14 - 1));
        uint256 cost = count * (uint256(fee) * size + FEE);
        fund(alice, cost + more);
        vm.prank(alice);
        market.submitOneBid(id, entryWord(fee, size, count, 0));
        assertEq(available(alice), more);
        vm.warp(settleBy(0));
        assertEq(available(alice), cost + more);
        market.fold(id, alice);
        assertEq(available(alice), cost + more);
    }
}
