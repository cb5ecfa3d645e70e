// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {IProverMarket} from "../../../contracts/interfaces/IProverMarket.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {Certificate, CertificateLib} from "../../../contracts/types/Certificate.sol";
import {Mechanism} from "../../../contracts/types/Mechanism.sol";
import {MarketId} from "../../../contracts/types/MarketId.sol";
import {ClosedRoundTest} from "../support/ClosedRoundTest.sol";
import {SlowClearing} from "../support/SlowClearing.sol";
import {SlowMerkle} from "../support/SlowMerkle.sol";

/// @notice Of all certificates and all lists of bids exactly one passes.
contract CertificateTest is ClosedRoundTest {
    Certificate private _c;
    BidWord[] private _w;

    function test_RevertWhen_AnyFieldOfTheCertificateIsChanged() public {
        _closedRound();
        _load(1);
        Certificate memory good = _c;
        for (uint256 pivot; pivot < 260; ++pivot) {
            if (pivot > 6 && pivot < 250) continue;
            if (pivot == good.pivotSeat || pivot > 255) continue;
            _c.pivotSeat = uint8(pivot);
            _refused();
        }
        _c = good;
        for (uint64 fee; fee < 25; ++fee) {
            if (fee == good.pivotFee) continue;
            _c.pivotFee = fee;
            _refused();
            _c.pivotIndex = type(uint32).max;
            _refused();
            _c = good;
        }
        _c.pivotFee = type(uint64).max;
        _refused();
        _c.pivotIndex = 0;
        _refused();
        _c = good;
        for (uint32 index; index < 7; ++index) {
            if (index == good.pivotIndex) continue;
            _c.pivotIndex = index;
            _refused();
        }
        _c = good;
        for (uint64 units; units < 40; ++units) {
            if (units == good.units) continue;
            _c.units = units;
            _refused();
        }
        _c.units = type(uint64).max;
        _refused();
        _c = good;
        _accepted();
    }

    /// @dev Each field of the two mechanisms' certificates, alone, one off and at the ends of its type.
    function test_RevertWhen_OneFieldIsOneOffOrExtreme() public {
        for (uint8 m; m < 2; ++m) {
            params.mechanism = Mechanism(m);
            params.sink = address(uint160(1 + m));
            vm.warp(params.genesis);
            id = market.createMarket(params);
            _closedRound();
            _load(1);
            uint256[9] memory good = abi.decode(abi.encode(_c), (uint256[9]));
            uint8[9] memory bits = [64, 32, 64, 8, 64, 32, 64, 128, 128];
            for (uint256 field; field < 9; ++field) {
                uint256 max = (1 << bits[field]) - 1;
                uint256 below = good[field] == 0 ? max : good[field] - 1;
                uint256[4] memory values = [good[field] + 1, below, 0, max];
                for (uint256 k; k < 4; ++k) {
                    uint256[9] memory bad = abi.decode(abi.encode(good), (uint256[9]));
                    bad[field] = values[k] & max;
                    if (bad[field] == good[field]) continue;
                    _c = abi.decode(abi.encode(bad), (Certificate));
                    _refused();
                }
            }
            _c = abi.decode(abi.encode(good), (Certificate));
            _accepted();
        }
    }

    function test_RevertWhen_AverageFeeErrorsNameTheFault() public {
        params.mechanism = Mechanism.AverageFee;
        id = market.createMarket(params);
        _closedRound();
        _load(1);
        Certificate memory good = _c;
        _c.pivotSeat = 2;
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongPivotSeat.selector, 2));
        market.settle(id, 1, _c, _w);
        _c = good;
        _c.batchUnits += 1;
        vm.expectRevert(IMarketLog.WrongBatch.selector);
        market.settle(id, 1, _c, _w);
        _c = good;
        _c.revenue += 1;
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongRevenue.selector, 461, 460));
        market.settle(id, 1, _c, _w);
        // A batch that is right in itself, but not the one that the cap leaves.
        _c = good;
        (_c.batchFee, _c.batchIndex, _c.batchUnits, _c.batchRevenue) = (6, 4, 30, 460);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongPivotBid.selector, 6, 4));
        market.settle(id, 1, _c, _w);
    }

    /// @dev A pivot below every fee would make winners of bids that pay nothing.
    function test_RevertWhen_ARoundWithoutAWinnerHasAPivot() public {
        for (uint8 m; m < 2; ++m) {
            params.mechanism = Mechanism(m);
            params.sink = address(uint160(1 + m));
            vm.warp(params.genesis);
            id = market.createMarket(params);
            seat(paul, 10, 21);
            seat(quentin, 12, 22);
            open(1);
            fundedBid(alice, 20, 8);
            fundedBid(bob, 15, 8);
            open(2);
            _load(1);
            Certificate memory good = _c;
            assertEq(good.units, 0);
            uint64[7] memory fees = [uint64(0), 5, 14, 15, 20, 21, type(uint64).max - 1];
            for (uint256 k; k < fees.length; ++k) {
                for (uint32 index; index < 3; ++index) {
                    _refusesPivot(fees[k], index);
                }
                _refusesPivot(fees[k], type(uint32).max);
            }
            _refusesPivot(good.pivotFee, 1);
            _c = good;
            _accepted();
        }
    }

    function _refusesPivot(uint64 fee, uint32 index) private {
        (_c.pivotFee, _c.pivotIndex) = (fee, index);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongPivotBid.selector, fee, index));
        market.settle(id, 1, _c, _w);
    }

    function test_RevertWhen_ATradeIsCalledNone() public {
        _closedRound();
        _load(1);
        _c = core(CertificateLib.NO_SEAT, CertificateLib.NO_WINNER, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongPivotSeat.selector, CertificateLib.NO_SEAT));
        market.settle(id, 1, _c, _w);
    }

    /// @dev It ranks behind the reserve price, which is the line then.
    function test_RevertWhen_TheFirstLeftOutIsBelowTheReservePrice() public {
        seat(paul, 10, 3);
        seat(quentin, 12, 4);
        seat(rita, 10, 5);
        open(1);
        fundedBid(alice, 20, 8);
        fundedBid(bob, 15, 8);
        fundedBid(carol, 4, 8);
        open(2);
        _load(1);
        assertEq(_c.pivotIndex, type(uint32).max);
        Certificate memory good = _c;
        for (uint64 fee = 3; fee < 6; ++fee) {
            (_c.pivotFee, _c.pivotIndex) = (fee, 2);
            _refused();
        }
        _c = good;
        _accepted();
    }

    function test_RevertWhen_AnyOtherPivotIsNamedConsistently() public {
        _refusesOtherPivots();
    }

    /// @dev The cap is the winners' capacity: with one unit less the second seat would not win.
    function test_RevertWhen_AnyOtherPivotIsNamedUnderACapThatIsJustReached() public {
        fixCap(22);
        id = market.createMarket(params);
        _refusesOtherPivots();
    }

    function _refusesOtherPivots() private {
        _closedRound();
        _load(1);
        Certificate memory good = _c;
        uint256 tried;
        for (uint8 pivot; pivot < 4; ++pivot) {
            for (uint32 i; i < 5; ++i) {
                uint64 fee = posted(1, i).fee;
                if (pivot == good.pivotSeat && i == good.pivotIndex) continue;
                uint64 units;
                for (uint32 k; k < 5; ++k) {
                    if (posted(1, k).fee > fee) units += posted(1, k).circuit.units();
                }
                _c = core(pivot, fee, i, units);
                _refused();
                ++tried;
            }
        }
        assertEq(tried, 19);
        _c = good;
        _accepted();
    }

    /// @dev Of seats with one cost those before the pivot win, and those behind it do not.
    function test_RevertWhen_AnotherOfSeatsWithOneCostIsThePivot() public {
        seat(paul, 10, 6);
        seat(quentin, 10, 6);
        seat(rita, 10, 6);
        open(1);
        fundedBid(alice, 20, 8);
        fundedBid(bob, 15, 8);
        fundedBid(carol, 12, 8);
        open(2);
        _load(1);
        Certificate memory good = _c;
        assertEq(good.pivotSeat, 2);
        for (uint8 pivot; pivot < 2; ++pivot) {
            _c.pivotSeat = pivot;
            _refused();
        }
        _c = good;
        _accepted();
    }

    function test_RevertWhen_WordsAreNotTheRoundsBids() public {
        _closedRound();
        _load(1);
        for (uint256 i; i < 5; ++i) {
            BidWord[] memory list = words(1);
            _refusedWords(_without(list, i));
            _refusedWords(_doubled(list, i));
            list[i] = list[(i + 1) % 5];
            _refusedWords(list);
            list = words(1);
            (list[i], list[(i + 1) % 5]) = (list[(i + 1) % 5], list[i]);
            _refusedWords(list);
            for (uint256 bit; bit < 256; bit += 15) {
                list = words(1);
                list[i] = BidWord.wrap(BidWord.unwrap(list[i]) ^ bytes32(uint256(1) << bit));
                _refusedWords(list);
            }
        }
        _refusedWords(new BidWord[](0));
        _accepted();
    }

    function test_RevertWhen_ErrorsNameTheFault() public {
        _closedRound();
        _load(1);
        _c.pivotSeat = 3;
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongPivotSeat.selector, 3));
        market.settle(id, 1, _c, _w);
        _c = core(2, 14, 3, 16);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongPivotBid.selector, 14, 3));
        market.settle(id, 1, _c, _w);
        _c = core(2, 12, 2, 21);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongUnits.selector, 21, 22));
        market.settle(id, 1, _c, _w);
        _w.pop();
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongBids.selector, 1));
        market.settle(id, 1, _c, _w);
    }

    function test_RevertWhen_WordsComeFromAnotherRoundMarketOrContract() public {
        _closedRound();
        _load(1);
        // The same bid, byte for byte, in another round, another market and another contract.
        BidWord first = _w[0];
        Posted memory p = posted(1, 0);
        MarketId here = id;
        IProverMarket first_ = market;
        Certificate memory none = core(type(uint8).max, type(uint64).max, 0, 0);
        params.sink = bob;
        id = market.createMarket(params);
        _submit(p);
        vm.warp(closeAt(2));
        market.settle(id, 2, none, _one(first));
        market = deployMarket();
        params.sink = sink;
        id = market.createMarket(params);
        assertEq(MarketId.unwrap(id), MarketId.unwrap(here));
        vm.warp(openAt(3));
        _submit(p);
        assertTrue(
            keccak256(abi.encode(market.bidChainOf(id, 3)))
                != keccak256(abi.encode(first_.bidChainOf(here, 3)))
        );
        vm.warp(closeAt(3));
        market.settle(id, 3, none, _one(first));
        assertTrue(
            keccak256(abi.encode(market.bidChainOf(id, 3))) != keccak256(abi.encode(market.bidChainOf(id, 2)))
        );
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.NothingToSettle.selector, 4));
        market.settle(id, 4, none, _one(first));
    }

    /// @dev The running hash of the same bid differs by chain: words of a fork's round are worthless here.
    function test_RevertWhen_TheChainForked() public {
        _closedRound();
        _load(1);
        vm.chainId(block.chainid + 1);
        _refused();
        vm.chainId(block.chainid - 1);
        _accepted();
    }

    /// @dev demand(c_2) must exceed K_1: of two seats of 10 units, the first does not win with bids of 10.
    function test_RevertWhen_DemandEqualsTheCapacityOfTheWinners() public {
        seat(paul, 10, 6);
        seat(quentin, 10, 8);
        open(1);
        fundedBid(alice, 20, 8);
        fundedBid(bob, 8, 2);
        open(2);
        _load(1);
        assertEq(_c.pivotSeat, 0);
        Certificate memory good = _c;
        _c = core(1, 0, type(uint32).max, 10);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongPivotSeat.selector, 1));
        market.settle(id, 1, _c, _w);
        _c = good;
        _accepted();
    }

    /// @dev Any round within the limits of these seeds: the slow result passes, each single change of it is refused.
    function testFuzz_onlyTheSlowResultPasses(
        uint256 seed,
        uint8 bids,
        uint8 seats_,
        uint64 reserve,
        uint64 cap
    ) public {
        params.mechanism = Mechanism(uint8((seed >> 200) % 2));
        fixReserve(uint64(bound(reserve, 0, 12)));
        fixCap(uint64(bound(cap, MAX_SIZE + 11, 70))); // a seat offers at most the cap
        params.sink = address(uint160(seed) | 1);
        id = market.createMarket(params);
        for (uint256 i; i < seats_ % 6; ++i) {
            uint256 r = uint256(keccak256(abi.encode(seed, "seat", i)));
            seat(paul, uint32(MAX_SIZE + (r >> 8) % 12), uint64(r % 12));
        }
        open(1 + seed % 3);
        uint256 round = 1 + seed % 3;
        uint256 n = bound(bids, 1, 14);
        for (uint256 i; i < n; ++i) {
            uint256 r = uint256(keccak256(abi.encode(seed, "bid", i)));
            fundedBid(alice, uint64(1 + r % 15), uint32(1 + (r >> 8) % MAX_SIZE));
        }
        open(round + 1);
        _load(round);
        _mutate(round, seed);
        market.settle(id, round, _c, _w);
        SlowClearing.Result memory result = cleared(round);
        (bytes32[] memory leaves,) = leavesOf(round, result, 0);
        assertEq(market.assignmentRoot(id, round), SlowMerkle.root(leaves));
        assertEq(market.outcomeOf(id, round).units(), result.units);
        for (uint256 i; i < n; ++i) {
            uint256 won = market.outcomeOf(id, round).winners(posted(round, i).fee, i, 1);
            assertEq(won == 1, result.wins[i]);
        }
    }

    // ----------------------------------------------------------------------------------------------- internals

    function _mutate(uint256 round, uint256 seed) private {
        Certificate memory good = _c;
        for (uint256 i; i < 24; ++i) {
            uint256 r = uint256(keccak256(abi.encode(seed, "mutation", i)));
            _c = good;
            if (r & 1 != 0) _c.pivotSeat = uint8((r >> 8) % 7);
            if (r & 2 != 0) _c.pivotFee = uint64((r >> 16) % 16);
            if (r & 4 != 0) _c.pivotIndex = uint32((r >> 32) % 15);
            if (r & 8 != 0) _c.units = uint64((r >> 64) % 50);
            if (r & 16 != 0) _c.batchFee = uint64((r >> 80) % 16);
            if (r & 32 != 0) _c.batchIndex = uint32((r >> 96) % 15);
            if (r & 64 != 0) _c.batchUnits = uint64((r >> 112) % 70);
            if (r & 128 != 0) _c.batchRevenue = uint128((r >> 128) % 700);
            if (r & 256 != 0) _c.revenue = uint128((r >> 144) % 700);
            if (keccak256(abi.encode(_c)) != keccak256(abi.encode(good))) _refusedAt(round);
        }
        _c = good;
    }

    function _load(uint256 round) private {
        _c = cleared(round).certificate;
        _w = words(round);
    }

    function _refused() private {
        _refusedAt(1);
    }

    function _refusedAt(uint256 round) private {
        try market.settle(id, round, _c, _w) {
            assertTrue(false, "another certificate passed");
        } catch (bytes memory reason) {
            _requireOwnError(reason);
        }
    }

    function _refusedWords(BidWord[] memory list) private {
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongBids.selector, 1));
        market.settle(id, 1, _c, list);
    }

    /// @dev No panic: a wrong claim is refused by a rule.
    function _requireOwnError(bytes memory reason) private pure {
        bytes4 selector = bytes4(reason);
        assertTrue(
            selector == IMarketLog.WrongPivotSeat.selector || selector == IMarketLog.WrongPivotBid.selector
                || selector == IMarketLog.WrongUnits.selector || selector == IMarketLog.WrongBatch.selector
                || selector == IMarketLog.WrongRevenue.selector || selector == IMarketLog.WrongBids.selector
        );
    }

    function _accepted() private {
        market.settle(id, 1, _c, _w);
    }

    function _submit(Posted memory p) private {
        fund(p.requester, uint256(p.fee) * p.circuit.units() + FEE);
        BidWord word = wordOf(p);
        vm.prank(p.requester);
        market.submitOneBid(id, word);
    }

    function _one(BidWord word) private pure returns (BidWord[] memory list) {
        list = new BidWord[](1);
        list[0] = word;
    }

    function _without(BidWord[] memory list, uint256 at) private pure returns (BidWord[] memory copy) {
        copy = new BidWord[](list.length - 1);
        for (uint256 i; i < copy.length; ++i) {
            copy[i] = list[i < at ? i : i + 1];
        }
    }

    function _doubled(BidWord[] memory list, uint256 at) private pure returns (BidWord[] memory copy) {
        copy = new BidWord[](list.length + 1);
        for (uint256 i; i < copy.length; ++i) {
            copy[i] = list[i <= at ? i : i - 1];
        }
    }
}
