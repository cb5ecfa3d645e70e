// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LibBit} from "solady/utils/LibBit.sol";
import {MerkleProofLib} from "solady/utils/MerkleProofLib.sol";
import {GuardedVerify} from "../libraries/GuardedVerify.sol";
import {AssignmentTree} from "../clearing/AssignmentTree.sol";
import {BidWord, BidWordLib} from "../types/BidWord.sol";
import {CircuitId} from "../types/CircuitId.sol";
import {BatchedTask, DeliveryBatch, DeliveryHead, DeliveryHeadLib} from "../types/Delivery.sol";
import {MarketId} from "../types/MarketId.sol";
import {MarketParams} from "../types/MarketParams.sol";
import {Outcome} from "../types/Outcome.sol";
import {Takeover} from "../types/Takeover.sol";
import {StatementLib} from "../types/Statement.sol";
import {TaskLib} from "../types/Task.sol";
import {TaskBook} from "./TaskBook.sol";

// What is compared are bitmaps, nodes and numbers of deliveries, never a balance.
// slither-disable-start incorrect-equality
/// @notice Many deliveries at once. What a delivery does is the same as for `deliver`; what all have in common is read, checked and
/// written once. It has no storage of its own.
abstract contract BatchBook is TaskBook {
    uint256 private constant MAX_DELIVERIES = 256;

    /// @dev A batch with everything about its round, read once.
    struct OpenBatch {
        MarketId id;
        uint256 round;
        CircuitId circuit;
        uint256 size;
        uint256 count;
        Outcome outcome;
        bytes32 root;
        /// Whether the round's proving deadline has passed, so that only tasks that were taken over can be delivered.
        bool late;
        /// Why a delivery is refused, if it is.
        bytes4[] reasons;
        /// The leaf of a delivery's run, once it was found in the tree.
        bytes32[] leaves;
    }

    /// @dev A word of the round's ends, read and written once for the tasks in a row that share it.
    struct Ends {
        uint256 slot;
        uint256 word;
    }

    /// @dev Deliveries of one seat in a row.
    struct Row {
        uint256 seat;
        uint256 count;
    }

    function _deliverBatch(MarketId id, DeliveryBatch calldata batch) internal returns (uint256 delivered) {
        BatchedTask[] calldata deliveries = batch.deliveries;
        OpenBatch memory b = _openBatch(id, batch);
        uint256 open = _checkTasks(b, deliveries, batch.nodes, batch.publicInputs);
        open = _checkProofs(b, open, batch.publicInputs, batch.proofs);

        if (open != 0) delivered = b.late ? _payLate(b, deliveries, open) : _payOnTime(b, deliveries, open);

        _tellRefused(b, deliveries, delivered);
        if (delivered == 0) revert NothingDelivered(b.reasons[b.count - 1]);
    }

    function _openBatch(MarketId id, DeliveryBatch calldata batch) private view returns (OpenBatch memory b) {
        uint256 count = batch.deliveries.length;
        if (count == 0 || count > MAX_DELIVERIES) revert WrongNumberOfDeliveries(count, MAX_DELIVERIES);
        if (batch.publicInputs.length % count != 0 || batch.proofs.length % count != 0) revert UnevenBatch();
        (b.id, b.round, b.circuit, b.count) = (id, batch.round, batch.circuit, count);
        b.size = b.circuit.units();
        b.outcome = _outcomeOf(id, b.round);
        b.root = _assignmentRoot(id, b.round);
        b.late = block.timestamp >= _market(id).proveBy(id, b.round);
        (b.reasons, b.leaves) = (new bytes4[](count), new bytes32[](count));
    }

    /// @dev Leaves out what cannot be delivered, whatever its proof. A node counts as known once a path that leads to the root, or
    /// to a known node, went through it, and a leaf once its own path was such.
    /// @return open Bit k is set if delivery k is left.
    function _checkTasks(
        OpenBatch memory b,
        BatchedTask[] calldata deliveries,
        bytes32[] calldata nodes,
        uint256[] calldata publicInputs
    ) private view returns (uint256 open) {
        bytes32[] memory known = new bytes32[](nodes.length);
        uint256 each = publicInputs.length / b.count;
        Ends memory ends = _endsAt(b, deliveries[0].head.index());
        uint256 from;
        for (uint256 k; k < deliveries.length; ++k) {
            BatchedTask calldata d = deliveries[k];
            DeliveryHead head = d.head;
            uint256 statementEnd = from + head.statementPathLength();
            uint256 to = statementEnd + head.pathLength();
            bytes32 top = _topOf(b, head.anchor(), known);
            if (top == 0 || to > known.length) {
                b.reasons[k] = UnknownTask.selector;
            } else {
                bytes32 leaf = _leafOf(b, d, publicInputs[:each], nodes[from:statementEnd]);
                from = statementEnd;
                if (!MerkleProofLib.verifyCalldata(nodes[from:to], top, leaf)) {
                    b.reasons[k] = UnknownTask.selector;
                } else {
                    _learn(known, nodes[from:to], from);
                    b.leaves[k] = leaf;
                    if (head.index() / TASKS_PER_WORD != ends.slot) ends = _endsAt(b, head.index());
                    if (_isEndedIn(ends.word, head.index())) b.reasons[k] = TaskEnded.selector;
                    else if (b.late && !_isHeld(b, head.index())) b.reasons[k] = TaskInDefault.selector;
                    else open |= _bit(k);
                }
            }
            from = to;
            publicInputs = publicInputs[each:];
        }
    }

    /// @dev Copies nodes to their place among the known ones. The caller has checked that they are there.
    function _learn(bytes32[] memory known, bytes32[] calldata nodes, uint256 from) private pure {
        assembly ("memory-safe") {
            let to := add(add(known, 0x20), mul(from, 0x20))
            calldatacopy(to, nodes.offset, mul(nodes.length, 0x20))
        }
    }

    /// @return top Where a path must end, zero if there is no such place.
    function _topOf(OpenBatch memory b, uint256 anchor, bytes32[] memory known)
        private
        pure
        returns (bytes32 top)
    {
        if (anchor == 0) return b.root;
        if (anchor >= DeliveryHeadLib.LEAVES) {
            uint256 k = anchor - DeliveryHeadLib.LEAVES;
            return k < b.count ? b.leaves[k] : bytes32(0);
        }
        if (anchor <= known.length) return known[anchor - 1];
    }

    function _leafOf(
        OpenBatch memory b,
        BatchedTask calldata d,
        uint256[] calldata publicInputs,
        bytes32[] calldata statementPath
    ) private pure returns (bytes32) {
        bytes32 inputsHash;
        assembly ("memory-safe") {
            // What `keccak256(abi.encodePacked(publicInputs))` is, without a copy that stays.
            let data := mload(0x40)
            let length := mul(publicInputs.length, 0x20)
            calldatacopy(data, publicInputs.offset, length)
            inputsHash := keccak256(data, length)
        }
        DeliveryHead head = d.head;
        bytes32 statements = StatementLib.leaf(b.circuit, head.position(), inputsHash, d.dataHash);
        for (uint256 i; i < statementPath.length; ++i) {
            statements = AssignmentTree.node(statements, statementPath[i]);
        }
        // forge-lint: disable-next-line(unsafe-typecast) -- a circuit's size has 32 bits
        BidWord word = BidWordLib.pack(
            head.fee(), uint32(b.size), head.lot(), BidWordLib.ticketOf(d.requester, statements)
        );
        return
            TaskLib.leaf(word, head.index(), head.position(), head.runBefore(), head.runAfter(), head.seat());
    }

    /// @dev Whether a task whose prover missed its deadline has a taker that still has time.
    function _isHeld(OpenBatch memory b, uint256 index) private view returns (bool) {
        Takeover takeover = _takeoverOf(b.id, b.round, index);
        return takeover.count() != 0 && block.timestamp < takeover.deadline();
    }

    /// @return valid The open deliveries whose proofs hold.
    function _checkProofs(
        OpenBatch memory b,
        uint256 open,
        uint256[] calldata publicInputs,
        bytes calldata proofs
    ) private view returns (uint256 valid) {
        if (open == 0) return 0;
        MarketParams storage market = _market(b.id);
        valid = GuardedVerify.verifyEach(
            market.verifier,
            market.verifierGas,
            b.circuit,
            publicInputs,
            proofs,
            GuardedVerify.Selection(b.count, open)
        );
        if (valid == open) return valid;
        for (uint256 k; k < b.count; ++k) {
            if ((open & ~valid) >> k & 1 != 0) b.reasons[k] = ProofRejected.selector;
        }
    }

    /// @dev Before the proving deadline nobody has taken a task of the round over, so the assigned provers are paid.
    function _payOnTime(OpenBatch memory b, BatchedTask[] calldata deliveries, uint256 open)
        private
        returns (uint256 delivered)
    {
        uint256 payment = b.outcome.payDown(b.size);
        uint256[] memory tasks = new uint256[](b.count);
        uint256 n;
        uint256 toSink;
        Row memory row;
        Ends memory ends = _endsAt(b, deliveries[0].head.index());
        for (uint256 k; k < deliveries.length; ++k) {
            if ((open >> k) & 1 == 0) continue;
            DeliveryHead head = deliveries[k].head;
            (uint256 index, uint256 seat) = (head.index(), head.seat());
            if (index / TASKS_PER_WORD != ends.slot) {
                _setEnds(b.id, b.round, ends.slot, ends.word);
                ends = _endsAt(b, index);
            }
            // The same task may be in the batch twice.
            if (_isEndedIn(ends.word, index)) {
                b.reasons[k] = TaskEnded.selector;
                continue;
            }
            ends.word = _withDelivered(ends.word, index);
            if (seat != row.seat) {
                _payRow(b, row, payment);
                (row.seat, row.count) = (seat, 0);
            }
            ++row.count;
            toSink += b.outcome.held(head.fee(), b.size) - payment;
            tasks[n++] = (index << 8) | seat;
            delivered |= _bit(k);
        }
        _setEnds(b.id, b.round, ends.slot, ends.word);
        _payRow(b, row, payment);
        if (toSink != 0) _creditSink(b.id, toSink);
        // As many as were found: the first of what is open always is.
        assembly ("memory-safe") {
            mstore(tasks, n)
        }
        emit TasksDelivered(b.id, b.round, payment, tasks);
    }

    function _payRow(OpenBatch memory b, Row memory row, uint256 payment) private {
        if (row.count == 0) return;
        _vacate(b.id, row.seat, row.count * b.size);
        _credit(b.id, _proverOf(b.id, row.seat), row.count * payment);
    }

    function _payLate(OpenBatch memory b, BatchedTask[] calldata deliveries, uint256 open)
        private
        returns (uint256 delivered)
    {
        for (uint256 k; k < deliveries.length; ++k) {
            if ((open >> k) & 1 == 0) continue;
            BatchedTask calldata d = deliveries[k];
            uint256 index = d.head.index();
            Ends memory ends = _endsAt(b, index);
            if (_isEndedIn(ends.word, index)) {
                b.reasons[k] = TaskEnded.selector;
                continue;
            }
            _setEnds(b.id, b.round, ends.slot, _withDelivered(ends.word, index));
            OpenTask memory t;
            (t.id, t.round, t.index, t.assignedSeat) = (b.id, b.round, index, d.head.seat());
            (t.size, t.outcome) = (b.size, b.outcome);
            t.takeover = _takeoverOf(b.id, b.round, index);
            t.told = d.head.isTold();
            _payDelivery(t, d.head.fee(), d.requester);
            delivered |= _bit(k);
        }
    }

    function _tellRefused(OpenBatch memory b, BatchedTask[] calldata deliveries, uint256 delivered) private {
        for (uint256 rest = ~delivered & _ones(b.count); rest != 0; rest &= rest - 1) {
            uint256 k = LibBit.ffs(rest);
            emit DeliveryRefused(b.id, b.round, deliveries[k].head.index(), b.reasons[k]);
        }
    }

    function _bit(uint256 k) private pure returns (uint256) {
        // forge-lint: disable-next-line(incorrect-shift) -- bit k
        return 1 << k;
    }

    function _ones(uint256 count) private pure returns (uint256) {
        return type(uint256).max >> (256 - count);
    }

    function _endsAt(OpenBatch memory b, uint256 index) private view returns (Ends memory) {
        uint256 slot = index / TASKS_PER_WORD;
        return Ends(slot, _endsWord(b.id, b.round, slot));
    }
}
// slither-disable-end incorrect-equality
