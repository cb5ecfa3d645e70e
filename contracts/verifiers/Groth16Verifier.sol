// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SSTORE2} from "solady/utils/SSTORE2.sol";

import {IBatchVerifier} from "../interfaces/IBatchVerifier.sol";
import {IGroth16Verifier} from "../interfaces/IGroth16Verifier.sol";
import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {Bn254, G1Point, G2Point} from "../libraries/Bn254.sol";
import {Groth16Batch} from "../libraries/Groth16Batch.sol";
import {Groth16Key} from "../libraries/Groth16Key.sol";
import {CircuitId, toCircuitId} from "../types/CircuitId.sol";

/// @title Groth16 proofs over BN254
/// @dev The contract has no storage. All keys lie one after the other in the code of a data contract; where each ends and
/// how large each circuit is are immutables, so that `isCircuit`, which programs ask before a bid, reads nothing, and a
/// verification reads its key at once.
contract Groth16Verifier is IGroth16Verifier {
    using Bn254 for G1Point;
    using Bn254 for G2Point;

    /// @dev Sixteen ends of 16 bits fill one immutable, sixteen sizes of 32 bits two.
    uint256 private constant MAX_CIRCUITS = 16;

    /// @dev A contract's code is at most 24,576 bytes (EIP-170), of which SSTORE2 uses one.
    uint256 private constant MAX_KEYS_LENGTH = 24_575;

    uint256 private constant PROOF_LENGTH = 8 * 32;

    uint256 private immutable COUNT;
    address private immutable KEYS;
    /// @dev End of key i in the data (bytes), 16 bits each, the first circuit lowest.
    uint256 private immutable ENDS;
    /// @dev Size of circuit i (units), 32 bits each: 0 to 7 and 8 to 15, the first circuit lowest.
    uint256 private immutable UNITS_LOW;
    uint256 private immutable UNITS_HIGH;

    constructor(Circuit[] memory circuits) {
        uint256 count = circuits.length;
        if (count == 0 || count > MAX_CIRCUITS) revert WrongNumberOfCircuits(count, MAX_CIRCUITS);

        bytes memory keys;
        uint256 ends;
        uint256[2] memory unitWords;
        for (uint256 i = 0; i < count; ++i) {
            Circuit memory circuit = circuits[i];
            if (circuit.units == 0) revert ZeroUnits(i);
            uint256 length = circuit.verifyingKey.length;
            uint256 least = Groth16Key.MIN_LENGTH;
            if (length < least || (length - least) % Groth16Key.G1_LENGTH != 0) {
                revert WrongKeyLength(i, length, least);
            }
            keys = bytes.concat(keys, circuit.verifyingKey);
            if (keys.length > MAX_KEYS_LENGTH) revert KeysTooLong(keys.length, MAX_KEYS_LENGTH);
            // The length was just found to fit 16 bits.
            ends |= keys.length << (16 * i);
            unitWords[i / 8] |= uint256(circuit.units) << (32 * (i % 8));
        }

        COUNT = count;
        KEYS = SSTORE2.write(keys);
        ENDS = ends;
        UNITS_LOW = unitWords[0];
        UNITS_HIGH = unitWords[1];

        for (uint256 i = 0; i < count; ++i) {
            _checkKey(i);
        }
    }

    /// @inheritdoc IProofVerifier
    function verify(CircuitId circuit, uint256[] calldata publicInputs, bytes calldata proof)
        external
        view
        returns (bool)
    {
        if (!_isCircuit(circuit) || proof.length != PROOF_LENGTH) return false;
        (uint256 start, uint256 end) = _span(circuit.index());
        if (publicInputs.length != Groth16Key.inputCount(end - start)) return false;
        for (uint256 i = 0; i < publicInputs.length; ++i) {
            if (publicInputs[i] >= Bn254.R) return false;
        }

        return _holds(SSTORE2.read(KEYS, start, end), publicInputs, proof);
    }

    /// @inheritdoc IBatchVerifier
    function verifyBatch(CircuitId circuit, uint256[] calldata publicInputs, bytes calldata proofs)
        external
        view
        returns (bytes4 answer, uint256 valid)
    {
        answer = IBatchVerifier.verifyBatch.selector;
        if (!_isCircuit(circuit)) return (answer, 0);
        // slither-disable-next-line divide-before-multiply -- what is left over is refused
        uint256 count = proofs.length / PROOF_LENGTH;
        if (count == 0 || count > Groth16Batch.MAX_PROOFS || proofs.length % PROOF_LENGTH != 0) {
            return (answer, 0);
        }
        (uint256 start, uint256 end) = _span(circuit.index());
        uint256 inputCount = Groth16Key.inputCount(end - start);
        if (publicInputs.length != count * inputCount) return (answer, 0);
        valid = Groth16Batch.check(SSTORE2.read(KEYS, start, end), inputCount, publicInputs, proofs);
    }

    /// @inheritdoc IProofVerifier
    function isCircuit(CircuitId circuit) external view returns (bool) {
        return _isCircuit(circuit);
    }

    /// @inheritdoc IProofVerifier
    function circuitCount() external view returns (uint256) {
        return COUNT;
    }

    /// @inheritdoc IProofVerifier
    function circuitAt(uint256 index) external view returns (CircuitId) {
        _requireCircuit(index);
        // `index` is below MAX_CIRCUITS.
        // forge-lint: disable-next-line(unsafe-typecast)
        return toCircuitId(uint32(index), _units(index));
    }

    /// @inheritdoc IGroth16Verifier
    function publicInputCount(uint256 index) external view returns (uint256) {
        _requireCircuit(index);
        (uint256 start, uint256 end) = _span(index);
        return Groth16Key.inputCount(end - start);
    }

    /// @inheritdoc IGroth16Verifier
    function verifyingKey(uint256 index) external view returns (bytes memory) {
        _requireCircuit(index);
        (uint256 start, uint256 end) = _span(index);
        return SSTORE2.read(KEYS, start, end);
    }

    /// @dev The equation e(-A, B) * e(alpha, beta) * e(statement, gamma) * e(C, delta) = 1.
    function _holds(bytes memory key, uint256[] calldata publicInputs, bytes calldata proof)
        private
        view
        returns (bool)
    {
        (G1Point memory a, G2Point memory b, G1Point memory c) =
            abi.decode(proof, (G1Point, G2Point, G1Point));
        // Negation needs coordinates in range. Of all others the precompile requires it.
        if (a.x >= Bn254.P || a.y >= Bn254.P) return false;
        uint256[24] memory pairs;
        _write(pairs, 0, a.negate(), b);
        _write(pairs, 1, Groth16Key.alpha(key), Groth16Key.beta(key));
        _write(pairs, 2, _statement(key, publicInputs), Groth16Key.gamma(key));
        _write(pairs, 3, c, Groth16Key.delta(key));
        uint256 at;
        assembly ("memory-safe") {
            at := pairs
        }
        return Bn254.pairsToOne(at, 4);
    }

    function _write(uint256[24] memory pairs, uint256 i, G1Point memory a, G2Point memory b) private pure {
        i *= 6;
        (pairs[i], pairs[i + 1]) = (a.x, a.y);
        (pairs[i + 2], pairs[i + 3], pairs[i + 4], pairs[i + 5]) =
        (b.xImaginary, b.xReal, b.yImaginary, b.yReal);
    }

    /// @dev IC[0] + sum of publicInputs[i] * IC[i + 1].
    function _statement(bytes memory key, uint256[] calldata publicInputs)
        private
        view
        returns (G1Point memory sum)
    {
        sum = Groth16Key.ic(key, 0);
        for (uint256 i = 0; i < publicInputs.length; ++i) {
            sum = sum.add(Groth16Key.ic(key, i + 1).mul(publicInputs[i]));
        }
    }

    function _requireCircuit(uint256 index) private view {
        if (index >= COUNT) revert NoSuchCircuit(index, COUNT);
    }

    function _isCircuit(CircuitId circuit) private view returns (bool) {
        return circuit.index() < COUNT && circuit.units() == _units(circuit.index());
    }

    /// @dev `index` must be below `COUNT`.
    function _units(uint256 index) private view returns (uint32) {
        uint256 word = index < 8 ? UNITS_LOW : UNITS_HIGH;
        // The cast keeps the 32 bits that are meant.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint32(word >> (32 * (index % 8)));
    }

    /// @dev Where the key of a circuit starts and ends in the data (bytes). `index` must be below `COUNT`.
    function _span(uint256 index) private view returns (uint256 start, uint256 end) {
        start = index == 0 ? 0 : (ENDS >> (16 * (index - 1))) & type(uint16).max;
        end = (ENDS >> (16 * index)) & type(uint16).max;
    }

    /// @dev Reads the key back as `verify` does, so that what is checked is what will be used.
    /// Infinity is refused everywhere: as gamma or delta it lets anyone forge, as a point of IC it makes a public input
    /// mean nothing.
    function _checkKey(uint256 index) private view {
        (uint256 start, uint256 end) = _span(index);
        bytes memory key = SSTORE2.read(KEYS, start, end);
        if (!Groth16Key.alpha(key).isValid()) revert InvalidKeyPoint(index, 0);
        if (!Groth16Key.beta(key).isValid()) revert InvalidKeyPoint(index, 2);
        if (!Groth16Key.gamma(key).isValid()) revert InvalidKeyPoint(index, 6);
        if (!Groth16Key.delta(key).isValid()) revert InvalidKeyPoint(index, 10);
        if (keccak256(abi.encode(Groth16Key.gamma(key))) == keccak256(abi.encode(Groth16Key.delta(key)))) {
            revert UnfinishedKey(index);
        }
        for (uint256 i = 0; i <= Groth16Key.inputCount(key.length); ++i) {
            if (!Groth16Key.ic(key, i).isValid()) revert InvalidKeyPoint(index, 14 + 2 * i);
        }
    }
}
