// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Checkpoint, ClosedRound} from "../clearing/Claim.sol";
import {Certificate} from "../types/Certificate.sol";
import {Outcome} from "../types/Outcome.sol";
import {Signal} from "../types/Terms.sol";

/// @notice What a closed round comes to.
struct Verdict {
    Outcome outcome;
    /// Root over the assignments, zero without a trade.
    bytes32 assignmentRoot;
    /// The winning seats in the order in which tasks are assigned to them, the capacity that each offered, and the units of
    /// tasks that each got.
    uint8[] seats;
    uint256[] capacities;
    uint256[] loads;
    /// What rounding down leaves of the payments of a batch whose requesters pay their own bids (ticks).
    uint256 dust;
    /// What the round says about demand and supply.
    Signal signal;
}

/// @title Decides what a closed round comes to
/// @notice Without state and without trust: the same round always gives the same verdict, and exactly one certificate gives
/// one. Apart from the market because a contract has only so many bytes (docs/adr/0009).
interface IRoundAuditor {
    /// @notice Goes over one page of a round, or reverts with what is wrong about it; see `IProverMarket`. Pages go from the last bid
    /// to the first.
    /// @param progress What the last page left, empty before the first page.
    /// @param from Where the page starts; the page is the round's last one if that is the round's seed.
    /// @param words The entries of the page in order of submission; see `BidWord`.
    /// @return next What this page leaves, empty after the last one.
    /// @return verdict The outcome of the round after the last page.
    function audit(
        ClosedRound calldata closed,
        Certificate calldata certificate,
        bytes calldata progress,
        Checkpoint calldata from,
        bytes32[] calldata words
    ) external pure returns (bytes memory next, Verdict memory verdict);
}
