// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice What a seat offers, in the one slot that settlement reads:
/// `cost before (64) | cost (64) | cost from round (32) | free (32) | free before (32) | free from round (32)`.
/// Cost is the unit cost (ticks per unit); free is the capacity without an undelivered task on it (units).
/// @dev A value and the one before it are enough: a round is settled while the next one takes bids. `xBefore` counts
/// for rounds below `xFrom`, `x` from there on. A new cost counts from the round after the one it was given in. Free
/// capacity is taken at a round's close, so a change counts for the round that takes bids, never for a closed one.
type Offer is uint256;

using {
    OfferLib.costAt,
    OfferLib.cost,
    OfferLib.costBefore,
    OfferLib.costFrom,
    OfferLib.freeAt,
    OfferLib.free,
    OfferLib.withCost,
    OfferLib.withCostFor,
    OfferLib.withFree,
    OfferLib.withMoreFree,
    OfferLib.withLessFree
} for Offer global;

library OfferLib {
    /// @notice Stands for "no ask"; not a unit cost.
    uint256 internal constant NO_ASK = type(uint64).max;

    uint256 private constant COST_PART = ~uint256(type(uint96).max);

    /// @notice A seat that has never asked, all of whose capacity is free.
    function create(uint32 free_) internal pure returns (Offer) {
        return Offer.wrap((NO_ASK << 192) | (NO_ASK << 128) | (uint256(free_) << 64) | (uint256(free_) << 32));
    }

    function costBefore(Offer o) internal pure returns (uint256) {
        return Offer.unwrap(o) >> 192;
    }

    function cost(Offer o) internal pure returns (uint256) {
        return (Offer.unwrap(o) >> 128) & type(uint64).max;
    }

    function costFrom(Offer o) internal pure returns (uint256) {
        return (Offer.unwrap(o) >> 96) & type(uint32).max;
    }

    /// @return Unit cost that counts for `round`, or `NO_ASK`.
    function costAt(Offer o, uint256 round) internal pure returns (uint256) {
        return round >= o.costFrom() ? o.cost() : o.costBefore();
    }

    /// @return Capacity without an undelivered task on it, now.
    function free(Offer o) internal pure returns (uint256) {
        return (Offer.unwrap(o) >> 64) & type(uint32).max;
    }

    /// @return Capacity without an undelivered task on it, at the close of `round`.
    function freeAt(Offer o, uint256 round) internal pure returns (uint256) {
        uint256 from = Offer.unwrap(o) & type(uint32).max;
        return round >= from ? o.free() : (Offer.unwrap(o) >> 32) & type(uint32).max;
    }

    /// @notice A new unit cost given while `current` takes bids.
    /// @dev The caller has made sure that no round is left that needs a third value.
    function withCost(Offer o, uint64 cost_, uint32 current) internal pure returns (Offer) {
        uint256 part = (o.costAt(current) << 192) | (uint256(cost_) << 128) | (uint256(current + 1) << 96);
        return Offer.wrap(part | (Offer.unwrap(o) & ~COST_PART));
    }

    /// @notice The unit cost of a sealed market, which counts for `round_` alone: the book that reads it sees to that.
    function withCostFor(Offer o, uint64 cost_, uint32 round_) internal pure returns (Offer) {
        uint256 part = (NO_ASK << 192) | (uint256(cost_) << 128) | (uint256(round_) << 96);
        return Offer.wrap(part | (Offer.unwrap(o) & ~COST_PART));
    }

    /// @notice A new free capacity while `current` takes bids.
    function withFree(Offer o, uint32 free_, uint32 current) internal pure returns (Offer) {
        uint256 before = current > 0 ? o.freeAt(current - 1) : free_;
        uint256 kept = Offer.unwrap(o) & COST_PART;
        return Offer.wrap(kept | (uint256(free_) << 64) | (before << 32) | current);
    }

    /// @notice `units` more, for every round alike: a `CapacityChange` hides them from those that must not use them.
    /// @dev A round whose result is open and `units` together are within a capacity of 32 bits.
    function withMoreFree(Offer o, uint256 units) internal pure returns (Offer) {
        uint256 room = type(uint32).max - ((Offer.unwrap(o) >> 32) & type(uint32).max);
        uint256 more = (units << 64) | ((room < units ? room : units) << 32);
        return Offer.wrap(Offer.unwrap(o) + more);
    }

    /// @notice `units` less, for every round whose result is open.
    function withLessFree(Offer o, uint256 units) internal pure returns (Offer) {
        uint256 before = (Offer.unwrap(o) >> 32) & type(uint32).max;
        uint256 less = (units << 64) | ((before < units ? before : units) << 32);
        return Offer.wrap(Offer.unwrap(o) - less);
    }
}
