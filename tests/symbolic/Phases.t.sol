// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MarketId, MarketIdLib} from "../../contracts/types/MarketId.sol";
import {MarketParams} from "../../contracts/types/MarketParams.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice Rounds by their numbers: what divides time.
contract RoundNumbersSymbolic is Symbolic {
    /// @dev A round takes bids until the second before its close, and the next one from then on. Any genesis and number, bidding periods of
    /// up to 6 seconds.
    function check_roundEndsAtItsCloseAndTheNextOneOpens(uint40 genesis, uint256 period, uint256 round)
        external
        pure
    {
        period = each(period, 6);
        vm.assume(period != 0 && below(round, 28));
        MarketId id = MarketIdLib.pack(0, genesis, uint24(period), 0, false, 1);
        uint256 close = id.closeOf(round);
        assert(id.biddingRoundAt(close - 1) == round && id.roundAt(close - 1) == round);
        assert(id.roundAt(close) == round + 1 && id.roundAt(close - period) == round);
    }

    /// @dev Any second has one round, that which closes after it and opened at it or before.
    function check_everySecondIsOfOneRound(uint40 genesis, uint256 period, uint40 time) external pure {
        period = each(period, 6);
        vm.assume(period != 0 && time >= genesis && (time - genesis) / period <= type(uint32).max);
        MarketId id = MarketIdLib.pack(0, genesis, uint24(period), 0, false, 1);
        uint256 round = id.roundAt(time);
        assert(time < id.closeOf(round) && id.closeOf(round) - period <= time);
    }
}

/// @notice A round's deadlines, and what can be done when. Rounds of the market's parameters, whatever these are.
contract PhasesSymbolic is Symbolic {
    uint256 private constant ROUND = 3;
    /// The only parameters that decide it.
    MarketParams private _p;

    /// @dev Within what `MarketBook` lets pass; any periods.
    function _params(uint24[5] memory period, uint8 takeovers) private returns (MarketId id) {
        uint24 bidding = period[0];
        vm.assume(period[1] > 0 && uint256(period[4]) + period[1] <= bidding);
        vm.assume(period[2] > 0 && period[3] > 0 && takeovers > 0 && takeovers <= 16);
        (_p.settlementPeriod, _p.provingPeriod, _p.takeoverPeriod, _p.revealPeriod) =
        (period[1], period[2], period[3], period[4]);
        _p.maxTakeovers = takeovers;
        return MarketIdLib.pack(0, 1_000, bidding, 0, period[4] != 0, 1);
    }

    function check_phasesFollowOneAnother(uint24[5] memory period, uint8 takeovers) external {
        takeovers = each(takeovers, 1) == 0 ? 1 : 16; // the ends of what a market may have
        MarketId id = _params(period, takeovers);
        uint256 close = id.closeOf(ROUND);
        uint256 revealBy = _p.revealBy(id, ROUND);
        uint256 settleBy = _p.settleBy(id, ROUND);
        uint256 proveBy = _p.proveBy(id, ROUND);
        assert(close <= revealBy && revealBy < settleBy && settleBy < proveBy);
        assert(proveBy < _p.finalAt(id, ROUND));
        assert((revealBy == close) == !id.isSealed());
        // It is settled or void for ever when the round after the next opens, or before.
        assert(settleBy <= id.closeOf(ROUND + 1));
    }
}
