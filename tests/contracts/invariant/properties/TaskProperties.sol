// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Takeover} from "../../../../contracts/types/Takeover.sol";
import {TaskStatus} from "../../../../contracts/types/Task.sol";
import {SeatProperties} from "./SeatProperties.sol";

/// @notice What must hold of one market's tasks.
abstract contract TaskProperties is SeatProperties {
    function _checkTasks(uint256 last) internal view {
        for (uint256 i; i < openTasks.length; ++i) {
            Held memory t = tasks[openTasks[i]];
            invariant_openTaskIsWhereTimeHasPutIt(t);
            invariant_takersAreThoseWhoTookItInTheirOrder(t);
        }
        uint256 n = endedTasks.length;
        for (uint256 i = n > last ? n - last : 0; i < n; ++i) {
            invariant_taskThatEndedHasEndedForEver(tasks[endedTasks[i]]);
        }
    }

    /// @dev Not delivered or expired by itself; in default exactly from its holder's deadline on.
    function invariant_openTaskIsWhereTimeHasPutIt(Held memory t) internal view {
        TaskStatus expected = block.timestamp >= finalAt(t.round)
            ? TaskStatus.Expirable
            : block.timestamp >= t.deadline ? TaskStatus.Defaulted : TaskStatus.Assigned;
        TaskStatus status = market.taskStatus(id, t.round, t.index);
        assertEq(uint256(status), uint256(expected), "an open task is not where time has put it");
    }

    /// @dev Takers are only added, and the last one's deadline is never later than the task's end.
    function invariant_takersAreThoseWhoTookItInTheirOrder(Held memory t) internal view {
        Takeover takeover = market.takeoverOf(id, t.round, t.index);
        assertEq(takeover.count(), t.takers, "a task has other takers");
        for (uint256 i; i < t.takers; ++i) {
            assertEq(takeover.taker(i), _holder(t, i + 1), "a task has another taker");
        }
        if (t.takers == 0) return;
        assertEq(takeover.deadline(), t.deadline, "a taker has another deadline");
        assertLe(takeover.deadline(), finalAt(t.round), "a taker has time after the end");
    }

    /// @dev One end, and so one payment or one refund.
    function invariant_taskThatEndedHasEndedForEver(Held memory t) internal view {
        TaskStatus expected = t.end == End.Delivered ? TaskStatus.Delivered : TaskStatus.Expired;
        TaskStatus status = market.taskStatus(id, t.round, t.index);
        assertEq(uint256(status), uint256(expected), "a task has another end");
    }
}
