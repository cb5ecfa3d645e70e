// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Multicallable} from "solady/utils/Multicallable.sol";
import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {toCircuitId} from "../../../contracts/types/CircuitId.sol";
import {Statement} from "../../../contracts/types/Statement.sol";
import {Delivery, Task, TaskStatus} from "../../../contracts/types/Task.sol";
import {ClosedRoundTest} from "../support/ClosedRoundTest.sol";
import {SlowMerkle} from "../support/SlowMerkle.sol";

/// @notice What an entry asks proofs for: how it is told, and what a delivery has to show of it.
contract StatementsTest is ClosedRoundTest {
    function setUp() public override {
        super.setUp();
        tells = true;
    }

    /// @dev A lot of five tasks of Alice in round 1, all of which win on Paul's seat; prices 12 and 9.
    function _wonLot() private {
        seat(paul, 40, 6);
        seat(quentin, 40, 9);
        open(1);
        fundedLot(alice, 20, 4, 5);
        fundedLot(bob, 12, 8, 4);
        open(2);
        settle(1);
    }

    function _refusedAsStatement(Delivery memory d) private {
        vm.expectRevert(
            abi.encodeWithSelector(IMarketLog.WrongStatement.selector, d.task.round, d.task.index)
        );
        market.deliver(id, d);
    }

    function _refusedAsTask(Delivery memory d) private {
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.UnknownTask.selector, d.task.round, d.task.index));
        market.deliver(id, d);
    }

    // ---------------------------------------------------------------------------------------------- publishing

    function test_publishingTellsEverythingAndStoresNothing() public {
        Statement[] memory statements = statementsOf(newTasks(alice, 20, 4, 3));
        vm.record();
        vm.expectEmit(address(market));
        emit IMarketLog.StatementsPublished(id, alice, statements);
        vm.prank(steve); // anybody may
        market.publish(id, alice, statements);
        (bytes32[] memory reads, bytes32[] memory writes) = vm.accesses(address(market));
        assertEq(reads.length + writes.length, 0);
    }

    function test_multicallPublishesAndBidsInOneCall() public {
        fundedBid(bob, 10, 1);
        Posted memory p = newTask(alice, 20, 4);
        fund(alice, 80 + FEE);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(market.publish, (id, alice, statementsOf(p)));
        calls[1] = abi.encodeCall(market.submitOneBid, (id, wordOf(p)));
        vm.expectEmit(address(market));
        emit IMarketLog.StatementsPublished(id, alice, statementsOf(p));
        vm.expectEmit(address(market));
        emit IMarketLog.BidSubmitted(id, (uint256(uint160(alice)) << 64) | 1, wordOf(p));
        vm.prank(alice);
        bytes[] memory answers = Multicallable(address(market)).multicall(calls);
        (uint256 round, uint256 index) = abi.decode(answers[1], (uint256, uint256));
        assertEq(round, 0);
        assertEq(index, 1);
        assertEq(available(alice), 0);
    }

    // ---------------------------------------------------------------------------------------------- deliveries

    function test_everyPositionOfALotIsDeliveredWithItsOwnPath() public {
        _wonLot();
        uint8[5] memory order = [3, 0, 4, 2, 1];
        for (uint256 k; k < 5; ++k) {
            vm.expectEmit(address(market));
            emit IMarketLog.TaskDelivered(id, 1, order[k], 0, 4 * 9, 0, 0);
            deliver(1, order[k]);
            assertEq(available(paul), (k + 1) * 4 * 9);
        }
        for (uint256 i; i < 5; ++i) {
            assertEq(uint256(market.taskStatus(id, 1, i)), uint256(TaskStatus.Delivered));
        }
        deliver(1, 5); // the first of Bob's, in part won
        assertEq(available(paul), 20 * 9 + 8 * 9);
    }

    function test_RevertWhen_TheProofIsOfAnotherPosition() public {
        _wonLot();
        for (uint256 i; i < 5; ++i) {
            Delivery memory other = deliveryOf(1, (i + 1) % 5);
            Delivery memory d = deliveryOf(1, i);
            (d.publicInputs, d.dataHash, d.statementPath, d.proof) =
            (other.publicInputs, other.dataHash, other.statementPath, other.proof);
            _refusedAsStatement(d);
            // Nor does its own path help.
            d.statementPath = deliveryOf(1, i).statementPath;
            _refusedAsStatement(d);
        }
    }

    /// @dev One statement twice is two tasks, each with a path of its own.
    function test_sameStatementAtTwoPositionsIsTwoTasks() public {
        seat(paul, 40, 6);
        seat(quentin, 40, 9);
        open(1);
        Posted[] memory list = newTasks(alice, 20, 4, 2);
        (list[1].inputs, list[1].data) = (list[0].inputs, list[0].data);
        fund(alice, 2 * (80 + FEE));
        submitLot(list);
        fundedLot(bob, 12, 8, 5);
        open(2);
        settle(1);
        deliver(1, 0);
        Delivery memory wrong = deliveryOf(1, 1);
        wrong.statementPath[0] = statementLeaf(list[1], 1);
        _refusedAsStatement(wrong);
        deliver(1, 1);
        assertEq(available(paul), 2 * 4 * 9);
    }

    function test_RevertWhen_PositionCountOrStatementsAreOfNoEntry() public {
        _wonLot();
        for (uint256 field; field < 8; ++field) {
            Delivery memory d = deliveryOf(1, 2);
            Task memory task = d.task;
            assertEq(task.position, 2);
            assertEq(task.lot, lotBits(true, 5));
            if (field == 0) task.position = 1;
            if (field == 1) task.position = 7;
            if (field == 2) task.lot = lotBits(true, 4);
            if (field == 3) task.lot = lotBits(true, 1);
            if (field == 4) task.lot = lotBits(false, 5);
            if (field == 5) task.statements = bytes32(uint256(task.statements) + 1);
            // As if the lot were its third bid alone.
            if (field == 6) (task.statements, task.lot) = (statementLeaf(posted(1, 2), 0), lotBits(true, 1));
            if (field == 7) (task.index, task.position) = (3, 3); // the next bid, with this one's path
            _refusedAsTask(d);
        }
    }

    /// @dev An inner node of the statements' tree is no statement, nor is one of the assignments' tree a task: a leaf has
    /// three words.
    function testFuzz_pathsThatAreNoneAreRefused(uint256 index, uint256 cut, bytes32 junk) public {
        _wonLot();
        Delivery memory d = deliveryOf(1, index % 5);
        bytes32[] memory path = d.statementPath;
        bytes32[] memory changed = new bytes32[](path.length - 1);
        for (uint256 i; i < changed.length; ++i) {
            changed[i] = path[i + 1];
        }
        d.statementPath = changed;
        _refusedAsStatement(d);
        d.statementPath = abi.decode(abi.encode(path), (bytes32[]));
        if (junk == path[cut % path.length]) junk = ~junk;
        d.statementPath[cut % path.length] = junk;
        _refusedAsStatement(d);
        d = deliveryOf(1, index % 5);
        if (junk == d.path[cut % d.path.length]) junk = ~junk;
        d.path[cut % d.path.length] = junk;
        _refusedAsTask(d);
    }

    // ------------------------------------------------------------------------------------------------- tickets

    /// @dev Alice pays for Bob's proof: what her bid gets back is hers, what is due for a late or missing proof is Bob's.
    function _bidForSomebodyElse() private {
        seat(paul, 10, 6);
        seat(quentin, 24, 9);
        open(1);
        Posted memory p = newTask(bob, 20, 8);
        fund(alice, 160 + FEE);
        tell(p);
        vm.prank(alice);
        market.submitOneBid(id, wordOf(p));
        remember(1, p);
        fundedBid(carol, 12, 8);
        open(2);
        settle(1);
        assertEq(available(alice), 8 * (20 - 12));
        assertEq(available(bob), 0);
    }

    function test_compensationGoesToWhomTheTicketNames() public {
        _bidForSomebodyElse();
        vm.warp(proveBy(1));
        takeOver(1, 0, 1);
        deliver(1, 0);
        assertEq(available(bob), 8 * PER_UNIT * 3 / 10);
        assertEq(available(alice), 8 * (20 - 12));
    }

    function test_refundOfAnExpiredTaskGoesToWhomTheTicketNames() public {
        _bidForSomebodyElse();
        vm.warp(finalAt(1));
        vm.expectEmit(address(market));
        emit IMarketLog.TaskExpired(id, 1, 0, 96 - 9);
        expire(1, 0);
        assertEq(available(bob), 96 - 9);
        assertEq(available(alice), 8 * (20 - 12));
    }

    function test_RevertWhen_TheTasksRequesterIsTheBidderInsteadOfTheNamedOne() public {
        _bidForSomebodyElse();
        Delivery memory d = deliveryOf(1, 0);
        d.task.requester = alice;
        _refusedAsTask(d);
        vm.warp(finalAt(1));
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.UnknownTask.selector, 1, 0));
        market.expire(id, d.task, d.path);
    }

    /// @dev The word says 4 units, the circuit of its statement has 8: the bid wins, but no proof is one of it, and the
    /// requester loses the penalty.
    function test_statementOfAnotherSizeThanItsWordIsNeverDelivered() public {
        seat(paul, 10, 6);
        seat(quentin, 24, 9);
        open(1);
        Posted memory p = newTask(alice, 20, 8);
        Delivery memory d;
        d.task.statements = statementLeaf(p, 0);
        BidWord[] memory list = new BidWord[](2);
        list[0] = entryWord(20, 4, 1, ticketOf(alice, d.task.statements));
        fund(alice, 80 + FEE);
        vm.prank(alice);
        market.submitOneBid(id, list[0]);
        fundedBid(bob, 12, 8);
        list[1] = words(1, 0, 1)[0];
        vm.warp(openAt(2));
        market.settle(id, 1, core(1, 12, 1, 4), list);
        (d.task.round, d.task.fee, d.task.size, d.task.requester) = (1, 20, 4, alice);
        (d.circuit, d.publicInputs, d.dataHash) = (p.circuit, p.inputs, keccak256(p.data));
        d.proof = verifier.proofOf(d.circuit, d.publicInputs);
        _refusedAsStatement(d);
        d.circuit = toCircuitId(8, 4);
        d.proof = verifier.proofOf(d.circuit, d.publicInputs);
        _refusedAsStatement(d);
        vm.warp(finalAt(1));
        market.expire(id, d.task, d.path);
        assertEq(available(alice), 4 * (20 - 12) + 48 - 4);
    }

    /// @dev Roots and tickets from the documentation, for every small number of statements.
    function test_statementsAreLeavesOfATreeWhoseOddNodesMoveUp() public {
        Posted[] memory three = newTasks(alice, 20, 4, 3);
        bytes32 a = statementLeaf(three[0], 0);
        bytes32 b = statementLeaf(three[1], 1);
        bytes32 c = statementLeaf(three[2], 2);
        bytes32 ab = a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
        bytes32 root = ab < c ? keccak256(abi.encode(ab, c)) : keccak256(abi.encode(c, ab));
        assertEq(statementsRoot(three), root);
        assertEq(SlowMerkle.path(statementLeaves(three), 2).length, 1);
        seat(paul, 40, 6);
        seat(quentin, 40, 9);
        open(1);
        fund(alice, 3 * (80 + FEE));
        submitLot(three);
        fundedLot(bob, 12, 8, 4);
        open(2);
        settle(1);
        Delivery memory d = deliveryOf(1, 2);
        assertEq(d.task.statements, root);
        assertEq(d.statementPath.length, 1);
        assertEq(d.statementPath[0], ab);
        market.deliver(id, d);
        deliver(1, 0);
        deliver(1, 1);
    }
}
