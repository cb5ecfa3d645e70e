// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice An ERC-20 that behaves; each heir has one habit of tokens found on chain.
contract PlainToken {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external virtual returns (bool) {
        return _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external virtual returns (bool) {
        allowance[from][msg.sender] -= amount;
        return _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) internal virtual returns (bool) {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        return true;
    }
}

contract NoReturnToken is PlainToken {
    function _move(address from, address to, uint256 amount) internal override returns (bool) {
        super._move(from, to, amount);
        assembly ("memory-safe") {
            return(0, 0)
        }
    }
}

contract FalseToken is PlainToken {
    bool public refuses = true;

    function relent() external {
        refuses = !refuses;
    }

    function _move(address from, address to, uint256 amount) internal override returns (bool) {
        return refuses ? false : super._move(from, to, amount);
    }
}

/// @notice Keeps one part in a hundred of what is moved.
contract FeeToken is PlainToken {
    function _move(address from, address to, uint256 amount) internal override returns (bool) {
        balanceOf[from] -= amount;
        balanceOf[to] += amount - amount / 100;
        return true;
    }
}

/// @notice Delivers more than asked for.
contract GenerousToken is PlainToken {
    function _move(address from, address to, uint256 amount) internal override returns (bool) {
        balanceOf[from] -= amount;
        balanceOf[to] += amount + 1;
        return true;
    }
}

/// @notice Lets balances be changed from outside, as a rebase does.
contract RebasingToken is PlainToken {
    function rebase(address account, uint256 balance) external {
        balanceOf[account] = balance;
    }
}

/// @notice Calls its sender back in the middle of a transfer, as ERC-777 does.
contract CallbackToken is PlainToken {
    function _move(address from, address to, uint256 amount) internal override returns (bool) {
        _tell(from);
        super._move(from, to, amount);
        _tell(to);
        return true;
    }

    /// @dev An account without the hook is fine.
    function _tell(address account) private {
        if (account.code.length == 0) return;
        (bool heard,) = account.call(abi.encodeCall(Callback.beforeTokens, ()));
        heard;
    }
}

interface Callback {
    function beforeTokens() external;
}
