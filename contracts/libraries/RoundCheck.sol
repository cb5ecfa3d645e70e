// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {AssignmentTree} from "./AssignmentTree.sol";
import {IProverMarket} from "../interfaces/IProverMarket.sol";
import {BidChain} from "../types/BidChain.sol";
import {BidWord, BidWordLib} from "../types/BidWord.sol";
import {Certificate, CertificateLib} from "../types/Certificate.sol";
import {TaskLib} from "../types/Task.sol";

/// @notice The asks that count for a round, one entry per seat. Capacity 0: the seat does not take part.
struct AskBook {
    uint256[] costs;
    uint256[] capacities;
}

/// @notice What the seats show about a pivot seat: the prover side of `core` at w = number of seats before it.
struct ProverSide {
    /// Seats of the winners in ask-book order, rotated by the round.
    uint8[] winners;
    /// K_w, capacity of the winners (units).
    uint256 capacity;
    /// c_{w+1}, the pivot's unit cost: the prover price.
    uint256 price;
    /// K_{w+1}.
    uint256 nextCapacity;
    /// c_{w+2}; meaningful if `hasNext`.
    uint256 nextPrice;
    bool hasNext;
}

/// @notice A certificate with what the seats show about it.
struct Claim {
    Certificate certificate;
    AskBook asks;
    ProverSide side;
}

/// @notice State of the one pass over a round's bids. Small and free of storage, so that a settlement in pages can carry
/// it from one page to the next.
struct Pass {
    BidChain chain;
    uint256 index;
    /// Total size of the winners so far: the offset at which the next winning task starts.
    uint256 offset;
    /// demand(c_{w+1}) and demand(c_{w+2}) so far, without the reserve's own.
    uint256 demand;
    uint256 nextDemand;
    /// Size of the pivot bid, 0 until the pass meets it.
    uint256 pivotSize;
    /// Position in `ProverSide.winners` of the prover that the next task falls to, its seat, and the offsets between
    /// which tasks fall to it.
    uint256 cursor;
    uint256 seat;
    uint256 from;
    uint256 until;
    /// Capacity of the winners up to that prover.
    uint256 capacity;
    /// Units assigned to each of `ProverSide.winners` before the cursor; by `finish` to all.
    uint256[] loads;
    AssignmentTree.Frontier tree;
}

