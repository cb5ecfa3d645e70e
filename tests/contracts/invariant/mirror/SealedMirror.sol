// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Opening} from "../../../../contracts/types/Sealed.sol";
import {SeatMirror} from "./SeatMirror.sol";

/// @notice Commitments of a sealed market that are neither opened nor forfeited, and those that were.
abstract contract SealedMirror is SeatMirror {
    struct Commitment {
        uint32 round;
        address account;
        bytes32 hash;
        uint256 deposit;
        uint256 bond;
        /// Of an ask: its seat and unit cost.
        bool isAsk;
        uint256 seat;
        uint64 cost;
        bytes32 salt;
        /// Of a bid: what is bid.
        uint64 fee;
        uint32 size;
        bool told;
        uint128 nonce;
    }

    Commitment[] internal commitments;
    Commitment[] internal endedCommitments;
    uint256 private _salts;

    function _staked() internal view override returns (uint256 sum) {
        for (uint256 i; i < commitments.length; ++i) {
            sum += commitments[i].deposit;
        }
    }

    function _bond(uint256 amount) private view returns (uint256 bond) {
        bond = amount * params.bondBps / 10_000;
        if (bond < params.settlementFee) bond = params.settlementFee;
    }

    function _commit(Commitment memory c, bytes memory call) private returns (bool ok) {
        ok = _try(c.account, call);
        require(ok == (balances[c.account] >= c.deposit), "who has the deposit can commit");
        if (!ok) return false;
        balances[c.account] -= c.deposit;
        commitments.push(c);
    }

    /// @dev Commits to a bid with a deposit that hides its fee.
    function _commitBid(Draft memory d, uint256 hidden) internal returns (bool) {
        Commitment memory c;
        Posted memory p = d.tasks[0];
        (c.round, c.account, c.nonce) = (openRound(), p.requester, uint128(d.nonce));
        (c.fee, c.size, c.told) = (p.fee, p.circuit.units(), p.told);
        c.deposit = d.cost + hidden;
        (c.hash, c.bond) = (commitmentOf(c.round, p), _bond(c.deposit));
        _fundFor(c.account, c.deposit);
        return _commit(c, abi.encodeCall(market.commitBid, (id, c.hash, uint96(c.deposit), c.round)));
    }

    function _commitAskOf(uint256 seat_, uint64 cost) internal returns (bool) {
        Commitment memory c;
        Seat storage s = seats[seat_];
        (c.round, c.account, c.isAsk, c.seat, c.cost) = (openRound(), s.prover, true, seat_, cost);
        c.deposit = c.bond = _bond(uint256(s.capacity) * params.collateralPerUnit);
        c.salt = bytes32(++_salts);
        c.hash = askCommitment(c.round, seat_, cost, c.salt);
        _fundFor(c.account, c.deposit);
        return _commit(c, abi.encodeCall(market.commitAsk, (id, seat_, c.hash, c.round)));
    }

    function _isRevealing(uint256 round) internal view returns (bool) {
        return block.timestamp >= closeAt(round) && block.timestamp < revealBy(round);
    }

    function _draftOf(Commitment memory c) internal view returns (Draft memory d) {
        Placed memory e;
        (e.requester, e.fee, e.size, e.count) = (c.account, c.fee, c.size, 1);
        (e.told, e.nonce) = (c.told, c.nonce);
        d.tasks = _tasksOf(e);
        (d.word, d.nonce) = (wordOf(d.tasks), c.nonce);
        d.cost = uint256(c.fee) * c.size + params.settlementFee;
    }

    /// @dev Opens commitments to bids, `junk` of which are altered and refused without harm to the others.
    function _reveal(uint256[] memory which, bool[] memory junk) internal returns (bool ok) {
        Opening[] memory openings = new Opening[](which.length);
        uint256 good;
        for (uint256 i; i < which.length; ++i) {
            Commitment memory c = commitments[which[i]];
            Draft memory d = _draftOf(c);
            openings[i] = openingOf(d.tasks[0]);
            tell(d.tasks);
            if (junk[i]) openings[i].salt = ~openings[i].salt;
            else if (_isRevealing(c.round)) ++good;
        }
        bytes memory call = abi.encodeCall(market.revealBids, (id, openings));
        ok = _try(_anyActor(), call);
        require(ok == (good != 0), "a bid is opened exactly in its window");
        if (!ok) return false;
        require(!_try(_anyActor(), call), "a commitment is opened once");
        _bookReveals(which, junk);
    }

    /// @dev In the order of opening, which is that of the bids; then the list shrinks from its end.
    function _bookReveals(uint256[] memory which, bool[] memory junk) private {
        for (uint256 i; i < which.length; ++i) {
            Commitment memory c = commitments[which[i]];
            if (junk[i] || !_isRevealing(c.round)) continue;
            balances[c.account] += c.deposit;
            _accept(c.round, _draftOf(c));
        }
        for (uint256 i = which.length; i > 0; --i) {
            if (!junk[i - 1] && _isRevealing(commitments[which[i - 1]].round)) _endCommitment(which[i - 1]);
        }
    }

    function _revealAskOf(uint256 at) internal returns (bool ok) {
        Commitment memory c = commitments[at];
        bytes memory call = abi.encodeCall(market.revealAsk, (id, c.seat, c.cost, c.salt));
        Seat storage s = seats[c.seat];
        bool fits =
            _isRevealing(c.round) && s.prover == c.account && (s.costFrom != c.round || s.cost == NO_ASK);
        ok = _try(_anyActor(), call);
        require(ok == fits, "an ask is opened in its window, one a seat and round");
        if (!ok) return false;
        require(!_try(_anyActor(), call), "a commitment is opened once");
        (s.cost, s.costFrom) = (c.cost, c.round);
        balances[c.account] += c.deposit;
        noteCost(c.round, c.seat, c.cost);
        _endCommitment(at);
    }

    function _forfeit(uint256 at) internal returns (bool ok) {
        Commitment memory c = commitments[at];
        bytes memory call = abi.encodeCall(market.forfeit, (id, c.account, c.round, c.hash));
        ok = _try(_anyActor(), call);
        require(
            ok == (block.timestamp >= revealBy(c.round)), "forfeited exactly from the end of its window on"
        );
        if (!ok) return false;
        require(!_try(_anyActor(), call), "a commitment is forfeited once");
        balances[c.account] += c.deposit - c.bond;
        surplus += c.bond;
        _endCommitment(at);
    }

    function _endCommitment(uint256 at) private {
        endedCommitments.push(commitments[at]);
        commitments[at] = commitments[commitments.length - 1];
        commitments.pop();
    }
}
