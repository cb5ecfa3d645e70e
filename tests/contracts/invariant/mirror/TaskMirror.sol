// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BidWord} from "../../../../contracts/types/BidWord.sol";
import {Delivery, Task} from "../../../../contracts/types/Task.sol";
import {SlowMerkle} from "../../support/SlowMerkle.sol";
import {SealedMirror} from "./SealedMirror.sol";

/// @notice Winning tasks: who holds them until when, what is held for them, and how they end.
abstract contract TaskMirror is SealedMirror {
    enum End {
        None,
        Delivered,
        Expired
    }

    struct Held {
        uint32 round;
        uint32 index;
        /// Number of its entry, of its bid in that entry, and of its leaf.
        uint32 entry;
        uint16 position;
        uint16 leaf;
        /// Tasks of its run before it, and after it.
        uint16 runBefore;
        uint16 runAfter;
        uint40 deadline;
        uint8 takers;
        End end;
        /// What is held for it, and what its delivery is paid.
        uint128 held;
        uint128 payment;
        /// The seats that hold or held it, the assigned one in the lowest byte.
        uint256 holders;
    }

    Held[] internal tasks;
    /// Numbers of the tasks that have not ended, and the place of each in this list, from 1.
    uint256[] internal openTasks;
    uint256[] internal endedTasks;
    mapping(uint256 number => uint256) private _place;

    function _escrow() internal view override returns (uint256 sum) {
        for (uint256 i; i < openTasks.length; ++i) {
            sum += tasks[openTasks[i]].held;
        }
    }

    function _pushTask(Held memory t) internal {
        openTasks.push(tasks.length);
        _place[tasks.length] = openTasks.length;
        tasks.push(t);
    }

    function _endTask(uint256 number, End end) internal {
        tasks[number].end = end;
        uint256 last = openTasks[openTasks.length - 1];
        uint256 place = _place[number];
        (openTasks[place - 1], _place[last]) = (last, place);
        openTasks.pop();
        delete _place[number];
        endedTasks.push(number);
    }

    function _holder(Held memory t, uint256 i) internal pure returns (uint256) {
        return (t.holders >> (8 * i)) & 0xff;
    }

    function _entry(Held memory t) internal view returns (Placed storage) {
        return entriesOf[t.round][t.entry];
    }

    // -------------------------------------------------------------------------------------------------- statements

    function _task(Held memory t) internal view returns (Task memory task, bytes32[] memory path) {
        Placed memory e = _entry(t);
        task = Task({
            round: t.round,
            index: t.index,
            position: t.position,
            runBefore: t.runBefore,
            runAfter: t.runAfter,
            lot: lotBits(e.told, e.count),
            seat: uint8(t.holders),
            fee: e.fee,
            size: e.size,
            requester: e.requester,
            statements: statementsRoot(_tasksOf(e))
        });
        path = SlowMerkle.path(rounds[t.round].leaves, t.leaf);
    }

    /// @dev The same with nothing said about what is behind its ticket.
    function _unnamed(Task memory task, Held memory t) internal view returns (Task memory) {
        task.requester = address(0);
        task.statements = bytes32(uint256(uint144(uint256(BidWord.unwrap(_entry(t).word)))));
        return task;
    }

    function _delivery(Held memory t) internal view returns (Delivery memory d) {
        Posted[] memory list = _tasksOf(_entry(t));
        Posted memory p = list[t.position];
        (d.task, d.path) = _task(t);
        (d.circuit, d.publicInputs, d.dataHash) = (p.circuit, p.inputs, keccak256(p.data));
        d.statementPath = SlowMerkle.path(statementLeaves(list), t.position);
        d.proof = _proof(p);
    }

    /// @dev What `MoodyVerifier` takes for a proof.
    function _proof(Posted memory p) internal pure returns (bytes memory) {
        return abi.encode(keccak256(abi.encode(p.circuit, p.inputs)));
    }

    // ---------------------------------------------------------------------------------------------------- bookings

    /// @dev The holder is paid; everybody who held the task before and owes for it loses its whole collateral.
    function _bookDelivery(uint256 number) internal {
        Held memory t = tasks[number];
        Placed memory e = _entry(t);
        uint256 collateral = e.size * params.collateralPerUnit;
        uint256 each = collateral * params.bountyBps / 10_000;
        uint256 compensation = collateral * params.compensationBps / 10_000;
        Seat storage holder = seats[_holder(t, t.takers)];
        for (uint256 i; i < t.takers; ++i) {
            if (!_dismiss(t, e, i, collateral)) continue;
            balances[holder.prover] += each;
            balances[e.requester] += compensation;
            surplus += collateral - each - compensation;
        }
        holder.free += e.size;
        balances[holder.prover] += t.payment;
        surplus += t.held - t.payment;
        rounds[t.round].paid += t.payment;
        _endTask(number, End.Delivered);
    }

    /// @dev The requester gets what it paid, or what is held if that is less, without the penalty, which each holder that owes for the
    /// task loses as well.
    function _bookExpiry(uint256 number, bool named) internal {
        Held memory t = tasks[number];
        Placed memory e = _entry(t);
        uint256 charge = _charge(t.round, e);
        if (charge > t.held) charge = t.held;
        uint256 collateral = e.size * params.collateralPerUnit;
        uint256 penalty = (charge < collateral ? charge : collateral) * params.penaltyBps / 10_000;
        uint256 refund = named ? charge - penalty : 0;
        for (uint256 i; i <= t.takers; ++i) {
            if (_dismiss(t, e, i, penalty)) surplus += penalty;
        }
        balances[e.requester] += refund;
        surplus += t.held - refund;
        _endTask(number, End.Expired);
    }

    function _charge(uint256 round, Placed memory e) internal view virtual returns (uint256);

    /// @return owes Whether holder `i` owes for its default: not if it was assigned what nobody had told it.
    function _dismiss(Held memory t, Placed memory e, uint256 i, uint256 loss) private returns (bool owes) {
        owes = e.told || i != 0;
        if (owes) _slash(_holder(t, i), e.size, loss);
        else seats[_holder(t, i)].free += e.size;
    }
}
