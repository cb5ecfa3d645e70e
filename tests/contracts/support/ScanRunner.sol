// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AssignmentTree} from "../../../contracts/clearing/AssignmentTree.sol";
import {EntryScan, Scan} from "../../../contracts/clearing/EntryScan.sol";
import {PlainScan} from "./PlainScan.sol";

/// @notice `EntryScan` from and to the state that `PlainScan` has; behind a call, as it reads its entries from the calldata.
contract ScanRunner {
    using EntryScan for Scan;

    /// @dev Where `Scan` points to.
    struct Tables {
        uint256[] provers;
        uint256[] loads;
        bytes32 proversBefore;
        uint256 free;
        uint256 zero;
    }

    function run(PlainScan.State memory s, bytes32[] calldata words)
        external
        pure
        returns (PlainScan.State memory)
    {
        Scan memory scan;
        assembly ("memory-safe") {
            mstore(scan, words.offset)
            mstore(add(scan, 0x20), add(words.offset, mul(words.length, 0x20)))
        }
        Tables memory t = _point(scan, s);
        (scan.hash, scan.index) = (s.hash, s.index);
        (scan.high, scan.low, scan.pivot) = (_rank(s.high), _rank(s.low), _rank(s.pivot));
        scan.above = (s.offeredAbove << 64) | s.unitsAbove;
        (scan.between, scan.pivotSize) = (s.between, s.pivotSize);
        (scan.offset, scan.from) = (s.offset, s.from);
        scan.tree = s.tree;
        (scan.units, scan.revenue, scan.offered, scan.paid) = (s.units, s.revenue, s.offered, s.paid);
        bytes32 fixedBefore = _fixed(scan);
        uint256 end = scan.end;
        assembly ("memory-safe") {
            mstore(add(t, 0x60), mload(0x40))
        }
        scan.run();
        uint256 free;
        uint256 zero;
        assembly ("memory-safe") {
            free := mload(0x40)
            zero := mload(0x60)
        }
        require(free == t.free && zero == 0, "memory that is not the scan's has changed");
        require(scan.at == end, "not at the end");
        require(_fixed(scan) == fixedBefore, "what the scan only reads has changed");
        require(keccak256(abi.encode(t.provers)) == t.proversBefore, "the provers have changed");
        _read(s, scan, t);
        return s;
    }

    function rootOf(AssignmentTree.Frontier memory tree) external pure returns (bytes32) {
        return AssignmentTree.root(tree);
    }

    function _rank(PlainScan.Line memory line) private pure returns (uint256) {
        return line.fee * 2 ** 32 + (2 ** 32 - 1) - line.index;
    }

    function _point(Scan memory scan, PlainScan.State memory s) private pure returns (Tables memory t) {
        uint256 n = s.provers.length;
        (t.provers, t.loads) = (new uint256[](2 * n), new uint256[](n));
        for (uint256 k; k < n; ++k) {
            (t.provers[2 * k], t.provers[2 * k + 1]) = (s.provers[k].until, s.provers[k].seat);
            t.loads[k] = s.provers[k].load;
        }
        t.proversBefore = keccak256(abi.encode(t.provers));
        uint256 first;
        uint256 loads;
        (uint256[] memory provers, uint256[] memory list) = (t.provers, t.loads);
        assembly ("memory-safe") {
            first := add(provers, 0x20)
            loads := add(list, 0x20)
        }
        scan.prover = first + 64 * s.turn;
        scan.lastProver = first + 64 * (n - 1);
        scan.load = loads + 32 * s.turn;
    }

    function _fixed(Scan memory scan) private pure returns (bytes32) {
        return keccak256(
            abi.encode(scan.end, scan.high, scan.low, scan.pivot, scan.lastProver, scan.units, scan.revenue)
        );
    }

    function _read(PlainScan.State memory s, Scan memory scan, Tables memory t) private pure {
        (s.hash, s.index) = (scan.hash, scan.index);
        (s.unitsAbove, s.offeredAbove) = (scan.above & type(uint64).max, scan.above >> 64);
        (s.between, s.pivotSize) = (scan.between, scan.pivotSize);
        (s.offset, s.from) = (scan.offset, scan.from);
        (s.offered, s.paid) = (scan.offered, scan.paid);
        s.tree = scan.tree;
        uint256 first;
        uint256 loads;
        (uint256[] memory provers, uint256[] memory list) = (t.provers, t.loads);
        assembly ("memory-safe") {
            first := add(provers, 0x20)
            loads := add(list, 0x20)
        }
        s.turn = (scan.prover - first) / 64;
        require(scan.load == loads + 32 * s.turn, "the load is another prover's");
        for (uint256 k; k < s.provers.length; ++k) {
            s.provers[k].load = t.loads[k];
        }
    }
}

/// @notice `PlainScan` behind the same call.
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
