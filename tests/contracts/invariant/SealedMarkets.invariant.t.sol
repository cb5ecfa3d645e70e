// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Mechanism} from "../../../contracts/types/Mechanism.sol";
import {MoodyVerifier} from "../mocks/Moody.sol";
import {MarketsTest} from "./MarketsTest.sol";

/// @notice Sealed markets: both mechanisms in both currencies.
contract SealedMarketsTest is MarketsTest("PROOPHI_SEALED") {
    function _makeMarkets() internal override {
        params.verifier = new MoodyVerifier();
        (params.revealPeriod, params.settlementPeriod, params.bondBps) = (30, 45, 1500);
        _open(true, Mechanism.Core);
        _openControlled(true, Mechanism.AverageFee);
        _openControlled(false, Mechanism.Core);
        params.capacityDelay = 2;
        _open(false, Mechanism.AverageFee);
    }

    /// @dev As for open markets.
    function invariant_ofSealedMarkets() public {
        _checkAll(3);
    }
}
