// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SSTORE2} from "solady/utils/SSTORE2.sol";

import {IGroth16Verifier} from "../interfaces/IGroth16Verifier.sol";
import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {Bn254, G1Point, G2Point} from "../libraries/Bn254.sol";
import {CircuitId, toCircuitId} from "../types/CircuitId.sol";

/// @title Groth16 proofs over BN254
/// @dev The contract has no storage. All keys lie one after the other in the code of a data contract; where each ends and
/// how large each circuit is are immutables, so that `isCircuit`, which programs ask before a bid, reads nothing.
contract Groth16Verifier is IGroth16Verifier {
    using Bn254 for G1Point;
    using Bn254 for G2Point;

    /// @dev The part of a key that every circuit has, in the order of its words.
    struct KeyHead {
        G1Point alpha;
        G2Point beta;
        G2Point gamma;
        G2Point delta;
    }

    /// @dev Sixteen ends of 16 bits fill one immutable, sixteen sizes of 32 bits two.
    uint256 private constant MAX_CIRCUITS = 16;

    /// @dev A contract's code is at most 24,576 bytes (EIP-170), of which SSTORE2 uses one.
    uint256 private constant MAX_KEYS_LENGTH = 24_575;

    uint256 private constant PROOF_LENGTH = 8 * 32;

    uint256 private constant HEAD_LENGTH = 14 * 32;
    uint256 private constant G1_LENGTH = 2 * 32;
    /// @dev A key without public inputs.
    uint256 private constant MIN_KEY_LENGTH = HEAD_LENGTH + G1_LENGTH;

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
            if (length < MIN_KEY_LENGTH || (length - MIN_KEY_LENGTH) % G1_LENGTH != 0) {
                revert WrongKeyLength(i, length, MIN_KEY_LENGTH);
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
        if (publicInputs.length != _inputCount(start, end)) return false;
        for (uint256 i = 0; i < publicInputs.length; ++i) {
            if (publicInputs[i] >= Bn254.R) return false;
        }

        return _holds(start, publicInputs, proof);
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
        return _inputCount(start, end);
    }

    /// @inheritdoc IGroth16Verifier
    function verifyingKey(uint256 index) external view returns (bytes memory) {
        _requireCircuit(index);
        (uint256 start, uint256 end) = _span(index);
        return SSTORE2.read(KEYS, start, end);
    }

    /// @dev The equation e(-A, B) * e(alpha, beta) * e(statement, gamma) * e(C, delta) = 1. The key starts at `start`.
    function _holds(uint256 start, uint256[] calldata publicInputs, bytes calldata proof)
        private
        view
        returns (bool)
    {
        G1Point[4] memory left;
        G2Point[4] memory right;
        (left[0], right[0], left[3]) = abi.decode(proof, (G1Point, G2Point, G1Point));
        // Negation needs coordinates in range. Of all others the precompile requires it.
        if (left[0].x >= Bn254.P || left[0].y >= Bn254.P) return false;
        left[0] = left[0].negate();

        KeyHead memory key = _readHead(start);
        (left[1], right[1], right[2], right[3]) = (key.alpha, key.beta, key.gamma, key.delta);
        left[2] = _statement(start + HEAD_LENGTH, publicInputs);
        return Bn254.pairsToOne(left, right);
    }

    /// @dev IC[0] + sum of publicInputs[i] * IC[i + 1]; `start` is the position of IC in the data (bytes).
    function _statement(uint256 start, uint256[] calldata publicInputs)
        private
        view
        returns (G1Point memory sum)
    {
        sum = _readG1(start);
        for (uint256 i = 0; i < publicInputs.length; ++i) {
            G1Point memory term = _readG1(start + (i + 1) * G1_LENGTH).mul(publicInputs[i]);
            sum = sum.add(term);
        }
    }

    function _readHead(uint256 start) private view returns (KeyHead memory) {
        return abi.decode(SSTORE2.read(KEYS, start, start + HEAD_LENGTH), (KeyHead));
    }

    function _readG1(uint256 start) private view returns (G1Point memory) {
        return abi.decode(SSTORE2.read(KEYS, start, start + G1_LENGTH), (G1Point));
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

    /// @dev The constructor has checked that a key holds one point more than there are inputs.
    function _inputCount(uint256 start, uint256 end) private pure returns (uint256) {
        return (end - start - HEAD_LENGTH) / G1_LENGTH - 1;
    }

    /// @dev Reads the key back as `verify` does, so that what is checked is what will be used.
    /// Infinity is refused everywhere: as gamma or delta it lets anyone forge, as a point of IC it makes a public input
    /// mean nothing.
    function _checkKey(uint256 index) private view {
        (uint256 start, uint256 end) = _span(index);
        KeyHead memory key = _readHead(start);
        if (!key.alpha.isValid()) revert InvalidKeyPoint(index, 0);
        if (!key.beta.isValid()) revert InvalidKeyPoint(index, 2);
        if (!key.gamma.isValid()) revert InvalidKeyPoint(index, 6);
        if (!key.delta.isValid()) revert InvalidKeyPoint(index, 10);
        if (keccak256(abi.encode(key.gamma)) == keccak256(abi.encode(key.delta))) {
            revert UnfinishedKey(index);
        }
        for (uint256 at = start + HEAD_LENGTH; at < end; at += G1_LENGTH) {
            if (!_readG1(at).isValid()) revert InvalidKeyPoint(index, (at - start) / 32);
        }
    }
}
