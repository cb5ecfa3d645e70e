// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IProverMarket} from "../interfaces/IProverMarket.sol";
import {AssignmentTree} from "../libraries/AssignmentTree.sol";
import {Claim, Pass, RoundCheck} from "../libraries/RoundCheck.sol";
import {BidChain, BidChainLib} from "../types/BidChain.sol";
import {BidWord} from "../types/BidWord.sol";
import {Certificate} from "../types/Certificate.sol";
import {MarketId} from "../types/MarketId.sol";
import {MarketParams} from "../types/MarketParams.sol";
import {OutcomeLib} from "../types/Outcome.sol";
import {SeatBook} from "./SeatBook.sol";

/// @notice Accepts the one outcome of a closed round.
abstract contract SettlementBook is SeatBook {
    using AssignmentTree for AssignmentTree.Frontier;
    using RoundCheck for Pass;

    /// @inheritdoc IProverMarket
    function settle(MarketId id, uint256 round, Certificate calldata certificate, BidWord[] calldata words)
        external
    {
        BidChain bids = _requireSettleable(id, round);
        Claim memory claim;
        (claim.certificate, claim.asks) = (certificate, _asksAt(id, round));
        claim.side = RoundCheck.proverSide(claim.asks, certificate.pivotSeat, round);
        Pass memory pass = _check(id, round, claim, words, bids);

        Certificate memory c = claim.certificate;
        bytes32 root = pass.tree.root();
        // forge-lint: disable-next-line(unsafe-typecast) -- costs are 64 bits
        uint64 proverPrice = uint64(claim.side.price);
        _recordOutcome(id, round, OutcomeLib.pack(c.pivotFee, c.pivotIndex, proverPrice, c.units), root);
        uint256[] memory winners = _occupyWinners(id, claim, pass.loads);
        uint256 reward = bids.count() * id.settlementFee();
        _credit(id, msg.sender, reward);

        emit RoundSettled(id, round, msg.sender, c, proverPrice, winners, root, reward);
    }

    /// @return winners As `RoundSettled` shows them.
    function _occupyWinners(MarketId id, Claim memory claim, uint256[] memory loads)
        private
        returns (uint256[] memory winners)
    {
        winners = new uint256[](loads.length);
        for (uint256 k; k < loads.length; ++k) {
            uint256 seat = claim.side.winners[k];
            winners[k] = (claim.asks.capacities[seat] << 8) | seat;
            if (loads[k] != 0) _occupy(id, seat, loads[k]);
        }
    }

    function _check(MarketId id, uint256 round, Claim memory claim, BidWord[] calldata words, BidChain bids)
        private
        view
        returns (Pass memory pass)
    {
        MarketParams storage market = _market(id);
        RoundCheck.Terms memory terms = RoundCheck.Terms(round, market.capacityCap, market.reservePrice);
        // The hash would show it too, but a list that is too long must not be hashed to the end.
        if (words.length != bids.count()) revert WrongBids(round);
        pass = RoundCheck.start(claim, BidChainLib.seed(id, round));
        pass.absorb(claim, words);
        pass.finish(claim, bids, terms);
    }
}
