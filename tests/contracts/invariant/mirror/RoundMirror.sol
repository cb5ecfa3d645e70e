// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BidWord} from "../../../../contracts/types/BidWord.sol";
import {Mechanism} from "../../../../contracts/types/Mechanism.sol";
import {SlowPages} from "../../support/SlowPages.sol";
import {Mirror} from "./Mirror.sol";

/// @notice The rounds: what was bid in them, under which terms, and whether their result is known.
abstract contract RoundMirror is Mirror {
    /// @dev What is bid, before it is known whether the market takes it.
    struct Draft {
        Posted[] tasks;
        BidWord word;
        uint256 cost;
        uint256 nonce;
    }

    struct Placed {
        address requester;
        uint64 fee;
        uint32 size;
        /// Index of its first bid, number of its bids, and how many of them won.
        uint32 first;
        uint16 count;
        uint16 won;
        bool told;
        /// Whether a lane of its requester remembers it; otherwise a bundle does.
        bool inLane;
        /// Its tasks are made from this number and the ones after it.
        uint128 nonce;
        BidWord word;
    }

    struct Round {
        uint32 bids;
        bool settled;
        /// Whether its result is in the balances.
        bool booked;
        uint64 pivotFee;
        uint32 pivotIndex;
        /// Running hash of its entries, without digest and count, and the digest that came with the first of them.
        uint256 running;
        uint256 digest;
        /// What a winning bid pays for a unit (`core`), and what all deliveries are paid together.
        uint256 userPrice;
        uint256 revenue;
        uint256 units;
        /// What deliveries were paid and dust came to so far.
        uint256 paid;
        /// The outcome as the market stored it first.
        uint256 outcome;
        uint256 cap;
        uint256 reserve;
        /// Whether a settlement has fixed the terms.
        bool moved;
        /// Of its assignment tree.
        bytes32[] leaves;
    }

    mapping(uint256 round => Round) internal rounds;
    mapping(uint256 round => Placed[]) internal entriesOf;
    /// Rounds below are closed and booked as such, and those below `_unbooked` have a known result.
    uint256 internal _noted;
    uint256 internal _unbooked;
    uint256 private _tasksMade;

    // -------------------------------------------------------------------------------------------------------- time

    /// @notice Whether nothing about the round's result can change any more.
    function isResolved(uint256 round) public view returns (bool) {
        if (rounds[round].settled) return true;
        return block.timestamp >= (rounds[round].bids == 0 ? revealBy(round) : settleBy(round));
    }

    /// @notice Whether the round can be settled now.
    function isSettleable(uint256 round) public view returns (bool) {
        return rounds[round].bids != 0 && !isResolved(round) && block.timestamp >= revealBy(round);
    }

    /// @dev Books every close and every void round since the last call.
    function catchUp() public virtual override {
        uint256 current = openRound();
        for (; _noted < current; ++_noted) {
            _noteClose(_noted);
            Round storage next = rounds[_noted + 1];
            if (!next.moved) (next.cap, next.reserve) = (rounds[_noted].cap, rounds[_noted].reserve);
            noteTerms(_noted + 1, next.cap, next.reserve);
        }
        for (; _unbooked < current && isResolved(_unbooked); ++_unbooked) {
            if (!rounds[_unbooked].booked) _bookResult(_unbooked);
        }
    }

    function _noteClose(uint256 round) internal virtual;

    /// @dev Puts what the round came to into the balances, as far as lanes remember it.
    function _bookResult(uint256 round) internal virtual;

    // ------------------------------------------------------------------------------------------------------ drafts

    function _draft(address requester, uint64 fee, uint32 size, uint256 count, bool told)
        internal
        returns (Draft memory d)
    {
        d.nonce = _tasksMade + 1;
        _tasksMade += count;
        d.tasks = new Posted[](count);
        for (uint256 i; i < count; ++i) {
            d.tasks[i] = _taskMade(requester, fee, size, d.nonce + i, told);
        }
        d.word = wordOf(d.tasks);
        d.cost = count * (uint256(fee) * size + params.settlementFee);
    }

    function _taskMade(address requester, uint64 fee, uint32 size, uint256 nonce, bool told)
        private
        pure
        returns (Posted memory p)
    {
        uint256[] memory inputs = new uint256[](2);
        (inputs[0], inputs[1]) = (nonce, size);
        return Posted(requester, fee, circuitOf(size), inputs, abi.encode(nonce, "witness"), told);
    }

    /// @dev The tasks of an entry as they were drafted.
    function _tasksOf(Placed memory e) internal pure returns (Posted[] memory list) {
        list = new Posted[](e.count);
        for (uint256 i; i < list.length; ++i) {
            list[i] = _taskMade(e.requester, e.fee, e.size, e.nonce + i, e.told);
        }
    }

    // ----------------------------------------------------------------------------------------------------- entries

    /// @dev Appends an entry to a round.
    function _noteEntry(uint256 round, Draft memory d, bool inLane) internal {
        Round storage r = rounds[round];
        if (r.bids == 0) {
            r.running = SlowPages.seedOf(address(market), id, round);
            if (round > 1) r.digest = _digestOf(round - 2);
        }
        r.running = uint256(keccak256(abi.encode(r.running, d.word))) >> 56 << 56;
        Posted memory p = d.tasks[0];
        Placed storage e = entriesOf[round].push();
        (e.requester, e.fee, e.size) = (p.requester, p.fee, p.circuit.units());
        (e.first, e.count) = (r.bids, uint16(d.tasks.length));
        (e.told, e.inLane, e.nonce, e.word) = (p.told, inLane, uint128(d.nonce), d.word);
        r.bids += e.count;
    }

    /// @dev `requesters pay their own bid (1) | pivot fee (31)`, or zero where that does not fit or nothing was settled.
    function _digestOf(uint256 round) private view returns (uint256) {
        Round storage r = rounds[round];
        if (!r.settled || r.pivotFee > 2 ** 31 - 1) return 0;
        return (params.mechanism == Mechanism.AverageFee ? 2 ** 31 : 0) + r.pivotFee;
    }

    /// @dev The words of `count` entries from number `first`.
    function _wordsOf(uint256 round, uint256 first, uint256 count)
        internal
        view
        returns (BidWord[] memory list)
    {
        list = new BidWord[](count);
        for (uint256 i; i < count; ++i) {
            list[i] = entriesOf[round][first + i].word;
        }
    }

    /// @dev What an entry gets back once its round's result is known.
    function _resultOf(uint256 round, Placed storage e) internal view returns (uint256) {
        Round storage r = rounds[round];
        uint256 locked = uint256(e.fee) * e.size;
        if (!r.settled) return e.count * (locked + params.settlementFee);
        uint256 charge = params.mechanism == Mechanism.Core ? r.userPrice * e.size : locked;
        return e.count * locked - e.won * charge;
    }
}
