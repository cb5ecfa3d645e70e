// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BidChain, BidChainLib} from "../types/BidChain.sol";
import {MarketId} from "../types/MarketId.sol";
import {MarketParams} from "../types/MarketParams.sol";
import {OfferLib} from "../types/Offer.sol";
import {CommitmentLib, Stake, StakeLib} from "../types/Sealed.sol";
import {SeatBook} from "./SeatBook.sol";

/// @notice Unit costs of a sealed market: committed to while the round takes bids, opened after its close.
abstract contract SealedAskBook is SeatBook {
    function _commitAsk(MarketId id, uint256 seat, bytes32 commitment, uint32 round) internal {
        MarketParams storage market = _sealed(id);
        _depositValue(id);
        address prover = _requireActor(id, seat);
        uint256 bond = _bondOf(id, market, _collateralOf(id, seat));
        _commit(id, prover, round, commitment, StakeLib.forAsk(seat), bond, bond);
    }

    function _revealAsk(MarketId id, uint256 seat, uint64 cost, bytes32 salt) internal {
        uint32 round = _revealingRound(id);
        if (cost == OfferLib.NO_ASK) revert InvalidCost(cost);
        if (seat >= _seatCount(id)) revert UnknownCommitment();
        address prover = _proverOf(id, seat);
        BidChain seed = BidChainLib.seed(id, round);
        bytes32 commitment = CommitmentLib.ofAsk(seed, prover, seat, cost, salt);
        Stake stake = _stake(id, prover, round, commitment);
        if (!stake.isFor(StakeLib.forAsk(seat))) revert UnknownCommitment();

        _endCommitment(id, prover, round, commitment);
        _setCostFor(id, seat, cost, round);
        _credit(id, prover, stake.deposit());

        emit AskRevealed(id, seat, cost, round);
    }
}
