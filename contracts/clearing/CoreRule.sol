// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../interfaces/IMarketLog.sol";
import {BidWord} from "../types/BidWord.sol";
import {Certificate, CertificateLib} from "../types/Certificate.sol";
import {Claim, ClosedRound, Pass, ProverSide, Tally} from "./Claim.sol";

/// @notice What is the mechanism `core`'s own in the check of a round.
/// @dev The condition "K_w <= B and demand(c_{w+1}) > K_w" can only turn from true to false as w grows, since K_w grows
/// and demand(c_{w+1}) shrinks. So w is the largest that meets it if it meets it and w + 1 does not.
library CoreRule {
    /// @notice Which seats win: those before the pivot seat, whose cost is the prover price.
    /// @return side Without what is common to the mechanisms.
    /// @return won Whether each seat wins.
    function proverSide(ClosedRound memory r, Certificate memory c)
        internal
        pure
        returns (ProverSide memory side, bool[] memory won)
    {
        if (c.batchFee | c.batchIndex | c.batchUnits | c.batchRevenue | c.revenue != 0) {
            revert IMarketLog.WrongBatch();
        }
        uint256 n = r.costs.length;
        uint256 pivot = c.pivotSeat;
        won = new bool[](n);
        if (pivot == CertificateLib.NO_SEAT) {
            for (uint256 i; i < n; ++i) {
                if (r.capacities[i] != 0) revert IMarketLog.WrongPivotSeat(pivot);
            }
            return (side, won);
        }
        if (pivot >= n || r.capacities[pivot] == 0) revert IMarketLog.WrongPivotSeat(pivot);

        side.price = r.costs[pivot];
        for (uint256 i; i < n; ++i) {
            if (r.capacities[i] == 0 || i == pivot) continue;
            uint256 cost = r.costs[i];
            if (cost < side.price || (cost == side.price && i < pivot)) {
                won[i] = true;
                side.nextCapacity += r.capacities[i];
            } else if (!side.hasNext || cost < side.nextPrice) {
                side.hasNext = true;
                side.nextPrice = cost;
            }
        }
        side.nextCapacity += r.capacities[pivot];
        if (side.nextPrice < r.reservePrice) side.nextPrice = r.reservePrice;
    }

    /// @dev demand(c_{w+1}) counts fees at or above the cost alone: where the reserve price is above the cost, demand is
    /// unbounded and the count is not used. No sum overflows: sizes are 32 bits, and a round has fewer than
    /// 2^24 bids.
    function count(Tally memory tally, ProverSide memory side, BidWord word) internal pure {
        uint256 fee = word.fee();
        if (fee < side.price) return;
        unchecked {
            uint256 units = word.count() * word.size();
            tally.demand += units;
            if (fee >= side.nextPrice) tally.nextDemand += units;
        }
    }

    /// @notice Whether w is the largest that meets the condition.
    /// @return capBinds Whether the bids want the pivot too, so that only the capacity cap keeps it from winning. The reserve's
    /// own demand does not count: nobody pays for it.
    function finish(Pass memory pass, Claim memory claim) internal pure returns (bool capBinds) {
        ProverSide memory side = claim.side;
        uint256 pivot = claim.certificate.pivotSeat;
        if (pivot == CertificateLib.NO_SEAT) return false;
        uint256 cap = claim.closed.capacityCap;
        uint256 reserve = claim.closed.reservePrice;
        bool holds = side.winners.length == 0
            || (side.capacity <= cap
                && (_isUnbounded(side.price, reserve) || pass.tally.demand > side.capacity));
        bool nextWanted = side.hasNext
            && (_isUnbounded(side.nextPrice, reserve) || pass.tally.nextDemand > side.nextCapacity);
        if (!holds || (nextWanted && side.nextCapacity <= cap)) revert IMarketLog.WrongPivotSeat(pivot);
        return side.hasNext && pass.tally.nextDemand > side.nextCapacity;
    }

    /// @dev The reserve buys any quantity at its price.
    function _isUnbounded(uint256 price, uint256 reserve) private pure returns (bool) {
        return reserve != 0 && price <= reserve;
    }
}
