// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MarketId} from "../../../../contracts/types/MarketId.sol";
import {MoodyVerifier} from "../../mocks/Moody.sol";
import {BidSignatures} from "../../support/BidSignatures.sol";
import {SealedMarketTest} from "../../support/SealedMarketTest.sol";
import {Cast} from "../Cast.sol";

/// @notice A second set of books, kept beside the market's from what happened and from what the documents say about it, with none of
/// the market's own code: what anybody can have, who holds which task, how each round ends. `MarketProperties` compares the two.
/// @dev One contract a concern, each on top of the one before:
///
///     Mirror          random draws, calls as somebody, how often an action succeeds
///     RoundMirror     entries, running hashes, terms, and when a round's result is known
///     MoneyMirror     balances, lanes, bundles, what came in and went out
///     SeatMirror      capacity, free units, asks
///     SealedMirror    commitments
///     TaskMirror      tasks, their holders, deadlines and ends
///     OutcomeMirror   what a settlement changes in all of these
abstract contract Mirror is SealedMarketTest, BidSignatures {
    /// Who takes part in this market.
    Cast internal cast;
    /// The market's verifier, if it is one that misbehaves.
    MoodyVerifier internal moody;
    /// Another market of the same contract.
    MarketId internal marketBeside;
    /// Everybody who may have money in it.
    address[] internal accounts;

    mapping(bytes32 action => uint256) public calls;
    mapping(bytes32 action => uint256) public successes;

    bytes32 private _action;
    uint256 private _state;

    /// @dev An action is a function of its salt and of the state before it, so that forge can shrink a failing sequence.
    modifier acts(bytes32 action, uint256 salt) {
        (_action, _state) = (action, uint256(keccak256(abi.encode(action, salt))));
        ++calls[action];
        catchUp();
        _;
    }

    function setUp() public pure override {
        revert("a handler is set up by its constructor");
    }

    /// @notice Books what time alone has done since the last call. Nothing has happened in the market since.
    function catchUp() public virtual;

    /// @dev There was nothing to call the market for, so this was no call: sealed markets often have no task for long.
    function _nothingToTry() internal {
        --calls[_action];
    }

    function _succeeded(bool ok) internal {
        if (ok) ++successes[_action];
    }

    // ------------------------------------------------------------------------------------------------------ chance

    function _draw(uint256 below) internal returns (uint256) {
        _state = uint256(keccak256(abi.encode(_state)));
        return _state % below;
    }

    function _between(uint256 least, uint256 most) internal returns (uint256) {
        return least + _draw(most - least + 1);
    }

    function _oneIn(uint256 n) internal returns (bool) {
        return _draw(n) == 0;
    }

    function _anyAccount() internal returns (address) {
        return accounts[_draw(accounts.length)];
    }

    /// @dev Somebody who bids, offers and sends by itself; wallets only answer for signatures.
    function _anyActor() internal returns (address) {
        return accounts[_draw(accounts.length - cast.wallets.length)];
    }

    /// @dev Wallets have no way to receive native currency, and do nothing by themselves.
    function _isWallet(address account) internal view returns (bool) {
        for (uint256 i; i < cast.wallets.length; ++i) {
            if (cast.wallets[i] == account) return true;
        }
        return false;
    }

    // ------------------------------------------------------------------------------------------------------- calls

    function _isSealed() internal view returns (bool) {
        return params.revealPeriod != 0;
    }

    function _isNative() internal view returns (bool) {
        return params.currency == address(0);
    }

    /// @dev One call, as `who`, with native currency made for it.
    function _tryWith(address who, uint256 value, bytes memory call) internal returns (bool ok) {
        uint256 before = who.balance;
        if (value != 0) vm.deal(who, before + value);
        vm.prank(who);
        (ok,) = address(market).call{value: value}(call);
        if (!ok && value != 0) vm.deal(who, before);
    }

    function _try(address who, bytes memory call) internal returns (bool ok) {
        vm.prank(who);
        (ok,) = address(market).call(call);
    }
}
