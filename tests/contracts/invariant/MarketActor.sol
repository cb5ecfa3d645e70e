// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certificate} from "../../../contracts/types/Certificate.sol";
import {Opening} from "../../../contracts/types/Sealed.sol";
import {PlainToken} from "../mocks/Tokens.sol";
import {MarketBooks} from "./MarketBooks.sol";

/// @notice What the actions of `MarketHandler` are made of: calls to the market, booked if they went through.
abstract contract MarketActor is MarketBooks {
    address[] internal _actors;
    uint256 private _salts;

    function _deposit(address who, uint256 ticks) internal returns (bool ok) {
        uint256 amount = ticks * params.tick;
        if (params.currency == address(0)) {
            vm.deal(who, who.balance + amount);
            ok = _try(who, amount, abi.encodeCall(market.deposit, (id, who, amount)));
        } else {
            PlainToken token = PlainToken(params.currency);
            token.mint(who, amount);
            vm.prank(who);
            token.approve(address(market), amount);
            ok = _try(who, 0, abi.encodeCall(market.deposit, (id, who, amount)));
        }
        require(ok, "a deposit is taken");
        paidIn += ticks;
    }

    function _register(address prover, uint32 offered, uint64 cost) internal returns (bool ok) {
        uint32 units = offered + params.maxTaskSize - 1;
        _deposit(prover, uint256(units) * params.collateralPerUnit + params.seatFee);
        uint256 expected = _firstFreeSeat();
        if (_isSealed()) cost = type(uint64).max;
        ok = _try(prover, 0, abi.encodeCall(market.register, (id, units, cost)));
        require(ok == (expected < params.maxSeats), "a seat is given while there is one");
        if (!ok) return false;
        _noteCost(expected, cost);
        _noteChange(expected, units, false);
    }

    /// @dev An open task whose `end` is not past: any such, or one of a new round if that has one.
    function _taskBefore(uint256 which, function(uint256) view returns (uint256) end)
        internal
        returns (uint256 at)
    {
        uint256 n = tasks.length;
        for (uint256 i; i < n; ++i) {
            at = (which % n + i) % n;
            if (block.timestamp < end(at)) return at;
        }
        _trade();
        return tasks.length == 0 ? type(uint256).max : tasks.length - 1;
    }

    function _deadlineOf(uint256 at) internal view returns (uint256) {
        return tasks[at].deadline;
    }

    function _finalAtOf(uint256 at) internal view returns (uint256) {
        return finalAt(tasks[at].task.round);
    }

    function _leave(uint256 seat_, address prover) internal returns (bool ok) {
        return _change(seat_, prover, 0);
    }

    function _change(uint256 seat_, address prover, uint32 units) internal returns (bool ok) {
        uint256 before = capacity(seat_);
        ok = _try(prover, 0, abi.encodeCall(market.changeCapacity, (id, seat_, units)));
        if (ok) _noteChange(seat_, units > before ? units - before : before - units, units < before);
    }

    function _giveUp(uint256 seat_, address prover) internal returns (bool ok) {
        ok = _try(prover, 0, abi.encodeCall(market.releaseCapacity, (id, seat_)));
        if (ok) _noteRelease(seat_);
    }

    /// @dev Bids, or commits to the bid with a deposit that hides its fee.
    function _submit(Posted memory p) internal returns (bool ok) {
        uint256 round = roundNow();
        if (_isSealed()) {
            uint256 deposit = costOf(p) + uint256(p.inputs[0]) % 3;
            Commitment memory c;
            (c.round, c.account, c.hash) = (round, p.requester, commitmentOf(round, p));
            (c.task, c.deposit) = (p, deposit);
            return _commit(c, abi.encodeCall(market.commitBid, (id, c.hash, uint96(deposit), openRound())));
        }
        return _submitLot(_only(p));
    }

    /// @dev Bids for all of the list in one entry.
    function _submitLot(Posted[] memory list) internal returns (bool ok) {
        tell(list);
        ok = _try(list[0].requester, 0, abi.encodeCall(market.submitBid, (id, wordOf(list))));
        if (ok) _noteEntry(roundNow(), list);
    }

    function _noteEntry(uint256 round, Posted[] memory list) internal {
        address requester = list[0].requester;
        rememberLot(round, list);
        if (_laneTaken(round, requester)) _noteBundle(round, requester, list.length, 1);
        _takeLane(round, requester);
    }

    function _commit(Commitment memory c, bytes memory call) internal returns (bool ok) {
        ok = _try(c.account, 0, call);
        if (ok) _commitments.push(c);
    }

    function _commitAsk(uint256 seat_, uint64 cost) internal returns (bool) {
        Commitment memory c;
        (c.round, c.account, c.isAsk, c.seat, c.cost) = (roundNow(), _proverOf(seat_), true, seat_, cost);
        c.deposit = bondOf(seat_);
        c.salt = bytes32(++_salts);
        c.hash = askCommitment(c.round, seat_, cost, c.salt);
        _deposit(c.account, c.deposit);
        return _commit(c, abi.encodeCall(market.commitAsk, (id, seat_, c.hash, openRound())));
    }

    /// @dev Opens a commitment. What was opened before, or belongs to another round, has to be refused.
    function _reveal(uint256 at) internal returns (bool ok) {
        Commitment memory c = _commitments[at];
        bool inTime = block.timestamp >= closeAt(c.round) && block.timestamp < revealBy(c.round);
        bytes memory call;
        if (c.isAsk) {
            call = abi.encodeCall(market.revealAsk, (id, c.seat, c.cost, c.salt));
        } else {
            Opening[] memory openings = new Opening[](1);
            openings[0] = openingOf(c.task);
            tell(c.task);
            call = abi.encodeCall(market.revealBids, (id, openings));
        }
        ok = _try(relayer, 0, call);
        require(ok == inTime || c.isAsk, "a bid is opened exactly in its window");
        require(inTime || !ok, "an ask is opened in its window only");
        if (!ok) return false;
        require(!_try(relayer, 0, call), "a commitment is opened once");
        if (c.isAsk) noteCost(c.round, c.seat, c.cost);
        else _noteEntry(c.round, _only(c.task));
        _dropCommitment(at);
    }

    /// @dev Opens what was committed to for `round`, but for one in `spare`.
    function _revealAll(uint256 round, uint256 spare) internal {
        for (uint256 i = _commitments.length; i > 0; --i) {
            if (_commitments[i - 1].round == round && (i - 1) % spare != 0) _reveal(i - 1);
        }
    }

    /// @dev Commits every seat, so that a sealed round has an ask book.
    function _commitAsks() internal {
        if (!_isSealed()) return;
        for (uint256 i; i < market.seatCount(id); ++i) {
            if (_proverOf(i) != address(0)) require(_commitAsk(i, uint64(i * 2)), "a seat can commit");
        }
    }

    /// @dev Until the open round can be settled.
    function _closeRound(uint256 spare) internal {
        uint256 round = roundNow();
        _commitAsks();
        vm.warp(closeAt(round));
        sync();
        _revealAll(round, spare);
        vm.warp(revealBy(round));
    }

    function _settle(uint256 round) internal returns (bool ok) {
        Certificate memory c = cleared(round).certificate;
        ok = _try(relayer, 0, abi.encodeCall(market.settle, (id, round, c, words(round))));
        if (ok) _noteSettlement(round);
    }

    /// @dev A round with bids that pay, for actions that need a task; seats that are of no use make room first.
    function _trade() internal {
        for (uint256 i = tasks.length; i > 0; --i) {
            OpenTask memory t = tasks[i - 1];
            if (block.timestamp < finalAt(t.task.round)) continue;
            market.expire(id, t.task, t.path);
            _dropTask(i - 1);
        }
        for (uint256 i; i < market.seatCount(id); ++i) {
            (address prover, uint256 units,,) = market.seatOf(id, i);
            if (prover != address(0) && units < 2 * params.maxTaskSize) _leave(i, prover);
        }
        vm.warp(settleBy(roundNow() + params.capacityDelay - 1));
        sync();
        for (uint256 i; i < market.seatCount(id); ++i) {
            (address prover,,,) = market.seatOf(id, i);
            if (prover != address(0)) _giveUp(i, prover);
        }
        while (_firstFreeSeat() < 3) {
            _register(_actor(_firstFreeSeat()), 30, 3);
        }
        vm.warp(openAt(roundNow() + params.capacityDelay));
        sync();
        for (uint256 i; i < 6; ++i) {
            Posted memory p = newTask(_actor(i), uint64(30 - i), MAX_SIZE);
            _deposit(p.requester, costOf(p) + 3);
            require(_submit(p), "a bid with its money is taken");
        }
        uint256 round = roundNow();
        _closeRound(type(uint256).max);
        require(_settle(round), "the slow result is accepted");
    }

    function _release(Bundle memory b) internal returns (bool) {
        return _try(
            relayer,
            0,
            abi.encodeCall(
                market.release, (id, b.requester, b.round, b.first, words(b.round, b.entry, b.entries))
            )
        );
    }

    /// @dev Three of four are told.
    function _anyTask(uint256 who, uint256 fee, uint256 size) internal returns (Posted memory p) {
        p = newTask(_actor(who), uint64(1 + fee % 30), uint32(1 + size % MAX_SIZE));
        p.told = (size / MAX_SIZE) % 4 != 0;
    }

    function _actor(uint256 who) internal view returns (address) {
        return _actors[who % _actors.length];
    }

    /// @dev `startPrank` has no effect on later calls: one call, as `who`.
    function _try(address who, uint256 value, bytes memory call) internal returns (bool ok) {
        vm.prank(who);
        (ok,) = address(market).call{value: value}(call);
    }
}
