// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BidChain} from "../../../../contracts/types/BidChain.sol";
import {Outcome} from "../../../../contracts/types/Outcome.sol";
import {SlowMerkle} from "../../support/SlowMerkle.sol";
import {MoneyProperties} from "./MoneyProperties.sol";

/// @notice What must hold of one market's rounds. Checked of the last few, and of all when a run ends.
abstract contract RoundProperties is MoneyProperties {
    function _checkRounds(uint256 last) internal view {
        uint256 current = openRound();
        for (uint256 round = current > last ? current - last : 0; round <= current; ++round) {
            invariant_roundHoldsTheEntriesThatWereAccepted(round);
            invariant_roundHasOneOutcomeForEver(round);
            invariant_outcomeIsThatOfTheSlowMechanism(round);
            invariant_assignmentsAreThoseOfTheSlowMechanism(round);
            invariant_roundPaysWhatItsRevenueHolds(round);
        }
        invariant_roundsToComeAreEmpty();
        invariant_termsFollowTheirRules();
    }

    /// @dev All that were accepted, in their order, and nothing of those that were refused. The last round that closed has what it had.
    function invariant_roundHoldsTheEntriesThatWereAccepted(uint256 round) internal view {
        Round storage r = rounds[round];
        uint256 chain = r.bids == 0 ? 0 : r.running | (r.digest << 24) | r.bids;
        assertEq(BidChain.unwrap(market.bidChainOf(id, round)), chain, "a round holds other entries");
    }

    /// @dev None before its settlement, and ever after the one that it was settled with.
    function invariant_roundHasOneOutcomeForEver(uint256 round) internal view {
        Outcome outcome = market.outcomeOf(id, round);
        assertEq(Outcome.unwrap(outcome), rounds[round].outcome, "a round has another outcome");
        assertEq(outcome.isSettled(), rounds[round].settled, "a round is settled by itself, or no more");
    }

    function invariant_outcomeIsThatOfTheSlowMechanism(uint256 round) internal view {
        Round storage r = rounds[round];
        if (!r.settled) return;
        Outcome outcome = market.outcomeOf(id, round);
        assertEq(outcome.pivotFee(), r.pivotFee, "another pivot fee");
        assertEq(outcome.pivotIndex(), r.pivotIndex, "another pivot");
        assertEq(outcome.revenue(), r.revenue, "another revenue");
        assertEq(outcome.units(), r.units, "other units");
    }

    /// @dev Who proves which bid, for every winner; of a round without a trade nothing.
    function invariant_assignmentsAreThoseOfTheSlowMechanism(uint256 round) internal view {
        bytes32 root = SlowMerkle.root(rounds[round].leaves);
        assertEq(market.assignmentRoot(id, round), root, "another assignment");
    }

    /// @dev Deliveries and dust together never exceed what all deliveries are paid, whatever still comes.
    function invariant_roundPaysWhatItsRevenueHolds(uint256 round) internal view {
        uint256 due = rounds[round].paid;
        for (uint256 i; i < openTasks.length; ++i) {
            Held storage t = tasks[openTasks[i]];
            if (t.round == round) due += t.payment;
        }
        assertLe(due, market.outcomeOf(id, round).revenue(), "a round pays more than its revenue");
    }

    function invariant_roundsToComeAreEmpty() internal view {
        uint256 next = openRound() + 1;
        assertEq(BidChain.unwrap(market.bidChainOf(id, next)), 0, "a round to come has bids");
        assertFalse(market.outcomeOf(id, next).isSettled(), "a round to come is settled");
        assertEq(market.assignmentRoot(id, next), 0, "a round to come has tasks");
    }

    /// @dev Those of the open round, and of the one that closed last until it is settled, are fixed and within their bounds.
    function invariant_termsFollowTheirRules() internal view {
        uint256 current = openRound();
        for (uint256 round = current == 0 ? 0 : current - 1; round <= current; ++round) {
            if (round < current && rounds[round].settled) continue;
            (uint256 cap, uint256 reserve) = market.termsOf(id, round);
            assertEq(cap, rounds[round].cap, "another capacity cap");
            assertEq(reserve, rounds[round].reserve, "another reserve price");
            assertTrue(params.capMin <= cap && cap <= params.capMax, "the cap left its bounds");
            assertTrue(params.reserveMin <= reserve && reserve <= params.reserveMax, "the reserve did");
        }
    }
}
