// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";
import {BidWord, BidWordLib} from "../../../contracts/types/BidWord.sol";
import {Lane, LaneLib} from "../../../contracts/types/Lane.sol";
import {MarketId, MarketIdLib} from "../../../contracts/types/MarketId.sol";
import {Mechanism} from "../../../contracts/types/Mechanism.sol";
import {Offer, OfferLib} from "../../../contracts/types/Offer.sol";
import {Outcome, OutcomeLib} from "../../../contracts/types/Outcome.sol";
import {Takeover, TakeoverLib} from "../../../contracts/types/Takeover.sol";

/// @notice Every packed type gives back what was put in, up to the ends of each field's range and next to full neighbours.
contract PackingTest is Test {
    uint256 private constant MAX_ROUND = type(uint32).max;

    /// @dev One run in four each: 0, 1, the type's end, anything.
    function _ends(uint256 value, uint256 bits) private pure returns (uint256) {
        uint256 max = (uint256(1) << bits) - 1;
        uint256 kind = value >> 254;
        return kind == 0 ? 0 : kind == 1 ? max : kind == 2 ? 1 : value & max;
    }

    function testFuzz_laneGivesBackWhatItHolds(uint256 b, uint256 r, uint256 i, uint256 f, uint256 s)
        public
        pure
    {
        uint96 balance = uint96(_ends(b, 96));
        uint32 round = uint32(bound(_ends(r, 32), 0, type(uint32).max - 1)); // the round is kept plus one
        (uint32 index, uint64 fee, uint32 size) =
            (uint32(_ends(i, 32)), uint64(_ends(f, 64)), uint32(_ends(s, 32)));
        Lane lane = Lane.wrap(0).credit(balance).withBid(round, index, fee, size);
        assertTrue(lane.hasBid());
        assertEq(lane.balance(), balance);
        assertEq(lane.round(), round);
        assertEq(lane.index(), index);
        assertEq(lane.fee(), fee);
        assertEq(lane.size(), size);
        assertEq(Lane.unwrap(lane.debit(balance)), Lane.unwrap(lane) & type(uint160).max);
        assertFalse(lane.withoutBid().hasBid());
        assertEq(lane.withoutBid().balance(), balance);
    }

    function testFuzz_laneCountsCreditsAndDebits(uint96 a, uint96 b, uint96 c) public {
        Lane lane =
            Lane.wrap(0).withBid(type(uint32).max - 1, type(uint32).max, type(uint64).max, 1).credit(a);
        if (uint256(a) + b > type(uint96).max) {
            vm.expectRevert(abi.encodeWithSelector(LaneLib.BalanceOverflow.selector, a, b));
            this.credit(lane, b);
            return;
        }
        lane = lane.credit(b);
        uint256 total = uint256(a) + b;
        if (c > total) {
            vm.expectRevert();
            this.debit(lane, c);
            return;
        }
        lane = lane.debit(c);
        assertEq(lane.balance(), total - c);
        assertEq(lane.fee(), type(uint64).max);
    }

    function testFuzz_offerGivesBackWhatItHolds(uint256 f, uint256 g, uint256 c, uint256 n) public pure {
        (uint32 first, uint32 free, uint64 cost) =
            (uint32(_ends(f, 32)), uint32(_ends(g, 32)), uint64(_ends(c, 64)));
        uint32 current = uint32(bound(_ends(n, 32), 1, MAX_ROUND - 1));
        Offer offer = OfferLib.create(first).withCost(cost, current);
        assertEq(offer.costBefore(), type(uint64).max);
        assertEq(offer.costAt(current), type(uint64).max);
        assertEq(offer.costAt(current + 1), cost);
        assertEq(offer.costFrom(), uint256(current) + 1);
        assertEq(offer.freeAt(0), first);
        Offer changed = offer.withFree(free, current);
        assertEq(changed.free(), free);
        assertEq(changed.freeAt(current), free);
        assertEq(changed.freeAt(current - 1), first);
        assertEq(changed.cost(), cost);
        assertEq(changed.costFrom(), uint256(current) + 1);
    }

    function testFuzz_offerChangedTwiceInARoundKeepsItsClose(uint32 a, uint32 b, uint32 c, uint32 current)
        public
        pure
    {
        current = uint32(bound(current, 1, MAX_ROUND - 1));
        Offer offer = OfferLib.create(a).withFree(b, current).withFree(c, current);
        assertEq(offer.freeAt(current - 1), a);
        assertEq(offer.freeAt(current), c);
        offer = offer.withCost(b, current).withCost(c, current);
        assertEq(offer.costAt(current), type(uint64).max);
        assertEq(offer.costAt(current + 1), c);
    }

    function testFuzz_outcomeGivesBackWhatItHolds(uint256 u, uint256 i, uint256 p, uint256 q) public pure {
        (uint64 pivotFee, uint32 index) = (uint64(_ends(u, 64)), uint32(_ends(i, 32)));
        (uint256 revenue, uint256 units) = (_ends(p, 104), _ends(q, 40));
        for (uint8 m; m < 2; ++m) {
            Outcome outcome = OutcomeLib.pack(Mechanism(m), pivotFee, index, revenue, units);
            assertTrue(outcome.isSettled());
            assertEq(outcome.pivotFee(), pivotFee);
            assertEq(outcome.pivotIndex(), index);
            assertEq(outcome.revenue(), revenue);
            assertEq(outcome.units(), units);
        }
    }

    function testFuzz_refundIsTheLockOrTheDifference(
        uint64 price,
        uint32 pivot,
        uint64 fee,
        uint32 size,
        uint32 index
    ) public pure {
        Outcome outcome = OutcomeLib.pack(Mechanism.Core, price, pivot, 0, 0);
        uint256 refund = outcome.refund(fee, size, index);
        bool wins = fee > price || (fee == price && index < pivot);
        assertEq(refund, wins ? (uint256(fee) - price) * size : uint256(fee) * size);
        outcome = OutcomeLib.pack(Mechanism.AverageFee, price, pivot, 0, 0);
        assertEq(outcome.refund(fee, size, index), wins ? 0 : uint256(fee) * size);
    }

    function testFuzz_takeoverGivesBackEveryTaker(uint8[16] memory seats, uint40 deadline, uint256 n)
        public
        pure
    {
        n = bound(n, 1, 16);
        Takeover takeover;
        for (uint256 i; i < n; ++i) {
            takeover = takeover.push(seats[i], deadline);
        }
        assertEq(takeover.count(), n);
        assertEq(takeover.deadline(), deadline);
        for (uint256 i; i < n; ++i) {
            assertEq(takeover.taker(i), seats[i]);
        }
    }

    function testFuzz_bidWordGivesBackWhatItHolds(uint256 f, uint256 s, uint256 t) public pure {
        (uint64 fee, uint32 size, uint160 ticket) =
            (uint64(_ends(f, 64)), uint32(_ends(s, 32)), uint160(_ends(t, 160)));
        BidWord word = BidWordLib.pack(fee, size, ticket);
        assertEq(word.fee(), fee);
        assertEq(word.size(), size);
        assertEq(word.cost(), uint256(fee) * size);
        assertEq(uint160(uint256(BidWord.unwrap(word))), ticket);
    }

    function testFuzz_marketIdCarriesItsParameters(
        bytes32 hash,
        uint256 g,
        uint256 p,
        uint256 f,
        uint256 m,
        bool isSealed
    ) public pure {
        (uint40 genesis, uint24 period, uint32 fee, uint32 size) =
            (uint40(_ends(g, 40)), uint24(_ends(p, 24)), uint32(_ends(f, 32)), uint32(_ends(m, 31)));
        MarketId id = MarketIdLib.pack(hash, genesis, period, fee, isSealed, size);
        assertEq(id.isSealed(), isSealed);
        assertEq(id.genesis(), genesis);
        assertEq(id.biddingPeriod(), period);
        assertEq(id.settlementFee(), fee);
        assertEq(id.maxTaskSize(), size);
        assertEq(uint256(MarketId.unwrap(id)) >> 128, uint256(hash) >> 128);
    }

    function testFuzz_roundsFollowEachOther(uint40 genesis, uint24 period, uint32 round) public {
        period = uint24(bound(period, 1, type(uint24).max));
        round = uint32(bound(round, 0, MAX_ROUND));
        MarketId id = MarketIdLib.pack(0, genesis, period, 0, false, 1);
        uint256 close = id.closeOf(round);
        assertEq(id.roundAt(close - 1), round);
        assertEq(id.roundAt(close - period), round);
        if (round < MAX_ROUND) assertEq(id.roundAt(close), uint256(round) + 1);
        else vm.expectRevert(SafeCastLib.Overflow.selector);
        this.roundAt(id, close);
    }

    function roundAt(MarketId id, uint256 time) external pure returns (uint256) {
        return id.roundAt(time);
    }

    function credit(Lane lane, uint256 amount) external pure returns (Lane) {
        return lane.credit(amount);
    }

    function debit(Lane lane, uint256 amount) external pure returns (Lane) {
        return lane.debit(amount);
    }
}
