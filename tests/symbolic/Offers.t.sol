// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {CapacityChange, CapacityChangeLib} from "../../contracts/types/CapacityChange.sol";
import {Offer, OfferLib} from "../../contracts/types/Offer.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice What a seat offers to the round that takes bids, and to the one that closed last.
contract OffersSymbolic is Symbolic {
    function check_newCostCountsFromTheNextRoundOn(Offer o, uint64 cost, uint32 current, uint32 later)
        external
        pure
    {
        vm.assume(current < type(uint32).max && later > current);
        Offer next = o.withCost(cost, current);
        assert(next.costAt(later) == cost && next.cost() == cost);
        assert(next.costAt(current) == o.costAt(current));
        // The one that closed last keeps its cost unless a third value would be needed, which the seat's book refuses.
        assert(current == 0 || o.costFrom() == current || next.costAt(current - 1) == o.costAt(current - 1));
        assert(next.free() == o.free() && next.freeAt(later) == o.freeAt(later));
    }

    function check_newFreeCapacityCountsForTheOpenRoundAlone(
        Offer o,
        uint32 free,
        uint32 current,
        uint32 later
    ) external pure {
        vm.assume(later >= current);
        Offer next = o.withFree(free, current);
        assert(next.free() == free && next.freeAt(later) == free);
        assert(current == 0 || next.freeAt(current - 1) == o.freeAt(current - 1));
        assert(next.cost() == o.cost() && next.costBefore() == o.costBefore());
        assert(next.costFrom() == o.costFrom());
    }

    function check_costOfASealedMarketIsSetForItsRound(Offer o, uint64 cost, uint32 round) external pure {
        Offer next = o.withCostFor(cost, round);
        assert(next.costFrom() == round && next.costAt(round) == cost);
        assert(next.free() == o.free());
    }

    /// @dev What is added or leaves does so for every round alike, as far as the round had it.
    function check_moreAndLessFreeAddUp(Offer o, uint32 units, uint32 round) external pure {
        vm.assume(o.free() + units <= type(uint32).max && o.freeAt(round) + units <= type(uint32).max);
        Offer more = o.withMoreFree(units);
        assert(more.free() == o.free() + units);
        assert(more.freeAt(round) == o.freeAt(round) + units);
        Offer less = more.withLessFree(units);
        assert(less.free() == o.free() && less.freeAt(round) == o.freeAt(round));
        assert(less.cost() == o.cost() && less.costAt(round) == o.costAt(round));
    }

    function check_freeCapacityLeavesNeighboursAlone(Offer o, uint32 units, bool more) external pure {
        vm.assume(more ? o.free() + units <= type(uint32).max : o.free() >= units);
        Offer next = more ? o.withMoreFree(units) : o.withLessFree(units);
        assert(Offer.unwrap(next) >> 96 == Offer.unwrap(o) >> 96);
        assert(uint32(Offer.unwrap(next)) == uint32(Offer.unwrap(o)));
    }

    function check_changeGivesBackWhatItHolds(uint32 units, bool shrinks, uint32 round) external pure {
        vm.assume(units <= CapacityChangeLib.MAX_UNITS);
        CapacityChange c = CapacityChangeLib.pack(units, shrinks, round);
        assert(c.units() == units && c.shrinks() == shrinks && c.round() == round);
    }

    /// @dev Units that are added show from the round on, units that leave until then: of a seat of `capacity` and a change that together
    /// are its larger capacity, each round sees the capacity that counts for it.
    function check_changeHidesUnitsFromTheRightRounds(
        uint32 before,
        uint32 after_,
        uint32 from,
        uint256 round
    ) external pure {
        vm.assume(before <= CapacityChangeLib.MAX_UNITS && after_ <= CapacityChangeLib.MAX_UNITS);
        bool shrinks = after_ < before;
        uint32 larger = shrinks ? before : after_;
        CapacityChange c = CapacityChangeLib.pack(shrinks ? before - after_ : after_ - before, shrinks, from);
        assert(larger - c.hiddenAt(round) == (round < from ? before : after_));
    }
}

/// @notice What is free of a seat, counted against what it has.
contract FreeCapacitySymbolic is Symbolic {
    /// @dev Whatever changes a seat that has collateral for what is free, it has so afterwards: by as many changes as there may be.
    function check_freeNeverExceedsCapacity(
        Offer o,
        uint32 capacity,
        uint8 what,
        uint32 units,
        uint32 current
    ) external pure {
        uint256 free = o.free();
        uint256 held = capacity;
        vm.assume(held <= CapacityChangeLib.MAX_UNITS && free <= held);
        if (what == 0) {
            vm.assume(units <= free); // assigned, or taken over
            o = o.withFree(uint32(free - units), current);
        } else if (what == 1) {
            vm.assume(units <= held - free); // delivered
            o = o.withFree(uint32(free + units), current);
        } else if (what == 2) {
            vm.assume(units <= held - free); // slashed for good
            held -= units;
        } else if (what == 3) {
            vm.assume(held + units <= CapacityChangeLib.MAX_UNITS); // added
            held += units;
            o = o.withMoreFree(units);
        } else {
            vm.assume(units <= free); // released
            held -= units;
            o = o.withLessFree(units);
        }
        assert(o.free() <= held);
        // As many units as before have a task on them, unless the change is about these.
        assert(what < 3 || held - o.free() == capacity - free);
    }
}
