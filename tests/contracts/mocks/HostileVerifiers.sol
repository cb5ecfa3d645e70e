// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IProofVerifier} from "../../../contracts/interfaces/IProofVerifier.sol";
import {CircuitId, toCircuitId} from "../../../contracts/types/CircuitId.sol";

/// @notice A verifier whose registry behaves, with one circuit of the given size, so that a market takes bids on it. How
/// `verify` misbehaves is the heir's matter. Each heir answers as if every proof were valid wherever its answer can be
/// mistaken for one, so that a market which takes the answer for a verification pays out.
abstract contract HostileVerifier is IProofVerifier {
    uint32 private immutable UNITS;

    constructor(uint32 units) {
        UNITS = units;
    }

    function isCircuit(CircuitId circuit) external view returns (bool) {
        return circuit == toCircuitId(0, UNITS);
    }

    function circuitCount() external pure returns (uint256) {
        return 1;
    }

    function circuitAt(uint256) external view returns (CircuitId) {
        return toCircuitId(0, UNITS);
    }
}

/// @notice Reverts with data.
contract RevertingVerifier is HostileVerifier {
    error Unwilling(uint256 answer);

    constructor(uint32 units) HostileVerifier(units) {}

    function verify(CircuitId, uint256[] calldata, bytes calldata) external pure returns (bool) {
        // The first word of the returned data is not zero, its last is one.
        revert Unwilling(1);
    }
}

/// @notice Reverts with one word that reads as `true`.
contract RevertingTrueVerifier is HostileVerifier {
    constructor(uint32 units) HostileVerifier(units) {}

    function verify(CircuitId, uint256[] calldata, bytes calldata) external pure returns (bool) {
        assembly ("memory-safe") {
            mstore(0x00, 1)
            revert(0x00, 0x20)
        }
    }
}

/// @notice Burns all gas it is given.
contract BurningVerifier is HostileVerifier {
    constructor(uint32 units) HostileVerifier(units) {}

    function verify(CircuitId, uint256[] calldata, bytes calldata) external pure returns (bool) {
        assembly ("memory-safe") {
            invalid()
        }
    }
}

/// @notice Finds a proof valid if it has all of this gas to look at it, but for what it takes to get there.
contract CostlyVerifier is HostileVerifier {
    uint256 private immutable GAS;

    constructor(uint32 units, uint256 gas_) HostileVerifier(units) {
        GAS = gas_;
    }

    function verify(CircuitId, uint256[] calldata, bytes calldata) external view returns (bool) {
        return gasleft() > GAS - 1000;
    }
}

/// @notice Answers 2, which is neither true nor false.
contract TwoVerifier is HostileVerifier {
    constructor(uint32 units) HostileVerifier(units) {}

    function verify(CircuitId, uint256[] calldata, bytes calldata) external pure returns (bool) {
        assembly ("memory-safe") {
            mstore(0x00, 2)
            return(0x00, 0x20)
        }
    }
}

/// @notice Answers with the single byte 1.
contract OneByteVerifier is HostileVerifier {
    constructor(uint32 units) HostileVerifier(units) {}

    function verify(CircuitId, uint256[] calldata, bytes calldata) external pure returns (bool) {
        assembly ("memory-safe") {
            mstore8(0x00, 1)
            return(0x00, 0x01)
        }
    }
}

/// @notice Answers with 1 MB of zeros, or as much of it as the gas pays for: a caller that copies it pays again.
contract OneMegabyteVerifier is HostileVerifier {
    constructor(uint32 units) HostileVerifier(units) {}

    function verify(CircuitId, uint256[] calldata, bytes calldata) external pure returns (bool) {
        assembly {
            return(0x00, 1000000)
        }
    }
}

/// @notice Reverts with 1 MB of zeros.
contract OneMegabyteRevertingVerifier is HostileVerifier {
    constructor(uint32 units) HostileVerifier(units) {}

    function verify(CircuitId, uint256[] calldata, bytes calldata) external pure returns (bool) {
        assembly {
            revert(0x00, 1000000)
        }
    }
}

/// @notice Succeeds without an answer, as a call to an account without code does.
contract SilentVerifier is HostileVerifier {
    constructor(uint32 units) HostileVerifier(units) {}

    function verify(CircuitId, uint256[] calldata, bytes calldata) external pure returns (bool) {
        assembly ("memory-safe") {
            return(0x00, 0x00)
        }
    }
}

/// @notice Calls back, and answers true exactly if the call succeeded. Not declared `view`, and so not an heir of the
/// interface: what keeps it from changing anything has to be the caller.
contract ReenteringVerifier {
    uint32 private immutable UNITS;

    address private _target;
    bytes private _data;

    constructor(uint32 units) {
        UNITS = units;
    }

    /// @notice What to call from within `verify`.
    function aim(address target, bytes calldata data) external {
        _target = target;
        _data = data;
    }

    function verify(CircuitId, uint256[] calldata, bytes calldata) external returns (bool success) {
        (success,) = _target.call(_data);
    }

    function isCircuit(CircuitId circuit) external view returns (bool) {
        return circuit == toCircuitId(0, UNITS);
    }

    function circuitCount() external pure returns (uint256) {
        return 1;
    }

    function circuitAt(uint256) external view returns (CircuitId) {
        return toCircuitId(0, UNITS);
    }
}
