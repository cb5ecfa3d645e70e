// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {toCircuitId} from "../../contracts/types/CircuitId.sol";
import {Mechanism} from "../../contracts/types/Mechanism.sol";
import {Outcome, OutcomeLib} from "../../contracts/types/Outcome.sol";
import {Takeover} from "../../contracts/types/Takeover.sol";
import {Delivery, Task, TaskStatus} from "../../contracts/types/Task.sol";
import {IMarketLog} from "../../contracts/interfaces/IMarketLog.sol";
import {Books} from "./Books.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice A winning task and its seats: what ends when, and who pays whom. Seats of 10 units, a task of 4, which is what the market
/// allows at most. Prices are any; collateral, by which is divided, is 0 to 2 ticks a unit.
abstract contract TasksSymbolic is Symbolic {
    uint256 internal constant ROUND = 2;
    uint32 internal constant SIZE = 4;
    uint32 internal constant CAPACITY = 10;
    address internal constant PAUL = address(0x9A01);
    address internal constant QUENTIN = address(0x9A02);
    address internal constant ALICE = address(0xA11CE);

    Books internal books;

    function setUp() public virtual {
        books = new Books();
        vm.warp(1_000);
    }

    /// @notice Seats 0 and 1, each with the collateral for its capacity, and the task on seat 0.
    function _seats(uint64 collateral, uint16 bounty, uint16 compensation, uint16 penalty) internal {
        books.setStakes(collateral, bounty, compensation, penalty);
        _register(PAUL, collateral);
        _register(QUENTIN, collateral);
        books.occupy(0, SIZE);
    }

    function _register(address prover, uint256 collateral) private {
        vm.deal(prover, CAPACITY * collateral);
        vm.prank(prover);
        books.register{value: CAPACITY * collateral}(CAPACITY);
    }

    /// @notice All that the books owe to anybody.
    function _owed() internal view returns (uint256) {
        return books.availableOf(PAUL) + books.availableOf(QUENTIN) + books.availableOf(ALICE)
            + books.collateralOf(0) + books.collateralOf(1) + books.surplus();
    }

    /// @notice The winning task of a round of one, whose path is empty.
    function _task(bool told, uint64 fee, Outcome outcome) internal returns (Task memory task) {
        (task.round, task.size, task.fee) = (uint32(ROUND), SIZE, fee);
        (task.lot, task.requester) = (told ? 1 << 15 : 0, ALICE);
        books.record(ROUND, outcome, books.leafOf(task));
    }

    /// @notice First second of round `ROUND` that something is so.
    function _settleBy() internal pure returns (uint256) {
        return 1_000 + 3 * 100 + 40;
    }

    function _proveBy() internal pure returns (uint256) {
        return _settleBy() + 70;
    }

    function _finalAt() internal pure returns (uint256) {
        return _proveBy() + 2 * 50;
    }
}

/// @notice When: any second.
contract TaskDeadlinesSymbolic is TasksSymbolic {
    function check_taskIsAssignedDefaultedOrExpirable(uint40 time) external {
        vm.assume(time >= 1_000);
        vm.warp(time);
        TaskStatus status = books.statusOf(ROUND, 0);
        assert((status == TaskStatus.Assigned) == (time < _proveBy()));
        assert((status == TaskStatus.Defaulted) == (time >= _proveBy() && time < _finalAt()));
        assert((status == TaskStatus.Expirable) == (time >= _finalAt()));
    }

    /// @dev At any second exactly one of these is not refused for coming too early or too late.
    function check_exactlyOneOfDeliveryTakeoverAndExpiry(uint40 time, bool told) external {
        vm.assume(time >= _settleBy() && time < 100 * 2 ** 32); // before rounds run out of numbers
        _seats(0, 0, 0, 0);
        Delivery memory d;
        d.task = _task(told, 1, OutcomeLib.pack(Mechanism.Core, 0, 1, 0, SIZE));
        d.circuit = toCircuitId(0, SIZE + 1); // not the task's: refused, but not for its time
        vm.warp(time);

        bytes32[] memory path;
        bool inTime;
        try books.deliver(d) {
            assert(false);
        } catch (bytes memory reason) {
            inTime = bytes4(reason) == IMarketLog.WrongStatement.selector;
            assert(inTime || bytes4(reason) == IMarketLog.TaskInDefault.selector);
        }
        assert(inTime == (time < _proveBy()));
        bool taken = _takes(d.task, path);
        assert(taken == (time >= _proveBy() && time < _finalAt()));
        if (taken) return;
        bool expired;
        try books.expire(d.task, path) {
            expired = true;
        } catch {}
        assert(expired == (time >= _finalAt()));
    }

    function _takes(Task memory task, bytes32[] memory path) private returns (bool) {
        vm.prank(QUENTIN);
        try books.takeOver(task, path, 1) {
            return true;
        } catch {
            return false;
        }
    }
}

