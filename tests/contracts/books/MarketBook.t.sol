// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IProofVerifier} from "../../../contracts/interfaces/IProofVerifier.sol";
import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {MarketId, MarketIdLib} from "../../../contracts/types/MarketId.sol";
import {MarketParams} from "../../../contracts/types/MarketParams.sol";
import {Mechanism} from "../../../contracts/types/Mechanism.sol";
import {MarketTest} from "../support/MarketTest.sol";

contract MarketBookTest is MarketTest {
    function test_marketKeepsItsParameters() public view {
        assertEq(keccak256(abi.encode(market.marketParams(id))), keccak256(abi.encode(params)));
    }

    function test_idFollowsFromTheParametersAlone() public {
        bytes32 hash = keccak256(abi.encode(params));
        MarketId expected = MarketIdLib.pack(
            hash, params.genesis, params.biddingPeriod, params.settlementFee, false, params.maxTaskSize
        );
        assertEq(MarketId.unwrap(id), MarketId.unwrap(expected));
        params.sink = alice;
        vm.expectEmit(address(market));
        emit IMarketLog.MarketCreated(
            MarketIdLib.pack(
                keccak256(abi.encode(params)),
                params.genesis,
                params.biddingPeriod,
                params.settlementFee,
                false,
                params.maxTaskSize
            ),
            bob,
            params
        );
        vm.prank(bob);
        market.createMarket(params);
    }

    function test_RevertWhen_MarketExists() public {
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.MarketExists.selector, id));
        market.createMarket(params);
    }

    function test_RevertWhen_MarketUnknown() public {
        MarketId other = MarketId.wrap(bytes32(uint256(MarketId.unwrap(id)) ^ (1 << 255)));
        bytes memory unknown = abi.encodeWithSelector(IMarketLog.UnknownMarket.selector, other);
        vm.expectRevert(unknown);
        market.marketParams(other);
        vm.expectRevert(unknown);
        market.deposit(other, alice, 0);
        vm.expectRevert(unknown);
        market.withdraw(other, 0, alice);
        vm.expectRevert(unknown);
        market.collectSurplus(other);
        vm.expectRevert(unknown);
        market.register(other, 100, 1);
        vm.expectRevert(unknown);
        market.termsOf(other, 0);
        // An id that no market can have, and one without money under it, take no bid either.
        MarketId none = MarketId.wrap(bytes32(uint256(MAX_SIZE)));
        vm.expectRevert(abi.encodeWithSelector(MarketIdLib.NotAMarket.selector, none));
        market.submitOneBid(none, plainWord(1, 1));
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.InsufficientBalance.selector, 0, 1 + FEE));
        market.submitOneBid(other, plainWord(1, 1));
    }

    function test_RevertWhen_ParameterOutsideItsRange() public {
        MarketParams memory p = defaultParams();
        p.currency = alice;
        _refuse(p, "currency");
        p = defaultParams();
        p.tick = 0;
        _refuse(p, "tick");
        p = defaultParams();
        p.maxTaskSize = 0;
        _refuse(p, "maxTaskSize");
        p.maxTaskSize = 2 ** 30 + 1;
        (p.capacityCap, p.capMin, p.capMax) = (type(uint64).max, type(uint64).max, type(uint64).max);
        _refuse(p, "maxTaskSize");
        (p.maxTaskSize, p.minSeatCapacity) = (2 ** 30, 2 ** 31 - 1);
        market.createMarket(p);
        p = defaultParams();
        p.biddingPeriod = 0;
        _refuse(p, "biddingPeriod");
        p = defaultParams();
        p.settlementPeriod = 0;
        _refuse(p, "settlementPeriod");
        p.settlementPeriod = p.biddingPeriod + 1;
        _refuse(p, "settlementPeriod");
        p.settlementPeriod = p.biddingPeriod;
        market.createMarket(p);
        p = defaultParams();
        p.provingPeriod = 0;
        _refuse(p, "provingPeriod");
        p = defaultParams();
        p.takeoverPeriod = 0;
        _refuse(p, "takeoverPeriod");
        p = defaultParams();
        p.maxTakeovers = 0;
        _refuse(p, "maxTakeovers");
        p.maxTakeovers = 17;
        _refuse(p, "maxTakeovers");
        p.maxTakeovers = 16;
        market.createMarket(p);
    }

    function test_RevertWhen_ParameterOutsideItsRangeToo() public {
        MarketParams memory p = defaultParams();
        p.maxSeats = 1; // in `core` nobody would ever win
        _refuse(p, "maxSeats");
        p.maxSeats = 129;
        _refuse(p, "maxSeats");
        p.maxSeats = 128;
        market.createMarket(p);
        p.maxSeats = 2;
        market.createMarket(p);
        p.mechanism = Mechanism.AverageFee;
        p.maxSeats = 1;
        market.createMarket(p);
        p = defaultParams();
        p.verifier = IProofVerifier(alice);
        _refuse(p, "verifier");
        p = defaultParams();
        p.verifierGas = 0;
        _refuse(p, "verifierGas");
        p.verifierGas = 12_000_001;
        _refuse(p, "verifierGas");
        p.verifierGas = 12_000_000;
        market.createMarket(p);
        p = defaultParams();
        p.bountyBps = 7001;
        _refuse(p, "bountyBps");
        p.bountyBps = 7000;
        market.createMarket(p);
        p = defaultParams();
        p.penaltyBps = 10_001;
        _refuse(p, "penaltyBps");
        p.penaltyBps = 10_000;
        market.createMarket(p);
        p = defaultParams();
        p.sink = address(0);
        _refuse(p, "sink");
        p.sink = address(market);
        _refuse(p, "sink");
    }

    function test_RevertWhen_TermsAreOutsideTheirBounds() public {
        MarketParams memory p = defaultParams();
        p.capMin = p.maxTaskSize - 1;
        _refuse(p, "capMin");
        p = defaultParams();
        p.capMin = p.capacityCap + 1;
        _refuse(p, "capacityCap");
        p = defaultParams();
        p.capMax = p.capacityCap - 1;
        _refuse(p, "capacityCap");
        p = defaultParams();
        p.reserveMin = p.reservePrice + 1;
        _refuse(p, "reservePrice");
        p = defaultParams();
        p.reserveMax = p.reservePrice - 1;
        _refuse(p, "reservePrice");
    }

    function test_RevertWhen_SeatsOfThisSizeCannotBe() public {
        MarketParams memory p = defaultParams();
        p.capacityDelay = 0;
        _refuse(p, "capacityDelay");
        p = defaultParams();
        p.minSeatCapacity = 2 * MAX_SIZE - 2;
        _refuse(p, "minSeatCapacity");
        p = defaultParams();
        p.minSeatCapacity = uint32(p.capMin) + MAX_SIZE;
        _refuse(p, "capMin");
        p.minSeatCapacity -= 1;
        market.createMarket(p);
    }

    function test_RevertWhen_SealedMarketCannotWork() public {
        MarketParams memory p = defaultParams();
        p.bondBps = 1;
        _refuse(p, "bondBps"); // nothing is sealed
        p.revealPeriod = 30;
        p.settlementPeriod = 71;
        _refuse(p, "settlementPeriod");
        p.settlementPeriod = 70;
        p.bondBps = 10_001;
        _refuse(p, "bondBps");
        p.bondBps = 0;
        _refuse(p, "bondBps");
        p.bondBps = 10_000;
        market.createMarket(p);
    }

    function test_RevertWhen_MarketHasNotOpened() public {
        params.genesis += 50;
        id = market.createMarket(params);
        fund(alice, 100);
        assertEq(available(alice), 100);
        bytes memory early =
            abi.encodeWithSelector(MarketIdLib.MarketNotOpenYet.selector, block.timestamp, params.genesis);
        vm.expectRevert(early);
        vm.prank(alice);
        market.submitOneBid(id, plainWord(10, 1));
        vm.warp(params.genesis - 1);
        vm.expectRevert(
            abi.encodeWithSelector(MarketIdLib.MarketNotOpenYet.selector, params.genesis - 1, params.genesis)
        );
        vm.prank(alice);
        market.register(id, 100, 1);
        vm.warp(params.genesis);
        vm.prank(alice);
        market.submitOneBid(id, plainWord(10, 1));
    }

    function _refuse(MarketParams memory p, bytes32 name) private {
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.InvalidParameter.selector, name));
        market.createMarket(p);
    }
}
