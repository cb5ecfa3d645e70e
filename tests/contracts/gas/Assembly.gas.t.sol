// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";
import {GuardedVerify} from "../../../contracts/libraries/GuardedVerify.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {CircuitId} from "../../../contracts/types/CircuitId.sol";
import {MarketId} from "../../../contracts/types/MarketId.sol";
import {SignedBid} from "../../../contracts/types/SignedBid.sol";
import {
    AssemblyBatchRunner,
    BatchCallRunner,
    IBatchRunner,
    PlainBatchRunner
} from "../support/BatchRunners.sol";
import {BidSignatures} from "../support/BidSignatures.sol";
import {PlainScan} from "../support/PlainScan.sol";
import {PlainRunner, ScanRunner} from "../support/ScanRunner.sol";
import {Groth16Vectors} from "../verifiers/Groth16Vectors.sol";

/// @notice A door to the books of a market, see `script/bench/BookRunners.sol`.
interface IBookRunner {
    function ID() external view returns (MarketId);
    function deposit(address account) external payable;
    function submit(BidWord word) external returns (uint256 round, uint256 index);
    function submitSigned(SignedBid[] calldata bids) external;
}

/// @notice What is saved where the contracts are written in assembly: each against the same in plain words, both compiled with the
/// same settings, for one entry, bid or proof. Plain words that cost no more would take its place.
contract AssemblyGasTest is Groth16Vectors, BidSignatures {
    uint256 private constant ENTRIES = 1000;
    uint256 private constant PROVERS = 10;
    uint256 private constant SIGNED = 99;
    uint256 private constant PROOFS = 32;

    /// @dev What a call takes, and what it comes to.
    struct Ran {
        uint256 gas;
        bytes32 result;
    }

    function _record(string memory what, uint256 each, Ran memory assembly_, Ran memory plain) private {
        assertEq(assembly_.result, plain.result, what);
        assertLt(assembly_.gas, plain.gas, what);
        vm.snapshotValue("Assembly", string.concat(what, ", in assembly"), assembly_.gas / each);
        vm.snapshotValue("Assembly", string.concat(what, ", in plain words"), plain.gas / each);
    }

    /// @dev Within one transaction, so that neither its 21,000 nor its calldata count.
    function run(address runner, bytes calldata call) external returns (Ran memory ran) {
        bytes memory data = call;
        vm.record();
        vm.recordLogs();
        uint256 before = gasleft();
        (bool ok, bytes memory answer) = runner.call(data);
        ran.gas = before - gasleft();
        assertTrue(ok);
        ran.result = keccak256(answer);
        (, bytes32[] memory written) = vm.accesses(runner);
        for (uint256 i; i < written.length; ++i) {
            ran.result ^= keccak256(abi.encode(written[i], vm.load(runner, written[i])));
        }
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            ran.result = keccak256(abi.encode(ran.result, logs[i].topics, logs[i].data));
        }
    }

    // ------------------------------------------------------------------------------------------------- settlement

    /// @dev `EntryScan`.
    function test_gasOfAScannedEntry() public {
        _record(
            "an entry of a settlement",
            ENTRIES,
            _scanned(address(new ScanRunner())),
            _scanned(address(new PlainRunner()))
        );
    }

    function _scanned(address runner) private returns (Ran memory ran) {
        bytes32[] memory words = new bytes32[](ENTRIES);
        PlainScan.State memory s;
        uint256 units;
        for (uint256 i; i < ENTRIES; ++i) {
            uint256 r = uint256(keccak256(abi.encode(i)));
            (uint64 fee, uint32 size) = (uint64(1 + r % 1000), uint32(1 + (r >> 64) % 64));
            words[i] = bytes32(abi.encodePacked(fee, size, uint16(0), uint144(r >> 96)));
            if (fee > 500) units += size;
        }
        (s.high, s.low, s.pivot) = (PlainScan.Line(700, 0), PlainScan.Line(300, 0), PlainScan.Line(500, 0));
        (s.units, s.revenue) = (units, units * 700);
        s.provers = new PlainScan.Prover[](PROVERS);
        for (uint256 k; k < PROVERS; ++k) {
            s.provers[k] = PlainScan.Prover(units * (k + 1) / PROVERS, k, 0);
        }
        ran = this.run(runner, abi.encodeCall(ScanRunner.run, (s, words)));
        ran.gas -= this.run(runner, abi.encodeCall(ScanRunner.run, (s, new bytes32[](0)))).gas;
    }

    // -------------------------------------------------------------------------------------------------------- bids

    /// @dev `BidBook._submitQuickly`: a whole call with its two cold slots, in a round that has a bid.
    function test_gasOfABid() public {
        _record("a bid", 1, _bid("Assembly"), _bid("Plain"));
    }

    function _bid(string memory kind) private returns (Ran memory ran) {
        uint256 start = vm.snapshotState();
        IBookRunner runner = _open(kind);
        runner.deposit{value: 1e6}(address(this));
        ran = this.run(address(runner), abi.encodeCall(IBookRunner.submit, (_word(1))));
        vm.revertToState(start);
    }

    /// @dev `SignedBidBook`, `TypedBid` and `BidBook._laneWith`: each with its signature and its cold lane.
    function test_gasOfASignedBid() public {
        _record("a signed bid", SIGNED, _signedBids("Assembly"), _signedBids("Plain"));
    }

    /// @dev What so many take more than one of them.
    function _signedBids(string memory kind) private returns (Ran memory ran) {
        uint256 start = vm.snapshotState();
        IBookRunner runner = _open(kind);
        (SignedBid[] memory one, SignedBid[] memory many) = (new SignedBid[](1), new SignedBid[](SIGNED + 1));
        for (uint256 i; i < SIGNED + 2; ++i) {
            uint256 key = 0xa11ce + i;
            runner.deposit{value: 1e6}(vm.addr(key));
            SignedBid memory bid =
                signedFor(Binding(block.chainid, address(runner), runner.ID(), 1), key, _word(i));
            if (i <= SIGNED) many[i] = bid;
            else one[0] = bid;
        }
        ran = this.run(address(runner), abi.encodeCall(IBookRunner.submitSigned, (many)));
        ran.gas -= this.run(address(runner), abi.encodeCall(IBookRunner.submitSigned, (one))).gas;
        vm.revertToState(start);
    }

    /// @dev Round 1, which has a bid.
    function _open(string memory kind) private returns (IBookRunner runner) {
        bytes memory code = vm.getCode(string.concat("BookRunners.sol:", kind, "BookRunner"));
        assembly ("memory-safe") {
            runner := create(0, add(code, 0x20), mload(code))
        }
        vm.warp(101);
        vm.deal(address(this), 1e18);
        address first = address(0xf1);
        runner.deposit{value: 1e6}(first);
        vm.prank(first);
        runner.submit(_word(0));
    }

    function _word(uint256 salt) private pure returns (BidWord) {
        return
            BidWord.wrap(
                bytes32(abi.encodePacked(uint64(700 + salt), uint32(32), uint16(0), uint144(7 + salt)))
            );
    }

    // ------------------------------------------------------------------------------------------------------ proofs

    /// @dev `Groth16Batch`, precompiles included.
    function test_gasOfAProofInABatch() public {
        (uint256[] memory inputs, bytes memory proofs) = _proofs();
        bytes memory call = abi.encodeCall(IBatchRunner.check, (readKey(0), 2, inputs, proofs));
        Ran memory assembly_ = this.run(address(new AssemblyBatchRunner()), call);
        assertEq(assembly_.result, keccak256(abi.encode(2 ** PROOFS - 1)));
        _record("a proof of 32", PROOFS, assembly_, this.run(address(new PlainBatchRunner()), call));
    }

    /// @dev `GuardedVerify.batchCall`.
    function test_gasOfAProofInTheCallOfABatch() public {
        (uint256[] memory inputs, bytes memory proofs) = _proofs();
        BatchCallRunner runner = new BatchCallRunner();
        GuardedVerify.Selection memory all = GuardedVerify.Selection(PROOFS, 2 ** PROOFS - 1);
        CircuitId circuit = CircuitId.wrap(7);
        Ran memory assembly_ = this.run(
            address(runner), abi.encodeCall(BatchCallRunner.inAssembly, (circuit, inputs, proofs, all))
        );
        Ran memory plain =
            this.run(address(runner), abi.encodeCall(BatchCallRunner.plain, (circuit, inputs, proofs, all)));
        _record("a proof in the call of a batch of 32", PROOFS, assembly_, plain);
    }

    function _proofs() private view returns (uint256[] memory inputs, bytes memory proofs) {
        Case[] memory cases = new Case[](PROOFS);
        for (uint256 i; i < PROOFS; ++i) {
            cases[i] = readBatchCase(i);
        }
        return packed(cases);
    }
}
