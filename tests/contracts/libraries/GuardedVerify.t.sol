// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IProofVerifier} from "../../../contracts/interfaces/IProofVerifier.sol";
import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {MarketId} from "../../../contracts/types/MarketId.sol";
import {Delivery} from "../../../contracts/types/Task.sol";
import {
    BurningVerifier,
    CostlyVerifier,
    OneByteVerifier,
    OneMegabyteRevertingVerifier,
    OneMegabyteVerifier,
    ReenteringVerifier,
    RevertingTrueVerifier,
    RevertingVerifier,
    SilentVerifier,
    TwoVerifier
} from "../mocks/HostileVerifiers.sol";
import {MarketTest} from "../support/MarketTest.sol";

/// @notice Deliveries in markets whose verifier is an enemy.
contract GuardedVerifyTest is MarketTest {
    /// @dev A market of its own with one task assigned, the default market aside.
    function _marketWith(address hostile) private {
        params.verifier = IProofVerifier(hostile);
        params.genesis = uint40(block.timestamp);
        id = market.createMarket(params);
        seat(paul, 10, 6);
        seat(quentin, 24, 9);
        open(1);
        fundedBid(alice, 20, 8);
        fundedBid(bob, 12, 8);
        open(2);
        settle(1);
    }

    function _rejects(address hostile) private {
        _marketWith(hostile);
        Delivery memory d = deliveryOf(1, 0);
        d.proof = "proof";
        uint256 before = gasleft();
        vm.expectRevert(IMarketLog.ProofRejected.selector);
        market.deliver(id, d);
        assertLt(before - gasleft(), params.verifierGas + 150_000);
        assertEq(available(paul), 0);
        // The round goes on: the task can still be taken over and expired.
        vm.warp(proveBy(1));
        takeOver(1, 0, 1);
        vm.warp(finalAt(1));
        expire(1, 0);
        assertEq(available(alice), 8 * 8 + 96 - 9);
    }

    function test_RevertWhen_VerifierReverts() public {
        _rejects(address(new RevertingVerifier(8)));
    }

    function test_RevertWhen_VerifierRevertsWithTrue() public {
        _rejects(address(new RevertingTrueVerifier(8)));
    }

    function test_RevertWhen_VerifierBurnsAllItsGas() public {
        _rejects(address(new BurningVerifier(8)));
    }

    function test_RevertWhen_VerifierAnswersTwo() public {
        _rejects(address(new TwoVerifier(8)));
    }

    function test_RevertWhen_VerifierAnswersOneByte() public {
        _rejects(address(new OneByteVerifier(8)));
    }

    function test_RevertWhen_VerifierAnswersAMegabyte() public {
        params.verifierGas = 12_000_000;
        _rejects(address(new OneMegabyteVerifier(8)));
    }

    function test_RevertWhen_VerifierRevertsWithAMegabyte() public {
        params.verifierGas = 12_000_000;
        _rejects(address(new OneMegabyteRevertingVerifier(8)));
    }

    function test_RevertWhen_VerifierAnswersNothing() public {
        _rejects(address(new SilentVerifier(8)));
    }

    function test_RevertWhen_VerifierLosesItsCode() public {
        address gone = address(new SilentVerifier(8));
        _marketWith(gone);
        vm.etch(gone, "");
        vm.expectRevert(IMarketLog.ProofRejected.selector);
        this.tryDeliver();
    }

    function test_RevertWhen_VerifierReenters() public {
        ReenteringVerifier hostile = new ReenteringVerifier(8);
        fund(address(hostile), 100);
        hostile.aim(address(market), abi.encodeCall(market.withdraw, (id, 100, address(hostile))));
        _rejects(address(hostile));
    }

    function test_verifierHasAllItsGasOrNothingIsDecided() public {
        _marketWith(address(new CostlyVerifier(8, params.verifierGas)));
        Delivery memory d = deliveryOf(1, 0);
        uint256 state = vm.snapshotState();
        (uint256 delivered, uint256 refused) = (0, 0);
        uint256 needed = uint256(params.verifierGas) * 64 / 63;
        for (uint256 gas_ = needed - 10_000; gas_ < needed + 200_000; gas_ += 500) {
            try market.deliver{gas: gas_}(id, d) {
                ++delivered;
                vm.revertToState(state);
            } catch (bytes memory reason) {
                ++refused;
                assertEq(bytes4(reason), IMarketLog.InsufficientGas.selector);
            }
        }
        assertGt(delivered, 0);
        assertGt(refused, 0);
    }

    function test_hostileVerifierLeavesOtherMarketsAlone() public {
        MarketId good = id;
        fund(alice, 100);
        _rejects(address(new BurningVerifier(8)));
        id = good;
        assertEq(available(alice), 100);
        vm.prank(alice);
        assertEq(market.withdraw(id, 100, alice), 100 * TICK);
    }

    function tryDeliver() external {
        deliver(1, 0);
    }
}
