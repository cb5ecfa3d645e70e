// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {Bn254} from "../../../contracts/libraries/Bn254.sol";
import {BatchedTask, DeliveryBatch, DeliveryHead} from "../../../contracts/types/Delivery.sol";
import {Delivery, TaskStatus} from "../../../contracts/types/Task.sol";
import {Mechanism} from "../../../contracts/types/MarketParams.sol";
import {BatchMarketTest} from "../support/BatchMarketTest.sol";

/// @notice Batches with real proofs, in the round that `makeRound` describes.
contract BatchBookTest is BatchMarketTest {
    uint256 private constant BIDS = 9;
    uint256 private constant PAYMENT = 9 * UNITS;
    uint256 private constant SPREAD = (20 - 9) * UNITS;

    function setUp() public override {
        super.setUp();
        tells = true;
        makeRound(BIDS);
    }

    function _refuses(uint256 index, bytes4 reason) private {
        vm.expectEmit(address(market));
        emit IMarketLog.DeliveryRefused(id, 1, index, reason);
    }

    function _rejects(DeliveryBatch memory batch, bytes4 reason) private {
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.NothingDelivered.selector, reason));
        market.deliverBatch(id, batch);
    }

    function _isDelivered(uint256 index) private view returns (bool) {
        return market.taskStatus(id, 1, index) == TaskStatus.Delivered;
    }

    /// @dev Everything that a delivery changes, in numbers.
    function _assertPaid(uint256 count) private view {
        assertEq(available(paul), count * PAYMENT);
        assertEq(market.surplusOf(id), count * SPREAD);
        assertEq(free(0), (BIDS + 2) * UNITS + 63 - (BIDS + 2 - count) * UNITS);
    }

    function _spoilProof(DeliveryBatch memory batch, uint256 k) private pure {
        batch.proofs[256 * k + 255] ^= 0x01;
    }

    /// @dev Replaces a part of the head.
    function _setHead(DeliveryBatch memory batch, uint256 k, uint256 mask, uint256 part) private pure {
        uint256 head = DeliveryHead.unwrap(batch.deliveries[k].head);
        batch.deliveries[k].head = DeliveryHead.wrap((head & ~mask) | part);
    }

    function _list(uint256 a, uint256 b, uint256 c) private pure returns (uint256[] memory list) {
        list = new uint256[](3);
        (list[0], list[1], list[2]) = (a, b, c);
    }

    // ------------------------------------------------------------------------------------------------- all is well

    function test_batchPaysEachTaskToItsSeatWhoeverSends() public {
        uint256[] memory tasks = new uint256[](BIDS);
        for (uint256 i; i < BIDS; ++i) {
            tasks[i] = i << 8;
        }
        vm.expectEmit(address(market));
        emit IMarketLog.TasksDelivered(id, 1, PAYMENT, tasks);
        assertEq(deliverBatch(batchOf(1, firstBids(BIDS))), ones(BIDS));
        _assertPaid(BIDS);
        assertEq(available(relayer), BIDS * FEE + 3 * FEE);
        for (uint256 i; i < BIDS; ++i) {
            assertTrue(_isDelivered(i));
        }
        assertFalse(_isDelivered(BIDS));
    }

    function test_batchOfAnySizeDoesWhatSingleDeliveriesDo() public {
        uint256 state = vm.snapshotState();
        for (uint256 n = 1; n <= BIDS; ++n) {
            assertEq(deliverBatch(batchOf(1, firstBids(n))), ones(n));
            uint256[4] memory together = [available(paul), market.surplusOf(id), free(0), available(alice)];
            vm.revertToState(state);
            for (uint256 i; i < n; ++i) {
                deliverBid(1, i, readBatchCase(i));
            }
            assertEq(available(paul), together[0]);
            assertEq(market.surplusOf(id), together[1]);
            assertEq(free(0), together[2]);
            assertEq(available(alice), together[3]);
            _assertPaid(n);
            vm.revertToState(state);
        }
    }

    function test_deliveriesInAnyOrderArePaid() public {
        assertEq(deliverBatch(batchOf(1, _list(7, 0, 3))), 7);
        assertEq(deliverBatch(batchOf(1, _list(8, 1, 2))), 7);
        _assertPaid(6);
    }

    function test_malleatedProofOfADeliveredTaskIsNotPaidAgain() public {
        deliverBid(1, 0, readBatchCase(0));
        DeliveryBatch memory batch = batchOf(1, _list(0, 1, 2));
        bytes memory twin = caseOf(0);
        // (-A, -B, C)
        twin = withWord(twin, 1, Bn254.P - wordAt(twin, 1));
        twin = withWord(withWord(twin, 4, Bn254.P - wordAt(twin, 4)), 5, Bn254.P - wordAt(twin, 5));
        batch.proofs = bytes.concat(twin, caseOf(1), caseOf(2));
        _refuses(0, IMarketLog.TaskEnded.selector);
        assertEq(deliverBatch(batch), 6);
        _assertPaid(3);
    }

    // ------------------------------------------------------------------------------------------- one is refused

    function test_badProofIsRefusedWhereverItIsAndTheRestIsPaid() public {
        uint256 state = vm.snapshotState();
        for (uint256 bad; bad < BIDS; ++bad) {
            DeliveryBatch memory batch = batchOf(1, firstBids(BIDS));
            _spoilProof(batch, bad);
            _refuses(bad, IMarketLog.ProofRejected.selector);
            assertEq(deliverBatch(batch), ones(BIDS) ^ (1 << bad));
            _assertPaid(BIDS - 1);
            assertFalse(_isDelivered(bad));
            // It can still be delivered.
            deliverBid(1, bad, readBatchCase(bad));
            vm.revertToState(state);
        }
    }

    function test_eachIsRefusedForItsOwnReason() public {
        deliverBid(1, 2, readBatchCase(2));
        DeliveryBatch memory batch = batchOf(1, firstBids(4));
        _spoilProof(batch, 1);
        _setHead(batch, 3, 0xff << 24, 1 << 24);
        vm.expectEmit(address(market));
        emit IMarketLog.TasksDelivered(id, 1, PAYMENT, new uint256[](1)); // bid 0 by seat 0
        _refuses(1, IMarketLog.ProofRejected.selector);
        _refuses(2, IMarketLog.TaskEnded.selector);
        _refuses(3, IMarketLog.UnknownTask.selector);
        assertEq(deliverBatch(batch), 1);
        _assertPaid(2);
    }

    function test_unknownTaskIsRefusedWhateverItPretendsToBe() public {
        uint256 state = vm.snapshotState();
        for (uint256 field; field < 10; ++field) {
            DeliveryBatch memory batch = batchOf(1, _list(0, 1, 2));
            uint256 named = 1;
            // Index, fee, seat, path length, anchor.
            if (field == 0) (named,) = (4, _change(batch, 0xffffffff << 96, 4 << 96));
            if (field == 1) _setHead(batch, 1, 0xffff << 32, 61 << 32);
            if (field == 2) _setHead(batch, 1, 0xff << 24, 1 << 24);
            if (field == 3) _setHead(batch, 1, 0xff << 16, 200 << 16);
            if (field == 4) _setHead(batch, 1, 0xffff, 0xffff);
            if (field == 5) batch.deliveries[1].requester = bob;
            if (field == 6) batch.deliveries[1].dataHash = ~batch.deliveries[1].dataHash;
            if (field == 7) batch.publicInputs[2] ^= 1;
            // The entry's bids, and the number of this one among them.
            if (field == 8) _setHead(batch, 1, 0, 1 << 152);
            if (field == 9) _setHead(batch, 1, 0, 1 << 136);
            _refuses(named, IMarketLog.UnknownTask.selector);
            uint256 delivered = deliverBatch(batch);
            // With a wrong path length the nodes of what follows are others.
            assertEq(delivered, field == 3 ? 1 : 5);
            _assertPaid(field == 3 ? 1 : 2);
            vm.revertToState(state);
        }
    }

    function _change(DeliveryBatch memory batch, uint256 mask, uint256 part) private pure returns (bool) {
        _setHead(batch, 1, mask, part);
        return true;
    }

    function test_taskTwiceInABatchIsPaidOnce() public {
        _refuses(1, IMarketLog.TaskEnded.selector);
        assertEq(deliverBatch(batchOf(1, _list(1, 0, 1))), 3);
        _assertPaid(2);
    }

    function test_taskIsPaidIfOnlyItsSecondProofIsGood() public {
        DeliveryBatch memory batch = batchOf(1, _list(1, 0, 1));
        _spoilProof(batch, 0);
        _refuses(1, IMarketLog.ProofRejected.selector);
        assertEq(deliverBatch(batch), 6);
        _assertPaid(2);
    }

    function test_endedTaskIsRefusedAndNotVerified() public {
        deliverBid(1, 2, readBatchCase(2));
        DeliveryBatch memory batch = batchOf(1, firstBids(5));
        // Were it verified, its bad proof would be what is reported.
        _spoilProof(batch, 2);
        _refuses(2, IMarketLog.TaskEnded.selector);
        assertEq(deliverBatch(batch), 27);
        _assertPaid(5);
    }

    /// @dev The third's path ends at a node of the first's, and so is not known either.
    function test_swappedStatementsAreOfNoTask() public {
        DeliveryBatch memory batch = batchOf(1, _list(0, 1, 2));
        (batch.publicInputs[0], batch.publicInputs[2]) = (batch.publicInputs[2], batch.publicInputs[0]);
        (batch.publicInputs[1], batch.publicInputs[3]) = (batch.publicInputs[3], batch.publicInputs[1]);
        _rejects(batch, IMarketLog.UnknownTask.selector);
    }

    function test_swappedProofsAreRejected() public {
        DeliveryBatch memory batch = batchOf(1, _list(0, 1, 2));
        batch.proofs = bytes.concat(caseOf(1), caseOf(0), caseOf(2));
        _refuses(0, IMarketLog.ProofRejected.selector);
        _refuses(1, IMarketLog.ProofRejected.selector);
        assertEq(deliverBatch(batch), 4);
        _assertPaid(1);
    }

    // ----------------------------------------------------------------------------------------------------- paths

    /// @dev A node counts only once it has been shown to be in the tree: here the first path is invented, and the second task,
    /// invented too, ends at it.
    function test_nodesOfAnUnknownTaskAreNoAnchors() public {
        DeliveryBatch memory batch = batchOf(1, _list(0, 1, 2));
        batch.deliveries[1].requester = bob;
        Posted memory p = posted(1, 1);
        p.requester = bob;
        batch.nodes[0] = keccak256(abi.encode(wordOf(p), 1, 0));
        Delivery memory d = deliveryOf(1, 1);
        batch.deliveries[1].head = headOf(d, 0, 1);
        _rejects(batch, IMarketLog.UnknownTask.selector);
    }

    function test_noTaskHasItselfOrOneBeyondTheLastForAnAnchor() public {
        uint256 state = vm.snapshotState();
        for (uint16 k = 2; k < 5; ++k) {
            DeliveryBatch memory batch = batchOf(1, _list(0, 1, 2));
            batch.deliveries[2].head = headOf(deliveryOf(1, 2), 0, 0xff00 + k);
            _refuses(2, IMarketLog.UnknownTask.selector);
            assertEq(deliverBatch(batch), 3);
            vm.revertToState(state);
        }
    }

    function test_pathMayEndAtTheRootEachTime() public {
        DeliveryBatch memory batch = batchOf(1, _list(0, 1, 2));
        DeliveryBatch memory second = batchOf(1, _list(1, 0, 2));
        // The second of the batch with the whole path that it has as the first of another.
        uint256 first = batch.deliveries[0].head.pathLength();
        uint256 own = second.deliveries[0].head.pathLength();
        bytes32[] memory nodes = new bytes32[](first + own);
        for (uint256 i; i < nodes.length; ++i) {
            nodes[i] = i < first ? batch.nodes[i] : second.nodes[i - first];
        }
        batch.nodes = nodes;
        batch.deliveries[1].head = second.deliveries[0].head;
        assertEq(deliverBatch(batch) & 3, 3);
    }

    function test_batchOfTheWholeRoundTakesOneNodeForEachTaskButOne() public view {
        DeliveryBatch memory batch = batchOf(1, firstBids(BIDS));
        assertLe(batch.nodes.length, BIDS + 2);
    }

    // ------------------------------------------------------------------------------------------------- deadlines

    function test_batchIsInTimeUntilTheLastSecond() public {
        vm.warp(proveBy(1) - 1);
        assertEq(deliverBatch(batchOf(1, _list(0, 1, 2))), 7);
    }

    function test_tasksInDefaultAreRefusedAndATakersIsPaidWithItsBounty() public {
        vm.warp(proveBy(1));
        DeliveryBatch memory batch = batchOf(1, _list(0, 1, 2));
        _rejects(batch, IMarketLog.TaskInDefault.selector);
        takeOver(1, 1, 1);
        uint256 collateral = PER_UNIT * UNITS;
        _refuses(0, IMarketLog.TaskInDefault.selector);
        _refuses(2, IMarketLog.TaskInDefault.selector);
        uint256 before = vm.snapshotState();
        assertEq(deliverBatch(batch), 2);
        assertEq(available(quentin), PAYMENT + collateral / 2);
        assertEq(available(paul), 0);
        assertEq(market.surplusOf(id), SPREAD + collateral / 5);
        uint256 compensated = available(alice);
        vm.revertToState(before);
        deliverBid(1, 1, readBatchCase(1));
        assertEq(available(quentin), PAYMENT + collateral / 2);
        assertEq(available(alice), compensated);
        // The taker's own deadline counts.
        vm.revertToState(before);
        vm.warp(proveBy(1) + params.takeoverPeriod - 1);
        assertEq(deliverBatch(batch), 2);
        vm.revertToState(before);
        vm.warp(proveBy(1) + params.takeoverPeriod);
        _rejects(batch, IMarketLog.TaskInDefault.selector);
    }

    function test_takenTaskTwiceInABatchIsPaidOnce() public {
        vm.warp(proveBy(1));
        takeOver(1, 1, 1);
        vm.expectEmit(address(market));
        emit IMarketLog.TaskDelivered(id, 1, 1, 1, PAYMENT, PER_UNIT * UNITS / 2, PER_UNIT * UNITS * 3 / 10);
        _refuses(1, IMarketLog.TaskEnded.selector);
        DeliveryBatch memory batch = batchOf(1, _list(1, 1, 1));
        assertEq(deliverBatch(batch), 1);
        assertEq(available(quentin), PAYMENT + PER_UNIT * UNITS / 2);
    }

    // ----------------------------------------------------------------------------------------------------- limits

    function test_RevertWhen_BatchIsEmptyOrTooLong() public {
        DeliveryBatch memory batch = batchOf(1, _list(0, 1, 2));
        batch.deliveries = new BatchedTask[](0);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongNumberOfDeliveries.selector, 0, 256));
        market.deliverBatch(id, batch);
        batch.deliveries = new BatchedTask[](257);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.WrongNumberOfDeliveries.selector, 257, 256));
        market.deliverBatch(id, batch);
        batch.deliveries = new BatchedTask[](256);
        (batch.publicInputs, batch.proofs) = (new uint256[](0), "");
        _rejects(batch, IMarketLog.UnknownTask.selector);
    }

    function test_RevertWhen_StatementsOrProofsAreNotAMultiple() public {
        DeliveryBatch memory batch = batchOf(1, _list(0, 1, 2));
        bytes memory proofs = batch.proofs;
        batch.proofs = bytes.concat(proofs, hex"00");
        vm.expectRevert(IMarketLog.UnevenBatch.selector);
        market.deliverBatch(id, batch);
        batch.proofs = proofs;
        batch.publicInputs = new uint256[](7);
        vm.expectRevert(IMarketLog.UnevenBatch.selector);
        market.deliverBatch(id, batch);
    }

    function test_RevertWhen_NothingIsDelivered() public {
        DeliveryBatch memory batch = batchOf(1, _list(0, 1, 2));
        for (uint256 k; k < 3; ++k) {
            _spoilProof(batch, k);
        }
        _rejects(batch, IMarketLog.ProofRejected.selector);
    }

    function test_RevertWhen_RoundIsUnsettledOrTheMarketUnknown() public {
        DeliveryBatch memory batch = batchOf(1, _list(0, 1, 2));
        batch.round = 2;
        _rejects(batch, IMarketLog.UnknownTask.selector);
        batch.round = 1;
        params.sink = alice;
        id = market.createMarket(params);
        _rejects(batch, IMarketLog.UnknownTask.selector);
    }

    /// @dev Never is a good proof refused for want of gas.
    function testFuzz_tooLittleGasIsNeverARefusal(uint256 gas_) public {
        bytes memory call = abi.encodeCall(market.deliverBatch, (id, batchOf(1, _list(0, 1, 2))));
        gas_ = bound(gas_, 30_000, 2_500_000);
        (bool ok, bytes memory answer) = address(market).call{gas: gas_}(call);
        if (ok) {
            assertEq(abi.decode(answer, (uint256)), 7);
        } else {
            assertTrue(answer.length == 0 || bytes4(answer) == IMarketLog.InsufficientGas.selector);
            _assertPaid(0);
        }
        assertTrue(ok || gas_ < 1_700_000);
    }
}

