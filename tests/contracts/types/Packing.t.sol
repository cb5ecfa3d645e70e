// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";
import {BidChain, BidChainLib} from "../../../contracts/types/BidChain.sol";
import {BidWord, BidWordLib} from "../../../contracts/types/BidWord.sol";
import {Lane, LaneLib} from "../../../contracts/types/Lane.sol";
import {MarketId, MarketIdLib} from "../../../contracts/types/MarketId.sol";
import {Mechanism} from "../../../contracts/types/Mechanism.sol";
import {Offer, OfferLib} from "../../../contracts/types/Offer.sol";
import {Digest, Outcome, OutcomeLib} from "../../../contracts/types/Outcome.sol";
import {Takeover, TakeoverLib} from "../../../contracts/types/Takeover.sol";

/// @notice Every packed type gives back what was put in, up to the ends of each field's range and next to full neighbours.
contract PackingTest is Test {
    uint256 private constant MAX_ROUND = type(uint32).max;
    /// Last round of a market.
    uint256 private constant LAST_ROUND = 2 ** 28 - 1;

    /// @dev One run in four each: 0, 1, the type's end, anything.
    function _ends(uint256 value, uint256 bits) private pure returns (uint256) {
        uint256 max = (uint256(1) << bits) - 1;
        uint256 kind = value >> 254;
        return kind == 0 ? 0 : kind == 1 ? max : kind == 2 ? 1 : value & max;
    }

    /// @dev Balance, round, index, number, fee, size.
    function testFuzz_laneGivesBackWhatItHolds(uint256[6] memory v) public pure {
        uint256 balance = _ends(v[0], 96);
        uint256 round = _ends(v[1], 28);
        (uint256 index, uint256 fee) = (_ends(v[2], 24), _ends(v[4], 64));
        uint256 count = _ends(v[3], 14);
        if (count == 0) count = 1; // an entry has at least one bid
        uint256 size = _ends(v[5], 31);
        Lane lane = Lane.wrap(0).credit(balance).withBid(round, index, count, fee, size);
        assertTrue(lane.hasBid());
        assertEq(lane.balance(), balance);
        assertEq(lane.round(round & 1), round);
        assertEq(lane.index(), index);
        assertEq(lane.count(), count);
        assertEq(lane.fee(), fee);
        assertEq(lane.size(), size);
        assertEq(Lane.unwrap(lane.withBalance(0)), Lane.unwrap(lane) & type(uint160).max);
        assertFalse(lane.withoutBid().hasBid());
        assertEq(lane.withoutBid().balance(), balance);
    }

    function testFuzz_RevertWhen_ALaneCannotCountTheBalance(uint256 balance) public {
        balance = bound(balance, uint256(type(uint96).max) + 1, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(LaneLib.BalanceOverflow.selector, balance, 0));
        this.checkBalance(balance);
    }

    function test_laneCountsTheLargestBalance() public pure {
        assertEq(LaneLib.checkBalance(type(uint96).max), type(uint96).max);
    }

    function testFuzz_laneCountsCreditsAndKeepsItsBid(uint96 a, uint96 b, uint96 c) public {
        Lane lane = Lane.wrap(0)
            .withBid(2 ** 28 - 1, type(uint24).max, 2 ** 14 - 1, type(uint64).max, 2 ** 31 - 1).credit(a);
        if (uint256(a) + b > type(uint96).max) {
            vm.expectRevert(abi.encodeWithSelector(LaneLib.BalanceOverflow.selector, a, b));
            this.credit(lane, b);
            return;
        }
        lane = lane.credit(b);
        uint256 total = uint256(a) + b;
        assertEq(lane.balance(), total);
        assertEq(LaneLib.checkBalance(total), total);
        lane = lane.withBalance(c);
        assertEq(lane.balance(), c);
        assertEq(lane.fee(), type(uint64).max);
        assertEq(lane.round(1), 2 ** 28 - 1);
        assertEq(lane.count(), 2 ** 14 - 1);
        assertEq(lane.size(), 2 ** 31 - 1);
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

    function test_offerChangedInTheFirstRoundHasNoCloseBefore() public pure {
        Offer offer = OfferLib.create(7).withFree(5, 0);
        assertEq(offer.free(), 5);
        assertEq(offer.freeAt(0), 5);
    }

    /// @dev More than a seat has room for is never what a round reads: a `CapacityChange` hides it.
    function testFuzz_moreFreeStopsAtTheEndOfItsField(uint32 first, uint32 now_, uint32 more) public pure {
        now_ = uint32(bound(now_, 0, type(uint32).max - more));
        Offer offer = OfferLib.create(first).withFree(now_, 1).withMoreFree(more);
        assertEq(offer.free(), uint256(now_) + more);
        uint256 before = uint256(first) + more;
        assertEq(offer.freeAt(0), before > type(uint32).max ? type(uint32).max : before);
        assertEq(offer.costAt(0), OfferLib.NO_ASK);
    }

    function testFuzz_lessFreeStopsAtNothing(uint32 first, uint32 now_, uint32 less) public pure {
        now_ = uint32(bound(now_, less, type(uint32).max));
        Offer offer = OfferLib.create(first).withFree(now_, 1).withLessFree(less);
        assertEq(offer.free(), now_ - less);
        assertEq(offer.freeAt(0), first < less ? 0 : first - less);
        assertEq(offer.costAt(0), OfferLib.NO_ASK);
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

    /// @dev The bids of a lot one by one, against the lot.
    function testFuzz_refundIsTheLockOrTheDifference(
        uint64 price,
        uint32 pivot,
        uint64 fee,
        uint32 size,
        uint32 index,
        uint8 count
    ) public pure {
        if (count > 64) fee = price;
        index = uint32(bound(index, 0, type(uint32).max - 255));
        if (count % 2 == 0) pivot = index + count / 2;
        uint256 core;
        uint256 average;
        uint256 winners;
        for (uint256 i; i < count; ++i) {
            bool wins = fee > price || (fee == price && index + i < pivot);
            if (wins) ++winners;
            core += wins ? (uint256(fee) - price) * size : uint256(fee) * size;
            average += wins ? 0 : uint256(fee) * size;
        }
        Outcome outcome = OutcomeLib.pack(Mechanism.Core, price, pivot, 0, 0);
        assertEq(outcome.winners(fee, index, count), winners);
        assertEq(outcome.refund(fee, size, index, count), core);
        outcome = OutcomeLib.pack(Mechanism.AverageFee, price, pivot, 0, 0);
        assertEq(outcome.refund(fee, size, index, count), average);
    }

    /// @dev Wherever the digest decides, it says what the outcome says; and it decides all but ties, the dearest pivots, and in `core` one for nothing.
    function testFuzz_digestSaysWhatTheOutcomeSays(
        uint64 pivotFee,
        uint32 pivot,
        uint64 fee,
        uint32 size,
        uint32 index,
        uint24 count
    ) public pure {
        uint256 kind = count % 4;
        if (kind == 1) pivotFee = uint64(pivotFee % 2 ** 31);
        if (kind == 2) pivotFee = uint64(2 ** 31 - 3 + pivotFee % 5);
        if (kind == 3) (pivotFee, fee) = (pivotFee % 8, fee % 8);
        for (uint8 m; m < 2; ++m) {
            Outcome outcome = OutcomeLib.pack(Mechanism(m), pivotFee, pivot, 0, 0);
            Digest digest = outcome.digest();
            bool named = pivotFee < 2 ** 31 && (pivotFee != 0 || Mechanism(m) == Mechanism.AverageFee);
            assertEq(digest.decides(fee), named && fee != pivotFee);
            if (!digest.decides(fee)) continue;
            assertEq(digest.refund(fee, size, count), outcome.refund(fee, size, index, count));
        }
        assertFalse(Outcome.wrap(0).digest().decides(fee));
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

    function testFuzz_bidWordGivesBackWhatItHolds(uint256 f, uint256 s, uint256 n, uint256 t) public pure {
        (uint64 fee, uint32 size, uint16 lot, uint144 ticket) =
            (uint64(_ends(f, 64)), uint32(_ends(s, 32)), uint16(_ends(n, 16)), uint144(_ends(t, 144)));
        BidWord word = BidWordLib.pack(fee, size, lot, ticket);
        assertEq(word.fee(), fee);
        assertEq(word.size(), size);
        assertEq(word.count(), uint256(lot % 2 ** 15) + 1);
        assertEq(word.isTold(), lot / 2 ** 15 == 1);
        assertEq(word.ticket(), ticket);
        assertEq(word.cost(), uint256(fee) * size);
        assertEq(BidWord.unwrap(word), bytes32(abi.encodePacked(fee, size, lot, ticket)));
    }

    /// @dev The digest stays beside a hash and a count that move, and two chains are equal whatever digest each has.
    function testFuzz_bidChainKeepsItsDigest(uint32 digest_, bytes32[5] memory words, uint256 n) public view {
        BidChain plain = BidChainLib.seed(MarketId.wrap(0), n);
        BidChain chain = plain.withDigest(Digest.wrap(digest_));
        uint256 hash = uint256(keccak256(abi.encode(block.chainid, address(this), bytes32(0), n))) >> 56 << 56;
        assertEq(BidChain.unwrap(plain), hash);
        uint256 count;
        for (uint256 i; i < 5; ++i) {
            chain = chain.absorb(BidWord.wrap(words[i]));
            plain = plain.absorb(BidWord.wrap(words[i]));
            hash = uint256(keccak256(abi.encode(hash, words[i]))) >> 56 << 56;
            count += ((uint256(words[i]) >> 144) & 0x7fff) + 1;
            assertEq(chain.count(), count);
            assertEq(Digest.unwrap(chain.digest()), digest_);
            assertEq(BidChain.unwrap(chain), hash | (uint256(digest_) << 24) | count);
            assertTrue(chain.equals(plain));
            assertFalse(chain.equals(BidChain.wrap(BidChain.unwrap(chain) ^ 1)));
            assertFalse(chain.equals(BidChain.wrap(BidChain.unwrap(chain) ^ (1 << 56))));
            assertFalse(chain.equals(BidChain.wrap(BidChain.unwrap(chain) ^ (1 << 23))));
        }
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

    function test_RevertWhen_TheMarketHasLivedThroughItsRounds() public {
        MarketId id = MarketIdLib.pack(0, 1000, 12, 0, false, 1);
        uint256 end = 1000 + 12 * uint256(2 ** 28);
        assertEq(id.biddingRoundAt(end - 1), LAST_ROUND);
        assertEq(id.roundAt(end), LAST_ROUND + 1);
        vm.expectRevert(abi.encodeWithSelector(MarketIdLib.MarketOver.selector, 2 ** 28));
        this.biddingRoundAt(id, end);
    }

    function roundAt(MarketId id, uint256 time) external pure returns (uint256) {
        return id.roundAt(time);
    }

    function biddingRoundAt(MarketId id, uint256 time) external pure returns (uint256) {
        return id.biddingRoundAt(time);
    }

    function credit(Lane lane, uint256 amount) external pure returns (Lane) {
        return lane.credit(amount);
    }

    function checkBalance(uint256 balance) external pure returns (uint256) {
        return LaneLib.checkBalance(balance);
    }
}
