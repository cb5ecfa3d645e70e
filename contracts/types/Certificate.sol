// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice What a relayer claims about a closed round. Exactly one certificate passes for a round.
struct Certificate {
    /// Seat of the prover whose unit cost is the prover price: the first in prover order that does not win. `NO_SEAT`
    /// only in a round without any ask.
    uint8 pivotSeat;
    /// Unit fee of the first bid left out, which is the user price (ticks per unit). Without such a bid the reserve
    /// price; `type(uint64).max` if no prover wins.
    uint64 pivotFee;
    /// Index of the first bid left out. Without such a bid `VIRTUAL_PIVOT`; 0 if no prover wins.
    uint32 pivotIndex;
    /// Total size of the winning bids (units).
    uint64 units;
}

library CertificateLib {
    /// @notice `pivotSeat` of a round without any ask.
    uint8 internal constant NO_SEAT = type(uint8).max;
    /// @notice `pivotIndex` when no bid at or above the reserve price is left out: behind every bid.
    uint32 internal constant VIRTUAL_PIVOT = type(uint32).max;
    /// @notice `pivotFee` when no prover wins: together with index 0 it ranks before every bid.
    uint64 internal constant NO_WINNER = type(uint64).max;
}
