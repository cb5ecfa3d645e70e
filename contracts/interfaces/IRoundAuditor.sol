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
    /// @notice The outcome of a round, or a revert with what is wrong about the certificate; see `IProverMarket`.
    /// @param words All entries of the round in order of submission; see `BidWord`.
    function audit(ClosedRound calldata closed, Certificate calldata certificate, bytes32[] calldata words)
        external
        pure
        returns (Verdict memory);

    /// @notice Goes over one page of a round, or reverts with what is wrong about it. Pages go from the last bid to the first.
    /// @param closed After the first page without asks: `progress` has what they show about the certificate.
    /// @param progress What the last page left, empty before the first page.
    /// @param from Where the page starts.
    /// @param words The entries of the page in order of submission.
    /// @return next What this page leaves.
    function auditPage(
        ClosedRound calldata closed,
        Certificate calldata certificate,
        bytes calldata progress,
        Checkpoint calldata from,
        bytes32[] calldata words
    ) external pure returns (bytes memory next);

    /// @notice Goes over the page that starts with the round's first bid, and tells the outcome of the round.
    /// @dev Parameters are those of `auditPage`.
    function auditLastPage(
        ClosedRound calldata closed,
        Certificate calldata certificate,
        bytes calldata progress,
        Checkpoint calldata from,
        bytes32[] calldata words
    ) external pure returns (Verdict memory);
}
