// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IProverMarket} from "../../../contracts/interfaces/IProverMarket.sol";
import {MarketId} from "../../../contracts/types/MarketId.sol";
import {MarketParams} from "../../../contracts/types/MarketParams.sol";
import {Attacker} from "../mocks/Attackers.sol";
import {MoodyVerifier} from "../mocks/Moody.sol";
import {ActionTable} from "./ActionTable.sol";
import {Cast} from "./Cast.sol";

/// @notice Everything that anybody can do in one market, in any order: the actions of a stateful fuzz. Of each call it is known
/// beforehand whether the market takes it, and a call that goes the other way fails the run.
contract MarketHandler is ActionTable {
    /// Is paid, and called back, and then tries to withdraw once more.
    Attacker public immutable ATTACKER;

    constructor(IProverMarket market_, MarketParams memory params_, Cast memory cast_, MarketId beside) {
        (market, params, cast, marketBeside) = (market_, params_, cast_, beside);
        id = market.createMarket(params_);
        (rounds[0].cap, rounds[0].reserve) = (params_.capacityCap, params_.reservePrice);
        noteTerms(0, params_.capacityCap, params_.reservePrice);
        ATTACKER = new Attacker(address(market_));
        ATTACKER.plan(abi.encodeCall(market.withdraw, (id, type(uint256).max, address(ATTACKER))), false);
        for (uint256 i; i < cast_.people.length; ++i) {
            accounts.push(cast_.people[i]);
        }
        accounts.push(cast_.refuser);
        accounts.push(address(ATTACKER));
        for (uint256 i; i < cast_.wallets.length; ++i) {
            accounts.push(cast_.wallets[i]);
        }
        for (uint32 i; i < 3; ++i) {
            _deposit(accounts[3 + i], accounts[3 + i], 37 * params.collateralPerUnit + params.seatFee);
            require(_register(accounts[3 + i], 37, 2 * i), "there are seats at first");
        }
    }

    function beMoody(MoodyVerifier verifier_) external {
        moody = verifier_;
    }

    // ------------------------------------------------------------------------------------------------- properties

    /// @notice Everything that must hold of this market.
    /// @param last How many rounds and ended tasks to look back.
    function check(uint256 last) external {
        catchUp();
        _checkMoney();
        _checkRounds(last);
        _checkSeats();
        _checkTasks(2 * last);
        invariant_reenteringGainsNothing();
    }

    /// @dev Whoever is called back in the middle of a payment gets no second one.
    function invariant_reenteringGainsNothing() internal view {
        assertEq(ATTACKER.successes(), 0, "a payment was re-entered");
    }

    function isNative() external view returns (bool) {
        return _isNative();
    }

    function sinkOf() external view returns (address) {
        return params.sink;
    }

    function everybody() external view returns (address[] memory) {
        return accounts;
    }

    // -------------------------------------------------------------------------------------------------------- exit

    /// @notice Everybody leaves with everything: as many calls as there are things to end, none of which needs anybody's goodwill but
    /// the leaver's.
    function exitAll() external {
        catchUp();
        if (address(moody) != address(0)) moody.feel(MoodyVerifier.Mood.Burns, MoodyVerifier.Mood.Burns);
        vm.warp(finalAt(openRound()));
        catchUp();
        while (openTasks.length != 0) {
            require(_expire(openTasks[openTasks.length - 1], true), "every task ends");
        }
        while (bundles.length != 0) {
            require(_release(bundles.length - 1), "every bundle comes back");
        }
        while (commitments.length != 0) {
            require(_forfeit(commitments.length - 1), "every commitment ends");
        }
        _leaveAll(true);
        vm.warp(openAt(openRound() + params.capacityDelay + 1));
        catchUp();
        _leaveAll(false);
        for (uint256 i; i < accounts.length; ++i) {
            _exit(accounts[i]);
        }
        market.collectSurplus(id);
        _notePayout(params.sink, surplus);
        surplus = 0;
        require(owed() == 0, "everybody has left");
    }

    /// @dev Who cannot be paid has somebody else paid.
    function _exit(address account) private {
        address to = account == cast.refuser || _isWallet(account) ? cast.people[0] : account;
        vm.prank(account);
        uint256 paid = market.withdraw(id, type(uint256).max, to);
        require(paid == balances[account] * params.tick, "everybody gets what is theirs");
        _notePayout(to, balances[account]);
        balances[account] = 0;
    }

    /// @dev A seat whose reduction is not released yet is released first.
    function _leaveAll(bool releasesFirst) private {
        for (uint256 i; i < seats.length; ++i) {
            if (seats[i].prover == address(0)) continue;
            if (!releasesFirst) {
                require(_giveBack(i), "and given up");
                continue;
            }
            _giveBack(i);
            if (seats[i].prover != address(0) && seats[i].capacity != 0) {
                require(_changeTo(i, 0), "a seat can be left");
            }
        }
    }
}
