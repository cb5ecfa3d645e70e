// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Lane} from "../../../../contracts/types/Lane.sol";
import {TimeActions} from "../actions/TimeActions.sol";

/// @notice What must hold of one market's money. What must hold of a currency, over all markets, is in `MarketsTest`.
abstract contract MoneyProperties is TimeActions {
    function _checkMoney() internal view {
        invariant_everyBalanceIsWhatItsStoryGives();
        invariant_surplusIsWhatItsStoryGives();
        invariant_owedIsWhatCameInLessWhatWentOut();
        invariant_strangersHaveNothing();
        invariant_laneRemembersTheEntryOfItsRound();
        invariant_bundlesWaitUntilTheyAreReleasedOnce();
        invariant_commitmentsStandUntilTheyEndOnce();
    }

    /// @dev Of everybody: deposits, less bids and collateral, plus results, payments, bounties, compensations, refunds, fees and bonds.
    function invariant_everyBalanceIsWhatItsStoryGives() internal view {
        for (uint256 i; i < accounts.length; ++i) {
            assertEq(available(accounts[i]), balances[accounts[i]], "a balance is not what its story gives");
        }
    }

    /// @dev Spreads, dust, seat fees, bonds, and what is left of slashes and penalties.
    function invariant_surplusIsWhatItsStoryGives() internal view {
        assertEq(market.surplusOf(id), surplus, "the surplus is not what its story gives");
    }

    /// @dev Nothing is made and nothing lost: balances, surplus, collateral, deposits, bundles and what is held for tasks and open rounds.
    function invariant_owedIsWhatCameInLessWhatWentOut() internal view {
        assertEq(owed(), paidIn - paidOut, "ticks were made or lost");
    }

    /// @dev Money goes to nobody by mistake.
    function invariant_strangersHaveNothing() internal view {
        assertEq(available(address(0)), 0, "the zero address has money");
        assertEq(available(address(market)), 0, "the market has money in itself");
        assertEq(available(params.sink), 0, "the sink has a balance beside the surplus");
    }

    /// @dev A lane keeps an entry until its round's result is known, whatever else happens to the account.
    function invariant_laneRemembersTheEntryOfItsRound() internal view {
        uint256 current = openRound();
        for (uint256 round = current == 0 ? 0 : current - 1; round <= current; ++round) {
            if (isResolved(round)) continue;
            for (uint256 i; i < entriesOf[round].length; ++i) {
                Placed memory e = entriesOf[round][i];
                if (!e.inLane) continue;
                Lane lane = market.lanesOf(id, e.requester)[round & 1];
                bool same = lane.hasBid() && lane.round(round & 1) == round && lane.index() == e.first
                    && lane.count() == e.count && lane.fee() == e.fee && lane.size() == e.size;
                assertTrue(same, "a lane has lost its entry");
            }
        }
    }

    function invariant_bundlesWaitUntilTheyAreReleasedOnce() internal view {
        for (uint256 i; i < bundles.length; ++i) {
            bytes32 words = keccak256(
                abi.encodePacked(rawWords(_wordsOf(bundles[i].round, bundles[i].entry, bundles[i].entries)))
            );
            assertEq(_bundleHash(bundles[i]), words, "a bundle is not there");
        }
        uint256 n = releasedBundles.length;
        for (uint256 i = n > 4 ? n - 4 : 0; i < n; ++i) {
            assertEq(_bundleHash(releasedBundles[i]), 0, "a bundle is there again");
        }
    }

    function _bundleHash(Bundle memory b) private view returns (bytes32) {
        return market.bundleHash(id, b.requester, b.round, _firstIndex(b));
    }

    function invariant_commitmentsStandUntilTheyEndOnce() internal view {
        for (uint256 i; i < commitments.length; ++i) {
            (uint256 deposit_, uint256 bond) = _stakeOf(commitments[i]);
            assertEq(deposit_, commitments[i].deposit, "a commitment has another deposit");
            assertEq(bond, commitments[i].bond, "a commitment has another bond");
        }
        uint256 n = endedCommitments.length;
        for (uint256 i = n > 4 ? n - 4 : 0; i < n; ++i) {
            (uint256 deposit_,) = _stakeOf(endedCommitments[i]);
            assertEq(deposit_, 0, "a commitment is there again");
        }
    }

    function _stakeOf(Commitment storage c) private view returns (uint256, uint256) {
        return market.stakeOf(id, c.account, c.round, c.hash);
    }
}
