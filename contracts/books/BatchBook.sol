// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MerkleProofLib} from "solady/utils/MerkleProofLib.sol";
import {GuardedVerify} from "../libraries/GuardedVerify.sol";
import {Delivery, DeliveryBatch, DeliveryHead} from "../types/Delivery.sol";
import {MarketId} from "../types/MarketId.sol";
import {MarketParams} from "../types/MarketParams.sol";
import {Outcome} from "../types/Outcome.sol";
import {Takeover} from "../types/Takeover.sol";
import {TaskLib} from "../types/Task.sol";
import {TaskBook} from "./TaskBook.sol";

/// @notice Many deliveries at once. What a delivery does is the same as for `deliver`; what all have in common is read, checked and
/// written once. It has no storage of its own.
abstract contract BatchBook is TaskBook {
    uint256 private constant MAX_DELIVERIES = 256;

    /// @dev A batch with everything about its round, read once. A delivery without a reason is going to be paid.
    struct OpenBatch {
        MarketId id;
        uint256 round;
        uint256 size;
        uint256 count;
        Outcome outcome;
        bytes32 root;
        /// Whether the round's proving deadline has passed, so that only tasks that were taken over can be delivered.
        bool late;
        bytes4[] reasons;
    }

    /// @dev Deliveries of one seat in a row.
    struct Run {
        uint256 seat;
        uint256 count;
    }

    function _deliverBatch(MarketId id, DeliveryBatch calldata batch) internal returns (uint256 delivered) {
        OpenBatch memory b = _openBatch(id, batch);
        _checkTasks(b, batch);
        if (_checkProofs(b, batch)) {
            if (b.late) _payLate(b, batch);
            else _payOnTime(b, batch);
        }

        for (uint256 k; k < b.count; ++k) {
            bytes4 reason = b.reasons[k];
            if (reason == 0) delivered |= 1 << k;
            else emit DeliveryRefused(id, b.round, batch.deliveries[k].head.index(), reason);
        }
        if (delivered == 0) revert NothingDelivered(b.reasons[b.count - 1]);
    }

    function _openBatch(MarketId id, DeliveryBatch calldata batch) private view returns (OpenBatch memory b) {
        uint256 count = batch.deliveries.length;
        if (count == 0 || count > MAX_DELIVERIES) revert WrongNumberOfDeliveries(count, MAX_DELIVERIES);
        if (batch.publicInputs.length % count != 0 || batch.proofs.length % count != 0) revert UnevenBatch();
        (b.id, b.round, b.size, b.count) = (id, batch.round, batch.circuit.units(), count);
        b.outcome = _outcomeOf(id, b.round);
        b.root = _assignmentRoot(id, b.round);
        b.late = block.timestamp >= _market(id).proveBy(id, b.round);
        b.reasons = new bytes4[](count);
    }

    /// @dev Finds what cannot be delivered, whatever its proof. A node counts as known once a path that leads to the root, or to
    /// a known node, went through it.
    function _checkTasks(OpenBatch memory b, DeliveryBatch calldata batch) private view {
        mapping(uint256 => uint256) storage ends = _endsOf(b.id, b.round);
        bytes32[] memory known = new bytes32[](batch.nodes.length);
        uint256 from;
        for (uint256 k; k < b.count; ++k) {
            DeliveryHead head = batch.deliveries[k].head;
            uint256 to = from + head.pathLength();
            if (!_isAssigned(b, batch, k, known, from, to)) {
                b.reasons[k] = UnknownTask.selector;
            } else {
                for (uint256 i = from; i < to; ++i) {
                    known[i] = batch.nodes[i];
                }
                if (_isEnded(ends, head.index())) b.reasons[k] = TaskEnded.selector;
                else if (b.late && !_isHeld(b, head.index())) b.reasons[k] = TaskInDefault.selector;
            }
            from = to;
        }
    }

    function _isAssigned(
        OpenBatch memory b,
        DeliveryBatch calldata batch,
        uint256 k,
        bytes32[] memory known,
        uint256 from,
        uint256 to
    ) private pure returns (bool) {
        if (to > known.length) return false;
        Delivery calldata d = batch.deliveries[k];
        uint256 anchor = d.head.anchor();
        if (anchor > known.length) return false;
        bytes32 top = anchor == 0 ? b.root : known[anchor - 1];
        if (top == 0) return false;
        uint256 inputs = batch.publicInputs.length / b.count;
        bytes32 inputsHash = keccak256(abi.encodePacked(batch.publicInputs[k * inputs:(k + 1) * inputs]));
        bytes32 leaf = TaskLib.leaf(
            TaskLib.wordOf(d.head.fee(), batch.circuit, d.requester, inputsHash, d.dataHash),
            d.head.index(),
            d.head.seat()
        );
        return MerkleProofLib.verifyCalldata(batch.nodes[from:to], top, leaf);
    }

    /// @dev Whether a task whose prover missed its deadline has a taker that still has time.
    function _isHeld(OpenBatch memory b, uint256 index) private view returns (bool) {
        Takeover takeover = _takeoverOf(b.id, b.round, index);
        return takeover.count() != 0 && block.timestamp < takeover.deadline();
    }

    /// @return any Whether any delivery is left.
    function _checkProofs(OpenBatch memory b, DeliveryBatch calldata batch) private view returns (bool any) {
        uint256 open;
        for (uint256 k; k < b.count; ++k) {
            if (b.reasons[k] == 0) open |= 1 << k;
        }
        if (open == 0) return false;
        MarketParams storage market = _market(b.id);
        uint256 valid = GuardedVerify.verifyEach(
            market.verifier,
            market.verifierGas,
            batch.circuit,
            batch.publicInputs,
            batch.proofs,
            GuardedVerify.Selection(b.count, open)
        );
        for (uint256 k; k < b.count; ++k) {
            if (b.reasons[k] == 0 && (valid >> k) & 1 == 0) b.reasons[k] = ProofRejected.selector;
        }
        return valid != 0;
    }

    /// @dev Before the proving deadline nobody has taken a task of the round over, so the assigned provers are paid.
    function _payOnTime(OpenBatch memory b, DeliveryBatch calldata batch) private {
        mapping(uint256 => uint256) storage ends = _endsOf(b.id, b.round);
        uint256 payment = b.outcome.payDown(b.size);
        uint256[] memory tasks = new uint256[](b.count);
        uint256 n;
        uint256 toSink;
        Run memory run;
        for (uint256 k; k < b.count; ++k) {
            if (b.reasons[k] != 0) continue;
            DeliveryHead head = batch.deliveries[k].head;
            (uint256 index, uint256 seat) = (head.index(), head.seat());
            // The same task may be in the batch twice.
            if (_isEnded(ends, index)) {
                b.reasons[k] = TaskEnded.selector;
                continue;
            }
            _setDelivered(ends, index);
            if (seat != run.seat) {
                _payRun(b, run, payment);
                (run.seat, run.count) = (seat, 0);
            }
            ++run.count;
            toSink += b.outcome.held(head.fee(), b.size) - payment;
            tasks[n++] = (index << 8) | seat;
        }
        _payRun(b, run, payment);
        if (toSink != 0) _creditSink(b.id, toSink);
        // The first of what is left is paid, so there is something to tell.
        assembly ("memory-safe") {
            mstore(tasks, n)
        }
        emit TasksDelivered(b.id, b.round, payment, tasks);
    }

    function _payRun(OpenBatch memory b, Run memory run, uint256 payment) private {
        if (run.count == 0) return;
        _vacate(b.id, run.seat, run.count * b.size);
        _credit(b.id, _proverOf(b.id, run.seat), run.count * payment);
    }

    function _payLate(OpenBatch memory b, DeliveryBatch calldata batch) private {
        mapping(uint256 => uint256) storage ends = _endsOf(b.id, b.round);
        for (uint256 k; k < b.count; ++k) {
            if (b.reasons[k] != 0) continue;
            Delivery calldata d = batch.deliveries[k];
            uint256 index = d.head.index();
            if (_isEnded(ends, index)) {
                b.reasons[k] = TaskEnded.selector;
                continue;
            }
            _setDelivered(ends, index);
            OpenTask memory t;
            (t.id, t.round, t.index, t.assignedSeat) = (b.id, b.round, index, d.head.seat());
            (t.size, t.outcome) = (b.size, b.outcome);
            t.takeover = _takeoverOf(b.id, b.round, index);
            _payDelivery(t, d.head.fee(), d.requester);
        }
    }
}
