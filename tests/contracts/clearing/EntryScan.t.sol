// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {PlainScan} from "../support/PlainScan.sol";
import {ScanRunner} from "../support/ScanRunner.sol";

/// @notice The assembly loop over the entries of a round does what `PlainScan` does in plain words.
contract EntryScanTest is Test {
    using PlainScan for PlainScan.State;

    ScanRunner private _runner = new ScanRunner();
    uint256 private _random;

    function _next(uint256 bound_) private returns (uint256) {
        _random = uint256(keccak256(abi.encode(_random)));
        return _random % bound_;
    }

    // ----------------------------------------------------------------------------------------------------- lists

    /// @dev Few different fees, so that many are equal; now and then the ends of their type.
    function _fee() private returns (uint256) {
        uint256 kind = _next(12);
        if (kind == 0) return 0;
        if (kind == 1) return type(uint64).max;
        if (kind == 2) return type(uint64).max - 1;
        return 10 + _next(4);
    }

    function _size(bool small) private returns (uint256) {
        uint256 kind = _next(small ? 20 : 6);
        if (kind == 0) return type(uint32).max;
        if (kind == 1) return 0;
        if (kind == 2) return 1;
        return small ? 1 + _next(64) : _next(2 ** 32);
    }

    function _word(uint256 fee, uint256 size, uint256 count, uint256 ticket) private pure returns (bytes32) {
        return bytes32(abi.encodePacked(uint64(fee), uint32(size), uint16(count - 1), uint144(ticket)));
    }

    function _list(uint256 n) private returns (bytes32[] memory words) {
        words = new bytes32[](n);
        bool small = _next(2) == 0;
        for (uint256 i; i < n; ++i) {
            uint256 count = _next(3) != 0 ? 1 : 1 + _next(12);
            words[i] = _word(_fee(), _size(small), count, _next(type(uint144).max));
            if (_next(2) == 0) words[i] |= bytes32(uint256(1) << 159); // told, which the scan has no use for
        }
    }

    function _countOf(bytes32 word) private pure returns (uint256) {
        return (uint256(uint16(bytes2(word << 96))) & 0x7fff) + 1;
    }

    // ---------------------------------------------------------------------------------------------------- states

    /// @dev A bid of the list, or a point between its bids.
    function _line(PlainScan.State memory s, bytes32[] memory words) private returns (PlainScan.Line memory) {
        uint256 index = s.index;
        if (words.length == 0) return PlainScan.Line(_fee(), index);
        uint256 at = _next(words.length);
        for (uint256 i; i < at; ++i) {
            index += _countOf(words[i]);
        }
        uint256 kind = _next(8);
        uint256 fee = kind == 0 ? _fee() : uint64(bytes8(words[at]));
        if (kind == 1) return PlainScan.Line(fee, 2 ** 32 - 1); // below all of that fee
        if (kind == 2) return PlainScan.Line(fee + 1, 2 ** 32 - 1); // one above the first of that fee
        if (kind == 3) return PlainScan.Line(fee, 0);
        return PlainScan.Line(fee, index + _next(_countOf(words[at])));
    }

    function _start(bytes32[] memory words) private returns (PlainScan.State memory s) {
        if (_next(2) == 0) _resume(s);
        s.high = _line(s, words);
        s.low = _next(5) == 0 ? s.high : _line(s, words);
        if (PlainScan.isBefore(PlainScan.Bid(s.low.fee, 0, s.low.index, 0), s.high)) {
            (s.high, s.low) = (s.low, s.high);
        }
        s.pivot = _line(s, words);
        if (_next(2) == 0) (s.units, s.revenue) = (1 + _next(2 ** 39), _next(2 ** 104));
        _provers(s, words);
    }

    /// @dev What earlier entries may have left.
    function _resume(PlainScan.State memory s) private {
        s.hash = _next(type(uint256).max) >> 56 << 56;
        s.index = _next(2 ** 24);
        (s.unitsAbove, s.offeredAbove) = (_next(2 ** 56), _next(2 ** 120));
        (s.between, s.pivotSize) = (_next(2 ** 56), _next(2 ** 32));
        s.offset = s.from = _next(2 ** 39);
        (s.offered, s.paid) = (_next(2 ** 120), _next(2 ** 120));
        for (uint256 n = _next(40); n != 0; --n) {
            PlainScan.push(s.tree, keccak256(abi.encode(n)));
        }
    }

    /// @dev Their tasks end anywhere among those of the list, also within one, at one, two at the same, or far behind all.
    function _provers(PlainScan.State memory s, bytes32[] memory words) private {
        uint256 n = 1 + _next(6);
        s.provers = new PlainScan.Prover[](n);
        uint256 end = s.offset;
        uint256 i;
        for (uint256 k; k < n; ++k) {
            uint256 more = _next(words.length / n + 2);
            for (; more != 0 && i < words.length; --more) {
                end += uint32(bytes4(words[i] << 64)) * _countOf(words[i]);
                ++i;
            }
            s.provers[k] = PlainScan.Prover(end + _next(2), _next(128), _next(2) * _next(2 ** 32));
        }
    }

    /// @dev What a prover has had so far may be in its load or not.
    function _assertEqual(PlainScan.State memory a, PlainScan.State memory b) private pure {
        a.close();
        b.close();
        assertEq(a.hash, b.hash, "hash");
        assertEq(a.index, b.index, "index");
        assertEq(a.unitsAbove, b.unitsAbove, "units above");
        assertEq(a.offeredAbove, b.offeredAbove, "offered above");
        assertEq(a.between, b.between, "between");
        assertEq(a.pivotSize, b.pivotSize, "pivot size");
        assertEq(a.offset, b.offset, "offset");
        assertEq(a.turn, b.turn, "turn");
        assertEq(a.from, b.from, "from");
        assertEq(a.offered, b.offered, "offered");
        assertEq(a.paid, b.paid, "paid");
        assertEq(a.tree.count, b.tree.count, "leaves");
        assertEq(keccak256(abi.encode(a)), keccak256(abi.encode(b)), "loads or tree");
    }

    function _copy(PlainScan.State memory s) private pure returns (PlainScan.State memory) {
        return abi.decode(abi.encode(s), (PlainScan.State));
    }

    function _part(bytes32[] memory words, uint256 from, uint256 to)
        private
        pure
        returns (bytes32[] memory part)
    {
        part = new bytes32[](to - from);
        for (uint256 i = from; i < to; ++i) {
            part[i - from] = words[i];
        }
    }

    function _check(PlainScan.State memory s, bytes32[] memory words) private view {
        PlainScan.State memory found = _runner.run(s, words);
        PlainScan.run(s, words);
        _assertEqual(found, s);
    }

    // ----------------------------------------------------------------------------------------------------- tests

    function testFuzz_scanDoesWhatItsPlainVersionDoes(uint256 salt, uint8 n) public {
        _random = salt;
        bytes32[] memory words = _list(n % 48);
        _check(_start(words), words);
    }

    function testFuzz_twoRunsDoWhatOneDoes(uint256 salt, uint8 n, uint8 cut) public {
        _random = salt;
        bytes32[] memory words = _list(n % 48);
        PlainScan.State memory s = _start(words);
        uint256 at = cut % (words.length + 1);
        PlainScan.State memory found = _runner.run(s, _part(words, 0, at));
        found = _runner.run(found, _part(words, at, words.length));
        _assertEqual(found, _runner.run(s, words));
        assertEq(_runner.rootOf(found.tree), _runner.rootOf(_runner.run(s, words).tree));
    }

    /// @dev Whichever prover's turn it is, loads are what each task adds to the one whose part it starts in.
    function testFuzz_taskIsOfTheProverInWhosePartItStarts(uint256 salt, uint8 n) public {
        _random = salt;
        bytes32[] memory words = _list(n % 48);
        PlainScan.State memory s = _start(words);
        PlainScan.State memory found = _runner.run(s, words);
        found.close();
        uint256[] memory loads = new uint256[](s.provers.length);
        (uint256 offset, uint256 index) = (s.offset, s.index);
        for (uint256 i; i < words.length; ++i) {
            for (uint256 j = _countOf(words[i]); j != 0; --j) {
                uint256 size = uint32(bytes4(words[i] << 64));
                if (PlainScan.isBefore(PlainScan.Bid(uint64(bytes8(words[i])), 0, index++, 0), s.pivot)) {
                    loads[_proverAt(s, offset)] += size;
                    offset += size;
                }
            }
        }
        assertEq(found.offset, offset);
        for (uint256 k; k < loads.length; ++k) {
            assertEq(found.provers[k].load - s.provers[k].load, loads[k]);
        }
    }

    function _proverAt(PlainScan.State memory s, uint256 offset) private pure returns (uint256 k) {
        while (k + 1 < s.provers.length && offset >= s.provers[k].until) ++k;
    }

    function test_nothingToScanChangesNothing() public {
        for (_random = 1; _random < 20; ++_random) {
            uint256 salt = _random;
            PlainScan.State memory s = _start(new bytes32[](0));
            _assertEqual(_runner.run(s, new bytes32[](0)), s);
            _random = salt;
        }
    }

    /// @dev A lot of 2^16 bids of the largest size, at each place of its pivot that differs.
    function test_largestLotIsCutWhereItsPivotStands() public view {
        uint256 most = 2 ** 15;
        uint256[6] memory won = [uint256(0), 1, 2, 300, most - 1, most];
        bytes32[] memory words = new bytes32[](1);
        words[0] = _word(type(uint64).max - 1, type(uint32).max, most, type(uint144).max);
        for (uint256 i; i < won.length; ++i) {
            this.checkLot(words, won[i]);
        }
    }

    function checkLot(bytes32[] memory words, uint256 won) external view {
        PlainScan.State memory s;
        (s.index, s.units, s.revenue) = (7, 3, 10);
        s.provers = new PlainScan.Prover[](2);
        s.provers[0] = PlainScan.Prover(2 * uint256(type(uint32).max), 4, 0);
        s.provers[1].seat = 9;
        uint256 fee = type(uint64).max - 1;
        (s.high, s.low) = (PlainScan.Line(fee, 7 + won), PlainScan.Line(fee, 7 + won + 5));
        s.pivot = PlainScan.Line(fee, 7 + won);
        s = _runner.run(s, words);
        uint256 size = type(uint32).max;
        uint256 total = 2 ** 15;
        uint256 above = won == total ? total : won + 1;
        assertEq(s.index, 7 + total);
        assertEq(s.unitsAbove, above * size);
        assertEq(s.offeredAbove, above * size * fee);
        assertEq(s.between, (won + 6 > total ? total - above : 5) * size);
        assertEq(s.pivotSize, won == total ? 0 : size);
        assertEq(s.offset, won * size);
        // Two tasks start below where the first prover's part ends.
        assertEq(s.tree.count, won == 0 ? 0 : won > 2 ? 2 : 1);
        assertEq(s.offered, won * size * fee);
        assertEq(s.paid, won * (10 * size / 3));
        assertEq(s.turn, won > 2 ? 1 : 0);
    }
}
