// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Winner, WinnerLib} from "../../contracts/clearing/Winner.sol";
import {BidChain, BidChainLib} from "../../contracts/types/BidChain.sol";
import {BidWord, BidWordLib} from "../../contracts/types/BidWord.sol";
import {CircuitId, toCircuitId} from "../../contracts/types/CircuitId.sol";
import {DeliveryHead} from "../../contracts/types/Delivery.sol";
import {MarketId, MarketIdLib} from "../../contracts/types/MarketId.sol";
import {Mechanism} from "../../contracts/types/Mechanism.sol";
import {Digest, Outcome, OutcomeLib} from "../../contracts/types/Outcome.sol";
import {Stake, StakeLib} from "../../contracts/types/Sealed.sol";
import {Takeover} from "../../contracts/types/Takeover.sol";
import {Terms, TermsLib} from "../../contracts/types/Terms.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice Every packed word gives back what was put in, whatever its neighbours hold.
contract PackingSymbolic is Symbolic {
    function check_bidWordGivesBackWhatItHolds(uint64 fee, uint32 size, uint16 lot, uint144 ticket)
        external
        pure
    {
        BidWord word = BidWordLib.pack(fee, size, lot, ticket);
        assert(word.fee() == fee && word.size() == size && word.ticket() == ticket);
        assert(word.isTold() == (lot >= 1 << 15));
        assert(word.count() == uint256(lot & 0x7fff) + 1);
    }

    /// @dev From the layout as documented.
    function check_deliveryHeadGivesBackWhatItHolds(
        uint16 runBefore,
        uint16 runAfter,
        uint16 lot,
        uint16 position,
        uint8 statementPath,
        uint32 index,
        uint64 fee,
        uint8 seat,
        uint8 path,
        uint16 anchor,
        uint56 junk
    ) external pure {
        bytes memory packed = abi.encodePacked(
            junk, runBefore, runAfter, lot, position, statementPath, index, fee, seat, path, anchor
        );
        DeliveryHead head = DeliveryHead.wrap(uint256(bytes32(packed)));
        assert(head.runBefore() == runBefore && head.runAfter() == runAfter);
        assert(head.lot() == lot && head.isTold() == (lot >> 15 == 1));
        assert(head.position() == position && head.statementPathLength() == statementPath);
        assert(head.index() == index && head.fee() == fee && head.seat() == seat);
        assert(head.pathLength() == path && head.anchor() == anchor);
    }

    /// @dev A taker more changes the deadline and no taker before it.
    function check_takeoverRemembersEveryTaker(
        uint128 takers,
        uint8 count,
        uint40 before,
        uint8 seat,
        uint40 deadline,
        uint8 i
    ) external pure {
        vm.assume(count < 16 && i <= count);
        // What `count` takers leave.
        vm.assume(takers >> (8 * uint256(count)) == 0);
        Takeover t = Takeover.wrap((uint256(before) << 136) | (uint256(count) << 128) | takers);
        assert(t.count() == count && t.deadline() == before);
        Takeover next = t.push(seat, deadline);
        assert(next.count() == uint256(count) + 1 && next.deadline() == deadline);
        assert(next.taker(i) == (i == count ? seat : t.taker(i)));
    }

    function check_outcomeGivesBackWhatItHolds(
        bool averageFee,
        uint64 pivotFee,
        uint32 pivotIndex,
        uint104 revenue,
        uint40 units
    ) external pure {
        Mechanism mechanism = averageFee ? Mechanism.AverageFee : Mechanism.Core;
        Outcome o = OutcomeLib.pack(mechanism, pivotFee, pivotIndex, revenue, units);
        assert(o.isSettled());
        assert(o.pivotFee() == pivotFee && o.pivotIndex() == pivotIndex);
        assert(o.revenue() == revenue && o.units() == units);
    }

    function check_winnerGivesBackWhatItHolds(uint8 seat, uint40 capacity, uint64 end) external pure {
        Winner w = WinnerLib.pack(seat, capacity, end);
        assert(w.seat() == seat && w.capacity() == capacity && w.load() == 0);
        assert(Winner.unwrap(w) >> 136 == end);
    }

    function check_stakeGivesBackWhatItHolds(uint64 for_, uint96 deposit, uint96 bond, uint64 other)
        external
        pure
    {
        Stake s = StakeLib.pack(for_, deposit, bond);
        assert(s.deposit() == deposit && s.bond() == bond);
        assert(s.isFor(other) == (deposit != 0 && other == for_));
        assert(StakeLib.forAsk(for_ & 127) != StakeLib.BID);
    }

    function check_termsGiveBackWhatTheyHold(uint32 from, uint64 cap, uint64 reserve) external pure {
        Terms t = TermsLib.pack(from, cap, reserve);
        assert(t.fromRound() == from && t.capacityCap() == cap && t.reservePrice() == reserve);
        assert(cap == 0 || !t.isNone());
    }

    function check_circuitIdCarriesItsSize(uint32 index, uint32 units, uint32 index2, uint32 units2)
        external
        pure
    {
        CircuitId id = toCircuitId(index, units);
        assert(id.index() == index && id.units() == units);
        assert((id == toCircuitId(index2, units2)) == (index == index2 && units == units2));
    }

    function check_marketIdCarriesWhatABidNeeds(
        bytes32 hash,
        uint40 genesis,
        uint24 period,
        uint32 fee,
        bool isSealed,
        uint32 maxTaskSize
    ) external pure {
        vm.assume(maxTaskSize <= 2 ** 30);
        MarketId id = MarketIdLib.pack(hash, genesis, period, fee, isSealed, maxTaskSize);
        assert(id.genesis() == genesis && id.biddingPeriod() == period);
        assert(id.settlementFee() == fee && id.isSealed() == isSealed && id.maxTaskSize() == maxTaskSize);
        assert(uint256(MarketId.unwrap(id)) >> 128 == uint256(hash) >> 128);
    }

    /// @dev The count grows by the entry's bids, and neither it nor the hash ever reaches the digest.
    function check_bidChainCountsEveryBid(BidChain chain, BidWord word) external pure {
        vm.assume(chain.hasRoomFor(word));
        BidChain next = chain.absorb(word);
        assert(next.count() == chain.count() + word.count());
        assert(Digest.unwrap(next.digest()) == Digest.unwrap(chain.digest()));
    }

    /// @dev Only what both words and the hash before them decide: another word or another order makes another hash.
    function check_bidChainIsReadAsItWasWritten(uint256 hash, uint24 count, uint32 digest) external pure {
        BidChain chain = BidChainLib.join(hash, count);
        assert(chain.count() == count && Digest.unwrap(chain.digest()) == 0);
        BidChain with = chain.withDigest(Digest.wrap(digest));
        assert(with.count() == count && Digest.unwrap(with.digest()) == digest && with.equals(chain));
        (uint256 h, uint256 n) = with.split();
        assert(BidChain.unwrap(BidChainLib.join(h, n)) == BidChain.unwrap(chain));
    }

    function check_bidChainsAreEqualIfHashAndCountAre(BidChain a, BidChain b) external pure {
        (uint256 hashA, uint256 countA) = a.split();
        (uint256 hashB, uint256 countB) = b.split();
        assert(a.equals(b) == (hashA == hashB && countA == countB));
    }
}
