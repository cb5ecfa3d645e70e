// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {ReentrancyGuardTransient} from "solady/utils/ReentrancyGuardTransient.sol";
import {IMarketLog} from "../../contracts/interfaces/IMarketLog.sol";
import {MarketId} from "../../contracts/types/MarketId.sol";
import {Multicallable} from "solady/utils/Multicallable.sol";
import {Attacker, Forcer} from "./mocks/Attackers.sol";
import {
    CallbackToken,
    FalseToken,
    FeeToken,
    GenerousToken,
    NoReturnToken,
    PlainToken,
    RebasingToken
} from "./mocks/Tokens.sol";
import {MarketTest} from "./support/MarketTest.sol";

/// @notice Tokens and receivers as they are found on chain.
contract CurrenciesTest is MarketTest {
    function _marketIn(PlainToken token) private {
        params.currency = address(token);
        params.tick = 3;
        id = market.createMarket(params);
        token.mint(alice, 3000);
        vm.prank(alice);
        token.approve(address(market), type(uint256).max);
    }

    function _deposit(uint256 amount) private {
        vm.prank(alice);
        market.deposit(id, alice, amount);
    }

    function _goesThrough(PlainToken token) private {
        _marketIn(token);
        _deposit(90);
        _deposit(210); // while the market has some already
        assertEq(available(alice), 100);
        assertEq(token.balanceOf(address(market)), 300);
        bid(alice, 10, 8);
        vm.prank(alice);
        assertEq(market.withdraw(id, 5, bob), 15);
        assertEq(token.balanceOf(bob), 15);
        vm.warp(settleBy(0));
        vm.prank(alice);
        market.withdraw(id, type(uint256).max, alice);
        assertEq(token.balanceOf(alice), 3000 - 15);
        assertEq(token.balanceOf(address(market)), 0);
    }

    function test_plainTokenGoesThrough() public {
        _goesThrough(new PlainToken());
    }

    function test_tokenThatReturnsNothingGoesThrough() public {
        _goesThrough(new NoReturnToken());
    }

    function test_RevertWhen_TokenReturnsFalse() public {
        FalseToken token = new FalseToken();
        _marketIn(token);
        vm.expectRevert(SafeTransferLib.TransferFromFailed.selector);
        vm.prank(alice);
        market.deposit(id, alice, 300);
        token.relent();
        _deposit(300);
        token.relent();
        vm.expectRevert(SafeTransferLib.TransferFailed.selector);
        vm.prank(alice);
        market.withdraw(id, 100, alice);
        assertEq(available(alice), 100);
    }

    function test_RevertWhen_TokenTakesAFee() public {
        _marketIn(new FeeToken());
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.TokenTookFee.selector, 297, 300));
        vm.prank(alice);
        market.deposit(id, alice, 300);
    }

    function test_RevertWhen_TokenGivesMoreThanAskedFor() public {
        _marketIn(new GenerousToken());
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.TokenTookFee.selector, 301, 300));
        vm.prank(alice);
        market.deposit(id, alice, 300);
    }

    function test_RevertWhen_TokenLosesItsCode() public {
        PlainToken token = new PlainToken();
        _marketIn(token);
        _deposit(300);
        vm.etch(address(token), "");
        vm.expectRevert(SafeTransferLib.TransferFromFailed.selector);
        vm.prank(alice);
        market.deposit(id, alice, 300);
        vm.expectRevert(SafeTransferLib.TransferFailed.selector);
        vm.prank(alice);
        market.withdraw(id, 100, alice);
    }

    function test_rebaseHarmsOnlyMarketsOfThatToken() public {
        fund(alice, 50);
        RebasingToken token = new RebasingToken();
        MarketId native = id;
        _marketIn(token);
        _deposit(300);
        token.rebase(address(market), 100);
        vm.expectRevert(SafeTransferLib.TransferFailed.selector);
        vm.prank(alice);
        market.withdraw(id, 100, alice);
        vm.prank(alice);
        assertEq(market.withdraw(native, 50, alice), 50 * TICK);
    }

    function test_RevertWhen_TokenIsReenteredInADeposit() public {
        CallbackToken token = new CallbackToken();
        _marketIn(token);
        Attacker eve = new Attacker(address(market));
        token.mint(address(eve), 300);
        eve.act(address(token), 0, abi.encodeCall(token.approve, (address(market), 300)));
        eve.plan(abi.encodeCall(market.withdraw, (id, 100, address(eve))), false);
        eve.act(address(market), 0, abi.encodeCall(market.deposit, (id, address(eve), 300)));
        assertEq(eve.attempts(), 1);
        assertEq(eve.successes(), 0);
        assertEq(eve.lastError(), ReentrancyGuardTransient.Reentrancy.selector);
        assertEq(token.balanceOf(address(market)), 300);
    }

    function test_creditOfAPendingDepositIsSpentOnlyIfItArrives() public {
        CallbackToken token = new CallbackToken();
        _marketIn(token);
        Attacker eve = new Attacker(address(market));
        token.mint(address(eve), 300);
        eve.act(address(token), 0, abi.encodeCall(token.approve, (address(market), 300)));
        eve.plan(abi.encodeCall(market.submitOneBid, (id, plainWord(10, 8))), false);
        eve.act(address(market), 0, abi.encodeCall(market.deposit, (id, address(eve), 300)));
        assertEq(eve.successes(), 1);
        assertEq(available(address(eve)), 100 - 80 - FEE);
        assertEq(token.balanceOf(address(market)), 300);
        // Without the tokens everything of the call is undone, the bid too.
        vm.expectRevert();
        eve.act(address(market), 0, abi.encodeCall(market.deposit, (id, address(eve), 300)));
        assertEq(market.bidChainOf(id, 0).count(), 1);
    }

    function test_RevertWhen_WithdrawalIsReentered() public {
        Attacker eve = new Attacker(address(market));
        fund(address(eve), 100);
        fund(alice, 100);
        eve.plan(abi.encodeCall(market.withdraw, (id, 50, address(eve))), false);
        eve.act(address(market), 0, abi.encodeCall(market.withdraw, (id, 50, address(eve))));
        assertEq(eve.successes(), 0);
        assertEq(eve.lastError(), ReentrancyGuardTransient.Reentrancy.selector);
        assertEq(address(eve).balance, 50 * TICK);
        assertEq(available(address(eve)), 50);
        eve.plan(abi.encodeCall(market.collectSurplus, (id)), false);
        eve.act(address(market), 0, abi.encodeCall(market.withdraw, (id, 10, address(eve))));
        assertEq(eve.lastError(), ReentrancyGuardTransient.Reentrancy.selector);
    }

    function test_receiverThatRevertsBlocksNobodyElse() public {
        Attacker eve = new Attacker(address(market));
        eve.plan("", true);
        fund(address(eve), 100);
        fund(alice, 100);
        vm.expectRevert(SafeTransferLib.ETHTransferFailed.selector);
        eve.act(address(market), 0, abi.encodeCall(market.withdraw, (id, 100, address(eve))));
        vm.prank(alice);
        market.withdraw(id, 100, alice);
        assertEq(alice.balance, 100 * TICK);
        assertEq(available(address(eve)), 100);
        eve.act(address(market), 0, abi.encodeCall(market.withdraw, (id, 100, bob)));
        assertEq(bob.balance, 100 * TICK);
    }

    function test_sinkThatRevertsKeepsItsSurplus() public {
        Attacker eve = new Attacker(address(market));
        eve.plan("", true);
        params.sink = address(eve);
        id = market.createMarket(params);
        seat(paul, 10, 6);
        seat(quentin, 10, 8);
        open(1);
        fundedBid(alice, 20, 8);
        fundedBid(bob, 15, 8);
        open(2);
        settle(1);
        deliver(1, 0);
        uint256 surplus = market.surplusOf(id);
        assertEq(surplus, 8 * (15 - 8));
        vm.expectRevert(SafeTransferLib.ETHTransferFailed.selector);
        market.collectSurplus(id);
        // It is nobody else's trouble.
        uint256 earned = available(paul);
        vm.prank(paul);
        market.withdraw(id, earned, paul);
        assertEq(paul.balance, earned * TICK);
        eve.plan("", false);
        assertEq(market.collectSurplus(id), surplus * TICK);
    }

    function test_forcedEtherChangesNothing() public {
        fund(alice, 100);
        vm.deal(address(this), 1 ether);
        new Forcer{value: 1 ether}(payable(address(market)));
        assertEq(address(market).balance, 1 ether + 100 * TICK);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.InsufficientBalance.selector, 100, 101));
        vm.prank(alice);
        market.withdraw(id, 101, alice);
        vm.prank(alice);
        market.withdraw(id, 100, alice);
        assertEq(market.collectSurplus(id), 0);
        assertEq(address(market).balance, 1 ether);
    }

    function test_RevertWhen_EtherIsSentWithoutACall() public {
        vm.deal(address(this), 1 ether);
        (bool ok,) = address(market).call{value: 1 ether}("");
        assertFalse(ok);
    }

    function test_RevertWhen_EtherIsSentToATokenMarket() public {
        _marketIn(new PlainToken());
        vm.deal(alice, 1 ether);
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongValue.selector, 300, 0));
        market.deposit{value: 300}(id, alice, 300);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongValue.selector, 300, 0));
        market.submitOneBid{value: 300}(id, plainWord(10, 8));
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongValue.selector, 300, 0));
        market.register{value: 300}(id, 15, 1);
    }

    function test_multicallDepositsAndBidsInOneCall() public {
        _marketIn(new PlainToken());
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(market.deposit, (id, alice, 300));
        calls[1] = abi.encodeCall(market.submitOneBid, (id, plainWord(10, 8)));
        vm.prank(alice);
        bytes[] memory answers = Multicallable(address(market)).multicall(calls);
        (uint256 round, uint256 index) = abi.decode(answers[1], (uint256, uint256));
        assertEq(round + index, 0);
        assertEq(available(alice), 100 - 80 - FEE);
    }

    function test_RevertWhen_MulticallCarriesMoneyOrAnyCallFails() public {
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(market.deposit, (id, alice, 0));
        calls[1] = abi.encodeCall(market.withdraw, (id, 1, alice));
        vm.deal(alice, 1 ether);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongValue.selector, 1, 0));
        Multicallable(address(market)).multicall{value: 1}(calls);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.InsufficientBalance.selector, 0, 1));
        vm.prank(alice);
        Multicallable(address(market)).multicall(calls);
    }
}
