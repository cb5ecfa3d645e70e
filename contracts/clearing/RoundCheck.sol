// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {IMarketLog} from "../interfaces/IMarketLog.sol";
import {BidChainLib} from "../types/BidChain.sol";
import {BidWordLib} from "../types/BidWord.sol";
import {Certificate, CertificateLib} from "../types/Certificate.sol";
import {Mechanism} from "../types/Mechanism.sol";
import {AverageFeeRule} from "./AverageFeeRule.sol";
import {Checkpoint, Claim, ClosedRound, Pass, Tally} from "./Claim.sol";
import {CoreRule} from "./CoreRule.sol";
import {EntryScan, Scan} from "./EntryScan.sol";
import {UserOrder} from "./UserOrder.sol";
import {Winner, WinnerLib} from "./Winner.sol";

/// @notice Checks a certificate against the asks and bids of a round in one pass, without sorting and in pages. The rules and their
/// symbols are those of the mechanism document; crate `clearing` states the same check in Rust. What differs between the
/// mechanisms is in `CoreRule` and `AverageFeeRule`, all else is here.
library RoundCheck {
    using EntryScan for Scan;

    /// @notice Reads the seats: who wins if the certificate is right.
    function claimOf(ClosedRound memory closed, Certificate memory certificate)
        internal
        pure
        returns (Claim memory claim)
    {
        (claim.closed, claim.certificate) = (closed, certificate);
        bool[] memory won;
        (claim.side, won) = _isCore(closed)
            ? CoreRule.proverSide(closed, certificate)
            : AverageFeeRule.proverSide(closed, certificate);
        uint256 n = won.length;
        uint8[] memory found = new uint8[](n);
        uint256 w;
        for (uint256 i; i < n; ++i) {
            if (!won[i]) continue;
            // forge-lint: disable-next-line(unsafe-typecast) -- fewer than 129 seats, so below 128
            found[w++] = uint8(i);
            claim.side.capacity += closed.capacities[i];
        }
        claim.side.winners = _winners(claim, found, w);
    }

    /// @dev The task at offset o belongs to the prover whose interval of the winners' capacity K, scaled to the batch Q, contains
    /// floor(o * K / Q): the first up to which the capacity E has o * K < E * Q, so o < ceil(E * Q / K). Capacities are below 2^40 in
    /// sum and units below 2^64, so nothing overflows.
    /// @param found Their seats in ask-book order, the first `w` of these.
    function _winners(Claim memory claim, uint8[] memory found, uint256 w)
        private
        pure
        returns (Winner[] memory winners)
    {
        winners = new Winner[](w);
        uint256[] memory capacities = claim.closed.capacities;
        (uint256 round, uint256 units, uint256 all) =
            (claim.closed.round, claim.certificate.units, claim.side.capacity);
        uint256 capacity;
        unchecked {
            for (uint256 k; k < w; ++k) {
                uint256 seat = found[(round + k) % w];
                uint256 offered = capacities[seat];
                capacity += offered;
                winners[k] = WinnerLib.pack(seat, offered, FixedPointMathLib.divUp(capacity * units, all));
            }
        }
    }

    /// @notice The state before the first page, at the end of the round.
    /// @dev Without a winning prover only the pivot before which no bid ranks will do, so that no task is ever assigned.
    function start(Claim memory claim) internal pure returns (Pass memory pass) {
        Certificate memory c = claim.certificate;
        uint256 w = claim.side.winners.length;
        if (w == 0 && (c.pivotFee != CertificateLib.NO_WINNER || c.pivotIndex != 0)) {
            revert IMarketLog.WrongPivotBid(c.pivotFee, c.pivotIndex);
        }
        pass.start = Checkpoint(claim.closed.bids, c.units);
    }

    /// @notice Goes over a page: the entries `words` between `from` and where the last page started.
    function absorb(Pass memory pass, Claim memory claim, Checkpoint memory from, bytes32[] calldata words)
        internal
        pure
    {
        Certificate memory c = claim.certificate;
        Tally memory tally = pass.tally;
        Scan memory scan;
        (scan.at, scan.end) = BidWordLib.span(words);
        (scan.hash, scan.index) = from.chain.split();
        (scan.above, scan.between) = (tally.above, tally.between);
        (scan.pivot, scan.pivotSize) = (UserOrder.rank(c.pivotFee, c.pivotIndex), pass.pivotSize);
        (scan.offset, scan.from) = (from.offset, from.offset);
        (scan.prover, scan.lastProver) = _provers(claim.side.winners);
        uint256[] memory loads = new uint256[](claim.side.winners.length);
        assembly ("memory-safe") {
            mstore(add(scan, 0x1c0), add(loads, 0x20))
        }
        scan.tree = pass.tree;
        (scan.offered, scan.paid) = (tally.offered, tally.paid);

        // Two calls, so that the compiler keeps the loop a function of its own with few enough variables for the stack.
        if (_isCore(claim.closed)) {
            (scan.high, scan.low) = CoreRule.lines(claim.side);
            scan.run();
        } else {
            (scan.high, scan.low) = AverageFeeRule.lines(c);
            (scan.units, scan.revenue) = (c.units, c.revenue);
            scan.run();
        }

        if (!BidChainLib.join(scan.hash, scan.index).equals(pass.start.chain)) {
            revert IMarketLog.WrongBids(claim.closed.round);
        }
        // A page that says it starts above where it ends has gone round all offsets, which no winners do.
        if (scan.offset != pass.start.offset || from.offset > scan.offset) {
            revert IMarketLog.WrongUnits(pass.start.offset, scan.offset);
        }
        _addLoads(claim.side.winners, loads, scan);
        (tally.above, tally.between) = (scan.above, scan.between);
        (tally.offered, tally.paid) = (scan.offered, scan.paid);
        pass.pivotSize = scan.pivotSize;
        pass.start = from;
    }

    /// @notice Whether the certificate is the round's, after the page that starts with its first bid.
    /// @return capBinds Whether more would have been cleared under a higher capacity cap.
    function finish(Pass memory pass, Claim memory claim) internal pure returns (bool capBinds) {
        Certificate memory c = claim.certificate;
        ClosedRound memory closed = claim.closed;
        if (!pass.start.chain.equals(closed.seed)) revert IMarketLog.WrongBids(closed.round);
        if (pass.start.offset != 0) {
            unchecked {
                // What the pages summed up, as each of them ended where it said.
                revert IMarketLog.WrongUnits(c.units, c.units - pass.start.offset);
            }
        }
        bool isCore = _isCore(closed);
        capBinds = isCore ? CoreRule.finish(pass, claim) : AverageFeeRule.finish(pass, claim);
        // Without a winning prover `start` has checked the pivot.
        if (claim.side.winners.length != 0) {
            UserOrder.requireFirstLeftOut(
                UserOrder.Line(c.pivotFee, c.pivotIndex, c.units, pass.pivotSize),
                isCore ? claim.side.capacity : AverageFeeRule.limit(claim),
                closed.reservePrice
            );
        }
    }

    function _isCore(ClosedRound memory closed) private pure returns (bool) {
        return closed.mechanism == Mechanism.Core;
    }

    /// @dev What the scan needs of the provers: for each where its tasks end, and its seat. In assembly, as is `_addLoads`, since each
    /// page does it for each winner, and an index that is checked costs 58 gas.
    /// @return first Where the first prover's stand in memory, the others behind it.
    function _provers(Winner[] memory winners) private pure returns (uint256 first, uint256 last) {
        uint256[] memory table = new uint256[](2 * winners.length);
        assembly ("memory-safe") {
            first := add(table, 0x20)
            last := table
            let end := add(winners, shl(5, mload(winners)))
            for { let at := winners } lt(at, end) {} {
                at := add(at, 0x20)
                let winner := mload(at)
                mstore(add(last, 0x20), shr(136, winner))
                last := add(last, 0x40)
                mstore(last, and(winner, 0xff))
            }
            last := sub(last, 0x20)
        }
    }

    /// @param loads Units of each winner's tasks in the page, without those of the last one's since `scan.from`.
    function _addLoads(Winner[] memory winners, uint256[] memory loads, Scan memory scan) private pure {
        if (winners.length == 0) return;
        uint256 load = scan.load;
        uint256 units = scan.offset - scan.from;
        assembly ("memory-safe") {
            mstore(load, add(mload(load), units))
            let end := add(winners, shl(5, mload(winners)))
            for { let at := winners } lt(at, end) {} {
                at := add(at, 0x20)
                loads := add(loads, 0x20)
                mstore(at, add(mload(at), shl(8, mload(loads))))
            }
        }
    }
}
