// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BidWord} from "../../../contracts/types/BidWord.sol";
import {Certificate} from "../../../contracts/types/Certificate.sol";
import {MarketParams, Mechanism} from "../../../contracts/types/MarketParams.sol";
import {WalletBid} from "../../../contracts/types/SignedBid.sol";
import {Task} from "../../../contracts/types/Task.sol";
import {Multicallable} from "solady/utils/Multicallable.sol";
import {Wallet} from "../mocks/Wallets.sol";
import {BidSignatures} from "../support/BidSignatures.sol";
import {ProvedMarketTest} from "../support/ProvedMarketTest.sol";
import {SlowClearing} from "../support/SlowClearing.sol";

/// @notice What each action costs as a transaction of its own: run with the profile `gas`.
contract ProverMarketGasTest is ProvedMarketTest, BidSignatures {
    uint256 private constant PROVERS = 10;

    function _record(string memory name) private {
        vm.snapshotGasLastCall("ProverMarket", name);
    }

    /// @dev Ten seats of one prover each, nine of which can win `offered` units; the round after takes bids.
    function _tenSeats(uint32 offered) private {
        for (uint64 i; i < PROVERS; ++i) {
            seat(_prover(i), offered, 10 + i);
        }
        open(1);
    }

    function _prover(uint256 i) private pure returns (address) {
        return address(uint160(0xa000 + i));
    }

    function _bundles(uint256 count, uint256 each) private {
        uint64[] memory fees = new uint64[](each);
        uint32[] memory sizes = new uint32[](each);
        for (uint256 k; k < count; ++k) {
            for (uint256 i; i < each; ++i) {
                uint256 r = uint256(keccak256(abi.encode(k, i)));
                (fees[i], sizes[i]) = (uint64(20 + r % 1000), uint32(1 + (r >> 64) % 64));
            }
            address requester = address(uint160(0xb000 + k));
            fund(requester, each * 64 * 1020 + each * FEE);
            bundle(requester, fees, sizes);
        }
    }

    function test_gasOfCreateMarket() public {
        MarketParams memory p = params;
        p.sink = alice;
        market.createMarket(p);
        _record("createMarket");
    }

    function test_gasOfDepositAndWithdraw() public {
        vm.deal(alice, 1 ether);
        vm.startPrank(alice);
        market.deposit{value: 100 * TICK}(id, alice, 100 * TICK);
        _record("deposit, first");
        market.deposit{value: 100 * TICK}(id, alice, 100 * TICK);
        _record("deposit, later");
        market.withdraw(id, 50, alice);
        _record("withdraw, part");
        market.withdraw(id, type(uint256).max, alice);
        _record("withdraw, all");
    }

    function test_gasOfSubmitBid() public {
        _tenSeats(256);
        fund(alice, 1e6);
        Posted memory plain = _plainTask();
        submit(plain);
        _record("submitOneBid, first of its round and its requester");
        for (uint64 i; i < 40; ++i) {
            fundedBid(bob, 21 + i, 64);
        }
        fund(carol, 1e6);
        submit(Posted(carol, 40, plain.circuit, plain.inputs, plain.data, false));
        _record("submitOneBid, first of its requester");
        submit(Posted(carol, 40, plain.circuit, plain.inputs, plain.data, false));
        _record("submitOneBid, second of its requester in the round");
        open(2);
        settle(1);
        open(3);
        fundedBid(bob, 50, 64);
        fundedBid(bob, 50, 64);
        submit(plain);
        _record("submitOneBid, later");
    }

    /// @dev The requester's last bid was in the round before last, and there are bids of others in the open one.
    function test_gasOfSubmitBidWithItsStatement() public {
        _tenSeats(256);
        _returning(alice);
        Posted memory plain = _plainTask();
        _submitAndPublish(plain);
        _record("publish and submitOneBid, later");
    }

    function test_gasOfSubmitBidWithARollupStatement() public {
        _tenSeats(256);
        _returning(carol);
        _submitAndPublish(rollupTask(carol, 50, 0, 0));
        _record("publish and submitOneBid, later, rollup statement with 560 bytes of data");
    }

    /// @dev The wallet checks a signature of its owner's.
    function test_gasOfSubmitWalletBids() public {
        _tenSeats(256);
        (address owner, uint256 key) = makeAddrAndKey("owner");
        address wallet = address(new Wallet(owner));
        _returning(wallet);
        BidWord word = wordOf(newTask(wallet, 30, 64));
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(key, digestOf(Binding(block.chainid, address(market), id, openRound()), word));
        WalletBid[] memory list = new WalletBid[](1);
        list[0] = WalletBid(wallet, word, abi.encode(v, r, s));
        vm.prank(relayer);
        assertEq(market.submitWalletBids(id, list), 1);
        _record("submitWalletBids, 1");
    }

    function test_gasOfSubmitBidForALot() public {
        _tenSeats(256);
        _returning(alice);
        lot(alice, 30, 64, 100);
        _record("submitOneBid, later, lot of 100");
    }

    /// @dev A requester with money whose last bid was in the round before last, lost by fee; the open round has bids.
    function _returning(address requester) private {
        uint256 round = openRound();
        fund(requester, 1e7);
        bid(requester, 6, 64);
        for (uint64 i; i < 44; ++i) {
            fundedBid(bob, 17 + i, 64); // more than all seats can take, so that the pivot is one of these
        }
        open(round + 1);
        settle(round);
        open(round + 2);
        fundedBid(bob, 50, 64);
        fundedBid(bob, 50, 64);
    }

    function _submitAndPublish(Posted memory p) private {
        p.told = true;
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(market.publish, (id, p.requester, statementsOf(p)));
        calls[1] = abi.encodeCall(market.submitOneBid, (id, wordOf(p)));
        vm.prank(p.requester);
        Multicallable(address(market)).multicall(calls);
        remember(openRound(), p);
    }

    /// @dev One public input, no data.
    function _plainTask() private view returns (Posted memory p) {
        p = Posted(alice, 30, groth16.circuitAt(0), new uint256[](1), "", tells);
        p.inputs[0] = uint256(keccak256("statement"));
    }

    function test_gasOfSubmitBidWithItsMoney() public {
        fundedBid(bob, 50, 64);
        Posted memory p = _plainTask();
        BidWord word = wordOf(p);
        vm.deal(alice, 1 ether);
        vm.prank(alice);
        market.submitOneBid{value: 1000 * TICK}(id, word);
        _record("submitOneBid, first of its requester, with its money");
    }

    function test_gasOfSubmitBidsAndRelease() public {
        _tenSeats(256);
        fundedBid(bob, 50, 64);
        uint64[] memory fees = new uint64[](100);
        uint32[] memory sizes = new uint32[](100);
        for (uint256 i; i < 100; ++i) {
            (fees[i], sizes[i]) = (uint64(20 + i), 64);
        }
        fund(carol, 1e6);
        bundle(carol, fees, sizes);
        _record("submitBids, 100");
        open(2);
        settle(1);
        BidWord[] memory list = words(1, 1, 100);
        market.release(id, carol, 1, 1, list);
        _record("release, 100");
    }

    function test_gasOfFold() public {
        fundedBid(alice, 50, 64);
        vm.warp(settleBy(0));
        market.fold(id, alice);
        _record("fold");
    }

    function test_gasOfSeats() public {
        seat(paul, 256, 10);
        vm.deal(quentin, 1 ether);
        fund(quentin, 320 * PER_UNIT + 5);
        vm.prank(quentin);
        market.register(id, 320, 10);
        _record("register");
        open(1);
        vm.prank(quentin);
        market.ask(id, 1, 12);
        _record("ask");
        vm.prank(quentin);
        market.changeCapacity(id, 1, 0);
        _record("changeCapacity, to leave");
        fund(paul, 100 * PER_UNIT);
        vm.prank(paul);
        market.changeCapacity(id, 0, 400);
        _record("changeCapacity, more");
        open(3);
        vm.prank(quentin);
        market.releaseCapacity(id, 1);
        _record("releaseCapacity");
    }

    function test_gasOfSettleWith100Bids() public {
        _settle(100, 204);
        _record("settle, 100 bids, 10 provers");
    }

    function test_gasOfSettleWith1000Bids() public {
        _settle(1000, 2048);
        _record("settle, 1000 bids, 10 provers");
    }

    /// @dev Ten entries of a hundred bids each, about half of which win.
    function test_gasOfSettleWithLots() public {
        _tenSeats(2048);
        _lots(10);
        _settleAndRecord("settle, 10 lots of 100 bids, 10 provers");
    }

    function test_gasOfSettleWithLotsAtTheAverageFee() public {
        params.mechanism = Mechanism.AverageFee;
        id = market.createMarket(params);
        _tenSeats(1843);
        _lots(10);
        _settleAndRecord("settle, 10 lots of 100 bids, 10 provers, average fee");
    }

    function _lots(uint256 count) private {
        for (uint64 i; i < count; ++i) {
            fundedLot(address(uint160(0xb000 + i)), 20 + (i * 377) % 1000, 33, 100);
        }
    }

    function _settleAndRecord(string memory name) private {
        vm.warp(openAt(2));
        fund(relayer, 1);
        noteAsks(1);
        SlowClearing.Result memory result = cleared(1);
        assertGt(result.units, 8 * 1843);
        BidWord[] memory list = words(1);
        vm.prank(relayer);
        market.settle(id, 1, result.certificate, list);
        _record(name);
    }

    /// @dev Below the average are all ten.
    function test_gasOfSettleWith1000BidsAtTheAverageFee() public {
        params.mechanism = Mechanism.AverageFee;
        id = market.createMarket(params);
        _settle(1000, 1843);
        _record("settle, 1000 bids, 10 provers, average fee");
    }

    function test_gasOfSettleWith1000BidsUnderMovingTerms() public {
        (params.capMin, params.reserveMax) = (1e5, 100);
        id = market.createMarket(params);
        _settle(1000, 2048);
        _record("settle, 1000 bids, 10 provers, first move of the terms");
    }

    /// @dev About half of the bids win, spread over nine provers, or ten of the same capacity together.
    function _settle(uint256 bids, uint32 offered) private {
        _tenSeats(offered);
        _bundles(bids / 100, 100);
        vm.warp(openAt(2));
        fund(relayer, 1); // a relayer that was rewarded before
        noteAsks(1);
        SlowClearing.Result memory result = cleared(1);
        assertEq(result.winners.length, params.mechanism == Mechanism.Core ? 9 : 10);
        assertGt(result.units, uint256(offered) * 8);
        BidWord[] memory list = words(1);
        assertEq(list.length, bids);
        vm.prank(relayer);
        market.settle(id, 1, result.certificate, list);
    }

    function test_gasOfDeliverTakeOverAndExpire() public {
        seat(paul, 64, 6);
        seat(quentin, 64, 9);
        seat(rita, 64, 30);
        open(1);
        for (uint256 i; i < 3; ++i) {
            bidForProof(alice, uint64(60 - i), i, 0);
        }
        for (uint256 i; i < 3; ++i) {
            bidForProof(bob, uint64(57 - i), i, 1);
        }
        open(2);
        SlowClearing.Result memory result = settle(1);
        assertTrue(result.wins[0] && result.wins[1] && result.wins[2]);
        deliverProof(1, 0, 0, 0);
        _record("deliver");
        vm.warp(proveBy(1));
        (Task memory task, bytes32[] memory path) = taskOf(1, 1);
        vm.prank(rita);
        market.takeOver(id, task, path, 2);
        _record("takeOver");
        deliverProof(1, 1, 1, 0);
        _record("deliver after a takeover");
        vm.warp(finalAt(1));
        expire(1, 2);
        _record("expire");
        market.collectSurplus(id);
        _record("collectSurplus");
    }
}