/// @notice How much.
contract TaskMoneySymbolic is TasksSymbolic {
    /// @dev Nobody is slashed, and what was held for the task is all paid out.
    function check_deliveryPaysWhatWasHeld(
        bool told,
        uint64 fee,
        uint64 userPrice,
        uint64 proverPrice,
        uint256 collateral
    ) external {
        vm.assume(proverPrice <= userPrice && userPrice <= fee);
        collateral = each(collateral, 2);
        _seats(uint64(collateral), 2_500, 3_333, 0);
        uint256 before = _owed();
        uint256 pay = 4 * uint256(proverPrice);
        books.pay(_outcome(userPrice, proverPrice), told, SIZE, 0, Takeover.wrap(0), fee, ALICE);
        assert(_owed() == before + 4 * uint256(userPrice));
        assert(books.availableOf(PAUL) == pay && books.surplus() == 4 * uint256(userPrice) - pay);
        _assertSeat(0, CAPACITY);
    }

    /// @dev After a takeover the first holder loses the task's collateral if it was told what to prove, and nothing otherwise. Whoever
    /// proves gets a quarter of it, the requester half, and the sink the rest, to the tick.
    function check_defaultCostsTheAssignedProverOnlyIfItWasTold(
        bool told,
        uint64 userPrice,
        uint64 proverPrice,
        uint256 collateral
    ) external {
        vm.assume(proverPrice <= userPrice);
        collateral = each(collateral, 2);
        _seats(uint64(collateral), 2_500, 5_000, 0);
        books.occupy(1, SIZE);
        uint256 before = _owed();
        Takeover takeover = Takeover.wrap(0).push(1, 0);
        books.pay(_outcome(userPrice, proverPrice), told, SIZE, 0, takeover, userPrice, ALICE);
        assert(_owed() == before + 4 * uint256(userPrice));
        uint256 slashed = told ? 4 * collateral : 0;
        assert(books.collateralOf(0) == 10 * collateral - slashed);
        assert(books.availableOf(QUENTIN) == 4 * uint256(proverPrice) + slashed / 4);
        assert(books.availableOf(ALICE) == slashed / 2 && books.availableOf(PAUL) == 0);
        _assertSeat(0, slashed == 0 ? CAPACITY : CAPACITY - SIZE);
        _assertSeat(1, CAPACITY);
    }

    /// @dev The requester and the prover, if it was told, lose the same penalty. What is held goes to them and the sink, to the tick.
    /// Prices of up to 4.
    function check_expiryCostsRequesterAndToldProverTheSame(bool told, uint256 price, uint256 collateral)
        external
    {
        (price, collateral) = (each(price, 4), each(collateral, 2));
        _seats(uint64(collateral), 0, 0, 5_000);
        Task memory task = _task(told, uint64(price), _outcome(uint64(price), uint64(price)));
        vm.warp(_finalAt());
        uint256 before = _owed();
        books.expire(task, new bytes32[](0));
        assert(_owed() == before + 4 * price);
        uint256 penalty = 2 * (price < collateral ? price : collateral);
        assert(books.availableOf(ALICE) == 4 * price - penalty);
        uint256 prover = books.availableOf(PAUL) + books.collateralOf(0);
        assert(prover == 10 * collateral - (told ? penalty : 0));
        (uint256 capacity, uint256 free) = books.seatOf(0);
        assert(free == capacity);
    }

    function _outcome(uint64 userPrice, uint64 proverPrice) private pure returns (Outcome) {
        return OutcomeLib.pack(Mechanism.Core, userPrice, 1, uint256(proverPrice) * SIZE, SIZE);
    }

    /// @dev Without a task on it.
    function _assertSeat(uint256 seat, uint256 capacity) private view {
        (uint256 registered, uint256 free) = books.seatOf(seat);
        assert(registered == capacity && free == capacity);
    }
}
