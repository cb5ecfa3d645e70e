// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ERC20} from "solady/tokens/ERC20.sol";
import {Callback} from "./Tokens.sol";

/// @notice Takes signatures for its allowances (EIP-2612), is known to Permit2, and calls both sides of a transfer in the middle of it.
contract CallbackPermitToken is ERC20 {
    function name() public pure override returns (string memory) {
        return "Callback Token";
    }

    function symbol() public pure override returns (string memory) {
        return "CBT";
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function burn(address from, uint256 amount) external {
        _burn(from, amount);
    }

    /// @dev Nobody hears of tokens that are made or burnt.
    function _beforeTokenTransfer(address from, address to, uint256) internal override {
        if (to != address(0)) _tell(from);
    }

    function _afterTokenTransfer(address from, address to, uint256) internal override {
        if (from != address(0)) _tell(to);
    }

    /// @dev An account without the hook is fine.
    function _tell(address account) private {
        if (account.code.length == 0) return;
        (bool heard,) = account.call(abi.encodeCall(Callback.beforeTokens, ()));
        heard;
    }
}
