// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IProofVerifier} from "../../../contracts/interfaces/IProofVerifier.sol";
import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {Takeover} from "../../../contracts/types/Takeover.sol";
import {Delivery, Task, TaskStatus} from "../../../contracts/types/Task.sol";
import {toCircuitId} from "../../../contracts/types/CircuitId.sol";
import {MarketTest} from "../support/MarketTest.sol";

/// @dev In every test round 1 has one winner of 8 units, bid 0 of Alice, on Paul's seat 0; user price 12, prover price 9.
contract TaskBookTest is MarketTest {
    uint256 private constant SIZE = 8;
    uint256 private constant PAYMENT = 9 * SIZE;
    uint256 private constant COLLATERAL = PER_UNIT * SIZE;
    uint256 private constant BOUNTY = COLLATERAL / 2;
    uint256 private constant COMPENSATION = COLLATERAL * 3 / 10;
    uint256 private constant SPREAD = (12 - 9) * SIZE;

    function setUp() public override {
        super.setUp();
        tells = true;
        _makeRound();
    }

    function _makeRound() private {
        seat(paul, 10, 6);
        seat(quentin, 24, 9);
        seat(rita, 24, 15);
        seat(steve, 24, 16);
        open(1);
        fundedBid(alice, 20, 8);
        fundedBid(bob, 12, 8);
        open(2);
        settle(1);
        assertEq(market.outcomeOf(id, 1).units(), SIZE);
        assertEq(available(alice), 8 * SIZE);
    }

    function _status(TaskStatus expected) private view {
        assertEq(uint256(market.taskStatus(id, 1, 0)), uint256(expected));
    }

    // ------------------------------------------------------------------------------------------------ delivery

    function test_deliveryPaysTheAssignedProverWhoeverCalls() public {
        _status(TaskStatus.Assigned);
        vm.expectEmit(address(market));
        emit IMarketLog.TaskDelivered(id, 1, 0, 0, PAYMENT, 0, 0);
        deliver(1, 0);
        assertEq(available(paul), PAYMENT);
        assertEq(market.surplusOf(id), SPREAD);
        assertEq(free(0), 17);
        _status(TaskStatus.Delivered);
    }

    function test_deliveryIsInTimeUntilTheLastSecondBeforeItsDeadline() public {
        vm.warp(proveBy(1) - 1);
        _status(TaskStatus.Assigned);
        deliver(1, 0);
    }

    function test_RevertWhen_DeliveryIsLate() public {
        for (uint256 late; late < 2; ++late) {
            vm.warp(proveBy(1) + late);
            _status(TaskStatus.Defaulted);
            vm.expectRevert(abi.encodeWithSelector(IMarketLog.TaskInDefault.selector, 1, 0, proveBy(1)));
            this.tryDeliver(1, 0);
        }
    }

    function test_RevertWhen_TaskEnded() public {
        deliver(1, 0);
        bytes memory ended = abi.encodeWithSelector(IMarketLog.TaskEnded.selector, 1, 0);
        vm.expectRevert(ended);
        this.tryDeliver(1, 0);
        vm.warp(proveBy(1));
        vm.expectRevert(ended);
        this.tryTakeOver(1, 0, 1);
        vm.warp(finalAt(1));
        vm.expectRevert(ended);
        this.tryExpire(1, 0);
        _status(TaskStatus.Delivered);
    }

    function test_RevertWhen_TaskIsNotInTheRound() public {
        Delivery memory good = deliveryOf(1, 0);
        for (uint256 field; field < 12; ++field) {
            Delivery memory d = abi.decode(abi.encode(good), (Delivery));
            Task memory task = d.task;
            if (field == 0) task.round = 2;
            if (field == 1) task.index = 1;
            if (field == 2) task.seat = 1;
            if (field == 3) task.fee += 1;
            if (field == 4) task.size = 7;
            if (field == 5) task.requester = bob;
            if (field == 6) task.statements = ~task.statements;
            if (field == 7) task.position = 1;
            if (field == 8) task.lot ^= 1;
            if (field == 9) task.lot ^= 1 << 15;
            if (field == 10) d.path = new bytes32[](1);
            if (field == 11) task.index = 2 ** 24;
            vm.expectRevert(abi.encodeWithSelector(IMarketLog.UnknownTask.selector, task.round, task.index));
            market.deliver(id, d);
        }
    }

    function test_RevertWhen_LoserIsDelivered() public {
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.UnknownTask.selector, 1, 1));
        this.tryDeliver(1, 1);
    }

    function test_RevertWhen_StatementOrProofIsWrong() public {
        Delivery memory good = deliveryOf(1, 0);
        for (uint256 field; field < 6; ++field) {
            Delivery memory d = abi.decode(abi.encode(good), (Delivery));
            if (field == 0) d.publicInputs[0] += 1;
            if (field == 1) d.publicInputs = new uint256[](3);
            if (field == 2) d.circuit = toCircuitId(7, 8);
            if (field == 3) d.circuit = circuitOf(7);
            if (field == 4) d.dataHash = ~d.dataHash;
            if (field == 5) d.statementPath = new bytes32[](1);
            d.proof = verifier.proofOf(d.circuit, d.publicInputs);
            vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongStatement.selector, 1, 0));
            market.deliver(id, d);
        }
        good.proof[0] ^= 0x01;
        vm.expectRevert(IMarketLog.ProofRejected.selector);
        market.deliver(id, good);
        good.proof[0] ^= 0x01;
        market.deliver(id, good);
    }

    function testFuzz_tooLittleGasIsNeverARejectedProof(uint256 gas_) public {
        bytes memory call = abi.encodeCall(market.deliver, (id, deliveryOf(1, 0)));
        gas_ = bound(gas_, 30_000, 700_000);
        (bool ok, bytes memory reason) = address(market).call{gas: gas_}(call);
        if (ok) {
            _status(TaskStatus.Delivered);
        } else {
            assertTrue(reason.length == 0 || bytes4(reason) == IMarketLog.InsufficientGas.selector);
            _status(TaskStatus.Assigned);
        }
        assertTrue(ok || gas_ < 450_000);
    }

    function test_RevertWhen_GasIsTooLittleToTell() public {
        Delivery memory d = deliveryOf(1, 0);
        d.proof = "bad";
        bytes memory call = abi.encodeCall(market.deliver, (id, d));
        (bool ok, bytes memory reason) = address(market).call{gas: 300_000}(call);
        assertFalse(ok);
        assertEq(bytes4(reason), IMarketLog.InsufficientGas.selector);
        (ok, reason) = address(market).call{gas: 500_000}(call);
        assertEq(bytes4(reason), IMarketLog.ProofRejected.selector);
    }

    // ----------------------------------------------------------------------------------------------- takeovers

    function test_takeoverPaysBountyAndCompensationOutOfTheDefaultersCollateral() public {
        vm.warp(proveBy(1));
        vm.expectEmit(address(market));
        emit IMarketLog.TaskTakenOver(id, 1, 0, 1, proveBy(1) + 50);
        assertEq(takeOver(1, 0, 1), proveBy(1) + 50);
        _status(TaskStatus.Assigned);
        assertEq(free(1), 31 - SIZE);
        assertEq(market.takeoverOf(id, 1, 0).count(), 1);
        vm.warp(proveBy(1) + 49);
        vm.expectEmit(address(market));
        emit IMarketLog.SeatSlashed(id, 0, SIZE, COLLATERAL, 0);
        vm.expectEmit(address(market));
        emit IMarketLog.TaskDelivered(id, 1, 0, 1, PAYMENT, BOUNTY, COMPENSATION);
        deliver(1, 0);
        assertEq(available(quentin), PAYMENT + BOUNTY);
        assertEq(available(alice), 8 * SIZE + COMPENSATION);
        assertEq(market.surplusOf(id), SPREAD + COLLATERAL - BOUNTY - COMPENSATION);
        assertEq(available(paul), 0);
        assertEq(capacity(0), 17 - SIZE);
        assertEq(free(0), 17 - SIZE);
        assertEq(free(1), 31);
    }

    function test_takeoversChainUpToTheirLimitAndEachDefaulterPays() public {
        vm.warp(proveBy(1));
        takeOver(1, 0, 1);
        vm.warp(proveBy(1) + 49);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.TaskNotInDefault.selector, 1, 0, proveBy(1) + 50));
        this.tryTakeOver(1, 0, 2);
        vm.warp(proveBy(1) + 50);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.TaskInDefault.selector, 1, 0, proveBy(1) + 50));
        this.tryDeliver(1, 0);
        assertEq(takeOver(1, 0, 2), finalAt(1));
        vm.warp(finalAt(1) - 1);
        deliver(1, 0);
        assertEq(available(rita), PAYMENT + 2 * BOUNTY);
        assertEq(available(alice), 8 * SIZE + 2 * COMPENSATION);
        assertEq(market.surplusOf(id), SPREAD + 2 * (COLLATERAL - BOUNTY - COMPENSATION));
        assertEq(capacity(0), 17 - SIZE);
        assertEq(capacity(1), 31 - SIZE);
        assertEq(capacity(2), 31);
    }

    function test_lateTakeoverEndsAtTheFinalDeadline() public {
        vm.warp(finalAt(1) - 1);
        assertEq(takeOver(1, 0, 1), finalAt(1));
        deliver(1, 0);
    }

    function test_RevertWhen_TaskIsNotInDefaultYet() public {
        vm.warp(proveBy(1) - 1);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.TaskNotInDefault.selector, 1, 0, proveBy(1)));
        this.tryTakeOver(1, 0, 1);
    }

    function test_RevertWhen_FinalDeadlinePassed() public {
        vm.warp(finalAt(1));
        _status(TaskStatus.Expirable);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.TaskNotTakeable.selector, 1, 0, finalAt(1)));
        this.tryTakeOver(1, 0, 1);
    }

    function test_RevertWhen_NoTakeoverIsLeft() public {
        params.maxTakeovers = 1;
        params.takeoverPeriod = 100;
        id = market.createMarket(params);
        vm.warp(openAt(5));
        seat(paul, 10, 6);
        seat(quentin, 24, 9);
        seat(rita, 24, 15);
        open(6);
        fundedBid(alice, 20, 8);
        fundedBid(bob, 12, 8);
        open(7);
        settle(6);
        vm.warp(proveBy(6));
        takeOver(6, 0, 1);
        vm.warp(proveBy(6) + 100);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.TaskNotTakeable.selector, 6, 0, finalAt(6)));
        this.tryTakeOver(6, 0, 2);
    }

    function test_RevertWhen_SeatHeldTheTaskBefore() public {
        vm.warp(proveBy(1));
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.HeldBefore.selector, 0));
        this.tryTakeOver(1, 0, 0);
        takeOver(1, 0, 1);
        vm.warp(proveBy(1) + 50);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.HeldBefore.selector, 1));
        this.tryTakeOver(1, 0, 1);
    }

    function test_RevertWhen_TakerDoesNotOwnTheSeat() public {
        vm.warp(proveBy(1));
        (Task memory task, bytes32[] memory path) = taskOf(1, 0);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.NotSeatOwner.selector, 1, alice));
        vm.prank(alice);
        market.takeOver(id, task, path, 1);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.NotSeatOwner.selector, 99, alice));
        vm.prank(alice);
        market.takeOver(id, task, path, 99);
    }

    function test_RevertWhen_CapacityIsOfferedToAnUnsettledRound() public {
        // The round whose settlement is open when the task defaults.
        uint256 round = (proveBy(1) - params.genesis) / params.biddingPeriod - 1;
        open(round);
        fundedBid(bob, 30, 8);
        open(round + 1);
        vm.warp(proveBy(1));
        assertLt(block.timestamp, settleBy(round));
        bytes memory taken = abi.encodeWithSelector(IMarketLog.CapacityTaken.selector, 0, SIZE);
        vm.expectRevert(taken);
        this.tryTakeOver(1, 0, 1);
        // A seat whose ask does not count for that round is free to take it.
        uint256 fresh = seat(carol, 10, 3);
        takeOver(1, 0, fresh);
        // So is a seat once the round is settled.
        settle(round);
        vm.warp(proveBy(1) + 50);
        takeOver(1, 0, 1);
    }

    /// @dev What the closed round may win is what was free at its close; a task delivered since then has made room beside it.
    function test_capacityFreedAfterACloseIsFreeForTakeovers() public {
        params.sink = steve;
        id = market.createMarket(params);
        vm.warp(params.genesis);
        seat(paul, 10, 6);
        seat(quentin, 10, 7);
        seat(rita, 24, 9);
        open(1);
        fundedBid(alice, 20, 8);
        fundedBid(bob, 20, 8);
        fundedBid(carol, 12, 8);
        open(2);
        settle(1);
        assertEq(market.outcomeOf(id, 1).units(), 2 * SIZE);
        uint256 pauls = cleared(1).seatOf[0] == 0 ? 0 : 1;
        uint256 round = (proveBy(1) - params.genesis) / params.biddingPeriod - 1;
        open(round);
        fundedBid(bob, 30, 8);
        open(round + 1);
        deliver(1, uint32(pauls));
        vm.warp(proveBy(1));
        assertLt(block.timestamp, settleBy(round));
        takeOver(1, uint32(1 - pauls), 0);
        bytes32 before = keccak256(abi.encode(cleared(round)));
        assertEq(keccak256(abi.encode(settle(round))), before);
    }

    function test_takeoverAndDeliveryAfterCloseChangeNothingInTheRound() public {
        uint256 round = (proveBy(1) - params.genesis) / params.biddingPeriod - 1;
        open(round);
        fundedBid(bob, 30, 8);
        fundedBid(alice, 29, 8);
        fundedBid(alice, 28, 8);
        uint256 fresh = seat(carol, 10, 3);
        open(round + 1);
        bytes32 before = keccak256(abi.encode(cleared(round)));
        vm.warp(proveBy(1));
        takeOver(1, 0, fresh);
        deliver(1, 0); // slashes Paul: units of his are free in no round
        assertEq(keccak256(abi.encode(settle(round))), before);
    }

    function test_RevertWhen_FreeCapacityIsTooSmall() public {
        vm.warp(openAt(4));
        for (uint256 i; i < 3; ++i) {
            fundedBid(alice, uint64(30 - i), 8); // fill Quentin's seat
        }
        fundedBid(alice, 27, 8);
        open(5);
        settle(4);
        uint256 left = free(1);
        assertLt(left, SIZE);
        vm.warp(proveBy(1));
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.CapacityTaken.selector, left, SIZE));
        this.tryTakeOver(1, 0, 1);
    }

    // -------------------------------------------------------------------------------------------------- expiry

    function test_expiryRefundsAllButThePenaltyAndFinesTheProverTheSame() public {
        uint256 payment = 12 * SIZE;
        uint256 penalty = payment / 10;
        vm.warp(finalAt(1) - 1);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.TaskNotExpirable.selector, 1, 0, finalAt(1)));
        this.tryExpire(1, 0);
        vm.warp(finalAt(1));
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.TaskInDefault.selector, 1, 0, proveBy(1)));
        this.tryDeliver(1, 0);
        vm.expectEmit(address(market));
        emit IMarketLog.SeatSlashed(id, 0, 1, penalty, PER_UNIT - penalty);
        vm.expectEmit(address(market));
        emit IMarketLog.TaskExpired(id, 1, 0, payment - penalty);
        expire(1, 0);
        assertEq(available(alice), 8 * SIZE + payment - penalty);
        assertEq(available(paul), PER_UNIT - penalty);
        assertEq(market.surplusOf(id), 2 * penalty);
        assertEq(capacity(0), 16);
        assertEq(free(0), 16);
        _status(TaskStatus.Expired);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.TaskEnded.selector, 1, 0));
        this.tryExpire(1, 0);
    }

    function test_expiryFinesEveryHolder() public {
        uint256 penalty = 12 * SIZE / 10;
        vm.warp(proveBy(1));
        takeOver(1, 0, 1);
        vm.warp(proveBy(1) + 50);
        takeOver(1, 0, 2);
        vm.warp(finalAt(1) + 1);
        expire(1, 0);
        assertEq(available(paul) + available(quentin) + available(rita), 3 * (PER_UNIT - penalty));
        assertEq(market.surplusOf(id), 4 * penalty);
        assertEq(free(1), 30);
        assertEq(capacity(2), 30);
    }

    function test_marketWithoutCollateralExpiresWithoutPenalty() public {
        params.collateralPerUnit = 0;
        vm.warp(params.genesis);
        id = market.createMarket(params);
        _makeRound();
        vm.warp(proveBy(1));
        takeOver(1, 0, 1);
        vm.warp(finalAt(1));
        expire(1, 0);
        assertEq(available(alice), 8 * SIZE + 12 * SIZE);
        assertEq(market.surplusOf(id), 0);
        assertEq(free(0), 17);
    }

    function testFuzz_slashSplitsToTheTick(
        uint64 perUnit,
        uint16 bountyBps,
        uint16 compensationBps,
        uint16 penaltyBps
    ) public {
        params.collateralPerUnit = uint64(bound(perUnit, 0, type(uint64).max >> 8));
        params.bountyBps = uint16(bound(bountyBps, 0, 10_000));
        params.compensationBps = uint16(bound(compensationBps, 0, 10_000 - params.bountyBps));
        params.penaltyBps = uint16(bound(penaltyBps, 0, 10_000));
        vm.warp(params.genesis);
        params.sink = bob;
        id = market.createMarket(params);
        _makeRound();
        uint256 snapshot = vm.snapshotState();
        uint256 collateral = uint256(params.collateralPerUnit) * SIZE;
        vm.warp(proveBy(1));
        takeOver(1, 0, 1);
        deliver(1, 0);
        uint256 bounty = collateral * params.bountyBps / 10_000;
        uint256 compensation = collateral * params.compensationBps / 10_000;
        assertEq(available(quentin), PAYMENT + bounty);
        assertEq(available(alice), 8 * SIZE + compensation);
        assertEq(market.surplusOf(id), SPREAD + collateral - bounty - compensation);
        vm.revertToState(snapshot);
        vm.warp(finalAt(1));
        expire(1, 0);
        uint256 atStake = collateral < 12 * SIZE ? collateral : 12 * SIZE;
        uint256 penalty = atStake * params.penaltyBps / 10_000;
        assertEq(available(alice), 20 * SIZE - penalty);
        assertEq(market.surplusOf(id), 2 * penalty);
        assertEq(
            capacity(0) * params.collateralPerUnit + available(paul) + penalty,
            17 * uint256(params.collateralPerUnit)
        );
    }

    function test_eachTaskOfARoundEndsForItself() public {
        vm.warp(openAt(4));
        fundedBid(alice, 30, 1);
        fundedBid(alice, 29, 2);
        fundedBid(alice, 28, 3);
        fundedBid(alice, 27, 8);
        fundedBid(alice, 26, 8);
        fundedBid(alice, 25, 8);
        open(5);
        settle(4);
        deliver(4, 1);
        assertEq(uint256(market.taskStatus(id, 4, 0)), uint256(TaskStatus.Assigned));
        assertEq(uint256(market.taskStatus(id, 4, 1)), uint256(TaskStatus.Delivered));
        assertEq(uint256(market.taskStatus(id, 4, 2)), uint256(TaskStatus.Assigned));
        deliver(4, 0);
        deliver(4, 2);
    }

    function tryDeliver(uint256 round, uint256 index) external {
        deliver(round, index);
    }

    function tryTakeOver(uint256 round, uint256 index, uint256 seat_) external {
        takeOver(round, index, seat_);
    }

    function tryExpire(uint256 round, uint256 index) external {
        expire(round, index);
    }
}
