// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";
import {Multicallable} from "solady/utils/Multicallable.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {SignedBid} from "../../../contracts/types/SignedBid.sol";
import {SignedBidTest} from "../support/SignedBidTest.sol";
import {SlowClearing} from "../support/SlowClearing.sol";

/// @notice What a bid costs from its submission until its requester can spend what comes back, everything together: run with the
/// profile `gas`. All figures are of a requester that does the same every other round, in rounds of 1,000 bids and 10 provers:
///
/// - its own call, which also folds the result of its last bid in;
/// - its share of the settlement of its round;
/// - the release of what was submitted together.
contract LifeOfABidGasTest is SignedBidTest {
    uint256 private constant BIDS = 1000;
    uint256 private constant ROUND = 3;

    function setUp() public override {
        super.setUp();
        fixTaskSize(64);
        params.maxSeats = 12;
        fixCap(1e6);
        fixReserve(19); // so that nine provers win in a round of any size
        id = market.createMarket(params);
        for (uint64 i; i < 10; ++i) {
            seat(address(uint160(0xa000 + i)), 2448, 10 + i);
        }
        fund(alice, 1e9);
        fund(relayer, 1); // a relayer that was rewarded before
    }

    function test_gasOfADirectBid() public {
        _aliceReturns();
        bid(alice, 700, 32);
        uint256 submit_ = _lastGas();
        _others(BIDS - 2);
        _record("direct bid, returning requester", submit_, 1, _settlement(), 0);
    }

    /// @dev With its statement of two public inputs in the same transaction, of which its prover then owes a proof.
    function test_gasOfADirectBidWithItsStatement() public {
        _aliceReturns();
        Posted memory p = newTask(alice, 700, 32);
        p.told = true;
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(market.publish, (id, alice, statementsOf(p)));
        calls[1] = abi.encodeCall(market.submitOneBid, (id, wordOf(p)));
        vm.prank(alice);
        Multicallable(address(market)).multicall(calls);
        uint256 submit_ = _lastGas();
        remember(ROUND, p);
        _others(BIDS - 2);
        _record("direct bid with its statement, returning requester", submit_, 1, _settlement(), 0);
    }

    function test_gasOfSignedBids() public {
        uint256 submit_ = _relayed(100, 1);
        vm.snapshotGasLastCall("ProverMarket", "submitSignedBids, 100");
        _others(BIDS - 101);
        _record("per signed bid relayed 100 at a time", submit_, 100, _settlement(), 0);
    }

    function test_gasOfSignedLotsOfTwo() public {
        uint256 submit_ = _relayed(100, 2);
        _others(BIDS - 201);
        _record("per bid of signed lots of two relayed 100 at a time", submit_, 200, _settlement(), 0);
    }

    /// @dev Every requester has the result of an earlier bid to fold in.
    function _relayed(uint256 entries, uint256 bids) private returns (uint256 submit_) {
        Vm.Wallet[] memory signers = new Vm.Wallet[](entries);
        open(1);
        for (uint256 i; i < entries; ++i) {
            signers[i] = vm.createWallet(string.concat("signer ", vm.toString(i)));
            fund(signers[i].addr, 2e5);
            bid(signers[i].addr, 500, 32);
        }
        open(2);
        settle(1);
        open(ROUND);
        bid(bob_(), 500, 32);
        SignedBid[] memory list = new SignedBid[](entries);
        for (uint256 i; i < entries; ++i) {
            list[i] = rememberSigned(signers[i], uint64(20 + 10 * i), uint32(1 + i % 64), bids);
        }
        assertEq(relay(list), entries);
        return _lastGas();
    }

    function test_gasOfALot() public {
        open(1);
        lot(alice, 500, 32, 100);
        open(2);
        settle(1);
        open(ROUND);
        lot(bob_(), 500, 32, 100);
        lot(alice, 700, 32, 100);
        uint256 submit_ = _lastGas();
        for (uint64 i; i < 8; ++i) {
            fundedLot(address(uint160(0xc000 + i)), 100 + 120 * i, 33, 100);
        }
        _record("per bid of a lot of 100", submit_, 100, _settlement(), 0);
    }

    function test_gasOfEntriesSubmittedTogether() public {
        open(1);
        _bundle(alice, 1);
        open(2);
        settle(1);
        open(ROUND);
        _release(1, 0);
        _bundle(bob_(), 2);
        _bundle(alice, 3);
        uint256 submit_ = _lastGas();
        _others(BIDS - 200);
        uint256 settlement = _settlement();
        _release(ROUND, 100);
        _record("per bid, 100 entries in one call", submit_, 100, settlement, _lastGas());
    }

    /// @dev Her bid of the round before last is to be folded in, and the open round has one of another.
    function _aliceReturns() private {
        open(1);
        bid(alice, 500, 32);
        open(2);
        settle(1);
        open(ROUND);
        bid(bob_(), 500, 32);
    }

    /// @dev Gas of a bid: its part of the entry's calls, and of the round's settlement.
    function _record(string memory name, uint256 submit_, uint256 bids, uint256 settlement, uint256 release)
        private
    {
        assertEq(postedCount(ROUND), BIDS);
        vm.snapshotValue("LifeOfABid", name, (submit_ + release) / bids + settlement / BIDS);
        vm.snapshotValue("LifeOfABid", string.concat(name, ": submission alone"), submit_ / bids);
        vm.snapshotValue("LifeOfABid", string.concat(name, ": share of settlement"), settlement / BIDS);
    }

    function _settlement() private returns (uint256) {
        vm.warp(openAt(ROUND + 1));
        noteAsks(ROUND);
        SlowClearing.Result memory result = cleared(ROUND);
        assertEq(result.winners.length, 9);
        assertGt(result.units, 8 * 2048);
        BidWord[] memory list = words(ROUND);
        vm.prank(relayer);
        market.settle(id, ROUND, result.certificate, list);
        return _lastGas();
    }

    function _release(uint256 round, uint256 firstIndex) private {
        BidWord[] memory list = words(round, firstIndex, 100);
        vm.prank(alice);
        market.release(id, alice, round, firstIndex, list);
    }

    function _others(uint256 count) private {
        for (uint256 k; k * 100 < count; ++k) {
            uint256 left = count - k * 100;
            _bundleOf(address(uint160(0xb000 + k)), k, left < 100 ? left : 100);
        }
    }

    function _bundle(address requester, uint256 salt) private {
        _bundleOf(requester, salt, 100);
    }

    function _bundleOf(address requester, uint256 salt, uint256 count) private {
        uint64[] memory fees = new uint64[](count);
        uint32[] memory sizes = new uint32[](count);
        for (uint256 i; i < count; ++i) {
            uint256 r = uint256(keccak256(abi.encode(salt, i)));
            (fees[i], sizes[i]) = (uint64(20 + r % 1000), uint32(1 + (r >> 64) % 64));
        }
        if (requester != alice) fund(requester, count * (64 * 1020 + FEE));
        bundle(requester, fees, sizes);
    }

    function bob_() private returns (address) {
        fund(bob, 1e8);
        return bob;
    }

    function _lastGas() private view returns (uint256) {
        return vm.lastCallGas().gasTotalUsed;
    }
}
