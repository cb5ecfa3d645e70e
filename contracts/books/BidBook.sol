// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";
import {IProverMarket} from "../interfaces/IProverMarket.sol";
import {BidWord, BidWordLib} from "../types/BidWord.sol";
import {CircuitId} from "../types/CircuitId.sol";
import {MarketId} from "../types/MarketId.sol";
import {NewBid} from "../types/Task.sol";
import {Ledger} from "./Ledger.sol";

/// @notice Takes bids: locks what they may cost and appends them to the open round.
abstract contract BidBook is Ledger {
    /// @inheritdoc IProverMarket
    function submitBid(
        MarketId id,
        uint64 fee,
        CircuitId circuit,
        uint256[] calldata publicInputs,
        bytes calldata data
    ) external payable returns (uint256 round, uint256 index) {
        _depositValue(id);
        uint32 current = id.roundAt(block.timestamp);
        round = current;
        BidWord[] memory words = new BidWord[](1);
        words[0] = _word(id, fee, circuit, publicInputs, data);

        index = _absorb(id, round, words);
        // forge-lint: disable-next-line(unsafe-typecast) -- an index is below `MAX_BIDS`
        bool inLane = _lock(id, current, uint32(index), fee, circuit.units());
        if (!inLane) _bundle(id, round, index, words);

        _emitBid(id, round, index, fee, circuit, publicInputs, data);
    }

    /// @inheritdoc IProverMarket
    function submitBids(MarketId id, NewBid[] calldata bids)
        external
        payable
        returns (uint256 round, uint256 firstIndex)
    {
        _depositValue(id);
        if (bids.length == 0) revert NoBids();
        round = id.roundAt(block.timestamp);
        BidWord[] memory words = new BidWord[](bids.length);
        uint256 cost;
        for (uint256 i; i < bids.length; ++i) {
            NewBid calldata bid = bids[i];
            words[i] = _word(id, bid.fee, bid.circuit, bid.publicInputs, bid.data);
            cost += words[i].cost() + id.settlementFee();
        }

        firstIndex = _absorb(id, round, words);
        _lockAll(id, round, cost);
        _bundle(id, round, firstIndex, words);

        for (uint256 i; i < bids.length; ++i) {
            NewBid calldata bid = bids[i];
            _emitBid(id, round, firstIndex + i, bid.fee, bid.circuit, bid.publicInputs, bid.data);
        }
    }

    function _word(
        MarketId id,
        uint64 fee,
        CircuitId circuit,
        uint256[] calldata publicInputs,
        bytes calldata data
    ) private view returns (BidWord) {
        uint32 size = circuit.units();
        if (fee == 0) revert ZeroFee();
        if (size == 0 || size > id.maxTaskSize()) revert TaskSizeOutOfRange(size, id.maxTaskSize());
        bytes32 inputsHash = keccak256(abi.encodePacked(publicInputs));
        bytes32 dataHash = EfficientHashLib.hashCalldata(data);
        return BidWordLib.pack(fee, size, BidWordLib.ticket(msg.sender, circuit, inputsHash, dataHash));
    }

    function _emitBid(
        MarketId id,
        uint256 round,
        uint256 index,
        uint64 fee,
        CircuitId circuit,
        uint256[] calldata publicInputs,
        bytes calldata data
    ) private {
        uint256 head = (round << 160) | (index << 128) | (uint256(fee) << 64) | CircuitId.unwrap(circuit);
        emit BidSubmitted(id, msg.sender, head, publicInputs, data);
    }
}
