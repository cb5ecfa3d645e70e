// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IProverMarket} from "../interfaces/IProverMarket.sol";
import {Lane} from "../types/Lane.sol";
import {MarketId} from "../types/MarketId.sol";
import {MarketParams} from "../types/MarketParams.sol";
import {Offer} from "../types/Offer.sol";
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
        /// Closed; commitments of a sealed market are opened.
        Reveal,
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
        /// `closesAt` in a market with open bids.
        uint256 revealBy;
        uint256 settleBy;
        uint256 proveBy;
        uint256 finalAt;
        /// Terms of the round (units, ticks per unit), 0 for one that the market has forgotten them of: see `termsOf`.
        uint256 capacityCap;
        uint256 reservePrice;
        /// Unit fee of the first bid left out: in mechanism `core` what winners pay.
        uint256 pivotFee;
        /// What all deliveries are paid together (ticks).
        uint256 revenue;
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
        /// What the seat offers to the open round as things stand (units, 0 if it takes no part), and its unit cost.
        uint256 offered;
        uint256 cost;
        /// The same for the round after.
        uint256 offeredNext;
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
        v.revealBy = v.closesAt + p.revealPeriod;
        v.settleBy = v.revealBy + p.settlementPeriod;
        v.proveBy = v.settleBy + p.provingPeriod;
        v.finalAt = v.proveBy + uint256(p.maxTakeovers) * p.takeoverPeriod;
        v.phase = _phase(v, outcome.isSettled(), id.biddingPeriod());
        if (_remembersTerms(p, v, outcome.isSettled())) {
            (v.capacityCap, v.reservePrice) = market.termsOf(id, number);
        }
        v.pivotFee = outcome.pivotFee();
        v.revenue = outcome.revenue();
        v.units = outcome.units();
        v.pivotIndex = outcome.pivotIndex();
        v.assignmentRoot = market.assignmentRoot(id, number);
    }

    function seats(MarketId id) external view returns (SeatView[] memory list) {
        uint256 perUnit = market.marketParams(id).collateralPerUnit;
        uint256 current = id.roundAt(block.timestamp);
        (uint256[] memory costs, uint256[] memory offered) = market.asksOf(id, current);
        (uint256[] memory nextCosts, uint256[] memory offeredNext) = market.asksOf(id, current + 1);
        list = new SeatView[](costs.length);
        for (uint256 i; i < list.length; ++i) {
            // slither-disable-next-line unused-return
            (address prover, uint256 capacity, Offer offer,) = market.seatOf(id, i);
            list[i] = SeatView({
                prover: prover,
                capacity: capacity,
                openUnits: capacity - offer.free(),
                offered: offered[i],
                cost: costs[i],
                offeredNext: offeredNext[i],
                nextCost: nextCosts[i],
                collateral: capacity * perUnit
            });
        }
    }

    function account(MarketId id, address who) external view returns (AccountView memory v) {
        v.available = market.availableOf(id, who);
        Lane[2] memory lanes = market.lanesOf(id, who);
        for (uint256 i; i < 2; ++i) {
            if (lanes[i].hasBid() && !_isResolved(id, lanes[i].round(i))) {
                v.locked += lanes[i].fee() * lanes[i].size() * lanes[i].count();
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
        MarketParams memory p = market.marketParams(id);
        return market.outcomeOf(id, number).isSettled()
            || block.timestamp >= id.closeOf(number) + p.revealPeriod + p.settlementPeriod;
    }

    /// @dev Terms that move are kept until the round is settled, or until it is void and the next one has closed too.
    function _remembersTerms(MarketParams memory p, RoundView memory v, bool settled)
        private
        view
        returns (bool)
    {
        if (p.capMin == p.capMax && p.reserveMin == p.reserveMax) return true;
        return block.timestamp < (settled ? v.closesAt : v.closesAt + p.biddingPeriod);
    }

    function _phase(RoundView memory v, bool settled, uint256 biddingPeriod) private view returns (Phase) {
        if (block.timestamp + biddingPeriod < v.closesAt) return Phase.Future;
        if (block.timestamp < v.closesAt) return Phase.Bidding;
        if (block.timestamp < v.revealBy) return Phase.Reveal;
        if (v.bids == 0) return Phase.Void;
        if (!settled) return block.timestamp < v.settleBy ? Phase.Settlement : Phase.Void;
        if (block.timestamp < v.proveBy) return Phase.Proving;
        return block.timestamp < v.finalAt ? Phase.Takeover : Phase.Over;
    }
}
// slither-disable-end calls-loop
