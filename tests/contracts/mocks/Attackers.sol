// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice An account that is a contract: acts as told, and tries one call whenever it is paid or called back.
contract Attacker {
    address public immutable target;
    bytes public attack;
    bool public revertsWhenPaid;
    uint256 public attempts;
    uint256 public successes;
    bytes4 public lastError;

    constructor(address target_) {
        target = target_;
    }

    function plan(bytes calldata attack_, bool revertsWhenPaid_) external {
        (attack, revertsWhenPaid) = (attack_, revertsWhenPaid_);
    }

    /// @notice Makes a call of its own, reverting as it does.
    function act(address to, uint256 value, bytes calldata data) external payable returns (bytes memory) {
        (bool ok, bytes memory answer) = to.call{value: value}(data);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(answer, 0x20), mload(answer))
            }
        }
        return answer;
    }

    function beforeTokens() external {
        _strike();
    }

    receive() external payable {
        require(!revertsWhenPaid, "no money, please");
        _strike();
    }

    function _strike() private {
        if (attack.length == 0) return;
        ++attempts;
        (bool ok, bytes memory answer) = target.call(attack);
        if (ok) ++successes;
        else lastError = bytes4(answer);
    }
}

/// @notice Leaves its balance to an address that cannot refuse it.
contract Forcer {
    constructor(address payable to) payable {
        selfdestruct(to);
    }
}