/// @notice Checks a certificate of mechanism `core` against the asks and bids of a round, without sorting. The rules and
/// their symbols are those of the mechanism document; crate `clearing` states the same check in Rust.
/// @dev The condition "K_w <= B and demand(c_{w+1}) > K_w" can only turn from true to false as w grows, since K_w grows
/// and demand(c_{w+1}) shrinks. So w is the largest that meets it if it meets it and w + 1 does not.
library RoundCheck {
    using AssignmentTree for AssignmentTree.Frontier;

    /// @notice What a market fixes for all its rounds.
    struct Terms {
        uint256 round;
        uint256 capacityCap;
        uint256 reservePrice;
    }

    function proverSide(AskBook memory book, uint256 pivot, uint256 round)
        internal
        pure
        returns (ProverSide memory side)
    {
        uint256 n = book.costs.length;
        if (pivot == CertificateLib.NO_SEAT) {
            for (uint256 i; i < n; ++i) {
                if (book.capacities[i] != 0) revert IProverMarket.WrongPivotSeat(pivot);
            }
            return side;
        }
        if (pivot >= n || book.capacities[pivot] == 0) revert IProverMarket.WrongPivotSeat(pivot);

        side.price = book.costs[pivot];
        uint8[] memory found = new uint8[](n);
        uint256 w;
        for (uint256 i; i < n; ++i) {
            uint256 capacity = book.capacities[i];
            if (capacity == 0 || i == pivot) continue;
            uint256 cost = book.costs[i];
            if (cost < side.price || (cost == side.price && i < pivot)) {
                // forge-lint: disable-next-line(unsafe-typecast) -- fewer than 129 seats
                found[w++] = uint8(i);
                side.capacity += capacity;
            } else if (!side.hasNext || cost < side.nextPrice) {
                side.hasNext = true;
                side.nextPrice = cost;
            }
        }
        side.nextCapacity = side.capacity + book.capacities[pivot];
        side.winners = new uint8[](w);
        for (uint256 k; k < w; ++k) {
            side.winners[k] = found[(round + k) % w];
        }
    }

    /// @notice The state before the first bid.
    /// @dev Without a winning prover only the pivot before which no bid ranks will do, so that no task is ever assigned.
    function start(Claim memory claim, BidChain seed) internal pure returns (Pass memory pass) {
        Certificate memory c = claim.certificate;
        uint256 w = claim.side.winners.length;
        if (w == 0 && (c.pivotFee != CertificateLib.NO_WINNER || c.pivotIndex != 0)) {
            revert IProverMarket.WrongPivotBid(c.pivotFee, c.pivotIndex);
        }
        pass.chain = seed;
        pass.loads = new uint256[](w);
        if (w != 0) _setProver(pass, claim, 0, 0);
    }

    /// @notice Goes over the next `words` of the round.
    /// @dev Demand counts fees at or above the cost alone: where the reserve price is above the cost, demand is unbounded
    /// and the count is not used. No sum overflows: sizes are 32 bits and indices are below 2^32.
    function absorb(Pass memory pass, Claim memory claim, BidWord[] calldata words) internal pure {
        (uint256 price, uint256 nextPrice) = (claim.side.price, claim.side.nextPrice);
        uint256 pivotRank = _rank(claim.certificate.pivotFee, claim.certificate.pivotIndex);
        BidChain chain = pass.chain;
        uint256 index = pass.index;
        unchecked {
            for (uint256 i; i < words.length; ++i) {
                BidWord word = BidWordLib.at(words, i);
                chain = chain.absorb(word);
                uint256 fee = word.fee();
                if (fee >= price) {
                    pass.demand += word.size();
                    if (fee >= nextPrice) pass.nextDemand += word.size();
                }
                uint256 rank = _rank(fee, index);
                if (rank > pivotRank) _assign(pass, claim, word, index);
                else if (rank == pivotRank) pass.pivotSize = word.size();
                ++index;
            }
        }
        pass.chain = chain;
        pass.index = index;
    }

    /// @notice Whether the certificate is the round's, after the pass over all its bids.
    function finish(Pass memory pass, Claim memory claim, BidChain bids, Terms memory terms) internal pure {
        Certificate memory c = claim.certificate;
        if (!pass.chain.equals(bids)) revert IProverMarket.WrongBids(terms.round);
        _requireLargestW(pass, claim.side, c, terms);
        _requirePivotBid(pass, claim.side, c, terms);
        if (pass.offset != c.units) revert IProverMarket.WrongUnits(c.units, pass.offset);
        if (pass.loads.length != 0) pass.loads[pass.cursor] = pass.offset - pass.from;
    }

    /// @dev A task belongs to the prover whose interval holds its offset.
    function _assign(Pass memory pass, Claim memory claim, BidWord word, uint256 index) private pure {
        uint256 offset = pass.offset;
        if (offset >= pass.until) _nextProver(pass, claim, offset);
        unchecked {
            pass.offset = offset + word.size(); // see `absorb`
        }
        pass.tree.push(TaskLib.leaf(word, index, pass.seat));
    }

    /// @dev Moves the cursor to the prover that the task at `offset` falls to. With a wrong claim of the units the walk
    /// could run off the winners; it stops at the last one, and `finish` refuses the claim.
    function _nextProver(Pass memory pass, Claim memory claim, uint256 offset) private pure {
        uint256 last = claim.side.winners.length - 1;
        pass.loads[pass.cursor] = offset - pass.from;
        while (offset >= pass.until && pass.cursor < last) {
            _setProver(pass, claim, pass.cursor + 1, offset);
        }
    }

    /// @dev The task at offset o belongs to the prover whose interval of the winners' capacity K, scaled to the batch Q,
    /// contains floor(o * K / Q): the first up to which the capacity E has o * K < E * Q, so o < ceil(E * Q / K).
    /// Capacities are below 2^40 in sum and units below 2^64, so nothing overflows.
    function _setProver(Pass memory pass, Claim memory claim, uint256 cursor, uint256 offset) private pure {
        uint256 seat = claim.side.winners[cursor];
        (pass.cursor, pass.seat, pass.from) = (cursor, seat, offset);
        pass.capacity += claim.asks.capacities[seat];
        pass.until = FixedPointMathLib.divUp(pass.capacity * claim.certificate.units, claim.side.capacity);
    }

    /// @dev Bids compare as their ranks do: the higher fee first, of equal fees the lower index. Indices are 32 bits.
    function _rank(uint256 fee, uint256 index) private pure returns (uint256) {
        unchecked {
            return (fee << 32) | (type(uint32).max - index);
        }
    }

    function _requireLargestW(
        Pass memory pass,
        ProverSide memory side,
        Certificate memory c,
        Terms memory terms
    ) private pure {
        if (c.pivotSeat == CertificateLib.NO_SEAT) return;
        uint256 reserve = terms.reservePrice;
        bool holds = side.winners.length == 0
            || (side.capacity <= terms.capacityCap
                && (_isUnbounded(side.price, reserve) || pass.demand > side.capacity));
        bool nextHolds = side.hasNext && side.nextCapacity <= terms.capacityCap
            && (_isUnbounded(side.nextPrice, reserve) || pass.nextDemand > side.nextCapacity);
        if (!holds || nextHolds) revert IProverMarket.WrongPivotSeat(c.pivotSeat);
    }

    function _requirePivotBid(
        Pass memory pass,
        ProverSide memory side,
        Certificate memory c,
        Terms memory terms
    ) private pure {
        if (side.winners.length == 0) return; // `start` has checked it
        bool right = c.pivotIndex == CertificateLib.VIRTUAL_PIVOT
            ? c.pivotFee == terms.reservePrice
            : pass.pivotSize != 0 && c.pivotFee >= terms.reservePrice
                && pass.offset + pass.pivotSize > side.capacity;
        if (!right || pass.offset > side.capacity) {
            revert IProverMarket.WrongPivotBid(c.pivotFee, c.pivotIndex);
        }
    }

    /// @dev The reserve buys any quantity at its price.
    function _isUnbounded(uint256 price, uint256 reserve) private pure returns (bool) {
        return reserve != 0 && price <= reserve;
    }
}
