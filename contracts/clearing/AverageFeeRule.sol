// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../interfaces/IMarketLog.sol";
import {BidWord} from "../types/BidWord.sol";
import {Certificate, CertificateLib} from "../types/Certificate.sol";
import {Claim, ClosedRound, Pass, ProverSide, Tally} from "./Claim.sol";
import {UserOrder} from "./UserOrder.sol";

/// @notice What is the mechanism `average-fee`'s own in the check of a round.
/// @dev The certificate claims the batch up to the capacity cap, prefix(B), with its size Q and its revenue R; which provers are
/// in follows from these. Where they offer less than Q, the winning bids are prefix(K) instead; else they are the batch.
library AverageFeeRule {
    /// @notice Which seats win: those whose unit cost is strictly below the batch's average fee.
    /// @return side Without what is common to the mechanisms.
    /// @return won Whether each seat wins.
    function proverSide(ClosedRound memory r, Certificate memory c)
        internal
        pure
        returns (ProverSide memory side, bool[] memory won)
    {
        if (c.pivotSeat != CertificateLib.NO_SEAT) revert IMarketLog.WrongPivotSeat(c.pivotSeat);
        uint256 n = r.costs.length;
        won = new bool[](n);
        for (uint256 i; i < n; ++i) {
            uint256 cost = r.costs[i];
            won[i] = r.capacities[i] != 0 && cost * c.batchUnits < c.batchRevenue;
            if (cost < r.reservePrice) side.waiting += r.capacities[i];
        }
        return (side, won);
    }

    function count(Tally memory tally, Certificate memory c, BidWord word, uint256 rank) internal pure {
        uint256 batchRank = UserOrder.rank(c.batchFee, c.batchIndex);
        uint256 inBatch = UserOrder.before(rank, word.count(), batchRank);
        if (inBatch != 0) {
            tally.batchUnits += word.size() * inBatch;
            tally.batchRevenue += word.cost() * inBatch;
        }
        if (inBatch != word.count() && rank - inBatch == batchRank) tally.batchPivotSize = word.size();
    }

    function countWinners(Tally memory tally, Certificate memory c, BidWord word, uint256 won) internal pure {
        tally.revenue += word.cost() * won;
        if (c.units != 0) tally.paid += c.revenue * word.size() / c.units * won;
    }

    /// @notice Whether the batch and the revenue are what the certificate says.
    /// @return capBinds Whether the capacity cap leaves a bid out that the provers who are in could prove.
    function finish(Pass memory pass, Claim memory claim) internal pure returns (bool capBinds) {
        Certificate memory c = claim.certificate;
        Tally memory tally = pass.tally;
        if (tally.batchUnits != c.batchUnits || tally.batchRevenue != c.batchRevenue) {
            revert IMarketLog.WrongBatch();
        }
        UserOrder.requireFirstLeftOut(
            UserOrder.Line(c.batchFee, c.batchIndex, tally.batchUnits, tally.batchPivotSize),
            claim.closed.capacityCap,
            claim.closed.reservePrice
        );
        if (tally.revenue != c.revenue) revert IMarketLog.WrongRevenue(c.revenue, tally.revenue);
        return c.batchIndex != CertificateLib.VIRTUAL_PIVOT && claim.side.capacity >= c.batchUnits;
    }

    /// @notice Most units that can win: what the provers offer, or the batch if they offer more.
    /// @dev Both limits at once: at most the batch fits, and prefix(min(K, Q)) of the bids is prefix(K) or the batch.
    function limit(Claim memory claim) internal pure returns (uint256) {
        uint256 units = claim.certificate.batchUnits;
        return claim.side.capacity < units ? claim.side.capacity : units;
    }
}
