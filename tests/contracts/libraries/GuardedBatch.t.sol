// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IBatchVerifier} from "../../../contracts/interfaces/IBatchVerifier.sol";
import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {IProofVerifier} from "../../../contracts/interfaces/IProofVerifier.sol";
import {GuardedVerify} from "../../../contracts/libraries/GuardedVerify.sol";
import {CircuitId} from "../../../contracts/types/CircuitId.sol";
import {DeliveryBatch} from "../../../contracts/types/Delivery.sol";
import {
    AnsweringVerifier,
    BatchHashVerifier,
    BurningBatchVerifier,
    CatchAllVerifier
} from "../mocks/BatchVerifiers.sol";
import {
    BurningVerifier,
    OneMegabyteVerifier,
    SilentVerifier,
    TwoVerifier
} from "../mocks/HostileVerifiers.sol";
import {BatchMarketTest} from "../support/BatchMarketTest.sol";

/// @notice Batches in markets whose verifier cannot verify together, or is an enemy. Proofs are hashes: three of four are good.
contract GuardedBatchTest is BatchMarketTest {
    bytes4 private constant SELECTOR = IBatchVerifier.verifyBatch.selector;
    uint256 private constant GOOD = 11;

    function _marketWith(address other) private {
        params.verifier = IProofVerifier(other);
        id = market.createMarket(params);
        makeRound(4);
    }

    function _hashBatch() private view returns (DeliveryBatch memory batch) {
        batch = unprovedBatchOf(1, firstBids(4));
        for (uint256 k; k < 4; ++k) {
            bytes memory proof = proofOf(1, k);
            if (k == 2) proof[0] ^= 0x01;
            batch.proofs = bytes.concat(batch.proofs, proof);
        }
    }

    function _deliversGoodOnes(address other) private {
        _marketWith(other);
        DeliveryBatch memory batch = _hashBatch();
        uint256 before = gasleft();
        vm.expectEmit(address(market));
        emit IMarketLog.DeliveryRefused(id, 1, 2, IMarketLog.ProofRejected.selector);
        uint256 delivered = deliverBatch(batch);
        assertLt(before - gasleft(), 2 * 4 * uint256(params.verifierGas) + 500_000);
        assertEq(delivered, GOOD);
        assertEq(available(paul), 3 * 9 * UNITS);
    }

    function _deliversNothing(address other) private {
        _marketWith(other);
        DeliveryBatch memory batch = _hashBatch();
        uint256 before = gasleft();
        vm.expectRevert(
            abi.encodeWithSelector(IMarketLog.NothingDelivered.selector, IMarketLog.ProofRejected.selector)
        );
        market.deliverBatch(id, batch);
        assertLt(before - gasleft(), 2 * 4 * uint256(params.verifierGas) + 500_000);
        assertEq(available(paul), 0);
    }

    // -------------------------------------------------------------------------------------------- asked together

    function test_verifierThatVerifiesTogetherIsAskedOnce() public {
        BatchHashVerifier other = new BatchHashVerifier();
        vm.mockCallRevert(
            address(other), abi.encodePacked(IProofVerifier.verify.selector), "asked one by one"
        );
        _deliversGoodOnes(address(other));
    }

    function test_answerIsAboutTheDeliveriesThatWereAskedAbout() public {
        _marketWith(address(new BatchHashVerifier()));
        DeliveryBatch memory batch = _hashBatch();
        // The second is unknown, so that the answer has three bits: for the first, third and fourth.
        batch.deliveries[1].requester = bob;
        assertEq(deliverBatch(batch), 9);
    }

    function test_bitsBeyondTheQuestionMeanNothing() public {
        AnsweringVerifier other = new AnsweringVerifier();
        other.setAnswer(abi.encode(SELECTOR, ~uint256(0x6)), false);
        _marketWith(address(other));
        assertEq(deliverBatch(_hashBatch()), 9);
    }

    // ------------------------------------------------------------------------------------ asked again one by one

    function test_plainVerifierIsAskedOneByOne() public {
        _deliversGoodOnes(address(verifier));
    }

    /// @dev The proof of the second is good, but what it is said to deliver is unknown.
    function test_onlyWhatWasAskedAboutIsVerifiedOneByOne() public {
        _marketWith(address(verifier));
        DeliveryBatch memory batch = _hashBatch();
        batch.deliveries[1].requester = bob;
        vm.expectEmit(address(market));
        emit IMarketLog.DeliveryRefused(id, 1, 1, IMarketLog.UnknownTask.selector);
        assertEq(deliverBatch(batch), 9);
        assertEq(available(paul), 2 * 9 * UNITS);
    }

    function test_catchAllIsNoAnswer() public {
        _deliversGoodOnes(address(new CatchAllVerifier()));
    }

    function test_verifierThatBurnsABatchIsAskedOneByOne() public {
        _deliversGoodOnes(address(new BurningBatchVerifier()));
    }

    function test_malformedAnswersAreNone() public {
        bytes[6] memory answers = [
            bytes(""),
            abi.encode(SELECTOR),
            abi.encodePacked(SELECTOR, type(uint256).max),
            abi.encode(SELECTOR, type(uint256).max, 0),
            abi.encode(bytes4(0xffffffff), type(uint256).max),
            bytes.concat(abi.encode(bytes32(SELECTOR) | bytes32(uint256(1)), type(uint256).max))
        ];
        uint256 state = vm.snapshotState();
        for (uint256 i; i < answers.length; ++i) {
            AnsweringVerifier other = new AnsweringVerifier();
            other.setAnswer(answers[i], false);
            _deliversGoodOnes(address(other));
            vm.revertToState(state);
        }
    }

    function test_answerOfARevertIsNone() public {
        AnsweringVerifier other = new AnsweringVerifier();
        other.setAnswer(abi.encode(SELECTOR, type(uint256).max), true);
        _deliversGoodOnes(address(other));
    }

    // --------------------------------------------------------------------------------------------------- enemies

    function test_RevertWhen_VerifierBurnsAllItsGas() public {
        _deliversNothing(address(new BurningVerifier(14)));
    }

    function test_RevertWhen_VerifierAnswersTwo() public {
        _deliversNothing(address(new TwoVerifier(14)));
    }

    function test_RevertWhen_VerifierAnswersAMegabyte() public {
        params.verifierGas = 3_000_000;
        _deliversNothing(address(new OneMegabyteVerifier(14)));
    }

    function test_RevertWhen_BatchAnswerIsAMegabyte() public {
        params.verifierGas = 3_000_000;
        AnsweringVerifier other = new AnsweringVerifier();
        vm.mockCall(address(other), abi.encodePacked(SELECTOR), new bytes(1_000_000));
        _deliversGoodOnes(address(other));
    }

    function test_RevertWhen_VerifierLosesItsCode() public {
        address gone = address(new SilentVerifier(14));
        _marketWith(gone);
        DeliveryBatch memory batch = _hashBatch();
        vm.etch(gone, "");
        vm.expectRevert(
            abi.encodeWithSelector(IMarketLog.NothingDelivered.selector, IMarketLog.ProofRejected.selector)
        );
        market.deliverBatch(id, batch);
    }

    /// @dev A verifier that burns what it gets for the batch leaves enough for the single questions, or all is reverted.
    function testFuzz_tooLittleGasIsNeverARefusal(uint256 gas_) public {
        _marketWith(address(new BurningBatchVerifier()));
        bytes memory call = abi.encodeCall(market.deliverBatch, (id, _hashBatch()));
        gas_ = bound(gas_, 30_000, 4_000_000);
        (bool ok, bytes memory answer) = address(market).call{gas: gas_}(call);
        if (ok) assertEq(abi.decode(answer, (uint256)), GOOD);
        else assertTrue(answer.length == 0 || bytes4(answer) == IMarketLog.InsufficientGas.selector);
        assertTrue(ok || gas_ < 3_800_000);
    }

    // -------------------------------------------------------------------------------------------------- the call

    function callOf(
        CircuitId circuit,
        uint256[] calldata inputs,
        bytes calldata proofs,
        uint256 count,
        uint256 selected
    ) external pure returns (bytes memory) {
        // Memory that was written to before, as it may be anywhere.
        assembly ("memory-safe") {
            let at := mload(0x40)
            for { let end := add(at, 0x2000) } lt(at, end) { at := add(at, 0x20) } { mstore(at, not(0)) }
        }
        return GuardedVerify.batchCall(circuit, inputs, proofs, GuardedVerify.Selection(count, selected));
    }

    function testFuzz_callIsThatOfTheCompiler(bytes32 seed, uint8 proofLength, uint8 inputs, uint16 selected)
        public
        view
    {
        uint256 each = inputs % 5;
        bytes memory words = _random(seed, 16 * 32 * each);
        bytes memory proofs = _random(~seed, 16 * uint256(proofLength));
        bytes memory expected = abi.encodeCall(
            IBatchVerifier.verifyBatch,
            (
                CircuitId.wrap(7),
                _words(_chosen(words, 32 * each, selected)),
                _chosen(proofs, proofLength, selected)
            )
        );
        assertEq(this.callOf(CircuitId.wrap(7), _words(words), proofs, 16, selected), expected);
    }

    function _random(bytes32 seed, uint256 length) private pure returns (bytes memory data) {
        while (data.length < length) {
            data = bytes.concat(data, keccak256(abi.encode(seed, data.length)));
        }
        assembly ("memory-safe") {
            mstore(data, length)
        }
    }

    function _chosen(bytes memory data, uint256 each, uint256 selected)
        private
        pure
        returns (bytes memory part)
    {
        part = new bytes(data.length);
        uint256 n;
        for (uint256 i; i < data.length; ++i) {
            if ((selected >> (i / each)) & 1 != 0) part[n++] = data[i];
        }
        assembly ("memory-safe") {
            mstore(part, n)
        }
    }

    function _words(bytes memory data) private pure returns (uint256[] memory) {
        return abi.decode(bytes.concat(abi.encode(0x20, data.length / 32), data), (uint256[]));
    }
}
