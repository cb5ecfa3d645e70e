// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MarketId} from "../../../contracts/types/MarketId.sol";
import {Mechanism} from "../../../contracts/types/Mechanism.sol";
import {Delivery, Task} from "../../../contracts/types/Task.sol";
import {PagedSettling} from "../support/PagedSettling.sol";
import {SealedMarketTest} from "../support/SealedMarketTest.sol";
import {MarketTest} from "../support/MarketTest.sol";
import {SlowClearing} from "../support/SlowClearing.sol";

/// @notice A second set of books, kept beside the market's from what happened: who is owed what, and which seat holds which
/// task.
abstract contract MarketBooks is SealedMarketTest, PagedSettling {
    function setUp() public virtual override(SealedMarketTest, MarketTest) {
        super.setUp();
    }

    struct OpenTask {
        Task task;
        bytes32[] path;
        /// The call that delivers it.
        bytes delivery;
        uint256 pot;
        uint256 deadline;
        uint256[] holders;
    }

    /// @dev A commitment that is neither opened nor forfeited: to a bid, or to the ask of a seat.
    struct Commitment {
        uint256 round;
        address account;
        bytes32 hash;
        uint256 deposit;
        bool isAsk;
        uint256 seat;
        uint64 cost;
        Posted task;
        bytes32 salt;
    }

    /// @dev A change of a seat's capacity by `units`, for rounds from `from` on.
    struct Change {
        uint256 from;
        uint256 units;
        bool shrinks;
    }

    struct Bundle {
        uint256 round;
        address requester;
        /// Index of its first bid, and number of its bids.
        uint256 first;
        uint256 count;
        /// Number of its first entry, and of its entries.
        uint256 entry;
        uint256 entries;
    }

    OpenTask[] public tasks;
    Bundle[] public bundles;
    Commitment[] internal _commitments;
    mapping(uint256 round => bool) public settled;
    mapping(uint256 round => uint256) public outcome;
    mapping(uint256 round => uint256) public userPrice;
    mapping(uint256 round => mapping(uint256 index => bool)) public wins;
    /// Ticks that came in and went out, and wei that nobody asked for.
    uint256 public paidIn;
    uint256 public paidOut;
    uint256 public forced;

    mapping(bytes32 action => uint256) public calls;
    mapping(bytes32 action => uint256) public successes;

    mapping(uint256 round => mapping(address => bool)) private _inLane;
    uint256 private _noted;
    /// Unit cost of each seat in the round `_noted`, and after it.
    mapping(uint256 seat => uint256) private _cost;
    mapping(uint256 seat => uint256) private _nextCost;
    mapping(uint256 seat => bool) private _known;
    mapping(uint256 seat => Change) private _changes;
    bytes32 private _action;

    modifier acts(bytes32 action) {
        sync();
        _action = action;
        ++calls[action];
        _;
    }

    function _succeeded(bool ok) internal {
        if (ok) ++successes[_action];
    }

    function marketId() external view returns (MarketId) {
        return id;
    }

    function accounts() public view virtual returns (address[] memory);

    // -------------------------------------------------------------------------------------------------------- time

    function roundNow() public view returns (uint256) {
        return (block.timestamp - params.genesis) / params.biddingPeriod;
    }

    function resolved(uint256 round) public view returns (bool) {
        if (settled[round]) return true;
        return block.timestamp >= (postedCount(round) == 0 ? revealBy(round) : settleBy(round));
    }

    /// @notice Notes the asks of every round that closed since the last call. Nothing has happened in the market since.
    function sync() public {
        uint256 current = roundNow();
        uint256 n = market.seatCount(id);
        for (; _noted < current; ++_noted) {
            for (uint256 i; i < n; ++i) {
                noteAsk(_noted, _known[i] && !_isSealed() ? _cost[i] : NO_ASK, _unhidden(i, _noted));
                (_cost[i], _known[i]) = (_nextCost[i], true);
            }
            (uint256 cap, uint256 reserve) = market.termsOf(id, _noted);
            noteTerms(_noted, cap, reserve);
        }
    }

    function _isSealed() internal view returns (bool) {
        return params.revealPeriod != 0;
    }

    /// @dev Free units of a seat that its change of capacity lets `round` use.
    function _unhidden(uint256 seat_, uint256 round) private view returns (uint256) {
        Change memory c = _changes[seat_];
        uint256 hidden = c.shrinks == (round >= c.from) ? c.units : 0;
        return free(seat_) > hidden ? free(seat_) - hidden : 0;
    }

    /// @notice Whether the market's ask book of the round that is closed and open in its result is the noted one.
    function asksHold() external view returns (bool) {
        uint256 current = roundNow();
        if (current == 0 || _noted < current) return true;
        uint256 round = current - 1;
        if (resolved(round) || block.timestamp < revealBy(round)) return true;
        (uint256[] memory costs, uint256[] memory capacities) = market.asksOf(id, round);
        SlowClearing.Ask[] memory noted = asks(round);
        for (uint256 i; i < capacities.length; ++i) {
            uint256 expected = i < noted.length ? noted[i].capacity : 0;
            if (capacities[i] != expected || (expected != 0 && costs[i] != noted[i].cost)) return false;
        }
        return true;
    }

    // ---------------------------------------------------------------------------------------------- what is owed

    /// @notice All that the market owes (ticks), from these books and the balances it states.
    function owed() external view returns (uint256 sum) {
        address[] memory list = accounts();
        for (uint256 i; i < list.length; ++i) {
            sum += available(list[i]);
        }
        for (uint256 i; i < market.seatCount(id); ++i) {
            sum += capacity(i) * params.collateralPerUnit;
        }
        for (uint256 i; i < tasks.length; ++i) {
            sum += tasks[i].pot;
        }
        for (uint256 i; i < bundles.length; ++i) {
            if (resolved(bundles[i].round)) sum += _resultOf(bundles[i]);
        }
        uint256 current = roundNow();
        for (uint256 back; back < 2 && back <= current; ++back) {
            if (!resolved(current - back)) sum += _lockedIn(current - back);
        }
        for (uint256 i; i < _commitments.length; ++i) {
            sum += _commitments[i].deposit;
        }
        sum += market.surplusOf(id);
    }

    function _lockedIn(uint256 round) private view returns (uint256 sum) {
        for (uint256 i; i < postedCount(round); ++i) {
            Posted memory p = posted(round, i);
            sum += uint256(p.fee) * p.circuit.units() + params.settlementFee;
        }
    }

    function _resultOf(Bundle memory b) private view returns (uint256 sum) {
        for (uint256 i = b.first; i < b.first + b.count; ++i) {
            Posted memory p = posted(b.round, i);
            uint256 size = p.circuit.units();
            if (!settled[b.round]) sum += p.fee * size + params.settlementFee;
            else if (!wins[b.round][i]) sum += p.fee * size;
            else if (params.mechanism == Mechanism.Core) sum += (p.fee - userPrice[b.round]) * size;
        }
    }

    /// @notice Total size of the open tasks that a seat holds or held.
    function openUnits(uint256 seat_) external view returns (uint256 units) {
        for (uint256 i; i < tasks.length; ++i) {
            for (uint256 k; k < tasks[i].holders.length; ++k) {
                if (tasks[i].holders[k] == seat_) units += tasks[i].task.size;
            }
        }
    }

    function taskCount() external view returns (uint256) {
        return tasks.length;
    }

    // --------------------------------------------------------------------------------------------------- bookings

    function _noteSettlement(uint256 round) internal {
        SlowClearing.Result memory result = cleared(round);
        settled[round] = true;
        userPrice[round] = result.userPrice;
        outcome[round] = uint256(keccak256(abi.encode(market.outcomeOf(id, round))));
        for (uint256 i; i < result.wins.length; ++i) {
            if (!result.wins[i]) continue;
            wins[round][i] = true;
            OpenTask storage t = tasks.push();
            Delivery memory d = deliveryOf(round, i);
            (t.task, t.path, t.delivery) = (d.task, d.path, abi.encodeCall(market.deliver, (id, d)));
            uint256 size = d.task.size;
            t.pot = params.mechanism == Mechanism.Core
                ? result.userPrice * size
                : result.revenue * size / result.units;
            t.deadline = proveBy(round);
            t.holders.push(t.task.seat);
        }
    }

    function _dropTask(uint256 at) internal {
        tasks[at] = tasks[tasks.length - 1];
        tasks.pop();
    }

    /// @dev The last `entries` of a round, which have `count` bids.
    function _noteBundle(uint256 round, address requester, uint256 count, uint256 entries) internal {
        uint256 first = postedCount(round) - count;
        bundles.push(Bundle(round, requester, first, count, entryCount(round) - entries, entries));
    }

    function _noteChange(uint256 seat_, uint256 units, bool shrinks) internal {
        _changes[seat_] = Change(roundNow() + params.capacityDelay, units, shrinks);
    }

    function _noteRelease(uint256 seat_) internal {
        delete _changes[seat_];
    }

    function _dropCommitment(uint256 at) internal {
        _commitments[at] = _commitments[_commitments.length - 1];
        _commitments.pop();
    }

    function commitmentCount() external view returns (uint256) {
        return _commitments.length;
    }

    function _dropBundle(uint256 at) internal {
        bundles[at] = bundles[bundles.length - 1];
        bundles.pop();
    }

    function _laneTaken(uint256 round, address who) internal view returns (bool) {
        return _inLane[round][who];
    }

    function _takeLane(uint256 round, address who) internal {
        _inLane[round][who] = true;
    }

    function _noteCost(uint256 seat_, uint256 cost) internal {
        if (!_known[seat_]) (_cost[seat_], _known[seat_]) = (type(uint64).max, true);
        _nextCost[seat_] = cost;
    }

    function _firstFreeSeat() internal view returns (uint256 seat_) {
        uint256 n = market.seatCount(id);
        for (; seat_ < n; ++seat_) {
            if (capacity(seat_) == 0) return seat_;
        }
    }

    function _anySeat(uint256 which) internal view returns (uint256 seat_, address prover) {
        uint256 n = market.seatCount(id);
        for (uint256 i; i < n && prover == address(0); ++i) {
            seat_ = (which % n + i) % n;
            (prover,,,) = market.seatOf(id, seat_);
        }
    }

    /// @dev A seat without an open task, if there is one, else any.
    function _idleSeat(uint256 which) internal view returns (uint256, address) {
        uint256 n = market.seatCount(id);
        for (uint256 i; i < n; ++i) {
            uint256 seat_ = (which % n + i) % n;
            (address prover,,,) = market.seatOf(id, seat_);
            if (prover != address(0) && free(seat_) == capacity(seat_)) return (seat_, prover);
        }
        return _anySeat(which);
    }
}
