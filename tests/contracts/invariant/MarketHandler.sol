// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IProverMarket} from "../../../contracts/interfaces/IProverMarket.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {Certificate} from "../../../contracts/types/Certificate.sol";
import {MarketParams} from "../../../contracts/types/MarketParams.sol";
import {Page} from "../../../contracts/types/Page.sol";
import {Attacker, Forcer} from "../mocks/Attackers.sol";
import {HashVerifier} from "../mocks/HashVerifier.sol";
import {MarketActor} from "./MarketActor.sol";

/// @notice Everything that anybody can do in one market, in any order: the actions of a stateful fuzz. A call that the
/// market refuses is counted and undone; a call that must be refused and is not fails the run.
contract MarketHandler is MarketActor {
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
        if (pays) _deposit(p.requester, costOf(p) + 3);
        bool ok = _submit(p);
        require(ok || !pays, "a bid with its money is taken");
        _succeeded(ok);
    }

    function submitBids(uint256 who, uint256 count, uint256 seed) external acts("submitBids") {
        count = bound(count, 1, 4);
        BidWord[] memory bids = new BidWord[](count);
        Posted[] memory all = new Posted[](count);
        for (uint256 i; i < count; ++i) {
            uint256 r = uint256(keccak256(abi.encode(seed, i)));
            all[i] = _anyTask(who, r, r >> 64);
            bids[i] = wordOf(all[i]);
            tell(all[i]);
            _deposit(all[i].requester, uint256(all[i].fee) * all[i].circuit.units() + params.settlementFee);
        }
        if (_isSealed()) {
            for (uint256 i; i < count; ++i) {
                _deposit(all[i].requester, 3);
                require(_submit(all[i]), "a commitment with its money is taken");
            }
            return _succeeded(true);
        }
        uint256 round = roundNow();
        bool ok = _try(all[0].requester, 0, abi.encodeCall(market.submitBids, (id, bids)));
        require(ok, "bids with their money are taken");
        for (uint256 i; i < count; ++i) {
            remember(round, all[i]);
        }
        _noteBundle(round, all[0].requester, count, count);
        _succeeded(ok);
    }

    /// @dev One entry of several bids; a sealed market takes none, and each is committed to alone.
    function submitLot(uint256 who, uint256 fee, uint256 count, bool pays) external acts("submitLot") {
        Posted memory p = _anyTask(who, fee, fee >> 64);
        Posted[] memory list = newTasks(p.requester, p.fee, p.circuit.units(), bound(count, 2, 9));
        if (pays || _isSealed()) _deposit(p.requester, list.length * (costOf(p) + 3));
        bool ok = !_isSealed() && _submitLot(list);
        require(ok || !pays || _isSealed(), "a lot with its money is taken");
        if (_isSealed()) {
            require(!_submitLot(list), "a sealed market takes no lot");
            for (uint256 i; i < list.length; ++i) {
                ok = _submit(list[i]);
                require(ok, "a commitment with its money is taken");
            }
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

    /// @dev A standing ask, or a commitment to one.
    function ask(uint256 which, uint256 cost) external acts("ask") {
        (uint256 seat_, address prover) = _anySeat(which);
        if (prover == address(0)) return;
        uint64 cost_ = uint64(cost % 12);
        if (_isSealed()) return _succeeded(_commitAsk(seat_, cost_));
        bool ok = _try(prover, 0, abi.encodeCall(market.ask, (id, seat_, cost_)));
        if (ok) _noteCost(seat_, cost_);
        _succeeded(ok);
    }

    function leave(uint256 which) external acts("leave") {
        (uint256 seat_, address prover) = _anySeat(which);
        if (prover == address(0) || which % 2 != 0) return; // a market without provers shows little
        _succeeded(_leave(seat_, prover));
    }

    function changeCapacity(uint256 which, uint256 units) external acts("changeCapacity") {
        (uint256 seat_, address prover) = _anySeat(which);
        if (prover == address(0)) return;
        uint32 units_ = uint32(bound(units, params.minSeatCapacity, 37));
        _deposit(prover, 37 * params.collateralPerUnit);
        _succeeded(_change(seat_, prover, units_));
    }

    /// @dev Half of the time a seat that owes nothing leaves first, and its last round is waited for.
    function releaseCapacity(uint256 which, bool waits) external acts("releaseCapacity") {
        (uint256 seat_, address prover) = _idleSeat(which);
        if (prover == address(0)) return;
        if (waits) {
            _leave(seat_, prover);
            vm.warp(settleBy(roundNow() + params.capacityDelay - 1));
            sync();
        }
        _succeeded(_giveUp(seat_, prover));
    }

    // ------------------------------------------------------------------------------------------------ commitments

    /// @dev Any commitment, but mostly a new one in its window.
    function reveal(uint256 which) external acts("reveal") {
        uint256 at = _someCommitment(which, closeAt(roundNow()));
        if (at < _commitments.length) _succeeded(_reveal(at));
    }

    function forfeit(uint256 which) external acts("forfeit") {
        uint256 at = _someCommitment(which, revealBy(roundNow()));
        if (at >= _commitments.length) return;
        Commitment memory c = _commitments[at];
        bytes memory call = abi.encodeCall(market.forfeit, (id, c.account, c.round, c.hash));
        uint256 before = market.surplusOf(id) + available(c.account);
        bool ok = _try(_actor(which), 0, call);
        require(
            ok == (block.timestamp >= revealBy(c.round)), "forfeited exactly from the end of its window on"
        );
        _succeeded(ok);
        if (!ok) return;
        require(market.surplusOf(id) + available(c.account) == before + c.deposit, "the deposit is split");
        require(!_try(relayer, 0, call), "a commitment is forfeited once");
        _dropCommitment(at);
    }

    function _someCommitment(uint256 which, uint256 time) private returns (uint256) {
        if (which % 4 == 0) return _commitments.length == 0 ? 0 : (which / 4) % _commitments.length;
        Posted memory p = _anyTask(which, which >> 32, which >> 64);
        _deposit(p.requester, costOf(p) + 3);
        require(_submit(p), "a commitment with its money is taken");
        vm.warp(time);
        sync();
        return _commitments.length - 1;
    }

    // ----------------------------------------------------------------------------------------- settlement, tasks

    /// @dev Half of the time waits for the close of the open round; then whatever can be settled has to be.
    function settleRound(bool waits) external acts("settleRound") {
        if (waits) _closeRound(5);
        uint256 current = roundNow();
        if (current == 0) return;
        uint256 round = current - 1;
        bool settleable = postedCount(round) != 0 && !settled[round] && block.timestamp >= revealBy(round)
            && block.timestamp < settleBy(round);
        bool ok = _settle(round);
        require(ok == settleable, "the slow result is accepted once, in time");
        _succeeded(ok);
    }

    /// @dev What is refused at the close of the open round is followed by what is accepted.
    function settleWrong(uint256 seed) external acts("settleWrong") {
        Posted memory p = _anyTask(seed, seed >> 32, seed >> 64);
        _deposit(p.requester, costOf(p) + 3);
        require(_submit(p), "a bid with its money is taken");
        uint256 round = roundNow();
        _closeRound(7);
        if (postedCount(round) == 0) return;
        Certificate memory c = cleared(round).certificate;
        uint256 field = seed % 9;
        if (field == 0) c.pivotSeat ^= uint8(1 + seed % 3);
        else if (field == 1) c.pivotFee ^= uint64(1 + seed % 7);
        else if (field == 2) c.pivotIndex ^= uint32(1 + seed % 7);
        else if (field == 3) c.units ^= uint64(1 + seed % 7);
        else if (field == 4) c.batchFee ^= uint64(1 + seed % 7);
        else if (field == 5) c.batchIndex ^= uint32(1 + seed % 7);
        else if (field == 6) c.batchUnits ^= uint64(1 + seed % 7);
        else if (field == 7) c.batchRevenue ^= uint128(1 + seed % 7);
        else c.revenue ^= uint128(1 + seed % 7);
        bytes memory call = abi.encodeCall(market.settle, (id, round, c, words(round)));
        require(!_try(relayer, 0, call), "another certificate is refused");
        require(_settle(round), "the slow result is accepted");
        _succeeded(true);
    }

    /// @dev Closes the open round and settles it page by page, each by anybody, while somebody else's pages of the same and of a
    /// wrong claim, and words that are not the round's, get in between.
    function settleInPages(uint256 seed) external acts("settleInPages") {
        Posted memory p = _anyTask(seed, seed >> 32, seed >> 64);
        _deposit(p.requester, costOf(p) + 3);
        require(_submit(p), "a bid with its money is taken");
        uint256 round = roundNow();
        _closeRound(7);
        uint256 end = entryCount(round);
        if (end == 0) return;
        uint256[] memory firsts = randomFirsts(end, seed);
        address[] memory settlers = new address[](firsts.length);
        for (uint256 k; k < firsts.length; ++k) {
            settlers[k] = _actor(uint256(keccak256(abi.encode(seed, k))));
            _disturb(round, seed, end);
        }
        uint256 before = _availableOfAll();
        settleInPages(round, firsts, settlers);
        require(
            _availableOfAll() >= before + postedCount(round) * params.settlementFee, "settlers get every fee"
        );
        _noteSettlement(round);
        _succeeded(true);
    }

    function _availableOfAll() private view returns (uint256 sum) {
        for (uint256 i; i < _actors.length; ++i) {
            sum += available(_actors[i]);
        }
    }

    /// @dev Pages that begin other settlements, by somebody who settles nothing.
    function _disturb(uint256 round, uint256 seed, uint256 end) private {
        Certificate memory c = cleared(round).certificate;
        Page memory tiny = pageOf(round, c, end, end);
        require(_try(sink, 0, abi.encodeCall(market.settlePage, (id, round, c, tiny))), "a page of nothing");
        tiny = pageOf(round, c, end - 1, end);
        tiny.words[0] = BidWord.wrap(BidWord.unwrap(tiny.words[0]) ^ bytes32(uint256(1) << (seed % 256)));
        bytes memory call = abi.encodeCall(market.settlePage, (id, round, c, tiny));
        require(!_try(sink, 0, call), "words of no round are refused");
        c.units += 1;
        tiny = pageOf(round, c, 0, end);
        call = abi.encodeCall(market.settlePage, (id, round, c, tiny));
        require(!_try(sink, 0, call), "another certificate is refused");
    }

    function deliver(uint256 which, bool late) external acts("deliver") {
        uint256 at = late && tasks.length != 0 ? which % tasks.length : _taskBefore(which, _deadlineOf);
        if (at >= tasks.length) return;
        OpenTask memory t = tasks[at];
        bool ok = _try(_actor(which), 0, t.delivery);
        require(ok == (block.timestamp < t.deadline), "delivered exactly before the holder's deadline");
        if (ok) {
            _dropTask(at);
            require(!_try(relayer, 0, t.delivery), "a task is paid once");
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
        while (_commitments.length != 0) {
            Commitment memory c = _commitments[_commitments.length - 1];
            market.forfeit(id, c.account, c.round, c.hash);
            _dropCommitment(_commitments.length - 1);
        }
        _leaveAll(true);
        vm.warp(openAt(roundNow() + params.capacityDelay + 1));
        _leaveAll(false);
        for (uint256 i; i < market.seatCount(id); ++i) {
            require(_proverOf(i) == address(0), "every seat is free");
        }
        for (uint256 i; i < _actors.length; ++i) {
            vm.prank(_actors[i]);
            market.withdraw(id, type(uint256).max, _actors[i]);
        }
        market.collectSurplus(id);
    }

    /// @dev A seat whose reduction is not released yet is released first.
    function _leaveAll(bool releasesFirst) private {
        for (uint256 i; i < market.seatCount(id); ++i) {
            address prover = _proverOf(i);
            if (prover == address(0)) continue;
            if (releasesFirst) {
                _giveUp(i, prover);
                if (_proverOf(i) != address(0)) require(_leave(i, prover), "a seat can be left");
            } else {
                require(_giveUp(i, prover), "and given up");
            }
        }
    }

    function accounts() public view override returns (address[] memory) {
        return _actors;
    }
}
