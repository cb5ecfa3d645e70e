// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {CircuitId, toCircuitId} from "../../../contracts/types/CircuitId.sol";
import {MarketId} from "../../../contracts/types/MarketId.sol";
import {Statement} from "../../../contracts/types/Statement.sol";
import {SlowMerkle} from "./SlowMerkle.sol";

/// @notice What is bid for, remembered task by task, and the words of its entries, made from their documentation with none of the
/// market's own code.
abstract contract PostedTasks is Test {
    /// @dev One bid, with what is to be proved for it.
    struct Posted {
        address requester;
        uint64 fee;
        CircuitId circuit;
        uint256[] inputs;
        bytes data;
        /// Whether its entry says that it is told, for an entry what its first bid says.
        bool told;
    }

    /// @dev Index of an entry's first bid, and number of its bids.
    struct Entry {
        uint256 first;
        uint256 count;
    }

    MarketId internal id;
    /// Whether new tasks are told, that is submitted with what is asked for.
    bool internal tells;

    mapping(MarketId => mapping(uint256 round => Posted[])) private _posted;
    mapping(MarketId => mapping(uint256 round => Entry[])) private _entries;
    mapping(MarketId => mapping(uint256 round => mapping(uint256 index => uint256))) private _entryNumber;
    uint256 private _nonce;

    // ------------------------------------------------------------------------------------------------------- tasks

    function circuitOf(uint32 size) internal pure returns (CircuitId) {
        return toCircuitId(size, size);
    }

    function newTask(address requester, uint64 fee, uint32 size) internal returns (Posted memory p) {
        uint256[] memory inputs = new uint256[](2);
        (inputs[0], inputs[1]) = (++_nonce, size);
        return Posted(requester, fee, circuitOf(size), inputs, abi.encode(_nonce, "witness"), tells);
    }

    function newTasks(address requester, uint64 fee, uint32 size, uint256 count)
        internal
        returns (Posted[] memory list)
    {
        list = new Posted[](count);
        for (uint256 i; i < count; ++i) {
            list[i] = newTask(requester, fee, size);
        }
    }

    /// @notice Records an entry of one bid.
    function remember(uint256 round, Posted memory p) internal {
        rememberLot(round, _only(p));
    }

    /// @notice Records one entry of as many bids as the list has.
    function rememberLot(uint256 round, Posted[] memory list) internal {
        Posted[] storage all = _posted[id][round];
        _entries[id][round].push(Entry(all.length, list.length));
        for (uint256 i; i < list.length; ++i) {
            _entryNumber[id][round][all.length] = _entries[id][round].length - 1;
            all.push(list[i]);
        }
    }

    function postedCount(uint256 round) internal view returns (uint256) {
        return _posted[id][round].length;
    }

    function posted(uint256 round, uint256 index) internal view returns (Posted memory) {
        return _posted[id][round][index];
    }

    function entryCount(uint256 round) internal view returns (uint256) {
        return _entries[id][round].length;
    }

    /// @notice The entry that bid `index` belongs to.
    function entryOf(uint256 round, uint256 index) internal view returns (Entry memory) {
        return _entries[id][round][entryNumberOf(round, index)];
    }

    function entryNumberOf(uint256 round, uint256 index) internal view returns (uint256) {
        return _entryNumber[id][round][index];
    }

    /// @notice How many bids the first `entries` of a round have.
    function bidsBefore(uint256 round, uint256 entries) internal view returns (uint256) {
        return entries == _entries[id][round].length ? postedCount(round) : _entries[id][round][entries].first;
    }

    /// @notice The bids of one entry.
    function lotOf(uint256 round, Entry memory entry) internal view returns (Posted[] memory list) {
        list = new Posted[](entry.count);
        for (uint256 i; i < entry.count; ++i) {
            list[i] = _posted[id][round][entry.first + i];
        }
    }

    // -------------------------------------------------------------------------------------------------- statements

    function statementLeaf(Posted memory p, uint256 position) internal pure returns (bytes32) {
        uint256 what = (position << 64) | CircuitId.unwrap(p.circuit);
        return keccak256(abi.encode(what, keccak256(abi.encodePacked(p.inputs)), keccak256(p.data)));
    }

    function statementLeaves(Posted[] memory list) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](list.length);
        for (uint256 i; i < list.length; ++i) {
            leaves[i] = statementLeaf(list[i], i);
        }
    }

    function statementsRoot(Posted[] memory list) internal pure returns (bytes32) {
        return SlowMerkle.root(statementLeaves(list));
    }

    function statementsOf(Posted[] memory list) internal pure returns (Statement[] memory statements) {
        statements = new Statement[](list.length);
        for (uint256 i; i < list.length; ++i) {
            statements[i] = Statement(list[i].circuit, list[i].inputs, list[i].data);
        }
    }

    function statementsOf(Posted memory p) internal pure returns (Statement[] memory) {
        return statementsOf(_only(p));
    }

    // ------------------------------------------------------------------------------------------------------- words

    function ticketOf(address requester, bytes32 statements) internal pure returns (uint144) {
        return uint144(uint256(keccak256(abi.encode(requester, statements))));
    }

    function wordOf(Posted memory p) internal pure returns (BidWord) {
        return wordOf(_only(p));
    }

    /// @notice The word of a lot, from the layout as documented; fee, size and requester are those of the first task.
    function wordOf(Posted[] memory list) internal pure returns (BidWord) {
        return packWord(
            list[0].fee,
            uint32(CircuitId.unwrap(list[0].circuit)),
            lotBits(list[0].told, list.length),
            ticketOf(list[0].requester, statementsRoot(list))
        );
    }

    /// @notice `told (1) | further bids (15)`.
    function lotBits(bool told, uint256 count) internal pure returns (uint16) {
        return uint16((told ? 1 << 15 : 0) | (count - 1));
    }

    /// @notice The word of an entry that is not told.
    function entryWord(uint64 fee, uint32 size, uint256 count, uint144 ticket)
        internal
        pure
        returns (BidWord)
    {
        return packWord(fee, size, lotBits(false, count), ticket);
    }

    function packWord(uint64 fee, uint32 size, uint16 lot_, uint144 ticket) internal pure returns (BidWord) {
        return BidWord.wrap(bytes32(abi.encodePacked(fee, size, lot_, ticket)));
    }

    /// @notice The word of one bid whose ticket nobody will look into.
    function plainWord(uint64 fee, uint32 size) internal pure returns (BidWord) {
        return entryWord(fee, size, 1, 0);
    }

    /// @notice All entries of a round.
    function words(uint256 round) internal view returns (BidWord[] memory) {
        return words(round, 0, _entries[id][round].length);
    }

    /// @notice `count` entries of a round from number `first`.
    function words(uint256 round, uint256 first, uint256 count)
        internal
        view
        returns (BidWord[] memory list)
    {
        list = new BidWord[](count);
        for (uint256 i; i < count; ++i) {
            list[i] = wordOf(lotOf(round, _entries[id][round][first + i]));
        }
    }

    function rawWords(BidWord[] memory list) internal pure returns (bytes32[] memory raw) {
        assembly ("memory-safe") {
            raw := list
        }
    }

    function _only(Posted memory p) internal pure returns (Posted[] memory list) {
        list = new Posted[](1);
        list[0] = p;
    }
}
