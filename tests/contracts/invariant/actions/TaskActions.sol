// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BatchedTask, DeliveryBatch} from "../../../../contracts/types/Delivery.sol";
import {Delivery, Task} from "../../../../contracts/types/Task.sol";
import {MoodyVerifier} from "../../mocks/Moody.sol";
import {SlowBatches} from "../../support/SlowBatches.sol";
import {SettlementActions} from "./SettlementActions.sol";

/// @notice Tasks are delivered, alone and together, taken over and expired.
abstract contract TaskActions is SettlementActions {
    using SlowBatches for DeliveryBatch;

    uint256 private constant MANY = 6;

    /// @dev Whether the holder of a task still has time.
    function _isInTime(Held memory t) private view returns (bool) {
        return block.timestamp < t.deadline;
    }

    /// @dev A market with a moody verifier is in a mood half of the time.
    /// @return alone Whether the verifier now judges single proofs, and whether it judges many `together`.
    function _setMood() private returns (bool alone, bool together) {
        if (address(moody) == address(0)) return (true, true);
        MoodyVerifier.Mood mood = _anyMood();
        MoodyVerifier.Mood batchMood = _anyMood();
        moody.feel(mood, batchMood);
        return (mood == MoodyVerifier.Mood.Honest, batchMood == MoodyVerifier.Mood.Honest);
    }

    function _anyMood() private returns (MoodyVerifier.Mood) {
        return MoodyVerifier.Mood(_oneIn(2) ? 0 : _draw(uint256(type(MoodyVerifier.Mood).max) + 1));
    }

    /// @dev Any open task, by anybody, now and then with a proof of something else or for a neighbour.
    function deliver(uint256 salt) external acts("deliver", salt) {
        if (openTasks.length == 0) return _nothingToTry();
        uint256 number = openTasks[_draw(openTasks.length)];
        Held memory t = tasks[number];
        Delivery memory d = _delivery(t);
        uint256 flaw = _draw(16);
        if (flaw == 0) d.proof[0] ^= 0x01;
        else if (flaw == 1) d.dataHash = ~d.dataHash;
        else if (flaw == 2) d.task.seat ^= 1;
        else if (flaw == 3) d.publicInputs[0] ^= 1;
        (bool judged,) = _setMood();
        bool good = judged && flaw > 3 && _isInTime(t);
        bytes memory call = abi.encodeCall(market.deliver, (id, d));
        bool ok = _try(_anyActor(), call);
        require(ok == good, "delivered exactly before the holder's deadline, with a proof of the task");
        if (ok) {
            _bookDelivery(number);
            require(!_try(_anyActor(), call), "a task is paid once");
        }
        _succeeded(ok);
    }

    /// @dev Up to six of one round and circuit: open, ended, the same twice, and with bad proofs. What can be delivered is, and nothing
    /// else.
    function deliverBatch(uint256 salt) external acts("deliverBatch", salt) {
        if (openTasks.length == 0) return _nothingToTry();
        uint256[] memory numbers = _alike(openTasks[_draw(openTasks.length)]);
        DeliveryBatch memory batch;
        Held memory t = tasks[numbers[0]];
        batch.round = t.round;
        batch.circuit = circuitOf(_entry(t).size);
        batch.deliveries = new BatchedTask[](numbers.length);
        bool[] memory bad = new bool[](numbers.length);
        for (uint256 k; k < numbers.length; ++k) {
            t = tasks[numbers[k]];
            Delivery memory d = _delivery(t);
            bad[k] = _oneIn(6);
            if (bad[k]) d.proof[0] ^= 0x01;
            batch.put(k, d, rounds[t.round].leaves, t.leaf);
        }
        (bool alone, bool together) = _setMood();
        uint256 expected = alone || together ? _deliverable(numbers, bad) : 0;
        _sendBatch(batch, numbers, expected);
        _succeeded(expected != 0);
    }

    function _sendBatch(DeliveryBatch memory batch, uint256[] memory numbers, uint256 expected) private {
        vm.prank(_anyActor());
        (bool ok, bytes memory answer) =
            address(market).call(abi.encodeCall(market.deliverBatch, (id, batch)));
        require(ok == (expected != 0), "a batch goes through if one of its deliveries does");
        if (!ok) return;
        require(abi.decode(answer, (uint256)) == expected, "what can be delivered is, and nothing else");
        for (uint256 k; k < numbers.length; ++k) {
            if ((expected >> k) & 1 != 0) _bookDelivery(numbers[k]);
        }
    }

    /// @dev Tasks that fit into one batch with the given one, from all that there ever were.
    function _alike(uint256 number) private returns (uint256[] memory list) {
        list = new uint256[](MANY);
        list[0] = number;
        uint256 n = 1;
        uint32 round = tasks[number].round;
        uint32 size = _entry(tasks[number]).size;
        uint256 from = tasks.length > 60 ? tasks.length - 60 : 0;
        for (uint256 i = from; i < tasks.length && n < MANY; ++i) {
            Held storage t = tasks[i];
            if (t.round != round || _entry(t).size != size) continue;
            if (i == number ? _oneIn(4) : t.end == End.None || _oneIn(3)) list[n++] = i;
        }
        assembly ("memory-safe") {
            mstore(list, n)
        }
    }

    /// @return bitmap Which of them can be delivered; of the same task the first with a good proof.
    function _deliverable(uint256[] memory numbers, bool[] memory bad) private view returns (uint256 bitmap) {
        for (uint256 k; k < numbers.length; ++k) {
            Held memory t = tasks[numbers[k]];
            if (bad[k] || t.end != End.None || !_isInTime(t)) continue;
            bool before;
            for (uint256 i; i < k; ++i) {
                if (numbers[i] == numbers[k] && (bitmap >> i) & 1 != 0) before = true;
            }
            if (!before) bitmap |= uint256(1) << k;
        }
    }

    /// @dev By any seat's prover. Refused before the default, after the end, to who held the task before, and where the free capacity may
    /// still be won by the round that closed last.
    function takeOver(uint256 salt) external acts("takeOver", salt) {
        if (openTasks.length == 0) return _nothingToTry();
        if (!_oneIn(3)) _makeWayForTakeovers();
        uint256 number = _defaulted(_draw(openTasks.length));
        Held memory t = tasks[number];
        Placed memory e = _entry(t);
        uint256 seat_ = _anyTaker(t, e.size);
        if (seat_ >= seats.length) return;
        (Task memory task, bytes32[] memory path) = _task(t);
        bool good = !_isInTime(t) && block.timestamp < finalAt(t.round) && t.takers < params.maxTakeovers
            && !_held(t, seat_) && _freeForTakeover(seat_) >= e.size;
        bool ok = _try(seats[seat_].prover, abi.encodeCall(market.takeOver, (id, task, path, seat_)));
        require(ok == good, "taken over exactly between default and end, with capacity that is free");
        if (ok) _bookTakeover(number, seat_, e.size);
        _succeeded(ok);
    }

    /// @dev A seat that can take it, if there is one, three of four times.
    function _anyTaker(Held memory t, uint256 size) private returns (uint256 seat_) {
        uint256 any = _anySeat();
        if (any >= seats.length || _oneIn(4)) return any;
        for (uint256 i; i < seats.length; ++i) {
            seat_ = (any + i) % seats.length;
            bool fits = seats[seat_].prover != address(0) && !_held(t, seat_);
            if (fits && _freeForTakeover(seat_) >= size) return seat_;
        }
        return any;
    }

    function _bookTakeover(uint256 number, uint256 seat_, uint32 size) private {
        Held storage t = tasks[number];
        ++t.takers;
        t.holders |= seat_ << (8 * t.takers);
        uint256 deadline = block.timestamp + params.takeoverPeriod;
        uint256 end = finalAt(t.round);
        t.deadline = uint40(deadline < end ? deadline : end);
        seats[seat_].free -= size;
    }

    function _held(Held memory t, uint256 seat_) private pure returns (bool) {
        for (uint256 i; i <= t.takers; ++i) {
            if (_holder(t, i) == seat_) return true;
        }
        return false;
    }

    /// @dev By chance few takeovers would be in time, and find capacity that no unsettled round may win. If no task is in default the next one soon
    /// is, and the round that closed last is settled if it can be.
    function _makeWayForTakeovers() private {
        uint256 next = _nextDeadline();
        if (_isInTime(tasks[_defaulted(0)]) && next <= block.timestamp + 40) {
            vm.warp(next);
            catchUp();
        }
        uint256 current = openRound();
        if (current != 0 && isSettleable(current - 1)) _settle(current - 1);
    }

    /// @dev When the next task is in default unless it is delivered.
    function _nextDeadline() internal view returns (uint256 next) {
        next = type(uint256).max;
        for (uint256 i; i < openTasks.length; ++i) {
            uint256 deadline = tasks[openTasks[i]].deadline;
            if (block.timestamp < deadline && deadline < next) next = deadline;
        }
    }

    /// @dev The number of a task in default, if there is one, from a place in the list on.
    function _defaulted(uint256 start) private view returns (uint256 number) {
        for (uint256 i; i < openTasks.length; ++i) {
            number = openTasks[(start + i) % openTasks.length];
            if (!_isInTime(tasks[number]) && block.timestamp < finalAt(tasks[number].round)) return number;
        }
    }

    /// @dev Now and then by somebody who does not say what is behind the ticket, which takes longer and refunds nobody.
    function expire(uint256 salt) external acts("expire", salt) {
        if (openTasks.length == 0) return _nothingToTry();
        _succeeded(_expire(_oldest(), !_oneIn(4)));
    }

    /// @dev The oldest, two of three times: the others are seldom over.
    function _oldest() private returns (uint256 number) {
        number = openTasks[_draw(openTasks.length)];
        if (_oneIn(3)) return number;
        for (uint256 i; i < openTasks.length; ++i) {
            if (tasks[openTasks[i]].round < tasks[number].round) number = openTasks[i];
        }
    }

    function _expire(uint256 number, bool named) internal returns (bool ok) {
        Held memory t = tasks[number];
        (Task memory task, bytes32[] memory path) = _task(t);
        uint256 from = finalAt(t.round);
        if (!named) {
            task = _unnamed(task, t);
            from += from - settleBy(t.round);
        }
        bytes memory call = abi.encodeCall(market.expire, (id, task, path));
        ok = _try(_anyActor(), call);
        require(ok == (block.timestamp >= from), "expired exactly from the end on");
        if (!ok) return false;
        require(!_try(_anyActor(), call), "a task ends once");
        _bookExpiry(number, named);
    }
}
