// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IProverMarket} from "../../../contracts/interfaces/IProverMarket.sol";
import {MarketParams} from "../../../contracts/types/MarketParams.sol";
import {MoodyToken} from "../mocks/Moody.sol";
import {MarketTest} from "../support/MarketTest.sol";

/// @notice A market in a token that answers as it likes, whose balances change by themselves. Its own people may lose by it, nobody
/// else may: the properties of all other markets are checked beside it.
contract HostileTokenHandler is MarketTest {
    uint256 private constant RATE = 3;

    MoodyToken private _token = new MoodyToken();
    /// Ticks of each account, by what has arrived.
    mapping(address => uint256) private _credits;
    /// Ticks of each account that were withdrawn or bid, and the rounds of these bids.
    mapping(address => uint256) private _spent;
    mapping(address => uint256[]) private _bidsIn;

    constructor(IProverMarket market_, MarketParams memory params_) {
        (market, params) = (market_, params_);
        (params.currency, params.tick) = (address(_token), uint96(RATE));
        id = market.createMarket(params);
    }

    function setUp() public pure override {
        revert("a handler is set up by its constructor");
    }

    function selectors() external pure returns (bytes4[] memory list) {
        list = new bytes4[](4);
        (list[0], list[1]) = (this.deposit.selector, this.withdraw.selector);
        (list[2], list[3]) = (this.bid.selector, this.rebase.selector);
    }

    function deposit(uint256 salt) external {
        (address who, MoodyToken.Mood mood) = _pick(salt);
        uint256 amount = (1 + (salt >> 16) % 500) * RATE;
        _token.mint(who, amount);
        vm.prank(who);
        _token.approve(address(market), amount);
        vm.prank(who);
        (bool ok,) = address(market).call(abi.encodeCall(market.deposit, (id, who, amount)));
        require(ok == _isFair(mood), "a deposit counts if it arrives as asked for");
        if (ok) _credits[who] += amount / RATE;
    }

    function withdraw(uint256 salt) external {
        (address who, MoodyToken.Mood mood) = _pick(salt);
        uint256 credit = _creditOf(who);
        uint256 amount = (salt >> 16) % (credit + 2);
        bool there = _token.balanceOf(address(market)) >= amount * RATE;
        vm.prank(who);
        (bool ok,) = address(market).call(abi.encodeCall(market.withdraw, (id, amount, who)));
        require(!ok || amount <= credit, "withdrawal of what is there");
        if (_isFair(mood)) require(ok == (amount <= credit && there), "paid if the token can");
        if (ok) _spent[who] += amount;
    }

    /// @dev One a round; none of them is ever settled, and what they locked comes back.
    function bid(uint256 salt) external {
        (address who,) = _pick(salt);
        uint256 round = openRound();
        uint256[] storage pending = _bidsIn[who];
        if (pending.length != 0 && pending[pending.length - 1] == round) return;
        vm.prank(who);
        (bool ok,) = address(market).call(abi.encodeCall(market.submitOneBid, (id, plainWord(5, 1))));
        require(ok == (_creditOf(who) >= _cost()), "a bid is paid from what has arrived");
        if (!ok) return;
        _spent[who] += _cost();
        pending.push(round);
    }

    function _cost() private view returns (uint256) {
        return 5 + params.settlementFee;
    }

    function _creditOf(address who) private view returns (uint256 credit) {
        credit = _credits[who];
        for (uint256 i; i < _bidsIn[who].length; ++i) {
            if (block.timestamp >= settleBy(_bidsIn[who][i])) credit += _cost();
        }
        credit -= _spent[who];
    }

    /// @dev The market's balance becomes anything.
    function rebase(uint256 salt) external {
        _token.rebase(address(market), salt % 10_000);
    }

    /// @notice Everybody has what arrived for them less what they took and bid, whatever the token said.
    function check() external view {
        address[3] memory all = [alice, bob, carol];
        for (uint256 i; i < all.length; ++i) {
            assertEq(available(all[i]), _creditOf(all[i]), "a hostile token made or took a credit");
        }
    }

    function _pick(uint256 salt) private returns (address who, MoodyToken.Mood mood) {
        address[3] memory all = [alice, bob, carol];
        who = all[salt % 3];
        mood = MoodyToken.Mood((salt >> 8) % (uint256(type(MoodyToken.Mood).max) + 1));
        _token.feel(mood);
    }

    function _isFair(MoodyToken.Mood mood) private pure returns (bool) {
        return mood == MoodyToken.Mood.Honest || mood == MoodyToken.Mood.SaysNothing;
    }
}
