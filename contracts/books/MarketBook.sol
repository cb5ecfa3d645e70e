// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../interfaces/IMarketLog.sol";
import {MarketId} from "../types/MarketId.sol";
import {Mechanism} from "../types/Mechanism.sol";
import {MarketParams, MarketParamsLib} from "../types/MarketParams.sol";
import {TakeoverLib} from "../types/Takeover.sol";

/// @notice Which markets exist, with parameters that never change.
abstract contract MarketBook is IMarketLog {
    uint256 private constant MAX_SEATS = 128;
    uint256 private constant MAX_TASK_SIZE = 2 ** 30;
    uint256 private constant MAX_VERIFIER_GAS = 12_000_000;

    mapping(MarketId => MarketParams) private _params;

    function _createMarket(MarketParams calldata params) internal returns (MarketId id) {
        _validate(params);
        id = MarketParamsLib.toId(params);
        if (_params[id].tick != 0) revert MarketExists(id);
        _params[id] = params;
        emit MarketCreated(id, msg.sender, params);
    }

    /// @dev Parameters of an id under which money or bids were found; zeros if there is no such market.
    function _market(MarketId id) internal view returns (MarketParams storage) {
        return _params[id];
    }

    function _existing(MarketId id) internal view returns (MarketParams storage params) {
        params = _params[id];
        if (params.tick == 0) revert UnknownMarket(id);
    }

    function _validate(MarketParams calldata p) private view {
        _require(p.currency == address(0) || p.currency.code.length != 0, "currency");
        _require(p.tick != 0, "tick");
        _require(p.maxTaskSize != 0 && p.maxTaskSize <= MAX_TASK_SIZE, "maxTaskSize");
        _require(p.capMin <= p.capacityCap && p.capacityCap <= p.capMax, "capacityCap");
        _require(p.reserveMin <= p.reservePrice && p.reservePrice <= p.reserveMax, "reservePrice");
        _require(p.biddingPeriod != 0, "biddingPeriod");
        // A round must be settled before the one after the next opens.
        uint256 untilSettled = uint256(p.revealPeriod) + p.settlementPeriod;
        _require(p.settlementPeriod != 0 && untilSettled <= p.biddingPeriod, "settlementPeriod");
        _require(p.provingPeriod != 0, "provingPeriod");
        _require(p.takeoverPeriod != 0, "takeoverPeriod");
        _require(p.maxTakeovers != 0 && p.maxTakeovers <= TakeoverLib.MAX_TAKERS, "maxTakeovers");
        // In `core` the prover price is that of a prover who does not win.
        uint256 minSeats = p.mechanism == Mechanism.Core ? 2 : 1;
        _require(p.maxSeats >= minSeats && p.maxSeats <= MAX_SEATS, "maxSeats");
        _require(address(p.verifier).code.length != 0, "verifier");
        _require(p.verifierGas != 0 && p.verifierGas <= MAX_VERIFIER_GAS, "verifierGas");
        _require(uint256(p.bountyBps) + p.compensationBps <= MarketParamsLib.BPS, "bountyBps");
        _require(p.penaltyBps <= MarketParamsLib.BPS, "penaltyBps");
        // Without a bond a commitment would be a free option, and with open bids there is nothing to bond.
        _require((p.bondBps != 0) == (p.revealPeriod != 0) && p.bondBps <= MarketParamsLib.BPS, "bondBps");
        _require(p.sink != address(0) && p.sink != address(this), "sink");
        _require(p.capacityDelay != 0, "capacityDelay");
        _require(p.minSeatCapacity >= 2 * uint256(p.maxTaskSize) - 1, "minSeatCapacity");
        // With the line before, the cap never falls below the largest task.
        _require(p.minSeatCapacity <= uint256(p.capMin) + p.maxTaskSize - 1, "capMin");
    }

    function _require(bool holds, bytes32 name) private pure {
        if (!holds) revert InvalidParameter(name);
    }
}
