// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {MerkleProofLib} from "solady/utils/MerkleProofLib.sol";
import {GuardedVerify} from "../libraries/GuardedVerify.sol";
import {MarketId} from "../types/MarketId.sol";
import {MarketParams, MarketParamsLib} from "../types/MarketParams.sol";
import {Outcome} from "../types/Outcome.sol";
import {StatementLib} from "../types/Statement.sol";
import {Takeover} from "../types/Takeover.sol";
import {Delivery, Task, TaskStatus} from "../types/Task.sol";
import {SettlementBook} from "./SettlementBook.sol";

// What is compared are numbers of holders, seats and roots, never a balance.
// slither-disable-start incorrect-equality
/// @notice What happens to a winning task: delivered by its holder, taken over after a default, or expired.
abstract contract TaskBook is SettlementBook {
    /// @dev Two bits a task: 0 open, `DELIVERED`, `EXPIRED`. `TASKS_PER_WORD` share a slot.
    mapping(MarketId => mapping(uint256 round => mapping(uint256 => uint256))) private _ends;
    mapping(bytes32 taskKey => Takeover) private _takeovers;

    uint256 internal constant TASKS_PER_WORD = 128;

    uint256 private constant DELIVERED = 1;
    uint256 private constant EXPIRED = 2;

    /// @dev A task with everything about it that the contract knows, read once.
    struct OpenTask {
        MarketId id;
        uint256 round;
        uint256 index;
        uint256 size;
        uint256 assignedSeat;
        /// Whether the assigned prover was told what to prove; if not, its default costs it nothing.
        bool told;
        Takeover takeover;
        Outcome outcome;
    }

    function _deliver(MarketId id, Delivery calldata d) internal {
        OpenTask memory t = _open(id, d.task, d.path);
        uint256 deadline = _holderDeadline(t);
        if (block.timestamp >= deadline) revert TaskInDefault(t.round, t.index, deadline);
        _requireStatement(d);
        MarketParams storage market = _market(id);
        bool valid =
            GuardedVerify.verify(market.verifier, market.verifierGas, d.circuit, d.publicInputs, d.proof);
        if (!valid) revert ProofRejected();

        _end(t, DELIVERED);
        _payDelivery(t, d.task.fee, d.task.requester);
    }

    function _takeOver(MarketId id, Task calldata task, bytes32[] calldata path, uint256 seat)
        internal
        returns (uint256 deadline)
    {
        OpenTask memory t = _open(id, task, path);
        if (!task.isNamed()) revert TaskNotNamed(t.round, t.index);
        MarketParams storage market = _market(id);
        uint256 due = _holderDeadline(t);
        if (block.timestamp < due) revert TaskNotInDefault(t.round, t.index, due);
        uint256 finalAt = market.finalAt(id, t.round);
        uint256 takers = t.takeover.count();
        if (block.timestamp >= finalAt || takers == market.maxTakeovers) {
            revert TaskNotTakeable(t.round, t.index, finalAt);
        }
        for (uint256 i; i <= takers; ++i) {
            if (_holder(t, i) == seat) revert HeldBefore(seat);
        }

        _occupyByTakeover(id, seat, t.size);
        deadline = FixedPointMathLib.min(block.timestamp + market.takeoverPeriod, finalAt);
        // forge-lint: disable-next-line(unsafe-typecast) -- a seat of the caller is below 128, a deadline far below 2^40
        _takeovers[_taskKey(t)] = t.takeover.push(uint8(seat), uint40(deadline));

        emit TaskTakenOver(id, t.round, t.index, seat, deadline);
    }

    function _expire(MarketId id, Task calldata task, bytes32[] calldata path) internal {
        OpenTask memory t = _open(id, task, path);
        MarketParams storage market = _market(id);
        uint256 expirableAt = market.finalAt(id, t.round);
        // Its requester has that time to name the task and get its refund.
        if (!task.isNamed()) expirableAt += expirableAt - market.settleBy(id, t.round);
        if (block.timestamp < expirableAt) revert TaskNotExpirable(t.round, t.index, expirableAt);
        uint256 held = t.outcome.held(task.fee, t.size);
        uint256 payment = FixedPointMathLib.min(t.outcome.charge(task.fee, t.size), held);
        uint256 atStake = FixedPointMathLib.min(payment, t.size * market.collateralPerUnit);
        uint256 penalty = MarketParamsLib.shareDown(atStake, market.penaltyBps);
        uint256 holders = t.takeover.count() + 1;
        uint256 liable = _liable(t, holders);
        uint256 refund = task.isNamed() ? payment - penalty : 0;

        _end(t, EXPIRED);
        for (uint256 i; i < holders; ++i) {
            _dismiss(t, i, penalty);
        }
        if (refund != 0) _credit(id, task.requester, refund);
        _creditSink(id, held - refund + penalty * liable);

        emit TaskExpired(id, t.round, t.index, refund);
    }

    function _taskStatus(MarketId id, uint256 round, uint256 index) internal view returns (TaskStatus) {
        uint256 end = _endOf(id, round, index);
        if (end == DELIVERED) return TaskStatus.Delivered;
        if (end == EXPIRED) return TaskStatus.Expired;
        if (block.timestamp >= _market(id).finalAt(id, round)) return TaskStatus.Expirable;
        OpenTask memory t;
        (t.id, t.round, t.index) = (id, round, index);
        t.takeover = _takeovers[_taskKey(t)];
        return block.timestamp >= _holderDeadline(t) ? TaskStatus.Defaulted : TaskStatus.Assigned;
    }

    function _takeoverOf(MarketId id, uint256 round, uint256 index) internal view returns (Takeover) {
        OpenTask memory t;
        (t.id, t.round, t.index) = (id, round, index);
        return _takeovers[_taskKey(t)];
    }

    // ------------------------------------------------------------------------------------------ for other books

    /// @notice How `TASKS_PER_WORD` tasks of a round have ended, those from index `slot * TASKS_PER_WORD` on.
    function _endsWord(MarketId id, uint256 round, uint256 slot) internal view returns (uint256) {
        return _ends[id][round][slot];
    }

    function _setEnds(MarketId id, uint256 round, uint256 slot, uint256 word) internal {
        _ends[id][round][slot] = word;
    }

    function _isEndedIn(uint256 word, uint256 index) internal pure returns (bool) {
        return (word >> (2 * (index % TASKS_PER_WORD))) & 3 != 0;
    }

    function _withDelivered(uint256 word, uint256 index) internal pure returns (uint256) {
        return word | (DELIVERED << (2 * (index % TASKS_PER_WORD)));
    }

    /// @notice Pays the holder of a task that has just been marked as delivered, and slashes everybody who held it before.
    function _payDelivery(OpenTask memory t, uint256 fee, address requester) internal {
        MarketParams storage market = _market(t.id);
        uint256 payment = t.outcome.payDown(t.size);
        uint256 toSink = t.outcome.held(fee, t.size) - payment;
        uint256 bounty;
        uint256 compensation;
        uint256 defaulters = t.takeover.count();
        if (defaulters != 0) {
            uint256 collateral = t.size * market.collateralPerUnit;
            uint256 liable = _liable(t, defaulters);
            bounty = liable * MarketParamsLib.shareDown(collateral, market.bountyBps);
            compensation = liable * MarketParamsLib.shareDown(collateral, market.compensationBps);
            toSink += liable * collateral - bounty - compensation;
            for (uint256 i; i < defaulters; ++i) {
                _dismiss(t, i, collateral);
            }
        }
        uint256 seat = _holder(t, defaulters);

        _vacate(t.id, seat, t.size);
        _credit(t.id, _proverOf(t.id, seat), payment + bounty);
        if (compensation != 0) _credit(t.id, requester, compensation);
        if (toSink != 0) _creditSink(t.id, toSink);

        emit TaskDelivered(t.id, t.round, t.index, seat, payment, bounty, compensation);
    }

    // ------------------------------------------------------------------------------------------------- internals

    function _open(MarketId id, Task calldata task, bytes32[] calldata path)
        private
        view
        returns (OpenTask memory t)
    {
        bytes32 root = _assignmentRoot(id, task.round);
        bytes32 leaf = task.leaf();
        if (root == 0 || !MerkleProofLib.verifyCalldata(path, root, leaf)) {
            revert UnknownTask(task.round, task.index);
        }
        if (_endOf(id, task.round, task.index) != 0) revert TaskEnded(task.round, task.index);
        (t.id, t.round, t.index, t.assignedSeat) = (id, task.round, task.index, task.seat);
        (t.size, t.told) = (task.size, task.isTold());
        t.outcome = _outcomeOf(id, task.round);
        // Before the proving deadline nobody can have taken the task over, so the slot need not be read.
        if (block.timestamp >= _market(id).proveBy(id, t.round)) t.takeover = _takeovers[_taskKey(t)];
    }

    /// @dev Checks that what a delivery proves is the statement of its task.
    function _requireStatement(Delivery calldata d) private pure {
        bytes32 inputsHash = keccak256(abi.encodePacked(d.publicInputs));
        bytes32 leaf = StatementLib.leaf(d.circuit, d.task.position, inputsHash, d.dataHash);
        bool isStatement = d.task.isNamed() && d.circuit.units() == d.task.size
            && MerkleProofLib.verifyCalldata(d.statementPath, d.task.statements, leaf);
        if (!isStatement) revert WrongStatement(d.task.round, d.task.index);
    }

    /// @dev First second at which whoever holds the task now is in default.
    function _holderDeadline(OpenTask memory t) private view returns (uint256) {
        return t.takeover.count() == 0 ? _market(t.id).proveBy(t.id, t.round) : t.takeover.deadline();
    }

    /// @dev Holder number `i` of the task: the assigned prover, then each taker.
    function _holder(OpenTask memory t, uint256 i) private pure returns (uint256 seat) {
        return i == 0 ? t.assignedSeat : t.takeover.taker(i - 1);
    }

    /// @dev How many of the first `holders` owe for a default. Whoever took the task over did so by choice; the assigned prover could
    /// not know what to prove if it was not told.
    function _liable(OpenTask memory t, uint256 holders) private pure returns (uint256) {
        return t.told ? holders : holders - 1;
    }

    /// @dev Takes the task from holder number `i`, which loses `loss` ticks if it owes for it.
    function _dismiss(OpenTask memory t, uint256 i, uint256 loss) private {
        if (t.told || i != 0) _slash(t.id, _holder(t, i), t.size, loss);
        else _vacate(t.id, _holder(t, i), t.size);
    }

    function _endOf(MarketId id, uint256 round, uint256 index) private view returns (uint256) {
        return (_ends[id][round][index / TASKS_PER_WORD] >> (2 * (index % TASKS_PER_WORD))) & 3;
    }

    function _end(OpenTask memory t, uint256 how) private {
        // slither-disable-next-line weak-prng -- a place in a bitmap
        _ends[t.id][t.round][t.index / TASKS_PER_WORD] |= how << (2 * (t.index % TASKS_PER_WORD));
    }

    function _taskKey(OpenTask memory t) private pure returns (bytes32) {
        return EfficientHashLib.hash(MarketId.unwrap(t.id), bytes32(t.round), bytes32(t.index));
    }
}
// slither-disable-end incorrect-equality
