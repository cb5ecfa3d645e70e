// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IProverMarket} from "../../../contracts/interfaces/IProverMarket.sol";
import {Certificate} from "../../../contracts/types/Certificate.sol";
import {MarketParams} from "../../../contracts/types/MarketParams.sol";
import {NewBid} from "../../../contracts/types/Task.sol";
import {Attacker, Forcer} from "../mocks/Attackers.sol";
import {PlainToken} from "../mocks/Tokens.sol";
import {HashVerifier} from "../mocks/HashVerifier.sol";
import {MarketBooks} from "./MarketBooks.sol";

/// @notice Everything that anybody can do in one market, in any order: the actions of a stateful fuzz. A call that the
/// market refuses is counted and undone; a call that must be refused and is not fails the run.
contract MarketHandler is MarketBooks {
    address[] private _actors;
    address private immutable ATTACKER;

    constructor(IProverMarket market_, HashVerifier verifier_, MarketParams memory params_) {
        (market, verifier, params) = (market_, verifier_, params_);
        id = market.createMarket(params_);
        Attacker attacker = new Attacker(address(market_));
        ATTACKER = address(attacker);
        attacker.plan(abi.encodeCall(market.withdraw, (id, type(uint256).max, ATTACKER)), false);
        _actors = [alice, bob, carol, paul, quentin, rita, relayer, ATTACKER];
        for (uint64 i; i < 3; ++i) {
            _register(_actors[3 + i], 30, 2 * i);
        }
    }

    // ------------------------------------------------------------------------------------------------------ money

    function deposit(uint256 who, uint256 amount) external acts("deposit") {
        _succeeded(_deposit(_actor(who), bound(amount, 1, 5000)));
    }

    function withdraw(uint256 who, uint256 amount) external acts("withdraw") {
        address actor = _actor(who);
        uint256 held = available(actor);
        amount = amount % 4 == 0 ? held + 1 : amount % 4 == 1 ? type(uint256).max : amount % (held + 1);
        bool ok = _try(actor, 0, abi.encodeCall(market.withdraw, (id, amount, actor)));
        if (amount == type(uint256).max) amount = held;
        require(ok == (amount <= held), "withdrawal of what is there, and of no more");
        if (ok) paidOut += amount;
        _succeeded(ok && amount != 0);
    }

    function fold(uint256 who) external acts("fold") {
        address actor = _actor(who);
        uint256 before = available(actor);
        _succeeded(_try(relayer, 0, abi.encodeCall(market.fold, (id, actor))));
        require(available(actor) == before, "folding moves nothing");
    }

    function collectSurplus() external acts("collectSurplus") {
        uint256 surplus = market.surplusOf(id);
        bool ok = _try(relayer, 0, abi.encodeCall(market.collectSurplus, (id)));
        if (ok) paidOut += surplus;
        _succeeded(ok);
    }

    function forceEther(uint256 amount) external acts("forceEther") {
        amount = bound(amount, 1, 1e12);
        vm.deal(address(this), amount);
        new Forcer{value: amount}(payable(address(market)));
        forced += amount;
        _succeeded(true);
    }

    // ------------------------------------------------------------------------------------------------------- bids

    function submitBid(uint256 who, uint256 fee, uint256 size, bool pays) external acts("submitBid") {
        Posted memory p = _anyTask(who, fee, size);
        if (pays) _deposit(p.requester, uint256(p.fee) * p.circuit.units() + params.settlementFee);
        bool ok = _submit(p);
        require(ok || !pays, "a bid with its money is taken");
        _succeeded(ok);
    }

    function submitBids(uint256 who, uint256 count, uint256 seed) external acts("submitBids") {
        count = bound(count, 1, 4);
        NewBid[] memory bids = new NewBid[](count);
        Posted[] memory all = new Posted[](count);
        for (uint256 i; i < count; ++i) {
            uint256 r = uint256(keccak256(abi.encode(seed, i)));
            all[i] = _anyTask(who, r, r >> 64);
            bids[i] = NewBid(all[i].fee, all[i].circuit, all[i].inputs, all[i].data);
            _deposit(all[i].requester, uint256(all[i].fee) * all[i].circuit.units() + params.settlementFee);
        }
        uint256 round = roundNow();
        bool ok = _try(all[0].requester, 0, abi.encodeCall(market.submitBids, (id, bids)));
        require(ok, "bids with their money are taken");
        _noteBundle(round, all[0].requester, postedCount(round), count);
        for (uint256 i; i < count; ++i) {
            remember(round, all[i]);
        }
        _succeeded(ok);
    }

    function release(uint256 which) external acts("release") {
        if (bundles.length == 0) return;
        uint256 at = which % bundles.length;
        Bundle memory b = bundles[at];
        bool ok = _release(b);
        require(ok == resolved(b.round), "released as soon as, and not before, the result is known");
        require(!ok || !_release(b), "a bundle comes back once");
        if (ok) _dropBundle(at);
        _succeeded(ok);
    }

    // ------------------------------------------------------------------------------------------------------ seats

    function register(uint256 who, uint256 offered, uint256 cost) external acts("register") {
        _succeeded(_register(_actor(who), uint32(bound(offered, MAX_SIZE, 30)), uint64(cost % 12)));
    }

    function ask(uint256 which, uint256 cost) external acts("ask") {
        (uint256 seat_, address prover) = _anySeat(which);
        if (prover == address(0)) return;
        uint64 cost_ = uint64(cost % 12);
        bool ok = _try(prover, 0, abi.encodeCall(market.ask, (id, seat_, cost_)));
        if (ok) _noteCost(seat_, cost_);
        _succeeded(ok);
    }

    function leave(uint256 which) external acts("leave") {
        (uint256 seat_, address prover) = _anySeat(which);
        if (prover == address(0) || which % 2 != 0) return; // a market without provers shows little
        _succeeded(_leave(seat_, prover));
    }

    /// @dev Half of the time a seat that owes nothing leaves first, and its last round is waited for.
    function releaseSeat(uint256 which, bool waits) external acts("releaseSeat") {
        (uint256 seat_, address prover) = _idleSeat(which);
        if (prover == address(0)) return;
        if (waits) {
            _leave(seat_, prover);
            vm.warp(settleBy(roundNow()));
            sync();
        }
        _succeeded(_try(prover, 0, abi.encodeCall(market.releaseCapacity, (id, seat_))));
    }

    // ----------------------------------------------------------------------------------------- settlement, tasks

    /// @dev Half of the time waits for the close of the open round; then whatever can be settled has to be.
    function settleRound(bool waits) external acts("settleRound") {
        if (waits) {
            vm.warp(closeAt(roundNow()));
            sync();
        }
        uint256 current = roundNow();
        if (current == 0) return;
        uint256 round = current - 1;
        bool settleable = postedCount(round) != 0 && !settled[round] && block.timestamp < settleBy(round);
        bool ok = _settle(round);
        require(ok == settleable, "the slow result is accepted once, in time");
        _succeeded(ok);
    }

    /// @dev What is refused at the close of the open round is followed by what is accepted.
    function settleWrong(uint256 seed) external acts("settleWrong") {
        uint256 round = roundNow();
        if (postedCount(round) == 0) return;
        vm.warp(closeAt(round));
        sync();
        Certificate memory c = cleared(round).certificate;
        if (seed % 4 == 0) c.pivotSeat ^= uint8(1 + seed % 3);
        else if (seed % 4 == 1) c.pivotFee ^= uint64(1 + seed % 7);
        else if (seed % 4 == 2) c.pivotIndex ^= uint32(1 + seed % 7);
        else c.units ^= uint64(1 + seed % 7);
        bytes memory call = abi.encodeCall(market.settle, (id, round, c, words(round)));
        require(!_try(relayer, 0, call), "another certificate is refused");
        require(_settle(round), "the slow result is accepted");
        _succeeded(true);
    }

    function deliver(uint256 which, bool late) external acts("deliver") {
        uint256 at = late && tasks.length != 0 ? which % tasks.length : _taskBefore(which, _deadlineOf);
        if (at >= tasks.length) return;
        OpenTask memory t = tasks[at];
        bytes memory proof = verifier.proofOf(t.task.circuit, t.inputs);
        bytes memory call = abi.encodeCall(market.deliver, (id, t.task, t.path, t.inputs, proof));
        bool ok = _try(_actor(which), 0, call);
        require(ok == (block.timestamp < t.deadline), "delivered exactly before the holder's deadline");
        if (ok) {
            _dropTask(at);
            require(!_try(relayer, 0, call), "a task is paid once");
        }
        _succeeded(ok);
    }

    /// @dev Any seat that can take the task does, the search starting anywhere.
    function takeOver(uint256 which, uint256 seat_, bool waits) external acts("takeOver") {
        uint256 at = _taskBefore(which, _finalAtOf);
        if (at >= tasks.length) return;
        OpenTask storage t = tasks[at];
        if (waits && block.timestamp < t.deadline) vm.warp(t.deadline);
        uint256 closed = roundNow() - 1; // what it may still win is not free
        if (waits && !resolved(closed) && settleBy(closed) < finalAt(t.task.round)) {
            vm.warp(settleBy(closed));
        }
        sync();
        bool inTime = block.timestamp >= t.deadline && block.timestamp < finalAt(t.task.round);
        bool ok;
        uint256 n = market.seatCount(id);
        for (uint256 i; i < n && !ok; ++i) {
            uint256 taker = (seat_ % n + i) % n;
            (address prover,,,) = market.seatOf(id, taker);
            if (prover == address(0)) continue;
            ok = _try(prover, 0, abi.encodeCall(market.takeOver, (id, t.task, t.path, taker)));
            if (ok) t.holders.push(taker);
        }
        require(!ok || inTime, "taken over only between default and the end");
        if (ok) t.deadline = market.takeoverOf(id, t.task.round, t.task.index).deadline();
        _succeeded(ok);
    }

    function expire(uint256 which, bool waits) external acts("expire") {
        if (tasks.length == 0) _trade();
        if (tasks.length == 0) return;
        uint256 at = which % tasks.length;
        OpenTask memory t = tasks[at];
        if (waits && block.timestamp < finalAt(t.task.round)) vm.warp(finalAt(t.task.round));
        sync();
        bytes memory call = abi.encodeCall(market.expire, (id, t.task, t.path));
        bool ok = _try(relayer, 0, call);
        require(ok == (block.timestamp >= finalAt(t.task.round)), "expired exactly from the end on");
        if (ok) {
            _dropTask(at);
            require(!_try(relayer, 0, call), "a task ends once");
        }
        _succeeded(ok);
    }

    // ------------------------------------------------------------------------------------------------------- time

    function wait(uint256 seconds_) external acts("wait") {
        skip(bound(seconds_, 1, 40));
        _succeeded(true);
    }

    // ------------------------------------------------------------------------------------------------------- exit

    /// @notice Everybody leaves with everything: bounded steps, none of which needs anybody's goodwill but the leaver's.
    function exitAll() external {
        sync();
        vm.warp(finalAt(roundNow()));
        sync();
        while (tasks.length != 0) {
            OpenTask memory t = tasks[tasks.length - 1];
            market.expire(id, t.task, t.path);
            _dropTask(tasks.length - 1);
        }
        while (bundles.length != 0) {
            require(_release(bundles[bundles.length - 1]), "every bundle comes back");
            _dropBundle(bundles.length - 1);
        }
        uint256 seats = market.seatCount(id);
        for (uint256 i; i < seats; ++i) {
            (address prover,,,) = market.seatOf(id, i);
            if (prover == address(0)) continue;
            vm.prank(prover);
            market.changeCapacity(id, i, 0);
        }
        vm.warp(closeAt(roundNow()));
        for (uint256 i; i < seats; ++i) {
            (address prover,,,) = market.seatOf(id, i);
            if (prover == address(0)) continue;
            vm.prank(prover);
            market.releaseCapacity(id, i);
        }
        for (uint256 i; i < _actors.length; ++i) {
            vm.prank(_actors[i]);
            market.withdraw(id, type(uint256).max, _actors[i]);
        }
        market.collectSurplus(id);
    }

    function accounts() public view override returns (address[] memory) {
        return _actors;
    }

    // -------------------------------------------------------------------------------------------------- internals

    function _deposit(address who, uint256 ticks) private returns (bool ok) {
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

    function _register(address prover, uint32 offered, uint64 cost) private returns (bool ok) {
        uint32 units = offered + params.maxTaskSize - 1;
        _deposit(prover, uint256(units) * params.collateralPerUnit);
        uint256 expected = _firstFreeSeat();
        ok = _try(prover, 0, abi.encodeCall(market.register, (id, units, cost)));
        require(ok == (expected < params.maxSeats), "a seat is given while there is one");
        if (ok) _noteCost(expected, cost);
    }

    /// @dev An open task whose `end` is not past: any such, or one of a new round if that has one.
    function _taskBefore(uint256 which, function(uint256) view returns (uint256) end)
        private
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

    function _deadlineOf(uint256 at) private view returns (uint256) {
        return tasks[at].deadline;
    }

    function _finalAtOf(uint256 at) private view returns (uint256) {
        return finalAt(tasks[at].task.round);
    }

    function _leave(uint256 seat_, address prover) private returns (bool ok) {
        ok = _try(prover, 0, abi.encodeCall(market.changeCapacity, (id, seat_, 0)));
        if (ok) _noteCost(seat_, type(uint64).max);
    }

    function _submit(Posted memory p) private returns (bool ok) {
        uint256 round = roundNow();
        bool bundled = _laneTaken(round, p.requester);
        ok = _try(p.requester, 0, abi.encodeCall(market.submitBid, (id, p.fee, p.circuit, p.inputs, p.data)));
        if (!ok) return false;
        remember(round, p);
        if (bundled) _noteBundle(round, p.requester, postedCount(round) - 1, 1);
        _takeLane(round, p.requester);
    }

    function _settle(uint256 round) private returns (bool ok) {
        Certificate memory c = cleared(round).certificate;
        ok = _try(relayer, 0, abi.encodeCall(market.settle, (id, round, c, words(round))));
        if (ok) _noteSettlement(round);
    }

    /// @dev A round with bids that pay, for actions that need a task; seats that are of no use make room first.
    function _trade() private {
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
        vm.warp(settleBy(roundNow()));
        sync();
        for (uint256 i; i < market.seatCount(id); ++i) {
            (address prover,,,) = market.seatOf(id, i);
            if (prover != address(0)) _try(prover, 0, abi.encodeCall(market.releaseCapacity, (id, i)));
        }
        while (_firstFreeSeat() < 3) {
            _register(_actor(_firstFreeSeat()), 30, 3);
        }
        vm.warp(closeAt(roundNow()));
        sync();
        for (uint256 i; i < 6; ++i) {
            Posted memory p = newTask(_actor(i), uint64(30 - i), MAX_SIZE);
            _deposit(p.requester, uint256(p.fee) * MAX_SIZE + params.settlementFee);
            require(_submit(p), "a bid with its money is taken");
        }
        uint256 round = roundNow();
        vm.warp(closeAt(round));
        sync();
        require(_settle(round), "the slow result is accepted");
    }

    function _release(Bundle memory b) private returns (bool) {
        return _try(
            relayer,
            0,
            abi.encodeCall(
                market.release, (id, b.requester, b.round, b.first, words(b.round, b.first, b.count))
            )
        );
    }

    function _anyTask(uint256 who, uint256 fee, uint256 size) private returns (Posted memory) {
        return newTask(_actor(who), uint64(1 + fee % 30), uint32(1 + size % MAX_SIZE));
    }

    function _actor(uint256 who) private view returns (address) {
        return _actors[who % _actors.length];
    }

    /// @dev `startPrank` has no effect on later calls: one call, as `who`.
    function _try(address who, uint256 value, bytes memory call) private returns (bool ok) {
        vm.prank(who);
        (ok,) = address(market).call{value: value}(call);
    }
}
