// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IBatchVerifier} from "../../../contracts/interfaces/IBatchVerifier.sol";
import {IGroth16Verifier} from "../../../contracts/interfaces/IGroth16Verifier.sol";
import {Bn254, G1Point} from "../../../contracts/libraries/Bn254.sol";
import {CircuitId, toCircuitId} from "../../../contracts/types/CircuitId.sol";
import {IBatchRunner, PlainBatchRunner} from "../support/BatchRunners.sol";
import {Groth16Vectors} from "./Groth16Vectors.sol";

/// @notice Proofs verified together: the answer is what `verify` says of each, whatever the others are.
contract Groth16BatchTest is Groth16Vectors {
    using Bn254 for G1Point;

    /// @dev See `Groth16VerifierTest`: on the curve of B, outside the group.
    uint256 private constant OUTSIDE_Y_IMAGINARY =
        5912654199736721486680175016176231956195085055698687135131307249486702594212;
    uint256 private constant OUTSIDE_Y_REAL =
        18278151005453108793778860132295291098363647455926340152056652516292830556603;

    /// @dev Most that a batch without a single good proof costs for each of them.
    uint256 private constant WORST_GAS_PER_PROOF = 380_000;

    IGroth16Verifier private _verifier;
    CircuitId private _circuit;
    Case[] private _cases;
    IBatchRunner private _plain;

    function setUp() public {
        _verifier = deployVerifier();
        _circuit = _verifier.circuitAt(0);
        _plain = new PlainBatchRunner();
        for (uint256 i = 0; i < 32; ++i) {
            _cases.push(readBatchCase(i));
        }
    }

    function _first(uint256 count) private view returns (Case[] memory cases) {
        cases = new Case[](count);
        for (uint256 i = 0; i < count; ++i) {
            cases[i] = _cases[i];
        }
    }

    function _check(Case[] memory cases) private view returns (uint256 valid) {
        (uint256[] memory inputs, bytes memory proofs) = packed(cases);
        bytes4 answer;
        (answer, valid) = _verifier.verifyBatch(_circuit, inputs, proofs);
        assertEq(answer, IBatchVerifier.verifyBatch.selector);
    }

    function _all(uint256 count) private pure returns (uint256) {
        return (1 << count) - 1;
    }

    /// @dev A proof that passes every check of form, of a false statement.
    function _spoil(Case memory c) private pure {
        c.publicInputs[1] = addmod(c.publicInputs[1], 1, Bn254.R);
    }

    function _point(Case memory c, uint256 word) private pure returns (G1Point memory) {
        return G1Point(wordAt(c.proof, word), wordAt(c.proof, word + 1));
    }

    function _setPoint(Case memory c, uint256 word, G1Point memory point) private pure {
        c.proof = withWord(withWord(c.proof, word, point.x), word + 1, point.y);
    }

    function _alone(Case memory c) private view returns (bool) {
        return _verifier.verify(_circuit, c.publicInputs, c.proof);
    }

    // --------------------------------------------------------------------------------------------------- valid

    function test_batchOfAnySizeIsAccepted() public view {
        uint8[10] memory sizes = [1, 2, 3, 7, 8, 9, 16, 17, 31, 32];
        for (uint256 i = 0; i < sizes.length; ++i) {
            assertEq(_check(_first(sizes[i])), _all(sizes[i]));
        }
    }

    /// @dev Up to nine proofs, each as it is, of a false statement, with a number out of range or with a point that is none.
    function testFuzz_answerIsThatOfThePlainVersion(uint256 seed) public view {
        Case[] memory cases = _first(1 + seed % 9);
        for (uint256 i; i < cases.length; ++i) {
            uint256 kind = uint256(keccak256(abi.encode(seed, i))) % 8;
            if (kind == 0) _spoil(cases[i]);
            if (kind == 1) cases[i].publicInputs[i % 2] = Bn254.R + i % 2;
            if (kind == 2) cases[i].proof = withWord(cases[i].proof, i % 8, Bn254.P + i % 2);
            if (kind == 3) cases[i].proof = withWord(cases[i].proof, seed % 2 * 6, 5);
        }
        (uint256[] memory inputs, bytes memory proofs) = packed(cases);
        bytes memory key = readKey(0);
        uint256 plain = _plain.check(key, 2, inputs, proofs);
        assertEq(_check(cases), plain);
    }

    function test_sameProofManyTimesIsAccepted() public view {
        Case[] memory cases = new Case[](9);
        for (uint256 i = 0; i < 9; ++i) {
            cases[i] = _cases[i % 2];
        }
        assertEq(_check(cases), _all(9));
    }

    function test_largestBatchIsAcceptedAndOneMoreProofIsNot() public view {
        Case[] memory cases = new Case[](257);
        for (uint256 i = 0; i < 257; ++i) {
            cases[i] = _cases[i % 32];
        }
        assertEq(_check(cases), 0);
        assembly ("memory-safe") {
            mstore(cases, 256)
        }
        assertEq(_check(cases), type(uint256).max);
    }

    /// @dev (-A, -B, C) and a re-randomised proof stand for the same statement in a batch as they do alone.
    function test_malleatedProofsAreAcceptedLikeTheirOriginals() public view {
        Case[] memory cases = new Case[](4);
        (cases[0], cases[1], cases[2], cases[3]) = (_cases[0], readCase(0, 0), readCase(0, 2), _cases[0]);
        bytes memory twin = withWord(cases[0].proof, 1, Bn254.P - wordAt(cases[0].proof, 1));
        twin = withWord(twin, 4, Bn254.P - wordAt(twin, 4));
        cases[0].proof = withWord(twin, 5, Bn254.P - wordAt(twin, 5));
        assertEq(_check(cases), _all(4));
    }

    // ------------------------------------------------------------------------------------------------ one is bad

    function test_badProofIsFoundWhereverItIs() public view {
        uint8[5] memory sizes = [1, 2, 8, 9, 17];
        for (uint256 i = 0; i < sizes.length; ++i) {
            for (uint256 bad = 0; bad < sizes[i]; ++bad) {
                Case[] memory cases = _first(sizes[i]);
                _spoil(cases[bad]);
                assertEq(_check(cases), _all(sizes[i]) ^ (1 << bad));
            }
        }
    }

    function test_badProofIsFoundAmongThirtyTwoWhereverItIs() public view {
        for (uint256 bad = 0; bad < 32; ++bad) {
            Case[] memory cases = _first(32);
            _spoil(cases[bad]);
            assertEq(_check(cases), _all(32) ^ (1 << bad));
        }
    }

    function test_malformedProofIsFoundWhereverItIs() public view {
        uint256 inputs = _cases[0].publicInputs.length;
        for (uint256 kind = 0; kind < 8 + inputs; ++kind) {
            for (uint256 bad = 0; bad < 3; ++bad) {
                Case[] memory cases = _first(3);
                _malform(cases[bad], kind);
                assertFalse(_alone(cases[bad]));
                assertEq(_check(cases), _all(3) ^ (1 << bad));
            }
        }
    }

    function _malform(Case memory c, uint256 kind) private pure {
        bytes memory proof = c.proof;
        // A off its curve, or the same number written otherwise.
        if (kind == 0) c.proof = withWord(proof, 0, 1);
        if (kind == 1) c.proof = withWord(proof, 1, wordAt(proof, 1) + Bn254.P);
        // B out of range, off its curve, and on it outside the group.
        if (kind == 2) c.proof = withWord(proof, 2, wordAt(proof, 2) + Bn254.P);
        if (kind == 3) c.proof = withWord(proof, 2, 1);
        if (kind == 4) {
            proof = withWord(withWord(proof, 2, 0), 3, 1);
            c.proof = withWord(withWord(proof, 4, OUTSIDE_Y_IMAGINARY), 5, OUTSIDE_Y_REAL);
        }
        // C off its curve, or out of range.
        if (kind == 5) c.proof = withWord(proof, 6, 1);
        if (kind == 6) c.proof = withWord(proof, 7, type(uint256).max);
        // Nothing but infinities.
        if (kind == 7) c.proof = new bytes(256);
        // The same statement modulo the field's order, written otherwise in one of the inputs.
        if (kind >= 8) c.publicInputs[kind - 8] += Bn254.R;
    }

    function test_malformedProofsOnlyAreAllRejected() public view {
        Case[] memory cases = _first(3);
        for (uint256 i = 0; i < 3; ++i) {
            _malform(cases[i], 0);
        }
        assertEq(_check(cases), 0);
    }

    // ----------------------------------------------------------------------------------------------- many are bad

    function test_batchWithoutAGoodProofIsRejected() public view {
        uint8[5] memory sizes = [1, 2, 8, 9, 32];
        for (uint256 i = 0; i < sizes.length; ++i) {
            Case[] memory cases = _first(sizes[i]);
            for (uint256 j = 0; j < cases.length; ++j) {
                _spoil(cases[j]);
            }
            assertEq(_check(cases), 0);
        }
    }

    /// @dev With at most two good proofs of twenty, spread so that no part is whole.
    function test_goodProofsAreFoundAmongBadOnes() public view {
        for (uint256 good = 0; good < 10; ++good) {
            Case[] memory cases = _first(20);
            for (uint256 j = 0; j < cases.length; ++j) {
                if (j % 10 != good) _spoil(cases[j]);
            }
            assertEq(_check(cases), (1 << good) | (1 << (good + 10)));
        }
    }

    function test_statementsSwappedBetweenTwoProofsAreBothRejected() public view {
        Case[] memory cases = _first(4);
        (cases[1].publicInputs, cases[2].publicInputs) = (cases[2].publicInputs, cases[1].publicInputs);
        assertEq(_check(cases), 9);
    }

    /// @dev What A and C are multiplied with, seen at the precompile.
    function test_challengesCoverTheKeyAllStatementsAndAllProofs() public {
        Case[] memory cases = _first(3);
        for (uint256 i = 1; i < 3; ++i) {
            uint256 r = _challengeOf(cases, i);
            vm.expectCall(Bn254.MUL, abi.encode(_point(cases[i], 0), r));
            vm.expectCall(Bn254.MUL, abi.encode(_point(cases[i], 6), r));
        }
        assertEq(_check(cases), 7);
    }

    /// @dev The errors of two proofs cancel in a plain product of the equations.
    function test_errorsThatCancelAreRefused() public view {
        Case[] memory cases = _first(3);
        G1Point memory error = G1Point(1, 2);
        _setPoint(cases[0], 6, _point(cases[0], 6).add(error));
        _setPoint(cases[1], 6, _point(cases[1], 6).add(error.negate()));
        assertFalse(_alone(cases[0]));
        assertFalse(_alone(cases[1]));
        assertEq(_check(cases), 4);
    }

    /// @dev The errors cancel under the very challenges that the batch had before they were put in, as would be possible if
    /// the challenges did not depend on every part of every proof: on C here, on a statement below.
    function test_errorsThatCancelUnderTheChallengesOfAnotherBatchAreRefused() public view {
        Case[] memory cases = _first(3);
        uint256 r1 = _challengeOf(cases, 1);
        uint256 r2 = _challengeOf(cases, 2);
        G1Point memory sum = _point(cases[1], 6).mul(r1).add(_point(cases[2], 6).mul(r2));
        _setPoint(cases[1], 6, _point(cases[1], 6).add(G1Point(1, 2).mul(r2)));
        _setPoint(cases[2], 6, _point(cases[2], 6).add(G1Point(1, 2).mul(Bn254.R - r1)));
        G1Point memory forged = _point(cases[1], 6).mul(r1).add(_point(cases[2], 6).mul(r2));
        assertEq(abi.encode(forged), abi.encode(sum), "with the old challenges nobody would notice");
        assertEq(_check(cases), 1);
    }

    function test_statementsThatCancelUnderTheChallengesOfAnotherBatchAreRefused() public view {
        Case[] memory cases = _first(3);
        uint256 r1 = _challengeOf(cases, 1);
        uint256 r2 = _challengeOf(cases, 2);
        uint256 sum = _weighted(cases, r1, r2);
        cases[1].publicInputs[0] = addmod(cases[1].publicInputs[0], r2, Bn254.R);
        cases[2].publicInputs[0] = addmod(cases[2].publicInputs[0], Bn254.R - r1, Bn254.R);
        assertEq(_weighted(cases, r1, r2), sum, "with the old challenges nobody would notice");
        assertEq(_check(cases), 1);
    }

    function _weighted(Case[] memory cases, uint256 r1, uint256 r2) private pure returns (uint256) {
        uint256 left = mulmod(cases[1].publicInputs[0], r1, Bn254.R);
        return addmod(left, mulmod(cases[2].publicInputs[0], r2, Bn254.R), Bn254.R);
    }

    /// @dev The challenge as documented.
    function _challengeOf(Case[] memory cases, uint256 i) private view returns (uint256) {
        (uint256[] memory inputs, bytes memory proofs) = packed(cases);
        bytes32 keyHash = keccak256(_verifier.verifyingKey(0));
        bytes32 seed = keccak256(abi.encodePacked(keyHash, inputs.length, inputs, proofs));
        return (uint256(keccak256(abi.encode(seed, i))) >> 128) + 1;
    }

    function testFuzz_answerIsThatOfEachProofAlone(uint256 seed) public view {
        Case[] memory cases = _first(1 + seed % 12);
        uint256 expected;
        for (uint256 i = 0; i < cases.length; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(seed, i)));
            Case memory c = cases[i];
            if (dice % 4 == 0) {
                uint256 word = (dice >> 8) % 8;
                c.proof = withWord(c.proof, word, wordAt(c.proof, word) ^ (1 << ((dice >> 16) % 256)));
            } else if (dice % 4 == 1) {
                c.publicInputs[(dice >> 8) % 2] ^= 1 << ((dice >> 16) % 256);
            } else if (dice % 16 == 2) {
                c.publicInputs = _cases[(dice >> 8) % 32].publicInputs;
            }
            if (_alone(c)) expected |= 1 << i;
        }
        assertEq(_check(cases), expected);
    }

    // ----------------------------------------------------------------------------------------------------- shape

    function test_unknownCircuitVerifiesNothing() public view {
        (uint256[] memory inputs, bytes memory proofs) = packed(_first(2));
        (bytes4 answer, uint256 valid) = _verifier.verifyBatch(toCircuitId(0, 1), inputs, proofs);
        assertEq(answer, IBatchVerifier.verifyBatch.selector);
        assertEq(valid, 0);
        (, valid) = _verifier.verifyBatch(_verifier.circuitAt(1), inputs, proofs);
        assertEq(valid, 0, "proofs of another circuit");
    }

    function test_lengthsThatAreNotThoseOfWholeProofsVerifyNothing() public view {
        (uint256[] memory inputs, bytes memory proofs) = packed(_first(2));
        (, uint256 valid) = _verifier.verifyBatch(_circuit, inputs, proofs);
        assertEq(valid, 3);
        (, valid) = _verifier.verifyBatch(_circuit, inputs, bytes.concat(proofs, hex"00"));
        assertEq(valid, 0);
        (, valid) = _verifier.verifyBatch(_circuit, inputs, _cases[0].proof);
        assertEq(valid, 0);
        (, valid) = _verifier.verifyBatch(_circuit, _cases[0].publicInputs, proofs);
        assertEq(valid, 0);
        (, valid) = _verifier.verifyBatch(_circuit, new uint256[](5), proofs);
        assertEq(valid, 0);
        (, valid) = _verifier.verifyBatch(_circuit, new uint256[](0), "");
        assertEq(valid, 0);
    }

    // ------------------------------------------------------------------------------------------------------- gas

    /// @dev With too little gas there is no answer; a wrong one would make a good proof a bad one.
    function testFuzz_tooLittleGasIsNoAnswer(uint256 gas_, bool spoilt) public view {
        Case[] memory cases = _first(10);
        if (spoilt) _spoil(cases[3]);
        gas_ = bound(gas_, 10_000, 4_000_000);
        (uint256[] memory inputs, bytes memory proofs) = packed(cases);
        bytes memory call = abi.encodeCall(IBatchVerifier.verifyBatch, (_circuit, inputs, proofs));
        (bool ok, bytes memory answer) = address(_verifier).staticcall{gas: gas_}(call);
        assertTrue(ok || gas_ < 3_500_000);
        if (!ok) return;
        (, uint256 valid) = abi.decode(answer, (bytes4, uint256));
        assertEq(valid, spoilt ? _all(10) ^ 8 : _all(10));
    }

    /// @dev The most expensive kind: each of them makes the precompile burn what it is given, again and again.
    function test_worstBatchCostsABoundedAmountForEachProof() public view {
        uint8[4] memory sizes = [2, 8, 9, 32];
        for (uint256 i = 0; i < sizes.length; ++i) {
            Case[] memory cases = _first(sizes[i]);
            for (uint256 j = 0; j < cases.length; ++j) {
                _malform(cases[j], 3);
            }
            (uint256[] memory inputs, bytes memory proofs) = packed(cases);
            uint256 before = gasleft();
            (, uint256 valid) = _verifier.verifyBatch(_circuit, inputs, proofs);
            uint256 used = before - gasleft();
            assertEq(valid, 0);
            assertGt(used, sizes[i] * uint256(200_000));
            assertLt(used, sizes[i] * WORST_GAS_PER_PROOF);
        }
    }
}
