// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";
import {BidWord, BidWordLib} from "./BidWord.sol";
import {CircuitId} from "./CircuitId.sol";

/// @notice A task to bid for.
struct NewBid {
    /// Unit fee offered (ticks per unit), at least 1.
    uint64 fee;
    /// The circuit whose proof is asked for; its size in units is part of the id.
    CircuitId circuit;
    /// The statement to be proved, besides the circuit.
    uint256[] publicInputs;
    /// What a prover needs to build the witness. Published in the event and bound to the bid by its hash.
    bytes data;
}

/// @notice A winning task, as named by whoever delivers it, takes it over or expires it. Everything in it is checked
/// against the round's assignment root.
struct Task {
    /// Round in which the bid won.
    uint32 round;
    /// Index of the bid in the round.
    uint32 index;
    /// Seat of the prover that the task was assigned to.
    uint8 seat;
    /// Unit fee of the bid (ticks per unit).
    uint64 fee;
    /// Circuit of the bid.
    CircuitId circuit;
    /// Who posted the bid.
    address requester;
    /// keccak256 of the public inputs, 32 bytes each.
    bytes32 inputsHash;
    /// keccak256 of the data published with the bid.
    bytes32 dataHash;
}

/// @notice Where a winning task stands.
enum TaskStatus {
    /// The holder (assigned prover or last taker) can deliver.
    Assigned,
    /// The holder missed its deadline; the task can be taken over.
    Defaulted,
    /// Nobody can deliver any more; it waits to be expired.
    Expirable,
    /// Proved and paid.
    Delivered,
    /// Ended without a proof.
    Expired
}

using TaskLib for Task global;

library TaskLib {
    function word(Task calldata t) internal pure returns (BidWord) {
        return wordOf(t.fee, t.circuit, t.requester, t.inputsHash, t.dataHash);
    }

    function wordOf(uint64 fee, CircuitId circuit, address requester, bytes32 inputsHash, bytes32 dataHash)
        internal
        pure
        returns (BidWord)
    {
        return
            BidWordLib.pack(fee, circuit.units(), BidWordLib.ticket(requester, circuit, inputsHash, dataHash));
    }

    /// @notice Leaf of the assignment tree: who proves which bid.
    /// @dev Three words, where an inner node hashes two: a node is never taken for a leaf.
    function leaf(BidWord word_, uint256 index, uint256 seat) internal pure returns (bytes32) {
        return EfficientHashLib.hash(BidWord.unwrap(word_), bytes32(index), bytes32(seat));
    }
}
