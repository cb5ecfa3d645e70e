// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certificate} from "../../../contracts/types/Certificate.sol";
import {MarketTest} from "./MarketTest.sol";

/// @notice A round for tests of its settlement.
abstract contract ClosedRoundTest is MarketTest {
    /// @notice A certificate of mechanism `core`.
    function core(uint8 pivotSeat, uint64 pivotFee, uint32 pivotIndex, uint64 units)
        internal
        pure
        returns (Certificate memory c)
    {
        (c.pivotSeat, c.pivotFee, c.pivotIndex, c.units) = (pivotSeat, pivotFee, pivotIndex, units);
    }

    function _seats() internal {
        seat(paul, 10, 6);
        seat(quentin, 12, 8);
        seat(rita, 10, 9);
        seat(steve, 10, 15);
    }

    /// @dev Round 1, closed: seats 0 and 1 win, bids 0, 1, 3 win, bid 2 is the first left out.
    function _closedRound() internal {
        _seats();
        open(1);
        fundedBid(alice, 20, 8);
        fundedBid(bob, 15, 8);
        fundedBid(carol, 12, 8);
        fundedBid(bob, 14, 6);
        fundedBid(alice, 6, 5);
        open(2);
    }
}
