// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice What a relayer claims about a closed round. Exactly one certificate passes for a round. Fields of the mechanism
/// that the market does not use hold the value given for that case.
struct Certificate {
    /// Unit fee of the first bid left out (ticks per unit). Without such a bid the reserve price; `type(uint64).max` if no
    /// prover wins.
    uint64 pivotFee;
    /// Index of the first bid left out. Without such a bid `VIRTUAL_PIVOT`; 0 if no prover wins.
    uint32 pivotIndex;
    /// Total size of the winning bids (units).
    uint64 units;
    /// `core`: seat of the prover whose unit cost is the prover price, the first in prover order that does not win. `NO_SEAT`
    /// only in a round without any ask, and in `average-fee`.
    uint8 pivotSeat;
    /// `average-fee`: unit fee and index of the first bid that the capacity cap leaves out, without such a bid the reserve
    /// price and `VIRTUAL_PIVOT`. Zero in `core`.
    uint64 batchFee;
    uint32 batchIndex;
    /// `average-fee`: total size (units) and total cost (ticks) of the bids before it. Zero in `core`.
    uint64 batchUnits;
    uint128 batchRevenue;
    /// `average-fee`: total cost of the winning bids (ticks). Zero in `core`.
    uint128 revenue;
}

library CertificateLib {
    /// @notice `pivotSeat` of a round without any ask, and of every round in `average-fee`.
    uint8 internal constant NO_SEAT = type(uint8).max;
    /// @notice `pivotIndex` when no bid at or above the reserve price is left out: behind every bid.
    uint32 internal constant VIRTUAL_PIVOT = type(uint32).max;
    /// @notice `pivotFee` when no prover wins: together with index 0 it ranks before every bid.
    uint64 internal constant NO_WINNER = type(uint64).max;
}
