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
import {Claim, ClosedRound, Pass} from "./Claim.sol";
import {CoreRule} from "./CoreRule.sol";
import {UserOrder} from "./UserOrder.sol";

/// @notice Checks a certificate against the asks and bids of a round in one pass, without sorting. The rules and their
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

    /// @notice The state before the first bid.
    /// @dev Without a winning prover only the pivot before which no bid ranks will do, so that no task is ever assigned.
    function start(Claim memory claim) internal pure returns (Pass memory pass) {
        Certificate memory c = claim.certificate;
        uint256 w = claim.side.winners.length;
        if (w == 0 && (c.pivotFee != CertificateLib.NO_WINNER || c.pivotIndex != 0)) {
            revert IMarketLog.WrongPivotBid(c.pivotFee, c.pivotIndex);
        }
        pass.chain = claim.closed.seed;
        pass.loads = new uint256[](w);
        if (w != 0) _setProver(pass, claim, 0, 0);
    }

    /// @notice Goes over the next `words` of the round.
    function absorb(Pass memory pass, Claim memory claim, bytes32[] calldata words) internal pure {
        Certificate memory c = claim.certificate;
        bool isCore = _isCore(claim.closed);
        uint256 pivotRank = UserOrder.rank(c.pivotFee, c.pivotIndex);
        BidChain chain = pass.chain;
        uint256 index = pass.index;
        for (uint256 i; i < words.length;) {
            BidWord word = BidWordLib.at(words, i);
            chain = chain.absorb(word);
            uint256 rank = UserOrder.rank(word.fee(), index);
            if (isCore) CoreRule.count(pass.tally, claim.side, word);
            else AverageFeeRule.count(pass.tally, c, word, rank);
            if (rank > pivotRank) {
                _assign(pass, claim, word, index);
                if (!isCore) AverageFeeRule.countWinner(pass.tally, c, word);
            } else if (rank == pivotRank) {
                pass.pivotSize = word.size();
            }
            unchecked {
                (++i, ++index); // a round has fewer than 2^32 bids
            }
        }
        pass.chain = chain;
        pass.index = index;
    }

    /// @notice Whether the certificate is the round's, after the pass over all its bids.
    /// @return capBinds Whether more would have been cleared under a higher capacity cap.
    function finish(Pass memory pass, Claim memory claim) internal pure returns (bool capBinds) {
        Certificate memory c = claim.certificate;
        ClosedRound memory closed = claim.closed;
        if (!pass.chain.equals(closed.bids)) revert IMarketLog.WrongBids(closed.round);
        bool isCore = _isCore(closed);
        capBinds = isCore ? CoreRule.finish(pass, claim) : AverageFeeRule.finish(pass, claim);
        // Without a winning prover `start` has checked the pivot.
        if (pass.loads.length != 0) {
            UserOrder.requireFirstLeftOut(
                UserOrder.Line(c.pivotFee, c.pivotIndex, pass.offset, pass.pivotSize),
                isCore ? claim.side.capacity : AverageFeeRule.limit(claim),
                closed.reservePrice
            );
            pass.loads[pass.cursor] = pass.offset - pass.from;
        }
        if (pass.offset != c.units) revert IMarketLog.WrongUnits(c.units, pass.offset);
    }

    function _isCore(ClosedRound memory closed) private pure returns (bool) {
        return closed.mechanism == Mechanism.Core;
    }

    /// @dev A task belongs to the prover whose interval holds its offset.
    function _assign(Pass memory pass, Claim memory claim, BidWord word, uint256 index) private pure {
        uint256 offset = pass.offset;
        if (offset >= pass.until) _nextProver(pass, claim, offset);
        unchecked {
            pass.offset = offset + word.size(); // sizes are 32 bits and indices are below 2^32
        }
        pass.tree.push(TaskLib.leaf(word, index, pass.seat));
    }

    /// @dev Moves the cursor to the prover that the task at `offset` falls to. With a wrong claim of the units the walk
    /// could run off the winners; it stops at the last one, and `finish` refuses the claim.
    function _nextProver(Pass memory pass, Claim memory claim, uint256 offset) private pure {
        uint256 last = claim.side.winners.length - 1;
        pass.loads[pass.cursor] = offset - pass.from;
        while (offset >= pass.until && pass.cursor < last) {
            _setProver(pass, claim, pass.cursor + 1, offset);
        }
    }

    /// @dev The task at offset o belongs to the prover whose interval of the winners' capacity K, scaled to the batch Q,
    /// contains floor(o * K / Q): the first up to which the capacity E has o * K < E * Q, so o < ceil(E * Q / K).
    /// Capacities are below 2^40 in sum and units below 2^64, so nothing overflows.
    function _setProver(Pass memory pass, Claim memory claim, uint256 cursor, uint256 offset) private pure {
        uint256 seat = claim.side.winners[cursor];
        (pass.cursor, pass.seat, pass.from) = (cursor, seat, offset);
        pass.capacity += claim.closed.capacities[seat];
        pass.until = FixedPointMathLib.divUp(pass.capacity * claim.certificate.units, claim.side.capacity);
    }
}
