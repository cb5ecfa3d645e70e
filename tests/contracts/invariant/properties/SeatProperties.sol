// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Offer} from "../../../../contracts/types/Offer.sol";
import {SlowClearing} from "../../support/SlowClearing.sol";
import {RoundProperties} from "./RoundProperties.sol";

/// @notice What must hold of one market's seats.
abstract contract SeatProperties is RoundProperties {
    function _checkSeats() internal view {
        invariant_seatsAreNeverTakenAway();
        for (uint256 i; i < seats.length; ++i) {
            invariant_seatIsWhatItsStoryGives(i);
            invariant_collateralCoversEveryOpenTask(i);
        }
        uint256 current = openRound();
        if (current == 0 || isResolved(current - 1)) return;
        invariant_capacityOfAClosedRoundIsNotSoldTwice(current - 1);
        if (block.timestamp < revealBy(current - 1)) return;
        invariant_closedRoundKeepsItsAsks(current - 1);
    }

    /// @dev Their number only grows, up to the market's limit.
    function invariant_seatsAreNeverTakenAway() internal view {
        assertEq(market.seatCount(id), seats.length, "a seat came or went");
        assertLe(seats.length, params.maxSeats, "too many seats");
    }

    function invariant_seatIsWhatItsStoryGives(uint256 seat_) internal view {
        (address prover, uint256 capacity_, Offer offer,) = market.seatOf(id, seat_);
        assertEq(prover, seats[seat_].prover, "a seat has another prover");
        assertEq(capacity_, seats[seat_].capacity, "a seat has another capacity");
        assertEq(offer.free(), seats[seat_].free, "a seat has other free units");
    }

    /// @dev The market's own numbers: what a seat has registered, and so its collateral, is free or holds an open task; every task is covered
    /// by all who hold or held it.
    function invariant_collateralCoversEveryOpenTask(uint256 seat_) internal view {
        (, uint256 capacity_, Offer offer,) = market.seatOf(id, seat_);
        assertLe(offer.free(), capacity_, "more is free than there is");
        assertEq(capacity_ - offer.free(), _openUnits(seat_), "open tasks without collateral, or the reverse");
    }

    /// @dev Total size of the open tasks that a seat holds or held.
    function _openUnits(uint256 seat_) private view returns (uint256 units) {
        for (uint256 i; i < openTasks.length; ++i) {
            Held memory t = tasks[openTasks[i]];
            for (uint256 k; k <= t.takers; ++k) {
                if (_holder(t, k) == seat_) units += _entry(t).size;
            }
        }
    }

    /// @dev What a closed round may still win is free until its result is known.
    function invariant_capacityOfAClosedRoundIsNotSoldTwice(uint256 round) internal view {
        (, uint256[] memory capacities) = market.asksOf(id, round);
        for (uint256 i; i < capacities.length; ++i) {
            if (capacities[i] == 0) continue;
            (,, Offer offer,) = market.seatOf(id, i);
            assertLe(capacities[i] + params.maxTaskSize - 1, offer.free(), "capacity is sold twice");
        }
    }

    /// @dev Nothing that happens after the close changes what the round is cleared with.
    function invariant_closedRoundKeepsItsAsks(uint256 round) internal view {
        (uint256[] memory costs, uint256[] memory capacities) = market.asksOf(id, round);
        SlowClearing.Ask[] memory noted = asks(round);
        for (uint256 i; i < capacities.length; ++i) {
            uint256 expected = i < noted.length ? noted[i].capacity : 0;
            assertEq(capacities[i], expected, "a closed round has other capacity");
            if (expected != 0) assertEq(costs[i], noted[i].cost, "a closed round has another cost");
        }
    }
}
