// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SealedMarketTest} from "../support/SealedMarketTest.sol";
import {SlowClearing} from "../support/SlowClearing.sol";

/// @notice What an auction uses stands from its close, or from the end of its reveal window, until it is settled, whatever
/// anybody does meanwhile; and it is what these tests have noted on their own.
contract ClosedRoundFuzzTest is SealedMarketTest {
    function setUp() public override {
        super.setUp();
        tells = true;
    }

    uint256 private constant ROUNDS = 9;

    struct Kept {
        uint256 round;
        uint256 index;
    }

    Kept[] private _tasks;
    uint256 private _random;
    /// Hash over the asks of the round that is closed and not settled.
    bytes32 private _frozen;
    uint256 private _closed;
    mapping(uint256 seat => uint64) private _cost;
    mapping(uint256 seat => bytes32) private _salt;
    mapping(uint256 seat => address) private _owner;

    function testFuzz_nothingChangesAClosedOpenRound(uint256 seed) public {
        (params.revealPeriod, params.bondBps) = (0, 0);
        params.settlementPeriod = 90;
        _run(seed);
    }

    function testFuzz_nothingChangesARevealedSealedRound(uint256 seed) public {
        _run(seed);
    }

    function _run(uint256 seed) private {
        _random = seed;
        params.capacityDelay = uint8(1 + seed % 3);
        params.sink = address(uint160(seed | 1));
        (params.provingPeriod, params.takeoverPeriod) = (100, 60);
        id = market.createMarket(params);
        for (uint256 i; i < 4; ++i) {
            _register(i);
        }
        for (uint256 round; round < ROUNDS; ++round) {
            _bidding(round);
            open(round + 1);
            _reveals(round);
            vm.warp(revealBy(round));
            (_closed, _frozen) = (round, _hashOf(round));
            assertLt(block.timestamp + 5 * 11, settleBy(round));
            for (uint256 i; i < 5; ++i) {
                _act();
                // A round that took no bid is over, and has nothing to keep.
                if (postedCount(round) != 0) assertEq(_hashOf(_closed), _frozen);
                if (_next() % 3 == 0) vm.warp(block.timestamp + _next() % 12);
            }
            if (postedCount(round) == 0) continue;
            SlowClearing.Result memory result = settle(round);
            for (uint256 i; i < result.wins.length; ++i) {
                if (result.wins[i]) _tasks.push(Kept(round, i));
            }
            for (uint256 i; i < 3; ++i) {
                _act();
            }
        }
        for (uint256 i; i < market.seatCount(id); ++i) {
            assertLe(free(i), capacity(i));
        }
    }

    function _next() private returns (uint256) {
        _random = uint256(keccak256(abi.encode(_random)));
        return _random >> 8;
    }

    function _hashOf(uint256 round) private view returns (bytes32 hash) {
        (uint256[] memory costs, uint256[] memory capacities) = market.asksOf(id, round);
        SlowClearing.Ask[] memory noted = asks(round);
        for (uint256 i; i < noted.length; ++i) {
            assertEq(capacities[i], noted[i].capacity);
            assertEq(costs[i], noted[i].cost);
        }
        for (uint256 i = noted.length; i < capacities.length; ++i) {
            assertEq(capacities[i], 0); // a seat that was not there yet
        }
        // Seats that came later have no part in it, so a longer book is the same book.
        for (uint256 i; i < capacities.length; ++i) {
            if (capacities[i] != 0) hash = keccak256(abi.encode(hash, i, costs[i], capacities[i]));
        }
    }

    function _bidding(uint256 round) private {
        for (uint256 i; i < 3; ++i) {
            _act();
        }
        uint256 n = _next() % 7;
        for (uint256 i; i < n; ++i) {
            (uint64 fee, uint32 size) = (uint64(10 + _next() % 30), uint32(1 + _next() % MAX_SIZE));
            if (params.revealPeriod == 0) fundedBid(alice, fee, size);
            else _pending.push(commit(alice, fee, size, 1000));
        }
        if (params.revealPeriod == 0) return;
        for (uint256 i; i < market.seatCount(id); ++i) {
            _salt[i] = 0;
            if (_proverOf(i) == address(0) || _next() % 4 == 0) continue;
            _cost[i] = uint64(_next() % 12);
            (_salt[i], _owner[i]) = (commitAsk(i, _cost[i]), _proverOf(i));
        }
        assertEq(openRound(), round);
    }

    Posted[] private _pending;

    function _reveals(uint256) private {
        if (params.revealPeriod == 0) return;
        if (_pending.length != 0) reveal(_pending);
        delete _pending;
        for (uint256 i; i < market.seatCount(id); ++i) {
            if (_salt[i] != 0 && _proverOf(i) == _owner[i]) revealAsk(i, _cost[i], _salt[i]);
            if (_next() % 4 == 0) _act();
        }
    }

    // ----------------------------------------------------------------------------------------------------- actions

    /// @dev Anything that touches a seat. What the market refuses is undone.
    function _act() private {
        uint256 kind = _next() % 8;
        uint256 n = market.seatCount(id);
        uint256 seat_ = _next() % n;
        address prover = _proverOf(seat_);
        if (kind == 0) {
            _register(4 + _next() % 3);
        } else if (kind == 1) {
            _try(prover, abi.encodeCall(market.ask, (id, seat_, uint64(_next() % 12))));
        } else if (kind <= 4) {
            uint32[5] memory sizes = [uint32(0), 15, 20, 31, 60];
            uint32 units = sizes[_next() % 5];
            fund(prover == address(0) ? alice : prover, 60 * PER_UNIT);
            _try(prover, abi.encodeCall(market.changeCapacity, (id, seat_, units)));
        } else if (kind == 5) {
            _try(prover, abi.encodeCall(market.releaseCapacity, (id, seat_)));
        } else if (_tasks.length != 0) {
            Kept memory t = _tasks[_next() % _tasks.length];
            if (kind == 6) {
                try this.tryDeliver(t.round, t.index) {} catch {}
            } else if (block.timestamp < finalAt(t.round)) {
                try this.tryTakeOver(t.round, t.index, seat_) {} catch {}
            } else {
                try this.tryExpire(t.round, t.index) {} catch {}
            }
        }
    }

    function _register(uint256 who) private {
        address prover = address(uint160(0xa000 + who));
        uint32 units = uint32(15 + _next() % 20);
        fund(prover, units * PER_UNIT);
        uint64 cost = params.revealPeriod == 0 ? uint64(_next() % 12) : type(uint64).max;
        _try(prover, abi.encodeCall(market.register, (id, units, cost)));
    }

    function _try(address who, bytes memory call) private returns (bool ok) {
        vm.prank(who);
        (ok,) = address(market).call(call);
    }

    function tryDeliver(uint256 round, uint256 index) external {
        deliver(round, index);
    }

    function tryTakeOver(uint256 round, uint256 index, uint256 seat_) external {
        takeOver(round, index, seat_);
    }

    function tryExpire(uint256 round, uint256 index) external {
        expire(round, index);
    }
}
