// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";
import {IProverMarket} from "../interfaces/IProverMarket.sol";
import {AskBook} from "../libraries/RoundCheck.sol";
import {MarketId} from "../types/MarketId.sol";
import {MarketParams} from "../types/MarketParams.sol";
import {Offer, OfferLib} from "../types/Offer.sol";
import {BidBook} from "./BidBook.sol";

/// @notice The provers' seats: registered capacity, the collateral behind it, and standing asks.
/// @dev Of a seat's registered capacity, `free` units have no undelivered task on them. A task occupies its size until
/// it ends: delivered, the units are free again; slashed, they and their collateral are gone. So collateral always
/// covers every open task, and what a slash takes was never on offer to a later round.
abstract contract SeatBook is BidBook {
    struct Seat {
        address prover;
        uint32 capacity;
        Offer offer;
    }

    mapping(MarketId => Seat[]) private _seats;

    /// @inheritdoc IProverMarket
    function register(MarketId id, uint32 capacity, uint64 cost) external payable returns (uint256 seat) {
        _depositValue(id);
        MarketParams storage market = _existing(id);
        uint256 minimum = _minFree(id);
        if (capacity < minimum) revert CapacityTooSmall(capacity, minimum);
        _requireCost(cost);
        uint32 current = id.roundAt(block.timestamp);
        seat = _takeSeat(id, market.maxSeats);

        _debit(id, msg.sender, uint256(capacity) * market.collateralPerUnit);
        _seats[id][seat] = Seat(msg.sender, capacity, OfferLib.create(capacity).withCost(cost, current));

        emit SeatRegistered(id, seat, msg.sender, capacity, cost, current + 1);
    }

    /// @inheritdoc IProverMarket
    function ask(MarketId id, uint256 seat, uint64 cost) external {
        _requireOwner(id, seat);
        _requireCost(cost);
        uint256 from = _changeCost(id, seat, cost);
        emit AskSubmitted(id, seat, cost, from);
    }

    /// @inheritdoc IProverMarket
    function leave(MarketId id, uint256 seat) external {
        _requireOwner(id, seat);
        uint256 from = _changeCost(id, seat, OfferLib.NO_ASK);
        emit SeatLeft(id, seat, from);
    }

    /// @inheritdoc IProverMarket
    function releaseSeat(MarketId id, uint256 seat) external returns (uint256 collateral) {
        _requireOwner(id, seat);
        Seat storage s = _seats[id][seat];
        Offer offer = s.offer;
        uint256 capacity = s.capacity;
        // A cost counts from round 1 at the earliest.
        if (offer.cost() != OfferLib.NO_ASK || !_isResolved(id, offer.costFrom() - 1)) {
            revert SeatStillAsking(seat);
        }
        if (offer.free() != capacity) revert SeatHasOpenTasks(seat, capacity - offer.free());

        collateral = capacity * _market(id).collateralPerUnit;
        _seats[id][seat] = Seat(address(0), 0, OfferLib.create(0));
        _credit(id, msg.sender, collateral);

        emit SeatReleased(id, seat, msg.sender, collateral);
    }

    /// @inheritdoc IProverMarket
    function seatCount(MarketId id) external view returns (uint256) {
        return _seats[id].length;
    }

    /// @inheritdoc IProverMarket
    function seatOf(MarketId id, uint256 seat)
        external
        view
        returns (address prover, uint256 capacity, Offer offer)
    {
        Seat storage s = _seats[id][seat];
        return (s.prover, s.capacity, s.offer);
    }

    // ------------------------------------------------------------------------------------------ for other books

    /// @notice The asks that count for `round`, as they stood at its close.
    /// @dev An assignment exceeds the exact share of a prover by less than one task, so a seat offers that much less
    /// than it has free, and takes part only if it could still hold the largest task.
    function _asksAt(MarketId id, uint256 round) internal view returns (AskBook memory book) {
        Seat[] storage seats = _seats[id];
        uint256 n = seats.length;
        uint256 minFree = _minFree(id);
        uint256 margin = id.maxTaskSize() - 1;
        book.costs = new uint256[](n);
        book.capacities = new uint256[](n);
        for (uint256 i; i < n; ++i) {
            Offer offer = seats[i].offer;
            uint256 cost = offer.costAt(round);
            uint256 free = offer.freeAt(round);
            if (cost == OfferLib.NO_ASK || free < minFree) continue;
            book.costs[i] = cost;
            book.capacities[i] = free - margin;
        }
    }

    function _proverOf(MarketId id, uint256 seat) internal view returns (address) {
        return _seats[id][seat].prover;
    }

    /// @notice Puts `units` of tasks on a seat.
    function _occupy(MarketId id, uint256 seat, uint256 units) internal {
        Offer offer = _seats[id][seat].offer;
        _setFree(id, seat, offer.free() - units);
    }

    /// @notice Puts a taken-over task on a seat of the caller, unless the capacity could still be won by a round that is
    /// closed and not settled.
    function _occupyByTakeover(MarketId id, uint256 seat, uint256 units) internal {
        _requireOwner(id, seat);
        Offer offer = _seats[id][seat].offer;
        uint256 current = id.roundAt(block.timestamp);
        uint256 free = offer.free();
        if (current > 0 && !_isResolved(id, current - 1) && offer.costAt(current - 1) != OfferLib.NO_ASK) {
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

    // ------------------------------------------------------------------------------------------------- internals

    /// @dev Free capacity that a seat needs to take part in a round: an offer of one largest task, and the margin.
    function _minFree(MarketId id) private pure returns (uint256) {
        return 2 * id.maxTaskSize() - 1;
    }

    function _setFree(MarketId id, uint256 seat, uint256 free) private {
        Seat storage s = _seats[id][seat];
        s.offer = s.offer.withFree(SafeCastLib.toUint32(free), id.roundAt(block.timestamp));
    }

    function _changeCost(MarketId id, uint256 seat, uint256 cost) private returns (uint256 from) {
        Offer offer = _seats[id][seat].offer;
        uint32 current = id.roundAt(block.timestamp);
        // Two numbers of rounds, not a balance: equal is what is meant.
        // slither-disable-next-line incorrect-equality
        if (offer.costFrom() == current && !_isResolved(id, current - 1)) {
            revert AskFrozen(current - 1, _market(id).settleBy(id, current - 1));
        }
        // forge-lint: disable-next-line(unsafe-typecast) -- a `uint64` or `NO_ASK`
        _seats[id][seat].offer = offer.withCost(uint64(cost), current);
        return current + 1;
    }

    function _takeSeat(MarketId id, uint256 maxSeats) private returns (uint256 seat) {
        Seat[] storage seats = _seats[id];
        uint256 n = seats.length;
        for (seat = 0; seat < n; ++seat) {
            if (seats[seat].prover == address(0)) return seat;
        }
        if (n >= maxSeats) revert NoSeatLeft(maxSeats);
        seats.push();
    }

    function _requireOwner(MarketId id, uint256 seat) private view {
        Seat[] storage seats = _seats[id];
        if (seat >= seats.length || seats[seat].prover != msg.sender) revert NotSeatOwner(seat, msg.sender);
    }

    function _requireCost(uint256 cost) private pure {
        if (cost == OfferLib.NO_ASK) revert InvalidCost(cost);
    }
}
