// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {PlainScan} from "../support/PlainScan.sol";
import {ScanRunner} from "../support/ScanRunner.sol";

/// @notice `PlainScan` behind the same call as `EntryScan`.
contract PlainRunner {
    using PlainScan for PlainScan.State;

    function run(PlainScan.State memory s, bytes32[] memory words)
        external
        pure
        returns (PlainScan.State memory)
    {
        s.run(words);
        return s;
    }
}

/// @notice What the loop over a round's entries saves by being written in assembly. Both are compiled with the same settings here,
/// those of tests.
contract EntryScanGasTest is Test {
    uint256 private constant ENTRIES = 1000;
    uint256 private constant PROVERS = 10;

    function test_gasOfAScannedEntry() public {
        uint256 assembly_ = _perEntry(address(new ScanRunner()));
        uint256 plain = _perEntry(address(new PlainRunner()));
        assertLt(assembly_, plain);
        vm.snapshotValue("EntryScan", "an entry, in assembly", assembly_);
        vm.snapshotValue("EntryScan", "an entry, in plain words", plain);
    }

    function _perEntry(address runner) private view returns (uint256) {
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
        return (this.gasOf(runner, s, words) - this.gasOf(runner, s, new bytes32[](0))) / ENTRIES;
    }

    /// @dev Within one transaction, so that neither its 21,000 nor its calldata count.
    function gasOf(address runner, PlainScan.State memory s, bytes32[] memory words)
        external
        view
        returns (uint256 gas)
    {
        bytes memory call = abi.encodeCall(ScanRunner.run, (s, words));
        gas = gasleft();
        (bool ok,) = runner.staticcall(call);
        gas -= gasleft();
        assertTrue(ok);
    }
}
