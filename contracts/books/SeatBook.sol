// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";
import {CapacityChange, CapacityChangeLib} from "../types/CapacityChange.sol";
import {MarketId} from "../types/MarketId.sol";
import {MarketParams} from "../types/MarketParams.sol";
import {Offer, OfferLib} from "../types/Offer.sol";
import {SealedBidBook} from "./SealedBidBook.sol";

/// @notice The provers' seats: registered capacity, the collateral behind it, and standing asks.
/// @dev Of a seat's registered capacity, `free` units have no undelivered task on them. A task occupies its size until
/// it ends: delivered, the units are free again; slashed, they and their collateral are gone. So collateral always
/// covers every open task, and what a slash takes was never on offer to a later round.
abstract contract SeatBook is SealedBidBook {
    struct Seat {
        address prover;
        uint32 capacity;
        CapacityChange change;
        Offer offer;
    }

    mapping(MarketId => Seat[]) private _seats;
    mapping(MarketId => mapping(address prover => address)) private _operators;

    function _register(MarketId id, uint32 capacity, uint64 cost) internal returns (uint256 seat) {
        _depositValue(id);
        MarketParams storage market = _existing(id);
        _requireCapacity(id, market, capacity);
        // In a sealed market a cost is committed to, round by round.
        if (id.isSealed() != (cost == OfferLib.NO_ASK)) revert InvalidCost(cost);
        uint32 current = id.roundAt(block.timestamp);
        seat = _takeSeat(id, market.maxSeats);
        uint256 fee = market.seatFee;

        _debit(id, msg.sender, uint256(capacity) * market.collateralPerUnit + fee);
        if (fee != 0) _creditSink(id, fee);
        Seat storage s = _seats[id][seat];
        (s.prover, s.capacity) = (msg.sender, capacity);
        s.offer = OfferLib.create(capacity).withCost(cost, current);
        uint256 from = _hide(s, capacity, false, current, market.capacityDelay);

        emit SeatRegistered(id, seat, msg.sender, capacity, cost, from);
    }

    function _ask(MarketId id, uint256 seat, uint64 cost) internal {
        _requireUnsealed(id);
        _requireActor(id, seat);
        if (cost == OfferLib.NO_ASK) revert InvalidCost(cost);
        Seat storage s = _seats[id][seat];
        uint32 current = id.roundAt(block.timestamp);
        // Two numbers of rounds, not a balance: equal is what is meant.
        // slither-disable-next-line incorrect-equality
        if (s.offer.costFrom() == current && !_isResolved(id, current - 1)) {
            revert AskFrozen(current - 1, _market(id).settleBy(id, current - 1));
        }
        s.offer = s.offer.withCost(cost, current);
        emit AskSubmitted(id, seat, cost, current + 1);
    }

    function _changeCapacity(MarketId id, uint256 seat, uint32 capacity) internal returns (uint256 from) {
        _depositValue(id);
        address prover = _requireActor(id, seat);
        MarketParams storage market = _market(id);
        if (capacity != 0) _requireCapacity(id, market, capacity);
        Seat storage s = _seats[id][seat];
        uint256 before = s.capacity;
        if (capacity == before) revert CapacityUnchanged(capacity);
        uint32 current = id.roundAt(block.timestamp);
        _requireNoChange(id, seat, s.change);

        if (capacity > before) {
            uint256 added = capacity - before;
            _debit(id, prover, added * market.collateralPerUnit);
            s.capacity = capacity;
            s.offer = s.offer.withMoreFree(added);
            from = _hide(s, added, false, current, market.capacityDelay);
        } else {
            from = _hide(s, before - capacity, true, current, market.capacityDelay);
        }

        emit CapacityChanged(id, seat, capacity, from);
    }

    function _releaseCapacity(MarketId id, uint256 seat) internal returns (uint256 collateral) {
        address prover = _requireActor(id, seat);
        Seat storage s = _seats[id][seat];
        CapacityChange change = s.change;
        Offer offer = s.offer;
        uint256 from = change.round();
        bool waits = change.shrinks() && change.units() != 0;
        // A seat that slashes have left nothing of can be given up as it is.
        if (!waits && s.capacity != 0) revert NothingToRelease(seat);
        if (waits && !_isResolved(id, from - 1)) revert CapacityStillOffered(seat, from);
        // A slash may have taken some of it meanwhile.
        uint256 gone = FixedPointMathLib.min(change.units(), s.capacity);
        uint256 free = offer.free();
        if (free < gone) revert SeatHasOpenTasks(seat, s.capacity - free);

        collateral = gone * _market(id).collateralPerUnit;
        s.change = CapacityChange.wrap(0);
        // forge-lint: disable-next-line(unsafe-typecast) -- gone <= capacity
        s.capacity -= uint32(gone);
        s.offer = offer.withLessFree(gone);
        bool left = s.capacity == 0;
        if (left) (s.prover, s.offer) = (address(0), OfferLib.create(0));
        _credit(id, prover, collateral);

        emit CapacityReleased(id, seat, prover, gone, collateral, left);
    }

    function _setOperator(MarketId id, address operator) internal {
        _operators[id][msg.sender] = operator;
        emit OperatorSet(id, msg.sender, operator);
    }

    function _operatorOf(MarketId id, address prover) internal view returns (address) {
        return _operators[id][prover];
    }

    function _seatCount(MarketId id) internal view returns (uint256) {
        return _seats[id].length;
    }

    function _seatOf(MarketId id, uint256 seat)
        internal
        view
        returns (address prover, uint256 capacity, Offer offer, CapacityChange change)
    {
        Seat storage s = _seats[id][seat];
        return (s.prover, s.capacity, s.offer, s.change);
    }

    function _asksOf(MarketId id, uint256 round)
        internal
        view
        returns (uint256[] memory costs, uint256[] memory capacities)
    {
        Seat[] storage seats = _seats[id];
        uint256 n = seats.length;
        uint256 minFree = _minFree(id);
        uint256 margin = id.maxTaskSize() - 1;
        costs = new uint256[](n);
        capacities = new uint256[](n);
        for (uint256 i; i < n; ++i) {
            Offer offer = seats[i].offer;
            uint256 cost = _costAt(id, offer, round);
            uint256 free = offer.freeAt(round);
            free = FixedPointMathLib.zeroFloorSub(free, seats[i].change.hiddenAt(round));
            // slither-disable-next-line incorrect-equality -- a mark, not a balance
            if (cost == OfferLib.NO_ASK || free < minFree) continue;
            costs[i] = cost;
            capacities[i] = free - margin;
        }
    }

    // ------------------------------------------------------------------------------------------ for other books

    function _proverOf(MarketId id, uint256 seat) internal view returns (address) {
        return _seats[id][seat].prover;
    }

    /// @notice Collateral behind a seat (ticks).
    function _collateralOf(MarketId id, uint256 seat) internal view returns (uint256) {
        return uint256(_seats[id][seat].capacity) * _market(id).collateralPerUnit;
    }

    /// @notice Sets the cost that was committed to for `round`, unless one is set already.
    function _setCostFor(MarketId id, uint256 seat, uint64 cost, uint32 round) internal {
        Seat storage s = _seats[id][seat];
        Offer offer = s.offer;
        if (_costAt(id, offer, round) != OfferLib.NO_ASK) revert AskRevealedAlready(seat, round);
        s.offer = offer.withCostFor(cost, round);
    }

    /// @notice Puts `units` of tasks on a seat.
    function _occupy(MarketId id, uint256 seat, uint256 units) internal {
        Offer offer = _seats[id][seat].offer;
        _setFree(id, seat, offer.free() - units);
    }

    /// @notice Puts a taken-over task on a seat of the caller, unless the capacity could still be won by a round that is
    /// closed and not settled.
    function _occupyByTakeover(MarketId id, uint256 seat, uint256 units) internal {
        _requireActor(id, seat);
        Offer offer = _seats[id][seat].offer;
        uint256 current = id.roundAt(block.timestamp);
        uint256 free = offer.free();
        // A sealed ask may yet be opened.
        if (
            current > 0 && !_isResolved(id, current - 1)
                && (id.isSealed() || offer.costAt(current - 1) != OfferLib.NO_ASK)
        ) {
            free = FixedPointMathLib.zeroFloorSub(free, offer.freeAt(current - 1));
        }
        if (free < units) revert CapacityTaken(free, units);
        _setFree(id, seat, offer.free() - units);
    }

    /// @notice Frees the `units` of a task that the seat has delivered.
    function _vacate(MarketId id, uint256 seat, uint256 units) internal {
        _setFree(id, seat, _seats[id][seat].offer.free() + units);
    }

    /// @notice Ends a task of `units` on a seat that did not deliver it, and takes `loss` ticks of the task's collateral.
    /// @dev As few units as cover the loss leave the seat; what they held beyond it goes to the prover's balance. The
    /// caller makes sure that the loss is at most the collateral of `units`.
    function _slash(MarketId id, uint256 seat, uint256 units, uint256 loss) internal {
        uint256 perUnit = _market(id).collateralPerUnit;
        uint256 gone = perUnit == 0 ? 0 : FixedPointMathLib.divUp(loss, perUnit);
        Seat storage s = _seats[id][seat];
        uint256 returned = gone * perUnit - loss;
        // forge-lint: disable-next-line(unsafe-typecast) -- gone <= units, which are part of the capacity
        s.capacity -= uint32(gone);
        _setFree(id, seat, s.offer.free() + units - gone);
        if (returned != 0) _credit(id, s.prover, returned);
        emit SeatSlashed(id, seat, gone, loss, returned);
    }

    /// @return prover Who holds the seat: the caller, or somebody whose operator the caller is.
    function _requireActor(MarketId id, uint256 seat) internal view returns (address prover) {
        Seat[] storage seats = _seats[id];
        if (seat < seats.length) prover = seats[seat].prover;
        // Nobody's seat is nobody's to act for.
        bool acts = prover == msg.sender || (prover != address(0) && _operators[id][prover] == msg.sender);
        if (!acts) revert NotSeatOwner(seat, msg.sender);
    }

    // ------------------------------------------------------------------------------------------------- internals

    /// @dev Free capacity that a seat needs to take part in a round: an offer of one largest task, and the margin. An
    /// assignment exceeds the exact share of a prover by less than one task, so a seat offers that much less than it has free,
    /// and takes part only if it could still hold the largest task.
    function _minFree(MarketId id) private pure returns (uint256) {
        return 2 * id.maxTaskSize() - 1;
    }

    /// @dev What one seat offers must fit the capacity cap: a cheap seat above it would keep every round from clearing.
    function _requireCapacity(MarketId id, MarketParams storage market, uint256 capacity) private view {
        uint256 smallest = market.minSeatCapacity;
        uint256 largest =
            FixedPointMathLib.min(market.capMin + id.maxTaskSize() - 1, CapacityChangeLib.MAX_UNITS);
        if (capacity < smallest || capacity > largest) {
            revert CapacityOutOfRange(capacity, smallest, largest);
        }
    }

    /// @dev A change that still decides what an unresolved round may use cannot be replaced, nor one whose capacity has not
    /// been released.
    function _requireNoChange(MarketId id, uint256 seat, CapacityChange change) private view {
        uint256 from = change.round();
        if (change.units() != 0 && (change.shrinks() || !_isResolved(id, from - 1))) {
            revert CapacityChangePending(seat, from);
        }
    }

    function _hide(Seat storage s, uint256 units, bool shrinks, uint32 current, uint32 delay)
        private
        returns (uint256)
    {
        uint32 from = current + delay;
        s.change = CapacityChangeLib.pack(SafeCastLib.toUint32(units), shrinks, from);
        return from;
    }

    /// @dev In a sealed market a cost counts for the one round that it was committed to.
    function _costAt(MarketId id, Offer offer, uint256 round) private pure returns (uint256) {
        if (id.isSealed() && offer.costFrom() != round) return OfferLib.NO_ASK;
        return offer.costAt(round);
    }

    function _setFree(MarketId id, uint256 seat, uint256 free) private {
        Seat storage s = _seats[id][seat];
        s.offer = s.offer.withFree(SafeCastLib.toUint32(free), id.roundAt(block.timestamp));
    }

    function _takeSeat(MarketId id, uint256 maxSeats) private returns (uint256 seat) {
        Seat[] storage seats = _seats[id];
        uint256 n = seats.length;
        for (seat = 0; seat < n; ++seat) {
            // A seat that slashes have left nothing of holds no task, and is nobody's.
            if (seats[seat].capacity == 0) return seat;
        }
        if (n >= maxSeats) revert NoSeatLeft(maxSeats);
        seats.push();
    }
}