/// @notice The same where requesters pay their own bids.
contract BatchBookAverageFeeTest is BatchMarketTest {
    function setUp() public override {
        super.setUp();
        tells = true;
        params.mechanism = Mechanism.AverageFee;
        id = market.createMarket(params);
        makeRound(5);
    }

    function test_batchPaysWhatSingleDeliveriesPay() public {
        uint256 state = vm.snapshotState();
        assertEq(deliverBatch(batchOf(1, firstBids(5))), 31);
        (uint256 paid, uint256 surplus) = (available(paul) + available(quentin), market.surplusOf(id));
        assertGt(paid, 0);
        vm.revertToState(state);
        for (uint256 i; i < 5; ++i) {
            deliverBid(1, i, readBatchCase(i));
        }
        assertEq(available(paul) + available(quentin), paid);
        assertEq(market.surplusOf(id), surplus);
    }
}

/// @notice Batches of other rounds than those above.
contract OtherBatchesTest is BatchMarketTest {
    /// @dev Of tasks whose data were not published with their bids.
    function test_tasksThatWereNotToldAreDeliveredTogether() public {
        makeRound(3);
        assertEq(deliverBatch(batchOf(1, firstBids(3))), 7);
        assertEq(available(paul), 3 * 9 * UNITS);
    }

    /// @dev Who was assigned a task that was not told owes nothing for it, as in a delivery by itself.
    function test_defaultOfATaskThatWasNotToldCostsNothing() public {
        makeRound(3);
        vm.warp(proveBy(1));
        takeOver(1, 0, 1);
        uint256 collateral = capacity(0);
        uint256 state = vm.snapshotState();
        deliverBid(1, 0, readBatchCase(0));
        assertEq(capacity(0), collateral);
        uint256 alone = available(quentin);
        vm.revertToState(state);
        assertEq(deliverBatch(batchOf(1, firstBids(1))), 1);
        assertEq(capacity(0), collateral);
        assertEq(available(quentin), alone);
        assertEq(alone, 9 * UNITS);
    }

    /// @dev Endings of 128 tasks share a slot: those of bids 1 and 129 are at the same place of two slots.
    function test_endedTaskIsRefusedWhereverTheOthersAre() public {
        tells = true;
        makeRound(130);
        deliverBid(1, 1, readBatchCase(1));
        uint256[] memory tasks = new uint256[](4);
        (tasks[0], tasks[1], tasks[2], tasks[3]) = (1, 129, 0, 128);
        vm.expectEmit(address(market));
        emit IMarketLog.DeliveryRefused(id, 1, 1, IMarketLog.TaskEnded.selector);
        assertEq(deliverBatch(batchOf(1, tasks)), 14);
        assertEq(available(paul), 4 * 9 * UNITS);
        DeliveryBatch memory again = batchOf(1, tasks);
        vm.expectRevert(
            abi.encodeWithSelector(IMarketLog.NothingDelivered.selector, IMarketLog.TaskEnded.selector)
        );
        market.deliverBatch(id, again);
    }
}
