// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Bn254, G1Point, G2Point} from "../../../contracts/libraries/Bn254.sol";
import {Groth16Key} from "../../../contracts/libraries/Groth16Key.sol";

/// @notice What `Groth16Batch` does, in plain words.
library PlainGroth16Batch {
    using Bn254 for G1Point;

    uint256 private constant PROOF_LENGTH = 256;
    uint256 private constant PART = 8;

    /// @dev A well-formed proof, with the random power that its equation is raised to.
    struct Term {
        uint256 position;
        uint256 r;
        /// r * A and r * C.
        G1Point a;
        G2Point b;
        G1Point c;
        uint256[] inputs;
    }

    function check(
        bytes memory key,
        uint256 inputCount,
        uint256[] calldata publicInputs,
        bytes calldata proofs
    ) internal view returns (uint256 valid) {
        Term[] memory terms = _prepare(key, inputCount, publicInputs, proofs);
        uint256 count = terms.length;
        if (count == 0) return 0;
        if (_holds(key, terms, 0, count)) return _bits(terms, 0, count);
        for (uint256 from = 0; from < count; from += PART) {
            uint256 to = from + PART < count ? from + PART : count;
            if (count > PART && _holds(key, terms, from, to)) {
                valid |= _bits(terms, from, to);
            } else if (to - from > 1) {
                for (uint256 i = from; i < to; ++i) {
                    if (_holds(key, terms, i, i + 1)) valid |= _bits(terms, i, i + 1);
                }
            }
        }
    }

    function _prepare(
        bytes memory key,
        uint256 inputCount,
        uint256[] calldata publicInputs,
        bytes calldata proofs
    ) private view returns (Term[] memory terms) {
        uint256 n = proofs.length / PROOF_LENGTH;
        bytes32 seed = keccak256(abi.encodePacked(keccak256(key), publicInputs.length, publicInputs, proofs));
        Term[] memory all = new Term[](n);
        uint256 count;
        for (uint256 i = 0; i < n; ++i) {
            Term memory t;
            (t.position, t.r) = (i, i == 0 ? 1 : (uint256(keccak256(abi.encode(seed, i))) >> 128) + 1);
            t.inputs = publicInputs[i * inputCount:(i + 1) * inputCount];
            (t.a, t.b, t.c) =
                abi.decode(proofs[i * PROOF_LENGTH:(i + 1) * PROOF_LENGTH], (G1Point, G2Point, G1Point));
            if (!_isWellFormed(t)) continue;
            if (i != 0) (t.a, t.c) = (t.a.mul(t.r), t.c.mul(t.r));
            all[count++] = t;
        }
        terms = new Term[](count);
        for (uint256 i = 0; i < count; ++i) {
            terms[i] = all[i];
        }
    }

    function _isWellFormed(Term memory t) private pure returns (bool) {
        for (uint256 j = 0; j < t.inputs.length; ++j) {
            if (t.inputs[j] >= Bn254.R) return false;
        }
        G2Point memory b = t.b;
        bool inRange =
            b.xImaginary < Bn254.P && b.xReal < Bn254.P && b.yImaginary < Bn254.P && b.yReal < Bn254.P;
        return inRange && _isG1(t.a) && _isG1(t.c);
    }

    function _isG1(G1Point memory a) private pure returns (bool) {
        return a.isValid() || (a.x == 0 && a.y == 0);
    }

    function _holds(bytes memory key, Term[] memory terms, uint256 from, uint256 to)
        private
        view
        returns (bool)
    {
        uint256 n = to - from;
        uint256[] memory pairs = new uint256[](6 * (n + 3));
        G1Point memory sum = terms[from].c;
        for (uint256 i = 0; i < n; ++i) {
            Term memory t = terms[from + i];
            _write(pairs, i, t.a, t.b);
            if (i != 0) sum = sum.add(t.c);
        }
        uint256[] memory scalars = _scalars(terms, from, to);
        _write(pairs, n, Groth16Key.alpha(key).mul(scalars[0]).negate(), Groth16Key.beta(key));
        _write(pairs, n + 1, _statement(key, scalars).negate(), Groth16Key.gamma(key));
        _write(pairs, n + 2, sum.negate(), Groth16Key.delta(key));
        uint256 at;
        assembly ("memory-safe") {
            at := add(pairs, 0x20)
        }
        return Bn254.pairsToOne(at, n + 3);
    }

    function _scalars(Term[] memory terms, uint256 from, uint256 to)
        private
        pure
        returns (uint256[] memory scalars)
    {
        scalars = new uint256[](terms[from].inputs.length + 1);
        for (uint256 i = from; i < to; ++i) {
            Term memory t = terms[i];
            scalars[0] = addmod(scalars[0], t.r, Bn254.R);
            for (uint256 j = 0; j < t.inputs.length; ++j) {
                scalars[j + 1] = addmod(scalars[j + 1], mulmod(t.r, t.inputs[j], Bn254.R), Bn254.R);
            }
        }
    }

    function _statement(bytes memory key, uint256[] memory scalars)
        private
        view
        returns (G1Point memory sum)
    {
        sum = Groth16Key.ic(key, 0).mul(scalars[0]);
        for (uint256 j = 1; j < scalars.length; ++j) {
            sum = sum.add(Groth16Key.ic(key, j).mul(scalars[j]));
        }
    }

    function _write(uint256[] memory pairs, uint256 k, G1Point memory a, G2Point memory b) private pure {
        k *= 6;
        (pairs[k], pairs[k + 1]) = (a.x, a.y);
        (pairs[k + 2], pairs[k + 3]) = (b.xImaginary, b.xReal);
        (pairs[k + 4], pairs[k + 5]) = (b.yImaginary, b.yReal);
    }

    function _bits(Term[] memory terms, uint256 from, uint256 to) private pure returns (uint256 bits) {
        for (uint256 i = from; i < to; ++i) {
            bits |= 1 << terms[i].position;
        }
    }
}
