// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MoneyMirror} from "./MoneyMirror.sol";

/// @notice The provers' seats.
abstract contract SeatMirror is MoneyMirror {
    struct Seat {
        address prover;
        uint32 capacity;
        uint32 free;
        /// Free units at the close of the round that closed last, as far as that round may still use them.
        uint32 freeAtClose;
        /// Unit cost from a round on, and before it.
        uint64 cost;
        uint64 costBefore;
        uint32 costFrom;
        /// A change of capacity by so many units that counts from a round on.
        uint32 changeUnits;
        uint32 changeFrom;
        bool shrinks;
    }

    Seat[] internal seats;

    function _collateral() internal view override returns (uint256 sum) {
        for (uint256 i; i < seats.length; ++i) {
            sum += seats[i].capacity;
        }
        return sum * params.collateralPerUnit;
    }

    /// @dev Notes what each seat asks and has free at a round's close.
    function _noteClose(uint256 round) internal override {
        for (uint256 i; i < seats.length; ++i) {
            Seat storage s = seats[i];
            s.freeAtClose = s.free;
            uint256 hidden = s.shrinks == (round >= s.changeFrom) ? s.changeUnits : 0;
            uint256 cost = _isSealed() ? NO_ASK : _costAt(s, round);
            noteAsk(round, cost, s.free > hidden ? s.free - hidden : 0);
        }
    }

    function _costAt(Seat storage s, uint256 round) internal view returns (uint256) {
        return round >= s.costFrom ? s.cost : s.costBefore;
    }

    // ----------------------------------------------------------------------------------------------------- choices

    /// @dev The seat that the next prover gets: the smallest that has no capacity.
    function _nextSeat() internal view returns (uint256 seat_) {
        while (seat_ < seats.length && seats[seat_].capacity != 0) {
            ++seat_;
        }
    }

    /// @return seat_ A seat that somebody has, or `seats.length`.
    function _anySeat() internal returns (uint256 seat_) {
        uint256 n = seats.length;
        if (n == 0) return 0;
        uint256 start = _draw(n);
        for (uint256 i; i < n; ++i) {
            seat_ = (start + i) % n;
            if (seats[seat_].prover != address(0)) return seat_;
        }
        return n;
    }

    /// @dev What a takeover can use of a seat: not what the round that closed last may still win.
    function _freeForTakeover(uint256 seat_) internal view returns (uint256) {
        Seat storage s = seats[seat_];
        uint256 current = openRound();
        if (current == 0 || isResolved(current - 1)) return s.free;
        if (!_isSealed() && _costAt(s, current - 1) == NO_ASK) return s.free;
        return s.free > s.freeAtClose ? s.free - s.freeAtClose : 0;
    }

    function _canChange(Seat storage s) internal view returns (bool) {
        if (s.changeUnits == 0) return true;
        return !s.shrinks && isResolved(s.changeFrom - 1);
    }

    function _canRelease(Seat storage s) internal view returns (bool) {
        if (!s.shrinks || s.changeUnits == 0) return s.capacity == 0;
        uint256 gone = s.changeUnits < s.capacity ? s.changeUnits : s.capacity;
        return isResolved(s.changeFrom - 1) && s.free >= gone;
    }

    // -------------------------------------------------------------------------------------------------- bookings

    function _register(address prover, uint32 units, uint64 cost) internal returns (bool ok) {
        uint256 price = uint256(units) * params.collateralPerUnit + params.seatFee;
        uint256 seat_ = _nextSeat();
        bool fits = seat_ < params.maxSeats && units >= params.minSeatCapacity
            && units <= params.capMin + params.maxTaskSize - 1;
        if (_isSealed()) cost = uint64(NO_ASK);
        if (fits) _fundFor(prover, price);
        ok = _try(prover, abi.encodeCall(market.register, (id, units, cost)));
        require(
            ok == (fits && balances[prover] >= price),
            "a seat is given exactly while there is one, for its price"
        );
        if (!ok) return false;
        balances[prover] -= price;
        surplus += params.seatFee;
        if (seat_ == seats.length) seats.push();
        uint32 current = openRound();
        seats[seat_] = Seat({
            prover: prover,
            capacity: units,
            free: units,
            freeAtClose: units,
            cost: cost,
            costBefore: uint64(NO_ASK),
            costFrom: current + 1,
            changeUnits: units,
            changeFrom: current + params.capacityDelay,
            shrinks: false
        });
    }

    function _changeTo(uint256 seat_, uint32 units) internal returns (bool ok) {
        Seat storage s = seats[seat_];
        address prover = s.prover;
        bool grows = units > s.capacity;
        uint256 price = grows ? (units - s.capacity) * params.collateralPerUnit : 0;
        bool fits = units != s.capacity && _canChange(s)
            && (units == 0
                || (units >= params.minSeatCapacity && units <= params.capMin + params.maxTaskSize - 1));
        if (fits) _fundFor(prover, price);
        ok = _try(prover, abi.encodeCall(market.changeCapacity, (id, seat_, units)));
        require(ok == (fits && balances[prover] >= price), "capacity changes exactly when nothing waits");
        if (!ok) return false;
        balances[prover] -= price;
        (s.shrinks, s.changeFrom) = (!grows, openRound() + params.capacityDelay);
        s.changeUnits = grows ? units - s.capacity : s.capacity - units;
        if (grows) {
            s.free += s.changeUnits;
            s.freeAtClose += s.changeUnits;
            s.capacity = units;
        }
    }

    function _giveBack(uint256 seat_) internal returns (bool ok) {
        Seat storage s = seats[seat_];
        address prover = s.prover;
        ok = _try(prover, abi.encodeCall(market.releaseCapacity, (id, seat_)));
        require(ok == _canRelease(s), "capacity comes back exactly when nothing needs it");
        if (!ok) return false;
        uint32 gone = s.changeUnits < s.capacity ? s.changeUnits : s.capacity;
        if (!s.shrinks) gone = s.capacity;
        balances[prover] += uint256(gone) * params.collateralPerUnit;
        (s.changeUnits, s.changeFrom, s.shrinks) = (0, 0, false);
        s.capacity -= gone;
        s.free -= gone;
        s.freeAtClose -= s.freeAtClose < gone ? s.freeAtClose : gone;
        if (s.capacity == 0) delete seats[seat_];
    }

    /// @dev A task of `units` ends on a seat that did not deliver it and loses `loss` ticks: as few units as cover it leave, and
    /// what they held beyond it is the prover's.
    function _slash(uint256 seat_, uint256 units, uint256 loss) internal {
        Seat storage s = seats[seat_];
        uint256 perUnit = params.collateralPerUnit;
        uint256 gone = (loss + perUnit - 1) / perUnit;
        s.capacity -= uint32(gone);
        s.free += uint32(units - gone);
        balances[s.prover] += gone * perUnit - loss;
    }
}
