// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../interfaces/IMarketLog.sol";
import {IRoundAuditor, Signal, Verdict} from "../interfaces/IRoundAuditor.sol";
import {BidWord} from "../types/BidWord.sol";
import {Certificate} from "../types/Certificate.sol";
import {Mechanism} from "../types/Mechanism.sol";
import {OutcomeLib} from "../types/Outcome.sol";
import {AssignmentTree} from "./AssignmentTree.sol";
import {AverageFeeRule} from "./AverageFeeRule.sol";
import {Claim, ClosedRound, Pass} from "./Claim.sol";
import {RoundCheck} from "./RoundCheck.sol";

/// @notice Runs the check of a round. The market deploys it and asks nobody else.
contract RoundAuditor is IRoundAuditor {
    using AssignmentTree for AssignmentTree.Frontier;
    using RoundCheck for Pass;

    /// @inheritdoc IRoundAuditor
    function audit(ClosedRound calldata closed, Certificate calldata certificate, BidWord[] calldata words)
        external
        pure
        returns (Verdict memory verdict)
    {
        // The hash would show it too, but a list that is too long must not be hashed to the end.
        if (words.length != closed.bids.count()) revert IMarketLog.WrongBids(closed.round);
        Claim memory claim = RoundCheck.claimOf(closed, certificate);
        Pass memory pass = RoundCheck.start(claim);
        pass.absorb(claim, words);
        bool capBinds = pass.finish(claim);

        Certificate memory c = claim.certificate;
        bool isCore = claim.closed.mechanism == Mechanism.Core;
        uint256 revenue = isCore ? claim.side.price * c.units : c.revenue;
        verdict.outcome = OutcomeLib.pack(claim.closed.mechanism, c.pivotFee, c.pivotIndex, revenue, c.units);
        verdict.assignmentRoot = pass.tree.root();
        verdict.dust = isCore ? 0 : revenue - pass.tally.paid;
        verdict.seats = claim.side.winners;
        verdict.loads = pass.loads;
        verdict.capacities = new uint256[](verdict.seats.length);
        for (uint256 k; k < verdict.seats.length; ++k) {
            verdict.capacities[k] = claim.closed.capacities[verdict.seats[k]];
        }
        verdict.signal = Signal(c.units, claim.side.capacity, c.pivotFee, c.pivotIndex, capBinds);
        // Without a batch nobody is below its average. Those below the reserve price are below that of any batch.
        if (!isCore && c.batchUnits == 0) {
            verdict.signal.capacity = AverageFeeRule.eagerCapacity(claim.closed);
            (verdict.signal.pivotFee, verdict.signal.pivotIndex) = (c.batchFee, c.batchIndex);
        }
    }
}
