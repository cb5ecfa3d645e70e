// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Forcer} from "../../mocks/Attackers.sol";
import {TaskActions} from "./TaskActions.sol";

/// @notice What happens without anybody's call to the market: time passes, and ether arrives that nobody asked for.
abstract contract TimeActions is TaskActions {
    /// Wei that nobody asked for.
    uint256 public forced;

    /// @dev A while, or to the second before or of the next thing that time does to this market, if that is near.
    function wait(uint256 salt) external acts("wait", salt) {
        uint256 current = openRound();
        if (!_oneIn(3)) _openMost();
        uint256 kind = _draw(7);
        uint256 to = closeAt(current) - _draw(2);
        if (kind == 0 && current != 0) to = revealBy(current - 1) - _draw(2);
        else if (kind == 1 && current != 0) to = settleBy(current - 1) - _draw(2);
        else if (kind < 4) to = _nextDeadline() - _draw(2);
        else to = block.timestamp + _between(1, 25);
        if (to <= block.timestamp || to > block.timestamp + 40) to = block.timestamp + _between(1, 25);
        vm.warp(to);
        _succeeded(true);
    }

    function forceEther(uint256 salt) external acts("forceEther", salt) {
        uint256 amount = _between(1, 1e12);
        vm.deal(address(this), amount);
        new Forcer{value: amount}(payable(address(market)));
        forced += amount;
        _succeeded(true);
    }
}
