// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";
import {BidWord, BidWordLib} from "../types/BidWord.sol";
import {CircuitId} from "../types/CircuitId.sol";
import {MarketId} from "../types/MarketId.sol";
import {NewBid} from "../types/Task.sol";
import {Ledger} from "./Ledger.sol";

/// @notice Takes bids in the open: locks what they may cost and appends them to the open round.
abstract contract BidBook is Ledger {
    function _submitBid(
        MarketId id,
        uint64 fee,
        CircuitId circuit,
        uint256[] calldata publicInputs,
        bytes calldata data
    ) internal returns (uint256 round, uint256 index) {
        _requireUnsealed(id);
        _depositValue(id);
        _requireBid(id, fee, circuit);
        uint32 current = id.roundAt(block.timestamp);
        round = current;
        BidWord word = _word(msg.sender, fee, circuit, publicInputs, data);
        index = _enter(id, current, msg.sender, word);
        _emitBid(id, msg.sender, round, index, fee, circuit, publicInputs, data);
    }

    function _submitBids(MarketId id, NewBid[] calldata bids)
        internal
        returns (uint256 round, uint256 firstIndex)
    {
        _requireUnsealed(id);
        _depositValue(id);
        if (bids.length == 0) revert NoBids();
        round = id.roundAt(block.timestamp);
        BidWord[] memory words = new BidWord[](bids.length);
        uint256 cost;
        for (uint256 i; i < bids.length; ++i) {
            NewBid calldata bid = bids[i];
            _requireBid(id, bid.fee, bid.circuit);
            words[i] = _word(msg.sender, bid.fee, bid.circuit, bid.publicInputs, bid.data);
            cost += words[i].cost() + id.settlementFee();
        }

        firstIndex = _absorb(id, round, words);
        _lockAll(id, round, cost);
        _bundle(id, msg.sender, round, firstIndex, words);

        for (uint256 i; i < bids.length; ++i) {
            NewBid calldata bid = bids[i];
            uint256 index = firstIndex + i;
            _emitBid(id, msg.sender, round, index, bid.fee, bid.circuit, bid.publicInputs, bid.data);
        }
    }

    // ------------------------------------------------------------------------------------------ for other books

    function _word(
        address requester,
        uint64 fee,
        CircuitId circuit,
        uint256[] calldata publicInputs,
        bytes calldata data
    ) internal pure returns (BidWord) {
        bytes32 inputsHash = keccak256(abi.encodePacked(publicInputs));
        bytes32 dataHash = EfficientHashLib.hashCalldata(data);
        uint160 ticket = BidWordLib.ticket(requester, circuit, inputsHash, dataHash);
        return BidWordLib.pack(fee, circuit.units(), ticket);
    }

    /// @notice Appends one bid to `round` and locks what it may cost.
    function _enter(MarketId id, uint32 round, address requester, BidWord word)
        internal
        returns (uint256 index)
    {
        BidWord[] memory words = new BidWord[](1);
        words[0] = word;
        index = _absorb(id, round, words);
        // forge-lint: disable-next-line(unsafe-typecast) -- an index is below `MAX_BIDS`
        bool inLane = _lock(id, requester, round, uint32(index), uint64(word.fee()), uint32(word.size()));
        if (!inLane) _bundle(id, requester, round, index, words);
    }

    function _emitBid(
        MarketId id,
        address requester,
        uint256 round,
        uint256 index,
        uint64 fee,
        CircuitId circuit,
        uint256[] calldata publicInputs,
        bytes calldata data
    ) internal {
        uint256 head =
            (round << 160) | (index << 128) | (uint256(fee) << 64) | CircuitId.unwrap(circuit);
        emit BidSubmitted(id, requester, head, publicInputs, data);
    }

    function _isSizeAllowed(MarketId id, CircuitId circuit) internal pure returns (bool) {
        uint256 size = circuit.units();
        return size != 0 && size <= id.maxTaskSize();
    }

    function _requireUnsealed(MarketId id) internal pure {
        if (id.isSealed()) revert MarketIsSealed();
    }

    // ------------------------------------------------------------------------------------------------- internals

    function _requireBid(MarketId id, uint64 fee, CircuitId circuit) private pure {
        if (fee == 0) revert ZeroFee();
        if (!_isSizeAllowed(id, circuit)) revert TaskSizeOutOfRange(circuit.units(), id.maxTaskSize());
    }
}
