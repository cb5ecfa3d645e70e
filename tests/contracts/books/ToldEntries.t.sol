// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {MarketId} from "../../../contracts/types/MarketId.sol";
import {Opening} from "../../../contracts/types/Sealed.sol";
import {SignedBid, WalletBid} from "../../../contracts/types/SignedBid.sol";
import {Wallet} from "../mocks/Wallets.sol";
import {MarketTest} from "../support/MarketTest.sol";
import {SealedMarketTest} from "../support/SealedMarketTest.sol";
import {SignedBidTest} from "../support/SignedBidTest.sol";

/// @notice What lets an entry say that it is told.
contract ToldEntriesTest is SignedBidTest {
    function setUp() public override {
        super.setUp();
        fundedBid(bob, 20, 1); // so that Alice's are not the round's first
        tells = true;
        fund(alice, 1e6);
    }

    function _refused(Posted[] memory list) private {
        vm.expectRevert(IMarketLog.NotPublishedHere.selector);
        vm.prank(alice);
        market.submitOneBid(id, wordOf(list));
    }

    function _accepted(Posted[] memory list) private {
        vm.prank(alice);
        market.submitOneBid(id, wordOf(list));
    }

    function test_RevertWhen_NothingWasPublished() public {
        Posted[] memory list = newTasks(alice, 20, 4, 3);
        _refused(list);
        tell(list);
        _accepted(list);
    }

    /// @dev The ticket of the first is that of the second: statements are bound by their number too.
    function test_RevertWhen_AnotherNumberOfStatementsWasPublished() public {
        Posted[] memory list = newTasks(alice, 20, 4, 3);
        tell(list);
        uint144 ticket = ticketOf(alice, statementsRoot(list));
        for (uint256 count = 1; count < 5; ++count) {
            if (count == 3) continue;
            vm.expectRevert(IMarketLog.NotPublishedHere.selector);
            vm.prank(alice);
            market.submitOneBid(id, packWord(20, 4, lotBits(true, count), ticket));
        }
        _accepted(list);
    }

    function test_RevertWhen_AnythingElseWasPublished() public {
        Posted[] memory list = newTasks(alice, 20, 4, 2);
        Posted[] memory swapped = newTasks(alice, 20, 4, 2);
        (swapped[0], swapped[1]) = (list[1], list[0]);
        market.publish(id, alice, statementsOf(swapped));
        market.publish(id, bob, statementsOf(list));
        params.sink = bob;
        market.publish(market.createMarket(params), alice, statementsOf(list));
        market.publish(id, alice, statementsOf(list[0]));
        _refused(list);
        tell(list);
        _accepted(list);
    }

    function test_RevertWhen_NoStatementIsPublished() public {
        vm.expectRevert(IMarketLog.NoStatements.selector);
        market.publish(id, alice, statementsOf(new Posted[](0)));
    }

    /// forge-config: default.isolate = true
    function test_RevertWhen_ItWasPublishedInATransactionBefore() public {
        Posted[] memory list = newTasks(alice, 20, 4, 3);
        tell(list);
        _refused(list);
    }

    function test_RevertWhen_OneOfSeveralWasNotPublished() public {
        BidWord[] memory entries = new BidWord[](2);
        Posted[] memory both = newTasks(alice, 20, 4, 2);
        (entries[0], entries[1]) = (wordOf(both[0]), wordOf(both[1]));
        tell(both[0]);
        vm.expectRevert(IMarketLog.NotPublishedHere.selector);
        vm.prank(alice);
        market.submitBids(id, entries);
        tell(both[1]);
        vm.prank(alice);
        market.submitBids(id, entries);
    }

    function test_signedEntryThatWasNotPublishedIsRefusedAlone() public {
        fund(dora.addr, 1e4);
        Posted memory p = newTask(dora.addr, 20, 4);
        assertRefused(signed(dora, wordOf(p)), dora.addr, IMarketLog.NotPublishedHere.selector);
        tell(p);
        assertEq(relay(only(signed(dora, wordOf(p)))), 1);
    }

    /// @dev Who sends a signed entry cannot make those who are assigned it free to leave it, nor liable.
    function test_whetherAnEntryIsToldIsSigned() public {
        fund(dora.addr, 1e4);
        Posted[2] memory tasks = [newTask(dora.addr, 20, 4), newTask(dora.addr, 20, 4)];
        tasks[1].told = false;
        bytes4 poor = IMarketLog.InsufficientBalance.selector; // whoever the wrong signature is of
        for (uint256 i; i < 2; ++i) {
            market.publish(id, dora.addr, statementsOf(tasks[i]));
            SignedBid memory right = signed(dora, wordOf(tasks[i]));
            tasks[i].told = !tasks[i].told;
            expectNothing(poor);
            relay(only(SignedBid(wordOf(tasks[i]), right.r, right.vs)));
        }
    }

    function test_entryOfAContractThatWasNotPublishedIsRefused() public {
        address wallet = address(new Wallet(dora.addr));
        fund(wallet, 1e4);
        Posted memory p = newTask(wallet, 20, 4);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(dora.privateKey, digestOf(here(), wordOf(p)));
        WalletBid[] memory list = only(WalletBid(wallet, wordOf(p), abi.encode(v, r, s)));
        expectNothing(IMarketLog.NotPublishedHere.selector);
        market.submitWalletBids(id, list);
        tell(p);
        assertEq(market.submitWalletBids(id, list), 1);
    }
}

