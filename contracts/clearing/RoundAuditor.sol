// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../interfaces/IMarketLog.sol";
import {IRoundAuditor, Verdict} from "../interfaces/IRoundAuditor.sol";
import {Certificate} from "../types/Certificate.sol";
import {Mechanism} from "../types/Mechanism.sol";
import {OutcomeLib} from "../types/Outcome.sol";
import {Signal} from "../types/Terms.sol";
import {AssignmentTree} from "./AssignmentTree.sol";
import {Checkpoint, Claim, ClosedRound, Pass} from "./Claim.sol";
import {Progress} from "./Progress.sol";
import {RoundCheck} from "./RoundCheck.sol";
import {Winner} from "./Winner.sol";

/// @notice Runs the check of a round. The market deploys it and asks nobody else.
contract RoundAuditor is IRoundAuditor {
    using AssignmentTree for AssignmentTree.Frontier;
    using RoundCheck for Pass;

    /// @inheritdoc IRoundAuditor
    function audit(ClosedRound calldata closed, Certificate calldata certificate, bytes32[] calldata words)
        external
        pure
        returns (Verdict memory)
    {
        Claim memory claim = RoundCheck.claimOf(closed, certificate);
        Pass memory pass = RoundCheck.start(claim);
        pass.absorb(claim, Checkpoint(closed.seed, 0), words);
        return _verdict(pass, claim);
    }

    /// @inheritdoc IRoundAuditor
    function auditPage(
        ClosedRound calldata closed,
        Certificate calldata certificate,
        bytes calldata progress,
        Checkpoint calldata from,
        bytes32[] calldata words
    ) external pure returns (bytes memory next) {
        (Pass memory pass, Claim memory claim) = _afterPage(closed, certificate, progress, from, words);
        return Progress.pack(pass, claim);
    }

    /// @inheritdoc IRoundAuditor
    function auditLastPage(
        ClosedRound calldata closed,
        Certificate calldata certificate,
        bytes calldata progress,
        Checkpoint calldata from,
        bytes32[] calldata words
    ) external pure returns (Verdict memory) {
        (Pass memory pass, Claim memory claim) = _afterPage(closed, certificate, progress, from, words);
        return _verdict(pass, claim);
    }

    function _afterPage(
        ClosedRound calldata closed,
        Certificate calldata certificate,
        bytes calldata progress,
        Checkpoint calldata from,
        bytes32[] calldata words
    ) private pure returns (Pass memory pass, Claim memory claim) {
        if (progress.length == 0) {
            claim = RoundCheck.claimOf(closed, certificate);
            pass = RoundCheck.start(claim);
        } else {
            (pass, claim) = Progress.unpack(progress, closed, certificate);
        }
        pass.absorb(claim, from, words);
    }

    function _verdict(Pass memory pass, Claim memory claim) private pure returns (Verdict memory verdict) {
        bool capBinds = pass.finish(claim);
        Certificate memory c = claim.certificate;
        bool isCore = claim.closed.mechanism == Mechanism.Core;
        uint256 revenue = isCore ? claim.side.price * c.units : c.revenue;
        verdict.outcome = OutcomeLib.pack(claim.closed.mechanism, c.pivotFee, c.pivotIndex, revenue, c.units);
        verdict.assignmentRoot = pass.tree.root();
        verdict.signal = _signal(claim, capBinds);
        verdict.dust = isCore ? 0 : revenue - pass.tally.paid;
        Winner[] memory winners = claim.side.winners;
        uint256 w = winners.length;
        (verdict.seats, verdict.capacities, verdict.loads) =
        (new uint8[](w), new uint256[](w), new uint256[](w));
        for (uint256 k; k < w; ++k) {
            verdict.seats[k] = winners[k].seat();
            verdict.capacities[k] = winners[k].capacity();
            verdict.loads[k] = winners[k].load();
        }
    }

    /// @dev Without a batch nobody's cost is below its average, though provers may wait for one.
    function _signal(Claim memory claim, bool capBinds) private pure returns (Signal memory) {
        Certificate memory c = claim.certificate;
        if (claim.closed.mechanism == Mechanism.AverageFee && c.batchUnits == 0) {
            return Signal(0, claim.side.waiting, c.batchFee, c.batchIndex, false);
        }
        return Signal(c.units, claim.side.capacity, c.pivotFee, c.pivotIndex, capBinds);
    }
}
