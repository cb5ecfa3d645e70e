// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Outcome} from "../../../contracts/types/Outcome.sol";
import {Mechanism} from "../../../contracts/types/Mechanism.sol";
import {MarketId} from "../../../contracts/types/MarketId.sol";
import {CallbackToken, PlainToken} from "../mocks/Tokens.sol";
import {MarketTest} from "../support/MarketTest.sol";
import {MarketHandler} from "./MarketHandler.sol";

/// @notice Three markets in one contract: `core` in the native currency, `average-fee` under moving terms in a token that
/// calls back, and a sealed one with a longer delay. Under any sequence of actions of requesters, provers, relayers and an attacker that re-enters.
contract ProverMarketInvariantTest is MarketTest {
    MarketHandler private _native;
    MarketHandler private _inTokens;
    MarketHandler private _sealed;
    PlainToken private _token;

    bytes32[] private _actions = [
        bytes32("deposit"),
        "withdraw",
        "fold",
        "collectSurplus",
        "forceEther",
        "submitBid",
        "submitBids",
        "submitLot",
        "release",
        "register",
        "ask",
        "leave",
        "changeCapacity",
        "releaseCapacity",
        "reveal",
        "forfeit",
        "settleRound",
        "settleWrong",
        "settleInPages",
        "deliver",
        "takeOver",
        "expire",
        "wait"
    ];

    function setUp() public override {
        super.setUp();
        params.settlementPeriod = 70;
        params.maxTakeovers = 3;
        _native = new MarketHandler(market, verifier, params);
        _token = new CallbackToken();
        params.currency = address(_token);
        params.tick = 3;
        params.maxSeats = 4;
        params.mechanism = Mechanism.AverageFee;
        params.seatFee = 11;
        (params.capacityCap, params.capMin, params.capMax) = (40, 30, 60);
        (params.reservePrice, params.reserveMin, params.reserveMax) = (5, 0, 9);
        params.penaltyBps = 10_000;
        params.settlementPeriod = params.biddingPeriod;
        _inTokens = new MarketHandler(market, verifier, params);
        (params.currency, params.tick) = (address(0), uint96(TICK));
        params.mechanism = Mechanism.Core;
        (params.revealPeriod, params.settlementPeriod, params.bondBps) = (30, 70, 1500);
        params.capacityDelay = 2;
        params.maxSeats = 5;
        _sealed = new MarketHandler(market, verifier, params);
        _target(_native);
        _target(_inTokens);
        _target(_sealed);
    }

    function _target(MarketHandler handler) private {
        bytes4[] memory selectors = new bytes4[](29);
        selectors[0] = handler.deposit.selector;
        selectors[1] = handler.withdraw.selector;
        selectors[2] = handler.fold.selector;
        selectors[3] = handler.collectSurplus.selector;
        selectors[4] = handler.forceEther.selector;
        selectors[5] = handler.submitBid.selector;
        selectors[6] = handler.submitBids.selector;
        selectors[7] = handler.release.selector;
        selectors[8] = handler.register.selector;
        selectors[9] = handler.ask.selector;
        selectors[10] = handler.leave.selector;
        selectors[11] = handler.releaseCapacity.selector;
        selectors[12] = handler.settleRound.selector;
        selectors[13] = handler.settleWrong.selector;
        selectors[14] = handler.deliver.selector;
        selectors[15] = handler.takeOver.selector;
        selectors[16] = handler.expire.selector;
        selectors[17] = handler.wait.selector;
        // What moves a round forward comes more often.
        selectors[18] = handler.submitBid.selector;
        selectors[19] = handler.submitBids.selector;
        selectors[20] = handler.settleRound.selector;
        selectors[21] = handler.register.selector;
        selectors[22] = handler.deliver.selector;
        selectors[23] = handler.changeCapacity.selector;
        bool isSealed = handler == _sealed;
        selectors[24] = isSealed ? handler.reveal.selector : handler.submitBid.selector;
        selectors[25] = isSealed ? handler.forfeit.selector : handler.settleRound.selector;
        selectors[26] = handler.submitLot.selector;
        selectors[27] = handler.submitLot.selector;
        selectors[28] = handler.settleInPages.selector;
        targetSelector(FuzzSelector(address(handler), selectors));
        targetContract(address(handler));
    }

    /// @dev One campaign for all that must hold, long enough for several rounds to live and die in each run.
    /// forge-config: default.invariant.runs = 10
    /// forge-config: default.invariant.depth = 300
    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: ci.invariant.runs = 64
    /// forge-config: ci.invariant.depth = 400
    /// forge-config: ci.invariant.fail-on-revert = true
    function invariant_moneyCollateralAndOutcomesHold() public {
        _checkBalances();
        _checkSeats(_native);
        _checkSeats(_inTokens);
        _checkSeats(_sealed);
        _checkOutcomes(_native, 3);
        _checkOutcomes(_inTokens, 3);
        _checkOutcomes(_sealed, 3);
    }

    /// @dev A handler whose calls all fail tests nothing. One run has too few calls of each action to tell, and forge forgets
    /// all state between runs, so the counts of a campaign are added up in the environment of the process.
    function _checkSuccesses() private {
        for (uint256 i; i < _actions.length; ++i) {
            bytes32 action = _actions[i];
            string memory key = string.concat("PROOPHI_INVARIANT_", vm.toString(i));
            uint256 calls = vm.envOr(string.concat(key, "_CALLS"), uint256(0)) + _calls(action);
            uint256 successes = vm.envOr(string.concat(key, "_SUCCESSES"), uint256(0)) + _successes(action);
            vm.setEnv(string.concat(key, "_CALLS"), vm.toString(calls));
            vm.setEnv(string.concat(key, "_SUCCESSES"), vm.toString(successes));
            if (calls >= 100) assertGe(successes * 100, calls, string(abi.encodePacked(action)));
        }
    }

    function _calls(bytes32 action) private view returns (uint256) {
        return _native.calls(action) + _inTokens.calls(action) + _sealed.calls(action);
    }

    function _successes(bytes32 action) private view returns (uint256) {
        return _native.successes(action) + _inTokens.successes(action) + _sealed.successes(action);
    }

    /// @dev The contract holds exactly what it owes, in each currency.
    function _checkBalances() private view {
        uint256 forced = _native.forced() + _inTokens.forced() + _sealed.forced();
        assertEq(address(market).balance, (_native.owed() + _sealed.owed()) * TICK + forced);
        assertEq(_token.balanceOf(address(market)), _inTokens.owed() * 3);
        assertEq(_native.owed(), _native.paidIn() - _native.paidOut());
        assertEq(_sealed.owed(), _sealed.paidIn() - _sealed.paidOut());
    }

    /// @dev Only now is everything at rest: everybody leaves, and what remains was forced on the contract.
    function afterInvariant() public {
        _checkSuccesses();
        _checkOutcomes(_native, type(uint256).max);
        _checkOutcomes(_inTokens, type(uint256).max);
        _checkOutcomes(_sealed, type(uint256).max);
        _native.exitAll();
        _inTokens.exitAll();
        _sealed.exitAll();
        assertEq(address(market).balance, _native.forced() + _inTokens.forced() + _sealed.forced());
        assertEq(_token.balanceOf(address(market)), 0);
    }

    /// @dev Every open task stands on collateral of all who hold or held it.
    function _checkSeats(MarketHandler handler) private {
        id = _idOf(handler);
        assertTrue(handler.asksHold(), "a closed round keeps its asks");
        for (uint256 i; i < market.seatCount(id); ++i) {
            assertLe(free(i), capacity(i));
            assertEq(capacity(i) - free(i), handler.openUnits(i));
        }
    }

    /// @dev A settled round keeps its outcome, and no other has one; checked for the last rounds.
    function _checkOutcomes(MarketHandler handler, uint256 last) private {
        id = _idOf(handler);
        uint256 current = handler.roundNow();
        for (uint256 i = current > last ? current - last : 0; i <= current; ++i) {
            Outcome outcome = market.outcomeOf(id, i);
            assertEq(outcome.isSettled(), handler.settled(i));
            if (handler.settled(i)) assertEq(uint256(keccak256(abi.encode(outcome))), handler.outcome(i));
        }
    }

    function _idOf(MarketHandler handler) private view returns (MarketId) {
        return handler.marketId();
    }
}
