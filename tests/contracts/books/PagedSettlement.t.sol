// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {Certificate} from "../../../contracts/types/Certificate.sol";
import {Mechanism} from "../../../contracts/types/Mechanism.sol";
import {MarketId} from "../../../contracts/types/MarketId.sol";
import {Page} from "../../../contracts/types/Page.sol";
import {ClosedRoundTest} from "../support/ClosedRoundTest.sol";
import {PagedSettling} from "../support/PagedSettling.sol";
import {SlowClearing} from "../support/SlowClearing.sol";
import {SlowMerkle} from "../support/SlowMerkle.sol";

/// @notice A settlement in pages comes to what one in a single call comes to, whoever settles which page.
contract PagedSettlementTest is ClosedRoundTest, PagedSettling {
    address[7] private _everybody = [alice, bob, carol, paul, quentin, rita, steve];

    /// @dev Round 1 with random seats and entries, closed.
    function _randomRound(uint256 seed) private {
        params.mechanism = Mechanism(uint8(seed % 2));
        fixReserve(uint64((seed >> 8) % 6));
        fixCap(uint64(20 + (seed >> 16) % 60));
        (params.capMin, params.reserveMax) = (15, 9); // the settlement moves the terms too
        params.sink = address(uint160(seed) | 1);
        id = market.createMarket(params);
        for (uint256 i; i < (seed >> 24) % 5; ++i) {
            uint256 r = uint256(keccak256(abi.encode(seed, "seat", i)));
            seat(_everybody[3 + i], uint32(8 + r % 8), uint64((r >> 8) % 10));
        }
        open(1);
        uint256 n = 1 + (seed >> 32) % 9;
        for (uint256 k; k < n; ++k) {
            uint256 r = uint256(keccak256(abi.encode(seed, "bid", k)));
            fundedLot(
                _everybody[r % 3], uint64(1 + (r >> 8) % 14), uint32(1 + (r >> 16) % 8), 1 + (r >> 24) % 4
            );
        }
        open(2);
    }

    /// @dev All that a settlement decides but the root.
    function _stateHash() private view returns (bytes32 hash) {
        hash = keccak256(abi.encode(market.outcomeOf(id, 1), market.surplusOf(id)));
        (uint256 cap, uint256 reserve) = market.termsOf(id, 3);
        hash = keccak256(abi.encode(hash, cap, reserve, available(relayer)));
        for (uint256 i; i < market.seatCount(id); ++i) {
            hash = keccak256(abi.encode(hash, free(i), capacity(i)));
        }
        for (uint256 i; i < _everybody.length; ++i) {
            hash = keccak256(abi.encode(hash, available(_everybody[i])));
        }
    }

    function _root() private view returns (bytes32) {
        (bytes32[] memory leaves,) = leavesOf(1, cleared(1), 0);
        return SlowMerkle.root(leaves);
    }

    // -------------------------------------------------------------------------------------------------- results

    function testFuzz_anySplitComesToWhatOneCallComesTo(uint256 seed) public {
        _randomRound(seed);
        uint256 start = vm.snapshotState();
        settle(1);
        bytes32 whole = _stateHash();
        assertEq(market.assignmentRoot(id, 1), _root());
        vm.revertToState(start);

        uint256[] memory firsts = randomFirsts(entryCount(1), seed);
        address[] memory settlers = new address[](firsts.length);
        for (uint256 k; k < firsts.length; ++k) {
            settlers[k] = relayer;
        }
        settleInPages(1, firsts, settlers);
        assertEq(_stateHash(), whole);
        // Only the order of the leaves is another.
        assertEq(market.assignmentRoot(id, 1), _root());
        SlowClearing.Result memory result = cleared(1);
        for (uint256 i; i < result.wins.length; ++i) {
            if (result.wins[i]) deliver(1, i);
        }
        for (uint256 i; i < market.seatCount(id); ++i) {
            assertEq(free(i), capacity(i));
        }
    }

    /// @dev One page for each entry, and none, before, and between them.
    function test_pagesMayBeOfOneEntry() public {
        _closedRound();
        Certificate memory c = cleared(1).certificate;
        Page memory last = settlePage(relayer, 1, c, pageOf(1, c, 4, 5));
        for (uint256 k = 4; k > 1; --k) {
            last = settlePage(relayer, 1, c, continued(pageOf(1, c, k - 1, k), last));
        }
        settleLastPage(relayer, 1, c, continued(pageOf(1, c, 0, 1), last));
        assertEq(available(relayer), 5 * FEE);
        assertEq(market.outcomeOf(id, 1).units(), 22);
        uint256[] memory bids = new uint256[](5);
        for (uint256 k; k < 5; ++k) {
            bids[k] = 1;
        }
        notePages(1, bids);
        assertEq(market.assignmentRoot(id, 1), _root());
        deliver(1, 0);
        deliver(1, 1);
        deliver(1, 3);
    }

    /// @dev However many pages, claims and rounds there are.
    function test_pagesOfASettlerTakeOneSlot() public {
        _closedRound();
        Certificate memory c = cleared(1).certificate;
        Certificate memory wrong = cleared(1).certificate;
        wrong.pivotSeat = 3;
        (bytes32 slot, Page memory last) = _slotOf(1, wrong, pageOf(1, wrong, 3, 5));
        (bytes32 again,) = _slotOf(1, wrong, continued(pageOf(1, wrong, 2, 3), last));
        assertEq(again, slot);
        (again, last) = _slotOf(1, c, pageOf(1, c, 2, 5));
        assertEq(again, slot);
        // Nothing is emptied at the end.
        bytes32 left = vm.load(address(market), slot);
        settleLastPage(relayer, 1, c, continued(pageOf(1, c, 0, 2), last));
        assertEq(vm.load(address(market), slot), left);

        fundedBid(alice, 20, 8);
        fundedBid(alice, 20, 8);
        open(3);
        c = cleared(2).certificate;
        (again, last) = _slotOf(2, c, pageOf(2, c, 1, 2));
        assertEq(again, slot);
        settleLastPage(relayer, 2, c, continued(pageOf(2, c, 0, 1), last));
    }

    /// @dev Its pages of another claim take the place of those before, and its pages in another market do not.
    function test_onlyTheSettlersLastPageCanBeContinued() public {
        MarketId first = id;
        _closedRound();
        Certificate memory c = cleared(1).certificate;
        Page memory next = continued(pageOf(1, c, 0, 2), settlePage(relayer, 1, c, pageOf(1, c, 2, 5)));
        params.sink = address(0x51);
        id = market.createMarket(params);
        _seats();
        vm.warp(openAt(1));
        fundedBid(alice, 20, 8);
        fundedBid(alice, 20, 8);
        open(2);
        Certificate memory other = cleared(1).certificate;
        Page memory there =
            continued(pageOf(1, other, 0, 1), settlePage(relayer, 1, other, pageOf(1, other, 1, 2)));

        uint256 before = vm.snapshotState();
        market.settlePage(first, 1, c, next);
        market.settlePage(id, 1, other, there);
        vm.revertToState(before);
        id = first;
        Certificate memory wrong = abi.decode(abi.encode(c), (Certificate));
        wrong.pivotSeat = 3;
        settlePage(relayer, 1, wrong, pageOf(1, wrong, 4, 5));
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongProgress.selector, 1, relayer));
        market.settlePage(id, 1, c, next);
    }

    /// @dev The only slot that is written for the relayer's page, which is not the round's last.
    function _slotOf(uint256 round, Certificate memory c, Page memory page)
        private
        returns (bytes32 slot, Page memory last)
    {
        vm.record();
        last = settlePage(relayer, round, c, page);
        (, bytes32[] memory written) = vm.accesses(address(market));
        slot = written[0];
        for (uint256 i = 1; i < written.length; ++i) {
            assertEq(written[i], slot);
        }
        assertNotEq(vm.load(address(market), slot), 0);
    }

    function test_wholeRoundMayBeOnePage() public {
        _closedRound();
        Certificate memory c = cleared(1).certificate;
        settleLastPage(relayer, 1, c, pageOf(1, c, 0, 5));
        assertEq(available(relayer), 5 * FEE);
        assertEq(market.assignmentRoot(id, 1), _root());
    }

    // ----------------------------------------------------------------------------------------------- settlers

    /// @dev Three settlers, each continuing another: 2, 2 and 6 bids.
    function test_everySettlerIsPaidForTheBidsOfItsPages() public {
        _seats();
        open(1);
        fundedLot(alice, 20, 2, 4);
        fundedLot(bob, 15, 4, 2);
        fundedLot(carol, 12, 8, 2);
        fundedBid(alice, 6, 5);
        fundedBid(carol, 14, 6);
        open(2);
        Certificate memory c = cleared(1).certificate;
        uint256[] memory shares = new uint256[](1);
        shares[0] = _share(relayer, 2);
        Page memory last = settlePage(relayer, 1, c, pageOf(1, c, 3, 5));
        assertEq(last.settler, relayer);
        assertEq(last.shares, shares);
        last = settlePage(steve, 1, c, continued(pageOf(1, c, 2, 3), last));
        assertEq(available(relayer) + available(steve), 0);

        shares = new uint256[](3);
        (shares[0], shares[1], shares[2]) = (_share(relayer, 2), _share(steve, 2), _share(rita, 6));
        notePages(1, _three(2, 2, 6));
        uint256 w = cleared(1).winners.length;
        uint256[] memory winners = new uint256[](w);
        for (uint256 k; k < w; ++k) {
            uint256 seat_ = cleared(1).winners[(1 + k) % w];
            winners[k] = (asks(1)[seat_].capacity << 8) | seat_;
        }
        vm.expectEmit(address(market));
        emit IMarketLog.RoundSettled(id, 1, rita, c, cleared(1).revenue, winners, _root(), shares);
        settleLastPage(rita, 1, c, continued(pageOf(1, c, 0, 2), last));
        assertEq(available(relayer), 2 * FEE);
        assertEq(available(steve), 2 * FEE);
        assertEq(available(rita), 6 * FEE);
        deliver(1, 0);
    }

    function _share(address settler, uint256 bids) private pure returns (uint256) {
        return (uint256(uint160(settler)) << 64) | bids;
    }

    function _three(uint256 a, uint256 b, uint256 c) private pure returns (uint256[] memory list) {
        list = new uint256[](3);
        (list[0], list[1], list[2]) = (a, b, c);
    }

    /// @dev Whoever settles how, all fees go to settlers, each for its bids.
    function testFuzz_sharesOfManySettlersAddUp(uint256 seed) public {
        _randomRound(seed);
        uint256[] memory firsts = randomFirsts(entryCount(1), seed);
        address[] memory settlers = new address[](firsts.length);
        uint256[4] memory expected;
        uint256 end = entryCount(1);
        for (uint256 k; k < firsts.length; ++k) {
            uint256 who = uint256(keccak256(abi.encode(seed, "settler", k))) % 4;
            settlers[k] = address(uint160(0xd000 + who));
            expected[who] += (bidsBefore(1, end) - bidsBefore(1, firsts[k])) * FEE;
            end = firsts[k];
        }
        settleInPages(1, firsts, settlers);
        uint256 sum;
        for (uint256 who; who < 4; ++who) {
            assertEq(available(address(uint160(0xd000 + who))), expected[who]);
            sum += expected[who];
        }
        assertEq(sum, postedCount(1) * FEE);
    }

    /// @dev What somebody else adds to a page that two continue is nobody's loss: the first to end the round is paid.
    function test_twoMayContinueTheSamePage() public {
        _closedRound();
        Certificate memory c = cleared(1).certificate;
        Page memory first = settlePage(relayer, 1, c, pageOf(1, c, 3, 5));
        Page memory his = settlePage(steve, 1, c, continued(pageOf(1, c, 1, 3), first));
        Page memory hers = settlePage(rita, 1, c, continued(pageOf(1, c, 2, 3), first));
        hers = settlePage(rita, 1, c, continued(pageOf(1, c, 1, 2), hers));
        settleLastPage(rita, 1, c, continued(pageOf(1, c, 0, 1), hers));
        assertEq(available(relayer), 2 * FEE);
        assertEq(available(rita), 3 * FEE);
        assertEq(available(steve), 0);
        Page memory late = continued(pageOf(1, c, 0, 1), his);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.RoundSettledAlready.selector, 1));
        vm.prank(steve);
        market.settlePage(id, 1, c, late);
    }

    function test_settlerMayBeginAgain() public {
        _closedRound();
        Certificate memory c = cleared(1).certificate;
        settlePage(relayer, 1, c, pageOf(1, c, 4, 5));
        Page memory last = settlePage(relayer, 1, c, pageOf(1, c, 2, 5));
        settleLastPage(relayer, 1, c, continued(pageOf(1, c, 0, 2), last));
        assertEq(available(relayer), 5 * FEE);
    }

    /// @dev Tiny pages of somebody else's, before, between and on top of the settler's, change nothing of what it builds on.
    function test_otherPagesDisturbNobody() public {
        _closedRound();
        Certificate memory c = cleared(1).certificate;
        Certificate memory wrong = cleared(1).certificate;
        wrong.pivotSeat = 3;
        settlePage(steve, 1, c, pageOf(1, c, 4, 5));
        Page memory mine = settlePage(relayer, 1, c, pageOf(1, c, 2, 5));
        settlePage(steve, 1, c, pageOf(1, c, 3, 5));
        settlePage(steve, 1, c, continued(pageOf(1, c, 1, 2), mine));
        settlePage(steve, 1, wrong, pageOf(1, wrong, 4, 5));
        settleLastPage(relayer, 1, c, continued(pageOf(1, c, 0, 2), mine));
        assertEq(available(relayer), 5 * FEE);
        assertEq(available(steve), 0);
    }

    /// @dev A round can be begun in pages and settled in one call.
    function test_oneCallMayEndWhatPagesBegan() public {
        _closedRound();
        Certificate memory c = cleared(1).certificate;
        settlePage(steve, 1, c, pageOf(1, c, 2, 5));
        settle(1);
        assertEq(available(relayer), 5 * FEE);
        assertEq(available(steve), 0);
    }

    /// @dev Deliveries, bids, asks and a new seat between the pages: the round is the one that closed.
    function test_whatHappensBetweenPagesChangesNothing() public {
        _closedRound();
        settle(1);
        fundedLot(alice, 20, 8, 2);
        fundedLot(bob, 15, 8, 2);
        open(3);
        bytes32 before = keccak256(abi.encode(cleared(2)));
        Certificate memory c = cleared(2).certificate;
        Page memory last = settlePage(relayer, 2, c, pageOf(2, c, 1, 2));
        deliver(1, 0);
        deliver(1, 1);
        seat(carol, 30, 1);
        fundedBid(carol, 30, 8);
        vm.prank(paul);
        market.ask(id, 0, 14);
        vm.prank(rita);
        market.changeCapacity(id, 2, 0);
        settleLastPage(steve, 2, c, continued(pageOf(2, c, 0, 1), last));
        assertEq(keccak256(abi.encode(cleared(2))), before);
        assertEq(market.outcomeOf(id, 2).units(), c.units);
        assertGt(c.units, 0);
        notePages(2, _two(2, 2));
        deliver(2, 0);
    }

    function _two(uint256 a, uint256 b) private pure returns (uint256[] memory list) {
        list = new uint256[](2);
        (list[0], list[1]) = (a, b);
    }
}
