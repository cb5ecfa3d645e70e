// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ERC20} from "solady/tokens/ERC20.sol";

/// @notice A whole ERC-20 with six decimals, as the large stablecoins have; anybody can make more of it.
contract Cent is ERC20 {
    function name() public pure override returns (string memory) {
        return "Cent";
    }

    function symbol() public pure override returns (string memory) {
        return "CENT";
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}
