// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Controllers} from "../libraries/Controllers.sol";
import {MarketId} from "../types/MarketId.sol";
import {MarketParams} from "../types/MarketParams.sol";
import {Signal, Terms, TermsLib} from "../types/Terms.sol";
import {RoundBook} from "./RoundBook.sol";

/// @notice Capacity cap and reserve price of each round. They are fixed before a round opens: what round n settles, while
/// n + 1 takes bids, counts from n + 2.
abstract contract TermsBook is RoundBook {
    /// @dev The terms moved last, and those before. A round is settled before the one after the next opens, so no older ones
    /// are needed.
    mapping(MarketId => Terms[2]) private _moved;

    function _termsOf(MarketId id, uint256 round)
        internal
        view
        returns (uint256 capacityCap, uint256 reservePrice)
    {
        Terms terms = _termsAt(id, _existing(id), round);
        return (terms.capacityCap(), terms.reservePrice());
    }

    function _termsAt(MarketId id, MarketParams storage market, uint256 round)
        internal
        view
        returns (Terms terms)
    {
        if (market.isControlled()) {
            terms = _moved[id][0];
            if (terms.fromRound() > round) terms = _moved[id][1];
        }
        if (terms.isNone()) terms = TermsLib.pack(0, market.capacityCap, market.reservePrice);
    }

    /// @notice Lets the result of `round` move the terms of the rounds after the next.
    function _moveTerms(
        MarketId id,
        MarketParams storage market,
        uint256 round,
        uint256 roundCap,
        Signal memory signal
    ) internal {
        if (!market.isControlled()) return;
        Terms latest = _termsAt(id, market, round + 1);
        Terms moved = Controllers.next(market, latest, round + 2, roundCap, signal);
        _moved[id] = [moved, latest];
        emit TermsMoved(id, round + 2, moved.capacityCap(), moved.reservePrice());
    }
}
