// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {IProverMarket} from "../../../contracts/interfaces/IProverMarket.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {LaneLib} from "../../../contracts/types/Lane.sol";
import {MarketId} from "../../../contracts/types/MarketId.sol";
import {SignedBid, WalletBid} from "../../../contracts/types/SignedBid.sol";
import {SignedBidTest} from "../support/SignedBidTest.sol";

/// @notice A signed bid that is refused changes nothing and does not stop the others.
contract SignedBidRefusalsTest is SignedBidTest {
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    bytes4 private _poor = IMarketLog.InsufficientBalance.selector;

    BidWord private _word = plainWord(10, 4);

    /// @dev A signature of something else is that of somebody who has no money here.
    function _refusedAsAStrangers(Binding memory b) private {
        fund(dora.addr, 1000);
        SignedBid memory bad = signedFor(b, dora.privateKey, _word);
        address stranger = _signerOf(bad);
        assertTrue(stranger != dora.addr);
        bytes32 before = accountHash(dora.addr);
        assertRefused(bad, stranger, _poor);
        assertEq(accountHash(dora.addr), before);
        assertEq(relay(only(signed(dora, _word))), 1);
    }

    /// @dev Whom the signature seems to be of.
    function _signerOf(SignedBid memory bid_) private view returns (address) {
        uint8 v = uint8(uint256(bid_.vs) >> 255) + 27;
        return ecrecover(digestOf(here(), bid_.entry), v, bid_.r, bytes32(uint256(bid_.vs) << 1 >> 1));
    }

    function test_signatureForAnotherRoundIsRefused() public {
        Binding memory b = here();
        b.round = 1;
        _refusedAsAStrangers(b);
    }

    function test_signatureForAnotherMarketIsRefused() public {
        params.genesis -= 100;
        MarketId other = market.createMarket(params);
        params.genesis += 100;
        Binding memory b = here();
        b.id = other;
        _refusedAsAStrangers(b);
    }

    function test_signatureForAnotherChainIsRefused() public {
        Binding memory b = here();
        b.chain = 5;
        _refusedAsAStrangers(b);
    }

    function test_signatureForAnotherContractIsRefused() public {
        IProverMarket other = deployMarket();
        assertEq(MarketId.unwrap(other.createMarket(params)), MarketId.unwrap(id));
        Binding memory b = here();
        b.market = address(other);
        _refusedAsAStrangers(b);
    }

    function test_signatureIsWorthlessOnAForkOfTheChain() public {
        fund(dora.addr, 1000);
        SignedBid memory bad = signed(dora, _word);
        vm.chainId(5);
        assertRefused(bad, _signerOf(bad), _poor);
        assertEq(relay(only(signed(dora, _word))), 1);
        assertEq(available(dora.addr), 1000 - 40 - FEE);
    }

    function test_everyFieldOfTheEntryIsSigned() public {
        fund(dora.addr, 1e6);
        SignedBid memory right = signed(dora, entryWord(10, 4, 2, 99));
        BidWord[4] memory others = [
            entryWord(11, 4, 2, 99), entryWord(10, 3, 2, 99), entryWord(10, 4, 1, 99), entryWord(10, 4, 2, 98)
        ];
        for (uint256 i; i < 4; ++i) {
            expectNothing(_poor);
            relay(only(SignedBid(others[i], right.r, right.vs)));
        }
        assertEq(relay(only(right)), 1);
    }

    function testFuzz_noBitOfASignatureIsFree(uint8 bit, bool inR) public {
        fund(dora.addr, 1000);
        SignedBid memory bad = signed(dora, _word);
        bytes32 flipped = bytes32(uint256(1) << bit);
        if (inR) bad.r ^= flipped;
        else bad.vs ^= flipped;
        vm.expectPartialRevert(IMarketLog.NothingSubmitted.selector);
        relay(only(bad));
        assertEq(available(dora.addr), 1000);
    }

    function test_signatureOfNobodyIsRefused() public {
        assertRefused(SignedBid(_word, 0, 0), address(0), IMarketLog.WrongSignature.selector);
    }

    /// @dev Money of the zero address does not make nobody's signature one.
    function test_signatureOfNobodyIsRefusedBeforeAnythingElse() public {
        expectNothing(IMarketLog.WrongSignature.selector);
        relay(only(SignedBid(plainWord(0, 0), bytes32(ORDER), bytes32(uint256(1)))));
        expectNothing(IMarketLog.WrongSignature.selector);
        relay(only(SignedBid(_word, bytes32(uint256(1)), 0)));
    }

    /// @dev Whoever bid before it is not taken for its signer.
    function test_signatureOfNobodyAfterAnotherEntryIsRefused() public {
        fund(dora.addr, 1000);
        fundedBid(alice, 10, 1);
        SignedBid[] memory list = new SignedBid[](4);
        (list[0], list[1], list[2]) =
        (signed(dora, _word), signed(emil, _word), signed(dora, plainWord(9, 1)));
        list[3] = SignedBid(_word, 0, 0);
        expectRefusal(emil.addr, 1, _poor);
        expectRefusal(dora.addr, 2, IMarketLog.BidInRoundAlready.selector);
        expectRefusal(address(0), 3, IMarketLog.WrongSignature.selector);
        assertEq(relay(list), 1);
        (list[1], list[3]) = (list[3], list[1]);
        open(1);
        fund(fred.addr, 1000);
        (list[0], list[2]) = (signed(fred, _word), SignedBid(_word, 0, 0));
        expectRefusal(address(0), 1, IMarketLog.WrongSignature.selector);
        expectRefusal(address(0), 2, IMarketLog.WrongSignature.selector);
        assertEq(relay(list), 1);
    }

    /// @dev The other s does not fit beside its v, and what is left of it is another signature.
    function test_malleatedSignatureHasNoEffect() public {
        fund(dora.addr, 1000);
        SignedBid memory right = signed(dora, _word);
        uint256 s = ORDER - (uint256(right.vs) << 1 >> 1);
        assertEq(s >> 255, 1);
        for (uint256 v; v < 2; ++v) {
            SignedBid memory bad = SignedBid(_word, right.r, bytes32((s << 1 >> 1) | (v << 255)));
            vm.expectPartialRevert(IMarketLog.NothingSubmitted.selector);
            relay(only(bad));
            bad.vs = bytes32(s);
            vm.expectPartialRevert(IMarketLog.NothingSubmitted.selector);
            relay(only(bad));
        }
        SignedBid[] memory list = new SignedBid[](2);
        (list[0], list[1]) = (right, SignedBid(_word, right.r, bytes32(s)));
        assertEq(relay(list), 1);
        assertEq(available(dora.addr), 1000 - 40 - FEE);
    }

    // ------------------------------------------------------------------------------------------------------ replay

    function test_secondOfABatchIsRefused() public {
        fund(dora.addr, 1000);
        SignedBid[] memory list = new SignedBid[](3);
        list[0] = list[1] = signed(dora, _word);
        list[2] = signed(dora, plainWord(11, 4));
        expectRefusal(dora.addr, 1, IMarketLog.BidInRoundAlready.selector);
        expectRefusal(dora.addr, 2, IMarketLog.BidInRoundAlready.selector);
        assertEq(relay(list), 1);
        assertEq(available(dora.addr), 1000 - 40 - FEE);
        assertEq(market.bidChainOf(id, 0).count(), 1);
    }

    function test_replayIsRefusedInItsRoundAndInAllThatFollow() public {
        fund(dora.addr, 1000);
        SignedBid memory bid_ = signed(dora, _word);
        relay(only(bid_));
        assertRefused(bid_, dora.addr, IMarketLog.BidInRoundAlready.selector);
        for (uint256 round = 1; round < 5; ++round) {
            open(round);
            vm.expectPartialRevert(IMarketLog.NothingSubmitted.selector);
            relay(only(bid_));
        }
        assertEq(available(dora.addr), 1000);
    }

    function test_signedBidBesideADirectOneIsRefused() public {
        fund(dora.addr, 1000);
        bid(dora.addr, 10, 4);
        assertRefused(signed(dora, _word), dora.addr, IMarketLog.BidInRoundAlready.selector);
        // Entries submitted together do not take the lane.
        uint64[] memory fees = new uint64[](1);
        uint32[] memory sizes = new uint32[](1);
        (fees[0], sizes[0]) = (10, 1);
        fund(emil.addr, 1000);
        bundle(emil.addr, fees, sizes);
        assertEq(relay(only(signed(emil, _word))), 1);
    }

    /// @dev The bid of the round before last waits in the lane as long as that round is not settled: for its void, until the
    /// next but one opens.
    function test_bidOfTheOtherLaneIsNoHindrance() public {
        fund(dora.addr, 1000);
        bid(dora.addr, 10, 4);
        open(1);
        assertEq(relay(only(signed(dora, _word))), 1);
        open(2);
        assertEq(relay(only(signed(dora, _word))), 1);
        assertEq(available(dora.addr), 1000 - 2 * (40 + FEE));
    }

    // ------------------------------------------------------------------------------------------------------- money

    function test_tooLittleMoneyIsRefused() public {
        fund(dora.addr, 40 + FEE - 1);
        assertRefused(signed(dora, _word), dora.addr, _poor);
        fund(dora.addr, 1);
        assertEq(relay(only(signed(dora, _word))), 1);
    }

    function test_tooLittleMoneyInBothLanesIsRefused() public {
        fund(dora.addr, 20);
        open(1);
        fund(dora.addr, 19 + FEE);
        assertRefused(signed(dora, _word), dora.addr, _poor);
        fund(dora.addr, 1);
        assertEq(relay(only(signed(dora, _word))), 1);
        assertEq(available(dora.addr), 0);
    }

    /// @dev A result that both lanes have to fold in, and that is a tick too little.
    function test_tooLittleMoneyWithItsResultsIsRefused() public {
        fund(dora.addr, 2 * (40 + FEE));
        bid(dora.addr, 10, 4);
        open(1);
        bid(dora.addr, 10, 4);
        open(3);
        uint64 most = 2 * (40 + uint64(FEE)) - uint64(FEE);
        assertRefused(signed(dora, plainWord(most + 1, 1)), dora.addr, _poor);
        assertTrue(laneOf(dora.addr, 0).hasBid());
        assertEq(relay(only(signed(dora, plainWord(most, 1)))), 1);
        assertFalse(laneOf(dora.addr, 0).hasBid());
    }

    // ------------------------------------------------------------------------------------------------------- entry

    function test_malformedEntriesAreRefused() public {
        fund(dora.addr, 1e6);
        bytes4 size = IMarketLog.TaskSizeOutOfRange.selector;
        assertRefused(signed(dora, plainWord(0, 4)), dora.addr, IMarketLog.ZeroFee.selector);
        assertRefused2(plainWord(10, 0), size);
        assertRefused2(plainWord(10, MAX_SIZE + 1), size);
        assertRefused2(plainWord(10, type(uint32).max), size);
        assertRefused2(entryWord(1, 1, 2 ** 14, 0), IMarketLog.LotTooLarge.selector);
        assertRefused2(entryWord(1, 1, 2 ** 16, 0), IMarketLog.LotTooLarge.selector);
    }

    function assertRefused2(BidWord word, bytes4 reason) private {
        expectNothing(reason);
        relay(only(signed(dora, word)));
        assertEq(available(dora.addr), 1e6);
    }

    function test_fullRoundRefusesWhatItHasNoRoomForAndTakesWhatFits() public {
        uint256 most = 2 ** 24 - 1;
        fund(alice, 8 * most);
        BidWord[] memory lots = new BidWord[](1025);
        for (uint256 i; i < lots.length; ++i) {
            lots[i] = entryWord(1, 1, i == 1024 ? 1022 : 2 ** 14 - 1, 0);
        }
        vm.prank(alice);
        market.submitBids(id, lots); // leaves room for a single bid
        fund(dora.addr, 1000);
        fund(emil.addr, 1000);
        fund(fred.addr, 1000);
        SignedBid[] memory list = new SignedBid[](3);
        list[0] = signed(dora, entryWord(10, 1, 2, 0));
        list[1] = signed(emil, _word);
        list[2] = signed(fred, _word);
        expectRefusal(dora.addr, 0, IMarketLog.RoundFull.selector);
        expectRefusal(fred.addr, 2, IMarketLog.RoundFull.selector);
        assertEq(relay(list), 1);
        assertEq(market.bidChainOf(id, 0).count(), most);
        assertEq(laneOf(emil.addr, 0).index(), most - 1);
        assertEq(available(dora.addr) + available(fred.addr), 2000);
        expectNothing(IMarketLog.RoundFull.selector);
        relay(only(list[0]));
    }

    // -------------------------------------------------------------------------------------------------- whole batch

    function test_RevertWhen_NoSignedBids() public {
        vm.expectRevert(IMarketLog.NoBids.selector);
        market.submitSignedBids(id, new SignedBid[](0));
        vm.expectRevert(IMarketLog.NoBids.selector);
        market.submitWalletBids(id, new WalletBid[](0));
    }

    function test_RevertWhen_TheMarketIsSealed() public {
        (params.revealPeriod, params.settlementPeriod, params.bondBps) = (40, 60, 1000);
        id = market.createMarket(params);
        fund(dora.addr, 1000);
        vm.expectRevert(IMarketLog.MarketIsSealed.selector);
        market.submitSignedBids(id, only(signed(dora, _word)));
        vm.expectRevert(IMarketLog.MarketIsSealed.selector);
        market.submitWalletBids(id, new WalletBid[](1));
    }

    function test_RevertWhen_AllAreRefused() public {
        SignedBid[] memory list = new SignedBid[](2);
        (list[0], list[1]) = (signed(dora, plainWord(0, 1)), signed(emil, _word));
        expectNothing(_poor);
        relay(list);
        (list[0], list[1]) = (list[1], list[0]);
        expectNothing(IMarketLog.ZeroFee.selector);
        relay(list);
        assertEq(market.bidChainOf(id, 0).count(), 0);
    }

    // ---------------------------------------------------------------------------------------------------- overflow

    /// @dev Round 0's bid comes back in a lane that has as much as it can count.
    function _fullLane(address account) private {
        fund(account, 100);
        bid(account, 10, 4);
        fund(account, type(uint96).max - laneOf(account, 0).balance());
    }

    function test_overflowOfALaneRefusesOnlyThatBid() public {
        params.tick = 1;
        id = market.createMarket(params);
        _fullLane(dora.addr);
        open(2);
        // The result is more than the bid: it does not fit.
        assertRefused(signed(dora, plainWord(1, 1)), dora.addr, LaneLib.BalanceOverflow.selector);
        assertEq(relay(only(signed(dora, plainWord(40, 1)))), 1);
        assertEq(laneOf(dora.addr, 2).balance(), type(uint96).max);
    }

    /// @dev What the other lane gets back is more than both lanes can count together.
    function test_overflowOfBothLanesRefusesOnlyThatBid() public {
        params.tick = 1;
        fixTaskSize(2 ** 30);
        fixCap(2 ** 32);
        id = market.createMarket(params);
        uint256 most = type(uint96).max;
        fund(dora.addr, most);
        open(1);
        fund(dora.addr, most);
        open(2);
        uint64 fee = uint64((2 * most / 9 - FEE) / 2 ** 30);
        vm.prank(dora.addr);
        market.submitOneBid(id, entryWord(fee, 2 ** 30, 9, 0)); // nearly all that both lanes have
        fund(dora.addr, most - laneOf(dora.addr, 2).balance());
        open(5);
        uint256 all = available(dora.addr);
        assertGt(all, 2 * most + 2 ** 40);
        BidWord word = plainWord(16, 2 ** 30);
        assertGt(2 ** 34, laneOf(dora.addr, 5).balance());
        assertRefused(signed(dora, word), dora.addr, LaneLib.BalanceOverflow.selector);
        assertEq(available(dora.addr), all);
        vm.expectPartialRevert(LaneLib.BalanceOverflow.selector);
        vm.prank(dora.addr);
        market.submitOneBid(id, word);
    }
}
