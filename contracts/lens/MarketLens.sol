// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IProverMarket} from "../interfaces/IProverMarket.sol";
import {Lane} from "../types/Lane.sol";
import {MarketId} from "../types/MarketId.sol";
import {MarketParams} from "../types/MarketParams.sol";
import {Offer, OfferLib} from "../types/Offer.sol";
import {Outcome} from "../types/Outcome.sol";
import {TaskStatus} from "../types/Task.sol";

/// @title Read-only views for front ends
/// @notice Unpacks what `ProverMarket` stores packed. Holds nothing, may be deployed anew at any time. Units as in
/// `IProverMarket`.
///
/// Calls in loops go to the market only, which nobody can change, and nothing here costs gas on chain.
// slither-disable-start calls-loop
contract MarketLens {
    enum Phase {
        /// The round has not opened.
        Future,
        /// Bids are taken.
        Bidding,
        /// Closed, waiting to be settled.
        Settlement,
        /// Closed without bids, or not settled in time: bids are refunded.
        Void,
        /// Settled; assigned provers deliver.
        Proving,
        /// Undelivered tasks can be taken over.
        Takeover,
        /// Undelivered tasks can only be expired.
        Over
    }

    struct RoundView {
        Phase phase;
        uint256 bids;
        uint256 closesAt;
        uint256 settleBy;
        uint256 proveBy;
        uint256 finalAt;
        uint256 userPrice;
        uint256 proverPrice;
        uint256 units;
        /// Index of the first bid left out; see `Certificate`.
        uint256 pivotIndex;
        bytes32 assignmentRoot;
    }

    struct SeatView {
        /// Zero if the seat is free.
        address prover;
        uint256 capacity;
        uint256 openUnits;
        /// Whether the seat has an ask for the open round, and its unit cost.
        bool asks;
        uint256 cost;
        /// Whether it has one for the round after.
        bool asksNext;
        uint256 nextCost;
        uint256 collateral;
    }

    struct AccountView {
        /// Can be withdrawn now.
        uint256 available;
        /// Locked by single bids in rounds that are not resolved.
        uint256 locked;
    }

    IProverMarket public immutable market;

    constructor(IProverMarket market_) {
        market = market_;
    }

    /// @notice The round that takes bids now.
    function currentRound(MarketId id) external view returns (uint256) {
        return id.roundAt(block.timestamp);
    }

    function round(MarketId id, uint256 number) external view returns (RoundView memory v) {
        MarketParams memory p = market.marketParams(id);
        Outcome outcome = market.outcomeOf(id, number);
        v.bids = market.bidChainOf(id, number).count();
        v.closesAt = id.closeOf(number);
        v.settleBy = v.closesAt + p.settlementPeriod;
        v.proveBy = v.settleBy + p.provingPeriod;
        v.finalAt = v.proveBy + uint256(p.maxTakeovers) * p.takeoverPeriod;
        v.phase = _phase(v, outcome.isSettled(), id.biddingPeriod());
        v.userPrice = outcome.userPrice();
        v.proverPrice = outcome.proverPrice();
        v.units = outcome.units();
        v.pivotIndex = outcome.pivotIndex();
        v.assignmentRoot = market.assignmentRoot(id, number);
    }

    function seats(MarketId id) external view returns (SeatView[] memory list) {
        uint256 perUnit = market.marketParams(id).collateralPerUnit;
        uint256 current = id.roundAt(block.timestamp);
        list = new SeatView[](market.seatCount(id));
        for (uint256 i; i < list.length; ++i) {
            (address prover, uint256 capacity, Offer offer) = market.seatOf(id, i);
            (bool asks, uint256 cost) = _ask(offer, current);
            (bool asksNext, uint256 nextCost) = _ask(offer, current + 1);
            list[i] = SeatView({
                prover: prover,
                capacity: capacity,
                openUnits: capacity - offer.free(),
                asks: asks,
                cost: cost,
                asksNext: asksNext,
                nextCost: nextCost,
                collateral: capacity * perUnit
            });
        }
    }

    function account(MarketId id, address who) external view returns (AccountView memory v) {
        v.available = market.availableOf(id, who);
        Lane[2] memory lanes = market.lanesOf(id, who);
        for (uint256 i; i < 2; ++i) {
            if (lanes[i].hasBid() && !_isResolved(id, lanes[i].round())) {
                v.locked += lanes[i].fee() * lanes[i].size();
            }
        }
    }

    function taskStatuses(MarketId id, uint256 number, uint256[] calldata indices)
        external
        view
        returns (TaskStatus[] memory list)
    {
        list = new TaskStatus[](indices.length);
        for (uint256 i; i < indices.length; ++i) {
            list[i] = market.taskStatus(id, number, indices[i]);
        }
    }

    function _isResolved(MarketId id, uint256 number) private view returns (bool) {
        return market.outcomeOf(id, number).isSettled()
            || block.timestamp >= id.closeOf(number) + market.marketParams(id).settlementPeriod;
    }

    function _ask(Offer offer, uint256 number) private pure returns (bool asks, uint256 cost) {
        cost = offer.costAt(number);
        asks = cost != OfferLib.NO_ASK;
        if (!asks) cost = 0;
    }

    function _phase(RoundView memory v, bool settled, uint256 biddingPeriod) private view returns (Phase) {
        if (block.timestamp + biddingPeriod < v.closesAt) return Phase.Future;
        if (block.timestamp < v.closesAt) return Phase.Bidding;
        if (v.bids == 0) return Phase.Void;
        if (!settled) return block.timestamp < v.settleBy ? Phase.Settlement : Phase.Void;
        if (block.timestamp < v.proveBy) return Phase.Proving;
        return block.timestamp < v.finalAt ? Phase.Takeover : Phase.Over;
    }
}
// slither-disable-end calls-loop
