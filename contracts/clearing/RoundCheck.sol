// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {IMarketLog} from "../interfaces/IMarketLog.sol";
import {BidChain} from "../types/BidChain.sol";
import {BidWord, BidWordLib} from "../types/BidWord.sol";
import {Certificate, CertificateLib} from "../types/Certificate.sol";
import {Mechanism} from "../types/Mechanism.sol";
import {TaskLib} from "../types/Task.sol";
import {AssignmentTree} from "./AssignmentTree.sol";
import {AverageFeeRule} from "./AverageFeeRule.sol";
import {Checkpoint, Claim, ClosedRound, Cursor, Pass} from "./Claim.sol";
import {CoreRule} from "./CoreRule.sol";
import {UserOrder} from "./UserOrder.sol";

/// @notice Checks a certificate against the asks and bids of a round in one pass, without sorting and in pages. The rules and their
/// symbols are those of the mechanism document; crate `clearing` states the same check in Rust. What differs between the
/// mechanisms is in `CoreRule` and `AverageFeeRule`, all else is here.
library RoundCheck {
    using AssignmentTree for AssignmentTree.Frontier;

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
        uint8[] memory winners = new uint8[](w);
        for (uint256 k; k < w; ++k) {
            winners[k] = found[(closed.round + k) % w];
        }
        claim.side.winners = winners;
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
        pass.loads = new uint256[](w);
    }

    /// @notice Goes over a page: the entries `words` between `from` and where the last page started.
    function absorb(Pass memory pass, Claim memory claim, Checkpoint memory from, bytes32[] calldata words)
        internal
        pure
    {
        Certificate memory c = claim.certificate;
        bool isCore = _isCore(claim.closed);
        uint256 pivotRank = UserOrder.rank(c.pivotFee, c.pivotIndex);
        Cursor memory cursor;
        cursor.offset = from.offset;
        if (pass.loads.length != 0) _setProver(cursor, claim, 0);
        BidChain chain = from.chain;
        for (uint256 i; i < words.length;) {
            BidWord word = BidWordLib.at(words, i);
            uint256 index = chain.count();
            chain = chain.absorb(word);
            uint256 rank = UserOrder.rank(word.fee(), index);
            if (isCore) CoreRule.count(pass.tally, claim.side, word);
            else AverageFeeRule.count(pass.tally, c, word, rank);
            uint256 won = UserOrder.before(rank, word.count(), pivotRank);
            if (won != 0) {
                _assign(pass, cursor, claim, word, index, won);
                if (!isCore) AverageFeeRule.countWinners(pass.tally, c, word, won);
            }
            if (won != word.count() && rank - won == pivotRank) pass.pivotSize = word.size();
            unchecked {
                ++i;
            }
        }
        if (!chain.equals(pass.start.chain)) revert IMarketLog.WrongBids(claim.closed.round);
        if (cursor.offset != pass.start.offset) {
            revert IMarketLog.WrongUnits(pass.start.offset, cursor.offset);
        }
        if (pass.loads.length != 0) pass.loads[cursor.position] += cursor.offset - cursor.from;
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
        if (pass.loads.length != 0) {
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

    /// @dev A task belongs to the prover whose interval holds its offset.
    function _assign(
        Pass memory pass,
        Cursor memory cursor,
        Claim memory claim,
        BidWord word,
        uint256 index,
        uint256 won
    ) private pure {
        for (uint256 position; position < won;) {
            if (cursor.offset >= cursor.until) _nextProver(pass, cursor, claim);
            pass.tree.push(TaskLib.leaf(word, index, position, cursor.seat));
            unchecked {
                cursor.offset += word.size(); // a round has fewer than 2^24 bids of fewer than 2^31 units
                (++index, ++position);
            }
        }
    }

    /// @dev Moves the cursor to the prover that the task at its offset falls to. With a wrong claim of the units the walk
    /// could run off the winners; it stops at the last one, and the claim will be refused.
    function _nextProver(Pass memory pass, Cursor memory cursor, Claim memory claim) private pure {
        uint256 last = claim.side.winners.length - 1;
        pass.loads[cursor.position] += cursor.offset - cursor.from;
        while (cursor.offset >= cursor.until && cursor.position < last) {
            _setProver(cursor, claim, cursor.position + 1);
        }
        cursor.from = cursor.offset;
    }

    /// @dev The task at offset o belongs to the prover whose interval of the winners' capacity K, scaled to the batch Q,
    /// contains floor(o * K / Q): the first up to which the capacity E has o * K < E * Q, so o < ceil(E * Q / K).
    /// Capacities are below 2^40 in sum and units below 2^64, so nothing overflows.
    function _setProver(Cursor memory cursor, Claim memory claim, uint256 position) private pure {
        uint256 seat = claim.side.winners[position];
        (cursor.position, cursor.seat, cursor.from) = (position, seat, cursor.offset);
        cursor.capacity += claim.closed.capacities[seat];
        cursor.until = FixedPointMathLib.divUp(cursor.capacity * claim.certificate.units, claim.side.capacity);
    }
}
