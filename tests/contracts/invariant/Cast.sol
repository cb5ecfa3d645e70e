// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {CallbackPermitToken} from "../mocks/CallbackPermitToken.sol";

/// @notice Who takes part in all markets of a suite.
struct Cast {
    /// Ordinary accounts, and their keys in the same order.
    address[] people;
    uint256[] keys;
    /// Reverts whenever native currency reaches it.
    address refuser;
    /// Contracts that bid by signature (ERC-1271); the first `goodWallets` accept what they should, the rest misbehave.
    address[] wallets;
    uint256 goodWallets;
    /// The token of all markets that are not in the native currency.
    CallbackPermitToken token;
}
