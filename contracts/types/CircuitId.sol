// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice Names a circuit of a verifier and states its size: `(index << 32) | units`.
/// @dev `index` is the circuit's position in its verifier's registry, counted from 0; `units` is its size in units, at
/// least 1. The size travels inside the id so that a market learns it without a call, but only the verifier can tell
/// whether such a circuit exists: ask `IProofVerifier.isCircuit` before trusting `units()`.
type CircuitId is uint64;

using {index, units, equals as ==, differs as !=} for CircuitId global;

/// @notice The id of the circuit at `index_` whose size is `units_` units.
function toCircuitId(uint32 index_, uint32 units_) pure returns (CircuitId) {
    return CircuitId.wrap((uint64(index_) << 32) | units_);
}

/// @notice Position in the verifier's registry, counted from 0.
function index(CircuitId id) pure returns (uint32) {
    // Shifting a uint64 right by 32 leaves 32 bits.
    return uint32(CircuitId.unwrap(id) >> 32);
}

/// @notice Size of one proof of this circuit, in units.
function units(CircuitId id) pure returns (uint32) {
    // The low 32 bits are the size; the cast drops the index on purpose.
    return uint32(CircuitId.unwrap(id));
}

function equals(CircuitId a, CircuitId b) pure returns (bool) {
    return CircuitId.unwrap(a) == CircuitId.unwrap(b);
}

function differs(CircuitId a, CircuitId b) pure returns (bool) {
    return CircuitId.unwrap(a) != CircuitId.unwrap(b);
}