contract ToldOpeningsTest is SealedMarketTest {
    function test_openingThatWasNotPublishedIsRefusedAndCanBeOpenedLater() public {
        tells = true;
        Posted memory p = commit(alice, 20, 8, 200);
        open(1);
        Opening[] memory openings = new Opening[](1);
        openings[0] = openingOf(p);
        vm.expectRevert(
            abi.encodeWithSelector(IMarketLog.NothingRevealed.selector, IMarketLog.NotPublishedHere.selector)
        );
        market.revealBids(id, openings);
        reveal(p); // which tells it
    }
}

/// @notice What a default costs if the assigned prover was not told what to prove. In round 1 bid 0 of Alice, of 8 units, wins on Paul's
/// seat; prices 12 and 9.
contract UntoldEntriesTest is MarketTest {
    uint256 private constant SIZE = 8;
    uint256 private constant PAYMENT = 9 * SIZE;
    uint256 private constant COLLATERAL = PER_UNIT * SIZE;

    function setUp() public override {
        super.setUp();
        seat(paul, 10, 6);
        seat(quentin, 24, 9);
        seat(rita, 24, 15);
        open(1);
        fundedBid(alice, 20, 8);
        fundedBid(bob, 12, 8);
        open(2);
        settle(1);
        assertEq(market.surplusOf(id), 0);
    }

    function test_takerIsPaidAndTheAssignedProverLosesNothing() public {
        vm.warp(proveBy(1));
        takeOver(1, 0, 1);
        vm.expectEmit(address(market));
        emit IMarketLog.TaskDelivered(id, 1, 0, 1, PAYMENT, 0, 0);
        deliver(1, 0);
        assertEq(available(quentin), PAYMENT);
        assertEq(available(alice), 8 * SIZE);
        assertEq(market.surplusOf(id), 3 * SIZE);
        assertEq(capacity(0), 17);
        assertEq(free(0), 17);
    }

    /// @dev It took the task over by choice.
    function test_takerThatDefaultsIsSlashed() public {
        vm.warp(proveBy(1));
        takeOver(1, 0, 1);
        vm.warp(proveBy(1) + params.takeoverPeriod);
        takeOver(1, 0, 2);
        deliver(1, 0);
        uint256 bounty = COLLATERAL / 2;
        uint256 compensation = COLLATERAL * 3 / 10;
        assertEq(available(rita), PAYMENT + bounty);
        assertEq(available(alice), 8 * SIZE + compensation);
        assertEq(market.surplusOf(id), 3 * SIZE + COLLATERAL - bounty - compensation);
        assertEq(capacity(0), 17);
        assertEq(free(0), 17);
        assertEq(capacity(1), 31 - SIZE);
        assertEq(free(1), 31 - SIZE);
    }

    function test_expiryCostsTheRequesterAloneThePenalty() public {
        vm.warp(finalAt(1));
        expire(1, 0);
        uint256 penalty = uint256(12 * SIZE) / 10;
        assertEq(available(alice), 20 * SIZE - penalty);
        assertEq(market.surplusOf(id), penalty);
        assertEq(capacity(0), 17);
        assertEq(free(0), 17);
        assertEq(available(paul), 0);
    }

    function test_expiryFinesTakers() public {
        vm.warp(proveBy(1));
        takeOver(1, 0, 1);
        vm.warp(finalAt(1));
        expire(1, 0);
        uint256 penalty = uint256(12 * SIZE) / 10;
        assertEq(market.surplusOf(id), 2 * penalty);
        assertEq(capacity(0), 17);
        assertEq(free(0), 17);
        assertEq(capacity(1) * PER_UNIT + available(quentin), 31 * PER_UNIT - penalty);
    }

    /// @dev Telling it later, by itself, changes nothing: only the entry's word says whether it was told.
    function test_publishingAfterwardsMakesNobodyLiable() public {
        market.publish(id, alice, statementsOf(posted(1, 0)));
        vm.warp(proveBy(1));
        takeOver(1, 0, 1);
        deliver(1, 0);
        assertEq(capacity(0), 17);
    }
}
