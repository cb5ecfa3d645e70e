// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Bn254, G1Point, G2Point} from "./Bn254.sol";
import {Groth16Key} from "./Groth16Key.sol";

/// @title Many Groth16 proofs of one circuit by one pairing check
/// @notice The equations of the proofs are raised to random powers r_i and multiplied:
/// `prod e(r_i * A_i, B_i) = e(s * alpha, beta) * e(sum over inputs j of s_j * IC[j], gamma) * e(sum r_i * C_i, delta)` with
/// `s = s_0 = sum r_i` and `s_(j+1) = sum r_i * x_ij`: n + 3 pairings, where one by one n proofs take 4 n.
///
/// Soundness is that of the small exponents test (Bellare, Garay and Rabin, "Fast Batch Verification for Modular Exponentiation
/// and Digital Signatures", EUROCRYPT 1998; for pairings Camenisch, Hohenberger and Pedersen, "Batch Verification of Short
/// Signatures", EUROCRYPT 2007). Let proof i miss its equation by a factor g^(e_i), in a group of prime order R. The check passes if
/// `sum r_i * e_i = 0`. If an e_j other than e_0 is not 0, then whatever the other r are, at most one of the 2^128 values of
/// r_j does it, as R is above 2^128. If e_0 alone is not 0, none does: r_0 may be 1, and no r is 0. The r follow from one
/// hash over the key and everything that is checked, so that nothing can be chosen once they are known: an error in any
/// proof or statement gives all r anew. Part of a batch is checked with the same r, so the chance of an attempt to have some bad
/// proof accepted is below 2^-119 (at most 2^9 checks of 2^-128), each attempt being a hash.
///
/// @dev All elements must be in groups of order R: A and C are, being on a curve of that order, and the pairing
/// precompile makes sure of B.
/// In assembly where points move between calldata, memory and precompiles; the tests hold the
/// result against `verify` proof by proof.
library Groth16Batch {
    using Bn254 for G1Point;
    using Bn254 for G2Point;

    /// @notice A bit for each proof of the answer.
    uint256 internal constant MAX_PROOFS = 256;

    uint256 private constant PROOF_LENGTH = 0x100;
    uint256 private constant PAIR_LENGTH = 0xc0;
    uint256 private constant G1_LENGTH = 0x40;
    uint256 private constant RECORD_LENGTH = 0x40;

    /// @dev Size of the parts that a batch with a bad proof falls into; those that fail are checked proof by proof. With two
    /// steps the worst batch costs about 1.5 times its proofs one by one, by halving again and again it would be 2.7 times.
    uint256 private constant PART = 8;

    /// @dev The well-formed proofs of a batch, ready to be checked in any part.
    struct Prepared {
        bytes key;
        uint256 inputCount;
        uint256 count;
        /// Where in calldata the statements begin.
        uint256 inputs;
        /// Where in memory each proof's position in the batch and its r lie.
        uint256 records;
        /// Where in memory r_i * A_i and B_i lie, one after the other, with room for three more pairs behind them.
        uint256 pairs;
        /// Where in memory r_i * C_i lie.
        uint256 terms;
    }

    /// @notice Which proofs are valid, as a bitmap. There must be 1 to 256, and as many statements of `inputCount` inputs.
    function check(
        bytes memory key,
        uint256 inputCount,
        uint256[] calldata publicInputs,
        bytes calldata proofs
    ) internal view returns (uint256 valid) {
        Prepared memory p = _prepare(key, inputCount, publicInputs, proofs);
        uint256 count = p.count;
        if (count == 0) return 0;
        if (_holds(p, 0, count)) return _bits(p, 0, count);
        for (uint256 from = 0; from < count; from += PART) {
            uint256 to = from + PART < count ? from + PART : count;
            // A batch of one part has just been checked.
            if (count > PART && _holds(p, from, to)) {
                valid |= _bits(p, from, to);
            } else if (to - from > 1) {
                for (uint256 i = from; i < to; ++i) {
                    if (_holds(p, i, i + 1)) valid |= _bits(p, i, i + 1);
                }
            }
        }
    }

    /// @dev Leaves malformed proofs out: no combination would hold with them.
    function _prepare(
        bytes memory key,
        uint256 inputCount,
        uint256[] calldata publicInputs,
        bytes calldata proofs
    ) private view returns (Prepared memory p) {
        // slither-disable-next-line divide-before-multiply -- the caller has checked that nothing is left over
        uint256 n = proofs.length / PROOF_LENGTH;
        bytes32 seed = _seed(key, publicInputs, proofs);
        p.key = key;
        p.inputCount = inputCount;
        uint256 statement;
        uint256 proof;
        assembly ("memory-safe") {
            statement := publicInputs.offset
            proof := proofs.offset
        }
        p.inputs = statement;
        p.records = _allocate(n * RECORD_LENGTH);
        p.pairs = _allocate((n + 3) * PAIR_LENGTH);
        p.terms = _allocate(n * G1_LENGTH);
        unchecked {
            // Places in calldata and memory, which hold all of this.
            for (uint256 i = 0; i < n; ++i) {
                if (_isWellFormed(proof) && _areInRange(statement, inputCount)) {
                    _add(p, i, proof, i == 0 ? 1 : _challenge(seed, i));
                }
                statement += inputCount * 32;
                proof += PROOF_LENGTH;
            }
        }
    }

    /// @dev Adds a well-formed proof in calldata.
    function _add(Prepared memory p, uint256 position, uint256 proof, uint256 r) private view {
        (uint256 record, uint256 pair, uint256 term) = (p.records, p.pairs, p.terms);
        unchecked {
            // Places in memory that were allocated.
            uint256 count = p.count;
            record += count * RECORD_LENGTH;
            pair += count * PAIR_LENGTH;
            term += count * G1_LENGTH;
            p.count = count + 1;
        }
        assembly ("memory-safe") {
            mstore(record, position)
            mstore(add(record, 0x20), r)
            calldatacopy(add(pair, G1_LENGTH), add(proof, G1_LENGTH), 0x80)
        }
        // The points were found to be valid: what fails, fails for want of gas.
        bool success = _mulCalldata(proof, r, pair);
        success = _mulCalldata(proof + PAIR_LENGTH, r, term) && success;
        if (!success) revert Bn254.PrecompileFailed(Bn254.MUL);
    }

    /// @dev Whether the product over proofs `from` to `to` (not included) holds.
    function _holds(Prepared memory p, uint256 from, uint256 to) private view returns (bool) {
        uint256 pairs = p.pairs;
        uint256 length = (to - from) * PAIR_LENGTH;
        if (to - from != p.count) {
            // The other proofs are still needed: the pairs of the key go behind a copy.
            pairs = _allocate(length + 3 * PAIR_LENGTH);
            uint256 source = p.pairs + from * PAIR_LENGTH;
            assembly ("memory-safe") {
                mcopy(pairs, source, length)
            }
        }
        bytes memory key = p.key;
        uint256[] memory scalars = _scalars(p, from, to);
        G1Point memory statement = Groth16Key.ic(key, 0).mul(scalars[0]);
        for (uint256 j = 1; j < scalars.length; ++j) {
            statement = statement.add(Groth16Key.ic(key, j).mul(scalars[j]));
        }
        uint256 end = pairs + length;
        _writePair(end, Groth16Key.alpha(key).mul(scalars[0]), Groth16Key.beta(key));
        _writePair(end + PAIR_LENGTH, statement, Groth16Key.gamma(key));
        _writePair(end + 2 * PAIR_LENGTH, _sum(p, from, to), Groth16Key.delta(key));
        return Bn254.pairsToOne(pairs, to - from + 3);
    }

    /// @dev The sum of the r, then for each public input the sum of its values times the r.
    function _scalars(Prepared memory p, uint256 from, uint256 to)
        private
        pure
        returns (uint256[] memory scalars)
    {
        scalars = new uint256[](p.inputCount + 1);
        (uint256 order, uint256 records, uint256 inputs) = (Bn254.R, p.records, p.inputs);
        assembly ("memory-safe") {
            let first := add(scalars, 0x20)
            let length := sub(mul(mload(scalars), 0x20), 0x20)
            for { let i := from } lt(i, to) { i := add(i, 1) } {
                let record := add(records, mul(i, RECORD_LENGTH))
                let r := mload(add(record, 0x20))
                mstore(first, addmod(mload(first), r, order))
                let input := add(inputs, mul(mload(record), length))
                let sum := add(first, 0x20)
                for { let end := add(input, length) } lt(input, end) { input := add(input, 0x20) } {
                    mstore(sum, addmod(mload(sum), mulmod(r, calldataload(input), order), order))
                    sum := add(sum, 0x20)
                }
            }
        }
    }

    /// @dev The sum of r_i * C_i.
    function _sum(Prepared memory p, uint256 from, uint256 to) private view returns (G1Point memory sum) {
        uint256 terms = p.terms;
        address precompile = Bn254.ADD;
        bool success = true;
        assembly ("memory-safe") {
            let input := mload(0x40)
            mcopy(input, add(terms, mul(from, G1_LENGTH)), G1_LENGTH)
            for { let i := add(from, 1) } lt(i, to) { i := add(i, 1) } {
                mcopy(add(input, G1_LENGTH), add(terms, mul(i, G1_LENGTH)), G1_LENGTH)
                success := and(success, staticcall(gas(), precompile, input, 0x80, input, G1_LENGTH))
            }
            mcopy(sum, input, G1_LENGTH)
        }
        if (!success) revert Bn254.PrecompileFailed(precompile);
    }

    /// @dev Writes scalar * point to memory; the point is in calldata and valid, or infinity.
    function _mulCalldata(uint256 point, uint256 scalar, uint256 to) private view returns (bool success) {
        address precompile = Bn254.MUL;
        assembly ("memory-safe") {
            switch scalar
            case 1 {
                calldatacopy(to, point, G1_LENGTH)
                success := 1
            }
            default {
                let input := mload(0x40)
                calldatacopy(input, point, G1_LENGTH)
                mstore(add(input, G1_LENGTH), scalar)
                success := staticcall(gas(), precompile, input, 0x60, to, G1_LENGTH)
            }
        }
    }

    /// @dev (-a, b).
    function _writePair(uint256 to, G1Point memory a, G2Point memory b) private pure {
        a = a.negate();
        assembly ("memory-safe") {
            mcopy(to, a, G1_LENGTH)
            mcopy(add(to, G1_LENGTH), b, 0x80)
        }
    }

    /// @dev Whether A and C are on their curve, or infinity, and the coordinates of B in range. The rest shows in the check.
    /// The curve's equation is that of `Bn254.isOnCurve`.
    function _isWellFormed(uint256 proof) private pure returns (bool isIt) {
        uint256 p = Bn254.P;
        assembly ("memory-safe") {
            function isG1(at, field) -> is {
                let x := calldataload(at)
                let y := calldataload(add(at, 0x20))
                let right := addmod(mulmod(mulmod(x, x, field), x, field), 3, field)
                is := or(eq(mulmod(y, y, field), right), iszero(or(x, y)))
                is := and(is, and(lt(x, field), lt(y, field)))
            }
            isIt := and(isG1(proof, p), isG1(add(proof, 0xc0), p))
            isIt := and(isIt, lt(calldataload(add(proof, 0x40)), p))
            isIt := and(isIt, lt(calldataload(add(proof, 0x60)), p))
            isIt := and(isIt, lt(calldataload(add(proof, 0x80)), p))
            isIt := and(isIt, lt(calldataload(add(proof, 0xa0)), p))
        }
    }

    function _areInRange(uint256 statement, uint256 inputCount) private pure returns (bool are) {
        uint256 order = Bn254.R;
        assembly ("memory-safe") {
            are := 1
            for { let end := add(statement, mul(inputCount, 0x20)) } lt(statement, end) {
                statement := add(statement, 0x20)
            } { are := and(are, lt(calldataload(statement), order)) }
        }
    }

    /// @dev Over the key, all statements and all proofs, malformed ones included. The key's length fixes the number of inputs,
    /// and with it what is an input and what a proof.
    function _seed(bytes memory key, uint256[] calldata publicInputs, bytes calldata proofs)
        private
        pure
        returns (bytes32 seed)
    {
        assembly ("memory-safe") {
            let data := mload(0x40)
            let inputsLength := mul(publicInputs.length, 0x20)
            mstore(data, keccak256(add(key, 0x20), mload(key)))
            mstore(add(data, 0x20), publicInputs.length)
            calldatacopy(add(data, 0x40), publicInputs.offset, inputsLength)
            calldatacopy(add(add(data, 0x40), inputsLength), proofs.offset, proofs.length)
            seed := keccak256(data, add(add(0x40, inputsLength), proofs.length))
        }
    }

    /// @return r From 1 to 2^128.
    function _challenge(bytes32 seed, uint256 i) private pure returns (uint256 r) {
        assembly ("memory-safe") {
            mstore(0x00, seed)
            mstore(0x20, i)
            r := add(shr(128, keccak256(0x00, 0x40)), 1)
        }
    }

    function _bits(Prepared memory p, uint256 from, uint256 to) private pure returns (uint256 bits) {
        uint256 records = p.records;
        assembly ("memory-safe") {
            for { let i := from } lt(i, to) { i := add(i, 1) } {
                // slither-disable-next-line incorrect-shift -- the bit that the record names
                bits := or(bits, shl(mload(add(records, mul(i, RECORD_LENGTH))), 1))
            }
        }
    }

    function _allocate(uint256 length) private pure returns (uint256 at) {
        assembly ("memory-safe") {
            at := mload(0x40)
            mstore(0x40, add(at, length))
        }
    }
}
