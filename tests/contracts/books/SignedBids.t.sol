// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";
import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {BidChain} from "../../../contracts/types/BidChain.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {Lane} from "../../../contracts/types/Lane.sol";
import {MarketId, MarketIdLib} from "../../../contracts/types/MarketId.sol";
import {SignedBid, SubmittedBid} from "../../../contracts/types/SignedBid.sol";
import {SlowClearing} from "../support/SlowClearing.sol";
import {SignedBidTest} from "../support/SignedBidTest.sol";

interface IEip712 {
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        );
}

/// @notice Signed bids that are accepted are bids like those that their requesters submit themselves.
contract SignedBidsTest is SignedBidTest {
    /// @dev The round's chain and the accounts of all requesters.
    function _state(uint256 round) private view returns (bytes32) {
        return keccak256(
            abi.encode(
                market.bidChainOf(id, round),
                accountHash(dora.addr),
                accountHash(emil.addr),
                accountHash(fred.addr)
            )
        );
    }

    /// @dev Two winning seats of 10 units each and a third that sets the price 9.
    function _seats() private {
        seat(paul, 10, 6);
        seat(quentin, 10, 8);
        seat(rita, 10, 9);
    }

    function _three() private returns (SignedBid[] memory list) {
        list = new SignedBid[](3);
        list[0] = rememberSigned(dora, 20, 8, 1);
        list[1] = rememberSigned(emil, 12, 4, 3);
        list[2] = rememberSigned(fred, 9, 8, 1);
    }

    function test_domainIsTheMarketsOnItsChain() public view {
        (bytes1 fields, string memory name, string memory version, uint256 chain, address at,,) =
            IEip712(address(market)).eip712Domain();
        assertEq(fields, hex"0f");
        assertEq(name, "Proophi");
        assertEq(version, "1");
        assertEq(chain, block.chainid);
        assertEq(at, address(market));
    }

    function test_signedBidsEqualDirectOnes() public {
        fundedBid(alice, 30, 2);
        fund(dora.addr, 1000);
        fund(emil.addr, 1001);
        open(1);
        fund(fred.addr, 79 + FEE);
        fundedBid(alice, 30, 2);
        SignedBid[] memory list = _three();
        uint256 start = vm.snapshotState();
        address[3] memory requesters = [dora.addr, emil.addr, fred.addr];
        for (uint256 i; i < 3; ++i) {
            vm.prank(requesters[i]);
            market.submitOneBid(id, list[i].entry);
        }
        bytes32 direct = _state(1);
        vm.revertToState(start);
        assertEq(relay(list), 3);
        assertEq(_state(1), direct);
        assertEq(available(dora.addr), 1000 - 160 - FEE);
        assertEq(available(emil.addr), 1001 - 3 * (48 + FEE));
        assertEq(available(fred.addr), 7);
    }

    function test_signedBidsWinAndLoseLikeDirectOnes() public {
        _seats();
        open(1);
        fund(dora.addr, 160 + FEE);
        fund(emil.addr, 3 * (48 + FEE));
        fund(fred.addr, 72 + FEE + 5);
        assertEq(relay(_three()), 3);
        fundedBid(alice, 11, 2);
        open(2);
        SlowClearing.Result memory result = settle(1);
        assertEq(result.userPrice, 11);
        assertTrue(result.wins[0] && result.wins[1] && result.wins[2] && result.wins[3]);
        assertFalse(result.wins[4] || result.wins[5]);
        assertEq(available(dora.addr), 8 * 9);
        assertEq(available(emil.addr), 3 * 4);
        assertEq(available(fred.addr), 72 + 5);
        assertEq(available(relayer), 6 * FEE);
        deliver(1, 0);
        deliver(1, 2);
        assertEq(available(result.seatOf[0] == 0 ? paul : quentin) > 0, true);
        // Their results fold into the next signed ones.
        open(3);
        SignedBid[] memory list = new SignedBid[](2);
        list[0] = rememberSigned(dora, 5, 8, 1);
        list[1] = rememberSigned(fred, 70, 1, 1);
        assertEq(relay(list), 2);
        assertEq(available(dora.addr), 72 - 40 - FEE);
        assertEq(available(fred.addr), 0);
        assertEq(laneOf(fred.addr, 3).round(1), 3);
        vm.warp(settleBy(3));
        assertEq(available(dora.addr), 72);
        address[3] memory all = [dora.addr, emil.addr, fred.addr];
        uint256[3] memory ticks = [uint256(72), 12, 77];
        for (uint256 i; i < 3; ++i) {
            vm.prank(all[i]);
            market.withdraw(id, type(uint256).max, all[i]);
            assertEq(all[i].balance, ticks[i] * TICK);
        }
    }

    function test_voidRoundGivesASignedBidAllOfItBack() public {
        fund(dora.addr, 200);
        relay(only(rememberSigned(dora, 20, 8, 1)));
        assertEq(available(dora.addr), 200 - 160 - FEE);
        vm.warp(settleBy(0));
        assertEq(available(dora.addr), 200);
    }

    function test_signedBidTakesFromTheOtherLane() public {
        fund(dora.addr, 300);
        open(1);
        relay(only(rememberSigned(dora, 10, 4, 1)));
        assertEq(laneOf(dora.addr, 0).balance(), 127);
        assertEq(laneOf(dora.addr, 1).balance(), 126);
        assertEq(laneOf(dora.addr, 1).fee(), 10);
        assertEq(laneOf(dora.addr, 1).size(), 4);
        assertEq(laneOf(dora.addr, 1).count(), 1);
        assertEq(laneOf(dora.addr, 1).index(), 0);
    }

    function test_signedBidTakesTheLastTickOfBothLanes() public {
        fund(dora.addr, 20);
        open(1);
        fund(dora.addr, 27);
        relay(only(rememberSigned(dora, 10, 4, 1)));
        assertEq(available(dora.addr), 0);
    }

    function test_directBidBesideASignedOneIsABundle() public {
        fund(dora.addr, 1000);
        relay(only(rememberSigned(dora, 20, 8, 1)));
        vm.expectEmit(address(market));
        emit IMarketLog.BidsBundled(id, dora.addr, 0, 1, 1);
        assertEq(bid(dora.addr, 10, 2), 1);
        vm.warp(settleBy(0));
        market.release(id, dora.addr, 0, 1, words(0, 1, 1));
        assertEq(available(dora.addr), 1000);
    }

    function test_roundsLastBatchIsOneSecondBeforeItsClose() public {
        fund(dora.addr, 100);
        SignedBid[] memory list = only(signed(dora, plainWord(10, 1)));
        vm.warp(closeAt(0));
        expectNothing(IMarketLog.InsufficientBalance.selector);
        relay(list);
        vm.warp(closeAt(0) - 1);
        assertEq(relay(list), 1);
        assertEq(market.bidChainOf(id, 0).count(), 1);
        assertEq(market.bidChainOf(id, 1).count(), 0);
    }

    function test_sizeFeeAndLotAtTheirLimitsAreAccepted() public {
        fund(dora.addr, 8 + FEE);
        fund(emil.addr, (2 ** 14 - 1) * (1 + FEE));
        fund(fred.addr, uint256(type(uint64).max) + FEE);
        SignedBid[] memory list = new SignedBid[](3);
        list[0] = signed(dora, entryWord(1, MAX_SIZE, 1, type(uint144).max));
        list[1] = signed(emil, entryWord(1, 1, 2 ** 14 - 1, 0));
        list[2] = signed(fred, plainWord(type(uint64).max, 1));
        assertEq(relay(list), 3);
        assertEq(available(dora.addr) + available(emil.addr) + available(fred.addr), 0);
        assertEq(market.bidChainOf(id, 0).count(), 2 ** 14 + 1);
        assertEq(laneOf(emil.addr, 0).count(), 2 ** 14 - 1);
        assertEq(laneOf(fred.addr, 0).index(), 2 ** 14);
    }

    function test_RevertWhen_ThereIsNoSuchMarketOrItIsNotOpen() public {
        SignedBid[] memory list = only(signed(dora, plainWord(10, 1)));
        vm.expectRevert(abi.encodeWithSelector(MarketIdLib.NotAMarket.selector, MarketId.wrap(0)));
        market.submitSignedBids(MarketId.wrap(0), list);
        Binding memory b = here();
        b.id = MarketId.wrap(MarketId.unwrap(id) ^ bytes32(uint256(1) << 200));
        expectNothing(IMarketLog.InsufficientBalance.selector);
        market.submitSignedBids(b.id, only(signedFor(b, dora.privateKey, list[0].entry)));
        vm.warp(params.genesis - 1);
        bytes4 early = MarketIdLib.MarketNotOpenYet.selector;
        vm.expectRevert(abi.encodeWithSelector(early, params.genesis - 1, params.genesis));
        market.submitSignedBids(id, list);
    }

    // ------------------------------------------------------------------------------------------------------ events

    function test_eventTellsWhoBidWhatAndFromWhichIndex() public {
        fundedLot(alice, 9, 1, 4);
        fund(dora.addr, 1000);
        fund(emil.addr, 3 * (48 + FEE));
        SignedBid[] memory list = _three();
        SubmittedBid[] memory bids = new SubmittedBid[](2);
        bids[0] = SubmittedBid(dora.addr, list[0].entry);
        bids[1] = SubmittedBid(emil.addr, list[1].entry);
        expectRefusal(fred.addr, 2, IMarketLog.InsufficientBalance.selector);
        vm.expectEmit(address(market));
        emit IMarketLog.SignedBidsSubmitted(id, 0, 4, bids);
        assertEq(relay(list), 2);
        assertEq(market.bidChainOf(id, 0).count(), 8);
    }

    function test_eventsComeInOrderAndNoOthers() public {
        fund(dora.addr, 1000);
        SignedBid[] memory list = new SignedBid[](3);
        list[0] = signed(emil, plainWord(10, 1));
        list[1] = signed(dora, plainWord(10, 1));
        list[2] = signed(fred, plainWord(0, 1));
        vm.recordLogs();
        relay(list);
        assertEq(vm.getRecordedLogs().length, 3);
        BidWord word = list[1].entry;
        open(1);
        list[0] = signed(emil, word);
        list[1] = signed(dora, word);
        list[2] = signed(fred, plainWord(0, 1));
        expectRefusal(emil.addr, 0, IMarketLog.InsufficientBalance.selector);
        expectRefusal(fred.addr, 2, IMarketLog.ZeroFee.selector);
        vm.expectEmit(address(market));
        emit IMarketLog.SignedBidsSubmitted(id, 1, 0, submittedOf(dora.addr, word));
        relay(list);
    }

    function test_chainOfASignedBidIsTheDocumentedOne() public {
        fund(dora.addr, 1000);
        fund(emil.addr, 1000);
        SignedBid[] memory list = new SignedBid[](2);
        list[0] = signed(dora, plainWord(10, 1));
        list[1] = signed(emil, entryWord(10, 1, 3, 5));
        relay(list);
        uint256 hash = uint256(keccak256(abi.encode(block.chainid, address(market), id, uint256(0)))) >> 56;
        hash = uint256(keccak256(abi.encode(hash << 56, list[0].entry))) >> 56;
        hash = uint256(keccak256(abi.encode(hash << 56, list[1].entry))) >> 56;
        assertEq(BidChain.unwrap(market.bidChainOf(id, 0)), (hash << 56) | 4);
    }

    // ------------------------------------------------------------------------------------------------------- gas

    /// @dev The plain way, if it has to be gone after the other, reads it once more.
    function test_mostSignedBidsReadTheirLaneOnce() public {
        fundedBid(alice, 9, 1);
        fund(dora.addr, 1000);
        fund(emil.addr, 1000);
        SignedBid[] memory list = new SignedBid[](2);
        (list[0], list[1]) = (signed(dora, plainWord(10, 1)), signed(emil, plainWord(10, 1)));
        bytes32 lane = keccak256(abi.encode(emil.addr, keccak256(abi.encode(id, 3))));
        vm.record();
        relay(list);
        (bytes32[] memory reads, bytes32[] memory writes) = vm.accesses(address(market));
        uint256 own;
        for (uint256 i; i < reads.length; ++i) {
            if (reads[i] == lane) ++own;
        }
        assertEq(own, 2); // a write is counted as a read too
        assertEq(writes.length, 3);
    }

    /// @dev Whatever the gas, a good bid is taken, or the call fails.
    function testFuzz_tooLittleGasIsNeverAWrongSignature(uint256 gas_, uint256 n) public {
        fundedBid(alice, 9, 1);
        Vm.Wallet[3] memory all = [dora, emil, fred];
        SignedBid[] memory list = new SignedBid[](bound(n, 1, 3));
        for (uint256 i; i < list.length; ++i) {
            fund(all[i].addr, 1000);
            list[i] = signed(all[i], plainWord(10, 1));
        }
        gas_ = bound(gas_, 20_000, 60_000 * list.length);
        vm.recordLogs();
        try market.submitSignedBids{gas: gas_}(id, list) returns (uint256 accepted) {
            assertEq(accepted, list.length);
            assertEq(vm.getRecordedLogs().length, 1);
        } catch (bytes memory reason) {
            assertEq(reason.length, 0);
            assertEq(market.bidChainOf(id, 0).count(), 1);
        }
    }

    // -------------------------------------------------------------------------------------------- against direct ones

    /// @dev A random batch of good and bad ones does what its good ones do when their requesters submit them.
    function testFuzz_batchEqualsItsGoodOnesSubmittedDirectly(uint256 salt, uint8 n) public {
        _seats();
        address[3] memory all = [dora.addr, emil.addr, fred.addr];
        for (uint256 i; i < 3; ++i) {
            fund(all[i], uint256(keccak256(abi.encode(salt, "first", i))) % 400);
        }
        open(1);
        fundedBid(alice, 10, 3);
        for (uint256 i; i < 3; ++i) {
            uint256 r = uint256(keccak256(abi.encode(salt, "second", i)));
            if (r % 3 != 0) fundedBid(all[i], uint64(6 + (r >> 8) % 20), uint32(1 + (r >> 16) % 8));
            fund(all[i], (r >> 32) % 100);
        }
        open(2);
        if (salt % 4 != 0) settle(1);
        if (salt % 2 == 0) {
            fundedBid(dora.addr, 10, 3);
            fundedBid(alice, 10, 3);
        }
        open(3);
        SignedBid[] memory list = new SignedBid[](1 + n % 9);
        bool[] memory good = new bool[](list.length);
        address[] memory requesters = new address[](list.length);
        for (uint256 i; i < list.length; ++i) {
            (list[i], requesters[i], good[i]) = _random(uint256(keccak256(abi.encode(salt, i))));
        }
        uint256 start = vm.snapshotState();
        (uint256 count, bytes memory told) = _submitDirectly(list, requesters, good);
        bytes32 direct = _state(3);
        vm.revertToState(start);
        if (count == 0) {
            vm.expectPartialRevert(IMarketLog.NothingSubmitted.selector);
            relay(list);
            return;
        }
        vm.recordLogs();
        assertEq(relay(list), count);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(_state(3), direct);
        assertEq(logs[logs.length - 1].topics[0], IMarketLog.SignedBidsSubmitted.selector);
        (,, SubmittedBid[] memory bids) =
            abi.decode(logs[logs.length - 1].data, (uint256, uint256, SubmittedBid[]));
        bytes memory said;
        for (uint256 i; i < bids.length; ++i) {
            said = abi.encode(said, bids[i]);
        }
        assertEq(said, told);
    }

    function _random(uint256 r) private view returns (SignedBid memory bid_, address requester, bool good) {
        uint256 which = r % 3;
        uint256 key = which == 0 ? dora.privateKey : which == 1 ? emil.privateKey : fred.privateKey;
        requester = vm.addr(key);
        uint256 count = (r >> 16) % 4 == 0 ? 1 + (r >> 24) % 3 : 1;
        BidWord word = entryWord(uint64((r >> 32) % 30), uint32((r >> 48) % 10), count, uint144(r >> 64));
        uint256 kind = (r >> 8) % 10;
        Binding memory b = here();
        if (kind == 0) b.chain += 1;
        if (kind == 1) b.market = address(verifier);
        if (kind == 2) b.round ^= 1;
        bid_ = signedFor(b, key, word);
        if (kind == 3) bid_.r = bytes32(r);
        if (kind == 4) bid_.entry = entryWord(30, 1, 1, uint144(r >> 64));
        good = kind > 4;
    }

    function _submitDirectly(SignedBid[] memory list, address[] memory requesters, bool[] memory good)
        private
        returns (uint256 count, bytes memory told)
    {
        for (uint256 i; i < list.length; ++i) {
            Lane lane = laneOf(requesters[i], 3);
            if (!good[i] || (lane.hasBid() && lane.round(1) == 3)) continue;
            vm.prank(requesters[i]);
            try market.submitOneBid(id, list[i].entry) {
                ++count;
                told = abi.encode(told, SubmittedBid(requesters[i], list[i].entry));
            } catch {}
        }
    }
}
