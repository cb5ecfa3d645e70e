// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SignedActions} from "./SignedActions.sol";

/// @notice Provers come, ask, grow, shrink and leave.
abstract contract SeatActions is SignedActions {
    /// @dev Now and then with a capacity that no seat may have.
    function register(uint256 salt) external acts("register", salt) {
        uint32 units = uint32(_oneIn(8) ? _draw(15) : _between(params.minSeatCapacity, 37));
        _succeeded(_register(_anyActor(), units, uint64(_draw(12))));
    }

    /// @dev A standing ask; frozen while the one before may still be wanted.
    function ask(uint256 salt) external acts("ask", salt) {
        uint256 seat_ = _anySeat();
        if (seat_ >= seats.length) return;
        Seat storage s = seats[seat_];
        uint64 cost = uint64(_draw(12));
        uint32 current = openRound();
        bool frozen = s.costFrom == current && !isResolved(current - 1);
        bool ok = _try(s.prover, abi.encodeCall(market.ask, (id, seat_, cost)));
        require(ok == !frozen, "a cost can be changed unless two are in use");
        if (ok) (s.costBefore, s.cost, s.costFrom) = (uint64(_costAt(s, current)), cost, current + 1);
        _succeeded(ok);
    }

    /// @dev Somebody else's seat is nobody's business.
    function meddle(uint256 salt) external acts("meddle", salt) {
        uint256 seat_ = _anySeat();
        address who = _anyActor();
        if (seat_ >= seats.length || seats[seat_].prover == who) return;
        require(!_try(who, abi.encodeCall(market.ask, (id, seat_, 1))), "only its prover asks");
        require(
            !_try(who, abi.encodeCall(market.changeCapacity, (id, seat_, 20))), "only its prover changes it"
        );
        require(!_try(who, abi.encodeCall(market.releaseCapacity, (id, seat_))), "only its prover is paid");
        require(!_try(who, abi.encodeCall(market.commitAsk, (id, seat_, 0, openRound()))), "nor commits");
        _succeeded(true);
    }

    /// @dev One in five leaves.
    function changeCapacity(uint256 salt) external acts("changeCapacity", salt) {
        uint256 seat_ = _anySeat();
        if (seat_ >= seats.length) return;
        _succeeded(_changeTo(seat_, _oneIn(5) ? 0 : uint32(_between(params.minSeatCapacity, 37))));
    }

    function releaseCapacity(uint256 salt) external acts("releaseCapacity", salt) {
        uint256 seat_ = _anySeat();
        if (seat_ < seats.length) _succeeded(_giveBack(seat_));
    }
}
