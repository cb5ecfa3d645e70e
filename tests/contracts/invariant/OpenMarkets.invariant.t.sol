// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Mechanism} from "../../../contracts/types/Mechanism.sol";
import {MoodyVerifier} from "../mocks/Moody.sol";
import {MarketsTest} from "./MarketsTest.sol";

/// @notice Open markets: both mechanisms in both currencies, and one whose verifier misbehaves.
contract OpenMarketsTest is MarketsTest("PROOPHI_OPEN") {
    function _makeMarkets() internal override {
        // The first one's verifier judges proofs one by one, those of the others also together.
        _open(true, Mechanism.Core);
        params.verifier = new MoodyVerifier();
        _openControlled(true, Mechanism.AverageFee);
        _openControlled(false, Mechanism.Core);
        params.capacityDelay = 2;
        _open(false, Mechanism.AverageFee);
        _openMoody(Mechanism.Core);
    }

    /// @dev One campaign for all that must hold, long enough for several rounds to live and die in each run.
    function invariant_ofOpenMarkets() public {
        _checkAll(3);
    }
}
