// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IProverMarket} from "../interfaces/IProverMarket.sol";
import {AssignmentTree} from "../libraries/AssignmentTree.sol";
import {AskBook, Pass, ProverSide, RoundCheck} from "../libraries/RoundCheck.sol";
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
        AskBook memory book = _asksAt(id, round);
        Certificate memory c = certificate;
        ProverSide memory side = RoundCheck.proverSide(book, c, round);
        Pass memory pass = _check(id, round, c, words, bids, book, side);

        bytes32 root = pass.tree.root();
        // forge-lint: disable-next-line(unsafe-typecast) -- costs are 64 bits
        uint64 proverPrice = uint64(side.price);
        _recordOutcome(id, round, OutcomeLib.pack(c.pivotFee, c.pivotIndex, proverPrice, c.units), root);
        uint256[] memory winners = new uint256[](side.winners.length);
        for (uint256 k; k < winners.length; ++k) {
            uint256 seat = side.winners[k];
            winners[k] = (book.capacities[seat] << 8) | seat;
            if (pass.loads[k] != 0) _occupy(id, seat, pass.loads[k]);
        }
        uint256 reward = bids.count() * id.settlementFee();
        _credit(id, msg.sender, reward);

        emit RoundSettled(id, round, msg.sender, c, proverPrice, winners, root, reward);
    }

    function _check(
        MarketId id,
        uint256 round,
        Certificate memory c,
        BidWord[] calldata words,
        BidChain bids,
        AskBook memory book,
        ProverSide memory side
    ) private view returns (Pass memory pass) {
        MarketParams storage market = _market(id);
        RoundCheck.Terms memory terms = RoundCheck.Terms(round, market.capacityCap, market.reservePrice);
        // The hash would show it too, but a list that is too long must not be hashed to the end.
        if (words.length != bids.count()) revert WrongBids(round);
        pass = RoundCheck.start(side, c, book, BidChainLib.seed(id, round));
        pass.absorb(words, side, c, book);
        pass.finish(side, c, bids, terms);
    }
}
