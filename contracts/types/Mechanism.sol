// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice How a round is cleared; the rules are those of the mechanism document.
enum Mechanism {
    /// One user price and one prover price, truthful for both sides.
    Core,
    /// Requesters pay what they bid, provers the average of it: truthful for provers.
    AverageFee
}
