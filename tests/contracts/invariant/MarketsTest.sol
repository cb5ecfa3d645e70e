// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {stdJson} from "forge-std/StdJson.sol";
import {MarketId} from "../../../contracts/types/MarketId.sol";
import {Mechanism} from "../../../contracts/types/Mechanism.sol";
import {Attacker} from "../mocks/Attackers.sol";
import {CallbackPermitToken} from "../mocks/CallbackPermitToken.sol";
import {MoodyVerifier} from "../mocks/Moody.sol";
import {BurningWallet, AnsweringWallet, RevertingWallet, SlowWallet, Wallet} from "../mocks/Wallets.sol";
import {MarketTest} from "../support/MarketTest.sol";
import {ActionTable} from "./ActionTable.sol";
import {Cast} from "./Cast.sol";
import {HostileTokenHandler} from "./HostileTokenHandler.sol";
import {MarketHandler} from "./MarketHandler.sol";

/// @notice Several markets of both currencies in one contract at the same time, with the same people in all of them: what is owed in a
/// currency is summed up over its markets. Beside them a market whose token misbehaves and one whose verifier does.
abstract contract MarketsTest is MarketTest {
    using stdJson for string;

    address private constant PERMIT2 = 0x000000000022D473030F116dDEE9F6B43aC78BA3;
    uint256 internal constant TOKEN_TICK = 3;

    MarketHandler[] internal handlers;
    HostileTokenHandler internal hostile;
    Cast internal cast;
    /// What the fuzzer does, in all markets together.
    bytes32[] private _actions;
    string private _suite;

    constructor(string memory suite) {
        _suite = suite;
    }

    function setUp() public override {
        super.setUp();
        vm.etch(PERMIT2, vm.readFile("tests/vectors/permit2.json").readBytes(".code"));
        _engage();
        (params.settlementPeriod, params.provingPeriod) = (70, 110);
        (params.takeoverPeriod, params.maxTakeovers) = (40, 3);
        hostile = new HostileTokenHandler(market, params);
        _makeMarkets();
        for (uint256 i; i < handlers.length; ++i) {
            _targetHandler(handlers[i]);
        }
        _target(address(hostile), hostile.selectors());
    }

    function _engage() private {
        string[7] memory names = ["alice", "bob", "carol", "paul", "quentin", "rita", "relayer"];
        for (uint256 i; i < names.length; ++i) {
            (address account, uint256 key) = makeAddrAndKey(names[i]);
            cast.people.push(account);
            cast.keys.push(key);
        }
        Attacker refuser = new Attacker(address(market));
        refuser.plan("", true);
        cast.refuser = address(refuser);
        cast.wallets = [
            address(new Wallet(cast.people[0])),
            address(new SlowWallet(20_000)),
            address(new AnsweringWallet(abi.encode(bytes4(0xffffffff)))),
            address(new RevertingWallet()),
            address(new BurningWallet())
        ];
        cast.goodWallets = 2;
        cast.token = new CallbackPermitToken();
    }

    /// @dev The markets of the suite, by `_open`.
    function _makeMarkets() internal virtual;

    function _targetHandler(MarketHandler handler) private {
        ActionTable.Action[] memory actions = handler.actions();
        bytes4[] memory selectors = new bytes4[](100);
        uint256 n;
        for (uint256 i; i < actions.length; ++i) {
            _name(actions[i].name);
            for (uint256 k; k < actions[i].weight; ++k) {
                selectors[n++] = actions[i].selector;
            }
        }
        assembly ("memory-safe") {
            mstore(selectors, n)
        }
        _target(address(handler), selectors);
    }

    /// @dev Markets share most actions.
    function _name(bytes32 action) private {
        for (uint256 i; i < _actions.length; ++i) {
            if (_actions[i] == action) return;
        }
        _actions.push(action);
    }

    function _target(address target, bytes4[] memory selectors) private {
        targetSelector(FuzzSelector(target, selectors));
        targetContract(target);
    }

    /// @dev A market of `params`; each has its own sink.
    function _open(bool native, Mechanism mechanism) internal returns (MarketHandler handler) {
        params.sink = makeAddr(string.concat("sink of ", vm.toString(handlers.length)));
        params.currency = native ? address(0) : address(cast.token);
        params.tick = uint96(native ? TICK : TOKEN_TICK);
        params.mechanism = mechanism;
        handler = new MarketHandler(market, params, cast, id);
        handlers.push(handler);
    }

    /// @dev The same with a cap and a reserve that move, and seats that cost something.
    function _openControlled(bool native, Mechanism mechanism) internal returns (MarketHandler handler) {
        uint64[6] memory fixedTerms = _terms();
        (params.capacityCap, params.capMin, params.capMax) = (40, 30, 60);
        (params.reservePrice, params.reserveMin, params.reserveMax) = (5, 0, 9);
        (params.penaltyBps, params.seatFee, params.maxSeats) = (10_000, 11, 4);
        handler = _open(native, mechanism);
        (params.capacityCap, params.capMin, params.capMax) = (fixedTerms[0], fixedTerms[1], fixedTerms[2]);
        (params.reservePrice, params.reserveMin, params.reserveMax) =
        (fixedTerms[3], fixedTerms[4], fixedTerms[5]);
        (params.penaltyBps, params.seatFee, params.maxSeats) = (1000, 0, 5);
    }

    function _terms() private view returns (uint64[6] memory) {
        return [
            params.capacityCap,
            params.capMin,
            params.capMax,
            params.reservePrice,
            params.reserveMin,
            params.reserveMax
        ];
    }

    function _openMoody(Mechanism mechanism) internal {
        MoodyVerifier honest = MoodyVerifier(address(params.verifier));
        MoodyVerifier moody = new MoodyVerifier();
        params.verifier = moody;
        _open(true, mechanism).beMoody(moody);
        params.verifier = honest;
    }

    // ------------------------------------------------------------------------------------------------- properties

    function _checkAll(uint256 last) internal {
        for (uint256 i; i < handlers.length; ++i) {
            handlers[i].check(last);
        }
        invariant_etherIsWhatIsOwedAndWhatWasForced();
        invariant_tokensAreWhatIsOwed();
        invariant_whatWasPaidOutArrived();
        invariant_hostileTokenMakesNoCredit();
    }

    /// @dev To the wei, over all markets of the currency.
    function invariant_etherIsWhatIsOwedAndWhatWasForced() internal view {
        uint256 expected;
        for (uint256 i; i < handlers.length; ++i) {
            if (handlers[i].isNative()) expected += handlers[i].owed() * TICK;
            expected += handlers[i].forced();
        }
        assertEq(address(market).balance, expected, "ether is not what is owed");
    }

    function invariant_tokensAreWhatIsOwed() internal view {
        uint256 expected;
        for (uint256 i; i < handlers.length; ++i) {
            if (!handlers[i].isNative()) expected += handlers[i].owed() * TOKEN_TICK;
        }
        assertEq(cast.token.balanceOf(address(market)), expected, "tokens are not what is owed");
    }

    /// @dev Nobody outside of the market has more or less than what was withdrawn to them, over all markets of the currency.
    function invariant_whatWasPaidOutArrived() internal view {
        for (uint256 i; i < cast.people.length; ++i) {
            _checkArrived(cast.people[i]);
        }
        _checkArrived(cast.refuser);
        for (uint256 i; i < handlers.length; ++i) {
            _checkArrived(address(handlers[i].ATTACKER()));
            _checkArrived(handlers[i].sinkOf());
        }
    }

    function _checkArrived(address account) private view {
        uint256 ether_;
        uint256 tokens;
        for (uint256 i; i < handlers.length; ++i) {
            if (handlers[i].isNative()) ether_ += handlers[i].received(account) * TICK;
            else tokens += handlers[i].received(account) * TOKEN_TICK;
        }
        assertEq(account.balance, ether_, "somebody has other ether than was paid");
        assertEq(cast.token.balanceOf(account), tokens, "somebody has other tokens than were paid");
    }

    /// @dev Whatever the hostile token answers, only what arrived is credited.
    function invariant_hostileTokenMakesNoCredit() internal view {
        hostile.check();
    }

    // -------------------------------------------------------------------------------------------- end of a run

    /// @dev Only now is everything at rest: everybody leaves, and what remains was forced on the contract.
    function afterInvariant() public {
        _checkSuccesses();
        _checkAll(type(uint256).max / 2);
        uint256 forced;
        for (uint256 i; i < handlers.length; ++i) {
            handlers[i].exitAll();
            forced += handlers[i].forced();
        }
        invariant_whatWasPaidOutArrived();
        assertEq(address(market).balance, forced, "somebody has left ether behind");
        assertEq(cast.token.balanceOf(address(market)), 0, "somebody has left tokens behind");
    }

    /// @dev A handler whose calls all fail tests nothing. One run has too few calls of each action to tell, and forge forgets
    /// all state between runs, so the counts of a campaign are added up in the environment of the process.
    function _checkSuccesses() private {
        for (uint256 i; i < _actions.length; ++i) {
            string memory action = string(abi.encodePacked(_actions[i]));
            string memory key = string.concat(_suite, "_", vm.toString(i));
            (uint256 calls, uint256 successes) = _countOf(_actions[i]);
            calls += vm.envOr(string.concat(key, "_CALLS"), uint256(0));
            successes += vm.envOr(string.concat(key, "_SUCCESSES"), uint256(0));
            vm.setEnv(string.concat(key, "_CALLS"), vm.toString(calls));
            vm.setEnv(string.concat(key, "_SUCCESSES"), vm.toString(successes));
            if (calls >= 1000) {
                assertGe(successes * 100, calls, string.concat("hardly ever succeeds: ", action));
            }
        }
    }

    function _countOf(bytes32 action) private view returns (uint256 calls, uint256 successes) {
        for (uint256 i; i < handlers.length; ++i) {
            calls += handlers[i].calls(action);
            successes += handlers[i].successes(action);
        }
    }
}
